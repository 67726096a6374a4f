/*
 * pq.c
 *	  Method pq: product quantization, four bits a part.
 *
 * The vectors are turned so that their parts vary alike (after optimized product
 * quantization's closed form: the directions of greatest variance are dealt out to
 * the parts), and each part is coded by the nearest of its sixteen words.  Words
 * are numbered along the direction in which the part varies most, so that words
 * with near numbers are near each other: summaries of blocks in an index rest on
 * that.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"

#include "encoder/train/pq.h"
#include "encoder/train/rows.h"

#define DEFAULT_BOOKS 128
#define CODES 16
#define ITERATIONS 25

/* Rows turned at a time */
#define BATCH 256

/* Share of the greatest variance that counts as none */
#define NO_VARIANCE 1e-9

/* The directions of the rows, centred, and their variances */
static double *
find_directions(HxTraining *training, double *values)
{
	int d = training->width[0];
	double *squares = HxTrainAlloc(training, (size_t) d * d, sizeof(double),
								   "the covariance");
	double *vectors =
		HxTrainAlloc(training, (size_t) d * d, sizeof(double), "directions");

	for (int start = 0; start < training->rows; start += BATCH)
	{
		CHECK_FOR_INTERRUPTS();
		hx_add_squares(training->x + (size_t) start * d,
					   Min(BATCH, training->rows - start), d, squares);
	}
	hx_mirror(squares, d);
	if (hx_eigen(squares, d, values, vectors) != 0)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("directions of the vectors were not found")));
	return vectors;
}

/*
 * Deal directions out, the greatest first, each to the part whose variances have
 * the least product so far and that has room: place[i] is direction i's.
 */
static void
deal_directions(const HxBooks *books, const double *values, int *place)
{
	int d = (int) books->width;
	int parts = (int) books->count;
	double least = Max(values[0] * NO_VARIANCE, 1e-300);
	double *sum = palloc0(parts * sizeof(double));
	int *used = palloc0(parts * sizeof(int));

	for (int i = 0; i < d; i++)
	{
		int best = -1;

		for (int p = 0; p < parts; p++)
		{
			int room =
				(int) (hx_book_start(books, p + 1) - hx_book_start(books, p));

			if (used[p] < room && (best < 0 || sum[p] < sum[best]))
				best = p;
		}
		place[i] = (int) hx_book_start(books, best) + used[best]++;
		sum[best] += log(Max(values[i], least) / least);
	}
	pfree(sum);
	pfree(used);
}

/* Turn all rows: by weights, a row of d for each output */
static void
turn_rows(HxTraining *training, const double *weights)
{
	int d = training->width[0];
	float *turn =
		HxTrainAlloc(training, (size_t) d * d, sizeof(float), "directions");
	float *rows = palloc((size_t) BATCH * d * sizeof(float));

	for (size_t i = 0; i < (size_t) d * d; i++)
		turn[i] = (float) weights[i];
	for (int start = 0; start < training->rows; start += BATCH)
	{
		int n = Min(BATCH, training->rows - start);
		float *x = training->x + (size_t) start * d;

		CHECK_FOR_INTERRUPTS();
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, d, d, x, turn, 0.0f,
						  rows);
		memcpy(x, rows, (size_t) n * d * sizeof(float));
	}
	pfree(rows);
}

/* Turn the rows so that parts vary alike; the draft gets the rotation. */
static void
rotate(HxTraining *training, const HxBooks *books, HxDraft *draft)
{
	int d = training->width[0];
	double *values = palloc(d * sizeof(double));
	int *place = palloc(d * sizeof(int));
	double *vectors = find_directions(training, values);
	double *weights =
		HxTrainAlloc(training, (size_t) d * d, sizeof(double), "directions");

	deal_directions(books, values, place);
	for (int i = 0; i < d; i++)
		memcpy(weights + (size_t) place[i] * d, vectors + (size_t) i * d,
			   d * sizeof(double));
	turn_rows(training, weights);
	HxSetLinearView(training, &draft->view[0], d, d, draft->view[0].center,
					weights, NULL);
	pfree(values);
	pfree(place);
}

/* A word, and where it lies along the part's direction */
typedef struct Placed
{
	double at;
	int word;
} Placed;

/* Order of words along a direction */
static int
compare_placed(const void *a, const void *b)
{
	const Placed *left = a;
	const Placed *right = b;

	if (left->at != right->at)
		return left->at < right->at ? -1 : 1;
	return left->word - right->word;
}

