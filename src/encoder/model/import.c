/*
 * import.c
 *	  hashemb_import: a model from JSON, for encoders that were trained
 *	  elsewhere.
 *
 * Only what JSON can get wrong is checked here: types, and lengths of arrays.
 * The bytes that are made of it are then checked as any others.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"

#include "encoder/model/json.h"
#include "encoder/model/model.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_model_import);

/* Error about a key */
pg_noreturn static void
reject_key(const char *key, const char *problem)
{
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of an encoder in JSON %s", key, problem)));
}

/* The value of a key; NULL if there is none */
static JsonbValue *
find_key(JsonbContainer *object, const char *key)
{
	return getKeyJsonValueFromContainer(object, key, (int) strlen(key), NULL);
}

/* A JSON number as double */
static double
number_of(const JsonbValue *value, const char *key)
{
	double number;

	if (value->type != jbvNumeric)
		reject_key(key, "is not a number");
	number = DatumGetFloat8(DirectFunctionCall1(
		numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
	if (!isfinite(number))
		reject_key(key, "is out of range");
	return number;
}

/* A whole number from 0 to high */
static int
find_integer(JsonbContainer *object, const char *key, int dflt, int high)
{
	JsonbValue *value = find_key(object, key);
	double number;

	if (value == NULL && dflt < 0)
		reject_key(key, "is missing");
	if (value == NULL)
		return dflt;
	number = number_of(value, key);
	if (number != rint(number) || number < 0 || number > high)
		reject_key(key, "is not a whole number in its range");
	return (int) number;
}

/* A string, or NULL */
static char *
find_string(JsonbContainer *object, const char *key)
{
	JsonbValue *value = find_key(object, key);

	if (value == NULL)
		return NULL;
	if (value->type != jbvString)
		reject_key(key, "is not a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* An array, or NULL */
static JsonbContainer *
find_array(JsonbContainer *object, const char *key)
{
	JsonbValue *value = find_key(object, key);

	if (value == NULL)
		return NULL;
	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		reject_key(key, "is not an array");
	return value->val.binary.data;
}

/* An array of this many numbers, or NULL */
static double *
find_numbers(JsonbContainer *object, const char *key, size_t count)
{
	JsonbContainer *array = find_array(object, key);
	JsonbIterator *at;
	JsonbValue value;
	JsonbIteratorToken token;
	double *numbers;
	size_t found = 0;

	if (array == NULL)
		return NULL;
	if (JsonContainerSize(array) != count)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("\"%s\" of an encoder in JSON has %u numbers, "
							   "expected %zu",
							   key, JsonContainerSize(array), count)));
	numbers = palloc_extended(Max(count, 1) * sizeof(double), MCXT_ALLOC_HUGE);
	at = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&at, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		numbers[found++] = number_of(&value, key);
	}
	return numbers;
}

/* An element that must be an object */
static JsonbContainer *
object_at(JsonbContainer *array, int index, const char *key)
{
	JsonbValue *value = getIthJsonbValueFromContainer(array, index);

	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		reject_key(key, "is not an array of objects");
	return value->val.binary.data;
}

/* Place of a name among names; error if it is none of them */
static int
find_name(JsonbContainer *object, const char *key, const char *const *names,
		  int first, int last, int dflt)
{
	char *name = find_string(object, key);

	if (name == NULL)
		return dflt;
	for (int i = first; i <= last; i++)
	{
		if (strcmp(name, names[i]) == 0)
			return i;
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("\"%s\" of an encoder in JSON is \"%s\", which is "
						   "unknown",
						   key, name)));
}

/* A layer */
static void
import_layer(JsonbContainer *object, HxDraftLayer *layer)
{
	layer->inputs = find_integer(object, "inputs", -1, HX_MAX_DENSE);
	layer->outputs = find_integer(object, "outputs", -1, HX_MAX_DENSE);
	layer->precision = find_integer(object, "precision", 1, 2);
	layer->scale = find_numbers(object, "scale", layer->outputs);
	layer->bias = find_numbers(object, "bias", layer->outputs);
	if (layer->precision > 0)
	{
		layer->weights = find_numbers(object, "weights",
									  (size_t) layer->inputs * layer->outputs);
		if (layer->weights == NULL)
			reject_key("weights", "is missing");
	}
}

/* Layers under a key; their number */
static int
import_layers(JsonbContainer *object, const char *key, HxDraftLayer *layers,
			  int most)
{
	JsonbContainer *array = find_array(object, key);
	int count = array == NULL ? 0 : (int) JsonContainerSize(array);

	if (count > most)
		reject_key(key, "are too many");
	for (int i = 0; i < count; i++)
		import_layer(object_at(array, i, key), &layers[i]);
	return count;
}

