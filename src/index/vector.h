/*
 * vector.h
 *	  What differs between kinds of vector, as one interface.
 *
 * The rest of the access method knows payloads (what a row stores of its
 * vector), centroids (payloads too), spreads (how far a row is from a
 * centroid), promises, bounds and distances.  Binary codes are implemented in
 * code.c.  Sparse vectors have no centroids: theirs is another structure, which
 * begins at sparse.h and shares pages of rows, attributes and filters.
 */
#ifndef HX_VECTOR_H
#define HX_VECTOR_H

#include "index/page.h"
#include "type/distance.h"

/* Returned by support function HX_VECTOR_PROC of a vector operator class */
typedef struct HxVectorClass
{
	HxMetric metric;
	const struct HxVectorMethods *methods;
} HxVectorClass;

/* A prepared query; what follows the common part is the implementation's */
typedef struct HxQuery
{
	const HxIndexDesc *desc; /* must outlive the query */
	HxMetric metric;
	double unit; /* distances are divided by this to look up the table */
} HxQuery;

/* Times that training assigns its sample; the last two move few rows */
#define HX_TRAINING_ROUNDS 4

/* Payloads that centroids are trained on, and who finds their nearest */
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

typedef struct HxVectorMethods
{
	/* Stored as windows of postings (sparse.h), not as blocks of payloads:
	 * of what follows only payload_size, query and same_query are there */
	bool sparse;

	/* Payload bytes of a vector column of this type and typmod; errors if the
	 * column has no length */
	Size (*payload_size)(Relation index, AttrNumber attno, int *dims,
						 int *planes);

	/* Write the payload of a vector; errors if its shape is not the index's */
	void (*form)(const HxIndexDesc *desc, Datum vector, uint8 *payload);

	/* What is wrong with a payload that form could not have written, or NULL */
	const char *(*fault)(const HxIndexDesc *desc, const uint8 *payload);

	/* Train `count` centroids on a sample of payloads, in place; deterministic
	 * for the same sample.  Returns how many are left (empty ones vanish). */
	int (*train)(HxSample *sample, uint8 *centroids, int count);

	/* Spread between a row's payload and each of an array of centroids */
	void (*spreads)(const HxIndexDesc *desc, const uint8 *payload,
					const uint8 *centroids, int count, uint32 *spreads);

	/* Weight of a payload, for the range kept in the directory entry */
	uint32 (*weight)(const HxIndexDesc *desc, const uint8 *payload);

	/* Prepare a query from the right argument of an ORDER BY operator, whose
	 * type is InvalidOid or the operator class's own, or an array type */
	HxQuery *(*query)(const HxIndexDesc *desc, HxMetric metric, Datum query,
					  Oid type);

	/* Prepare the right argument of vector <@ ball, and its radius; NULL if
	 * the vectors can have no such condition */
	HxQuery *(*ball)(const HxIndexDesc *desc, Datum ball, double *radius);

	/* Are two queries the same, and their distances too? */
	bool (*same_query)(const HxQuery *a, const HxQuery *b);

	/* Prepare a row's payload as a query (calibration) */
	HxQuery *(*query_of_row)(const HxIndexDesc *desc, const uint8 *payload);

	/*
	 * Promise of each block: the distance of its centroid.  Bound: no row of
	 * the block has a smaller distance; rounded down, -infinity if unknown.
	 */
	void (*promises)(const HxQuery *query, const HxEntry *entries,
					 const uint8 *centroids, int count, float *promises,
					 float *bounds);

	/* Distances of rows; the operator's own, to the last bit */
	void (*distances)(const HxQuery *query, const uint8 *payloads, int count,
					  double *distances);
} HxVectorMethods;

#define HxIsSparse(desc) ((desc)->vector->methods->sparse)

/* Define the support function HX_VECTOR_PROC of an operator class. */
#define HX_VECTOR_CLASS(name, its_metric, its_methods)                 \
	PGDLLEXPORT PG_FUNCTION_INFO_V1(name);                             \
	Datum name(PG_FUNCTION_ARGS)                                       \
	{                                                                  \
		static const HxVectorClass class = {its_metric, &its_methods}; \
                                                                       \
		PG_RETURN_POINTER(&class);                                     \
	}                                                                  \
	extern int hx_swallow_semicolon

#endif /* HX_VECTOR_H */
