/*
 * paragraph.c
 *	  Codes of documents from their words: training, and fitting a new one.
 */
#include "encoder/map/paragraph.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "encoder/math/matrix.h"

/* Steps of a gradient in the first round; they shrink to a tenth */
#define RATE 0.05
#define REAL_RATE 0.02
/* Words between steps of a document's vector */
#define BATCH 8
/* Words that stand for all noise when a document is fitted; steps, their size */
#define NOISE_SAMPLE 128
#define FIT_STEPS 15
#define FIT_RATE 1.0

/*
 * exp by its series for a 256th, squared eight times: no two libraries' exp agree
 * to the last bit
 */
double
hx_sigmoid(double x)
{
	double y;
	double e = 1.0;

	if (!(x > -30.0))
		return 0.0;
	if (x > 30.0)
		return 1.0;
	y = -x / 256.0;
	for (int i = 10; i > 0; i--)
		e = 1.0 + e * y / i;
	for (int i = 0; i < 8; i++)
		e *= e;
	return 1.0 / (1.0 + e);
}

/*
 * Training
 */

/* What a round needs */
typedef struct Round
{
	uint32_t words;
	int bits;
	int real;
	int columns;
	float *word; /* as in HxLexicon */
	float *projection;
	uint32_t *noise; /* words, as often as they are noise */
	uint32_t noise_size;
	HxRandom random;
	float rate;
	double loss; /* sum over words */
	float *h;	 /* signs of d */
	float *d;
	float *by_h; /* gradient of h */
	float *by_r; /* gradient of r */
} Round;

/* A table to draw noise from: 16 entries for a word of mean share */
static void
make_noise(Round *round)
{
	size_t size = (size_t) round->words * 16;
	double sum = 0.0;
	size_t at = 0;

	round->noise = hx_matrix_alloc(size, sizeof(uint32_t));
	round->noise_size = (uint32_t) size;
	for (uint32_t w = 0; w < round->words; w++)
	{
		size_t end;

		sum += round->word[(size_t) w * round->columns];
		end = w == round->words - 1 ? size : (size_t) (sum * size);
		for (; at < size && at < end; at++)
			round->noise[at] = w;
	}
}

/*
 * A word, which the document has or noise has drawn: its vector learns, and the
 * document's gradient is added to `gradient`.  `x` predicts it.
 */
static void
learn_word(Round *round, float *vector, float *bias, const float *x, int n,
		   bool is_there, float *gradient)
{
	double guess = hx_sigmoid(hx_dot_float(vector, x, n) + *bias);
	float step = (float) (((is_there ? 1.0 : 0.0) - guess) * round->rate);
	double right = is_there ? guess : 1.0 - guess;

	round->loss -= log(right > 1e-12 ? right : 1e-12);
	hx_add_multiple_float(gradient, step, vector, n);
	hx_add_multiple_float(vector, step, x, n);
	*bias += step;
}

/* One word of a document, and the noise beside it */
static void
learn_with_noise(Round *round, uint32_t word, const float *r)
{
	for (int i = 0; i <= HX_NOISE_WORDS; i++)
	{
		uint32_t other = i == 0 ? word
								: round->noise[hx_random_below(
									  &round->random, round->noise_size)];
		float *row = round->word + (size_t) other * round->columns;

		if (i > 0 && other == word)
			continue;
		learn_word(round, row + 2, row + 1, round->h, round->bits, i == 0,
				   round->by_h);
		if (round->real > 0)
			learn_word(round, row + 3 + round->bits, row + 2 + round->bits, r,
					   round->real, i == 0, round->by_r);
	}
}

/* Slope of the function that rounding to a sign stands for */
static float
slope(float d)
{
	double s = hx_sigmoid(d);

	return (float) (4.0 * s * (1.0 - s));
}

/* d and h of a document's vector, which is d itself or r */
static void
project(Round *round, const float *own)
{
	for (int j = 0; j < round->bits; j++)
	{
		round->d[j] =
			round->real > 0
				? hx_dot_float(round->projection + (size_t) j * round->real,
							   own, round->real)
				: own[j];
		round->h[j] = round->d[j] > 0.0f ? 1.0f : -1.0f;
	}
}

/* What a document's own vector learns from the gradients */
static void
move_document(Round *round, float *own)
{
	for (int j = 0; j < round->bits; j++)
	{
		float step = round->by_h[j] * slope(round->d[j]);
		float *row = round->projection + (size_t) j * round->real;

		if (round->real == 0)
		{
			own[j] += step;
			continue;
		}
		hx_add_multiple_float(round->by_r, step, row, round->real);
		hx_add_multiple_float(row, step, own, round->real);
	}
	if (round->real > 0)
		hx_add_multiple_float(own, 1.0f, round->by_r, round->real);
}

