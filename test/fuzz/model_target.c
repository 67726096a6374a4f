/*
 * model_target.c
 *	  An encoder's bytes from libFuzzer: reading must refuse them or give a
 *	  model with which computing touches no byte outside.
 *
 * Linked with libFuzzer's main (tools/fuzz.sh), or with replay.c, which runs
 * the kept corpus where there is no libFuzzer.
 *
 * Seen to fail: with the check of a view's length taken out of format.c, the
 * address sanitizer stops it at once.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "encoder/model/format.h"
#include "../unit/use_model.h"
#include "kernel/kernel.h"

/* Dimensions beyond which computing would take the time of a whole run */
#define MAX_DIMS 4096

extern int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Is there little enough to compute? */
static int
is_small(const HxModel *model)
{
	for (uint32_t i = 0; i < model->views; i++)
		if (hx_view_width(&model->view[i]) > MAX_DIMS)
			return 0;
	return model->dims <= MAX_DIMS;
}

/* Read and use one input; what is random follows from its bytes */
int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	char error[HX_MODEL_ERROR];
	HxModel model;
	uint8_t *copy = malloc(size ? size : 1); /* reading may swap bytes */

	random_state = 1 + size;
	for (size_t i = 0; i < size; i++)
		random_state = random_state * 31 + bytes[i];
	random_state |= 1;
	memcpy(copy, bytes, size);
	hx_kernel_choose(random_below(2) ? "auto" : "scalar");
	if (hx_read_model(copy, size, &model, error) == 0)
	{
		if (is_small(&model))
			use_model(&model);
	}
	else if (memchr(error, 0, HX_MODEL_ERROR) == NULL)
		__builtin_trap();
	free(copy);
	return 0;
}
