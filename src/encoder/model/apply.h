/*
 * apply.h
 *	  Computing with a model, in integers, so that every CPU gives one answer.
 *
 * Pure C.  Floating-point operations are single IEEE operations in double, in
 * a fixed order; sums of products are sums of integers.
 */
#ifndef HX_APPLY_H
#define HX_APPLY_H

#include "encoder/model/format.h"

/* Room that computing needs: bytes for hx_apply_model's `scratch` */
extern size_t hx_scratch_size(const HxModel *model);

/*
 * One layer: `y` gets outputs numbers.  `room` is for 2 * outputs int32 and
 * inputs int16.
 */
extern void hx_apply_layer(const HxLayer *layer, const double *x, void *room,
						   double *y);

/*
 * Output of a model before it is rounded to levels.  `x` has `inputs` numbers
 * (features, if the view has them), and is overwritten; `y` gets as many as
 * returned: hx_output_width, or fewer for a prefix of the input.  Of a codebook
 * it is what its books are for.  Maps have no views.  -1 if the
 * view does not take this many inputs.  View HX_VIEW_QUERY is for models whose
 * view 0 has a centre of queries.
 */
extern int hx_apply_model(const HxModel *model, uint32_t view, double *x,
						  uint32_t inputs, void *scratch, double *y);

/*
 * Width of a level in standard deviations, by bits, that has the least squared
 * error for a normal distribution (Max 1960)
 */
extern const double hx_level_width[5];

/*
 * Scale outputs so that levels of `bits` bits suit them; zero stays.  Inner
 * products with codes then keep their order.
 */
extern void hx_fit_levels(double *y, uint32_t count, int bits);

/* Features of a sparse vector, dimensions counted from 0: adds to `x` */
extern void hx_hash_features(const HxView *view, const int32_t *dims,
							 const float *weights, size_t count, double *x);

#endif /* HX_APPLY_H */
