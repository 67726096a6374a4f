/*
 * code_stats.c
 *	  The aggregate code_stats: are the bits of these codes well used?
 *
 * Codes are collected by 64 and turned, a word for each bit; ones and pairs of
 * ones are then counted by words.  Distinct codes are counted by their hashes:
 * exactly (but for collisions of 64 bits) as long as they fit into work_mem,
 * else by adaptive sampling (Flajolet 1990): only hashes that end in this many
 * zeros are kept, and each stands for two to that power.
 */
#include "postgres.h"

#include <math.h>

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "type/aggregate.h"
#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_stats_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_stats_combine);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_stats_serialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_stats_deserialize);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_code_stats_final);

/* Codes collected before they are counted */
#define BATCH 64

/* Bits of whose pairs correlations are counted, spread over the code */
#define PAIR_BITS 256

/* Columns of the result */
#define COLUMNS 8

/* State; `bits` counts all planes */
typedef struct CodeStats
{
	int32 dims;
	int32 planes;
	int32 bits;		/* dims times planes */
	int32 chosen;	/* bits of whose pairs are counted */
	int32 level;	/* zeros at the end of hashes kept */
	int32 waiting;	/* codes collected */
	int64 count;	/* codes counted or collected */
	int64 hashes;	/* hashes kept, perhaps some twice */
	int64 capacity; /* hashes that fit */
	int64 *ones;	/* of each bit */
	int64 *both; /* of each pair of chosen bits: i > j at i (i - 1) / 2 + j */
	uint64 *column; /* of each bit: codes collected */
	uint64 *hash;
} CodeStats;

/* Number of pairs of chosen bits */
static int64
pair_count(const CodeStats *stats)
{
	return (int64) stats->chosen * (stats->chosen - 1) / 2;
}

/* A state without codes, with room for hashes */
static CodeStats *
new_stats(MemoryContext context, int dims, int planes, int64 hashes)
{
	MemoryContext old = MemoryContextSwitchTo(context);
	CodeStats *stats = palloc0(sizeof(CodeStats));

	stats->dims = dims;
	stats->planes = planes;
	stats->bits = dims * planes;
	stats->chosen = Min(stats->bits, PAIR_BITS);
	stats->ones = palloc0((stats->bits + 1) * sizeof(int64));
	stats->both = palloc0((pair_count(stats) + 1) * sizeof(int64));
	stats->column = palloc0((stats->bits + 1) * sizeof(uint64));
	stats->capacity = Max(hashes, 1024);
	stats->hash =
		palloc_extended(stats->capacity * sizeof(uint64), MCXT_ALLOC_HUGE);
	MemoryContextSwitchTo(old);
	return stats;
}

/* The bit of which chosen bit i is one */
static int
chosen_bit(const CodeStats *stats, int i)
{
	return (int) ((int64) i * stats->bits / stats->chosen);
}

/* Count the codes collected. */
static void
count_waiting(CodeStats *stats)
{
	uint64 word[PAIR_BITS];
	int64 *both = stats->both;

	if (stats->waiting == 0)
		return;
	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < stats->chosen; i++)
	{
		word[i] = stats->column[chosen_bit(stats, i)];
		for (int j = 0; j < i; j++)
			*both++ += pg_popcount64(word[i] & word[j]);
	}
	for (int i = 0; i < stats->bits; i++)
		stats->ones[i] += pg_popcount64(stats->column[i]);
	memset(stats->column, 0, stats->bits * sizeof(uint64));
	stats->waiting = 0;
}

/* Order of hashes */
static int
compare_hashes(const void *a, const void *b)
{
	uint64 left = *(const uint64 *) a;
	uint64 right = *(const uint64 *) b;

	return left < right ? -1 : left > right;
}

/* Keep each hash once, and only those that end in `level` zeros. */
static void
thin_out(CodeStats *stats)
{
	uint64 mask = (UINT64CONST(1) << stats->level) - 1;
	int64 kept = 0;

	qsort(stats->hash, stats->hashes, sizeof(uint64), compare_hashes);
	for (int64 i = 0; i < stats->hashes; i++)
	{
		if ((stats->hash[i] & mask) == 0 &&
			(kept == 0 || stats->hash[kept - 1] != stats->hash[i]))
			stats->hash[kept++] = stats->hash[i];
	}
	stats->hashes = kept;
}

