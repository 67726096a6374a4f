/*
 * model.c
 *	  The type hashemb_model: input, output, reading, writing.
 *
 * A value carries a digest of its bytes, which input verifies: two values with
 * one digest are the same, so that comparing headers is enough.
 */
#include "postgres.h"

#include <math.h>

#include "common/base64.h"
#include "common/hashfn.h"
#include "libpq/pqformat.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"

#include "encoder/model/model.h"

/* Longest text of base64 for the largest model */
#define MAX_TEXT (HX_MAX_MODEL / 3 * 4 + 8)

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_in);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_out);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_recv);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_send);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_eq);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_ne);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_lt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_le);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_gt);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_ge);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_cmp);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_hash);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_hash_extended);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_same_space);

/*
 * Reading
 */

/* First half of the SHA-256 of bytes */
static void
compute_digest(const uint8 *bytes, size_t size, uint8 *digest)
{
	bytea *all = palloc(size + VARHDRSZ);
	bytea *hash;

	SET_VARSIZE(all, size + VARHDRSZ);
	memcpy(VARDATA(all), bytes, size);
	hash = DatumGetByteaPP(
		DirectFunctionCall1(sha256_bytea, PointerGetDatum(all)));
	memcpy(digest, VARDATA_ANY(hash), HX_DIGEST_BYTES);
	pfree(hash);
	pfree(all);
}

/* Digest of a model: of its bytes without the digest itself */
static void
model_digest(uint8 *bytes, size_t size, uint8 *digest)
{
	uint8 kept[HX_DIGEST_BYTES];

	memcpy(kept, bytes + HX_AT_DIGEST, HX_DIGEST_BYTES);
	memset(bytes + HX_AT_DIGEST, 0, HX_DIGEST_BYTES);
	compute_digest(bytes, size, digest);
	memcpy(bytes + HX_AT_DIGEST, kept, HX_DIGEST_BYTES);
}

/* A copy of a value's bytes, which a machine of other byte order changes. */
static uint8 *
copy_bytes(const struct varlena *value, size_t *size)
{
	uint8 *bytes;

	*size = VARSIZE_ANY_EXHDR(value);
	bytes = palloc(Max(*size, 1));
	memcpy(bytes, VARDATA_ANY(value), *size);
	return bytes;
}

/*
 * The model of a value, all in the current memory context.  Values were checked
 * when they were made, but a damaged disk may show others.
 */
HxModel *
HxLoadModel(Datum value)
{
	struct varlena *plain = PG_DETOAST_DATUM_PACKED(value);
	HxModel *model = palloc(sizeof(HxModel));
	char error[HX_MODEL_ERROR];
	size_t size;
	uint8 *bytes = copy_bytes(plain, &size);

	if (plain != (struct varlena *) DatumGetPointer(value))
		pfree(plain);
	if (hx_read_model(bytes, size, model, error) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("encoder is damaged: %s", error)));
	return model;
}

/* What a model is given to, by what it is */
static const char *
use_of(const HxModel *model)
{
	switch (model->method)
	{
		case HX_METHOD_RQ:
			return "semantic_id()";
		case HX_METHOD_PIECES:
			return "sid_pieces()";
		case HX_METHOD_LOUVAIN:
		case HX_METHOD_FREQ:
		case HX_METHOD_DEDUP:
			return "hashemb_bucket()";
		default:
			return model->output == HX_OUT_FLOAT ? "hashemb_project()"
												 : "hashemb_encode()";
	}
}

void
HxRequireModel(const HxModel *model, unsigned families, HxMethodId method,
			   const char *lacks)
{
	if ((families & 1u << model->family) &&
		(method == 0 || model->method == method))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("model by method \"%s\" has no %s",
					HxMethodName(model->method), lacks),
			 errhint("Use %s, or a model by another method.", use_of(model))));
}

/*
 * Text and binary forms
 */