/* The vector of a document learns from the words since it did so last. */
static void
refresh(Round *round, float *own)
{
	move_document(round, own);
	memset(round->by_h, 0, round->bits * sizeof(float));
	memset(round->by_r, 0, (round->real + 1) * sizeof(float));
	project(round, own);
}

/* All words of a document, one after the other; how many there are */
static size_t
learn_document(Round *round, const HxTerm *term, size_t terms, float *own)
{
	size_t words = 0;

	memset(round->by_h, 0, round->bits * sizeof(float));
	memset(round->by_r, 0, (round->real + 1) * sizeof(float));
	project(round, own);
	for (size_t i = 0; i < terms; i++)
	{
		for (uint32_t k = 0; k < term[i].count; k++)
		{
			learn_with_noise(round, term[i].word, own);
			if (++words % BATCH == 0)
				refresh(round, own);
		}
	}
	move_document(round, own);
	return words;
}

/* Small random numbers */
static void
fill_small(HxRandom *random, float *x, size_t count, double size)
{
	for (size_t i = 0; i < count; i++)
		x[i] = (float) ((hx_random_unit(random) - 0.5) * size);
}

/* Vectors to begin with: those of words and the projection are small */
static float *
begin(Round *round, size_t documents)
{
	int width = round->real > 0 ? round->real : round->bits;
	float *own = hx_matrix_alloc(documents * width + 1, sizeof(float));

	fill_small(&round->random, own, documents * width, 0.2);
	for (uint32_t w = 0; w < round->words; w++)
	{
		float *row = round->word + (size_t) w * round->columns;

		memset(row + 1, 0, (round->columns - 1) * sizeof(float));
		fill_small(&round->random, row + 2, round->bits, 0.02);
		if (round->real > 0)
			fill_small(&round->random, row + 3 + round->bits, round->real,
					   0.02);
	}
	if (round->real > 0)
		fill_small(&round->random, round->projection,
				   (size_t) round->bits * round->real, 1.0);
	return own;
}

/* Documents in another order each round */
static void
shuffle(HxRandom *random, size_t *order, size_t count)
{
	for (size_t i = count; i > 1; i--)
	{
		size_t j = hx_random_below(random, i);
		size_t kept = order[i - 1];

		order[i - 1] = order[j];
		order[j] = kept;
	}
}

double
hx_train_paragraphs(const HxDocuments *documents, uint32_t words, int bits,
					int real, int rounds, uint64_t seed, float *word,
					float *projection)
{
	int width = real > 0 ? real : bits;
	Round round = {.words = words,
				   .bits = bits,
				   .real = real,
				   .columns = hx_lexicon_columns(bits, real),
				   .word = word,
				   .projection = projection};
	size_t *order = hx_matrix_alloc(documents->count + 1, sizeof(size_t));
	float *own;
	size_t seen = 0;

	hx_seed_random(&round.random, seed);
	make_noise(&round);
	round.h = hx_matrix_alloc(3 * bits + real + 1, sizeof(float));
	round.d = round.h + bits;
	round.by_h = round.d + bits;
	round.by_r = round.by_h + bits;
	own = begin(&round, documents->count);
	for (size_t i = 0; i < documents->count; i++)
		order[i] = i;
	for (int n = 0; n < rounds; n++)
	{
		shuffle(&round.random, order, documents->count);
		round.loss = 0.0;
		seen = 0;
		round.rate =
			(float) ((real > 0 ? REAL_RATE : RATE) * (1.0 - 0.9 * n / rounds));
		for (size_t i = 0; i < documents->count; i++)
		{
			size_t at = order[i];
			size_t from = documents->start[at];

			hx_matrix_interrupt();
			seen += learn_document(&round, documents->term + from,
								   documents->start[at + 1] - from,
								   own + at * width);
		}
	}
	hx_matrix_free(own);
	hx_matrix_free(round.h);
	hx_matrix_free(round.noise);
	hx_matrix_free(order);
	return seen > 0 ? round.loss / (double) seen : 0.0;
}

/*
 * Fitting a document
 */

size_t
hx_paragraph_room(const HxLexicon *lexicon)
{
	return NOISE_SAMPLE + 2 * (size_t) lexicon->bits + lexicon->real;
}

