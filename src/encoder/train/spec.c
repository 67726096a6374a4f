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

#include "encoder/train/spec.h"
#include "encoder/train/value.h"
#include "settings.h"

/* The method by its name; error naming all if there is none such */
static const HxMethod *
find_method(const HxSpec *spec)
{
	const char *name = HxSpecText(spec, "method", NULL);
	StringInfoData list;

	initStringInfo(&list);
	for (int i = 0; HxMethods[i] != NULL; i++)
	{
		if (name != NULL && strcmp(name, HxMethodName(HxMethods[i]->id)) == 0)
			return HxMethods[i];
		appendStringInfo(&list, "%s\"%s\"", i > 0 ? ", " : "",
						 HxMethodName(HxMethods[i]->id));
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

/* Error unless the method knows the key */
void
HxRequireKey(const HxMethod *method, const char *key)
{
	StringInfoData list;

	if (strcmp(key, "method") == 0)
		return;
	initStringInfo(&list);
	for (int i = 0; method->keys[i] != NULL; i++)
	{
		if (strcmp(key, method->keys[i]) == 0)
			return;
		appendStringInfo(&list, ", \"%s\"", method->keys[i]);
	}
	ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("key \"%s\" is unknown to method \"%s\"", key,
						   HxMethodName(method->id)),
					is_about_old_codes(key)
						? errdetail("Codes that can be compared with stored "
									"ones are learnt by methods \"class\", "
									"\"fit\" and \"rbin\".")
						: 0,
					errhint("There are \"method\"%s.", list.data)));
}

/* Error unless the method knows every key */
static void
check_keys(const HxMethod *method, Jsonb *json)
{
	JsonbIterator *at = JsonbIteratorInit(&json->root);
	JsonbIteratorToken token;
	JsonbValue value;

	while ((token = JsonbIteratorNext(&at, &value, true)) != WJB_DONE)
	{
		if (token == WJB_KEY)
			HxRequireKey(method,
						 pnstrdup(value.val.string.val, value.val.string.len));
	}
}

/* "dims" and "bits": bits alone means this many dimensions of one bit */
static void
read_shape(HxSpec *spec)
{
	bool has_dims = HxSpecValue(spec->json, "dims") != NULL;
	bool has_bits = HxSpecValue(spec->json, "bits") != NULL;

	spec->has_dims = has_dims || has_bits;
	spec->bits = 1;
	if (has_dims)
	{
		spec->dims = HxSpecInteger(spec, "dims", 0, 1, HX_MAX_DENSE);
		spec->bits = HxSpecInteger(spec, "bits", 1, 1, HX_MAX_PLANES);
	}
	else if (has_bits)
		spec->dims = HxSpecInteger(spec, "bits", 0, 1, HX_MAX_DENSE);
}

/* "prefixes": rising whole numbers */
static void
read_prefixes(HxSpec *spec)
{
	JsonbValue *value = HxSpecValue(spec->json, "prefixes");
	JsonbContainer *array;
	int count;

	if (value == NULL)
		return;
	if (value->type != jbvBinary ||
		!JsonContainerIsArray(value->val.binary.data))
		HX_BAD_SPEC_VALUE("prefixes", "is not an array");
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
		double number =
			HxCheckSpecNumber(item, "prefixes", least, HX_MAX_DENSE);

		if (number != rint(number))
			HX_BAD_SPEC_VALUE("prefixes", "are not whole numbers");
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
		HX_BAD_SPEC_VALUE("space", "is not 32 hexadecimal digits");
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
	spec->seed = HxSpecInteger(spec, "seed", 1, -(INT64CONST(1) << 53),
							   INT64CONST(1) << 53);
	spec->sample = HxSpecInteger(spec, "sample", -1, 1, PG_INT32_MAX);
	spec->features = HxSpecInteger(spec, "features", -1, 0, HX_MAX_FEATURES);
	spec->iterations = HxSpecInteger(spec, "iterations", -1, 0, 1000000);
	spec->lambda = HxSpecNumber(spec, "lambda", 0.01, 0, 1e6);
	spec->has_lambda = HxSpecValue(spec->json, "lambda") != NULL;
	spec->normalize = HxSpecBoolean(spec, "normalize", false);
	spec->center = HxSpecBoolean(spec, "center", true);
	spec->has_center = HxSpecValue(spec->json, "center") != NULL;
	spec->lifelong = HxSpecBoolean(spec, "lifelong", false);
	spec->rotate = HxSpecBoolean(spec, "rotate", true);
	spec->out_float = HxSpecWord(spec, "out", outputs, 0) == 1;
	spec->precision = HxSpecWord(spec, "precision", precisions, -1) + 1;
	return method;
}
