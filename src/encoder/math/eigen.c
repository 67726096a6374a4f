/*
 * eigen.c
 *	  Eigenvalues and singular values.
 *
 * Eigenvalues: Householder's reduction to three diagonals, then QL with
 * implicit shifts (Golub and Van Loan, Matrix Computations, 8.3).  Vectors are
 * kept as rows, so that every rotation works on memory that is contiguous.
 */
#include "encoder/math/matrix.h"

#include <float.h>
#include <string.h>

/* Beyond this many dimensions a few vectors are found by iteration */
#define DIRECT 1024

/* Rounds of that iteration, vectors more than wanted, and when to stop */
#define MAX_ROUNDS 200
#define GUARD 16
#define SETTLED 1e-9

/* Sweeps of Jacobi's method, and the cosine that counts as a right angle */
#define MAX_SWEEPS 60
#define RIGHT 1e-15

/* Order of values with their rows of vectors: falling, by insertion. */
static void
sort_falling(double *values, double *vectors, int n, int d)
{
	double *row = hx_matrix_alloc(d, sizeof(double));
	size_t bytes = d * sizeof(double);

	for (int i = 0; i < n - 1; i++)
	{
		double value = values[i];
		int greatest = i;

		for (int j = i + 1; j < n; j++)
			greatest = values[j] > values[greatest] ? j : greatest;
		if (greatest == i)
			continue;
		values[i] = values[greatest];
		values[greatest] = value;
		memcpy(row, vectors + (size_t) i * d, bytes);
		memcpy(vectors + (size_t) i * d, vectors + (size_t) greatest * d,
			   bytes);
		memcpy(vectors + (size_t) greatest * d, row, bytes);
	}
	hx_matrix_free(row);
}

/*
 * The reflection that takes x (length n > 0) to a multiple of the first axis:
 * x becomes its direction, unscaled; the multiple in `to`.  Returns beta of
 * I - beta x x', 0 for none.
 *
 * x is of a matrix whose greatest element was 1 or -1, so what is shorter than
 * DBL_EPSILON is rounding, and taken for 0.  Where few directions are spanned
 * exactly, rounding of rounding remains, and of that again, until its square
 * underflows and the reflection is none.
 */
static double
make_reflection(double *x, int n, double *to)
{
	double length = sqrt(hx_dot(x, x, n));

	if (n == 1 || length <= DBL_EPSILON)
	{
		*to = n == 1 ? x[0] : 0.0;
		return 0.0;
	}
	*to = x[0] > 0.0 ? -length : length;
	x[0] -= *to;
	return 2.0 / hx_dot(x, x, n);
}

/*
 * Reduce a (n x n, elements up to 1, overwritten) to its diagonal and the one
 * beside it; row k of a keeps reflection k from column k + 1 on, beta[k] its
 * factor.
 */
static void
reduce(double *a, int n, double *diagonal, double *beside, double *beta)
{
	double *w = hx_matrix_alloc(n, sizeof(double));

	for (int k = 0; k < n - 1; k++)
	{
		double *v = a + (size_t) k * n + k + 1;
		int rest = n - k - 1;
		double half;

		if (k % 16 == 0)
			hx_matrix_interrupt();
		diagonal[k] = a[(size_t) k * n + k];
		beta[k] = make_reflection(v, rest, &beside[k]);
		if (beta[k] == 0.0)
			continue;
		for (int i = 0; i < rest; i++)
			w[i] =
				beta[k] * hx_dot(a + (size_t) (k + 1 + i) * n + k + 1, v, rest);
		half = beta[k] * hx_dot(w, v, rest) / 2.0;
		hx_add_multiple(w, -half, v, rest);
		for (int i = 0; i < rest; i++)
		{
			double *row = a + (size_t) (k + 1 + i) * n + k + 1;

			hx_add_multiple(row, -v[i], w, rest);
			hx_add_multiple(row, -w[i], v, rest);
		}
	}
	diagonal[n - 1] = a[(size_t) n * n - 1];
	beside[n - 1] = 0.0;
	hx_matrix_free(w);
}

/* Rows of z (n x n): the transposed product of the reflections */
static void
collect_reflections(const double *a, int n, const double *beta, double *z)
{
	memset(z, 0, (size_t) n * n * sizeof(double));
	for (int i = 0; i < n; i++)
		z[(size_t) i * n + i] = 1.0;
	for (int k = n - 2; k >= 0; k--)
	{
		const double *v = a + (size_t) k * n + k + 1;

		if (k % 16 == 0)
			hx_matrix_interrupt();
		for (int i = k + 1; i < n && beta[k] != 0.0; i++)
		{
			double *row = z + (size_t) i * n + k + 1;

			hx_add_multiple(row, -beta[k] * hx_dot(row, v, n - k - 1), v,
							n - k - 1);
		}
	}
}

