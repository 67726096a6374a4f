/*
 * matrix.c
 *	  Solving, orthogonal matrices and groups.
 */
#include "encoder/math/matrix.h"

#include <string.h>

/* Columns that are eliminated together */
#define PANEL 64

void
hx_mirror(double *a, int n)
{
	for (int i = 0; i < n; i++)
	{
		for (int j = 0; j < i; j++)
			a[(size_t) j * n + i] = a[(size_t) i * n + j];
	}
}

/*
 * Columns first..last-1 of L, given that those before are done and subtracted:
 * row by row, each row against the finished rows above it.
 */
static int
factor_panel(double *a, int n, int first, int last)
{
	for (int i = first; i < n; i++)
	{
		double *row = a + (size_t) i * n;
		int end = i < last ? i : last;

		for (int j = first; j < end; j++)
		{
			const double *above = a + (size_t) j * n;

			row[j] -= hx_dot(row + first, above + first, j - first);
			row[j] /= above[j];
		}
		if (i < last)
		{
			double rest = row[i] - hx_dot(row + first, row + first, i - first);

			if (!(rest > 0.0))
				return -1;
			row[i] = sqrt(rest);
		}
	}
	return 0;
}

/* Subtract from the rows and columns behind a panel what it explains. */
static void
subtract_panel(double *a, int n, int first, int last)
{
	int rest = n - last;
	int width = last - first;
	double *panel = hx_matrix_alloc((size_t) rest * width, sizeof(double));
	double *part = hx_matrix_alloc((size_t) rest * PANEL, sizeof(double));

	for (int i = 0; i < rest; i++)
		memcpy(panel + (size_t) i * width, a + (size_t) (last + i) * n + first,
			   width * sizeof(double));
	for (int j = 0; j < rest; j += PANEL)
	{
		int columns = rest - j < PANEL ? rest - j : PANEL;

		hx_multiply(HX_AS_IS, HX_TRANSPOSED, rest - j, columns, width,
					panel + (size_t) j * width, panel + (size_t) j * width, 0.0,
					part);
		for (int i = j; i < rest; i++)
		{
			double *row = a + (size_t) (last + i) * n + last + j;
			int end = i - j < columns ? i - j + 1 : columns;

			for (int c = 0; c < end; c++)
				row[c] -= part[(size_t) (i - j) * columns + c];
		}
	}
	hx_matrix_free(panel);
	hx_matrix_free(part);
}

int
hx_cholesky(double *a, int n)
{
	for (int first = 0; first < n; first += PANEL)
	{
		int last = n - first < PANEL ? n : first + PANEL;

		if (factor_panel(a, n, first, last) != 0)
			return -1;
		if (last < n)
			subtract_panel(a, n, first, last);
	}
	return 0;
}

void
hx_cholesky_solve(const double *l, int n, double *b, int m)
{
	for (int i = 0; i < n; i++)
	{
		double *row = b + (size_t) i * m;

		hx_matrix_interrupt();
		for (int j = 0; j < i; j++)
			hx_add_multiple(row, -l[(size_t) i * n + j], b + (size_t) j * m, m);
		for (int c = 0; c < m; c++)
			row[c] /= l[(size_t) i * n + i];
	}
	for (int i = n - 1; i >= 0; i--)
	{
		double *row = b + (size_t) i * m;

		hx_matrix_interrupt();
		for (int j = i + 1; j < n; j++)
			hx_add_multiple(row, -l[(size_t) j * n + i], b + (size_t) j * m, m);
		for (int c = 0; c < m; c++)
			row[c] /= l[(size_t) i * n + i];
	}
}

int
hx_ridge(double *xx, int d, const double *xy, int e, double lambda, double *w)
{
	double *diagonal = hx_matrix_alloc(d, sizeof(double));
	double *copy = hx_matrix_alloc((size_t) d * d, sizeof(double));
	double trace = 0.0;
	int result = -1;

	for (int i = 0; i < d; i++)
	{
		diagonal[i] = xx[(size_t) i * d + i];
		trace += diagonal[i];
	}
	if (!(trace > 0.0))
		trace = d;
	/* rounding may make a singular matrix negative: help it */
	for (int attempt = 0; attempt < 8 && result != 0; attempt++)
	{
		memcpy(copy, xx, (size_t) d * d * sizeof(double));
		for (int i = 0; i < d; i++)
			copy[(size_t) i * d + i] = diagonal[i] + lambda * trace / d;
		result = hx_cholesky(copy, d);
		lambda = lambda > 1e-12 ? lambda * 10.0 : 1e-12;
	}
	if (result == 0)
	{
		memcpy(xx, copy, (size_t) d * d * sizeof(double));
		memmove(w, xy, (size_t) d * e * sizeof(double));
		hx_cholesky_solve(xx, d, w, e);
	}
	hx_matrix_free(diagonal);
	hx_matrix_free(copy);
	return result;
}

/*
 * Subtract from a row what the rows before it span; the share of its squared
 * length that is left.
 */
static double
project_out(double *rows, int before, int d)
{
	double *row = rows + (size_t) before * d;
	double length = hx_dot(row, row, d);
	double left;

	for (int j = 0; j < before; j++)
	{
		const double *other = rows + (size_t) j * d;

		hx_add_multiple(row, -hx_dot(row, other, d), other, d);
	}
	left = hx_dot(row, row, d);
	return length > 0.0 ? left / length : 0.0;
}

