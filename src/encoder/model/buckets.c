/*
 * buckets.c
 *	  SQL functions of models that give ids buckets: hashemb_bucket,
 *	  hashemb_buckets.
 */
#include "postgres.h"

#include "funcapi.h"
#include "miscadmin.h"
#include "utils/tuplestore.h"

#include "compat.h"
#include "encoder/map/slots.h"
#include "encoder/model/model.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bucket);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bucket_side);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_buckets);

/* Error unless the model gives buckets to ids */
static void
require_buckets(const HxModel *model)
{
	switch (model->method)
	{
		case HX_METHOD_LOUVAIN:
		case HX_METHOD_FREQ:
		case HX_METHOD_DEDUP:
			return;
		default:
			HxRequireModel(model, 0, 0, "buckets");
	}
}

/* The constants of method freq: shared buckets, and the feature's hash */
#define FREQ_SHARED 0
#define FREQ_FEATURE 1

/* The bucket of an id that the model does not know; false if it has none */
static bool
share_bucket(const HxModel *model, int64 id, int32 *bucket)
{
	int64 shared;

	if (model->method != HX_METHOD_FREQ)
		return false;
	shared = hx_constant(model, FREQ_SHARED);
	if (shared < 1 || shared > (int64) model->dims)
		return false;
	*bucket = (int32) (model->dims - shared) +
			  (int32) HxFirstSlot((uint64) hx_constant(model, FREQ_FEATURE), id,
								  (uint32) shared);
	return true;
}

/* The bucket of an id on a side, from 0, NULL if it is unknown */
static Datum
find_bucket(FunctionCallInfo fcinfo, const HxModel *model, int side, int64 id)
{
	const HxTable *table = &model->table[side];
	int64 row = hx_find_key(table, id);
	int32 bucket;

	if (row >= 0)
		PG_RETURN_INT32((int32) table->number[row]);
	if (share_bucket(model, id, &bucket))
		PG_RETURN_INT32(bucket);
	PG_RETURN_NULL();
}

/* hashemb_bucket(model, id): of models with one side */
Datum
hx_bucket(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);

	require_buckets(model);
	if (model->tables != 1)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model by method \"%s\" has %u sides, and none is named",
					HxMethodName(model->method), model->tables),
			 errhint("Name it: hashemb_bucket(model, 1, id).")));
	return find_bucket(fcinfo, model, 0, PG_GETARG_INT64(1));
}

/* hashemb_bucket(model, side, id) */
Datum
hx_bucket_side(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	int32 side = PG_GETARG_INT32(1);

	require_buckets(model);
	if (side < 1 || side > (int32) model->tables)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("model by method \"%s\" has no side %d, "
						"expected 1 to %u",
						HxMethodName(model->method), side, model->tables)));
	return find_bucket(fcinfo, model, side - 1, PG_GETARG_INT64(2));
}

/* hashemb_buckets(model): every id that the model knows, and its bucket */
Datum
hx_buckets(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	const HxModel *model = HxLoadModel(PG_GETARG_DATUM(0));

	require_buckets(model);
	HxInitSetResult(fcinfo);
	for (uint32 side = 0; side < model->tables; side++)
	{
		const HxTable *table = &model->table[side];

		for (uint32 i = 0; i < table->rows; i++)
		{
			Datum values[3];
			bool nulls[3] = {0};

			CHECK_FOR_INTERRUPTS();
			values[0] = Int32GetDatum((int32) side + 1);
			values[1] = Int64GetDatum(hx_table_key(table, i));
			values[2] = Int32GetDatum((int32) table->number[i]);
			tuplestore_putvalues(result->setResult, result->setDesc, values,
								 nulls);
		}
	}
	PG_RETURN_NULL();
}
