/*
 * procrustes.c
 *	  The rotation nearest to a matrix.
 */
#include "encoder/math/matrix.h"

#include <math.h>
#include <string.h>

/* Steps after which an iteration gives up */
#define MAX_STEPS 60

/* Greatest singular value of m (n x n), from below, by the power method */
static double
estimate_norm(const double *m, int n)
{
	double *x = hx_matrix_alloc(n, sizeof(double));
	double *y = hx_matrix_alloc(n, sizeof(double));
	HxRandom random;
	double norm = 0.0;

	hx_seed_random(&random, 1);
	for (int i = 0; i < n; i++)
		x[i] = hx_random_normal(&random);
	for (int step = 0; step < 12; step++)
	{
		double length = sqrt(hx_dot(x, x, n));

		if (!(length > 0.0))
			break;
		for (int i = 0; i < n; i++)
			x[i] /= length;
		for (int i = 0; i < n; i++)
			y[i] = hx_dot(m + (size_t) i * n, x, n);
		norm = sqrt(hx_dot(y, y, n));
		memset(x, 0, n * sizeof(double));
		for (int i = 0; i < n; i++)
			hx_add_multiple(x, y[i], m + (size_t) i * n, n);
	}
	hx_matrix_free(x);
	hx_matrix_free(y);
	return norm;
}

/*
 * Newton-Schulz: r = r (3 I - r' r) / 2 takes singular values below sqrt 3 to
 * 1, small ones slowly and all in the end quadratically.  Were they reached?
 */
static int
straighten(double *r, int n)
{
	size_t size = (size_t) n * n;
	double *gram = hx_matrix_alloc(size, sizeof(double));
	double *next = hx_matrix_alloc(size, sizeof(double));
	double error = 1.0;

	for (int step = 0; step < MAX_STEPS && error > 1e-13 * n; step++)
	{
		error = 0.0;
		hx_multiply(HX_TRANSPOSED, HX_AS_IS, n, n, n, r, r, 0.0, gram);
		for (int i = 0; i < n; i++)
		{
			for (int j = 0; j < n; j++)
			{
				double *cell = gram + (size_t) i * n + j;
				double off = fabs(*cell - (i == j));

				error = off > error || off != off ? off : error;
				*cell = ((i == j) * 3.0 - *cell) / 2.0;
			}
		}
		hx_multiply(HX_AS_IS, HX_AS_IS, n, n, n, r, gram, 0.0, next);
		memcpy(r, next, size * sizeof(double));
	}
	hx_matrix_free(gram);
	hx_matrix_free(next);
	return error <= 1e-13 * n;
}

/*
 * Singular values that differ greatly make the iteration slow, or wrong where
 * they are 0: then the decomposition itself is made.
 */
void
hx_procrustes(const double *m, int n, double *r)
{
	size_t size = (size_t) n * n;
	double norm = estimate_norm(m, n);
	double *u;
	double *v;
	double *values;
	HxRandom random;

	if (norm > 0.0)
	{
		for (size_t i = 0; i < size; i++)
			r[i] = m[i] / (1.1 * norm);
		if (straighten(r, n))
			return;
	}
	u = hx_matrix_alloc(size, sizeof(double));
	v = hx_matrix_alloc(size, sizeof(double));
	values = hx_matrix_alloc(n, sizeof(double));
	hx_svd(m, n, n, u, values, v);
	hx_seed_random(&random, 1);
	(void) hx_orthonormalize(u, n, n, &random);
	hx_multiply(HX_TRANSPOSED, HX_AS_IS, n, n, n, u, v, 0.0, r);
	hx_matrix_free(u);
	hx_matrix_free(v);
	hx_matrix_free(values);
}