/* sqrt(f f + g g), also where the squares underflow */
static double
hypotenuse(double f, double g)
{
	double longer = fabs(f) > fabs(g) ? fabs(f) : fabs(g);
	double shorter = fabs(f) > fabs(g) ? fabs(g) : fabs(f);
	double ratio;

	if (longer == 0.0)
		return shorter;
	ratio = shorter / longer;
	return longer * sqrt(1.0 + ratio * ratio);
}

/*
 * One step of QL on rows first..last: chase the shift's bulge upwards.
 */
static void
chase(double *diagonal, double *beside, double *z, int n, int first, int last)
{
	double ahead =
		(diagonal[first + 1] - diagonal[first]) / (2.0 * beside[first]);
	double root = sqrt(ahead * ahead + 1.0);
	double shift = diagonal[first] -
				   beside[first] / (ahead + (ahead < 0.0 ? -root : root));
	double g = diagonal[last] - shift;
	double c = 1.0;
	double s = 1.0;
	double moved = 0.0;

	for (int i = last - 1; i >= first; i--)
	{
		double f = s * beside[i];
		double b = c * beside[i];
		double r = hypotenuse(f, g);

		beside[i + 1] = r;
		if (r == 0.0)
		{
			/* the matrix has come apart here */
			diagonal[i + 1] -= moved;
			beside[last] = 0.0;
			return;
		}
		s = f / r;
		c = g / r;
		g = diagonal[i + 1] - moved;
		r = (diagonal[i] - g) * s + 2.0 * c * b;
		moved = s * r;
		diagonal[i + 1] = g + moved;
		g = c * r - b;
		hx_rotate(z + (size_t) i * n, z + (size_t) (i + 1) * n, c, s, n);
	}
	diagonal[first] -= moved;
	beside[first] = g;
	beside[last] = 0.0;
}

/* Make the diagonal beside the main one 0; -1 if that takes too long. */
static int
diagonalize(double *diagonal, double *beside, double *z, int n)
{
	double norm = 0.0;

	for (int i = 0; i < n; i++)
		norm = fmax(norm, fabs(diagonal[i]) + fabs(beside[i]));
	for (int first = 0; first < n; first++)
	{
		for (int step = 0;; step++)
		{
			int last = first;

			while (last < n - 1 && fabs(beside[last]) > DBL_EPSILON * norm)
				last++;
			if (last == first)
				break;
			if (step == MAX_SWEEPS)
				return -1;
			hx_matrix_interrupt();
			chase(diagonal, beside, z, n, first, last);
		}
	}
	return 0;
}

int
hx_eigen(const double *a, int n, double *values, double *vectors)
{
	size_t size = (size_t) n * n;
	double *work = hx_matrix_alloc(size, sizeof(double));
	double *beside = hx_matrix_alloc(n, sizeof(double));
	double *beta = hx_matrix_alloc(n, sizeof(double));
	double scale = 0.0;
	int result;

	/* squares must not overflow */
	for (size_t i = 0; i < size; i++)
		scale = fabs(a[i]) > scale ? fabs(a[i]) : scale;
	if (scale == 0.0)
		scale = 1.0;
	for (size_t i = 0; i < size; i++)
		work[i] = a[i] / scale;
	reduce(work, n, values, beside, beta);
	collect_reflections(work, n, beta, vectors);
	result = diagonalize(values, beside, vectors, n);
	for (int i = 0; i < n; i++)
	{
		values[i] *= scale;
		if (!(fabs(values[i]) <= DBL_MAX))
			result = -1;
	}
	if (result == 0)
		sort_falling(values, vectors, n, n);
	hx_matrix_free(work);
	hx_matrix_free(beside);
	hx_matrix_free(beta);
	return result;
}

/*
 * Turn k orthonormal rows so that they are the best vectors in what they span;
 * product is rows times the matrix, and is turned with them.
 */
static int
turn_subspace(double *rows, double *product, int k, int n, double *values)
{
	double *small = hx_matrix_alloc((size_t) k * k, sizeof(double));
	double *turn = hx_matrix_alloc((size_t) k * k, sizeof(double));
	double *copy = hx_matrix_alloc((size_t) k * n, sizeof(double));
	int result;

	hx_multiply(HX_AS_IS, HX_TRANSPOSED, k, k, n, rows, product, 0.0, small);
	hx_mirror(small, k);
	result = hx_eigen(small, k, values, turn);
	memcpy(copy, rows, (size_t) k * n * sizeof(double));
	hx_multiply(HX_AS_IS, HX_AS_IS, k, n, k, turn, copy, 0.0, rows);
	memcpy(copy, product, (size_t) k * n * sizeof(double));
	hx_multiply(HX_AS_IS, HX_AS_IS, k, n, k, turn, copy, 0.0, product);
	hx_matrix_free(small);
	hx_matrix_free(turn);
	hx_matrix_free(copy);
	return result;
}

