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

/* hashemb_import(jsonb) */
Datum
hx_model_import(PG_FUNCTION_ARGS)
{
	Jsonb *json = PG_GETARG_JSONB_P(0);
	JsonbContainer *root = &json->root;
	JsonbContainer *views;
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
	draft.dims = find_integer(root, "dims", -1, HX_MAX_DENSE);
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
	views = find_array(root, "views");
	if (views == NULL || JsonContainerSize(views) < 1 ||
		JsonContainerSize(views) > HX_MAX_VIEWS)
		reject_key("views", "is not an array of one to four");
	draft.views = (int) JsonContainerSize(views);
	for (int i = 0; i < draft.views; i++)
		import_view(object_at(views, i, "views"), &draft.view[i]);
	if (draft.family == HX_DEEP)
		draft.layers =
			import_layers(root, "layers", draft.layer, HX_MAX_LAYERS);
	PG_RETURN_POINTER(HxWriteModel(&draft));
}
