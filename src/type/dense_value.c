/*
 * dense_value.c
 *	  Values of a dense column, as they are stored: real[], and vector and
 *	  halfvec of pgvector.
 *
 * A vector is a varlena of int16 dimensions, int16 unused, and float4s; a
 * halfvec has IEEE halves in their place.  A short value may have its header in
 * one byte, and then lies at any address.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"

#include "compat.h"
#include "kernel/kernel.h"
#include "type/dense.h"

/* What lies before the numbers of pgvector's types, behind the header */
typedef struct HxVectorHead
{
	int16 dims;
	int16 unused;
} HxVectorHead;

/* A value taken apart: numbers as they are stored, at any address */
typedef struct HxDenseView
{
	int dims;
	const char *numbers;
} HxDenseView;

/* Numbers that are converted at a time where they are not aligned */
#define HX_CHUNK 64

/* Names of the types, for messages */
static const char *const type_names[] = {[HX_DENSE_REAL_ARRAY] = "real[]",
										 [HX_DENSE_VECTOR] = "vector",
										 [HX_DENSE_HALFVEC] = "halfvec"};

/* Bytes of a number */
static size_t
number_size(HxDenseType type)
{
	return type == HX_DENSE_HALFVEC ? sizeof(uint16) : sizeof(float4);
}

/* Error: the bytes of a value are none of its type. */
pg_noreturn static void
reject_bytes(HxDenseType type, size_t size)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("invalid %s of %zu bytes", type_names[type], size)));
}

/* Take an array of real apart; it has a long header. */
static HxDenseView
view_array(ArrayType *array)
{
	HxDenseView view;

	if (ARR_ELEMTYPE(array) != FLOAT4OID)
		elog(ERROR, "array of elements of type %u is none of real",
			 ARR_ELEMTYPE(array));
	view.dims = HxCountElements(array);
	HxCheckNoNull(array, view.dims);
	view.numbers = ARR_DATA_PTR(array);
	if (VARSIZE(array) !=
		(size_t) (view.numbers - (char *) array) + view.dims * sizeof(float4))
		reject_bytes(HX_DENSE_REAL_ARRAY, VARSIZE(array));
	return view;
}

/* Take a vector or halfvec apart. */
static HxDenseView
view_vector(HxDenseType type, struct varlena *value)
{
	size_t size = VARSIZE_ANY_EXHDR(value);
	HxVectorHead head;
	HxDenseView view;

	if (size < sizeof(head))
		reject_bytes(type, size);
	memcpy(&head, VARDATA_ANY(value), sizeof(head));
	view.dims = head.dims;
	view.numbers = VARDATA_ANY(value) + sizeof(head);
	if (head.dims < 0 ||
		size != sizeof(head) + (size_t) head.dims * number_size(type))
		reject_bytes(type, size);
	return view;
}

/*
 * Take a value apart.  A short array, whose parts are to be aligned, is copied
 * to `copy`.
 */
static HxDenseView
view_value(HxDenseType type, Datum datum, ArrayType **copy)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);

	Assert(!VARATT_IS_EXTERNAL(value) && !VARATT_IS_COMPRESSED(value));
	*copy = NULL;
	if (type != HX_DENSE_REAL_ARRAY)
		return view_vector(type, value);
	if (VARATT_IS_SHORT(value))
		value = (struct varlena *) (*copy = DatumGetArrayTypeP(datum));
	return view_array((ArrayType *) value);
}

/* Error naming the first number that is none, counted from 1. */
pg_noreturn static void
reject_numbers(HxDenseType type, const float *numbers, int count)
{
	int bad = 0;

	while (bad < count - 1 && isfinite(numbers[bad]))
		bad++;
	ereport(
		ERROR,
		(errcode(ERRCODE_DATA_EXCEPTION),
		 errmsg("element %d of %s is %s, but a vector has finite numbers only",
				bad + 1, type_names[type],
				isnan(numbers[bad]) ? "NaN"
				: numbers[bad] > 0	? "Infinity"
									: "-Infinity")));
}

/* Halves, at any address, as floats. */
static void
widen_halves(const char *halves, int count, float *out)
{
	uint16 aligned[HX_CHUNK];

	if ((uintptr_t) halves % sizeof(uint16) == 0)
	{
		hx_kernels->dense->widen_half((const uint16 *) (const void *) halves,
									  count, out);
		return;
	}
	for (int at = 0; at < count; at += HX_CHUNK)
	{
		int some = Min(count - at, HX_CHUNK);

		memcpy(aligned, halves + at * sizeof(uint16), some * sizeof(uint16));
		hx_kernels->dense->widen_half(aligned, some, out + at);
	}
}

bool
HxAllFinite(const float *numbers, size_t count)
{
	float lane[HX_LANES] = {0};
	size_t i = 0;
	float zero = 0;

	/* 0 times infinity or NaN is NaN, which spoils the sum */
	for (; i + HX_LANES <= count; i += HX_LANES)
	{
		for (int l = 0; l < HX_LANES; l++)
			lane[l] += numbers[i + l] * 0.0f;
	}
	for (size_t l = 0; i + l < count; l++)
		lane[l] += numbers[i + l] * 0.0f;
	for (int l = 0; l < HX_LANES; l++)
		zero += lane[l];
	return zero == 0.0f;
}

int
HxDenseDims(HxDenseType type, Datum value)
{
	ArrayType *copy;
	HxDenseView view = view_value(type, value, &copy);

	if (copy != NULL)
		pfree(copy);
	return view.dims;
}

void
HxReadDense(HxDenseType type, Datum value, int dims, float *out)
{
	ArrayType *copy;
	HxDenseView view = view_value(type, value, &copy);

	if (view.dims != dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("%s of %d dimensions where %d were expected",
							   type_names[type], view.dims, dims)));
	if (type == HX_DENSE_HALFVEC)
		widen_halves(view.numbers, dims, out);
	else
		memcpy(out, view.numbers, dims * sizeof(float4));
	if (copy != NULL)
		pfree(copy);
	if (unlikely(!HxAllFinite(out, dims)))
		reject_numbers(type, out, dims);
}
