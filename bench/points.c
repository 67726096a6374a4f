/*
 * points.c
 *	  Dense vectors that are distributed like embeddings, from a seed.
 *
 *	points FOLDER ROWS DIMS QUERIES [SEED]
 *
 * A row is the mean, plus the place of one of 60 regions, of one of 6,000
 * clusters (some much fuller than others), and its own offset: each bell-shaped
 * with weights that fall along the dimensions, a variance of i^-3/4.  All is then
 * turned, so that no dimension tells more than another: two rounds of random
 * signs, Hadamard's matrix in blocks, and a permutation.  Queries are drawn from
 * the same clusters with a larger offset and are no rows.
 *
 * Writes what embeddings.c reads: dense.i8 and dense.scale.f32, a row's factor;
 * mean.f32; queries.f32; and no truth.  DIMS is a multiple of 64.  Sums,
 * products, quotients and roots only: the same seed gives the same files on every
 * machine of IEEE's floats.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

#define REGIONS 60
#define CLUSTERS 6000
#define ROUNDS 2

/* Weights of the parts */
#define MEAN 0.6f
#define REGION 0.55f
#define CLUSTER 0.5f
#define OWN_LEAST 0.4f
#define OWN_SPREAD 0.3f
#define QUERY_OWN 0.75f

/* Streams of random numbers: one a use */
enum
{
	STREAM_MEAN = 2001,
	STREAM_REGION,
	STREAM_CLUSTER,
	STREAM_SIGN,
	STREAM_PLACE,
	STREAM_ROW,
	STREAM_QUERY
};

typedef struct Space
{
	uint64_t seed;
	int dims;
	int block;	   /* of Hadamard's matrices: divides dims, a power of 2 */
	float *weight; /* of a dimension; their squares add up to 1 */
	float *place;  /* CLUSTERS x dims, before the turn */
	double sums[CLUSTERS]; /* of shares, up to this cluster's */
	float *sign;		   /* ROUNDS x dims */
	int *moved;			   /* ROUNDS x dims: where a dimension goes */
} Space;

static float
uniform(uint64_t bits)
{
	return (float) (bits >> 40) / 16777216.0f;
}

/* Bell-shaped, of variance 1: the sum of four uniforms */
static float
bell(uint64_t stream, uint64_t number)
{
	uint64_t bits = bench_random(stream, number);
	int32_t sum = (int32_t) (bits & 0xffff) + (int32_t) (bits >> 16 & 0xffff) +
				  (int32_t) (bits >> 32 & 0xffff) + (int32_t) (bits >> 48);

	return (float) (sum - 2 * 65535) / 37837.2f;
}

static void
make_weights(Space *space)
{
	double sum = 0;

	for (int d = 0; d < space->dims; d++)
	{
		double quarter = sqrt(sqrt(d + 1.0));

		space->weight[d] = (float) (1 / (quarter * sqrt(quarter)));
		sum += (double) space->weight[d] * space->weight[d];
	}
	for (int d = 0; d < space->dims; d++)
		space->weight[d] = (float) (space->weight[d] / sqrt(sum));
}

static void
make_places(Space *space)
{
	uint64_t seed = space->seed;
	int dims = space->dims;
	double sum = 0;

	for (int c = 0; c < CLUSTERS; c++)
	{
		uint64_t own = bench_random(seed + STREAM_CLUSTER, c);
		float u = uniform(bench_random(own, 0));
		uint64_t region = (uint64_t) (u * u * REGIONS);

		for (int d = 0; d < dims; d++)
			space->place[(size_t) c * dims + d] =
				MEAN * bell(seed + STREAM_MEAN, d) / sqrtf((float) dims) +
				space->weight[d] *
					(REGION * bell(seed + STREAM_REGION, region * dims + d) +
					 CLUSTER * bell(own, d + 1));
		space->sums[c] = sum += 1 / sqrt((c + 1) * sqrt(c + 1));
	}
}

static void
make_turn(Space *space)
{
	for (int round = 0; round < ROUNDS; round++)
	{
		float *sign = space->sign + round * space->dims;
		int *moved = space->moved + round * space->dims;

		for (int d = 0; d < space->dims; d++)
		{
			uint64_t number = (uint64_t) round * space->dims + d;
			int other =
				(int) (bench_random(space->seed + STREAM_PLACE, number) %
					   (d + 1));

			sign[d] =
				bench_random(space->seed + STREAM_SIGN, number) & 1 ? 1 : -1;
			moved[d] = moved[other];
			moved[other] = d;
		}
	}
}

