/*
 * matrix.h
 *	  Linear algebra for training.
 *
 * Pure C without the server.  Matrices are row after row, without gaps.  Every
 * sum has a fixed order, whatever the machine's vector width, and nothing is
 * fused: equal inputs give equal results on all levels of one build.
 *
 * Why not BLAS: it starts threads when loaded, takes the server's signals in
 * them, cannot be interrupted, and chooses its order of sums by the machine.
 */
#ifndef HX_MATRIX_H
#define HX_MATRIX_H

#include <stddef.h>
#include <stdint.h>

#include "random.h"

/*
 * What the host provides: memory, which need not be zero and of which running
 * out does not return, and a function called often, which need not return
 * either; then the memory is the host's to free.  matrix_host.c in the server.
 */
extern void *hx_matrix_alloc(size_t count, size_t size);
extern void hx_matrix_free(void *memory);
extern void hx_matrix_interrupt(void);

/* Is a factor of a product taken as it is, or transposed? */
typedef enum HxOrientation
{
	HX_AS_IS = 0,
	HX_TRANSPOSED = 1
} HxOrientation;

/* product.c: c (m x n) = keep * c + op(a) op(b), the inner length is k */
extern void hx_multiply(HxOrientation op_a, HxOrientation op_b, int m, int n,
						int k, const double *a, const double *b, double keep,
						double *c);
extern void hx_multiply_float(HxOrientation op_a, HxOrientation op_b, int m,
							  int n, int k, const float *a, const float *b,
							  float keep, float *c);

/* sum (d x d) += x' x for n rows x of d floats: lower triangle only */
extern void hx_add_squares(const float *x, int n, int d, double *sum);

/* sum (d x e) += x' y for n rows */
extern void hx_add_products(const float *x, const float *y, int n, int d, int e,
							double *sum);

extern double hx_dot(const double *a, const double *b, size_t n);
extern float hx_dot_float(const float *a, const float *b, size_t n);

/* y += factor * x */
extern void hx_add_multiple(double *y, double factor, const double *x,
							size_t n);
extern void hx_add_multiple_float(float *y, float factor, const float *x,
								  size_t n);

/* x, y = c x - s y, s x + c y */
extern void hx_rotate(double *x, double *y, double c, double s, size_t n);

/* Vector levels: 0 portable, 1 wider where the machine has it; for tests */
extern int hx_matrix_level(int level);

/* matrix.c */

/* Copy the lower triangle of a (n x n) into the upper one */
extern void hx_mirror(double *a, int n);

/*
 * a = L L' for a symmetric, positive a (n x n): L replaces the lower triangle,
 * the upper one is neither read nor written.  0, or -1 if a is not positive.
 */
extern int hx_cholesky(double *a, int n);

/* Solve L L' x = b for m columns: b (n x m) becomes x */
extern void hx_cholesky_solve(const double *l, int n, double *b, int m);

/*
 * Ridge regression from sums of products, xx (d x d, lower triangle) and xy
 * (d x e): w (d x e) = (xx + lambda tr(xx) / d I)^-1 xy.  xx is overwritten.
 * If it is not positive, lambda grows; 0, or -1 if that did not help.
 */
extern int hx_ridge(double *xx, int d, const double *xy, int e, double lambda,
					double *w);

/*
 * Make n rows of d (n <= d) orthonormal by Gram-Schmidt, twice; a row that
 * depends on those before it is replaced by a random one.  Number replaced.
 */
extern int hx_orthonormalize(double *rows, int n, int d, HxRandom *random);

/* Random rotation of d dimensions, uniformly; or its first n rows */
extern void hx_random_rotation(double *rows, int n, int d, HxRandom *random);

/* Nearest orthogonal matrix to m (n x n): r = argmax tr(r' m), r = u v' */
extern void hx_procrustes(const double *m, int n, double *r);

/*
 * Group n rows of d floats around k centers (k <= n): k-means++, then at most
 * `iterations` of Lloyd's; an empty group takes the farthest row.  group[i] is
 * row i's; returns the mean squared distance.
 */
extern double hx_kmeans(const float *x, int n, int d, int k, int iterations,
						HxRandom *random, float *centers, int *group);

/* eigen.c */

/*
 * All eigenvalues of a symmetric matrix, falling, and their vectors as rows:
 * a = vectors' diag(values) vectors.  0, or -1 if they were not found (NaN).
 */
extern int hx_eigen(const double *a, int n, double *values, double *vectors);

/* The b greatest by value (b x n), by iteration where n is large */
extern int hx_eigen_top(const double *a, int n, int b, double *values,
						double *vectors, HxRandom *random);

/*
 * Singular values of a (m x n, m >= n), falling: a = u' diag(values) v, where u
 * (n x m) and v (n x n) have the vectors as rows.  Rows of u for values of 0
 * are 0.  One-sided Jacobi.
 */
extern void hx_svd(const double *a, int m, int n, double *u, double *values,
				   double *v);

#endif /* HX_MATRIX_H */
