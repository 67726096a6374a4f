/*
 * freq.c
 *	  Method freq: rows of their own for the most frequent ids, shared ones for
 *	  all others (after AdaptEmb).
 *
 * The `own` ids that come most often get buckets from 0, the most frequent first,
 * of equal ones the lower id; any other id, also one never seen, gets one of
 * `shared` buckets behind them, by its hash.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/map/slots.h"
#include "encoder/train/ids.h"
#include "encoder/train/value.h"

/* Ids so far, and how often each came */
typedef struct Counts
{
	HxIds ids;
	uint32 room; /* counts that fit */
	uint64 *count;
} Counts;

/* An id, to be ranked */
typedef struct Ranked
{
	uint64 count;
	int64 id;
} Ranked;

static void
start_counts(HxTraining *training)
{
	HxRequireIds(training, 0);
	if (OidIsValid(training->type[1]))
		ereport(ERROR, (errcode(ERRCODE_DATATYPE_MISMATCH),
						errmsg("method \"%s\" has no use for y",
							   HxMethodName(training->method->id))));
	training->taken = HxTrainAlloc(training, 1, sizeof(Counts), "counts");
}

static void
take_id(HxTraining *training, const Datum *values)
{
	Counts *counts = training->taken;
	uint32 number =
		HxNumberId(training, &counts->ids, HxReadId(training, 0, values[0]));

	training->seen++;
	if (counts->ids.room > counts->room)
	{
		counts->count = HxTrainGrow(training, counts->count, counts->room,
									counts->ids.room, sizeof(uint64), "counts");
		counts->room = counts->ids.room;
	}
	counts->count[number]++;
}

/* The more frequent first, then the lower id */
static int
compare_counts(const void *a, const void *b)
{
	const Ranked *x = a;
	const Ranked *y = b;

	if (x->count != y->count)
		return x->count > y->count ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

/*
 * Keep the ids that get a bucket of their own, by rising id, and the bucket of
 * each; returns the share of rows whose id has none.
 */
static double
rank_ids(HxTraining *training, Counts *counts, uint32 own, uint32 **bucket)
{
	HxIds *ids = &counts->ids;
	Ranked *ranked =
		HxTrainAlloc(training, ids->count, sizeof(Ranked), "counts");
	uint64 covered = 0;

	*bucket = HxTrainAlloc(training, own, sizeof(uint32), "buckets");
	for (uint32 i = 0; i < ids->count; i++)
		ranked[i] = (Ranked){counts->count[i], ids->id[i]};
	qsort(ranked, ids->count, sizeof(Ranked), compare_counts);
	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < own; i++)
	{
		covered += ranked[i].count;
		ids->id[i] = ranked[i].id;
	}
	ids->count = own;
	if (own > 0)
	{
		uint32 *now = HxTrainAlloc(training, own, sizeof(uint32), "buckets");

		HxSortIds(training, ids, now);
		for (uint32 i = 0; i < own; i++)
			(*bucket)[now[i]] = i;
	}
	return 1.0 - (double) covered / (double) training->seen;
}

static void
train_freq(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	Counts *counts = training->taken;
	int64 own = HxSpecInteger(spec, "own", -1, 0, PG_INT32_MAX / 2);
	int64 shared = HxSpecInteger(spec, "shared", 0, 0, PG_INT32_MAX / 2);
	const char *feature = HxSpecText(spec, "feature", "");
	uint32 *bucket;
	double loss;

	if (own < 0)
		HX_BAD_SPEC_VALUE("own", "is missing: how many ids get a bucket of "
								 "their own");
	own = Min(own, counts->ids.count);
	if (own + shared == 0)
		HX_BAD_SPEC_VALUE("shared", "is 0, as is \"own\": there would be no "
									"bucket");
	loss = rank_ids(training, counts, (uint32) own, &bucket);
	HxStartMap(training, draft, (int) (own + shared));
	draft->loss = loss;
	draft->constants = 2;
	draft->constant[0] = shared;
	draft->constant[1] = (int64) HxHashText(0, feature, (int) strlen(feature));
	draft->tables = 1;
	HxDraftBuckets(&draft->table[0], &counts->ids, bucket,
				   (uint32) Max(own, 1));
}

static const char *const freq_keys[] = {"own", "shared", "feature", NULL};

static const HxIntake freq_intake = {start_counts, take_id};

const HxMethod HxMethodFreq = {.id = HX_METHOD_FREQ,
							   .keys = freq_keys,
							   .needs_rows = true,
							   .intake = &freq_intake,
							   .train = train_freq};