/* Check bytes from outside, in a varlena; soft error if they are no model. */
static struct varlena *
check_model(struct varlena *value, struct Node *escontext)
{
	size_t size;
	uint8 *bytes = copy_bytes(value, &size);
	char error[HX_MODEL_ERROR];
	HxModel model;
	uint8 digest[HX_DIGEST_BYTES];

	if (hx_read_model(bytes, size, &model, error) != 0)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("bytes are not an encoder: %s", error)));
	model_digest(bytes, size, digest);
	if (memcmp(digest, VARDATA(value) + HX_AT_DIGEST, HX_DIGEST_BYTES) != 0)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("bytes are not an encoder: they do not have the digest "
						"that they name"),
				 errhint("Some were changed or lost on the way.")));
	pfree(bytes);
	return value;
}

struct varlena *
HxParseModel(const char *text, struct Node *escontext)
{
	size_t length = strlen(text);
	struct varlena *value;
	int size;

	if (length > MAX_TEXT)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("encoder of %zu characters is too long, the limit is "
						"%d",
						length, MAX_TEXT)));
	value = palloc(VARHDRSZ + length / 4 * 3 + 8);
	size = pg_b64_decode(text, (int) length, (void *) VARDATA(value),
						 (int) (length / 4 * 3 + 4));
	if (size < 0)
		ereturn(escontext, NULL,
				(errcode(ERRCODE_INVALID_TEXT_REPRESENTATION),
				 errmsg("invalid input syntax for type %s: \"%.20s%s\"",
						"hashemb_model", text, length > 20 ? "..." : ""),
				 errdetail("An encoder's text is base64.")));
	SET_VARSIZE(value, VARHDRSZ + size);
	return check_model(value, escontext);
}

/* Input: base64 of the bytes that format.h describes */
Datum
hx_model_in(PG_FUNCTION_ARGS)
{
	struct varlena *value =
		HxParseModel(PG_GETARG_CSTRING(0), (struct Node *) fcinfo->context);

	if (value == NULL)
		PG_RETURN_NULL();
	PG_RETURN_POINTER(value);
}

/* Output: base64, in one line */
Datum
hx_model_out(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	int size = (int) VARSIZE_ANY_EXHDR(value);
	int room = pg_b64_enc_len(size);
	char *text = palloc(room + 1);
	int length =
		pg_b64_encode((const void *) VARDATA_ANY(value), size, text, room);

	if (length < 0)
		elog(ERROR, "encoder of %d bytes does not fit its text", size);
	text[length] = '\0';
	PG_RETURN_CSTRING(text);
}

/* Binary input: the bytes */
Datum
hx_model_recv(PG_FUNCTION_ARGS)
{
	StringInfo message = (StringInfo) PG_GETARG_POINTER(0);
	int size = message->len - message->cursor;
	struct varlena *value;

	if (size > HX_MAX_MODEL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("encoder of %d bytes is too large, the limit is %d",
						size, HX_MAX_MODEL)));
	value = palloc(VARHDRSZ + size);
	SET_VARSIZE(value, VARHDRSZ + size);
	pq_copymsgbytes(message, VARDATA(value), size);
	PG_RETURN_POINTER(check_model(value, NULL));
}

/* Binary output: the bytes */
Datum
hx_model_send(PG_FUNCTION_ARGS)
{
	struct varlena *value = PG_GETARG_VARLENA_PP(0);
	StringInfoData message;

	pq_begintypsend(&message);
	pq_sendbytes(&message, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_BYTEA_P(pq_endtypsend(&message));
}

/* The header of a value, without reading the rest */
static void
read_header(Datum value, uint8 *header)
{
	struct varlena *slice = PG_DETOAST_DATUM_SLICE(value, 0, HX_MODEL_HEADER);

	if (VARSIZE_ANY_EXHDR(slice) != HX_MODEL_HEADER)
		ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
						errmsg("encoder is damaged: it has no header")));
	memcpy(header, VARDATA_ANY(slice), HX_MODEL_HEADER);
}

