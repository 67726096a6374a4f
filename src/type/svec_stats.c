/*
 * svec_stats.c
 *	  Type svec: what ANALYZE keeps of a column.
 *
 * Share of NULLs, average width, number of distinct vectors, and the most
 * common dimensions with the share of the rows that have them, as array columns
 * have their most common elements.  Whole vectors are too wide to be kept as
 * common values or a histogram, and nobody asks for ranges of them.  A few are
 * kept as a sample, for estimates of distances.
 *
 * Frequent dimensions are found by lossy counting (Manku and Motwani 2002), so
 * memory depends on the statistics target and not on the sample.
 */
#include "postgres.h"

#include <math.h>

#include "access/detoast.h"
#include "catalog/pg_operator_d.h"
#include "catalog/pg_statistic.h"
#include "catalog/pg_type.h"
#include "commands/vacuum.h"
#include "common/hashfn.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_svec_typanalyze);

/* Wider values count as distinct and are not looked into */
#define MAX_ANALYZED_BYTES 65536

/* Dimensions kept for each unit of the statistics target */
#define DIMS_PER_TARGET 10

/* Vectors kept as a sample, and bytes that they take, at most */
#define MAX_KEPT 100
#define MAX_KEPT_BYTES 262144

/* A dimension and how often it was met */
typedef struct DimCount
{
	int32 index;	/* dimension, counted from 0 */
	char status;	/* the hash table's */
	int32 count;	/* times met since it is in the table */
	int32 possible; /* times it may have been met before */
} DimCount;

#define SH_PREFIX counts
#define SH_ELEMENT_TYPE DimCount
#define SH_KEY_TYPE int32
#define SH_KEY index
#define SH_HASH_KEY(table, key) murmurhash32((uint32) (key))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

/* What is gathered from the sample */
typedef struct Sample
{
	counts_hash *counts; /* dimensions met */
	int64 elements;		 /* weights met */
	int32 bucket;		 /* number of the present bucket, from 1 */
	int bucket_width;	 /* weights in a bucket */
	int analyzed;		 /* vectors looked into */
	int wide;			 /* vectors too wide for that */
	int nulls;			 /* rows that are NULL */
	double bytes;		 /* stored widths */
	uint64 *hashes;		 /* of the vectors looked into */
	int stride;			 /* of each `stride` vectors one is kept */
	int kept;			 /* vectors kept ... */
	Size kept_bytes;	 /* ... and their bytes */
	Datum *vectors;		 /* ... namely these */
} Sample;

/* End a bucket: drop the dimensions that cannot be frequent. */
static void
end_bucket(Sample *s)
{
	counts_iterator iterator;
	DimCount *entry;

	counts_start_iterate(s->counts, &iterator);
	while ((entry = counts_iterate(s->counts, &iterator)) != NULL)
	{
		if (entry->count + entry->possible <= s->bucket)
			counts_delete(s->counts, entry->index);
	}
	s->bucket++;
}

/* Count the dimensions of one vector. */
static void
count_dimensions(Sample *s, const HxSvec *v)
{
	for (int i = 0; i < v->nnz; i++)
	{
		bool found;
		DimCount *entry = counts_insert(s->counts, v->indices[i], &found);

		if (!found)
		{
			entry->count = 0;
			entry->possible = s->bucket - 1;
		}
		entry->count++;
		if (++s->elements % s->bucket_width == 0)
			end_bucket(s);
	}
}

/* Keep one vector of as many as there are for each place. */
static void
keep_vector(Sample *s, const HxSvec *v, MemoryContext context)
{
	HxSvec *copy;

	if (s->analyzed % s->stride != 0 || s->kept == MAX_KEPT ||
		s->kept_bytes + VARSIZE(v) > MAX_KEPT_BYTES)
		return;
	copy = MemoryContextAlloc(context, VARSIZE(v));
	memcpy(copy, v, VARSIZE(v));
	s->kept_bytes += VARSIZE(v);
	s->vectors[s->kept++] = PointerGetDatum(copy);
}

