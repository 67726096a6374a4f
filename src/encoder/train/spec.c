/*
 * spec.c
 *	  Reading the specification of hashemb_train: a jsonb object.
 *
 * Every key must be one that the method knows: a misspelt key would otherwise
 * silently train something else.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "encoder/train/spec.h"
#include "hashemb.h"

/* Rows kept by default */
#define DEFAULT_SAMPLE 20000

/* Error about the value of a key */
#define BAD_VALUE(key, ...)                                                   \
	ereport(                                                                  \
		ERROR,                                                                \
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),                            \
		 errmsg(                                                              \
			 "value of \"%s\" in the specification of training " __VA_ARGS__, \
			 key)))

/* The value of a key; NULL if it is not there */
static JsonbValue *
find_value(const Jsonb *json, const char *key)
{
	return getKeyJsonValueFromContainer((JsonbContainer *) &json->root, key,
										(int) strlen(key), NULL);
}

/* A numeric as double; too large becomes infinite */
static double
numeric_value(const JsonbValue *value)
{
	return DatumGetFloat8(DirectFunctionCall1(
		numeric_float8_no_overflow, NumericGetDatum(value->val.numeric)));
}

/* Check a number: error unless it is from low to high */
static double
check_number(const JsonbValue *value, const char *key, double low, double high)
{
	double number;

	if (value->type != jbvNumeric)
		BAD_VALUE(key, "is not a number");
	number = numeric_value(value);
	if (!(number >= low && number <= high))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("value of \"%s\" in the specification of "
							   "training is %g, expected %g to %g",
							   key, number, low, high)));
	return number;
}

double
HxSpecNumber(const HxSpec *spec, const char *key, double dflt, double low,
			 double high)
{
	JsonbValue *value = find_value(spec->json, key);

	return value == NULL ? dflt : check_number(value, key, low, high);
}

/* A whole number from low to high, or the default */
static int64
spec_integer(const HxSpec *spec, const char *key, int64 dflt, int64 low,
			 int64 high)
{
	double number =
		HxSpecNumber(spec, key, (double) dflt, (double) low, (double) high);

	if (number != rint(number))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("value of \"%s\" in the specification of "
							   "training is %g, expected a whole number",
							   key, number)));
	return (int64) number;
}

const char *
HxSpecText(const HxSpec *spec, const char *key, const char *dflt)
{
	JsonbValue *value = find_value(spec->json, key);

	if (value == NULL)
		return dflt;
	if (value->type != jbvString)
		BAD_VALUE(key, "is not a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* True or false, or the default */
static bool
spec_boolean(const HxSpec *spec, const char *key, bool dflt)
{
	JsonbValue *value = find_value(spec->json, key);

	if (value == NULL)
		return dflt;
	if (value->type != jbvBool)
		BAD_VALUE(key, "is neither true nor false");
	return value->val.boolean;
}

/* One of some words, by its place among them, or the default */
static int
spec_word(const HxSpec *spec, const char *key, const char *const *words,
		  int dflt)
{
	const char *text = HxSpecText(spec, key, NULL);
	StringInfoData list;

	if (text == NULL)
		return dflt;
	initStringInfo(&list);
	for (int i = 0; words[i] != NULL; i++)
	{
		if (strcmp(text, words[i]) == 0)
			return i;
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "", words[i]);
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("value of \"%s\" in the specification of training "
						   "is \"%s\", expected one of %s",
						   key, text, list.data)));
}

/* The method by its name; error naming all if there is none such */
static const HxMethod *
find_method(const HxSpec *spec)
{
	const char *name = HxSpecText(spec, "method", NULL);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; HxMethods[i] != NULL; i++)
	{
		if (name != NULL && strcmp(name, HxMethods[i]->name) == 0)
			return HxMethods[i];
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 HxMethods[i]->name);
	}
	if (name == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("specification of training names no method"),
				 errhint("Its key \"method\" is one of %s.", list.data)));
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("method \"%s\" of training is unknown", name),
					errhint("There are %s.", list.data)));
}

/* Does a key ask that codes stored before stay valid? */
static bool
is_about_old_codes(const char *key)
{
	return strcmp(key, "base") == 0 || strcmp(key, "space") == 0 ||
		   strcmp(key, "lifelong") == 0;
}

