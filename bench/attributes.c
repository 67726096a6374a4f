/*
 * attributes.c
 *	  Attribute columns of a data folder, and its queries' constants.
 *
 *	attributes FOLDER [CLUSTERS [SEED]]
 *
 * Random columns come from the seed.  Neighbourhoods are the nearest of pivot
 * rows.  "Finer than a block" needs an attribute that a query's neighbours
 * share with each other but not with the rows around them, or an index could
 * tell from a block what its rows will answer.  So rows are clustered here as
 * an index might (k-majority, CLUSTERS clusters, by default the square root of
 * the rows times four), and the filter of query q passes the rows that lie
 * nearer to q than their cluster's centre does, by 12 bits or more.  Of an
 * index's own blocks this knows nothing: an attribute that did would follow
 * one index and miss another.
 *
 * A column for each query would be a thousand columns.  Eight hold one query
 * number a row each: query q is column q mod 8, value q / 8, and a row that
 * would pass several queries of a column is given to one of them by lot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data.h"

#define MARGIN 12
#define ROUNDS 5
#define SAMPLE_PER_CLUSTER 40

enum
{
	STREAM_RND = 101,
	STREAM_CAT,
	STREAM_NUL,
	STREAM_TAGS,
	STREAM_PIVOT,
	STREAM_SAMPLE,
	STREAM_LOT,
	STREAM_QUERY
};

static uint64_t seed = 1;

static uint64_t
random_of(uint64_t stream, uint64_t i)
{
	return bench_random(seed * 1000 + stream, i);
}

/* A tag of 64, the lower the likelier */
static int
random_tag(uint64_t bits)
{
	uint64_t u = bits >> 32;

	return (int) ((u * u >> 32) * 64 >> 32);
}

/* Number and distance of the nearest of `count` codes */
static size_t
nearest(const BenchSet *set, const uint8_t *code, const uint8_t *codes,
		size_t count, int *distance)
{
	size_t best = 0;

	*distance = 1 << 30;
	for (size_t i = 0; i < count; i++)
	{
		int d = bench_hamming(code, codes + i * set->bytes, set->bytes);

		if (d < *distance)
		{
			*distance = d;
			best = i;
		}
	}
	return best;
}

static size_t
farthest(const BenchSet *set, const uint8_t *code, const uint8_t *codes,
		 size_t count)
{
	size_t best = 0;
	int distance = -1;

	for (size_t i = 0; i < count; i++)
	{
		int d = bench_hamming(code, codes + i * set->bytes, set->bytes);

		if (d > distance)
		{
			distance = d;
			best = i;
		}
	}
	return best;
}

static void
write_random_columns(const BenchSet *set)
{
	size_t rows = set->rows;
	int32_t *rnd = bench_alloc(4 * rows);
	int16_t *cat = bench_alloc(2 * rows);
	int16_t *nul = bench_alloc(2 * rows);
	uint64_t *tags = bench_alloc(8 * rows);

	for (size_t i = 0; i < rows; i++)
	{
		uint64_t u = random_of(STREAM_NUL, i) % 200;

		rnd[i] = (int32_t) (random_of(STREAM_RND, i) % 1000000);
		cat[i] = (int16_t) (random_of(STREAM_CAT, i) % 20);
		nul[i] = u < 10 ? BENCH_NULL : (int16_t) (u % 10);
		for (int t = 0; t < 4; t++)
			tags[i] |= (uint64_t) 1
					   << random_tag(random_of(STREAM_TAGS, 4 * i + t));
	}
	bench_write(set->folder, "rnd.bin", rnd, 4 * rows);
	bench_write(set->folder, "cat.bin", cat, 2 * rows);
	bench_write(set->folder, "nul.bin", nul, 2 * rows);
	bench_write(set->folder, "tags.bin", tags, 8 * rows);
	free(rnd);
	free(cat);
	free(nul);
	free(tags);
}

/* Rows drawn at random, one code after the other */
static uint8_t *
draw_rows(const BenchSet *set, uint64_t stream, size_t count)
{
	uint8_t *codes = bench_alloc(count * set->bytes);

	for (size_t i = 0; i < count; i++)
		memcpy(codes + i * set->bytes,
			   set->codes + random_of(stream, i) % set->rows * set->bytes,
			   set->bytes);
	return codes;
}

static void
write_neighbourhoods(const BenchSet *set, const uint8_t *pivots)
{
	int16_t *coarse = bench_alloc(2 * set->rows);
	int16_t *fine = bench_alloc(2 * set->rows);
	int distance;

	for (size_t i = 0; i < set->rows; i++)
	{
		const uint8_t *code = set->codes + i * set->bytes;

		coarse[i] = nearest(set, code, pivots, BENCH_COARSE_PIVOTS, &distance);
		fine[i] = nearest(set, code, pivots, BENCH_FINE_PIVOTS, &distance);
	}
	bench_write(set->folder, "near64.bin", coarse, 2 * set->rows);
	bench_write(set->folder, "near4096.bin", fine, 2 * set->rows);
	free(coarse);
	free(fine);
}

