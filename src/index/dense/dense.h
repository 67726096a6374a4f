/*
 * dense.h
 *	  Dense vectors as one kind of vector: what its files share.
 *
 * A row's payload is a sketch, some bits a dimension of what the index has learnt
 * to keep of a vector (its model), from which inner products are estimated; the
 * table's row has the vector itself.  See README.
 */
#ifndef HX_DENSE_KIND_H
#define HX_DENSE_KIND_H

#include "index/blocks/blocks.h"
#include "index/build/build.h"
#include "index/page/learnt.h"
#include "kernel/kernel.h"

/* Fewer rows than this teach nothing */
#define HX_LEAST_TO_LEARN 1000

/* Landmarks of a model at most: what a row's number of one has room for */
#define HX_MOST_LANDMARKS 256

/* Bits of a level: few directions finely, or twice as many coarsely */
#define HX_FINE 4
#define HX_COARSE 2

/*
 * What an index has learnt of its vectors.  A vector x, of unit length if the
 * metric is cosine, is kept as axes (x - mean); the axes are orthonormal.  The
 * levels of its sketch are of that less the landmark which is nearest.  The first
 * landmark is 0.
 */
typedef struct HxModel
{
	int dims;		  /* of a vector */
	int kept;		  /* of a sketch: axes */
	int width;		  /* bits of a level: HX_FINE or HX_COARSE */
	int landmarks;	  /* one at least */
	float credit;	  /* inner product of what is left out, as a share of ... */
	float spread;	  /* factor on the deviation of estimates */
	float unit;		  /* mean squared length of what is kept */
	float longest;	  /* length of the longest vector seen */
	float mean2;	  /* squared length of the mean */
	float *mean;	  /* dims */
	float *axes;	  /* kept rows of dims */
	float *places;	  /* landmarks: rows of kept numbers */
	float *mean_kept; /* axes * mean */
} HxModel;

#define HxModelOf(desc) ((const HxModel *) (desc)->model)

/* A vector as a model sees it */
typedef struct HxSeen
{
	float *kept;	/* axes (x - mean) */
	float *rest;	/* scratch: that less a landmark */
	double kept2;	/* squared length of what is kept */
	double left2;	/* ... and of the rest of x - mean */
	double along;	/* inner product of x - mean and mean */
	double length2; /* squared length of x as it was given */
	bool usable;	/* it has a direction and finite numbers */
} HxSeen;

/* A row's payload, before its sketch */
typedef struct HxDenseRow
{
	float scale;	/* of the sketch's levels, so that estimates are unbiased */
	float add;		/* along, or for L2 squared length of x - mean; and what is
					 * known of the landmark's product (HxWriteDenseRow) */
	uint16 error;	/* length of what the sketch leaves out, or HX_BARE */
	uint16 squares; /* sum of (2 level - top)^2, shifted (HxSquaresShift) */
	uint32 hash;	/* of the vector, 24 bits; above them, the landmark */
	uint8 sketch[FLEXIBLE_ARRAY_MEMBER];
} HxDenseRow;

/* Error of a row without sketch: it came before the model, or can have none */
#define HX_BARE 0x7F80
/* Error of a zero vector under cosine, whose distance from all is NaN */
#define HX_NO_DIRECTION 0x7F81

/* A row's hash without its landmark, and the landmark's place */
#define HX_HASH_BITS 24
#define HX_HASH_MASK (((uint32) 1 << HX_HASH_BITS) - 1)

/* The greatest level; level v stands for v - top / 2, times the row's scale */
static inline int
HxTopLevel(int width)
{
	return (1 << width) - 1;
}

static inline Size
HxSketchBytes(int kept, int width)
{
	return ((Size) kept * width + 7) / 8;
}

static inline Size
HxDensePayload(const HxModel *model)
{
	return MAXALIGN(offsetof(HxDenseRow, sketch) +
					HxSketchBytes(model->kept, model->width));
}

/* Bytes of an index's rows for their sketches, in whole words of 8 */
static inline Size
HxSketchRoom(const HxIndexDesc *desc)
{
	return desc->payload - offsetof(HxDenseRow, sketch);
}

/* Dimensions that so many bytes keep, at so many bits each */
static inline int
HxKeptBy(Size bytes, int width, int dims)
{
	return (int) Min((Size) dims, bytes * 8 / width);
}

/* A row's landmark.  Indexes without landmarks had longer hashes once. */
static inline int
HxLandmarkOf(const HxModel *model, const HxDenseRow *row)
{
	int landmark = (int) (row->hash >> HX_HASH_BITS);

	return landmark < model->landmarks && row->error < HX_BARE ? landmark : 0;
}

/* May two rows have the same vector?  Else they certainly have not. */
static inline bool
HxSameVector(const HxDenseRow *a, const HxDenseRow *b)
{
	return ((a->hash ^ b->hash) & HX_HASH_MASK) == 0;
}

