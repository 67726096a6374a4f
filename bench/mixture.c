/*
 * mixture.c
 *	  Vectors of a flat spectrum, in clusters of two levels, from a seed.
 *
 *	mixture FOLDER ROWS QUERIES DIMS [SEED]
 *
 * Writes a folder as embeddings.c reads it.  Real embeddings have most of their
 * variance in a quarter of their directions; here it falls as slowly as i^-0.7, so
 * that a quarter has three of four parts, and what is left out is not small.  A row
 * is one of 6,000 clusters, of uneven sizes, in one of 60 places, all about a mean,
 * with a spread of its own; in directions turned at random.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data.h"

#define PLACES 60
#define CLUSTERS 6000
#define TRUTH_K 100

/* Streams of random numbers */
enum
{
	STREAM_TURN = 101,
	STREAM_MEAN,
	STREAM_PLACE,
	STREAM_CLUSTER,
	STREAM_ROW,
	STREAM_QUERY
};

typedef struct Mixture
{
	int dims;
	uint64_t seed;
	float *turn;	/* dims x dims, orthonormal */
	float *weight;	/* of each direction */
	float *cluster; /* CLUSTERS x dims */
	double *share;	/* of rows in the clusters up to this one */
} Mixture;

static double
uniform(const Mixture *m, int stream, uint64_t i)
{
	return ((bench_random(m->seed + stream, i) >> 11) + .5) /
		   9007199254740992.0;
}

static float
normal(const Mixture *m, int stream, uint64_t i)
{
	return (float) (sqrt(-2 * log(uniform(m, stream, 2 * i))) *
					cos(6.283185307179586 * uniform(m, stream, 2 * i + 1)));
}

static float
dot(const float *a, const float *b, int dims)
{
	float lanes[16] = {0}, sum = 0;

	for (int d = 0; d + 16 <= dims; d += 16)
		for (int l = 0; l < 16; l++)
			lanes[l] += a[d + l] * b[d + l];
	for (int d = dims / 16 * 16; d < dims; d++)
		sum += a[d] * b[d];
	for (int l = 0; l < 16; l++)
		sum += lanes[l];
	return sum;
}

static void
normalize(float *x, int dims)
{
	float scale = 1 / sqrtf(dot(x, x, dims));

	for (int d = 0; d < dims; d++)
		x[d] *= scale;
}

static void
make_turn(Mixture *m)
{
	for (int i = 0; i < m->dims; i++)
	{
		float *row = m->turn + (size_t) i * m->dims;

		for (int d = 0; d < m->dims; d++)
			row[d] = normal(m, STREAM_TURN, (uint64_t) i * m->dims + d);
		for (int twice = 0; twice < 2; twice++)
		{
			for (int j = 0; j < i; j++)
			{
				const float *other = m->turn + (size_t) j * m->dims;
				float part = dot(row, other, m->dims);

				for (int d = 0; d < m->dims; d++)
					row[d] -= part * other[d];
			}
		}
		normalize(row, m->dims);
	}
}

static void
make_clusters(Mixture *m)
{
	double sum = 0;

	for (int c = 0; c < CLUSTERS; c++)
	{
		double u = uniform(m, STREAM_CLUSTER, c) *
				   uniform(m, STREAM_CLUSTER, CLUSTERS + c);
		uint64_t place = (uint64_t) (PLACES * u) * m->dims;

		for (int d = 0; d < m->dims; d++)
			m->cluster[(size_t) c * m->dims + d] =
				.6f / sqrtf(m->dims) * normal(m, STREAM_MEAN, d) +
				.55f * m->weight[d] * normal(m, STREAM_PLACE, place + d) +
				.5f * m->weight[d] *
					normal(m, STREAM_CLUSTER,
						   (uint64_t) (c + 2) * m->dims + CLUSTERS + d);
		m->share[c] = sum += pow(c + 1, -.8);
	}
}

static void
open_mixture(Mixture *m, int dims, uint64_t seed)
{
	double sum = 0;

	m->dims = dims;
	m->seed = seed;
	m->turn = bench_alloc(sizeof(float) * dims * dims);
	m->weight = bench_alloc(sizeof(float) * dims);
	m->cluster = bench_alloc(sizeof(float) * CLUSTERS * dims);
	m->share = bench_alloc(sizeof(double) * CLUSTERS);
	for (int d = 0; d < dims; d++)
		sum += pow(d + 1, -.7);
	for (int d = 0; d < dims; d++)
		m->weight[d] = (float) (pow(d + 1, -.35) / sqrt(sum));
	make_turn(m);
	make_clusters(m);
}