static void
write_params(const BenchSet *set, const uint8_t *pivots)
{
	BenchParams *params = bench_alloc(sizeof(BenchParams) * set->queries);
	int distance;

	for (size_t q = 0; q < set->queries; q++)
	{
		BenchParams *p = params + q;
		const uint8_t *code = set->query_codes + q * set->bytes;
		uint64_t u = random_of(STREAM_QUERY, q);

		p->number = (int16_t) q;
		p->own64 = nearest(set, code, pivots, BENCH_COARSE_PIVOTS, &distance);
		p->own4096 = nearest(set, code, pivots, BENCH_FINE_PIVOTS, &distance);
		p->opposite64 = farthest(set, code, pivots, BENCH_COARSE_PIVOTS);
		p->opposite4096 = farthest(set, code, pivots, BENCH_FINE_PIVOTS);
		p->cat = (int16_t) (u % 20);
		p->low = (int32_t) ((u >> 8) % 950000);
		/* Two different tags each: of all, and of the frequent ones */
		p->any[0] = (u >> 32) % 64;
		p->any[1] = (p->any[0] + 1 + (u >> 38) % 63) % 64;
		p->both[0] = (u >> 44) % 8;
		p->both[1] = (p->both[0] + 1 + (u >> 48) % 7) % 8;
	}
	bench_write(set->folder, "params.bin", params,
				sizeof(BenchParams) * set->queries);
	free(params);
}

/* Move each centre to the majority of the sampled rows nearest to it */
static void
move_centres(const BenchSet *set, uint8_t *centres, size_t clusters, int round)
{
	size_t bits = set->bytes * 8, sample = clusters * SAMPLE_PER_CLUSTER;
	uint32_t *ones = bench_alloc(sizeof(uint32_t) * clusters * bits);
	uint32_t *size = bench_alloc(sizeof(uint32_t) * clusters);
	int distance;

	if (sample > set->rows)
		sample = set->rows;
	for (size_t s = 0; s < sample; s++)
	{
		size_t i = random_of(STREAM_SAMPLE + round * 16, s) % set->rows;
		const uint8_t *code = set->codes + i * set->bytes;
		size_t c = nearest(set, code, centres, clusters, &distance);

		size[c]++;
		for (size_t b = 0; b < bits; b++)
			ones[c * bits + b] += code[b / 8] >> (7 - b % 8) & 1;
	}
	for (size_t c = 0; c < clusters; c++)
	{
		uint8_t *centre = centres + c * set->bytes;

		/* Without rows of its own it stays a row */
		if (size[c] == 0)
			continue;
		memset(centre, 0, set->bytes);
		for (size_t b = 0; b < bits; b++)
			if (2 * ones[c * bits + b] > size[c])
				centre[b / 8] |= 0x80 >> b % 8;
	}
	free(ones);
	free(size);
}

static void
write_fine(const BenchSet *set, size_t clusters)
{
	uint8_t *centres = draw_rows(set, STREAM_SAMPLE, clusters);
	uint32_t *cluster = bench_alloc(sizeof(uint32_t) * set->rows);
	int *to_centre = bench_alloc(sizeof(int) * clusters);
	int16_t *fine = bench_alloc(2 * set->rows);
	uint64_t *lot = bench_alloc(8 * set->rows);
	int distance;

	for (int round = 1; round <= ROUNDS; round++)
		move_centres(set, centres, clusters, round);
	for (size_t i = 0; i < set->rows; i++)
		cluster[i] = nearest(set, set->codes + i * set->bytes, centres,
							 clusters, &distance);
	for (int column = 0; column < BENCH_FINE; column++)
	{
		char name[32];

		for (size_t i = 0; i < set->rows; i++)
			fine[i] = -1;
		for (size_t q = column; q < set->queries; q += BENCH_FINE)
		{
			const uint8_t *query = set->query_codes + q * set->bytes;

			for (size_t c = 0; c < clusters; c++)
				to_centre[c] =
					bench_hamming(query, centres + c * set->bytes, set->bytes);
			for (size_t i = 0; i < set->rows; i++)
			{
				int d = bench_hamming(query, set->codes + i * set->bytes,
									  set->bytes);
				uint64_t draw;

				if (d >= to_centre[cluster[i]] - MARGIN)
					continue;
				draw = random_of(STREAM_LOT + 16 * q, i);
				if (fine[i] >= 0 && draw >= lot[i])
					continue;
				fine[i] = (int16_t) (q / BENCH_FINE);
				lot[i] = draw;
			}
		}
		snprintf(name, sizeof name, "fine%d.bin", column);
		bench_write(set->folder, name, fine, 2 * set->rows);
	}
	free(centres);
	free(cluster);
	free(to_centre);
	free(fine);
	free(lot);
}

/* The least whole number whose square is at least n */
static size_t
square_root(size_t n)
{
	size_t r = 0;

	while (r * r < n)
		r++;
	return r;
}

int
main(int argc, char **argv)
{
	BenchSet set;
	uint8_t *pivots;
	size_t clusters;

	if (argc < 2)
		bench_fail("usage: attributes FOLDER [CLUSTERS [SEED]]");
	bench_open(&set, argv[1], BENCH_CODES);
	clusters =
		argc > 2 ? strtoul(argv[2], NULL, 10) : 4 * square_root(set.rows);
	if (argc > 3)
		seed = strtoull(argv[3], NULL, 10);
	if (set.rows == 0 || set.queries > INT16_MAX)
		bench_fail("expected rows, and at most %d queries", INT16_MAX);
	pivots = draw_rows(&set, STREAM_PIVOT, BENCH_FINE_PIVOTS);
	write_random_columns(&set);
	write_neighbourhoods(&set, pivots);
	write_params(&set, pivots);
	write_fine(&set, clusters);
	free(pivots);
	return 0;
}