/* Make room for one more hash: by more memory up to work_mem, or fewer. */
static void
make_room(CodeStats *stats)
{
	int64 most = Max((int64) work_mem * 1024 / (int64) sizeof(uint64), 8192);

	if (stats->hashes < stats->capacity)
		return;
	thin_out(stats);
	if (stats->hashes <= stats->capacity / 2)
		return;
	if (stats->capacity < most)
	{
		stats->capacity = Min(2 * stats->capacity, most);
		stats->hash =
			repalloc_huge(stats->hash, stats->capacity * sizeof(uint64));
		return;
	}
	while (stats->hashes > stats->capacity / 2 && stats->level < 62)
	{
		stats->level++;
		thin_out(stats);
	}
}

/* Keep a hash, if it ends in enough zeros. */
static void
add_hash(CodeStats *stats, uint64 hash)
{
	make_room(stats);
	if ((hash & ((UINT64CONST(1) << stats->level) - 1)) == 0)
		stats->hash[stats->hashes++] = hash;
}

/* Error unless codes of both shapes may be counted together. */
static void
check_shape(const CodeStats *stats, int dims, int planes)
{
	(void) HxMatchShapes(stats->dims, stats->planes, dims, planes, NULL, NULL);
}

/* Transition: (state, code); a NULL code is skipped. */
Datum
hx_code_stats_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	CodeStats *stats =
		PG_ARGISNULL(0) ? NULL : (CodeStats *) PG_GETARG_POINTER(0);
	uint64 *column;
	HxCode code;

	if (PG_ARGISNULL(1))
	{
		if (stats == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(stats);
	}
	code = PG_GETARG_CODE(1);
	if (stats == NULL)
		stats = new_stats(context, code.dims, code.planes, 0);
	check_shape(stats, code.dims, code.planes);
	add_hash(stats, hash_bytes_extended(code.data, (int) code.bytes, 0));
	column = stats->column;
	for (int p = 0; p < code.planes; p++)
	{
		const uint8 *plane = code.data + p * code.plane_bytes;

		for (int i = 0; i < code.dims; i++)
			*column++ |= (uint64) HxGetBit(plane, i) << stats->waiting;
	}
	stats->count++;
	if (++stats->waiting == BATCH)
		count_waiting(stats);
	HxReleaseCode(&code, PG_GETARG_DATUM(1));
	PG_RETURN_POINTER(stats);
}

/* Add the second state to the first. */
Datum
hx_code_stats_combine(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	CodeStats *stats =
		PG_ARGISNULL(0) ? NULL : (CodeStats *) PG_GETARG_POINTER(0);
	CodeStats *other =
		PG_ARGISNULL(1) ? NULL : (CodeStats *) PG_GETARG_POINTER(1);

	if (other == NULL)
	{
		if (stats == NULL)
			PG_RETURN_NULL();
		PG_RETURN_POINTER(stats);
	}
	if (stats == NULL)
		stats = new_stats(context, other->dims, other->planes, other->hashes);
	check_shape(stats, other->dims, other->planes);
	count_waiting(stats);
	count_waiting(other);
	for (int i = 0; i < stats->bits; i++)
		stats->ones[i] += other->ones[i];
	for (int64 i = 0; i < pair_count(stats); i++)
		stats->both[i] += other->both[i];
	if (stats->level < other->level)
	{
		stats->level = other->level;
		thin_out(stats);
	}
	for (int64 i = 0; i < other->hashes; i++)
		add_hash(stats, other->hash[i]);
	stats->count += other->count;
	PG_RETURN_POINTER(stats);
}

/* State to bytes, for this server only: the struct and its arrays */
Datum
hx_code_stats_serialize(PG_FUNCTION_ARGS)
{
	CodeStats *stats = (CodeStats *) PG_GETARG_POINTER(0);
	Size ones;
	Size both;
	Size hashes;
	bytea *bytes;
	char *at;

	(void) HxAggregateContext(fcinfo);
	count_waiting(stats);
	thin_out(stats);
	ones = stats->bits * sizeof(int64);
	both = pair_count(stats) * sizeof(int64);
	hashes = stats->hashes * sizeof(uint64);
	bytes = palloc(VARHDRSZ + sizeof(CodeStats) + ones + both + hashes);
	SET_VARSIZE(bytes, VARHDRSZ + sizeof(CodeStats) + ones + both + hashes);
	at = VARDATA(bytes);
	memcpy(at, stats, sizeof(CodeStats));
	memcpy(at += sizeof(CodeStats), stats->ones, ones);
	memcpy(at += ones, stats->both, both);
	memcpy(at + both, stats->hash, hashes);
	PG_RETURN_BYTEA_P(bytes);
}