/* Negative, 0 or positive: how the digests at this place of both compare */
static int
compare_part(FunctionCallInfo fcinfo, int part)
{
	uint8 a[HX_MODEL_HEADER];
	uint8 b[HX_MODEL_HEADER];

	read_header(PG_GETARG_DATUM(0), a);
	read_header(PG_GETARG_DATUM(1), b);
	return memcmp(a + part, b + part, HX_DIGEST_BYTES);
}

/* The same bytes? */
Datum
hx_model_eq(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) == 0);
}

/* Different bytes? */
Datum
hx_model_ne(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) != 0);
}

/*
 * An order that says nothing of models, but sorts them: by their digests.
 * Without it they could not be counted distinct, or grouped beside an aggregate
 * that sorts.
 */

/* Is the digest of a before that of b? */
Datum
hx_model_lt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) < 0);
}

/* Is the digest of a before that of b, or the same? */
Datum
hx_model_le(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) <= 0);
}

/* Is the digest of a after that of b? */
Datum
hx_model_gt(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) > 0);
}

/* Is the digest of a after that of b, or the same? */
Datum
hx_model_ge(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_DIGEST) >= 0);
}

/* Support function 1 of the B-tree operator class */
Datum
hx_model_cmp(PG_FUNCTION_ARGS)
{
	int order = compare_part(fcinfo, HX_AT_DIGEST);

	PG_RETURN_INT32((order > 0) - (order < 0));
}

/* Hash of the digest: equal models have equal hashes */
Datum
hx_model_hash(PG_FUNCTION_ARGS)
{
	uint8 header[HX_MODEL_HEADER];

	read_header(PG_GETARG_DATUM(0), header);
	PG_RETURN_UINT32(hash_bytes(header + HX_AT_DIGEST, HX_DIGEST_BYTES));
}

/* Hash with a seed; with seed 0 its low half is the plain hash */
Datum
hx_model_hash_extended(PG_FUNCTION_ARGS)
{
	uint8 header[HX_MODEL_HEADER];

	read_header(PG_GETARG_DATUM(0), header);
	PG_RETURN_UINT64(hash_bytes_extended(header + HX_AT_DIGEST, HX_DIGEST_BYTES,
										 PG_GETARG_INT64(1)));
}

/* May codes of one be compared with codes of the other? */
Datum
hx_same_space(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(compare_part(fcinfo, HX_AT_SPACE) == 0);
}

/*
 * Writing
 */

/* Append a number */
static void
put_u32(StringInfo to, uint32 value)
{
	uint8 bytes[4];

	hx_put_u32(bytes, value);
	appendBinaryStringInfo(to, (char *) bytes, 4);
}

/* Append a number, rounded to single precision; error if it is not finite */
static void
put_float(StringInfo to, double value)
{
	float rounded = (float) value;
	uint32 bits;

	if (!(fabsf(rounded) <= 1e30f))
		ereport(ERROR,
				(errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
				 errmsg("encoder would hold the number %g, the limit is 1e30",
						value),
				 errhint("Scale the vectors to moderate size.")));
	memcpy(&bits, &rounded, 4);
	put_u32(to, bits);
}

/* Greatest number among a row's weights */
static double
row_limit(const double *row, int count)
{
	double largest = 0.0;

	for (int i = 0; i < count; i++)
		largest = Max(largest, fabs(row[i]));
	return largest;
}

/*
 * Append a layer: a row's weights are divided by its largest, so that they
 * become integers up to 127, or up to 127 * 128.
 */