/* Draw a vector of unit length; `spread` 0: of a row's own. */
static void
draw(const Mixture *m, int stream, size_t i, float spread, float *to)
{
	uint64_t first = (uint64_t) i * (m->dims + 2);
	double u = uniform(m, stream, 2 * first) * m->share[CLUSTERS - 1];
	int low = 0, high = CLUSTERS - 1;
	float *x = bench_alloc(sizeof(float) * m->dims);

	while (low < high)
	{
		int middle = (low + high) / 2;

		if (m->share[middle] < u)
			low = middle + 1;
		else
			high = middle;
	}
	if (spread == 0)
		spread = .4f + .3f * (float) uniform(m, stream, 2 * first + 1);
	for (int d = 0; d < m->dims; d++)
		x[d] = m->cluster[(size_t) low * m->dims + d] +
			   spread * m->weight[d] * normal(m, stream, first + 2 + d);
	for (int d = 0; d < m->dims; d++)
		to[d] = dot(m->turn + (size_t) d * m->dims, x, m->dims);
	normalize(to, m->dims);
	free(x);
}

/* Round a vector to bytes, in place, and return the factor. */
static float
round_vector(float *x, int dims, int8_t *bytes)
{
	float greatest = 0;

	for (int d = 0; d < dims; d++)
		greatest = fmaxf(greatest, fabsf(x[d]));
	for (int d = 0; d < dims; d++)
	{
		bytes[d] = (int8_t) lrintf(x[d] * 127 / greatest);
		x[d] = bytes[d] * (greatest / 127);
	}
	return greatest / 127;
}

/* Ids of the rows nearest to a query, nearest first */
static void
find_nearest(const float *rows, size_t count, const float *query, int dims,
			 int32_t *ids)
{
	float best[TRUTH_K];
	int found = 0;

	for (size_t r = 0; r < count; r++)
	{
		const float *row = rows + r * dims;
		float own = dot(row, query, dims) / sqrtf(dot(row, row, dims));
		int at = found;

		if (found == TRUTH_K && own <= best[found - 1])
			continue;
		if (found < TRUTH_K)
			found++;
		else
			at--;
		for (; at > 0 && best[at - 1] < own; at--)
		{
			best[at] = best[at - 1];
			ids[at] = ids[at - 1];
		}
		best[at] = own;
		ids[at] = (int32_t) r;
	}
}

int
main(int argc, char **argv)
{
	Mixture m;
	size_t rows, queries;
	float *x, *asked, *scale, *mean;
	int8_t *bytes;
	int32_t *truth;

	if (argc < 5)
		bench_fail("usage: mixture FOLDER ROWS QUERIES DIMS [SEED]");
	rows = strtoull(argv[2], NULL, 10);
	queries = strtoull(argv[3], NULL, 10);
	open_mixture(&m, atoi(argv[4]), argc > 5 ? strtoull(argv[5], NULL, 10) : 1);
	if (m.dims % 8 != 0 || rows < TRUTH_K)
		bench_fail("expected a multiple of 8 dimensions, %d rows or more",
				   TRUTH_K);
	x = bench_alloc(sizeof(float) * rows * m.dims);
	bytes = bench_alloc(rows * m.dims);
	scale = bench_alloc(sizeof(float) * rows);
	mean = bench_alloc(sizeof(float) * m.dims);
	asked = bench_alloc(sizeof(float) * queries * m.dims);
	truth = bench_alloc(sizeof(int32_t) * queries * TRUTH_K);
	memset(mean, 0, sizeof(float) * m.dims);
	for (size_t r = 0; r < rows; r++)
	{
		draw(&m, STREAM_ROW, r, 0, x + r * m.dims);
		scale[r] = round_vector(x + r * m.dims, m.dims, bytes + r * m.dims);
		for (int d = 0; d < m.dims; d++)
			mean[d] += x[r * m.dims + d] / (float) rows;
	}
	for (size_t q = 0; q < queries; q++)
	{
		draw(&m, STREAM_QUERY, q, .75f, asked + q * m.dims);
		find_nearest(x, rows, asked + q * m.dims, m.dims, truth + q * TRUTH_K);
	}
	mkdir(argv[1], 0777);
	bench_write(argv[1], "mean.f32", mean, sizeof(float) * m.dims);
	bench_write(argv[1], "dense.i8", bytes, rows * m.dims);
	bench_write(argv[1], "dense.scale.f32", scale, sizeof(float) * rows);
	bench_write(argv[1], "queries.f32", asked,
				sizeof(float) * queries * m.dims);
	bench_write(argv[1], "gt_cos.ids.i32", truth,
				sizeof(int32_t) * queries * TRUTH_K);
	return 0;
}
