/*
 * truth.c
 *	  The exact answers: of every query and filter, how many rows match and how
 *	  far the k-th of them is.
 *
 *	truth FOLDER
 *
 * Distances are small whole numbers, so a histogram of the matching rows'
 * distances holds every k-th at once and ties need no order.
 */
#include <stdlib.h>
#include <string.h>

#include "data.h"

/* Rows whose masks are made at a time: what stays in the first-level cache */
#define CHUNK 8192

static void
read_histogram(const uint32_t *histogram, size_t bits, BenchTruth *truth)
{
	uint32_t sum = 0;
	int next = 0;

	for (size_t d = 0; d <= bits; d++)
	{
		sum += histogram[d];
		while (next < BENCH_KS && sum >= (uint32_t) bench_k[next])
			truth->kth[next++] = (uint16_t) d;
	}
	truth->matches = sum;
	/* Fewer matches than k: the farthest is the min(k, matches)-th */
	for (size_t d = bits + 1; sum > 0 && next < BENCH_KS && d-- > 0;)
		while (next < BENCH_KS && histogram[d] > 0)
			truth->kth[next++] = (uint16_t) d;
}

int
main(int argc, char **argv)
{
	BenchSet set;
	BenchTruth *truth;
	uint32_t *histogram;
	uint16_t *distance;
	uint8_t mask[CHUNK];
	size_t bits;

	if (argc < 2)
		bench_fail("usage: truth FOLDER");
	bench_open(&set, argv[1], BENCH_COLUMNS);
	bits = set.bytes * 8;
	if (bits > UINT16_MAX)
		bench_fail("codes of %zu bits are longer than %d", bits, UINT16_MAX);
	truth = bench_alloc(sizeof(BenchTruth) * set.queries * bench_filter_count);
	histogram = bench_alloc(sizeof(uint32_t) * (bits + 1));
	distance = bench_alloc(sizeof(uint16_t) * set.rows);
	for (size_t q = 0; q < set.queries; q++)
	{
		const uint8_t *query = set.query_codes + q * set.bytes;

		for (size_t i = 0; i < set.rows; i++)
			distance[i] = (uint16_t) bench_hamming(
				query, set.codes + i * set.bytes, set.bytes);
		for (int f = 0; f < bench_filter_count; f++)
		{
			memset(histogram, 0, sizeof(uint32_t) * (bits + 1));
			for (size_t i = 0; i < set.rows; i += CHUNK)
			{
				size_t n = set.rows - i < CHUNK ? set.rows - i : CHUNK;

				bench_filters[f].match(&set, set.params + q, i, n, mask);
				for (size_t j = 0; j < n; j++)
					histogram[distance[i + j]] += mask[j];
			}
			read_histogram(histogram, bits, truth + f * set.queries + q);
		}
	}
	bench_write(argv[1], "truth.bin", truth,
				sizeof(BenchTruth) * set.queries * bench_filter_count);
	return 0;
}
