/*
 * bincode.c
 *	  The type bincode: construction, text and binary form, length, casts.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "libpq/pqformat.h"
#include "mb/pg_wchar.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "type/bincode.h"

/* Bytes of a text that an error message repeats */
#define HX_QUOTED_BYTES 32

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_recv);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_send);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_typmod_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_typmod_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_length);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_length_support);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_to_bit);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_dims);

/*
 * Construction and access
 */

/* A code of this shape, every bit zero; the caller has checked the shape. */
Bincode *
HxNewBincode(int dims, int planes)
{
	size_t size = HX_BINCODE_HEADER + HX_PLANE_BYTES(dims) * planes;
	Bincode *code;

	Assert(dims >= 0 && planes >= 1 && planes <= HX_MAX_PLANES &&
		   dims * planes <= HX_MAX_CODE_BITS);
	code = palloc0(size);
	SET_VARSIZE(code, size);
	code->shape = HX_SHAPE(dims, planes);
	return code;
}

/* The type's name with this shape, written into HX_SHAPE_NAME bytes. */
const char *
HxShapeName(int dims, int planes, char *buffer)
{
	if (planes == 1)
		snprintf(buffer, HX_SHAPE_NAME, "bincode(%d)", dims);
	else
		snprintf(buffer, HX_SHAPE_NAME, "bincode(%d,%d)", dims, planes);
	return buffer;
}

/* Is this the shape of a code, and are these its bytes? */
static bool
shape_fits(int32 shape, size_t bytes)
{
	int dims = HX_SHAPE_DIMS(shape);
	int planes = HX_SHAPE_PLANES(shape);

	return shape >= 0 && planes <= HX_MAX_PLANES &&
		   dims * planes <= HX_MAX_CODE_BITS &&
		   bytes == HX_PLANE_BYTES(dims) * planes;
}

/* Is this the length of a bit string, and are these its bytes? */
static bool
bit_fits(int32 length, size_t bytes)
{
	return length >= 0 && bytes == HX_PLANE_BYTES(length);
}

/* Report a payload that is no code: a bit string too long, or garbage. */
static void
reject_value(int32 shape, size_t size)
{
	if (size >= sizeof(shape) && bit_fits(shape, size - sizeof(shape)))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("bit string of %d bits is too long for a code", shape),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("invalid code: shape %d does not go with a value of %zu "
					"bytes",
					shape, size)));
}

/* Take a payload apart into shape and bits; false if it is no code. */
static bool
split_payload(const void *payload, size_t size, int32 *shape, HxCode *code)
{
	*shape = -1;
	if (size < sizeof(*shape))
		return false;
	memcpy(shape, payload, sizeof(*shape));
	if (!shape_fits(*shape, size - sizeof(*shape)))
		return false;

	code->dims = HX_SHAPE_DIMS(*shape);
	code->planes = HX_SHAPE_PLANES(*shape);
	code->plane_bytes = HX_PLANE_BYTES(code->dims);
	code->bytes = code->plane_bytes * code->planes;
	code->data = (const uint8 *) payload + sizeof(*shape);
	return true;
}

/*
 * The code in these bytes of a value that needs no detoasting; error if they
 * are no code.
 */
HxCode
HxViewPayload(const void *payload, size_t size, void *value)
{
	HxCode code = {0};
	int32 shape;

	if (!split_payload(payload, size, &shape, &code))
		reject_value(shape, size);
	code.value = value;
	return code;
}

/* The code that fills a value which needs no detoasting; error if it is none */
static HxCode
view_value(void *value)
{
	return HxViewPayload(VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value), value);
}

/* As HxViewCode, but false where that is an error. */
bool
HxTryViewCode(Datum value, HxCode *code)
{
	int32 shape;

	code->value = PG_DETOAST_DATUM_PACKED(value);
	return split_payload(VARDATA_ANY(code->value),
						 VARSIZE_ANY_EXHDR(code->value), &shape, code);
}

/* What a typmod says */
void
HxShapeOf(int32 typmod, int *dims, int *planes)
{
	Assert(typmod >= 0);
	*dims = HX_SHAPE_DIMS(typmod);
	*planes = HX_SHAPE_PLANES(typmod);
}

/*
 * Read a code where it lies: only a compressed or external value is copied.
 * Error if the value is no code.
 */
HxCode
HxViewCode(Datum value)
{
	return view_value(PG_DETOAST_DATUM_PACKED(value));
}

/* Read a code built by HxNewBincode. */
HxCode
HxViewBincode(Bincode *code)
{
	return view_value(code);
}

/* The code with a long header and aligned; error if the value is no code. */
Bincode *
HxDatumGetBincode(Datum value)
{
	return view_value(PG_DETOAST_DATUM(value)).value;
}

