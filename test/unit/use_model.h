/*
 * use_model.h
 *	  Computing with a model that was read: what every fuzzer of models does
 *	  with those that reading accepts.
 */
#ifndef HX_TEST_USE_MODEL_H
#define HX_TEST_USE_MODEL_H

#include <stdlib.h>

#include "encoder/math/matrix.h"
#include "encoder/model/apply.h"
#include "encoder/model/codebook.h"
#include "encoder/model/lexicon.h"
#include "encoder/model/segment.h"
#include "kernel/kernel.h"
#include "random.h"

/* What training would ask of its host: nothing is trained here */
void *
hx_matrix_alloc(size_t count, size_t size)
{
	return calloc(count, size);
}

void
hx_matrix_free(void *memory)
{
	free(memory);
}

void
hx_matrix_interrupt(void)
{
}

/* Find and join words for what enters the books, which has their width */
static void
use_books(const HxBooks *books, double *y)
{
	double *room = malloc(books->codes * sizeof(double));
	double *table =
		malloc((size_t) books->count * books->codes * sizeof(double));
	uint32_t *word = malloc(books->count * sizeof(uint32_t));

	if (books->form == HX_PRODUCT)
		hx_word_products(books, y, table);
	hx_assign_words(books, y, room, word);
	for (uint32_t i = 0; i < books->count; i++)
	{
		if (word[i] >= books->codes)
			abort();
	}
	hx_join_words(books, word, books->count, y);
	free(word);
	free(table);
	free(room);
}

/*
 * Fit a document of some of a model's words, and of others.  A document that is
 * fitted has codes, so its numbers are numbers.
 */
static void
use_lexicon(const HxModel *model)
{
	const HxTable *table = &model->table[0];
	HxLexicon lexicon;
	HxTerm term[32];
	int64_t key[32];
	uint32_t count[32];
	uint64_t words;
	size_t terms;
	double *d;
	double *r;
	double *room;

	if (hx_read_lexicon(model, &lexicon) != 0)
		return;
	for (uint32_t i = 0; i < 32; i++)
	{
		key[i] = random_below(4) == 0
					 ? (int64_t) next_random()
					 : hx_table_key(table, random_below(table->rows));
		count[i] = random_below(2) ? 1 : UINT32_MAX;
	}
	terms = hx_find_terms(model, key, count, 32, term, &words);
	d = malloc((size_t) lexicon.bits * sizeof(double));
	r = malloc(((size_t) lexicon.real + 1) * sizeof(double));
	room = malloc(hx_paragraph_room(&lexicon) * sizeof(double));
	hx_fit_paragraph(&lexicon, term, terms, room, d, r);
	for (int i = 0; i < lexicon.bits; i++)
	{
		if (d[i] != d[i])
			abort();
	}
	free(room);
	free(r);
	free(d);
}

/* Cut random sequences */
static void
use_pieces(const HxModel *model)
{
	int32_t ids[40];
	uint32_t piece[40];

	for (int n = 0; n < 5; n++)
	{
		uint32_t count = random_below(41);
		void *room = malloc(hx_segment_room(count));

		for (uint32_t i = 0; i < count; i++)
			ids[i] = (int32_t) random_below(60) - 20;
		if (hx_segment(model, ids, count, room, piece) > count)
			abort();
		free(room);
	}
}

/* Look up every key of a map, and some that it has not */
static void
use_map(const HxModel *model)
{
	for (uint32_t i = 0; i < model->constants; i++)
		(void) hx_constant(model, i);
	if (model->method == HX_METHOD_PVDBOW)
		use_lexicon(model);
	for (uint32_t t = 0; t < model->tables; t++)
	{
		const HxTable *table = &model->table[t];

		for (uint32_t i = 0; i < table->rows; i++)
		{
			int64_t key = hx_table_key(table, i);

			if (hx_find_key(table, key) != i)
				abort();
			for (uint32_t j = 0; j < table->numbers; j++)
			{
				if (table->number[i * table->numbers + j] >= table->limit)
					abort();
			}
		}
		if (hx_find_key(table, (int64_t) next_random()) >=
			(int64_t) table->rows)
			abort();
	}
}

/*
 * Compute with every view of a model, at any prefix, or what else a model of its
 * family is for; random_state decides which.  Aborts if a result is none of
 * those that the model can give.
 */
static void
use_model(const HxModel *model)
{
	void *scratch = malloc(hx_scratch_size(model));
	double *y = malloc(hx_output_width(model) * sizeof(double));

	if (model->family == HX_MAP)
		use_map(model);
	if (model->method == HX_METHOD_PIECES)
		use_pieces(model);

	for (uint32_t n = 0; model->views > 0 && n <= model->views; n++)
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
		free(x);
		if (model->family == HX_CODEBOOK)
		{
			if (count > 0)
				use_books(&model->books, y);
			continue;
		}
		if (v == HX_VIEW_QUERY && count > 0)
			hx_fit_levels(y, (uint32_t) count, model->bits);
		for (int i = 0; i < count; i++)
		{
			int level = hx_level(y[i], model->bits);

			if (level < 0 || level >= 1 << model->bits)
				abort();
		}
	}
	free(y);
	free(scratch);
}

#endif /* HX_TEST_USE_MODEL_H */
