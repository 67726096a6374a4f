/*
 * rrf.c
 *	  Reciprocal rank fusion: what a place in one of several orders counts in the
 *	  order that is made of them.
 */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_rrf);

/*
 * 1 / (k + rank) of a rank from 1 on; 0 where there is none (NULL).  NULL if k is.
 * Errors if rank or k is out of range.
 */
Datum
hx_rrf(PG_FUNCTION_ARGS)
{
	int64 rank;
	double k;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	k = PG_GETARG_FLOAT8(1);
	if (!isfinite(k) || k < 0)
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("constant %g of rrf is not a number from 0 on", k),
				 errhint("The usual one is 60.")));
	if (PG_ARGISNULL(0))
		PG_RETURN_FLOAT8(0);
	rank = PG_GETARG_INT64(0);
	if (rank < 1)
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("rank " INT64_FORMAT " is less than 1", rank),
						errhint("rank() and row_number() count from 1.")));
	PG_RETURN_FLOAT8(1 / (k + (double) rank));
}