/* A sum of products in order */
static double
dot(const float *a, const double *b, int n)
{
	double sum = 0.0;

	for (int i = 0; i < n; i++)
		sum += a[i] * b[i];
	return sum;
}

/*
 * The words that stand for noise: at the middles of equal parts of all shares,
 * one behind the other.  Returns how many there are.
 */
static int
sample_noise(const HxLexicon *lexicon, double *sample)
{
	int columns = hx_lexicon_columns(lexicon->bits, lexicon->real);
	double total = 0.0;
	double sum = 0.0;
	int count = 0;

	for (uint32_t w = 0; w < lexicon->words; w++)
		total += lexicon->word[(size_t) w * columns];
	for (uint32_t w = 0; w < lexicon->words; w++)
	{
		sum += lexicon->word[(size_t) w * columns];
		while (count < NOISE_SAMPLE &&
			   sum * NOISE_SAMPLE > total * (count + 0.5))
			sample[count++] = w;
	}
	return count;
}

/* What a word says of the vector `x` that predicts it, `weight` times */
static void
add_pull(const float *bias, const double *x, int n, double there, double weight,
		 double *gradient)
{
	const float *vector = bias + 1;
	double step =
		weight * (there - hx_sigmoid(dot(vector, x, n) + (double) *bias));

	for (int i = 0; i < n; i++)
		gradient[i] += step * vector[i];
}

/* The gradient for a vector of n numbers, whose columns begin at `column` */
static void
find_gradient(const HxLexicon *lexicon, const HxTerm *term, size_t terms,
			  const double *sample, int noise, int column, const double *x,
			  int n, double *gradient)
{
	int columns = hx_lexicon_columns(lexicon->bits, lexicon->real);
	double total = 0.0;

	for (int i = 0; i < n; i++)
		gradient[i] = 0.0;
	for (size_t i = 0; i < terms; i++)
	{
		total += term[i].count;
		add_pull(lexicon->word + (size_t) term[i].word * columns + column, x, n,
				 1.0, term[i].count, gradient);
	}
	for (int i = 0; i < noise; i++)
		add_pull(lexicon->word + (size_t) sample[i] * columns + column, x, n,
				 0.0, total * HX_NOISE_WORDS / noise, gradient);
	for (int i = 0; i < n; i++)
		gradient[i] /= total > 0.0 ? total : 1.0;
}

/* Signs, softened: what d would predict words by */
static void
soften(const HxLexicon *lexicon, const double *r, double *d, double *h)
{
	for (int j = 0; j < lexicon->bits; j++)
	{
		if (lexicon->real > 0)
			d[j] = dot(lexicon->projection + (size_t) j * lexicon->real, r,
					   lexicon->real);
		h[j] = 2.0 * hx_sigmoid(2.0 * d[j]) - 1.0;
	}
}

/* One step of what is fitted: d itself, or r */
static void
step_document(const HxLexicon *lexicon, double rate, double *d, double *h,
			  double *by_h, double *r, double *by_r)
{
	for (int j = 0; j < lexicon->bits; j++)
	{
		double step = by_h[j] * (1.0 - h[j] * h[j]);
		const float *row = lexicon->projection;

		if (lexicon->real == 0)
			d[j] += rate * step;
		else
			row += (size_t) j * lexicon->real;
		for (int i = 0; i < lexicon->real; i++)
			by_r[i] += step * row[i];
	}
	for (int i = 0; i < lexicon->real; i++)
		r[i] += rate * by_r[i];
}

void
hx_fit_paragraph(const HxLexicon *lexicon, const HxTerm *term, size_t terms,
				 double *room, double *d, double *r)
{
	double *h = room + NOISE_SAMPLE;
	double *by_h = h + lexicon->bits;
	double *by_r = by_h + lexicon->bits;
	int noise = sample_noise(lexicon, room);

	for (int j = 0; j < lexicon->bits; j++)
		d[j] = 0.0;
	for (int i = 0; i < lexicon->real; i++)
		r[i] = 0.0;
	for (int n = 0; n < FIT_STEPS; n++)
	{
		soften(lexicon, r, d, h);
		find_gradient(lexicon, term, terms, room, noise, 1, h, lexicon->bits,
					  by_h);
		if (lexicon->real > 0)
			find_gradient(lexicon, term, terms, room, noise, 2 + lexicon->bits,
						  r, lexicon->real, by_r);
		step_document(lexicon, FIT_RATE * (1.0 - 0.9 * n / FIT_STEPS), d, h,
					  by_h, r, by_r);
	}
	soften(lexicon, r, d, h);
}