/* Put words into the order of the direction in which the part varies most. */
static void
order_words(const float *part, int n, int d, float *centers)
{
	double *squares = palloc0((size_t) d * d * sizeof(double));
	double *vectors = palloc((size_t) d * d * sizeof(double));
	double *values = palloc(d * sizeof(double));
	float *copy = palloc((size_t) CODES * d * sizeof(float));
	Placed placed[CODES];

	hx_add_squares(part, n, d, squares);
	hx_mirror(squares, d);
	if (hx_eigen(squares, d, values, vectors) == 0)
	{
		for (int c = 0; c < CODES; c++)
		{
			placed[c] = (Placed){0.0, c};
			for (int i = 0; i < d; i++)
				placed[c].at += vectors[i] * centers[(size_t) c * d + i];
		}
		qsort(placed, CODES, sizeof(Placed), compare_placed);
		memcpy(copy, centers, (size_t) CODES * d * sizeof(float));
		for (int c = 0; c < CODES; c++)
			memcpy(centers + (size_t) c * d, copy + (size_t) placed[c].word * d,
				   d * sizeof(float));
	}
	pfree(squares);
	pfree(vectors);
	pfree(values);
	pfree(copy);
}

/* Learn the words of a part; sum of the squared distances from them */
static double
learn_part(HxTraining *training, const HxBooks *books, int part,
		   HxDraftBooks *draft, HxRandom *random)
{
	int from = (int) hx_book_start(books, part);
	int d = (int) hx_book_start(books, part + 1) - from;
	int n = training->rows;
	int iterations = training->spec.iterations;
	float *rows =
		palloc_extended((size_t) n * d * sizeof(float), MCXT_ALLOC_HUGE);
	float *centers = palloc((size_t) CODES * d * sizeof(float));
	int *group = palloc(n * sizeof(int));
	double error;

	for (int r = 0; r < n; r++)
		memcpy(rows + (size_t) r * d,
			   training->x + (size_t) r * training->width[0] + from,
			   d * sizeof(float));
	error = n * hx_kmeans(rows, n, d, CODES,
						  iterations < 0 ? ITERATIONS : iterations, random,
						  centers, group);
	order_words(rows, n, d, centers);
	HxPutBook(draft, from, d, centers);
	pfree(rows);
	pfree(centers);
	pfree(group);
	return error;
}

/* Learn rotation and words; the loss is the share of variance that is left. */
static void
learn(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int d = training->width[0];
	int parts = spec->has_dims ? spec->dims : Min(DEFAULT_BOOKS, d);
	HxBooks books = {
		.form = HX_PRODUCT, .count = parts, .codes = CODES, .width = d};
	double *mean = NULL;
	double before;
	double error = 0.0;
	HxRandom random;

	if (parts > Min(d, HX_MAX_BOOKS))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("cannot code %d dimensions as %d parts", d, parts),
				 errdetail("There are at most as many parts as "
						   "dimensions, and at most %d.",
						   HX_MAX_BOOKS)));
	HxRequireRows(training, training->rows, CODES, "rows, one a codeword");
	hx_seed_random(&random, (uint64) spec->seed);
	if (spec->center)
		mean = HxCenterRows(training);
	HxStartBooks(training, draft, HX_PRODUCT, parts, CODES, d);
	draft->view[0].center = mean;
	before = HxSquaresOfRows(training);
	if (spec->rotate)
		rotate(training, &books, draft);
	HxTrainReserve(training, 2.0 * training->rows * (d / parts + 1) * 4,
				   "a part of the rows");
	for (int p = 0; p < parts; p++)
		error += learn_part(training, &books, p, &draft->books, &random);
	draft->loss = before > 0.0 ? error / before : 0.0;
}

/* Learn codes, or, from base, what codewords count for queries */
static void
train_pq(HxTraining *training, HxDraft *draft)
{
	if (training->spec.base != NULL)
		HxRefineBooks(training, draft);
	else if (training->target != HX_Y_NONE)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("method \"pq\" has a use for y with \"base\" only"),
				 errhint("Learn codes from x alone; then, with that model as "
						 "base, what they count for queries.")));
	else
		learn(training, draft);
}

static const char *const pq_keys[] = {
	"dims",	  "seed",	"sample",	 "features", "normalize",
	"center", "rotate", "precision", "base",	 "iterations",
	"loss",	  "rate",	NULL};

const HxMethod HxMethodPq = {.id = HX_METHOD_PQ,
							 .keep = HX_KEEP_ROWS,
							 .targets = 1 << HX_Y_NONE | 1 << HX_Y_VECTOR |
										1 << HX_Y_CODE | 1 << HX_Y_NUMBER,
							 .continues = true,
							 .bases = 1u << HX_CODEBOOK,
							 .keys = pq_keys,
							 .train = train_pq};
