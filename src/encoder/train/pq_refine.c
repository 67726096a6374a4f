/*
 * pq_refine.c
 *	  Method pq with "base": codes stay as they are stored, and the words get
 *	  other vectors for queries to be multiplied with (after JPQ).
 *
 * ranking		y answers x, as a vector or as its code: of the codes of a step's
 *				rows its own is to be the query's greatest.
 * margin_mse	x is a query, an answer and another answer one behind the other, y
 *				by how much a teacher finds the first better.
 *
 * A part of the rows is held out, and the words stay that do best for these, the
 * first ones among them.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encoder/model/apply.h"
#include "encoder/model/codebook.h"
#include "encoder/model/input.h"
#include "encoder/train/held.h"
#include "encoder/train/levels.h"
#include "encoder/train/pq.h"
#include "encoder/train/rows.h"
#include "encoder/train/value.h"
#include "type/bincode.h"

#define CODES 16

/* Rows of a step; times that all are seen; steps of Adam, of the words' size */
#define BATCH 64
#define EPOCHS 30
#define RATE 0.02

/* Rows held out: one in so many.  Rows without which nothing is learnt */
#define HELD_SHARE 5
#define LEAST_ROWS 20

/* Standard deviations of products that stand for 1 in the soft maximum */
#define SOFTNESS 0.25

/* Times in vain before training ends */
#define PATIENCE 4

/* What is learnt from */
typedef enum Loss
{
	LOSS_RANKING,
	LOSS_MARGIN_MSE
} Loss;

/* State of refinement */
typedef struct Refining
{
	HxTraining *training;
	const HxModel *base;
	Loss loss;
	int width;		/* of what enters the books */
	int parts;		/* books */
	int *part_of;	/* of each dimension */
	float *query;	/* rows x width */
	uint8 *code[2]; /* rows x parts: of the answer, and of another one */
	float *word;	/* width x CODES: what is learnt */
	size_t count;	/* of these */
	double factor;	/* of products, before the loss */
	int *order;		/* of rows; those from `rows` on are held out */
	int rows;
	float *q;		 /* of a step: queries */
	float *d[2];	 /* vectors of their codes' words */
	float *slope[2]; /* gradient at these */
	float *score;
	float *gradient; /* at the words */
} Refining;

/* The codeword of a row of y that is a code: level v is kept as v - 7.5 */
static void
copy_code(const float *y, int parts, uint8 *code)
{
	for (int p = 0; p < parts; p++)
		code[p] = (uint8) rint(y[p] + CODES / 2 - 0.5);
}

/* The code that base gives a vector */
static void
assign_code(Refining *refining, const float *vector, uint8 *code)
{
	const HxModel *base = refining->base;
	int inputs = (int) hx_view_width(&base->view[0]);
	double *x = palloc(inputs * sizeof(double));
	double *y = palloc(refining->width * sizeof(double));
	uint32_t *word = palloc(refining->parts * sizeof(uint32_t));
	double room[CODES];

	for (int i = 0; i < inputs; i++)
		x[i] = vector[i];
	(void) hx_apply_model(base, 0, x, (uint32_t) inputs,
						  palloc(hx_scratch_size(base)), y);
	hx_assign_words(&base->books, y, room, word);
	for (int p = 0; p < refining->parts; p++)
		code[p] = (uint8) word[p];
}

/* Query and codes of a row */
static void
read_row(Refining *refining, int row)
{
	HxTraining *training = refining->training;
	int inputs = (int) hx_view_width(&refining->base->view[0]);
	const float *x = training->x + (size_t) row * training->width[0];
	const float *y = training->y + (size_t) row * training->width[1];
	size_t at = (size_t) row * refining->parts;
	double *q = palloc(inputs * sizeof(double));
	double *turned;

	for (int i = 0; i < inputs; i++)
		q[i] = x[i];
	turned = HxTurnQuery(refining->base, q);
	for (int i = 0; i < refining->width; i++)
		refining->query[(size_t) row * refining->width + i] = (float) turned[i];
	if (refining->loss == LOSS_MARGIN_MSE)
	{
		assign_code(refining, x + inputs, refining->code[0] + at);
		assign_code(refining, x + 2 * (size_t) inputs, refining->code[1] + at);
	}
	else if (training->target == HX_Y_CODE)
		copy_code(y, refining->parts, refining->code[0] + at);
	else
		assign_code(refining, y, refining->code[0] + at);
}