/* Bytes to state */
Datum
hx_code_stats_deserialize(PG_FUNCTION_ARGS)
{
	bytea *bytes = PG_GETARG_BYTEA_PP(0);
	const char *at = VARDATA_ANY(bytes);
	CodeStats head;
	CodeStats *stats;
	Size ones;
	Size both;

	(void) HxAggregateContext(fcinfo);
	if (VARSIZE_ANY_EXHDR(bytes) < sizeof(CodeStats))
		elog(ERROR, "invalid state of code_stats");
	memcpy(&head, at, sizeof(CodeStats));
	stats =
		new_stats(CurrentMemoryContext, head.dims, head.planes, head.hashes);
	stats->level = head.level;
	stats->count = head.count;
	stats->hashes = head.hashes;
	ones = stats->bits * sizeof(int64);
	both = pair_count(stats) * sizeof(int64);
	memcpy(stats->ones, at += sizeof(CodeStats), ones);
	memcpy(stats->both, at += ones, both);
	memcpy(stats->hash, at + both, head.hashes * sizeof(uint64));
	PG_RETURN_POINTER(stats);
}

/* Entropy in bits of a coin that falls on one side with probability p */
static double
coin_entropy(double p)
{
	if (p <= 0.0 || p >= 1.0)
		return 0.0;
	return -(p * log2(p) + (1.0 - p) * log2(1.0 - p));
}

/*
 * Mean absolute correlation of the pairs of chosen bits; pairs with a bit that
 * is the same in all codes have none.  -1 if no pair has one.
 */
static double
mean_correlation(const CodeStats *stats)
{
	const int64 *both = stats->both;
	double n = (double) stats->count;
	double sum = 0.0;
	int64 pairs = 0;

	for (int i = 0; i < stats->chosen; i++)
	{
		double a = stats->ones[chosen_bit(stats, i)] / n;

		for (int j = 0; j < i; j++, both++)
		{
			double b = stats->ones[chosen_bit(stats, j)] / n;
			double spread = a * (1.0 - a) * b * (1.0 - b);

			if (spread <= 0.0)
				continue;
			sum += fabs(*both / n - a * b) / sqrt(spread);
			pairs++;
		}
	}
	return pairs > 0 ? sum / pairs : -1.0;
}

/* The statistics, as a row; NULL without codes */
Datum
hx_code_stats_final(PG_FUNCTION_ARGS)
{
	CodeStats *stats =
		PG_ARGISNULL(0) ? NULL : (CodeStats *) PG_GETARG_POINTER(0);
	Datum values[COLUMNS];
	bool nulls[COLUMNS] = {false};
	TupleDesc row;
	double distinct;
	double sum = 0.0;
	double most = 0.0;
	double entropy = 0.0;
	double correlation;

	if (stats == NULL)
		PG_RETURN_NULL();
	if (get_call_result_type(fcinfo, NULL, &row) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	count_waiting(stats);
	thin_out(stats);
	distinct =
		Min(ldexp((double) stats->hashes, stats->level), (double) stats->count);
	for (int i = 0; i < stats->bits; i++)
	{
		double p = (double) stats->ones[i] / (double) stats->count;

		sum += fabs(p - 0.5);
		most = Max(most, fabs(p - 0.5));
		entropy += coin_entropy(p);
	}
	correlation = mean_correlation(stats);
	values[0] = Int64GetDatum(stats->count);
	values[1] = Int32GetDatum(stats->bits);
	values[2] = Int64GetDatum((int64) distinct);
	values[3] = Float8GetDatum(1.0 - distinct / (double) stats->count);
	values[4] = Float8GetDatum(sum / stats->bits);
	values[5] = Float8GetDatum(most);
	values[6] = Float8GetDatum(correlation);
	values[7] = Float8GetDatum(entropy / stats->bits);
	nulls[4] = nulls[5] = nulls[7] = stats->bits == 0;
	nulls[6] = correlation < 0.0;
	PG_RETURN_DATUM(
		HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(row), values, nulls)));
}
