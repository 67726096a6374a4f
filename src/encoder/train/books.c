/*
 * books.c
 *	  What methods that learn codebooks have in common.
 */
#include "postgres.h"

#include "encoder/train/books.h"
#include "encoder/train/rows.h"

double *
HxCenterRows(HxTraining *training)
{
	int d = training->width[0];
	double *mean = HxMeanOfRows(training, training->x, training->rows, d);

	for (int r = 0; r < training->rows; r++)
	{
		float *row = training->x + (size_t) r * d;

		for (int i = 0; i < d; i++)
			row[i] = (float) (row[i] - mean[i]);
	}
	return mean;
}

double
HxSquaresOfRows(const HxTraining *training)
{
	size_t count = (size_t) training->rows * training->width[0];
	double sum = 0.0;

	for (size_t i = 0; i < count; i++)
		sum += (double) training->x[i] * training->x[i];
	return sum;
}

void
HxStartBooks(HxTraining *training, HxDraft *draft, HxBookForm form, int books,
			 int codes, int width)
{
	size_t words = (size_t) width * codes * (form == HX_RESIDUAL ? books : 1);

	if ((double) words * sizeof(float) > HX_MAX_MODEL / 2)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("%d books of %d codewords of %d dimensions would need "
						"%.0f bytes, the limit is %d",
						books, codes, width, (double) words * sizeof(float),
						HX_MAX_MODEL / 2)));
	HxStartDraft(training, draft, books);
	draft->family = HX_CODEBOOK;
	draft->output = form == HX_PRODUCT ? HX_OUT_CODE : HX_OUT_IDS;
	draft->bits = form == HX_PRODUCT ? 4 : 0;
	draft->books.form = form;
	draft->books.count = books;
	draft->books.codes = codes;
	draft->books.words = words;
	draft->books.word = HxTrainAlloc(training, words, sizeof(float), "words");
}

void
HxPutBook(HxDraftBooks *books, size_t from, int d, const float *words)
{
	float *to = (float *) books->word + from * books->codes;

	Assert((from + d) * books->codes <= books->words);
	for (int c = 0; c < books->codes; c++)
	{
		for (int i = 0; i < d; i++)
			to[(size_t) i * books->codes + c] = words[(size_t) c * d + i];
	}
}

/* Floats as doubles, which are the same; NULL stays. */
static double *
widen(HxTraining *training, const float *from, size_t count)
{
	double *to;

	if (from == NULL)
		return NULL;
	to = HxTrainAlloc(training, count, sizeof(double), "the base");
	for (size_t i = 0; i < count; i++)
		to[i] = from[i];
	return to;
}

/* The draft of a layer: weights are whole numbers of the layer's scale */
static void
draft_layer(HxTraining *training, const HxLayer *layer, HxDraftLayer *draft)
{
	size_t plane = (size_t) layer->inputs * layer->outputs;
	double *weights = HxTrainAlloc(training, plane, sizeof(double), "the base");

	draft->inputs = (int) layer->inputs;
	draft->outputs = (int) layer->outputs;
	draft->precision = (int) layer->precision;
	draft->scale = widen(training, layer->scale, layer->outputs);
	draft->bias = widen(training, layer->bias, layer->outputs);
	for (size_t i = 0; layer->precision > 0 && i < plane; i++)
		weights[i] = layer->precision == 1 ? layer->weights[i]
										   : 128.0 * layer->weights[i] +
												 layer->weights[plane + i];
	draft->weights = weights;
}

void
HxDraftOfBooks(HxTraining *training, const HxModel *base, HxDraft *draft)
{
	const HxView *view = &base->view[0];

	memset(draft, 0, sizeof(HxDraft));
	draft->family = base->family;
	draft->method = base->method;
	draft->output = base->output;
	draft->dims = (int) base->dims;
	draft->bits = base->bits;
	draft->flags = base->flags;
	draft->rows = training->seen;
	draft->space = base->bytes + HX_AT_SPACE;
	draft->views = 1;
	draft->view[0].inputs = (int) view->inputs;
	draft->view[0].features = (int) view->features;
	draft->view[0].seed = view->seed;
	draft->view[0].center = widen(training, view->center, hx_view_width(view));
	draft->view[0].blocks = (int) view->blocks;
	if (view->blocks > 0)
		draft_layer(training, &view->block[0], &draft->view[0].block[0]);
	draft->books.form = base->books.form;
	draft->books.count = (int) base->books.count;
	draft->books.codes = (int) base->books.codes;
	draft->books.words = (size_t) base->books.width * base->books.codes;
	draft->books.word = base->books.word;
	Assert(base->books.form == HX_PRODUCT);
}
