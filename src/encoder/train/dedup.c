/*
 * dedup.c
 *	  Method dedup: ids whose vectors are nearly equal share a row (after the
 *	  deduplication of embedding tables by locality-sensitive hashing).
 *
 * Rows come one by one.  A vector that is no further from one kept before than
 * `threshold` times its own length gets that one's bucket, the nearest's, else it
 * is kept and gets the next.  Kept vectors that may be near are those with an
 * equal key in one of several tables; a key is the signs of random projections.
 * The first vector of a bucket stands for all: the rows' order matters.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/map/hash.h"
#include "encoder/math/matrix.h"
#include "encoder/model/input.h"
#include "encoder/train/ids.h"
#include "encoder/train/rows.h"
#include "random.h"

#define DEFAULT_THRESHOLD 0.1

/* Tables of keys, bits of a key, and how surely a near vector is found */
#define MOST_TABLES 32
#define LEAST_BITS 6
#define MOST_BITS 24
#define SURELY 0.98

/* What has been kept */
typedef struct Kept
{
	HxInputType kind;
	double threshold;
	int dims; /* 0 before the first row */
	int tables;
	int bits;
	float *direction; /* tables * bits, each dims */

	uint32 count; /* vectors */
	uint32 room;
	float *vector;
	double *norm; /* squared lengths */
	uint64 *key;  /* tables of each */
	uint32 *next; /* tables of each: number + 1 of the next with that place */
	uint32 mask;  /* places of a table - 1 */
	uint32 *head; /* places of each table: number + 1, or 0 */

	HxIds ids;
	uint32 bucket_room;
	uint32 *bucket; /* of each id */
	double error;	/* sum of squared distances to what stands for a vector */
	double squares; /* sum of squared lengths */
} Kept;

static void
start_kept(HxTraining *training)
{
	Kept *kept = HxTrainAlloc(training, 1, sizeof(Kept), "vectors");

	kept->kind = HxInputTypeOf(training->type[0]);
	if (kept->kind != HX_INPUT_REALS && kept->kind != HX_INPUT_INTS)
		HxRejectType(training, 0, "real[]");
	HxRequireIds(training, 1);
	kept->threshold =
		HxSpecNumber(&training->spec, "threshold", DEFAULT_THRESHOLD, 0.0, 1.0);
	training->taken = kept;
}

/*
 * Bits of a key and number of tables: two vectors at that distance agree in a bit
 * with 1 - angle / pi, so that a key is missed half of the time.
 */
static void
choose_tables(Kept *kept)
{
	double agree = 1.0 - asin(Min(kept->threshold, 1.0)) / M_PI;
	double bits = agree < 1.0 ? log(0.5) / log(agree) : MOST_BITS;
	double found;

	kept->bits = (int) Min(Max(bits, LEAST_BITS), MOST_BITS);
	found = pow(agree, kept->bits);
	kept->tables =
		found < 1.0 ? (int) ceil(log(1.0 - SURELY) / log1p(-found)) : 1;
	kept->tables = Min(Max(kept->tables, 1), MOST_TABLES);
}

/* Begin with a vector of this many dimensions. */
static void
start_tables(HxTraining *training, Kept *kept, int dims)
{
	HxRandom random;
	size_t count;

	if (dims < 1 || dims > HX_MAX_DENSE)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("cannot train on vectors of %d dimensions, "
							   "expected 1 to %d",
							   dims, HX_MAX_DENSE)));
	choose_tables(kept);
	kept->dims = dims;
	count = (size_t) kept->tables * kept->bits * dims;
	kept->direction =
		HxTrainAlloc(training, count, sizeof(float), "directions");
	hx_seed_random(&random, (uint64) training->spec.seed);
	for (size_t i = 0; i < count; i++)
		kept->direction[i] = (float) hx_random_normal(&random);
}

/* Put a kept vector into the tables. */
static void
enter_tables(Kept *kept, uint32 number)
{
	for (int t = 0; t < kept->tables; t++)
	{
		size_t at = (size_t) number * kept->tables + t;
		uint32 place = (uint32) hx_mix(kept->key[at]) & kept->mask;
		uint32 *head = &kept->head[(size_t) t * (kept->mask + 1) + place];

		kept->next[at] = *head;
		*head = number + 1;
	}
}

/* Room for more vectors */
static void
grow(HxTraining *training, Kept *kept)
{
	uint32 room = kept->room == 0 ? 1024 : kept->room + kept->room / 2;
	size_t keys = (size_t) kept->tables;
	size_t places = kept->head == NULL ? 1024 : (size_t) kept->mask + 1;

	if (room > PG_INT32_MAX / MOST_TABLES)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("cannot keep more than %u vectors", kept->room)));
	kept->vector = HxTrainGrow(training, kept->vector, kept->room, room,
							   kept->dims * sizeof(float), "vectors");
	kept->norm = HxTrainGrow(training, kept->norm, kept->room, room,
							 sizeof(double), "vectors");
	kept->key = HxTrainGrow(training, kept->key, kept->room, room,
							keys * sizeof(uint64), "keys");
	kept->next = HxTrainGrow(training, kept->next, kept->room, room,
							 keys * sizeof(uint32), "keys");
	kept->room = room;
	if (kept->head != NULL && places >= room)
		return;
	if (kept->head != NULL)
	{
		training->used -= keys * places * sizeof(uint32);
		pfree(kept->head);
	}
	while (places < room)
		places *= 2;
	kept->head = HxTrainAlloc(training, keys * places, sizeof(uint32), "keys");
	kept->mask = (uint32) (places - 1);
	for (uint32 i = 0; i < kept->count; i++)
		enter_tables(kept, i);
}