/*
 * Are both of the same dimensions and planes?  Else the one error for codes of
 * different sizes, soft if it may be: it names both, and `detail`, a sentence
 * or NULL, says where they come from.
 */
bool
HxMatchShapes(int dims, int planes, int other_dims, int other_planes,
			  const char *detail, struct Node *escontext)
{
	char left[HX_SHAPE_NAME];
	char right[HX_SHAPE_NAME];

	if (dims == other_dims && planes == other_planes)
		return true;
	ereturn(escontext, false,
			(errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
			 errmsg("codes of different sizes: %s and %s",
					HxShapeName(dims, planes, left),
					HxShapeName(other_dims, other_planes, right)),
			 detail == NULL ? 0 : errdetail_internal("%s", detail)));
}

/* Error, naming both, unless the codes have the same dimensions and planes. */
void
HxCheckSameShape(const HxCode *a, const HxCode *b)
{
	(void) HxMatchShapes(a->dims, a->planes, b->dims, b->planes, NULL, NULL);
}

/* Error unless the code has one bit a dimension, as `what` needs it. */
void
HxCheckOnePlane(const HxCode *code, const char *what)
{
	char name[HX_SHAPE_NAME];

	if (code->planes != 1)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("%s needs codes of 1 bit per dimension, not %s", what,
						HxShapeName(code->dims, code->planes, name))));
}

/* Error, naming both, if a typmod is given and the code is of another one. */
static bool
matches_typmod(const HxCode *code, int32 typmod, struct Node *escontext)
{
	if (typmod < 0)
		return true;
	return HxMatchShapes(code->dims, code->planes, HX_SHAPE_DIMS(typmod),
						 HX_SHAPE_PLANES(typmod),
						 "The value is the first, its type the second.",
						 escontext);
}

/*
 * Text form
 */

/* Level that a digit stands for, or -1 */
static int
digit_level(char digit)
{
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	if (digit >= 'a' && digit <= 'f')
		return digit - 'a' + 10;
	if (digit >= 'A' && digit <= 'F')
		return digit - 'A' + 10;
	return -1;
}

/* Bytes of a text that a message repeats: whole characters, not too many */
int
HxQuotedBytes(const char *text, size_t length)
{
	return pg_mbcliplen(text, (int) length, HX_QUOTED_BYTES);
}

/*
 * Number of planes that a code's text names behind its slash, and through
 * `digits` the number of digits before it.  Soft error, then 0, if it is not
 * a single digit of 1 to 4.
 */
static int
parse_planes(const char *text, size_t length, size_t *digits,
			 struct Node *escontext)
{
	const char *slash = memchr(text, '/', length);
	size_t rest;

	*digits = length;
	if (slash == NULL)
		return 1;
	*digits = slash - text;
	rest = length - *digits;
	if (rest == 2 && slash[1] >= '1' && slash[1] <= '0' + HX_MAX_PLANES)
		return slash[1] - '0';
	ereturn(escontext, 0,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid end of code: \"%.*s\"", HxQuotedBytes(slash, rest),
					slash),
			 errdetail("Bits per dimension are written as \"/1\" to \"/%d\".",
					   HX_MAX_PLANES)));
}

/*
 * Soft error: the text has no digit of a code at this place.  An array of
 * numbers or a vector without a type is taken for a code where it stands beside
 * one, so it gets a hint.
 */
static Bincode *
reject_digit(const char *text, size_t length, size_t at, int planes,
			 struct Node *escontext)
{
	bool array = at == 0 && text[0] == '{';
	bool vector = at == 0 && text[0] == '[';

	ereturn(escontext, NULL,
			(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
			 errmsg("invalid digit \"%.*s\" at position %zu of a code",
					pg_mbcharcliplen(text + at, (int) (length - at), 1),
					text + at, at + 1),
			 errdetail_plural("With %d bit per dimension, digits are 0 to %x.",
							  "With %d bits per dimension, digits are 0 to %x.",
							  planes, planes, (1 << planes) - 1),
			 array || vector
				 ? errhint("An array of numbers needs its type, as in "
						   "%s; binarize() makes a code of it.",
						   array ? "'{0.1,0.2}'::real[]"
								 : "'{0.1,0.2}'::real[] or '[0.1,0.2]'::vector")
				 : 0));
}