static inline const float *
HxPlaceOf(const HxModel *model, int landmark)
{
	return model->places + (Size) landmark * model->kept;
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

/* Level i of a sketch: see kernel/dense.h */
static inline int
HxLevelOf(const HxModel *model, const HxDenseRow *row, int i)
{
	int bytes = (int) HxSketchBytes(model->kept, model->width);
	int shift = i / bytes * model->width;

	return row->sketch[i % bytes] >> shift & HxTopLevel(model->width);
}

/* Bits by which a sum of squares is shifted to be stored in 16 */
static inline int
HxSquaresShift(const HxModel *model)
{
	int top = HxTopLevel(model->width);
	int shift = 0;

	while ((model->kept * top * top) >> shift > PG_UINT16_MAX)
		shift++;
	return shift;
}

/* Squared length of what a sketch's levels stand for */
static inline double
HxLevelsLength2(const HxModel *model, const HxDenseRow *row)
{
	double squares = (double) ((uint32) row->squares << HxSquaresShift(model));

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

/* The same of `count` vectors, one after the other, in room for as many */
extern HxSeen *HxMakeManySeen(const HxModel *model, int count);
extern void HxSeeMany(const HxModel *model, HxMetric metric, float *vectors,
					  int count, HxSeen *seen);

/* Write a row's payload; bare if there is no model or direction. */
extern void HxWriteDenseRow(const HxModel *model, HxMetric metric,
							const HxSeen *seen, uint32 hash, HxDenseRow *row);

/*
 * Write the payload of a centroid at this place among the kept dimensions.  It has
 * no landmark, so that its length is known.
 */
extern void HxWriteCentroid(const HxModel *model, const float *kept,
							HxDenseRow *row);

/* What a payload's sketch stands for; zeros if it is bare */
extern void HxReadSketch(const HxModel *model, const HxDenseRow *row,
						 float *to);

/* Add up a query's numbers times the levels of each of an array of payloads. */
extern void HxScoreSketches(const HxModel *model, const int8 *query,
							HxLevelRows sketches, int32 *scores);

/* The landmark that is nearest to such kept numbers */
extern int HxNearestLandmark(const HxModel *model, const float *kept);

/* ---- learn.c: what a sample of vectors teaches ---- */

/*
 * Vectors to learn from: as many as memory of so many bytes holds, with what it
 * takes to learn from them, `most` at most and HX_LEAST_TO_LEARN at least
 */
extern int HxVectorsToLearnFrom(Size memory, int dims, int most);

/*
 * Learn a model, for sketches of this many bytes, from `count` vectors, one after
 * the other, which are changed; NULL if there are too few with a direction.  The
 * kind of sketch is the one whose estimates are off least.  Deterministic.
 */
extern HxModel *HxLearnModel(HxMetric metric, int dims, Size bytes,
							 float *vectors, int count);

/* ---- model.c: models in memory and on pages ---- */

/* A model whose landmarks are 0, the rest to be set */
extern HxModel *HxAllocModel(int dims, int kept, int width, int landmarks);
extern void HxFinishModel(HxModel *model);
extern void HxFreeModel(HxModel *model);

/* Bytes of a model in a file or on pages, and both ways */
extern Size HxModelBytes(const HxModel *model);
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

/* ---- load.c ---- */

/* HX_TASK_LOAD, of an index that has a model */
extern void HxLoadSketches(HxBuild *build);

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
	int8 *levels;	 /* of numbers; NULL: nothing is known of distances */
	double scale;	 /* of the levels */
	double offset;	 /* half the greatest level of a row, times their sum */
	double length2;	 /* squared length of query - mean */
	double constant; /* what every product has besides that of the rest */
	double rounding; /* length of what the levels leave out of the query */
	int32 *products; /* scratch: of a page of rows or centroids */
	/* Of each of HX_MOST_LANDMARKS: its product with query - mean, the distance
	 * between these, and its length */
	double *with_landmark;
	double *from_landmark;
	double *landmark_length;
	/* Queries from SQL */
	Datum value;
	FmgrInfo distance; /* the operator's function */
	MemoryContext scratch;
} HxDenseQuery;

extern const HxPayload hx_dense_payload;
extern void HxFormDense(const HxIndexDesc *desc, Datum vector, uint8 *payload);

/*
 * The payload of a row whose numbers were read, and seen if there is a model: what
 * HxFormDense writes
 */
extern void HxFormBare(const HxIndexDesc *desc, const float *numbers,
					   HxDenseRow *row);
extern void HxFormSeen(const HxIndexDesc *desc, const HxSeen *seen,
					   HxDenseRow *row);
extern void HxReduceDense(const HxIndexDesc *desc, uint8 *payload, bool least);
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