/* Error unless the method knows every key */
static void
check_keys(const HxMethod *method, Jsonb *json)
{
	JsonbIterator *at = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue value;
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; method->keys[i] != NULL; i++)
		appendStringInfo(&list, ", \"%s\"", method->keys[i]);
	while ((token = JsonbIteratorNext(&at, &value, true)) != WJB_DONE)
	{
		char *key;
		bool known;

		if (token != WJB_KEY)
			continue;
		key = pnstrdup(value.val.string.val, value.val.string.len);
		known = strcmp(key, "method") == 0;
		for (int i = 0; method->keys[i] != NULL && !known; i++)
			known = strcmp(key, method->keys[i]) == 0;
		if (!known)
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("key \"%s\" is unknown to method \"%s\"", key,
							method->name),
					 is_about_old_codes(key)
						 ? errdetail("Codes that can be compared with stored "
									 "ones are learnt by methods \"class\", "
									 "\"fit\" and \"rbin\".")
						 : 0,
					 errhint("There are \"method\"%s.", list.data)));
	}
}

/* "dims" and "bits": bits alone means so many dimensions of one bit */
static void
read_shape(HxSpec *spec)
{
	bool has_dims = find_value(spec->json, "dims") != NULL;
	bool has_bits = find_value(spec->json, "bits") != NULL;

	spec->has_dims = has_dims || has_bits;
	spec->bits = 1;
	if (has_dims)
	{
		spec->dims = spec_integer(spec, "dims", 0, 1, HX_MAX_DENSE);
		spec->bits = spec_integer(spec, "bits", 1, 1, HX_MAX_PLANES);
	}
	else if (has_bits)
		spec->dims = spec_integer(spec, "bits", 0, 1, HX_MAX_DENSE);
}

/* "prefixes": rising whole numbers */
static void
read_prefixes(HxSpec *spec)
{
	JsonbValue *value = find_value(spec->json, "prefixes");
	JsonbContainer *array;
	int count;

	if (value == NULL)
		return;
	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		BAD_VALUE("prefixes", "is not an array");
	array = value->val.binary.data;
	count = (int) JsonContainerSize(array);
	if (count < 1 || count > HX_MAX_BLOCKS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("specification of training has %d prefixes, "
							   "expected 1 to %d",
							   count, HX_MAX_BLOCKS)));
	for (int i = 0; i < count; i++)
	{
		JsonbValue *item = getIthJsonbValueFromContainer(array, i);
		double least = i > 0 ? spec->prefix[i - 1] + 1.0 : 1.0;
		double number = check_number(item, "prefixes", least, HX_MAX_DENSE);

		if (number != rint(number))
			BAD_VALUE("prefixes", "are not whole numbers");
		spec->prefix[i] = (int) number;
	}
	spec->prefix_count = count;
}

/* "space": the hexadecimal digits that hashemb_info shows */
static void
read_space(HxSpec *spec)
{
	const char *text = HxSpecText(spec, "space", NULL);
	size_t length = text == NULL ? 0 : strlen(text);

	if (text == NULL)
		return;
	if (length != 2 * HX_DIGEST_BYTES ||
		strspn(text, "0123456789abcdefABCDEF") != length)
		BAD_VALUE("space", "is not 32 hexadecimal digits");
	hex_decode(text, length, (char *) spec->space);
	spec->has_space = true;
}

/* "base": the text of a model */
static void
read_base(HxSpec *spec)
{
	const char *text = HxSpecText(spec, "base", NULL);

	if (text != NULL)
		spec->base = HxLoadModel(PointerGetDatum(HxParseModel(text, NULL)));
}

const HxMethod *
HxParseSpec(Jsonb *json, HxSpec *spec)
{
	static const char *const outputs[] = {"code", "float", NULL};
	static const char *const precisions[] = {"int8", "int16", NULL};
	const HxMethod *method;

	if (!JB_ROOT_IS_OBJECT(json))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("specification of training is not an object")));
	memset(spec, 0, sizeof(HxSpec));
	spec->json = json;
	method = find_method(spec);
	check_keys(method, json);
	read_shape(spec);
	read_prefixes(spec);
	read_space(spec);
	read_base(spec);
	spec->seed = spec_integer(spec, "seed", 1, -(INT64CONST(1) << 53),
							  INT64CONST(1) << 53);
	spec->sample = spec_integer(spec, "sample", -1, 1, PG_INT32_MAX);
	spec->features = spec_integer(spec, "features", -1, 0, HX_MAX_FEATURES);
	spec->iterations = spec_integer(spec, "iterations", -1, 0, 1000000);
	spec->lambda = HxSpecNumber(spec, "lambda", 0.01, 0, 1e6);
	spec->normalize = spec_boolean(spec, "normalize", false);
	spec->center = spec_boolean(spec, "center", true);
	spec->lifelong = spec_boolean(spec, "lifelong", false);
	spec->rotate = spec_boolean(spec, "rotate", true);
	spec->out_float = spec_word(spec, "out", outputs, 0) == 1;
	spec->precision = spec_word(spec, "precision", precisions, -1) + 1;
	return method;
}
