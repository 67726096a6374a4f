/*
 * describe.c
 *	  What a model says of itself: hashemb_info, hashemb_export, and the way
 *	  back from JSON, hashemb_import.
 *
 * The JSON of a model has everything that its bytes have, so that importing an
 * export gives the same model.  Programs that train elsewhere write layers
 * without "scale": then weights are any numbers, and are rounded here.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "encoder/model/json.h"
#include "encoder/model/model.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_info);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_export);

const char *const hx_families[] = {"", "linear", "deep", "codebook", "map"};
const char *const hx_outputs[] = {"code", "float", "ids"};
const char *const hx_flags[] = {"normalize", "sparse", "prefixes"};

/* Hexadecimal digits of a digest */
static char *
digest_text(const uint8 *digest)
{
	char *text = palloc(2 * HX_DIGEST_BYTES + 1);

	hex_encode((const char *) digest, HX_DIGEST_BYTES, text);
	text[2 * HX_DIGEST_BYTES] = '\0';
	return text;
}

/* hashemb_info(model) */
Datum
hx_model_info(PG_FUNCTION_ARGS)
{
	HxModel *model = HxLoadModel(PG_GETARG_DATUM(0));
	Datum values[12];
	bool nulls[12] = {0};
	TupleDesc shape;
	int i = 0;

	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[i++] = CStringGetTextDatum(hx_families[model->family]);
	values[i++] = CStringGetTextDatum(HxMethodName(model->method));
	values[i++] = CStringGetTextDatum(hx_outputs[model->output]);
	values[i++] = Int32GetDatum(model->view[0].inputs);
	nulls[i - 1] = model->views == 0;
	values[i++] = Int32GetDatum(model->dims);
	values[i++] = Int32GetDatum(model->bits);
	nulls[i - 1] = model->output != HX_OUT_CODE;
	values[i++] = Int32GetDatum(model->views);
	values[i++] = CStringGetTextDatum(digest_text(model->bytes + HX_AT_SPACE));
	values[i++] = CStringGetTextDatum(digest_text(model->bytes + HX_AT_DIGEST));
	values[i++] = Int64GetDatum(model->rows);
	values[i++] = Float8GetDatum(model->loss);
	values[i++] = Int64GetDatum(model->size);
	return HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(shape), values, nulls));
}

/*
 * Export
 */

/* Add a key */
static void
push_key(JsonbParseState **state, const char *key)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) key;
	value.val.string.len = (int) strlen(key);
	pushJsonbValue(state, WJB_KEY, &value);
}

/* Add a copy of a string, as value of a key: it is read when all is added */
static void
push_string(JsonbParseState **state, const char *text)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = pstrdup(text);
	value.val.string.len = (int) strlen(text);
	pushJsonbValue(state, WJB_VALUE, &value);
}

/* Add a number, as WJB_VALUE or WJB_ELEM */
static void
push_number(JsonbParseState **state, JsonbIteratorToken where, double number)
{
	JsonbValue value;
	char text[40];

	value.type = jbvNumeric;
	if (number == rint(number) && fabs(number) < 1e15)
		value.val.numeric = int64_to_numeric((int64) number);
	else
	{
		/* as many digits as give back the same double */
		snprintf(text, sizeof(text), "%.17g", number);
		value.val.numeric = DatumGetNumeric(DirectFunctionCall3(
			numeric_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid),
			Int32GetDatum(-1)));
	}
	pushJsonbValue(state, where, &value);
}

/* Add a key with a number */
static void
push_pair(JsonbParseState **state, const char *key, double number)
{
	push_key(state, key);
	push_number(state, WJB_VALUE, number);
}

