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

/* Report a value that is no code: a bit string too long, or garbage. */
static void
reject_value(int32 shape, size_t bytes)
{
	if (bit_fits(shape, bytes))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("bit string of %d bits is too long for a code", shape),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("invalid code: shape %d does not go with %zu bytes",
						   shape, bytes)));
}

/* Take apart a code that needs no detoasting; its size is checked. */
static HxCode
view_value(void *value)
{
	size_t size = VARSIZE_ANY_EXHDR(value);
	const uint8 *payload = (const uint8 *) VARDATA_ANY(value);
	int32 shape = -1;
	HxCode code;

	if (size >= sizeof(shape))
		memcpy(&shape, payload, sizeof(shape));
	else
		reject_value(shape, size);
	if (!shape_fits(shape, size - sizeof(shape)))
		reject_value(shape, size - sizeof(shape));

	code.dims = HX_SHAPE_DIMS(shape);
	code.planes = HX_SHAPE_PLANES(shape);
	code.plane_bytes = HX_PLANE_BYTES(code.dims);
	code.bytes = code.plane_bytes * code.planes;
	code.data = payload + sizeof(shape);
	code.value = value;
	return code;
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

/* Error, naming both, unless the codes have the same dimensions and planes. */
void
HxCheckSameShape(const HxCode *a, const HxCode *b)
{
	char left[HX_SHAPE_NAME];
	char right[HX_SHAPE_NAME];

	if (a->dims != b->dims || a->planes != b->planes)
		ereport(ERROR, (errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
						errmsg("codes of different sizes: %s and %s",
							   HxShapeName(a->dims, a->planes, left),
							   HxShapeName(b->dims, b->planes, right))));
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
	char have[HX_SHAPE_NAME];
	char want[HX_SHAPE_NAME];

	if (typmod < 0 || typmod == HX_SHAPE(code->dims, code->planes))
		return true;
	ereturn(escontext, false,
			(errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
			 errmsg("code of %s does not match type %s",
					HxShapeName(code->dims, code->planes, have),
					HxShapeName(HX_SHAPE_DIMS(typmod), HX_SHAPE_PLANES(typmod),
								want))));
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
			 errmsg("invalid end of code: \"%.*s\"",
					pg_mbcliplen(slash, rest, HX_QUOTED_BYTES), slash),
			 errdetail("Bits per dimension are written as \"/1\" to \"/%d\".",
					   HX_MAX_PLANES)));
}

/*
 * The code that a text of this length stands for.  Soft error, then NULL, if
 * it stands for none.
 */
Bincode *
HxParseBincode(const char *text, size_t length, struct Node *escontext)
{
	size_t digits;
	int planes = parse_planes(text, length, &digits, escontext);
	Bincode *code;

	if (planes == 0)
		return NULL;
	if (digits * planes > HX_MAX_CODE_BITS)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("code of %zu bits is too long", digits * planes),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));

	code = HxNewBincode(digits, planes);
	for (size_t i = 0; i < digits; i++)
	{
		int level = digit_level(text[i]);
		uint8 *plane = code->data;

		if (level < 0 || level >= 1 << planes)
			ereturn(escontext, NULL,
					(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
					 errmsg("invalid digit \"%.*s\" at position %zu of a code",
							Min(pg_mblen(text + i), (int) (length - i)),
							text + i, i + 1),
					 errdetail("With %d bit(s) per dimension, digits are 0 to "
							   "%x.",
							   planes, (1 << planes) - 1)));
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
	int unused;

	if (!shape_fits(shape, bytes))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("invalid code in message: shape %d does not go with "
						"%zu bytes",
						shape, bytes)));
	code = HxNewBincode(HX_SHAPE_DIMS(shape), HX_SHAPE_PLANES(shape));
	pq_copymsgbytes(message, (char *) code->data, bytes);

	unused = -HX_SHAPE_DIMS(shape) & 7;
	for (int p = 0; p < HX_SHAPE_PLANES(shape) && unused > 0; p++)
	{
		size_t last = (p + 1) * HX_PLANE_BYTES(HX_SHAPE_DIMS(shape)) - 1;

		if ((code->data[last] & ((1 << unused) - 1)) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
					 errmsg("invalid code in message: byte %zu is %d, but its "
							"last %d bits must be zero",
							last, code->data[last], unused)));
	}
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
 * Casts.  From bit and bit varying none is needed.  The way back has to look:
 * a code of several bits a dimension would be a corrupt bit string, while a
 * bit string too long for a code may leave as it came.
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
