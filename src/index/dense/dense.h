/*
 * dense.h
 *	  Dense vectors as one kind of vector: what its files share.
 *
 * A row's payload is a sketch of 4 bits a dimension of what the index has learnt
 * to keep of a vector (its model), from which inner products are estimated; the
 * table's row has the vector itself.  See README.
 */
#ifndef HX_DENSE_KIND_H
#define HX_DENSE_KIND_H

#include "index/blocks/blocks.h"
#include "index/build/build.h"
#include "index/page/learnt.h"

/* Fewer rows than this teach nothing */
#define HX_LEAST_TO_LEARN 1000

/*
 * What an index has learnt of its vectors.  A vector x, of unit length if the
 * metric is cosine, is kept as axes (x - mean); the axes are orthonormal.
 */
typedef struct HxModel
{
	int dims;		  /* of a vector */
	int kept;		  /* of a sketch: axes */
	float credit;	  /* inner product of what is left out, as a share of ... */
	float spread;	  /* factor on the deviation of estimates */
	float unit;		  /* mean squared length of what is kept */
	float longest;	  /* length of the longest vector seen */
	float mean2;	  /* squared length of the mean */
	float *mean;	  /* dims */
	float *axes;	  /* kept rows of dims */
	float *mean_kept; /* axes * mean */
} HxModel;

#define HxModelOf(desc) ((const HxModel *) (desc)->model)

/* A vector as a model sees it */
typedef struct HxSeen
{
	float *kept;	/* axes (x - mean) */
	double kept2;	/* squared length of that */
	double left2;	/* ... and of the rest of x - mean */
	double along;	/* inner product of x - mean and mean */
	double length2; /* squared length of x as it was given */
	bool usable;	/* it has a direction and finite numbers */
} HxSeen;

/* A row's payload, before its sketch */
typedef struct HxDenseRow
{
	float scale;	/* of the sketch's levels, so that estimates are unbiased */
	float add;		/* along; for L2, squared length of x - mean */
	uint16 error;	/* length of what the sketch leaves out, or HX_BARE */
	uint16 squares; /* sum of (2 level - 15)^2, shifted (HxSquaresShift) */
	uint32 hash;	/* of the vector */
	uint8 sketch[FLEXIBLE_ARRAY_MEMBER];
} HxDenseRow;

/* Error of a row without sketch: it came before the model, or can have none */
#define HX_BARE 0x7F80
/* Error of a zero vector under cosine, whose distance from all is NaN */
#define HX_NO_DIRECTION 0x7F81

/* Levels stand for numbers from -7.5 to 7.5 */
#define HX_TOP_LEVEL 15

static inline Size
HxSketchBytes(int kept)
{
	return (Size) (kept + 1) / 2;
}

static inline Size
HxDensePayload(int kept)
{
	return MAXALIGN(offsetof(HxDenseRow, sketch) + HxSketchBytes(kept));
}

static inline bool
HxIsBare(const HxDenseRow *row)
{
	return row->error == HX_BARE;
}

static inline bool
HxHasNoDirection(const HxDenseRow *row)
{
	return row->error == HX_NO_DIRECTION;
}

/*
 * Dimensions that an index's sketches keep: its payload says how many have room,
 * in whole words of 8 bytes
 */
static inline int
HxKeptDims(const HxIndexDesc *desc)
{
	return (int) Min((Size) desc->dims,
					 2 * (desc->payload - offsetof(HxDenseRow, sketch)));
}

/* Level i of a sketch: see kernel/dense.h */
static inline int
HxLevelOf(const HxDenseRow *row, int kept, int i)
{
	int bytes = (int) HxSketchBytes(kept);

	return i < bytes ? row->sketch[i] & 15 : row->sketch[i - bytes] >> 4;
}

/* Bits by which a sum of squares is shifted to be stored in 16 */
static inline int
HxSquaresShift(int kept)
{
	int shift = 0;

	while ((kept * HX_TOP_LEVEL * HX_TOP_LEVEL) >> shift > PG_UINT16_MAX)
		shift++;
	return shift;
}

/* Squared length of what a payload's sketch stands for */
static inline double
HxSketchLength2(const HxDenseRow *row, int kept)
{
	double squares = (double) ((uint32) row->squares << HxSquaresShift(kept));

	return (double) row->scale * row->scale * squares / 4;
}

/* ---- sketch.c: vectors and sketches ---- */

/*
 * Read a value of the column into desc->dims floats; errors if it has others, or
 * a number that is not finite.  What it takes to detoast it is freed.
 */