/* Add a key with an array of floats */
static void
push_floats(JsonbParseState **state, const char *key, const float *numbers,
			size_t count)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (size_t i = 0; i < count; i++)
		push_number(state, WJB_ELEM, numbers[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Add a layer */
static void
push_layer(JsonbParseState **state, const HxLayer *layer)
{
	size_t plane = (size_t) layer->inputs * layer->outputs;

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "inputs", layer->inputs);
	push_pair(state, "outputs", layer->outputs);
	push_pair(state, "precision", layer->precision);
	push_floats(state, "scale", layer->scale, layer->outputs);
	push_floats(state, "bias", layer->bias, layer->outputs);
	if (layer->precision > 0)
	{
		push_key(state, "weights");
		pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
		for (size_t i = 0; i < plane; i++)
			push_number(state, WJB_ELEM,
						layer->precision == 1 ? layer->weights[i]
											  : 128 * layer->weights[i] +
													layer->weights[plane + i]);
		pushJsonbValue(state, WJB_END_ARRAY, NULL);
	}
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Add a view */
static void
push_view(JsonbParseState **state, const HxView *view)
{
	char seed[24];

	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "inputs", view->inputs);
	push_pair(state, "features", view->features);
	/* 64 bits are more than JSON's readers keep of a number */
	snprintf(seed, sizeof(seed), "%llu", (unsigned long long) view->seed);
	push_key(state, "seed");
	push_string(state, seed);
	if (view->center != NULL)
		push_floats(state, "center", view->center, hx_view_width(view));
	if (view->query != NULL)
		push_floats(state, "query", view->query, hx_view_width(view));
	push_key(state, "blocks");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < view->blocks; i++)
		push_layer(state, &view->block[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Add a key with an array of whole numbers of 64 bits */
static void
push_words(JsonbParseState **state, const char *key, const uint8 *words,
		   size_t count)
{
	push_key(state, key);
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (size_t i = 0; i < count; i++)
	{
		JsonbValue value;

		value.type = jbvNumeric;
		value.val.numeric = int64_to_numeric((int64) hx_get_u64(words + 8 * i));
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Add the books of a codebook */
static void
push_books(JsonbParseState **state, const HxBooks *books)
{
	static const char *const forms[] = {"residual", "product"};
	size_t count = (size_t) books->width * books->codes *
				   (books->form == HX_RESIDUAL ? books->count : 1);

	push_key(state, "books");
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_key(state, "form");
	push_string(state, forms[books->form]);
	push_pair(state, "codes", books->codes);
	push_floats(state, "words", books->word, count);
	if (books->query != NULL)
		push_floats(state, "query", books->query, count);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Add a table of a map */
static void
push_table(JsonbParseState **state, const HxTable *table)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	push_pair(state, "rows", table->rows);
	push_pair(state, "numbers", table->numbers);
	push_pair(state, "floats", table->floats);
	push_pair(state, "limit", table->limit);
	push_words(state, "key", table->keys, table->rows);
	push_key(state, "number");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (size_t i = 0; i < (size_t) table->rows * table->numbers; i++)
		push_number(state, WJB_ELEM, table->number[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
	push_floats(state, "weight", table->weight,
				(size_t) table->rows * table->floats);
	pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

/* Add constants and tables of a map */
static void
push_map(JsonbParseState **state, const HxModel *model)
{
	push_words(state, "constants", model->constant, model->constants);
	push_key(state, "tables");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < model->tables; i++)
		push_table(state, &model->table[i]);
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* Add the flags, as an array of their names */
static void
push_flags(JsonbParseState **state, unsigned flags)
{
	push_key(state, "flags");
	pushJsonbValue(state, WJB_BEGIN_ARRAY, NULL);
	for (int i = 0; i < HX_FLAG_COUNT; i++)
	{
		JsonbValue value;

		if (!(flags & 1u << i))
			continue;
		value.type = jbvString;
		value.val.string.val = (char *) hx_flags[i];
		value.val.string.len = (int) strlen(hx_flags[i]);
		pushJsonbValue(state, WJB_ELEM, &value);
	}
	pushJsonbValue(state, WJB_END_ARRAY, NULL);
}

/* hashemb_export(model) */
Datum
hx_model_export(PG_FUNCTION_ARGS)
{
	HxModel *model = HxLoadModel(PG_GETARG_DATUM(0));
	JsonbParseState *state = NULL;
	JsonbValue *whole;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	push_pair(&state, "format", HX_MODEL_FORMAT);
	push_key(&state, "family");
	push_string(&state, hx_families[model->family]);
	push_key(&state, "method");
	push_string(&state, HxMethodName(model->method));
	push_key(&state, "out");
	push_string(&state, hx_outputs[model->output]);
	push_pair(&state, "dims", model->dims);
	push_pair(&state, "bits", model->bits);
	push_pair(&state, "rows", model->rows);
	push_pair(&state, "loss", model->loss);
	push_flags(&state, model->flags);
	push_key(&state, "space");
	push_string(&state, digest_text(model->bytes + HX_AT_SPACE));
	push_key(&state, "views");
	pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
	for (uint32 i = 0; i < model->views; i++)
		push_view(&state, &model->view[i]);
	pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	if (model->family == HX_DEEP)
	{
		push_key(&state, "layers");
		pushJsonbValue(&state, WJB_BEGIN_ARRAY, NULL);
		for (uint32 i = 0; i < model->layers; i++)
			push_layer(&state, &model->layer[i]);
		pushJsonbValue(&state, WJB_END_ARRAY, NULL);
	}
	if (model->family == HX_CODEBOOK)
		push_books(&state, &model->books);
	if (model->family == HX_MAP)
		push_map(&state, model);
	if (model->note != NULL)
	{
		char *note = palloc(2 * model->note_size + 1);

		hex_encode((const char *) model->note, model->note_size, note);
		note[2 * model->note_size] = '\0';
		push_key(&state, "note");
		push_string(&state, note);
	}
	whole = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	PG_RETURN_JSONB_P(JsonbValueToJsonb(whole));
}
