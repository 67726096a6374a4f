/*
 * canonical.c
 *	  Canonical correlations: directions of two kinds of vectors that tell most
 *	  of each other.
 *
 * Both covariances are taken apart once; a ridge then only shifts their
 * eigenvalues, so that many can be tried.
 */
#include "encoder/math/canonical.h"

#include <math.h>
#include <string.h>

/* A symmetric matrix (d x d) of which the lower triangle is set, taken apart */
static int
take_apart(double *a, int d, HxCanonicalSide *side)
{
	side->d = d;
	side->values = hx_matrix_alloc(d, sizeof(double));
	side->vectors = hx_matrix_alloc((size_t) d * d, sizeof(double));
	side->mean = 0.0;
	hx_mirror(a, d);
	for (int i = 0; i < d; i++)
		side->mean += a[(size_t) i * d + i] / d;
	return hx_eigen(a, d, side->values, side->vectors);
}

/* 1 / root of an eigenvalue with a ridge, a multiple of the mean; 0 of none */
static double
inverse_root(const HxCanonicalSide *side, int i, double ridge)
{
	double value = side->values[i] > 0.0 ? side->values[i] : 0.0;

	value += ridge * side->mean;
	return value > 1e-12 * side->mean && value > 0.0 ? 1.0 / sqrt(value) : 0.0;
}

int
hx_prepare_canonical(double *xx, int d, double *yy, int e, const double *xy,
					 HxCanonical *canonical)
{
	HxCanonicalSide *x = &canonical->side[0];
	HxCanonicalSide *y = &canonical->side[1];
	double *half;

	canonical->alike = yy == NULL;
	if (take_apart(xx, d, x) != 0)
		return -1;
	if (canonical->alike)
		*y = *x;
	else if (take_apart(yy, e, y) != 0)
		return -1;
	half = hx_matrix_alloc((size_t) d * y->d, sizeof(double));
	canonical->products = hx_matrix_alloc((size_t) d * y->d, sizeof(double));
	hx_multiply(HX_AS_IS, HX_AS_IS, d, y->d, d, x->vectors, xy, 0.0, half);
	hx_multiply(HX_AS_IS, HX_TRANSPOSED, d, y->d, y->d, half, y->vectors, 0.0,
				canonical->products);
	hx_matrix_free(half);
	return 0;
}

void
hx_free_canonical(HxCanonical *canonical)
{
	for (int v = 0; v < (canonical->alike ? 1 : 2); v++)
	{
		hx_matrix_free(canonical->side[v].values);
		hx_matrix_free(canonical->side[v].vectors);
	}
	hx_matrix_free(canonical->products);
}

/* Products of the sides' eigenvectors, each divided by its deviation */
static double *
whiten(const HxCanonical *canonical, const double *ridge)
{
	int d = canonical->side[0].d;
	int e = canonical->side[1].d;
	double *m = hx_matrix_alloc((size_t) d * e, sizeof(double));
	double *right = hx_matrix_alloc(e, sizeof(double));

	for (int j = 0; j < e; j++)
		right[j] = inverse_root(&canonical->side[1], j, ridge[1]);
	for (int i = 0; i < d; i++)
	{
		double left = inverse_root(&canonical->side[0], i, ridge[0]);

		for (int j = 0; j < e; j++)
			m[(size_t) i * e + j] =
				canonical->products[(size_t) i * e + j] * left * right[j];
	}
	hx_matrix_free(right);
	return m;
}

/* Directions of a side's eigenvectors (k x d) become directions of vectors. */
static void
unwhiten(const HxCanonicalSide *side, double ridge, int k, const double *of,
		 double *to)
{
	int d = side->d;
	double *scaled = hx_matrix_alloc((size_t) k * d, sizeof(double));

	for (int i = 0; i < d; i++)
	{
		double root = inverse_root(side, i, ridge);

		for (int r = 0; r < k; r++)
			scaled[(size_t) r * d + i] = of[(size_t) r * d + i] * root;
	}
	hx_multiply(HX_AS_IS, HX_AS_IS, k, d, d, scaled, side->vectors, 0.0, to);
	hx_matrix_free(scaled);
}

/* The k greatest correlations of two sides; u (k x d), v (k x e) */
static int
correlate(const HxCanonical *canonical, const double *m, int k, double *value,
		  double *u, double *v, HxRandom *random)
{
	int d = canonical->side[0].d;
	int e = canonical->side[1].d;
	double *square = hx_matrix_alloc((size_t) d * d, sizeof(double));
	int failed;

	hx_multiply(HX_AS_IS, HX_TRANSPOSED, d, d, e, m, m, 0.0, square);
	failed = hx_eigen_top(square, d, k, value, u, random);
	hx_matrix_free(square);
	if (failed != 0)
		return failed;
	hx_multiply(HX_AS_IS, HX_AS_IS, k, e, d, u, m, 0.0, v);
	for (int r = 0; r < k; r++)
	{
		value[r] = value[r] > 0.0 ? sqrt(value[r]) : 0.0;
		for (int j = 0; j < e; j++)
			v[(size_t) r * e + j] =
				value[r] > 1e-9 ? v[(size_t) r * e + j] / value[r] : 0.0;
	}
	return 0;
}

int
hx_solve_canonical(const HxCanonical *canonical, const double *ridge, int k,
				   double *value, double *a, double *b, HxRandom *random)
{
	int d = canonical->side[0].d;
	int e = canonical->side[1].d;
	double *m = whiten(canonical, ridge);
	double *u = hx_matrix_alloc((size_t) k * d, sizeof(double));
	double *v = hx_matrix_alloc((size_t) k * e, sizeof(double));
	int failed;

	if (canonical->alike)
	{
		failed = hx_eigen_top(m, d, k, value, u, random);
		if (failed == 0)
			unwhiten(&canonical->side[0], ridge[0], k, u, a);
	}
	else
	{
		failed = correlate(canonical, m, k, value, u, v, random);
		if (failed == 0)
		{
			unwhiten(&canonical->side[0], ridge[0], k, u, a);
			unwhiten(&canonical->side[1], ridge[1], k, v, b);
		}
	}
	hx_matrix_free(m);
	hx_matrix_free(u);
	hx_matrix_free(v);
	return failed;
}

double
hx_canonical_weight(double value)
{
	value = value > 0.999 ? 0.999 : value;
	return value > 0.0 ? sqrt(value / (1.0 - value * value)) : 0.0;
}