/* Take in one row of the sample. */
static void
add_row(Sample *s, Datum value, MemoryContext context)
{
	Size stored = VARSIZE_ANY(DatumGetPointer(value));
	HxSvec *v;

	s->bytes += stored;
	if (toast_raw_datum_size(value) > MAX_ANALYZED_BYTES)
	{
		s->wide++;
		return;
	}
	v = DatumGetSvec(value);
	keep_vector(s, v, context);
	s->hashes[s->analyzed++] = hash_bytes_extended((unsigned char *) VARDATA(v),
												   VARSIZE(v) - VARHDRSZ, 0);
	count_dimensions(s, v);
	if ((Pointer) v != DatumGetPointer(value))
		pfree(v);
}

/* qsort comparator of uint64 */
static int
compare_hashes(const void *left, const void *right)
{
	uint64 a = *(const uint64 *) left;
	uint64 b = *(const uint64 *) right;

	return (a > b) - (a < b);
}

/*
 * Number of distinct vectors as pg_statistic wants it (negative: a share of the
 * rows), by the estimator of Haas and Stokes that core uses as well.
 */
static double
estimate_distinct(Sample *s, double total_rows)
{
	double sampled = s->analyzed + s->wide;
	double rows = s->nulls + sampled;
	double distinct = s->wide;
	double once = s->wide;
	double all = total_rows * (sampled / rows);
	double estimate;

	qsort(s->hashes, s->analyzed, sizeof(uint64), compare_hashes);
	for (int i = 0, next; i < s->analyzed; i = next)
	{
		for (next = i + 1;
			 next < s->analyzed && s->hashes[next] == s->hashes[i];)
			next++;
		distinct++;
		once += next - i == 1;
	}
	if (once == sampled)
		return -sampled / rows; /* no vector met twice: all are distinct */
	if (once == 0)
		estimate = distinct; /* all met more than once: there are no others */
	else
		estimate = sampled * distinct /
				   (sampled - once + once * sampled / Max(all, sampled));
	estimate = floor(Max(distinct, Min(estimate, all)) + 0.5);
	/* A tenth of the rows or more is taken to grow with the table */
	return estimate > 0.1 * total_rows ? -estimate / total_rows : estimate;
}

/* qsort comparator of DimCount: the most frequent first */
static int
compare_counts(const void *left, const void *right)
{
	const DimCount *a = left;
	const DimCount *b = right;

	if (a->count != b->count)
		return a->count > b->count ? -1 : 1;
	return (a->index > b->index) - (a->index < b->index);
}

/* qsort comparator of DimCount by dimension */
static int
compare_indices(const void *left, const void *right)
{
	int32 a = ((const DimCount *) left)->index;
	int32 b = ((const DimCount *) right)->index;

	return (a > b) - (a < b);
}

/* The most frequent dimensions, by rising dimension; their number in *count */
static DimCount *
choose_dimensions(Sample *s, int wanted, int *count)
{
	DimCount *chosen = palloc(Max(s->counts->members, 1) * sizeof(DimCount));
	int64 last_bucket = s->elements / s->bucket_width;
	counts_iterator iterator;
	DimCount *entry;
	int n = 0;

	counts_start_iterate(s->counts, &iterator);
	while ((entry = counts_iterate(s->counts, &iterator)) != NULL)
	{
		/* Below this, the count may be far too low */
		if (entry->count > 9 * last_bucket)
			chosen[n++] = *entry;
	}
	qsort(chosen, n, sizeof(DimCount), compare_counts);
	*count = Min(n, wanted);
	qsort(chosen, *count, sizeof(DimCount), compare_indices);
	return chosen;
}

/*
 * Fill the statistics slot of the most common elements: dimensions counted from
 * 1, their shares of the rows that are not NULL, then the least and greatest
 * share.
 */