/* Queries and codes of all rows, each in memory of its own for a time */
static void
read_rows(Refining *refining)
{
	HxTraining *training = refining->training;
	size_t n = training->rows;
	MemoryContext row = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb refinement", ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(row);

	refining->query =
		HxTrainAlloc(training, n * refining->width, sizeof(float), "queries");
	for (int i = 0; i < 2; i++)
		refining->code[i] =
			HxTrainAlloc(training, n * refining->parts, 1, "codes");
	for (size_t r = 0; r < n; r++)
	{
		CHECK_FOR_INTERRUPTS();
		read_row(refining, (int) r);
		MemoryContextReset(row);
	}
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(row);
}

/* Vectors of the codes of a step's rows */
static void
gather(Refining *refining, int first, int n, int which)
{
	for (int i = 0; i < n; i++)
	{
		const uint8 *code =
			refining->code[which] +
			(size_t) refining->order[first + i] * refining->parts;
		float *to = refining->d[which] + (size_t) i * refining->width;

		for (int k = 0; k < refining->width; k++)
			to[k] =
				refining->word[(size_t) k * CODES + code[refining->part_of[k]]];
	}
}

/* Add the gradient at codes' vectors to that at the words. */
static void
scatter(Refining *refining, int first, int n, int which)
{
	for (int i = 0; i < n; i++)
	{
		const uint8 *code =
			refining->code[which] +
			(size_t) refining->order[first + i] * refining->parts;
		const float *from =
			refining->slope[which] + (size_t) i * refining->width;

		for (int k = 0; k < refining->width; k++)
			refining
				->gradient[(size_t) k * CODES + code[refining->part_of[k]]] +=
				from[k];
	}
}

/* Have two rows of a step the same answer's code? */
static bool
same_code(const Refining *refining, int first, int a, int b)
{
	const uint8 *code = refining->code[0];

	return memcmp(code + (size_t) refining->order[first + a] * refining->parts,
				  code + (size_t) refining->order[first + b] * refining->parts,
				  refining->parts) == 0;
}

/*
 * A query's products become the gradient of the loss: the soft maximum should be
 * its answer's.  Another answer with the same code is no other.
 */
static double
soften(const Refining *refining, int first, float *row, int n, int answer)
{
	double factor = refining->factor;
	double greatest = -INFINITY;
	double sum = 0.0;
	double loss;

	for (int k = 0; k < n; k++)
		greatest = Max(greatest, factor * row[k]);
	loss = greatest - factor * row[answer];
	for (int k = 0; k < n; k++)
	{
		bool none = k != answer && same_code(refining, first, k, answer);

		row[k] = none ? 0.0f : (float) exp(factor * row[k] - greatest);
		sum += row[k];
	}
	for (int k = 0; k < n; k++)
		row[k] = (float) (factor * (row[k] / sum - (k == answer)) / n);
	return loss + log(sum);
}

/* Loss of a step's rows, and the gradient at the vectors of their codes */
static double
rank_step(Refining *refining, int first, int n)
{
	int width = refining->width;
	double loss = 0.0;

	gather(refining, first, n, 0);
	hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, n, width, refining->q,
					  refining->d[0], 0.0f, refining->score);
	for (int i = 0; i < n; i++)
		loss += soften(refining, first, refining->score + (size_t) i * n, n, i);
	hx_multiply_float(HX_TRANSPOSED, HX_AS_IS, n, width, n, refining->score,
					  refining->q, 0.0f, refining->slope[0]);
	return loss;
}

/* The same by margins: (factor * (q.a - q.b) - y)^2 */
static double
margin_step(Refining *refining, int first, int n)
{
	int width = refining->width;
	double loss = 0.0;

	for (int which = 0; which < 2; which++)
		gather(refining, first, n, which);
	for (int i = 0; i < n; i++)
	{
		const float *q = refining->q + (size_t) i * width;
		double margin =
			(double) hx_dot_float(q, refining->d[0] + (size_t) i * width,
								  width) -
			hx_dot_float(q, refining->d[1] + (size_t) i * width, width);
		double wrong = refining->factor * margin -
					   refining->training->number[refining->order[first + i]];

		loss += wrong * wrong;
		for (int k = 0; k < width; k++)
		{
			float slope = (float) (2.0 * wrong * refining->factor / n) * q[k];

			refining->slope[0][(size_t) i * width + k] = slope;
			refining->slope[1][(size_t) i * width + k] = -slope;
		}
	}
	return loss;
}