/* The keys of a vector */
static void
make_keys(const Kept *kept, const float *x, uint64 *key)
{
	const float *direction = kept->direction;

	for (int t = 0; t < kept->tables; t++)
	{
		key[t] = 0;
		for (int b = 0; b < kept->bits; b++)
		{
			key[t] = key[t] << 1 | (hx_dot_float(direction, x, kept->dims) > 0);
			direction += kept->dims;
		}
	}
}

/* Squared distance of two vectors */
static double
squared_distance(const float *a, const float *b, int dims)
{
	double sum = 0.0;

	for (int i = 0; i < dims; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

/*
 * The kept vector that is nearest, number + 1, if its squared distance is at most
 * *distance, which it gets; else 0
 */
static uint32
find_near(const Kept *kept, const float *x, const uint64 *key, double *distance)
{
	uint32 best = 0;

	for (int t = 0; t < kept->tables && kept->head != NULL; t++)
	{
		uint32 place = (uint32) hx_mix(key[t]) & kept->mask;
		uint32 at = kept->head[(size_t) t * (kept->mask + 1) + place];

		for (; at != 0; at = kept->next[(size_t) (at - 1) * kept->tables + t])
		{
			double d;

			CHECK_FOR_INTERRUPTS();
			if (kept->key[(size_t) (at - 1) * kept->tables + t] != key[t])
				continue;
			d = squared_distance(kept->vector + (size_t) (at - 1) * kept->dims,
								 x, kept->dims);
			if (d < *distance || (d == *distance && (best == 0 || at < best)))
			{
				*distance = d;
				best = at;
			}
		}
	}
	return best;
}

/* Keep a vector; its number */
static uint32
keep_vector(HxTraining *training, Kept *kept, const float *x, double norm,
			const uint64 *key)
{
	uint32 number = kept->count;

	if (number == kept->room)
		grow(training, kept);
	memcpy(kept->vector + (size_t) number * kept->dims, x,
		   kept->dims * sizeof(float));
	kept->norm[number] = norm;
	memcpy(kept->key + (size_t) number * kept->tables, key,
		   kept->tables * sizeof(uint64));
	enter_tables(kept, number);
	kept->count++;
	return number;
}

/* The numbers of a row's vector, and its squared length */
static float *
read_row(HxTraining *training, Kept *kept, Datum value, double *norm)
{
	HxInput input = HxReadInput(value, kept->kind);
	float *x = palloc(Max(input.dims, 1) * sizeof(float));

	if (kept->dims == 0)
		start_tables(training, kept, input.dims);
	if (input.dims != kept->dims)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("vectors to train on differ in dimensions: %d "
							   "and %d",
							   kept->dims, input.dims)));
	*norm = 0.0;
	for (int i = 0; i < input.dims; i++)
	{
		x[i] = (float) input.dense[i];
		*norm += (double) x[i] * x[i];
	}
	return x;
}

/* Error if an id comes twice: it cannot have two buckets. */
static void
set_bucket(HxTraining *training, Kept *kept, int64 id, uint32 bucket)
{
	uint32 before = kept->ids.count;
	uint32 number = HxNumberId(training, &kept->ids, id);

	if (number < before)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("id " INT64_FORMAT " comes twice, expected one "
							   "vector of each",
							   id)));
	if (kept->ids.room > kept->bucket_room)
	{
		kept->bucket = HxTrainGrow(training, kept->bucket, kept->bucket_room,
								   kept->ids.room, sizeof(uint32), "buckets");
		kept->bucket_room = kept->ids.room;
	}
	kept->bucket[number] = bucket;
}

static void
take_vector(HxTraining *training, const Datum *values)
{
	Kept *kept = training->taken;
	uint64 key[MOST_TABLES];
	double norm;
	float *x = read_row(training, kept, values[0], &norm);
	double distance = kept->threshold * kept->threshold * norm;
	uint32 near;

	training->seen++;
	make_keys(kept, x, key);
	near = find_near(kept, x, key, &distance);
	if (near == 0)
		near = 1 + keep_vector(training, kept, x, norm, key);
	else
		kept->error += distance;
	kept->squares += norm;
	set_bucket(training, kept, HxReadId(training, 1, values[1]), near - 1);
}

/* The loss is the share of the vectors' squared length that is lost. */
static void
train_dedup(HxTraining *training, HxDraft *draft)
{
	Kept *kept = training->taken;
	uint32 *now =
		HxTrainAlloc(training, kept->ids.count, sizeof(uint32), "buckets");
	uint32 *bucket =
		HxTrainAlloc(training, kept->ids.count, sizeof(uint32), "buckets");

	HxSortIds(training, &kept->ids, now);
	for (uint32 i = 0; i < kept->ids.count; i++)
		bucket[now[i]] = kept->bucket[i];
	HxStartMap(training, draft, (int) kept->count);
	draft->loss = kept->squares > 0.0 ? kept->error / kept->squares : 0.0;
	draft->tables = 1;
	HxDraftBuckets(&draft->table[0], &kept->ids, bucket, kept->count);
}

static const char *const dedup_keys[] = {"threshold", "seed", NULL};

static const HxIntake dedup_intake = {start_kept, take_vector};

const HxMethod HxMethodDedup = {.id = HX_METHOD_DEDUP,
								.keys = dedup_keys,
								.needs_rows = true,
								.intake = &dedup_intake,
								.train = train_dedup};
