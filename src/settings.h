/*
 * settings.h
 *	  Limits and settings that every layer above the kernels shares.
 */
#ifndef HX_SETTINGS_H
#define HX_SETTINGS_H

/* A binary code has at most this many bits: dimensions times bits each */
#define HX_MAX_CODE_BITS 65535
/* Bits a dimension */
#define HX_MAX_PLANES 4

/* A sparse vector's limits */
#define HX_MAX_SPARSE_DIMS 1000000000
#define HX_MAX_SPARSE_NNZ 65535

/* hashemb.recall: share of the exact nearest rows that a search returns */
extern double hx_recall;

/* hashemb.enable_scan: may the planner use the scan node? */
extern bool hx_enable_scan;

/* Define the settings; once per backend. */
extern void HxDefineSettings(void);

#endif /* HX_SETTINGS_H */
