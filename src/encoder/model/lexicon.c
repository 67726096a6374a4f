/*
 * lexicon.c
 *	  Models of method pvdbow: what they know of words.
 */
#include "encoder/model/lexicon.h"

int
hx_read_lexicon(const HxModel *model, HxLexicon *lexicon)
{
	const HxTable *words = &model->table[0];
	const HxTable *projection = &model->table[1];
	int64_t real = hx_constant(model, HX_LEXICON_REAL);

	if (model->dims > HX_MAX_PARAGRAPH || real < 0 || real > HX_MAX_PARAGRAPH ||
		words->rows < 1 ||
		words->floats !=
			(uint32_t) hx_lexicon_columns((int) model->dims, (int) real))
		return -1;
	if (real > 0 && (projection->rows != model->dims ||
					 projection->floats != (uint32_t) real))
		return -1;
	lexicon->words = words->rows;
	lexicon->bits = (int) model->dims;
	lexicon->real = (int) real;
	lexicon->word = words->weight;
	lexicon->projection = real > 0 ? projection->weight : NULL;
	return 0;
}

size_t
hx_find_terms(const HxModel *model, const int64_t *key, const uint32_t *count,
			  size_t keys, HxTerm *term, uint64_t *words)
{
	size_t terms = 0;

	*words = 0;
	for (size_t i = 0; i < keys; i++)
	{
		int64_t row = hx_find_key(&model->table[0], key[i]);

		if (row < 0)
			continue;
		term[terms++] = (HxTerm){(uint32_t) row, count[i]};
		*words += count[i];
	}
	return terms;
}
