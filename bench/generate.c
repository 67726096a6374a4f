/*
 * generate.c
 *	  Codes that are distributed like those of real embeddings, from a seed.
 *
 *	generate FOLDER ROWS QUERIES [SEED]
 *
 * Codes of 512 bits, each the signs of projections of a hidden point: a place
 * in a tree of clusters (32 x 32 x 16, some much fuller than others) plus its
 * own offset, in 96 dimensions of falling weight.  Hidden dimensions make bits
 * depend on each other, which codes of independent flips around a centre lack:
 * that is what spreads distances, and what makes real codes hard for a search.
 * The constants were fitted to codes of 117,791 sentence embeddings: standard
 * deviation of distances 24, and to the 1st, 10th and 100th neighbour of a
 * query 142, 163 and 181 there.  Queries are drawn from the same tree with a
 * larger offset and are no rows.
 *
 * Integers only: the same seed gives the same files on every machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

#define BITS 512
#define BYTES (BITS / 8)
#define HIDDEN 96
#define ROOTS 32
#define BRANCHES 1024
#define LEAVES 16384
#define FALL 28

/* Weights of the tree's levels and of a point's own offset, in 1/256 */
#define ROOT_WEIGHT 120
#define BRANCH_WEIGHT 110
#define LEAF_WEIGHT 100
#define OWN_LEAST 90
#define OWN_SPREAD 110
#define QUERY_MORE 70
/* Noise of a single bit, against a projection's 256 */
#define BIT_NOISE 80
/* How far a bit's threshold lies from the middle, likewise */
#define BIT_BIAS 60

/* Streams of random numbers: one a use, so that none depends on another */
enum
{
	STREAM_PROJECTION = 1,
	STREAM_BIAS,
	STREAM_ROOT,
	STREAM_BRANCH,
	STREAM_LEAF,
	STREAM_ROW,
	STREAM_QUERY
};

typedef struct Tree
{
	int16_t projection[BITS][HIDDEN];
	int32_t bias[BITS];
	int16_t place[LEAVES][HIDDEN]; /* a leaf with all above it */
	int32_t scale;				   /* a projection's standard deviation */
} Tree;

/* Bell-shaped, standard deviation about 1,182: the sum of four uniforms */
static int32_t
bell(uint64_t bits)
{
	int32_t sum = (int32_t) (bits & 0xffff) + (int32_t) (bits >> 16 & 0xffff) +
				  (int32_t) (bits >> 32 & 0xffff) + (int32_t) (bits >> 48);

	return (sum - 2 * 65535) / 32;
}

/* Weight of a hidden dimension, in 1/256: falling, slower and slower */
static int32_t
weight(int dimension)
{
	return 256 * FALL / (FALL + dimension);
}

/* 0 .. count-1, the lower the likelier */
static uint32_t
skewed(uint64_t bits, uint32_t count)
{
	uint64_t u = bits >> 32;

	return (uint32_t) ((u * u >> 32) * count >> 32);
}

/* Square root, rounded down */
static int32_t
root(int64_t x)
{
	int64_t r = 0;

	for (int64_t step = (int64_t) 1 << 31; step > 0; step >>= 1)
		if ((r + step) * (r + step) <= x)
			r += step;
	return (int32_t) r;
}

/* Add `share`/256 of a random place of the stream to the point */
static void
wander(int32_t *point, uint64_t stream, uint64_t number, int32_t share)
{
	for (int d = 0; d < HIDDEN; d++)
		point[d] += bell(bench_random(stream, number * HIDDEN + d)) * share /
					256 * weight(d) / 256;
}

static void
plant(Tree *tree, uint64_t seed)
{
	int64_t variance = 0;

	for (int b = 0; b < BITS; b++)
		for (int d = 0; d < HIDDEN; d++)
			tree->projection[b][d] =
				bell(bench_random(seed + STREAM_PROJECTION, b * HIDDEN + d)) /
				32;
	for (int leaf = 0; leaf < LEAVES; leaf++)
	{
		int32_t point[HIDDEN] = {0};

		wander(point, seed + STREAM_ROOT, leaf / (LEAVES / ROOTS), ROOT_WEIGHT);
		wander(point, seed + STREAM_BRANCH, leaf / (LEAVES / BRANCHES),
			   BRANCH_WEIGHT);
		wander(point, seed + STREAM_LEAF, leaf, LEAF_WEIGHT);
		for (int d = 0; d < HIDDEN; d++)
		{
			tree->place[leaf][d] = (int16_t) point[d];
			variance += (int64_t) point[d] * point[d];
		}
	}
	/* A projection's entries have a standard deviation of 1182 / 32 */
	tree->scale = root(variance / LEAVES) * 37;
	for (int b = 0; b < BITS; b++)
		tree->bias[b] =
			(int32_t) ((int64_t) bell(bench_random(seed + STREAM_BIAS, b)) *
					   tree->scale / 1182 * BIT_BIAS / 256);
}

/* Code number i of the stream */
static void
make_code(const Tree *tree, uint64_t stream, uint64_t i, int more,
		  uint8_t *code)
{
	uint64_t own = bench_random(stream, i) ^ 0x6a09e667f3bcc909u;
	uint32_t branch = skewed(bench_random(own, 0), BRANCHES);
	uint32_t within = skewed(bench_random(own, 1), LEAVES / BRANCHES);
	int32_t share =
		OWN_LEAST + more + (int32_t) (bench_random(own, 2) % OWN_SPREAD);
	int32_t point[HIDDEN];
	int16_t narrow[HIDDEN];

	/* The fuller branches are spread over the roots */
	branch = branch * 389 % BRANCHES;
	for (int d = 0; d < HIDDEN; d++)
		point[d] = tree->place[branch * (LEAVES / BRANCHES) + within][d];
	wander(point, own + 1, 0, share);
	for (int d = 0; d < HIDDEN; d++)
		narrow[d] = (int16_t) point[d];

	memset(code, 0, BYTES);
	for (int b = 0; b < BITS; b++)
	{
		int32_t sum = 0;
		int64_t noise = bell(bench_random(own + 2, b));

		for (int d = 0; d < HIDDEN; d++)
			sum += tree->projection[b][d] * narrow[d];
		if (sum + noise * tree->scale / 1182 * BIT_NOISE / 256 > tree->bias[b])
			code[b / 8] |= 0x80 >> b % 8;
	}
}

static void
make_file(const Tree *tree, const char *folder, const char *name,
		  uint64_t stream, size_t count, int more)
{
	uint8_t *codes = bench_alloc(count * BYTES);

	for (size_t i = 0; i < count; i++)
		make_code(tree, stream, i, more, codes + i * BYTES);
	bench_write(folder, name, codes, count * BYTES);
	free(codes);
}

int
main(int argc, char **argv)
{
	Tree *tree = bench_alloc(sizeof(Tree));
	uint64_t seed;

	if (argc < 4)
		bench_fail("usage: generate FOLDER ROWS QUERIES [SEED]");
	/* Streams of different seeds lie far apart */
	seed = bench_random(argc > 4 ? strtoull(argv[4], NULL, 10) : 1, 0);
	(void) mkdir(argv[1], 0777);
	plant(tree, seed);
	make_file(tree, argv[1], "codes.bin", seed + STREAM_ROW,
			  strtoull(argv[2], NULL, 10), 0);
	make_file(tree, argv[1], "queries.bin", seed + STREAM_QUERY,
			  strtoull(argv[3], NULL, 10), QUERY_MORE);
	bench_write(argv[1], "dims", "512\n", 4);
	return 0;
}