static void
put_layer(StringInfo to, const HxDraftLayer *layer)
{
	int most = layer->precision == 2 ? 127 * 128 : 127;
	size_t plane = (size_t) layer->inputs * layer->outputs;
	double *scale = palloc(layer->outputs * sizeof(double));
	int8 *weights;

	for (int j = 0; j < layer->outputs; j++)
	{
		scale[j] = layer->scale == NULL ? 1.0 : layer->scale[j];
		if (layer->precision > 0 && layer->scale == NULL)
			scale[j] =
				(float) (row_limit(layer->weights + (size_t) j * layer->inputs,
								   layer->inputs) /
						 most);
	}
	put_u32(to, layer->precision);
	for (int j = 0; j < layer->outputs; j++)
		put_float(to, scale[j]);
	for (int j = 0; j < layer->outputs; j++)
		put_float(to, layer->bias == NULL ? 0.0 : layer->bias[j]);
	if (layer->precision == 0)
		return;

	enlargeStringInfo(to, (int) (plane * layer->precision + 4));
	weights = (int8 *) to->data + to->len;
	for (size_t at = 0; at < plane; at++)
	{
		double unit = layer->scale == NULL ? scale[at / layer->inputs] : 1.0;
		double share = unit > 0.0 ? rint(layer->weights[at] / unit) : 0.0;
		int weight = (int) Min(Max(share, -most), most);

		if (layer->precision == 1)
			weights[at] = (int8) weight;
		else
		{
			weights[at] = (int8) floor(weight / 128.0 + 0.5);
			weights[plane + at] = (int8) (weight - 128 * weights[at]);
		}
	}
	to->len += plane * layer->precision;
	while (to->len % 4 != 0)
		appendStringInfoCharMacro(to, '\0');
}

/* Append a section's tag; returns where its length will be */
static int
begin_section(StringInfo to, const char *tag)
{
	appendBinaryStringInfo(to, tag, 4);
	put_u32(to, 0);
	return to->len - 4;
}

/* Fill in a section's length */
static void
end_section(StringInfo to, int at)
{
	hx_put_u32((uint8 *) to->data + at, to->len - at - 4);
}

/* Append a view's section */
static void
put_view(StringInfo to, const HxDraftView *view)
{
	int start = begin_section(to, "view");
	int width = view->features > 0 ? view->features : view->inputs;

	put_u32(to, view->inputs);
	put_u32(to, view->features);
	put_u32(to, (uint32) view->seed);
	put_u32(to, (uint32) (view->seed >> 32));
	put_u32(to, (view->center != NULL) + (view->query != NULL));
	put_u32(to, view->blocks);
	for (int i = 0; i < view->blocks; i++)
	{
		put_u32(to, view->block[i].inputs);
		put_u32(to, view->block[i].outputs);
	}
	for (int i = 0; view->center != NULL && i < width; i++)
		put_float(to, view->center[i]);
	for (int i = 0; view->query != NULL && i < width; i++)
		put_float(to, view->query[i]);
	for (int i = 0; i < view->blocks; i++)
		put_layer(to, &view->block[i]);
	end_section(to, start);
}

/* Append the section of a deep model's layers */
static void
put_layers(StringInfo to, const HxDraft *draft)
{
	int start = begin_section(to, "deep");

	put_u32(to, draft->layers);
	for (int i = 0; i < draft->layers; i++)
	{
		put_u32(to, draft->layer[i].inputs);
		put_u32(to, draft->layer[i].outputs);
	}
	for (int i = 0; i < draft->layers; i++)
		put_layer(to, &draft->layer[i]);
	end_section(to, start);
}

/* Append a number of 8 bytes */
static void
put_u64(StringInfo to, uint64 value)
{
	put_u32(to, (uint32) value);
	put_u32(to, (uint32) (value >> 32));
}

/* Append the section of a codebook */
static void
put_books(StringInfo to, const HxDraftBooks *books)
{
	int start = begin_section(to, "book");

	put_u32(to, books->form);
	put_u32(to, books->count);
	put_u32(to, books->codes);
	put_u32(to, books->query != NULL ? 2 : 1);
	for (size_t i = 0; i < books->words; i++)
		put_float(to, books->word[i]);
	for (size_t i = 0; books->query != NULL && i < books->words; i++)
		put_float(to, books->query[i]);
	end_section(to, start);
}

