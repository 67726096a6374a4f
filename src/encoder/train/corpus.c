/*
 * corpus.c
 *	  Sequences of ids as they come, and sorted: symbols by their keys, equal
 *	  sequences once.  So the order of rows does not matter.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/array.h"

#include "encoder/model/ids.h"
#include "encoder/model/segment.h"
#include "encoder/train/corpus.h"
#include "random.h"

/* Sequences as they came */
typedef struct Taken
{
	int32 *ids; /* of all, one after the other */
	size_t used;
	size_t room;
	size_t *end; /* of each sequence among them */
	size_t count;
	size_t ends;
} Taken;

/* Sequences come as integer[], and there is no y. */
static void
start_sequences(HxTraining *training)
{
	if (training->type[0] != INT4ARRAYOID)
		HxRejectType(training, 0, "integer[]");
	if (OidIsValid(training->type[1]))
		HxRejectType(training, 1, "no y");
	training->taken = HxTrainAlloc(training, 1, sizeof(Taken), "sequences");
}

/* Keep a sequence; one without ids is nothing to learn from. */
static void
take_sequence(HxTraining *training, const Datum *values)
{
	Taken *taken = training->taken;
	int count;
	const int32 *ids = HxReadIds(DatumGetArrayTypeP(values[0]), &count);

	if (count == 0)
		return;
	if (count > HX_MAX_SEQUENCE)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("sequence of %d ids is too long to be cut into "
							   "pieces, the limit is %d",
							   count, HX_MAX_SEQUENCE)));
	if (taken->used + count > taken->room)
	{
		size_t more = Max(2 * taken->room, taken->used + count + 1024);

		taken->ids = HxTrainGrow(training, taken->ids, taken->room, more,
								 sizeof(int32), "ids");
		taken->room = more;
	}
	if (taken->count == taken->ends)
	{
		size_t more = Max(2 * taken->ends, 256);

		taken->end = HxTrainGrow(training, taken->end, taken->ends, more,
								 sizeof(size_t), "sequences");
		taken->ends = more;
	}
	memcpy(taken->ids + taken->used, ids, count * sizeof(int32));
	taken->used += count;
	taken->end[taken->count++] = taken->used;
	training->seen++;
}

const HxIntake HxSequenceIntake = {start_sequences, take_sequence};

/*
 * The corpus
 */

/* Order of keys */
static int
compare_keys(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return (left > right) - (left < right);
}

/* The keys of all ids, sorted, each once */
static void
find_symbols(HxTraining *training, bool places, HxCorpus *corpus)
{
	const Taken *taken = training->taken;
	int64 *key = HxTrainAlloc(training, taken->used, sizeof(int64), "symbols");
	size_t start = 0;
	size_t kept = 0;

	for (size_t s = 0; s < taken->count; s++)
	{
		for (size_t i = start; i < taken->end[s]; i++)
			key[i] = hx_symbol_key(places, (uint32) (i - start), taken->ids[i]);
		start = taken->end[s];
	}
	CHECK_FOR_INTERRUPTS();
	qsort(key, taken->used, sizeof(int64), compare_keys);
	for (size_t i = 0; i < taken->used; i++)
	{
		if (kept == 0 || key[kept - 1] != key[i])
			key[kept++] = key[i];
	}
	corpus->key = key;
	corpus->symbols = (uint32) kept;
}

/* The symbol of a key, which is among them */
static uint32
symbol_of(const HxCorpus *corpus, int64 key)
{
	uint32 low = 0;
	uint32 high = corpus->symbols;

	while (high - low > 1)
	{
		uint32 middle = low + (high - low) / 2;

		if (corpus->key[middle] <= key)
			low = middle;
		else
			high = middle;
	}
	Assert(corpus->key[low] == key);
	return low + 1;
}

/* Sequences as symbols, in place of the ids' own order */
typedef struct Order
{
	const uint32 *symbol;
	const size_t *end;
} Order;

/* First symbol of a sequence */
static size_t
first_of(const size_t *end, uint32 sequence)
{
	return sequence > 0 ? end[sequence - 1] : 0;
}

/* Order of sequences: by their symbols */
static int
compare_sequences(const void *a, const void *b, void *argument)
{
	const Order *order = argument;
	uint32 left = *(const uint32 *) a;
	uint32 right = *(const uint32 *) b;
	size_t i = first_of(order->end, left);
	size_t j = first_of(order->end, right);

	for (; i < order->end[left] && j < order->end[right]; i++, j++)
	{
		if (order->symbol[i] != order->symbol[j])
			return order->symbol[i] < order->symbol[j] ? -1 : 1;
	}
	return (i < order->end[left]) - (j < order->end[right]);
}

/* Copy sequences in their order, equal ones once */
static void
gather(HxCorpus *corpus, Order *order, const uint32 *sorted, size_t count)
{
	size_t used = 0;
	int n = 0;

	for (size_t s = 0; s < count; s++)
	{
		size_t from = first_of(order->end, sorted[s]);
		size_t length = order->end[sorted[s]] - from;

		if (s > 0 && compare_sequences(&sorted[s - 1], &sorted[s], order) == 0)
		{
			corpus->weight[n - 1]++;
			continue;
		}
		memcpy(corpus->symbol + used, order->symbol + from,
			   length * sizeof(uint32));
		corpus->start[n] = used;
		corpus->weight[n++] = 1;
		used += length;
	}
	corpus->start[n] = used;
	corpus->count = n;
}

