/*
 * layout.c
 *	  Values of dense vectors, as their types keep them: real[], and pgvector's
 *	  vector and halfvec, which are read where they lie.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "index/dense/dense.h"
#include "kernel/kernel.h"

/* What vector and halfvec begin with */
typedef struct VectorHead
{
	int32 length; /* a varlena's */
	int16 dims;
	int16 unused;
} VectorHead;

/* Error unless a value has the index's dimensions. */
static void
check_dims(const HxIndexDesc *desc, int dims)
{
	if (dims != desc->dims)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("different vector dimensions %d and %d", dims,
						desc->dims),
				 errdetail("The value is the first, the index holds the "
						   "second.")));
}

static void
read_reals(const HxIndexDesc *desc, ArrayType *array, float *to)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR,
				(errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
				 errmsg("a vector is an array of %d dimensions, expected one",
						ARR_NDIM(array))));
	if (ARR_HASNULL(array) && array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("a vector has a NULL among its components")));
	check_dims(desc, ARR_NDIM(array) == 0 ? 0 : ARR_DIMS(array)[0]);
	memcpy(to, ARR_DATA_PTR(array), desc->dims * sizeof(float));
}

void
HxReadVector(const HxIndexDesc *desc, Datum value, float *to)
{
	struct varlena *raw = (struct varlena *) DatumGetPointer(value);
	struct varlena *flat = pg_detoast_datum(raw);
	const VectorHead *head = (const VectorHead *) flat;

	switch ((HxLayout) desc->vector->layout)
	{
		case HX_LAYOUT_REALS:
			read_reals(desc, (ArrayType *) flat, to);
			break;
		case HX_LAYOUT_VECTOR:
			check_dims(desc, head->dims);
			memcpy(to, head + 1, desc->dims * sizeof(float));
			break;
		case HX_LAYOUT_HALFVEC:
			check_dims(desc, head->dims);
			hx_kernels->dense->widen_half((const uint16 *) (head + 1),
										  desc->dims, to);
			break;
	}
	if (flat != raw)
		pfree(flat);
}