/* Append a table's section; error if the model would be too large */
static void
put_table(StringInfo to, const HxDraftTable *table)
{
	int start = begin_section(to, "tabl");
	double size =
		(double) table->rows * (8 + 4.0 * table->numbers + 4.0 * table->floats);

	if (to->len + size > HX_MAX_MODEL)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("model would have %.0f bytes, the limit is %d",
							   to->len + size, HX_MAX_MODEL)));
	put_u32(to, (uint32) table->rows);
	put_u32(to, table->numbers);
	put_u32(to, table->floats);
	put_u32(to, table->limit);
	for (size_t i = 0; i < table->rows; i++)
	{
		Assert(i == 0 || table->key[i - 1] < table->key[i]);
		put_u64(to, (uint64) table->key[i]);
	}
	for (size_t i = 0; i < table->rows * table->numbers; i++)
	{
		Assert(table->number[i] < table->limit);
		put_u32(to, table->number[i]);
	}
	for (size_t i = 0; i < table->rows * table->floats; i++)
		put_float(to, table->weight[i]);
	end_section(to, start);
}

/* Append the sections of a map */
static void
put_map(StringInfo to, const HxDraft *draft)
{
	int start = begin_section(to, "cons");

	for (int i = 0; i < draft->constants; i++)
		put_u64(to, (uint64) draft->constant[i]);
	end_section(to, start);
	for (int i = 0; i < draft->tables; i++)
		put_table(to, &draft->table[i]);
}

/* Append the header, without digest and space */
static void
put_header(StringInfo to, const HxDraft *draft)
{
	uint8 header[HX_MODEL_HEADER] = {0};
	uint64 loss;

	memcpy(&loss, &draft->loss, 8);
	memcpy(header, HX_MODEL_MAGIC, 4);
	header[HX_AT_FORMAT] = HX_MODEL_FORMAT;
	header[HX_AT_FAMILY] = draft->family;
	header[HX_AT_METHOD] = draft->method;
	header[HX_AT_OUTPUT] = draft->output;
	header[HX_AT_BITS] = draft->bits;
	header[HX_AT_VIEWS] = draft->views;
	header[HX_AT_FLAGS] = draft->flags;
	hx_put_u32(header + HX_AT_DIMS, draft->dims);
	hx_put_u64(header + HX_AT_ROWS, draft->rows);
	hx_put_u64(header + HX_AT_LOSS, isfinite(draft->loss) ? loss : 0);
	appendBinaryStringInfo(to, (char *) header, HX_MODEL_HEADER);
}

/* A space of its own is the digest of everything but the space. */
struct varlena *
HxWriteModel(const HxDraft *draft)
{
	StringInfoData to;
	struct varlena *value;
	uint8 *header;
	uint8 digest[HX_DIGEST_BYTES];

	initStringInfo(&to);
	appendStringInfoSpaces(&to, VARHDRSZ);
	put_header(&to, draft);
	for (int i = 0; i < draft->views; i++)
		put_view(&to, &draft->view[i]);
	if (draft->family == HX_DEEP)
		put_layers(&to, draft);
	if (draft->family == HX_CODEBOOK)
		put_books(&to, &draft->books);
	if (draft->family == HX_MAP)
		put_map(&to, draft);
	if (draft->note != NULL)
	{
		int start = begin_section(&to, "note");

		appendBinaryStringInfo(&to, draft->note, (int) draft->note_size);
		while (to.len % 4 != 0)
			appendStringInfoCharMacro(&to, '\0');
		end_section(&to, start);
	}
	value = (struct varlena *) to.data;
	SET_VARSIZE(value, to.len);
	header = (uint8 *) VARDATA(value);
	if (draft->space != NULL)
		memcpy(header + HX_AT_SPACE, draft->space, HX_DIGEST_BYTES);
	else
		compute_digest(header, to.len - VARHDRSZ, header + HX_AT_SPACE);
	model_digest(header, to.len - VARHDRSZ, digest);
	memcpy(header + HX_AT_DIGEST, digest, HX_DIGEST_BYTES);
	return check_model(value, NULL);
}