extern void HxReadVector(const HxIndexDesc *desc, Datum value, float *to);

/* Room for what a model sees of a vector */
extern HxSeen *HxMakeSeen(const HxModel *model);

/* See a vector, which is changed. */
extern void HxSee(const HxModel *model, HxMetric metric, float *vector,
				  HxSeen *seen);

/* Write a row's payload; bare if there is no model or direction. */
extern void HxWriteDenseRow(const HxModel *model, HxMetric metric,
							const HxSeen *seen, uint32 hash, HxDenseRow *row);

/* Write the payload of a centroid at this place among the kept dimensions. */
extern void HxWriteCentroid(const HxModel *model, const float *kept,
							HxDenseRow *row);

/* What a payload's sketch stands for; zeros if it is bare */
extern void HxReadSketch(int kept, const HxDenseRow *row, float *to);

/* ---- learn.c: what a sample of vectors teaches ---- */

/*
 * Vectors to learn from: as many as memory of so many bytes holds, with what it
 * takes to learn from them, `most` at most and HX_LEAST_TO_LEARN at least
 */
extern int HxVectorsToLearnFrom(Size memory, int dims, int most);

/*
 * Learn a model of this many axes from `count` vectors, one after the other,
 * which are changed; NULL if there are too few with a direction.  Deterministic.
 */
extern HxModel *HxLearnModel(HxMetric metric, int dims, int kept,
							 float *vectors, int count);

/* ---- model.c: models in memory and on pages ---- */

extern HxModel *HxAllocModel(int dims, int kept);
extern void HxFinishModel(HxModel *model);

/* Bytes of a model in a file or on pages, and both ways */
extern Size HxModelBytes(int dims, int kept);
extern void HxPackModel(const HxModel *model, char *to);
extern HxModel *HxUnpackModel(const char *from, Size size);

/* Pages of a new index, whose build logs them later */
extern void HxStoreBuiltModel(Relation index, const HxModel *model);

/*
 * Pages of an index that others use; the last of the records makes them known.
 * The structure lock is held.
 */
extern void HxStoreModel(Relation index, const HxModel *model);

/* kind.learn */
extern void HxLoadDenseModel(Relation index, HxIndexDesc *desc);

/* ---- build.c ---- */

extern void HxLearnInBuild(HxBuild *build);
extern void HxStoreInBuild(HxBuild *build);
extern void HxReceiveModel(HxBuild *build);

/* ---- grow.c ---- */

/*
 * After an insert into an index that has learnt nothing: learn if it has enough
 * rows now, and give them sketches.
 */
extern void HxLearnAfterInsert(Relation index, Relation heap,
							   const HxIndexDesc *desc,
							   const ItemPointerData *tid);

/* In a vacuum: learn if need be, and give sketches to rows that have none. */
extern void HxLearnInVacuum(Relation index, HxIndexDesc *desc);

/* ---- payload.c ---- */

/* A prepared query */
typedef struct HxDenseQuery
{
	HxBlocksQuery base;
	int8 *levels;	 /* 2 * sketch bytes; NULL: nothing is known of distances */
	double scale;	 /* of the levels */
	double offset;	 /* 7.5 times their sum, with scale */
	double length2;	 /* squared length of query - mean */
	double constant; /* what every product has besides that of the rest */
	double rounding; /* length of what the levels leave out of the query */
	int32 *products; /* scratch: of a page of rows or centroids */
	/* Queries from SQL */
	Datum value;
	FmgrInfo distance; /* the operator's function */
	MemoryContext scratch;
} HxDenseQuery;

extern const HxPayload hx_dense_payload;
extern void HxFormDense(const HxIndexDesc *desc, Datum vector, uint8 *payload);
extern void HxReduceDense(const HxIndexDesc *desc, uint8 *payload);
extern void HxDenseEstimates(const HxQuery *query, const uint8 *payloads,
							 int count, double *distances);
extern HxQuery *HxMakeDenseQuery(const HxIndexDesc *desc, HxMetric metric,
								 Datum value, Oid type);
extern double HxDenseDistance(const HxQuery *query, Datum vector);
extern double HxLeastDenseDistance(const HxQuery *query, const uint8 *payload,
								   double estimate);

/* near.c: kind.rows_near */
extern bool HxDenseRowsNear(Relation index, const HxIndexDesc *desc,
							const HxQuery *query, double limit, double *passing,
							double *candidates);
extern uint32 HxHashVector(const float *vector, int dims);

#endif /* HX_DENSE_KIND_H */
