/*
 * truth.c
 *	  The exact answers: of every query and filter, how many rows match and how
 *	  far the k-th of them is.
 *
 *	truth FOLDER
 */
#include "data.h"

int
main(int argc, char **argv)
{
	BenchSet set;
	BenchTruth *truth;
	uint16_t *distances;

	if (argc < 2)
		bench_fail("usage: truth FOLDER");
	bench_open(&set, argv[1], BENCH_COLUMNS);
	truth = bench_alloc(sizeof(BenchTruth) * set.queries * bench_filter_count);
	distances = bench_alloc(sizeof(uint16_t) * set.rows);
	for (size_t q = 0; q < set.queries; q++)
	{
		bench_distances(&set, q, distances);
		for (int f = 0; f < bench_filter_count; f++)
			bench_find_truth(&set, bench_filters + f, q, distances,
							 truth + f * set.queries + q);
	}
	bench_write(argv[1], "truth.bin", truth,
				sizeof(BenchTruth) * set.queries * bench_filter_count);
	return 0;
}
