/*
 * value.h
 *	  Values in the specification of hashemb_train: each is the default where
 *	  the key is missing, and an error where its value is of another type or out
 *	  of range.
 */
#ifndef HX_SPEC_VALUE_H
#define HX_SPEC_VALUE_H

#include "encoder/train/method.h"

/* Error about the value of a key */
#define HX_BAD_SPEC_VALUE(key, ...)                                           \
	ereport(                                                                  \
		ERROR,                                                                \
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),                            \
		 errmsg(                                                              \
			 "value of \"%s\" in the specification of training " __VA_ARGS__, \
			 key)))

/* The value of a key; NULL if it is not there */
extern JsonbValue *HxSpecValue(const Jsonb *json, const char *key);

/* Check a number: error unless it is from low to high */
extern double HxCheckSpecNumber(const JsonbValue *value, const char *key,
								double low, double high);

/* A whole number from low to high */
extern int64 HxSpecInteger(const HxSpec *spec, const char *key, int64 dflt,
						   int64 low, int64 high);

extern bool HxSpecBoolean(const HxSpec *spec, const char *key, bool dflt);

/* One of some words, by its place among them */
extern int HxSpecWord(const HxSpec *spec, const char *key,
					  const char *const *words, int dflt);

#endif /* HX_SPEC_VALUE_H */
