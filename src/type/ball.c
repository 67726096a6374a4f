/*
 * ball.c
 *	  The type hamming_ball, written (code,radius), and membership in it.
 *
 * A search for near duplicates is a condition, not an order; one operand holds
 * code and radius so that it can be an operator's, hence an index's.
 */
#include "postgres.h"

#include "libpq/pqformat.h"

#include "type/ball.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_recv);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_send);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_make);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contained);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_contains);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hamming_within);

/* The ball around a code of 1 bit a dimension */
static HxBall *
new_ball(const HxCode *centre, int32 radius)
{
	size_t size = offsetof(HxBall, data) + centre->bytes;
	HxBall *ball = palloc(size);

	Assert(centre->planes == 1);
	SET_VARSIZE(ball, size);
	ball->radius = radius;
	ball->shape = HX_SHAPE(centre->dims, 1);
	memcpy(ball->data, centre->data, centre->bytes);
	return ball;
}

/* Centre and radius of a ball, read where it lies; error if it is none. */
HxCode
HxViewBall(Datum value, int32 *radius)
{
	struct varlena *ball = PG_DETOAST_DATUM_PACKED(value);
	size_t size = VARSIZE_ANY_EXHDR(ball);
	const char *payload = VARDATA_ANY(ball);

	if (size < sizeof(*radius))
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("invalid hamming_ball of %zu bytes", size)));
	memcpy(radius, payload, sizeof(*radius));
	return HxViewPayload(payload + sizeof(*radius), size - sizeof(*radius),
						 ball);
}

/* Do codes of the same length differ in at most `radius` bits? */
static bool
is_within(const HxCode *a, const HxCode *b, int32 radius)
{
	return (int64) HxHammingDistance(a, b) <= radius;
}

/* Radius from the text between comma and parenthesis; false if it is none */
static bool
parse_radius(const char *text, const char *end, int32 *radius)
{
	long value;
	char *stop;

	errno = 0;
	value = strtol(text, &stop, 10);
	if (stop == text || stop != end || errno != 0 || value < PG_INT32_MIN ||
		value > PG_INT32_MAX)
		return false;
	*radius = (int32) value;
	return true;
}

/* Text to ball: soft errors */
Datum
hx_ball_in(PG_FUNCTION_ARGS)
{
	const char *text = PG_GETARG_CSTRING(0);
	struct Node *escontext = (struct Node *) HX_ESCONTEXT(fcinfo);
	size_t length = strlen(text);
	const char *comma = strrchr(text, ',');
	int32 radius;
	Bincode *centre;
	HxCode view;

	if (text[0] != '(' || comma == NULL || text[length - 1] != ')' ||
		!parse_radius(comma + 1, text + length - 1, &radius))
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.*s\"",
						"hamming_ball", HxQuotedBytes(text, length), text),
				 errdetail("A ball is written as \"(code,radius)\", with an "
						   "integer radius.")));
	centre = HxParseBincode(text + 1, comma - text - 1, escontext);
	if (centre == NULL)
		PG_RETURN_NULL();
	view = HxViewBincode(centre);
	if (view.planes != 1)
		ereturn(escontext, (Datum) 0,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("hamming_ball needs a code of 1 bit per dimension, "
						"not of %d",
						view.planes)));
	PG_RETURN_POINTER(new_ball(&view, radius));
}

/* Ball to text */
Datum
hx_ball_out(PG_FUNCTION_ARGS)
{
	int32 radius;
	HxCode centre = HxViewBall(PG_GETARG_DATUM(0), &radius);

	PG_RETURN_CSTRING(psprintf("(%s,%d)", HxFormatBincode(&centre), radius));
}

/* Binary form to ball: the radius as an int32, then the code as bincode */
Datum
hx_ball_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int32 radius = (int32) pq_getmsgint(message, 4);
	HxCode centre = HxViewBincode(HxReceiveBincode(message));

	HxCheckOnePlane(&centre, "hamming_ball");
	PG_RETURN_POINTER(new_ball(&centre, radius));
}

/* Ball to binary form */
Datum
hx_ball_send(PG_FUNCTION_ARGS)
{
	int32 radius;
	HxCode centre = HxViewBall(PG_GETARG_DATUM(0), &radius);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendint32(&message, radius);
	pq_sendint32(&message, HX_SHAPE(centre.dims, centre.planes));
	pq_sendbytes(&message, (const char *) centre.data, centre.bytes);
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* hamming_ball(code, radius) */
Datum
hx_ball_make(PG_FUNCTION_ARGS)
{
	HxCode centre = PG_GETARG_CODE(0);

	HxCheckOnePlane(&centre, "hamming_ball");
	PG_RETURN_POINTER(new_ball(&centre, PG_GETARG_INT32(1)));
}

/* code <@ ball */
Datum
hx_ball_contained(PG_FUNCTION_ARGS)
{
	int32 radius;
	HxCode code = PG_GETARG_CODE(0);
	HxCode centre = HxViewBall(PG_GETARG_DATUM(1), &radius);

	PG_RETURN_BOOL(is_within(&code, &centre, radius));
}

/* ball @> code */
Datum
hx_ball_contains(PG_FUNCTION_ARGS)
{
	int32 radius;
	HxCode centre = HxViewBall(PG_GETARG_DATUM(0), &radius);
	HxCode code = PG_GETARG_CODE(1);

	PG_RETURN_BOOL(is_within(&code, &centre, radius));
}

/* Do two codes differ in at most as many bits? */
Datum
hx_hamming_within(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);

	PG_RETURN_BOOL(is_within(&a, &b, PG_GETARG_INT32(2)));
}
