/*
 * spec.h
 *	  Reading the specification of hashemb_train.
 */
#ifndef HX_SPEC_H
#define HX_SPEC_H

#include "encoder/train/method.h"

/* The method of a specification, and its keys; error if one is wrong */
extern const HxMethod *HxParseSpec(Jsonb *json, HxSpec *spec);

/* Error unless the method knows the key */
extern void HxRequireKey(const HxMethod *method, const char *key);

#endif /* HX_SPEC_H */
