/*
 * ids.c
 *	  SQL functions of ids in levels: from vectors, back to vectors, their
 *	  prefixes and n-grams.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"

#include "encoder/model/apply.h"
#include "encoder/model/codebook.h"
#include "encoder/model/decode.h"
#include "encoder/model/ids.h"
#include "encoder/model/input.h"
#include "encoder/model/model.h"
#include "encoder/model/segment.h"
#include "random.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_semantic_id_array);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_semantic_id_svec);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_semantic_id_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_sid_decode);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_sid_prefix);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_sid_ngrams);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_sid_pieces);

/* The words of argument 1 by the codebook in argument 0 */
static Datum
semantic_id(FunctionCallInfo fcinfo, HxInputType kind)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	const HxBooks *books = &model->books;
	Datum elements[HX_MAX_BOOKS];
	uint32_t word[HX_MAX_BOOKS];
	double *x;

	HxRequireModel(model, 1u << HX_CODEBOOK, HX_METHOD_RQ, "semantic ids");
	x = HxEnterBooks(model, PG_GETARG_DATUM(1), kind);
	hx_assign_words(books, x, palloc(books->codes * sizeof(double)), word);
	for (uint32 i = 0; i < books->count; i++)
		elements[i] = Int32GetDatum((int32) word[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) books->count, INT4OID,
										  sizeof(int32), true, TYPALIGN_INT));
}

/* semantic_id(model, array) */
Datum
hx_semantic_id_array(PG_FUNCTION_ARGS)
{
	return semantic_id(fcinfo, HX_INPUT_REALS);
}

/* semantic_id(model, svec) */
Datum
hx_semantic_id_svec(PG_FUNCTION_ARGS)
{
	return semantic_id(fcinfo, HX_INPUT_SVEC);
}

/* semantic_id(model, text): what untyped literals come to */
Datum
hx_semantic_id_text(PG_FUNCTION_ARGS)
{
	return semantic_id(fcinfo, HX_INPUT_TEXT);
}

/* sid_decode(model, id): the vector that its levels, or the first of them,
 * stand for */
Datum
hx_sid_decode(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	ArrayType *array = PG_GETARG_ARRAYTYPE_P(1);
	const HxBooks *books = &model->books;
	int count;
	const int32 *ids = HxReadIds(array, &count);
	double *x;

	HxRequireModel(model, 1u << HX_CODEBOOK, HX_METHOD_RQ, "semantic ids");
	if (count > (int) books->count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("id has %d levels, the model has %u", count,
							   books->count)));
	for (int i = 0; i < count; i++)
	{
		if (ids[i] < 0 || ids[i] >= (int32) books->codes)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("level %d of id is %d, expected 0 to %u",
								   i + 1, ids[i], books->codes - 1)));
	}
	x = palloc(books->width * sizeof(double));
	hx_join_words(books, (const uint32_t *) ids, (uint32_t) count, x);
	PG_RETURN_ARRAYTYPE_P(HxMakeReals(HxDecodeView(model, 0, x),
									  (int) hx_view_width(&model->view[0])));
}

/*
 * Sequences of ids
 */

const int32 *
HxReadIds(ArrayType *array, int *count)
{
	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("id has %d dimensions, expected one",
							   ARR_NDIM(array))));
	if (array_contains_nulls(array))
		ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
						errmsg("id has a null among its levels")));
	*count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	return (const int32 *) ARR_DATA_PTR(array);
}

/* sid_prefix(id, n): the first n levels, all if there are fewer */
Datum
hx_sid_prefix(PG_FUNCTION_ARGS)
{
	int count;
	const int32 *ids = HxReadIds(PG_GETARG_ARRAYTYPE_P(0), &count);
	int n = PG_GETARG_INT32(1);
	Datum *elements;

	if (n < 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("prefix of %d levels, expected 0 or more", n)));
	n = Min(n, count);
	elements = palloc(Max(n, 1) * sizeof(Datum));
	for (int i = 0; i < n; i++)
		elements[i] = Int32GetDatum(ids[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, n, INT4OID, sizeof(int32),
										  true, TYPALIGN_INT));
}

/*
 * A slot below m for n levels from place `at`: a hash of the place and of these,
 * by splitmix64, the same on every machine
 */
static int64
ngram_slot(const int32 *ids, int at, int n, int64 m)
{
	uint64 hash = (uint64) at;

	hash = hx_split_mix(&hash);
	for (int i = 0; i < n; i++)
	{
		uint64 counter = hash ^ (uint32) ids[at + i];

		hash = hx_split_mix(&counter);
	}
	return (int64) (hash % (uint64) m);
}

/* sid_ngrams(id, n, m): slots of a table of m rows, one for each n-gram */
Datum
hx_sid_ngrams(PG_FUNCTION_ARGS)
{
	int count;
	const int32 *ids = HxReadIds(PG_GETARG_ARRAYTYPE_P(0), &count);
	int n = PG_GETARG_INT32(1);
	int64 m = PG_GETARG_INT64(2);
	int grams;
	Datum *elements;

	if (n < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("n-grams of %d levels, expected 1 or more", n)));
	if (m < 1)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("n-grams in a table of " INT64_FORMAT
							   " rows, expected 1 or more",
							   m)));
	grams = Max(count - n + 1, 0);
	elements = palloc(Max(grams, 1) * sizeof(Datum));
	for (int i = 0; i < grams; i++)
		elements[i] = Int64GetDatum(ngram_slot(ids, i, n, m));
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, grams, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}

/* sid_pieces(model, id): the pieces of a sequence, 0 where an id is unknown */
Datum
hx_sid_pieces(PG_FUNCTION_ARGS)
{
	const HxModel *model = HxModelArgument(fcinfo, 0);
	int count;
	const int32 *ids = HxReadIds(PG_GETARG_ARRAYTYPE_P(1), &count);
	uint32 *piece;
	Datum *elements;
	uint32 pieces;

	HxRequireModel(model, 1u << HX_MAP, HX_METHOD_PIECES, "pieces");
	if (count > HX_MAX_SEQUENCE)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sequence of %d ids is too long to be cut into "
							   "pieces, the limit is %d",
							   count, HX_MAX_SEQUENCE)));
	piece = palloc((count + 1) * sizeof(uint32));
	elements = palloc((count + 1) * sizeof(Datum));
	pieces = hx_segment(model, ids, (uint32) count,
						palloc(hx_segment_room((uint32) count)), piece);
	for (uint32 i = 0; i < pieces; i++)
		elements[i] = Int64GetDatum((int64) piece[i]);
	PG_RETURN_ARRAYTYPE_P(construct_array(elements, (int) pieces, INT8OID,
										  sizeof(int64), FLOAT8PASSBYVAL,
										  TYPALIGN_DOUBLE));
}