/* Loss of the rows from `first` of the order on, and their gradient */
static double
take_step(Refining *refining, int first, int n)
{
	for (int i = 0; i < n; i++)
		memcpy(refining->q + (size_t) i * refining->width,
			   refining->query +
				   (size_t) refining->order[first + i] * refining->width,
			   refining->width * sizeof(float));
	return refining->loss == LOSS_RANKING ? rank_step(refining, first, n)
										  : margin_step(refining, first, n);
}

/* Mean loss of the rows held out */
static double
held_loss(Refining *refining)
{
	int all = refining->training->rows;
	double sum = 0.0;

	for (int first = refining->rows; first < all; first += BATCH)
		sum += take_step(refining, first, Min(BATCH, all - first));
	return sum / (all - refining->rows);
}

/*
 * The factor of products: of margins what brings them to the teacher's, by least
 * squares; of a soft maximum so that it is neither flat nor hard.
 */
static void
choose_factor(Refining *refining)
{
	int n = Min(refining->training->rows, BATCH);
	double squares = 0.0;
	double products = 0.0;
	double mean = 0.0;

	refining->factor = 1.0;
	for (int first = 0; first + n <= refining->rows; first += n)
	{
		for (int i = 0; i < n; i++)
			memcpy(refining->q + (size_t) i * refining->width,
				   refining->query +
					   (size_t) refining->order[first + i] * refining->width,
				   refining->width * sizeof(float));
		for (int which = 0; which < 2; which++)
			gather(refining, first, n, which);
		for (int i = 0; i < n; i++)
		{
			int other = refining->loss == LOSS_RANKING ? 0 : 1;
			size_t a = (size_t) i * refining->width;
			size_t b =
				(size_t) (other == 0 ? (i + 1) % n : i) * refining->width;
			double margin =
				(double) hx_dot_float(refining->q + a, refining->d[0] + a,
									  refining->width) -
				hx_dot_float(refining->q + a, refining->d[other] + b,
							 refining->width);

			squares += margin * margin;
			mean += 1.0;
			if (other > 0)
				products +=
					margin *
					refining->training->number[refining->order[first + i]];
		}
	}
	if (!(squares > 0.0))
		return;
	if (refining->loss == LOSS_RANKING)
		refining->factor = 1.0 / (SOFTNESS * sqrt(squares / mean));
	else if (products > 0.0)
		refining->factor = products / squares;
}

/* Room for a step, and the words to begin with */
static void
start_refining(Refining *refining)
{
	HxTraining *training = refining->training;
	const HxBooks *books = &refining->base->books;
	size_t step = (size_t) BATCH * refining->width;

	refining->count = (size_t) refining->width * CODES;
	refining->part_of =
		HxTrainAlloc(training, refining->width, sizeof(int), "parts");
	for (int p = 0; p < refining->parts; p++)
	{
		for (uint32 k = hx_book_start(books, p);
			 k < hx_book_start(books, p + 1); k++)
			refining->part_of[k] = p;
	}
	refining->word =
		HxTrainAlloc(training, refining->count, sizeof(float), "words");
	memcpy(refining->word, books->query != NULL ? books->query : books->word,
		   refining->count * sizeof(float));
	refining->gradient =
		HxTrainAlloc(training, refining->count, sizeof(float), "words");
	refining->q = HxTrainAlloc(training, step, sizeof(float), "a step");
	for (int i = 0; i < 2; i++)
	{
		refining->d[i] = HxTrainAlloc(training, step, sizeof(float), "a step");
		refining->slope[i] =
			HxTrainAlloc(training, step, sizeof(float), "a step");
	}
	refining->score =
		HxTrainAlloc(training, (size_t) BATCH * BATCH, sizeof(float), "a step");
	refining->order =
		HxTrainAlloc(training, training->rows, sizeof(int), "the order");
	for (int r = 0; r < training->rows; r++)
		refining->order[r] = r;
}

