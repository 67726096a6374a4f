/*
 * svec.h
 *	  Type svec: a sparse vector of 32-bit floats.
 *
 * The layout, in memory and on disk, is that of pgvector's sparsevec, so that a
 * column can change its type without being rewritten.  Weights follow the
 * indices.  Every value made here has its indices in ascending order, each
 * once, and weights that are finite and not zero: equal vectors are equal in
 * their bytes.
 */
#ifndef HX_SVEC_H
#define HX_SVEC_H

#include "fmgr.h"

#include "settings.h"
#include "type/distance.h"

struct Node;

/* A value of type svec */
typedef struct HxSvec
{
	int32 vl_len_; /* varlena header, not to be touched directly */
	int32 dims;	   /* number of dimensions */
	int32 nnz;	   /* number of weights, none of them zero */
	int32 unused;  /* always 0 */
	int32 indices[FLEXIBLE_ARRAY_MEMBER]; /* counted from 0, ascending */
} HxSvec;

/* One element on its way into a vector */
typedef struct HxSvecPair
{
	int64 id;	  /* dimension as the user counts, from 1 */
	float weight; /* may be zero, and is then left out */
} HxSvecPair;

/* Kind of statistics: sampled vectors; of the numbers left for private use */
#define HX_STATISTIC_VECTORS 18720

/* Bytes of a value with this many weights */
static inline Size
HxSvecSize(int nnz)
{
	return offsetof(HxSvec, indices) +
		   (Size) nnz * (sizeof(int32) + sizeof(float));
}

/* Where the weights of a value begin; they move when nnz is changed. */
static inline float *
HxSvecWeights(const HxSvec *v)
{
	return (float *) (v->indices + v->nnz);
}

#define PG_GETARG_SVEC_P(n) DatumGetSvec(PG_GETARG_DATUM(n))

/* svec.c */
extern HxSvec *DatumGetSvec(Datum value);
extern HxSvec *HxNewSvec(int dims, int nnz);
extern HxSvec *HxTrimSvec(HxSvec *v, int nnz);
extern HxSvec *HxSvecFromPairs(int64 dims, HxSvecPair *pairs, int count,
							   struct Node *escontext);
extern bool HxCheckSvecDims(int64 dims, struct Node *escontext);
extern bool HxCheckSvecTypmod(int dims, int32 typmod, struct Node *escontext);
extern bool HxCheckSvecWeight(float weight, int64 id, struct Node *escontext);
extern float HxSvecWeight(double weight, int64 id);
extern void HxCheckSameDims(const HxSvec *a, const HxSvec *b);

/* svec_op.c */
extern double HxSvecSquare(const HxSvec *v);
extern double HxSvecDistance(HxMetric metric, const HxSvec *a, const HxSvec *b);

#endif /* HX_SVEC_H */