/*
 * Subspace iteration for positive semidefinite matrices: multiply a few rows
 * by a, make them orthonormal, turn them; until the residuals are small.
 */
static int
iterate(const double *a, int n, int b, double *values, double *vectors,
		HxRandom *random)
{
	int k = b + GUARD < n ? b + GUARD : n;
	double *rows = hx_matrix_alloc((size_t) k * n, sizeof(double));
	double *product = hx_matrix_alloc((size_t) k * n, sizeof(double));
	double *all = hx_matrix_alloc(k, sizeof(double));
	int result = 0;

	hx_random_rotation(rows, k, n, random);
	for (int round = 0; round < MAX_ROUNDS && result == 0; round++)
	{
		double worst = 0.0;

		hx_multiply(HX_AS_IS, HX_AS_IS, k, n, n, rows, a, 0.0, product);
		result = turn_subspace(rows, product, k, n, all);
		for (int i = 0; i < b; i++)
		{
			double left = 0.0;

			for (int j = 0; j < n; j++)
			{
				double off = product[(size_t) i * n + j] -
							 all[i] * rows[(size_t) i * n + j];

				left += off * off;
			}
			worst = left > worst ? left : worst;
		}
		if (sqrt(worst) <= SETTLED * fabs(all[0]))
			break;
		memcpy(rows, product, (size_t) k * n * sizeof(double));
		(void) hx_orthonormalize(rows, k, n, random);
	}
	memcpy(values, all, b * sizeof(double));
	memcpy(vectors, rows, (size_t) b * n * sizeof(double));
	hx_matrix_free(rows);
	hx_matrix_free(product);
	hx_matrix_free(all);
	return result;
}

int
hx_eigen_top(const double *a, int n, int b, double *values, double *vectors,
			 HxRandom *random)
{
	double *all;
	double *rows;
	int result;

	if (n > DIRECT && b <= n / 4)
		return iterate(a, n, b, values, vectors, random);
	all = hx_matrix_alloc(n, sizeof(double));
	rows = hx_matrix_alloc((size_t) n * n, sizeof(double));
	result = hx_eigen(a, n, all, rows);
	memcpy(values, all, b * sizeof(double));
	memcpy(vectors, rows, (size_t) b * n * sizeof(double));
	hx_matrix_free(all);
	hx_matrix_free(rows);
	return result;
}

/* Make two rows of u orthogonal, turning those of v alike; was there a need? */
static int
turn_pair(double *u, double *v, int m, int n, int i, int j)
{
	double *a = u + (size_t) i * m;
	double *b = u + (size_t) j * m;
	double aa = hx_dot(a, a, m);
	double bb = hx_dot(b, b, m);
	double ab = hx_dot(a, b, m);
	double zeta;
	double t;
	double c;

	if (ab == 0.0 || fabs(ab) <= RIGHT * sqrt(aa) * sqrt(bb))
		return 0;
	zeta = (bb - aa) / (2.0 * ab);
	t = 1.0 / (fabs(zeta) + sqrt(1.0 + zeta * zeta));
	t = zeta < 0.0 ? -t : t;
	c = 1.0 / sqrt(1.0 + t * t);
	hx_rotate(a, b, c, c * t, m);
	hx_rotate(v + (size_t) i * n, v + (size_t) j * n, c, c * t, n);
	return 1;
}

void
hx_svd(const double *a, int m, int n, double *u, double *values, double *v)
{
	int turned = 1;
	double *order;

	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < m; j++)
			u[(size_t) i * m + j] = a[(size_t) j * n + i];
		for (int j = 0; j < n; j++)
			v[(size_t) i * n + j] = i == j;
	}
	for (int sweep = 0; sweep < MAX_SWEEPS && turned > 0; sweep++)
	{
		turned = 0;
		for (int i = 0; i < n - 1; i++)
		{
			hx_matrix_interrupt();
			for (int j = i + 1; j < n; j++)
				turned += turn_pair(u, v, m, n, i, j);
		}
	}
	order = hx_matrix_alloc(n, sizeof(double));
	for (int i = 0; i < n; i++)
		order[i] = values[i] =
			sqrt(hx_dot(u + (size_t) i * m, u + (size_t) i * m, m));
	sort_falling(values, u, n, m);
	sort_falling(order, v, n, n);
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < m; j++)
			u[(size_t) i * m + j] /= values[i] > 0.0 ? values[i] : 1.0;
	}
	hx_matrix_free(order);
}