/* Go through the rows that are learnt from, in a new order */
static void
learn_epoch(Refining *refining, HxRandom *random, double rate, float *memory,
			int *time)
{
	HxShuffle(refining->order, refining->rows, random);
	for (int first = 0; first < refining->rows; first += BATCH)
	{
		int n = Min(BATCH, refining->rows - first);

		CHECK_FOR_INTERRUPTS();
		memset(refining->gradient, 0, refining->count * sizeof(float));
		(void) take_step(refining, first, n);
		scatter(refining, first, n, 0);
		if (refining->loss == LOSS_MARGIN_MSE)
			scatter(refining, first, n, 1);
		hx_descend(refining->word, refining->gradient, memory,
				   memory + refining->count, refining->count, rate, ++*time);
	}
}

/* Learn as long as rows held out gain; keeps the words that did best, their loss */
static double
learn_words(Refining *refining, HxRandom *random)
{
	HxTraining *training = refining->training;
	int epochs =
		training->spec.iterations < 0 ? EPOCHS : training->spec.iterations;
	float *best =
		HxTrainAlloc(training, refining->count, sizeof(float), "words");
	float *memory =
		HxTrainAlloc(training, 2 * refining->count, sizeof(float), "words");
	double least = held_loss(refining);
	double squares = 0.0;
	double rate = HxSpecNumber(&training->spec, "rate", RATE, 1e-6, 10);
	int time = 0;
	int vain = 0;

	for (size_t i = 0; i < refining->count; i++)
		squares += (double) refining->word[i] * refining->word[i];
	rate *= sqrt(squares / (double) refining->count);
	memcpy(best, refining->word, refining->count * sizeof(float));
	for (int epoch = 0; epoch < epochs && vain < PATIENCE; epoch++)
	{
		double loss;

		learn_epoch(refining, random, rate, memory, &time);
		loss = held_loss(refining);
		vain = loss < least ? 0 : vain + 1;
		if (vain > 0)
			continue;
		least = loss;
		memcpy(best, refining->word, refining->count * sizeof(float));
	}
	refining->word = best;
	return least;
}

/* Error unless x and y are what the loss needs, of base's shape */
static void
check_rows(const Refining *refining)
{
	const HxTraining *training = refining->training;
	const HxView *view = &refining->base->view[0];
	bool margin = refining->loss == LOSS_MARGIN_MSE;
	int inputs = (int) hx_view_width(view);

	if (margin != (training->target == HX_Y_NUMBER) ||
		training->target == HX_Y_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 margin
					 ? errmsg("\"loss\": \"margin_mse\" needs a number as y")
					 : errmsg("\"loss\": \"ranking\" needs as y the vector or "
							  "the code that x looks for")));
	if (margin && view->features > 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("\"loss\": \"margin_mse\" needs vectors that "
							   "are not hashed")));
	if (training->width[0] != (margin ? 3 : 1) * inputs ||
		(training->target == HX_Y_VECTOR && training->width[1] != inputs))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("x has %d and y %d dimensions, but \"base\" takes %d%s",
						training->width[0], training->width[1], inputs,
						margin ? ", of each of the three in x" : "")));
	if (training->target == HX_Y_CODE)
		(void) HxMatchShapes((int) refining->base->dims, refining->base->bits,
							 training->width[1], training->target_bits,
							 "\"base\" makes the first, y is the second.",
							 NULL);
	HxRequireRows(training, training->rows, LEAST_ROWS, "rows");
}

void
HxRefineBooks(HxTraining *training, HxDraft *draft)
{
	static const char *const losses[] = {"ranking", "margin_mse", NULL};
	Refining refining = {.training = training, .base = training->spec.base};
	HxRandom random;

	HxRequireModel(refining.base, 1u << HX_CODEBOOK, HX_METHOD_PQ,
				   "codes to refine");
	refining.loss =
		(Loss) HxSpecWord(&training->spec, "loss", losses, LOSS_RANKING);
	refining.width = (int) refining.base->books.width;
	refining.parts = (int) refining.base->books.count;
	check_rows(&refining);
	hx_seed_random(&random, (uint64) training->spec.seed);
	start_refining(&refining);
	read_rows(&refining);
	HxShuffle(refining.order, training->rows, &random);
	refining.rows = training->rows - training->rows / HELD_SHARE;
	choose_factor(&refining);
	HxDraftOfBooks(training, refining.base, draft);
	draft->loss = learn_words(&refining, &random);
	draft->books.query = refining.word;
}