static Space *
make_space(uint64_t seed, int dims)
{
	Space *space = bench_alloc(sizeof(Space));

	if (dims < 64 || dims % 64 != 0)
		bench_fail("%d dimensions, expected a multiple of 64", dims);
	space->seed = seed;
	space->dims = dims;
	for (space->block = 1; dims % (space->block * 2) == 0;)
		space->block *= 2;
	space->weight = bench_alloc(sizeof(float) * dims);
	space->place = bench_alloc(sizeof(float) * dims * CLUSTERS);
	space->sign = bench_alloc(sizeof(float) * dims * ROUNDS);
	space->moved = bench_alloc(sizeof(int) * dims * ROUNDS);
	make_weights(space);
	make_places(space);
	make_turn(space);
	return space;
}

/* Multiply by Hadamard's matrix, scaled to keep lengths */
static void
hadamard(float *x, int n)
{
	float scale = 1 / sqrtf((float) n);

	for (int half = 1; half < n; half *= 2)
		for (int i = 0; i < n; i += 2 * half)
			for (int j = i; j < i + half; j++)
			{
				float a = x[j], b = x[j + half];

				x[j] = a + b;
				x[j + half] = a - b;
			}
	for (int i = 0; i < n; i++)
		x[i] *= scale;
}

static void
turn(const Space *space, float *x, float *scratch)
{
	int dims = space->dims;

	for (int round = 0; round < ROUNDS; round++)
	{
		for (int d = 0; d < dims; d++)
			scratch[d] = x[d] * space->sign[round * dims + d];
		for (int d = 0; d < dims; d += space->block)
			hadamard(scratch + d, space->block);
		for (int d = 0; d < dims; d++)
			x[space->moved[round * dims + d]] = scratch[d];
	}
}

/* A cluster, each as likely as its share */
static int
draw_cluster(const Space *space, uint64_t bits)
{
	double at = uniform(bits) * space->sums[CLUSTERS - 1];
	int low = 0, high = CLUSTERS - 1;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (space->sums[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Point number i of the stream, which spreads around its place as told */
static void
make_point(const Space *space, uint64_t stream, uint64_t i, float least,
		   float spread, float *x, float *scratch)
{
	uint64_t own = bench_random(space->seed + stream, i);
	size_t cluster = draw_cluster(space, bench_random(own, 0));
	float share = least + spread * uniform(bench_random(own, 1));

	for (int d = 0; d < space->dims; d++)
		x[d] = space->place[cluster * space->dims + d] +
			   share * space->weight[d] * bell(own + 1, d);
	turn(space, x, scratch);
}

/* A row as small integers and the factor that it is returned */
static float
shorten(const float *x, int dims, int8_t *row)
{
	float most = 0;

	for (int d = 0; d < dims; d++)
		most = fabsf(x[d]) > most ? fabsf(x[d]) : most;
	for (int d = 0; d < dims; d++)
		row[d] = (int8_t) lrintf(x[d] / most * 127);
	return most / 127;
}

static void
make_rows(const Space *space, const char *folder, size_t rows)
{
	int dims = space->dims;
	int8_t *dense = bench_alloc(rows * dims);
	float *scale = bench_alloc(sizeof(float) * rows);
	float *x = bench_alloc(sizeof(float) * dims);
	float *scratch = bench_alloc(sizeof(float) * dims);
	double *sum = bench_alloc(sizeof(double) * dims);

	for (size_t i = 0; i < rows; i++)
	{
		make_point(space, STREAM_ROW, i, OWN_LEAST, OWN_SPREAD, x, scratch);
		scale[i] = shorten(x, dims, dense + i * dims);
		for (int d = 0; d < dims; d++)
			sum[d] += x[d];
	}
	for (int d = 0; d < dims; d++)
		x[d] = (float) (sum[d] / rows);
	bench_write(folder, "dense.i8", dense, rows * dims);
	bench_write(folder, "dense.scale.f32", scale, sizeof(float) * rows);
	bench_write(folder, "mean.f32", x, sizeof(float) * dims);
}

static void
make_queries(const Space *space, const char *folder, size_t queries)
{
	int dims = space->dims;
	float *x = bench_alloc(sizeof(float) * dims * queries);
	float *scratch = bench_alloc(sizeof(float) * dims);

	for (size_t i = 0; i < queries; i++)
		make_point(space, STREAM_QUERY, i, QUERY_OWN, 0, x + i * dims, scratch);
	bench_write(folder, "queries.f32", x, sizeof(float) * dims * queries);
}

int
main(int argc, char **argv)
{
	Space *space;

	if (argc < 5)
		bench_fail("usage: points FOLDER ROWS DIMS QUERIES [SEED]");
	/* Streams of different seeds lie far apart */
	space =
		make_space(bench_random(argc > 5 ? strtoull(argv[5], NULL, 10) : 1, 0),
				   atoi(argv[3]));
	(void) mkdir(argv[1], 0777);
	make_rows(space, argv[1], strtoull(argv[2], NULL, 10));
	make_queries(space, argv[1], strtoull(argv[4], NULL, 10));
	return 0;
}
