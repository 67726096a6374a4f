/*
 * use_model.h
 *	  Computing with a model that was read: what every fuzzer of models does
 *	  with those that reading accepts.
 */
#ifndef HX_TEST_USE_MODEL_H
#define HX_TEST_USE_MODEL_H

#include <stdlib.h>

#include "encoder/model/apply.h"
#include "kernel/kernel.h"
#include "random.h"

/*
 * Compute with every view of a model, at any prefix; random_state decides
 * which.  Aborts if a level is none of those that the bits can say.
 */
static void
use_model(const HxModel *model)
{
	void *scratch = malloc(hx_scratch_size(model));
	double *y = malloc(model->dims * sizeof(double));

	for (uint32_t n = 0; n <= model->views; n++)
	{
		uint32_t v = n == model->views ? HX_VIEW_QUERY : n;
		const HxView *view = &model->view[v == HX_VIEW_QUERY ? 0 : v];
		uint32_t width = hx_view_width(view);
		uint32_t inputs =
			random_below(4) == 0 ? 1 + random_below(width) : width;
		double *x = calloc(inputs, sizeof(double));
		int count;

		if (v == HX_VIEW_QUERY && view->query == NULL)
		{
			free(x);
			continue;
		}
		for (uint32_t i = 0; i < inputs; i++)
			x[i] = (double) random_below(1000) * 1e36 - 1e38;
		if (view->features > 0 && inputs == width)
		{
			int32_t dims[] = {0, 5, 999999999};
			float weights[] = {1.0f, -3e38f, 1e-40f};

			hx_hash_features(view, dims, weights, 3, x);
		}
		count = hx_apply_model(model, v, x, inputs, scratch, y);
		if (v == HX_VIEW_QUERY && count > 0)
			hx_fit_levels(y, (uint32_t) count, model->bits);
		for (int i = 0; i < count; i++)
		{
			int level = hx_level(y[i], model->bits);

			if (level < 0 || level >= 1 << model->bits)
				abort();
		}
		free(x);
	}
	free(y);
	free(scratch);
}

#endif /* HX_TEST_USE_MODEL_H */