/* A view */
static void
import_view(JsonbContainer *object, HxDraftView *view)
{
	char *seed = find_string(object, "seed");
	int width;

	view->inputs = find_integer(object, "inputs", -1, 1000000000);
	view->features = find_integer(object, "features", 0, HX_MAX_FEATURES);
	if (seed != NULL)
		view->seed = strtoull(seed, NULL, 10);
	width = view->features > 0 ? view->features : view->inputs;
	view->center = find_numbers(object, "center", width);
	view->query = find_numbers(object, "query", width);
	if (view->query != NULL && view->center == NULL)
		reject_key("query", "is a centre of queries without one of rows");
	view->blocks = import_layers(object, "blocks", view->block, HX_MAX_BLOCKS);
}

/* Bytes of hexadecimal digits, or NULL */
static uint8 *
find_bytes(JsonbContainer *object, const char *key, size_t *size)
{
	char *text = find_string(object, key);
	uint8 *bytes;

	*size = 0;
	if (text == NULL)
		return NULL;
	if (strspn(text, "0123456789abcdefABCDEF") != strlen(text) ||
		strlen(text) % 2 != 0)
		reject_key(key, "is not hexadecimal");
	*size = strlen(text) / 2;
	bytes = palloc(*size + 1);
	hex_decode(text, 2 * *size, (char *) bytes);
	return bytes;
}

/* Flags from their names */
static unsigned
import_flags(JsonbContainer *object)
{
	JsonbContainer *array = find_array(object, "flags");
	unsigned flags = 0;

	for (int i = 0; array != NULL && i < (int) JsonContainerSize(array); i++)
	{
		JsonbValue *value = getIthJsonbValueFromContainer(array, i);
		int flag = 0;

		if (value->type != jbvString)
			reject_key("flags", "are not strings");
		while (flag < HX_FLAG_COUNT &&
			   (strlen(hx_flags[flag]) != (size_t) value->val.string.len ||
				memcmp(hx_flags[flag], value->val.string.val,
					   value->val.string.len) != 0))
			flag++;
		if (flag == HX_FLAG_COUNT)
			reject_key("flags", "has an unknown one");
		flags |= 1u << flag;
	}
	return flags;
}

/* The method by its name; fit if there is none */
static HxMethodId
import_method(JsonbContainer *object)
{
	char *name = find_string(object, "method");

	if (name == NULL)
		return HX_METHOD_FIT;
	if (HxMethodOfName(name) != 0)
		return HxMethodOfName(name);
	reject_key("method", "is unknown");
}

/* An array of this many whole numbers of 64 bits */
static int64 *
find_words(JsonbContainer *object, const char *key, size_t count)
{
	JsonbContainer *array = find_array(object, key);
	JsonbIterator *at;
	JsonbValue value;
	JsonbIteratorToken token;
	int64 *words;
	size_t found = 0;

	if (array == NULL || JsonContainerSize(array) != count)
		reject_key(key, "has not as many numbers as it should");
	words = palloc_extended(Max(count, 1) * sizeof(int64), MCXT_ALLOC_HUGE);
	at = JsonbIteratorInit(array);
	while ((token = JsonbIteratorNext(&at, &value, true)) != WJB_DONE)
	{
		if (token != WJB_ELEM)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (value.type != jbvNumeric)
			reject_key(key, "is not an array of numbers");
		words[found++] = DatumGetInt64(DirectFunctionCall1(
			numeric_int8, NumericGetDatum(value.val.numeric)));
	}
	return words;
}

/* Floats: what find_numbers gives, rounded */
static float *
find_floats(JsonbContainer *object, const char *key, size_t count)
{
	double *numbers = find_numbers(object, key, count);
	float *floats;

	if (numbers == NULL)
		return NULL;
	floats = palloc_extended(Max(count, 1) * sizeof(float), MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < count; i++)
		floats[i] = (float) numbers[i];
	pfree(numbers);
	return floats;
}

/* Books: their number is that of dimensions, the view's output their width */
static void
import_books(JsonbContainer *root, HxDraft *draft)
{
	static const char *const forms[] = {"residual", "product"};
	JsonbValue *value = find_key(root, "books");
	const HxDraftView *view = &draft->view[0];
	HxDraftBooks *books = &draft->books;
	JsonbContainer *object;
	size_t width = view->blocks > 0		? view->block[0].outputs
				   : view->features > 0 ? view->features
										: view->inputs;

	if (value == NULL || value->type != jbvBinary ||
		!JsonContainerIsObject(value->val.binary.data))
		reject_key("books", "is not an object");
	object = value->val.binary.data;
	books->form = find_name(object, "form", forms, 0, 1, HX_RESIDUAL);
	books->count = draft->dims;
	books->codes = find_integer(object, "codes", -1, HX_MAX_CODEWORDS);
	if (books->count > HX_MAX_BOOKS)
		reject_key("dims", "are more books than a model has");
	books->words =
		width * books->codes * (books->form == HX_RESIDUAL ? books->count : 1);
	books->word = find_floats(object, "words", books->words);
	books->query = find_floats(object, "query", books->words);
	if (books->word == NULL)
		reject_key("words", "is missing");
}

