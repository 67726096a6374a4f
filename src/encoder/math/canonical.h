/*
 * canonical.h
 *	  Canonical correlations of two kinds of vectors.
 *
 * Pure C, as matrix.h.
 */
#ifndef HX_CANONICAL_H
#define HX_CANONICAL_H

#include "encoder/math/matrix.h"

/* A covariance taken apart */
typedef struct HxCanonicalSide
{
	int d;
	double *values;	 /* eigenvalues, falling */
	double *vectors; /* d x d, a row for each */
	double mean;	 /* of the values */
} HxCanonicalSide;

/* Two of them, and the products between */
typedef struct HxCanonical
{
	int alike;				 /* both sides are one kind of vectors */
	HxCanonicalSide side[2]; /* if alike, twice the same */
	double *products;		 /* d x e, of the eigenvectors */
} HxCanonical;

/*
 * Take covariances apart: xx (d x d, lower triangle), yy (e x e, the same) and
 * xy (d x e).  Without yy both sides are one kind: xx is of all vectors, xy
 * symmetric.  xx and yy are overwritten.  0, or -1 if they have no eigenvalues
 * (NaN).
 */
extern int hx_prepare_canonical(double *xx, int d, double *yy, int e,
								const double *xy, HxCanonical *canonical);
extern void hx_free_canonical(HxCanonical *canonical);

/*
 * The k <= d greatest correlations, falling, and their directions: a (k x d)
 * and, unless alike, b (k x e), outputs of variance 1.  ridge: a multiple of the
 * mean variance of a dimension, for each side.  0, or -1 if they were not found.
 */
extern int hx_solve_canonical(const HxCanonical *canonical, const double *ridge,
							  int k, double *value, double *a, double *b,
							  HxRandom *random);

/*
 * What an output of variance 1 counts so that inner products of outputs are the
 * logarithm of how much likelier two vectors belong together than not: the root
 * of r / (1 - r^2), of normally distributed outputs with correlation r.
 */
extern double hx_canonical_weight(double value);

#endif /* HX_CANONICAL_H */
