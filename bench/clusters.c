/*
 * clusters.c
 *	  Many codes in clusters of power-law size, from a seed.
 *
 *	clusters FOLDER ROWS QUERIES [SEED]
 *
 * Codes of 128 bits: a row's is the centre of one of 30,000 clusters, each bit
 * flipped with a chance of an eighth.  The cluster of rank r has a share of the
 * rows that falls as 1/r (Zipf): the largest has a tenth of all, the smallest
 * some millionths.  Queries are drawn likewise and are no rows.  One attribute,
 * rnd.  Row i depends on its number alone, so that the first rows of a large
 * folder are those of a small one.
 *
 * Integers, sums and quotients only: the same seed gives the same files on
 * every machine.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

#define WORDS 2
#define CLUSTERS 30000
#define RND_VALUES 1000000

/* Streams of random numbers: one a use, so that none depends on another */
enum
{
	STREAM_CENTRE = 1,
	STREAM_ROW,
	STREAM_QUERY,
	STREAM_RND
};

typedef struct Clusters
{
	uint64_t seed;
	double sums[CLUSTERS]; /* of shares, up to this cluster's */
} Clusters;

static void
make_clusters(Clusters *clusters, uint64_t seed)
{
	double sum = 0;

	clusters->seed = seed;
	for (int c = 0; c < CLUSTERS; c++)
		clusters->sums[c] = sum += 1.0 / (c + 1);
}

/* A cluster, each as likely as its share */
static int
draw_cluster(const Clusters *clusters, uint64_t bits)
{
	double at = (double) (bits >> 11) / 9007199254740992.0 *
				clusters->sums[CLUSTERS - 1];
	int low = 0, high = CLUSTERS - 1;

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (clusters->sums[middle] > at)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* Code number i of the stream */
static void
make_code(const Clusters *clusters, uint64_t stream, uint64_t i, uint64_t *code)
{
	uint64_t own = bench_random(clusters->seed + stream, i);
	int cluster = draw_cluster(clusters, bench_random(own, 0));

	for (int w = 0; w < WORDS; w++)
	{
		/* A bit is set in three random words with a chance of an eighth */
		uint64_t flips = bench_random(own, 3 * w + 1) &
						 bench_random(own, 3 * w + 2) &
						 bench_random(own, 3 * w + 3);

		code[w] = bench_random(clusters->seed + STREAM_CENTRE,
							   (uint64_t) cluster * WORDS + w) ^
				  flips;
	}
}

static void
make_codes(const Clusters *clusters, const char *folder, const char *name,
		   uint64_t stream, size_t count)
{
	uint64_t *codes = bench_alloc(count * WORDS * sizeof(uint64_t));

	for (size_t i = 0; i < count; i++)
		make_code(clusters, stream, i, codes + i * WORDS);
	bench_write(folder, name, codes, count * WORDS * sizeof(uint64_t));
	free(codes);
}

static void
make_rnd(const Clusters *clusters, const char *folder, size_t count)
{
	int32_t *rnd = bench_alloc(count * sizeof(int32_t));

	for (size_t i = 0; i < count; i++)
		rnd[i] = (int32_t) (bench_random(clusters->seed + STREAM_RND, i) %
							RND_VALUES);
	bench_write(folder, "rnd.bin", rnd, count * sizeof(int32_t));
	free(rnd);
}

int
main(int argc, char **argv)
{
	Clusters *clusters = bench_alloc(sizeof(Clusters));
	size_t rows, queries;

	if (argc < 4)
		bench_fail("usage: clusters FOLDER ROWS QUERIES [SEED]");
	rows = strtoull(argv[2], NULL, 10);
	queries = strtoull(argv[3], NULL, 10);
	/* Streams of different seeds lie far apart */
	make_clusters(clusters,
				  bench_random(argc > 4 ? strtoull(argv[4], NULL, 10) : 1, 0));
	(void) mkdir(argv[1], 0777);
	make_codes(clusters, argv[1], "codes.bin", STREAM_ROW, rows);
	make_codes(clusters, argv[1], "queries.bin", STREAM_QUERY, queries);
	make_rnd(clusters, argv[1], rows);
	bench_write(argv[1], "dims", "128\n", 4);
	return 0;
}
