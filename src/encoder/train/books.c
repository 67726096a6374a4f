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
