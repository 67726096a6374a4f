/*
 * vectors.h
 *	  A benchmark's sparse vectors in files.
 *
 * Beside what data.h says, a folder of sparse vectors holds, without headers:
 *
 *	dims                       one number as text
 *	docs.start.bin             uint64: where each document's weights begin, and
 *	                           at the end where the last one's end
 *	docs.dims.bin              int32: dimensions from 0, ascending in a document
 *	docs.weights.bin           float
 *	queries.*.bin              likewise
 *	rnd.bin                    int32 a document: 0 .. 999,999, uniform
 *	label.bin, labels.txt      optional, as in data.h
 */
#ifndef BENCH_VECTORS_H
#define BENCH_VECTORS_H

#include "data.h"

/* Vectors, one after the other */
typedef struct BenchVectors
{
	size_t count;
	const uint64_t *start;
	const int32_t *dims;
	const float *weights;
} BenchVectors;

/* A folder, mapped */
typedef struct BenchSparse
{
	int dims;
	BenchVectors docs;
	BenchVectors queries;
	const int32_t *rnd;
	const int16_t *label; /* NULL: none */
	char *labels;		  /* names, one a line */
} BenchSparse;

static inline int
bench_nnz(const BenchVectors *vectors, size_t i)
{
	return (int) (vectors->start[i + 1] - vectors->start[i]);
}

#endif /* BENCH_VECTORS_H */