/* Soft error: a code cannot have that many bits. */
static Bincode *
reject_length(size_t bits, struct Node *escontext)
{
	ereturn(escontext, NULL,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("code of %zu bits is too long", bits),
			 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
}

/*
 * The code of 1 bit a dimension that these hexadecimal digits stand for, four
 * bits each; they begin at `text` + 1, behind an x.  Soft error, then NULL.
 */
static Bincode *
parse_hex(const char *text, size_t length, struct Node *escontext)
{
	size_t digits = length - 1;
	Bincode *code;

	if (digits > HX_MAX_CODE_BITS / 4)
		return reject_length(digits * 4, escontext);
	code = HxNewBincode((int) digits * 4, 1);
	for (size_t i = 0; i < digits; i++)
	{
		int level = digit_level(text[i + 1]);

		if (level < 0)
			ereturn(
				escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid digit \"%.*s\" at position %zu of a code",
						pg_mbcharcliplen(text + i + 1, (int) (digits - i), 1),
						text + i + 1, i + 2),
				 errdetail("Digits behind x are 0 to f.")));
		code->data[i / 2] |= i % 2 == 0 ? level << 4 : level;
	}
	return code;
}

/*
 * The code that a text of this length stands for: digits, or, as bit has it, x
 * and hexadecimal digits.  Soft error, then NULL, if it stands for none.
 */
Bincode *
HxParseBincode(const char *text, size_t length, struct Node *escontext)
{
	size_t digits;
	int planes;
	Bincode *code;

	if (length > 0 && (text[0] == '{' || text[0] == '['))
		return reject_digit(text, length, 0, 1, escontext);
	if (length > 0 && (text[0] == 'x' || text[0] == 'X'))
		return parse_hex(text, length, escontext);
	planes = parse_planes(text, length, &digits, escontext);
	if (planes == 0)
		return NULL;
	if (digits * planes > HX_MAX_CODE_BITS)
		return reject_length(digits * planes, escontext);

	code = HxNewBincode(digits, planes);
	for (size_t i = 0; i < digits; i++)
	{
		int level = digit_level(text[i]);
		uint8 *plane = code->data;

		if (level < 0 || level >= 1 << planes)
			return reject_digit(text, length, i, planes, escontext);
		for (int p = planes - 1; p >= 0; p--)
		{
			if (level >> p & 1)
				HxSetBit(plane, i);
			plane += HX_PLANE_BYTES(digits);
		}
	}
	return code;
}

/* The code's text form, in memory of the caller's context. */
char *
HxFormatBincode(const HxCode *code)
{
	char *text = palloc(code->dims + 3);
	char *end = text;

	for (int i = 0; i < code->dims; i++)
	{
		int level = 0;

		for (int p = 0; p < code->planes; p++)
			level =
				level << 1 | HxGetBit(code->data + p * code->plane_bytes, i);
		*end++ = "0123456789abcdef"[level];
	}
	if (code->planes > 1)
	{
		*end++ = '/';
		*end++ = '0' + code->planes;
	}
	*end = '\0';
	return text;
}

/* Text to code: soft errors; the typmod is enforced. */
Datum
hx_bincode_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	int32 typmod = PG_GETARG_INT32(2);
	struct Node *escontext = (struct Node *) HX_ESCONTEXT(fcinfo);
	Bincode *code = HxParseBincode(text, strlen(text), escontext);
	HxCode view;

	if (code == NULL)
		PG_RETURN_NULL();
	view = HxViewBincode(code);
	if (!matches_typmod(&view, typmod, escontext))
		PG_RETURN_NULL();
	PG_RETURN_BINCODE(code);
}

/* Code to text */
Datum
hx_bincode_out(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);

	PG_RETURN_CSTRING(HxFormatBincode(&code));
}

/*
 * Binary form: the shape as an int32, then the planes.  With one bit a
 * dimension the shape is the length in bits, so this is the form of bit.
 */

/* First byte with bits set beyond the dimensions of its plane, or -1 */
int
HxFindStrayBits(const uint8 *data, int dims, int planes)
{
	int unused = -dims & 7;

	for (int p = 1; p <= planes && unused > 0; p++)
	{
		int last = (int) (p * HX_PLANE_BYTES(dims)) - 1;

		if ((data[last] & ((1 << unused) - 1)) != 0)
			return last;
	}
	return -1;
}

/*
 * The code that a message holds from its cursor to its end; error if that is
 * no code, or one with bits set beyond its dimensions.
 */
Bincode *
HxReceiveBincode(StringInfo message)
{
	int32 shape = (int32) pq_getmsgint(message, 4);
	size_t bytes = message->len - message->cursor;
	Bincode *code;
	int stray;

	if (!shape_fits(shape, bytes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid code in message: shape %d does not go with "
						"%zu bytes",
						shape, bytes)));
	code = HxNewBincode(HX_SHAPE_DIMS(shape), HX_SHAPE_PLANES(shape));
	pq_copymsgbytes(message, (char *) code->data, bytes);

	stray = HxFindStrayBits(code->data, HX_SHAPE_DIMS(shape),
							HX_SHAPE_PLANES(shape));
	if (stray >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid code in message: byte %d is %d, but its last "
						"%d bits must be zero",
						stray, code->data[stray], -HX_SHAPE_DIMS(shape) & 7)));
	return code;
}

