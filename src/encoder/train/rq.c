/*
 * rq.c
 *	  Method rq: ids of several levels, coarse to fine, by residual k-means.
 *
 * The first level groups the vectors, each further one what the levels before
 * leave of them: a vector is about the sum of its words, and vectors whose ids
 * begin alike are near each other (after residual quantization; the ids are what
 * recommenders call semantic ids).
 */
#include "postgres.h"

#include <math.h>

#include "encoder/train/books.h"
#include "encoder/train/rows.h"
#include "encoder/train/value.h"

#define DEFAULT_LEVELS 3
#define MOST_LEVELS 64
#define DEFAULT_CODES 256
#define ITERATIONS 25

/*
 * Few words depend on where they begin: of so many beginnings, fewer for more
 * words, the best is taken.
 */
#define MOST_STARTS 8
#define STARTS_TIMES_CODES 64

/* The words that leave least of the rows, of several beginnings, and each row's */
static void
find_words(HxTraining *training, const float *rows, int codes, HxRandom *random,
		   int iterations, float *centers, int *group)
{
	int d = training->width[0];
	int n = training->rows;
	int starts = Max(1, Min(MOST_STARTS, STARTS_TIMES_CODES / codes));
	float *tried = centers;
	int *tried_group = group;
	double least = INFINITY;

	if (starts > 1)
	{
		tried = palloc((size_t) codes * d * sizeof(float));
		tried_group = palloc(n * sizeof(int));
	}
	for (int i = 0; i < starts; i++)
	{
		double error = hx_kmeans(rows, n, d, codes, iterations, random, tried,
								 tried_group);

		if (starts > 1 && error < least)
		{
			least = error;
			memcpy(centers, tried, (size_t) codes * d * sizeof(float));
			memcpy(group, tried_group, n * sizeof(int));
		}
	}
	if (starts > 1)
	{
		pfree(tried);
		pfree(tried_group);
	}
}

/* Learn a level's words from the rows, and take them from these. */
static void
learn_level(HxTraining *training, float *rows, int level, HxDraftBooks *books,
			HxRandom *random, int iterations)
{
	int d = training->width[0];
	int n = training->rows;
	float *centers = HxTrainAlloc(training, (size_t) books->codes * d,
								  sizeof(float), "words");
	int *group = palloc(n * sizeof(int));

	find_words(training, rows, books->codes, random, iterations, centers,
			   group);
	for (int r = 0; r < n; r++)
	{
		for (int i = 0; i < d; i++)
			rows[(size_t) r * d + i] -= centers[(size_t) group[r] * d + i];
	}
	HxPutBook(books, (size_t) level * d, d, centers);
	pfree(group);
}

/* Levels one after the other; the loss is the share of variance that is left. */
static void
train_rq(HxTraining *training, HxDraft *draft)
{
	const HxSpec *spec = &training->spec;
	int levels =
		(int) HxSpecInteger(spec, "levels", DEFAULT_LEVELS, 1, MOST_LEVELS);
	int codes =
		(int) HxSpecInteger(spec, "codes", DEFAULT_CODES, 2, HX_MAX_CODEWORDS);
	double *mean = NULL;
	double before;
	HxRandom random;

	HxRequireRows(training, training->rows, codes, "rows, one a code");
	hx_seed_random(&random, (uint64) spec->seed);
	if (spec->center)
		mean = HxCenterRows(training);
	HxStartBooks(training, draft, HX_RESIDUAL, levels, codes,
				 training->width[0]);
	draft->view[0].center = mean;
	before = HxSquaresOfRows(training);
	for (int level = 0; level < levels; level++)
		learn_level(training, training->x, level, &draft->books, &random,
					spec->iterations < 0 ? ITERATIONS : spec->iterations);
	draft->loss = before > 0.0 ? HxSquaresOfRows(training) / before : 0.0;
}

static const char *const rq_keys[] = {"levels", "codes",	  "seed",
									  "sample", "features",	  "normalize",
									  "center", "iterations", NULL};

const HxMethod HxMethodRq = {.id = HX_METHOD_RQ,
							 .keep = HX_KEEP_ROWS,
							 .targets = 1 << HX_Y_NONE,
							 .keys = rq_keys,
							 .train = train_rq};