int
hx_orthonormalize(double *rows, int n, int d, HxRandom *random)
{
	int replaced = 0;

	for (int i = 0; i < n; i++)
	{
		double *row = rows + (size_t) i * d;
		double length;

		hx_matrix_interrupt();
		/* twice is enough: what is left is orthogonal to rounding */
		while (!(project_out(rows, i, d) > 1e-20) ||
			   !(project_out(rows, i, d) > 0.25))
		{
			for (int j = 0; j < d; j++)
				row[j] = hx_random_normal(random);
			replaced++;
		}
		length = 1.0 / sqrt(hx_dot(row, row, d));
		for (int j = 0; j < d; j++)
			row[j] *= length;
	}
	return replaced;
}

void
hx_random_rotation(double *rows, int n, int d, HxRandom *random)
{
	for (size_t i = 0; i < (size_t) n * d; i++)
		rows[i] = hx_random_normal(random);
	(void) hx_orthonormalize(rows, n, d, random);
}

/* Squared distance of two rows */
static double
squared_distance(const float *a, const float *b, int d)
{
	double sum = 0.0;

	for (int i = 0; i < d; i++)
		sum += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
	return sum;
}

/* First centers by k-means++: likely far from those chosen before. */
static void
choose_centers(const float *x, int n, int d, int k, HxRandom *random,
			   float *centers, double *distance)
{
	for (int i = 0; i < n; i++)
		distance[i] = HUGE_VAL;
	for (int c = 0; c < k; c++)
	{
		double total = 0.0;
		double left;
		int chosen = 0;

		hx_matrix_interrupt();
		if (c == 0)
			chosen = (int) hx_random_below(random, n);
		else
		{
			for (int i = 0; i < n; i++)
				total += distance[i];
			left = hx_random_unit(random) * total;
			while (chosen < n - 1 && (left -= distance[chosen]) >= 0.0)
				chosen++;
		}
		memcpy(centers + (size_t) c * d, x + (size_t) chosen * d,
			   d * sizeof(float));
		for (int i = 0; i < n; i++)
		{
			double now = squared_distance(x + (size_t) i * d,
										  centers + (size_t) c * d, d);

			distance[i] = now < distance[i] ? now : distance[i];
		}
	}
}

/* Put every row to its nearest center; the number that changed, and sums. */
static int
assign_rows(const float *x, int n, int d, int k, const float *centers,
			int *group, double *distance)
{
	float *half = hx_matrix_alloc(k, sizeof(float));
	int changed = 0;

	for (int c = 0; c < k; c++)
		half[c] = hx_dot_float(centers + (size_t) c * d,
							   centers + (size_t) c * d, d) /
				  2.0F;
	for (int i = 0; i < n; i++)
	{
		const float *row = x + (size_t) i * d;
		float best = 0.0F;
		int nearest = 0;

		if (i % 256 == 0)
			hx_matrix_interrupt();
		for (int c = 0; c < k; c++)
		{
			float score =
				hx_dot_float(row, centers + (size_t) c * d, d) - half[c];

			if (c == 0 || score > best)
			{
				best = score;
				nearest = c;
			}
		}
		changed += group[i] != nearest;
		group[i] = nearest;
		distance[i] = squared_distance(row, centers + (size_t) nearest * d, d);
	}
	hx_matrix_free(half);
	return changed;
}

/* Centers are their groups' means; an empty group takes the farthest row. */
static void
move_centers(const float *x, int n, int d, int k, float *centers,
			 const int *group, double *distance)
{
	double *sum = hx_matrix_alloc((size_t) k * d, sizeof(double));
	int *count = hx_matrix_alloc(k, sizeof(int));

	memset(sum, 0, (size_t) k * d * sizeof(double));
	memset(count, 0, k * sizeof(int));
	for (int i = 0; i < n; i++)
	{
		double *to = sum + (size_t) group[i] * d;

		for (int j = 0; j < d; j++)
			to[j] += x[(size_t) i * d + j];
		count[group[i]]++;
	}
	for (int c = 0; c < k; c++)
	{
		int far = 0;

		if (count[c] > 0)
		{
			for (int j = 0; j < d; j++)
				centers[(size_t) c * d + j] =
					(float) (sum[(size_t) c * d + j] / count[c]);
			continue;
		}
		for (int i = 1; i < n; i++)
			far = distance[i] > distance[far] ? i : far;
		memcpy(centers + (size_t) c * d, x + (size_t) far * d,
			   d * sizeof(float));
		distance[far] = 0.0;
	}
	hx_matrix_free(sum);
	hx_matrix_free(count);
}

double
hx_kmeans(const float *x, int n, int d, int k, int iterations, HxRandom *random,
		  float *centers, int *group)
{
	double *distance = hx_matrix_alloc(n, sizeof(double));
	double total = 0.0;

	choose_centers(x, n, d, k, random, centers, distance);
	for (int i = 0; i < n; i++)
		group[i] = -1;
	for (int step = 0; step <= iterations; step++)
	{
		if (assign_rows(x, n, d, k, centers, group, distance) == 0 ||
			step == iterations)
			break;
		move_centers(x, n, d, k, centers, group, distance);
	}
	for (int i = 0; i < n; i++)
		total += distance[i];
	hx_matrix_free(distance);
	return total / n;
}