/* Binary form to code; the typmod is enforced. */
Datum
hx_bincode_recv(PG_FUNCTION_ARGS)
{
	Bincode *code = HxReceiveBincode((StringInfo) PG_GETARG_POINTER(0));
	HxCode view = HxViewBincode(code);

	(void) matches_typmod(&view, PG_GETARG_INT32(2), NULL);
	PG_RETURN_BINCODE(code);
}

/* Code to binary form */
Datum
hx_bincode_send(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, HX_SHAPE(code.dims, code.planes));
	pq_sendbytes(&message, (const char *) code.data, code.bytes);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/*
 * Length: typmod, its enforcement, and when enforcement is not needed
 */

/* bincode(n) or bincode(n, b) to the shape that is its typmod */
Datum
hx_bincode_typmod_in(PG_FUNCTION_ARGS)
{
	int count;
	int32 *values = ArrayGetIntegerTypmods(PG_GETARG_ARRAYTYPE_P(0), &count);
	int planes;

	if (count != 1 && count != 2)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("type bincode has 1 or 2 modifiers, not %d", count)));
	planes = count == 2 ? values[1] : 1;
	if (planes < 1 || planes > HX_MAX_PLANES)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("bits per dimension of type bincode must be between 1 "
						"and %d, not %d",
						HX_MAX_PLANES, planes)));
	if (values[0] < 1 || values[0] > HX_MAX_CODE_BITS / planes)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("dimensions of type bincode must be between 1 and %d, "
						"not %d",
						HX_MAX_CODE_BITS / planes, values[0]),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
	PG_RETURN_INT32(HX_SHAPE(values[0], planes));
}

/* Typmod to what stands behind the type's name */
Datum
hx_bincode_typmod_out(PG_FUNCTION_ARGS)
{
	int32 typmod = PG_GETARG_INT32(0);
	int dims = HX_SHAPE_DIMS(typmod);
	int planes = HX_SHAPE_PLANES(typmod);

	if (typmod < 0)
		PG_RETURN_CSTRING(pstrdup(""));
	if (planes == 1)
		PG_RETURN_CSTRING(psprintf("(%d)", dims));
	PG_RETURN_CSTRING(psprintf("(%d,%d)", dims, planes));
}

/* The code itself if it is of the given typmod; else an error naming both */
Datum
hx_bincode_length(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);

	(void) matches_typmod(&code, PG_GETARG_INT32(1), NULL);
	PG_RETURN_POINTER(code.value);
}

/* Is a value of this expression sure to be of this typmod? */
static bool
is_surely_of_typmod(Node *source, int32 typmod)
{
	if (typmod < 0 || exprTypmod(source) == typmod)
		return true;
	while (IsA(source, RelabelType))
		source = (Node *) ((RelabelType *) source)->arg;
	return exprType(source) == BITOID && exprTypmod(source) == typmod &&
		   HX_SHAPE_PLANES(typmod) == 1;
}

/*
 * Planner support of the length check: drop it where the type already says
 * enough, above all on a column that was bit(n), whose ALTER TYPE to
 * bincode(n) then rewrites no table.
 */
Datum
hx_bincode_length_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	Node *result = NULL;

	if (IsA(request, SupportRequestSimplify))
	{
		FuncExpr *call = ((SupportRequestSimplify *) request)->fcall;
		Node *source = linitial(call->args);
		Node *typmod = lsecond(call->args);

		if (IsA(typmod, Const) && !((Const *) typmod)->constisnull)
		{
			int32 wanted = DatumGetInt32(((Const *) typmod)->constvalue);

			if (is_surely_of_typmod(source, wanted))
				result = relabel_to_typmod(source, wanted);
		}
	}
	PG_RETURN_POINTER(result);
}

/*
 * Code to bit string; error if it has several bits a dimension.  A bit string
 * too long for a code may leave as it came.
 */
Datum
hx_bincode_to_bit(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	size_t size = VARSIZE_ANY_EXHDR(value);
	int32 length = -1;
	HxCode code;
	char name[HX_SHAPE_NAME];

	if (size >= sizeof(length))
		memcpy(&length, VARDATA_ANY(value), sizeof(length));
	if (size >= sizeof(length) && bit_fits(length, size - sizeof(length)))
		PG_RETURN_POINTER(value);

	code = view_value(value);
	ereport(ERROR,
			(errcode(ERRCODE_CANNOT_COERCE),
			 errmsg("cannot cast a code of %s to a bit string",
					HxShapeName(code.dims, code.planes, name)),
			 errdetail("Only codes of 1 bit per dimension are bit strings.")));
	PG_RETURN_NULL();
}

/* Dimensions of a code */
Datum
hx_bincode_dims(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(PG_GETARG_CODE(0).dims);
}