void
HxMakeCorpus(HxTraining *training, bool places, HxCorpus *corpus)
{
	const Taken *taken = training->taken;
	uint32 *symbol;
	uint32 *sorted;
	Order order;
	size_t start = 0;

	corpus->training = training;
	find_symbols(training, places, corpus);
	symbol = HxTrainAlloc(training, taken->used, sizeof(uint32), "symbols");
	sorted = HxTrainAlloc(training, taken->count, sizeof(uint32), "sequences");
	for (size_t s = 0; s < taken->count; s++)
	{
		if (s % 1024 == 0)
			CHECK_FOR_INTERRUPTS();
		for (size_t i = start; i < taken->end[s]; i++)
			symbol[i] =
				symbol_of(corpus, hx_symbol_key(places, (uint32) (i - start),
												taken->ids[i]));
		start = taken->end[s];
		sorted[s] = (uint32) s;
	}
	order = (Order){symbol, taken->end};
	qsort_arg(sorted, taken->count, sizeof(uint32), compare_sequences, &order);
	corpus->symbol =
		HxTrainAlloc(training, taken->used, sizeof(uint32), "symbols");
	corpus->start =
		HxTrainAlloc(training, taken->count + 1, sizeof(size_t), "sequences");
	corpus->weight =
		HxTrainAlloc(training, taken->count, sizeof(int64), "sequences");
	gather(corpus, &order, sorted, taken->count);
}

/*
 * Tables of pairs
 */

void
HxStartPairs(HxTraining *training, HxPairs *pairs)
{
	memset(pairs, 0, sizeof(HxPairs));
	pairs->training = training;
	pairs->buckets = 1024;
	pairs->bucket =
		HxTrainAlloc(training, pairs->buckets, sizeof(uint32), "pairs");
}

/* Where a key's entry is, or would be */
static size_t
bucket_of(const HxPairs *pairs, int64 key)
{
	uint64 counter = (uint64) key;
	size_t at = hx_split_mix(&counter) & (pairs->buckets - 1);

	while (pairs->bucket[at] != 0 &&
		   pairs->entry[pairs->bucket[at] - 1].key != key)
		at = (at + 1) & (pairs->buckets - 1);
	return at;
}

int64
HxFindPair(const HxPairs *pairs, int64 key)
{
	return (int64) pairs->bucket[bucket_of(pairs, key)] - 1;
}

/* Twice as many buckets */
static void
spread_pairs(HxPairs *pairs)
{
	pairs->bucket = HxTrainGrow(pairs->training, pairs->bucket, pairs->buckets,
								2 * pairs->buckets, sizeof(uint32), "pairs");
	pairs->buckets *= 2;
	memset(pairs->bucket, 0, pairs->buckets * sizeof(uint32));
	for (size_t i = 0; i < pairs->count; i++)
		pairs->bucket[bucket_of(pairs, pairs->entry[i].key)] = (uint32) i + 1;
}

size_t
HxAddPair(HxPairs *pairs, int64 key)
{
	size_t at = bucket_of(pairs, key);

	if (pairs->bucket[at] != 0)
		return pairs->bucket[at] - 1;
	if (pairs->count == pairs->room)
	{
		size_t more = Max(2 * pairs->room, 1024);

		if (more > PG_UINT32_MAX / 2)
			ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
							errmsg("too many pairs of ids to learn from")));
		pairs->entry = HxTrainGrow(pairs->training, pairs->entry, pairs->room,
								   more, sizeof(HxPair), "pairs");
		pairs->room = more;
	}
	pairs->entry[pairs->count] = (HxPair){key, 0, -1, -1};
	pairs->count++;
	if (2 * pairs->count > pairs->buckets)
		spread_pairs(pairs);
	else
		pairs->bucket[at] = (uint32) pairs->count;
	return pairs->count - 1;
}

/*
 * The model's table of pieces
 */

/* An entry on its way into the table */
typedef struct Row
{
	int64 key;
	size_t from;
} Row;

/* Order of rows: by key */
static int
compare_rows(const void *a, const void *b)
{
	int64 left = ((const Row *) a)->key;
	int64 right = ((const Row *) b)->key;

	return (left > right) - (left < right);
}

void
HxPutPieces(HxCorpus *corpus, HxDraft *draft, size_t count, const int64 *key,
			const uint32 *number, const float *weight, uint32 limit)
{
	HxTraining *training = corpus->training;
	Row *row = HxTrainAlloc(training, count, sizeof(Row), "pieces");
	int64 *keys = HxTrainAlloc(training, count, sizeof(int64), "pieces");
	uint32 *numbers =
		HxTrainAlloc(training, 2 * count, sizeof(uint32), "pieces");
	float *weights = HxTrainAlloc(training, count, sizeof(float), "pieces");

	for (size_t i = 0; i < count; i++)
		row[i] = (Row){key[i], i};
	qsort(row, count, sizeof(Row), compare_rows);
	for (size_t i = 0; i < count; i++)
	{
		keys[i] = row[i].key;
		numbers[2 * i] = number[2 * row[i].from];
		numbers[2 * i + 1] = number[2 * row[i].from + 1];
		weights[i] = weight[row[i].from];
	}
	draft->tables = 2;
	draft->table[1] =
		(HxDraftTable){count, 2, 1, limit, keys, numbers, weights};
}