static void
store_dimensions(VacAttrStats *stats, const DimCount *chosen, int count,
				 int rows)
{
	MemoryContext old = MemoryContextSwitchTo(stats->anl_context);
	Datum *values = palloc(count * sizeof(Datum));
	float4 *shares = palloc((count + 2) * sizeof(float4));
	float4 least = 1;
	float4 greatest = 0;

	for (int i = 0; i < count; i++)
	{
		values[i] = Int32GetDatum(chosen[i].index + 1);
		shares[i] = (float4) chosen[i].count / rows;
		least = Min(least, shares[i]);
		greatest = Max(greatest, shares[i]);
	}
	shares[count] = least;
	shares[count + 1] = greatest;

	stats->stakind[0] = STATISTIC_KIND_MCELEM;
	stats->staop[0] = Int4EqualOperator;
	stats->stanumbers[0] = shares;
	stats->numnumbers[0] = count + 2;
	stats->stavalues[0] = values;
	stats->numvalues[0] = count;
	stats->statypid[0] = INT4OID;
	stats->statyplen[0] = sizeof(int32);
	stats->statypbyval[0] = true;
	stats->statypalign[0] = TYPALIGN_INT;
	MemoryContextSwitchTo(old);
}

/* Fill the statistics slot of sampled vectors, which are of the column's type. */
static void
store_vectors(VacAttrStats *stats, const Sample *s)
{
	stats->stakind[1] = HX_STATISTIC_VECTORS;
	stats->stavalues[1] = s->vectors;
	stats->numvalues[1] = s->kept;
}

/* Compute the statistics of a column from sampled rows. */
static void
compute_stats(VacAttrStatsP stats, AnalyzeAttrFetchFunc fetch, int sample_rows,
			  double total_rows)
{
	int wanted = HX_STATISTICS_TARGET(stats) * DIMS_PER_TARGET;
	Sample s = {.bucket = 1};
	DimCount *chosen;
	int count;

	/* Wide enough for the error to be a tenth of a wanted dimension's count */
	s.bucket_width = (wanted + 10) * 100;
	s.counts = counts_create(CurrentMemoryContext, 1024, NULL);
	s.hashes = palloc(Max(sample_rows, 1) * sizeof(uint64));
	s.stride = sample_rows / MAX_KEPT + 1;
	s.vectors =
		MemoryContextAlloc(stats->anl_context, MAX_KEPT * sizeof(Datum));
	for (int row = 0; row < sample_rows; row++)
	{
		bool isnull;
		Datum value = fetch(stats, row, &isnull);

		HX_VACUUM_DELAY_POINT();
		if (isnull)
			s.nulls++;
		else
			add_row(&s, value, stats->anl_context);
	}

	if (sample_rows == 0)
		return;
	stats->stats_valid = true;
	stats->stanullfrac = (double) s.nulls / sample_rows;
	stats->stawidth =
		s.nulls < sample_rows ? (int32) (s.bytes / (sample_rows - s.nulls)) : 0;
	stats->stadistinct =
		s.nulls < sample_rows ? estimate_distinct(&s, total_rows) : 0;
	chosen = choose_dimensions(&s, wanted, &count);
	if (count > 0)
		store_dimensions(stats, chosen, count, s.analyzed + s.wide);
	if (s.kept > 0)
		store_vectors(stats, &s);
}

/* Tell ANALYZE how to gather statistics. */
Datum
hx_svec_typanalyze(PG_FUNCTION_ARGS)
{
	VacAttrStats *stats = (VacAttrStats *) PG_GETARG_POINTER(0);

	if (HX_STATISTICS_TARGET(stats) < 0)
		HX_STATISTICS_TARGET(stats) = default_statistics_target;
	stats->compute_stats = compute_stats;
	stats->minrows = 300 * HX_STATISTICS_TARGET(stats);
	PG_RETURN_BOOL(true);
}
