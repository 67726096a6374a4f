/*
 * value.c
 *	  Values in the specification of hashemb_train.
 */
#include "postgres.h"

#include <math.h>

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "encoder/train/value.h"

/* The value of a key; NULL if it is not there */
JsonbValue *
HxSpecValue(const Jsonb *json, const char *key)
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
double
HxCheckSpecNumber(const JsonbValue *value, const char *key, double low,
				  double high)
{
	double number;

	if (value->type != jbvNumeric)
		HX_BAD_SPEC_VALUE(key, "is not a number");
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
	JsonbValue *value = HxSpecValue(spec->json, key);

	return value == NULL ? dflt : HxCheckSpecNumber(value, key, low, high);
}

/* A whole number from low to high, or the default */
int64
HxSpecInteger(const HxSpec *spec, const char *key, int64 dflt, int64 low,
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
	JsonbValue *value = HxSpecValue(spec->json, key);

	if (value == NULL)
		return dflt;
	if (value->type != jbvString)
		HX_BAD_SPEC_VALUE(key, "is not a string");
	return pnstrdup(value->val.string.val, value->val.string.len);
}

/* True or false, or the default */
bool
HxSpecBoolean(const HxSpec *spec, const char *key, bool dflt)
{
	JsonbValue *value = HxSpecValue(spec->json, key);

	if (value == NULL)
		return dflt;
	if (value->type != jbvBool)
		HX_BAD_SPEC_VALUE(key, "is neither true nor false");
	return value->val.boolean;
}

/* One of some words, by its place among them, or the default */
int
HxSpecWord(const HxSpec *spec, const char *key, const char *const *words,
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
