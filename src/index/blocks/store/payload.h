/*
 * payload.h
 *	  What differs between the payloads that are kept in blocks, beside
 *	  their form and distances (kind.h), as one interface.
 *
 * A payload is what a row stores of its vector.  Centroids are payloads, too.
 * The spread is how far a row is from a centroid.  Blocks know no more than
 * that; a kind whose rows are kept in blocks brings these functions.  They lock
 * nothing, and are called with pages locked: they must not raise errors, but for
 * query_of_row.
 */
#ifndef HX_PAYLOAD_H
#define HX_PAYLOAD_H

#include "index/kind.h"
#include "index/blocks/store/format.h"

/* Queries of such kinds begin with this */
typedef struct HxBlocksQuery
{
	HxQuery base;
	double unit; /* distances are divided by this to look up the misses */
} HxBlocksQuery;

static inline double
HxUnitOf(const HxQuery *query)
{
	return ((const HxBlocksQuery *) query)->unit;
}

/* Times that training assigns its sample; the last two move few rows */
#define HX_TRAINING_ROUNDS 4

/* Payloads that centroids are trained on, and how the nearest are found */
typedef struct HxSample
{
	const HxIndexDesc *desc;
	const uint8 *payloads;
	int count;

	/* Write the number of a near centroid of each payload to nearest[] */
	void (*assign)(struct HxSample *sample, const uint8 *centroids,
				   int ncentroids, int *nearest);
	void *state; /* of assign */
} HxSample;

typedef struct HxPayload
{
	/*
	 * Pages that a block should fill at least: where few rows are looked at in the
	 * end, larger blocks waste less room
	 */
	double least_pages;

	/*
	 * A block is long beyond this many times the rows that it should have; one that
	 * was found to be one cluster, beyond this many times the rows it had then
	 */
	double long_block;

	/* What is wrong with a payload that form could not have written, or NULL */
	const char *(*fault)(const HxIndexDesc *desc, const uint8 *payload);

	/*
	 * Means of payloads: bytes of a sum, which begins as zeros; add a payload to
	 * it; write the centroid of the rows that were added.
	 */
	Size (*sum_size)(const HxIndexDesc *desc);
	void (*add)(const HxIndexDesc *desc, const uint8 *payload, void *sum);
	void (*mean)(const HxIndexDesc *desc, const void *sum, int rows,
				 uint8 *centroid);

	/* Spread between a row's payload and each of an array of centroids */
	void (*spreads)(const HxIndexDesc *desc, const uint8 *payload,
					const uint8 *centroids, int count, uint32 *spreads);

	/*
	 * The same, of a payload that is compared with several arrays: what can be
	 * found of it beforehand, palloc'd, and the spreads from that.  NULL: nothing.
	 */
	void *(*prepare)(const HxIndexDesc *desc, const uint8 *payload);
	void (*prepared_spreads)(const HxIndexDesc *desc, const void *prepared,
							 const uint8 *centroids, int count,
							 uint32 *spreads);

	/* Weight of a payload, for the range kept in the directory entry */
	uint32 (*weight)(const HxIndexDesc *desc, const uint8 *payload);

	/* Prepare a row's payload as a query (calibration) */
	HxQuery *(*query_of_row)(const HxIndexDesc *desc, const uint8 *payload);

	/*
	 * Promise of each block: the distance of its centroid.  Bound: no row of
	 * the block has a smaller distance; rounded down, -infinity if unknown.
	 */
	void (*promises)(const HxQuery *query, const HxEntry *entries,
					 const uint8 *centroids, int count, float *promises,
					 float *bounds);

	/*
	 * Distances that nearly all rows have from a query, where there are no
	 * bounds that tell.  Else NULL.
	 */
	void (*range)(const HxQuery *query, double *low, double *high);

	/*
	 * Kinds that refine: the standard deviation of a row's exact distance from
	 * its estimate; and a bound, no row's exact distance is less.  Else NULL.
	 */
	double (*deviation)(const HxQuery *query, const uint8 *payload,
						double estimate);
	double (*least)(const HxQuery *query, const uint8 *payload,
					double estimate);
} HxPayload;

#define HxPayloadOf(desc) ((desc)->vector->payload)

/* A payload to be compared with several arrays of centroids */
typedef struct HxMeasured
{
	const HxIndexDesc *desc;
	const uint8 *payload;
	void *prepared; /* or NULL */
} HxMeasured;

static inline HxMeasured
HxMeasure(const HxIndexDesc *desc, const uint8 *payload)
{
	const HxPayload *methods = HxPayloadOf(desc);
	HxMeasured measured = {desc, payload, NULL};

	if (methods->prepare)
		measured.prepared = methods->prepare(desc, payload);
	return measured;
}

static inline void
HxSpreadsOf(const HxMeasured *measured, const uint8 *centroids, int count,
			uint32 *spreads)
{
	const HxPayload *methods = HxPayloadOf(measured->desc);

	if (measured->prepared)
		methods->prepared_spreads(measured->desc, measured->prepared, centroids,
								  count, spreads);
	else
		methods->spreads(measured->desc, measured->payload, centroids, count,
						 spreads);
}

static inline void
HxEndMeasure(HxMeasured *measured)
{
	if (measured->prepared)
		pfree(measured->prepared);
}

#endif /* HX_PAYLOAD_H */
