/*
 * json.h
 *	  Names in the JSON of a model, by their numbers in its bytes.
 */
#ifndef HX_JSON_H
#define HX_JSON_H

/* HxFamily: from 1 to HX_FAMILIES */
#define HX_FAMILIES 4
extern const char *const hx_families[];

/* HxOutput */
#define HX_OUTPUTS 3
extern const char *const hx_outputs[];

/* HX_FLAG_...: bit i is flag i */
#define HX_FLAG_COUNT 3
extern const char *const hx_flags[];

#endif /* HX_JSON_H */