/* A table of a map */
static void
import_table(JsonbContainer *object, HxDraftTable *table)
{
	uint32 *numbers;
	size_t count;
	int64 *words;
	double limit;

	table->rows = find_integer(object, "rows", -1, HX_MAX_MODEL / 8);
	table->numbers = find_integer(object, "numbers", 0, HX_MAX_COLUMNS);
	table->floats = find_integer(object, "floats", 0, HX_MAX_COLUMNS);
	if (find_key(object, "limit") == NULL)
		reject_key("limit", "is missing");
	limit = number_of(find_key(object, "limit"), "limit");
	if (limit != rint(limit) || limit < 0 || limit > PG_UINT32_MAX)
		reject_key("limit", "is not a whole number in its range");
	table->limit = (uint32) limit;
	table->key = find_words(object, "key", table->rows);
	for (size_t i = 1; i < table->rows; i++)
	{
		if (table->key[i - 1] >= table->key[i])
			reject_key("key", "does not rise");
	}
	count = table->rows * table->numbers;
	words = find_words(object, "number", count);
	numbers = palloc_extended(Max(count, 1) * sizeof(uint32), MCXT_ALLOC_HUGE);
	for (size_t i = 0; i < count; i++)
	{
		if (words[i] < 0 || words[i] >= (int64) table->limit)
			reject_key("number", "is beyond the limit of its table");
		numbers[i] = (uint32) words[i];
	}
	table->number = numbers;
	table->weight = find_floats(object, "weight", table->rows * table->floats);
	if (table->weight == NULL)
		reject_key("weight", "is missing");
}

/* Constants and tables of a map */
static void
import_map(JsonbContainer *root, HxDraft *draft)
{
	JsonbContainer *constants = find_array(root, "constants");
	JsonbContainer *tables = find_array(root, "tables");
	int64 *words;

	if (constants == NULL || JsonContainerSize(constants) > HX_MAX_CONSTANTS)
		reject_key("constants", "is not an array of few numbers");
	if (tables == NULL || JsonContainerSize(tables) > HX_MAX_TABLES)
		reject_key("tables", "is not an array of few tables");
	draft->constants = (int) JsonContainerSize(constants);
	words = find_words(root, "constants", draft->constants);
	memcpy(draft->constant, words, draft->constants * sizeof(int64));
	draft->tables = (int) JsonContainerSize(tables);
	for (int i = 0; i < draft->tables; i++)
		import_table(object_at(tables, i, "tables"), &draft->table[i]);
}

/* Views: one to four, none of a map */
static void
import_views(JsonbContainer *root, HxDraft *draft)
{
	JsonbContainer *views = find_array(root, "views");

	if (draft->family == HX_MAP)
		return;
	if (views == NULL || JsonContainerSize(views) < 1 ||
		JsonContainerSize(views) > HX_MAX_VIEWS)
		reject_key("views", "is not an array of one to four");
	draft->views = (int) JsonContainerSize(views);
	for (int i = 0; i < draft->views; i++)
		import_view(object_at(views, i, "views"), &draft->view[i]);
}

/* hashemb_import(jsonb) */
Datum
hx_model_import(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	JsonbContainer *root = &json->root;
	HxDraft draft = {0};
	size_t size;
	double *loss;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("encoder in JSON is not an object")));
	if (find_integer(root, "format", HX_MODEL_FORMAT, PG_INT32_MAX) !=
		HX_MODEL_FORMAT)
		reject_key("format", "is not one that this release reads");
	draft.family = find_name(root, "family", hx_families, 1, HX_FAMILIES, 1);
	draft.method = import_method(root);
	draft.output = find_name(root, "out", hx_outputs, 0, HX_OUTPUTS - 1, 0);
	draft.dims = find_integer(
		root, "dims", -1, draft.family == HX_MAP ? PG_INT32_MAX : HX_MAX_DENSE);
	draft.bits = find_integer(root, "bits", 1, 4);
	draft.flags = import_flags(root);
	if (find_key(root, "rows") != NULL)
		draft.rows = (uint64) Max(number_of(find_key(root, "rows"), "rows"), 0);
	loss = find_key(root, "loss") == NULL ? NULL : &draft.loss;
	if (loss != NULL)
		*loss = number_of(find_key(root, "loss"), "loss");
	draft.space = find_bytes(root, "space", &size);
	if (draft.space != NULL && size != HX_DIGEST_BYTES)
		reject_key("space", "is not 32 hexadecimal digits");
	draft.note = find_bytes(root, "note", &draft.note_size);
	import_views(root, &draft);
	if (draft.family == HX_DEEP)
		draft.layers =
			import_layers(root, "layers", draft.layer, HX_MAX_LAYERS);
	if (draft.family == HX_CODEBOOK)
		import_books(root, &draft);
	if (draft.family == HX_MAP)
		import_map(root, &draft);
	PG_RETURN_POINTER(HxWriteModel(&draft));
}
