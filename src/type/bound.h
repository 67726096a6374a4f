/*
 * bound.h
 *	  The type distance_bound: vectors whose distance from a query passes a
 *	  comparison.
 */
#ifndef HX_BOUND_H
#define HX_BOUND_H

#include "postgres.h"
#include "fmgr.h"

#include "compat.h"
#include "type/distance.h"

/* What the query of a bound is */
typedef enum HxBoundKind
{
	HX_BOUND_CODE,	 /* a bincode */
	HX_BOUND_FLOATS, /* an array of numbers, of codes or of arrays */
	HX_BOUND_SPARSE, /* an svec */
	HX_BOUND_VECTOR, /* pgvector's vector ... */
	HX_BOUND_HALFVEC /* ... and halfvec */
} HxBoundKind;

/*
 * What is asked of a distance: how it compares with a value, or how a number
 * minus the distance does.  Comparisons are those of float8: NaN is equal to
 * itself and above all numbers.
 */
typedef struct HxBoundTest
{
	double value;	/* right side of the comparison */
	double minuend; /* if reversed: what the distance is subtracted from */
	int strategy;	/* of btree: <, <=, =, >= or > */
	bool reversed;	/* minuend - distance is compared */
} HxBoundTest;

/* A bound as it is stored */
typedef struct HxBound
{
	int32 vl_len_;					   /* varlena header, see SET_VARSIZE */
	uint8 metric;					   /* HxMetric */
	uint8 kind;						   /* HxBoundKind */
	uint8 strategy;					   /* as in HxBoundTest */
	uint8 reversed;					   /* likewise */
	double value;					   /* likewise */
	double minuend;					   /* likewise */
	char query[FLEXIBLE_ARRAY_MEMBER]; /* the query, a varlena */
} HxBound;

extern const HxBound *HxGetBound(Datum value);
extern HxBoundTest HxBoundTestOf(const HxBound *bound);
extern const char *HxNameOfMetric(HxMetric metric);
extern Oid HxTypeOfQuery(const HxBound *bound);
pg_noreturn extern void HxRejectBound(const char *type);
extern bool HxPassesTest(const HxBoundTest *test, double distance);
extern double HxGreatestPassing(const HxBoundTest *test);

#endif /* HX_BOUND_H */
