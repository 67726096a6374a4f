/*
 * draft.c
 *	  The beginning of every method's draft of a model.
 */
#include "postgres.h"

#include "encoder/train/aggregate.h"

void
HxStartDraft(HxTraining *training, HxDraft *draft, int dims)
{
	memset(draft, 0, sizeof(HxDraft));
	draft->family = HX_LINEAR;
	draft->method = training->method->id;
	draft->output = training->spec.out_float ? HX_OUT_FLOAT : HX_OUT_CODE;
	draft->dims = dims;
	draft->bits = training->spec.bits;
	draft->rows = training->seen;
	if (training->spec.normalize)
		draft->flags |= HX_FLAG_NORMALIZE;
	if (training->sparse[0] || training->sparse[1])
		draft->flags |= HX_FLAG_SPARSE;
	draft->views = 1;
	for (int v = 0; v < 2; v++)
	{
		draft->view[v].inputs = training->inputs[v];
		draft->view[v].features = training->features[v];
		draft->view[v].seed = training->internal->entrance[v].seed;
	}
	draft->space = training->spec.has_space ? training->spec.space : NULL;
}
