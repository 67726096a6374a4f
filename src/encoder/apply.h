/*
 * apply.h
 *	  Computing with a model, in integers, so that every CPU gives one answer.
 *
 * Pure C.  Floating-point operations are single IEEE operations in double, in
 * a fixed order; sums of products are sums of integers.
 */
#ifndef HX_APPLY_H
#define HX_APPLY_H

#include "encoder/format.h"

/* Room that computing needs: bytes for hx_apply_model's `scratch` */
extern size_t hx_scratch_size(const HxModel *model);

/*
 * One layer: `y` gets outputs numbers; `q` is room for inputs int16, `sum` for
 * outputs int32.
 */
extern void hx_apply_layer(const HxLayer *layer, const double *x, int16_t *q,
						   int32_t *sum, double *y);

/*
 * Output of a model before it is rounded to levels.  `x` has `inputs` numbers
 * (features, if the view has them), and is overwritten; `y` gets as many as
 * returned: model->dims, or fewer for a prefix of the input.  -1 if the
 * view does not take so many inputs.
 */
extern int hx_apply_model(const HxModel *model, uint32_t view, double *x,
						  uint32_t inputs, void *scratch, double *y);

/* Level of a number: whole numbers are borders, 0 is the middle one */
static inline int
hx_level(double y, int bits)
{
	double half = (double) (1 << (bits - 1));

	if (!(y > -half + 1.0))
		return 0;
	if (y > half - 1.0)
		return (1 << bits) - 1;
	/* borders belong to the level below, as 0 gives bit 0 */
	return (int) __builtin_ceil(y + half) - 1;
}

/* Features of a sparse vector, dimensions counted from 0: adds to `x` */
extern void hx_hash_features(const HxView *view, const int32_t *dims,
							 const float *weights, size_t count, double *x);

#endif /* HX_APPLY_H */
