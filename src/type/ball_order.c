/*
 * ball_order.c
 *	  Equality, total order and hash of balls: by the centre as a code, then by
 *	  the radius.
 *
 * The order has no meaning of its own.  Rows with a ball can be compared,
 * grouped and replicated without a key by it.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "type/ball.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_eq);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_ne);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_lt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_le);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_gt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_ge);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_cmp);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_hash);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_ball_hash_extended);

/* -1, 0 or 1 as left comes before, is, or comes after right; frees what reading
 * them copied. */
static int
compare_balls(Datum left, Datum right)
{
	int32 a_radius;
	int32 b_radius;
	HxCode a = HxViewBall(left, &a_radius);
	HxCode b = HxViewBall(right, &b_radius);
	int order = HxCompareCodes(&a, &b);

	HxReleaseCode(&a, left);
	HxReleaseCode(&b, right);
	if (order == 0)
		order = (a_radius > b_radius) - (a_radius < b_radius);
	return order;
}

/* a = b */
Datum
hx_ball_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) == 0);
}

/* a <> b */
Datum
hx_ball_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) != 0);
}

/* a < b */
Datum
hx_ball_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) < 0);
}

/* a <= b */
Datum
hx_ball_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) <= 0);
}

/* a > b */
Datum
hx_ball_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) > 0);
}

/* a >= b */
Datum
hx_ball_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)) >= 0);
}

/* -1, 0 or 1: support function 1 of the B-tree operator class */
Datum
hx_ball_cmp(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT32(compare_balls(PG_GETARG_DATUM(0), PG_GETARG_DATUM(1)));
}

/* Hash: equal balls have equal hashes */
Datum
hx_ball_hash(PG_FUNCTION_ARGS)
{
	int32 head[2];
	HxCode centre = HxViewBall(PG_GETARG_DATUM(0), &head[0]);
	uint32 hash;

	head[1] = centre.dims;
	hash = hash_bytes(centre.data, centre.bytes) ^
		   hash_bytes((const unsigned char *) head, sizeof(head));
	HxReleaseCode(&centre, PG_GETARG_DATUM(0));
	PG_RETURN_UINT32(hash);
}

/* Hash with a seed; with seed 0 its low half is the plain hash */
Datum
hx_ball_hash_extended(PG_FUNCTION_ARGS)
{
	int32 head[2];
	HxCode centre = HxViewBall(PG_GETARG_DATUM(0), &head[0]);
	uint64 seed = PG_GETARG_INT64(1);
	uint64 hash;

	head[1] = centre.dims;
	hash =
		hash_bytes_extended(centre.data, centre.bytes, seed) ^
		hash_bytes_extended((const unsigned char *) head, sizeof(head), seed);
	HxReleaseCode(&centre, PG_GETARG_DATUM(0));
	PG_RETURN_UINT64(hash);
}
