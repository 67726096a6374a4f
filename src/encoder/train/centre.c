/*
 * centre.c
 *	  How much of the mean codes of several bits leave out.
 *
 * A cosine of codes tells that of vectors less a centre, rounded.  Less the
 * mean, levels are used best, but cosines of such differences are not those of
 * vectors; less nothing, a large mean takes the levels away from what tells
 * rows apart.  What is better depends on the data, so it is measured: rows of the
 * sample ask for their nearest rows by cosine among codes.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/model/apply.h"
#include "encoder/train/part.h"

/* Rows that ask, of those that are measured, and how many answers count */
#define QUERY_ROWS 200
#define NEAR 10

/* Shares of the mean that are tried, of rows and of queries */
static const double row_shares[] = {1.0, 0.75, 0.5, 0.25, 0.0};
static const double query_shares[] = {1.0, 0.75, 0.5, 0.25};

/* Rows by which shares are measured */
typedef struct Measure
{
	int rows;
	int queries;
	int near;		 /* answers that count */
	double *mean;	 /* the whole mean */
	float *x;		 /* rows x inputs, as they are */
	int *truth;		 /* queries x near: rows nearest by cosine */
	double *weights; /* as they came */
} Measure;

/* Place of a query among the rows */
static inline int
query_row(const Measure *measure, int query)
{
	return hx_spread_row(measure->rows, query, measure->queries);
}

/* Scale each row to length 1; rows of zeros stay. */
static void
scale_lengths(float *rows, int n, int d)
{
	for (int r = 0; r < n; r++)
	{
		float *row = rows + (size_t) r * d;
		float length = sqrtf(hx_dot_float(row, row, d));

		for (int i = 0; i < d && length > 0.0f; i++)
			row[i] /= length;
	}
}

/* The `near` greatest of n scores, but not `self`, falling */
static void
keep_nearest(const float *score, int n, int self, int near, int *kept)
{
	int count = 0;

	for (int j = 0; j < n; j++)
	{
		int at;

		if (j == self || (count == near && score[j] <= score[kept[near - 1]]))
			continue;
		at = count < near ? count++ : near - 1;
		for (; at > 0 && score[kept[at - 1]] < score[j]; at--)
			kept[at] = kept[at - 1];
		kept[at] = j;
	}
}

/* Rows nearest to each query: found (queries x near), of vectors of length 1 */
static void
find_nearest(const Measure *measure, const float *queries, const float *rows,
			 int d, int *found)
{
	float *score = palloc(measure->rows * sizeof(float));

	for (int q = 0; q < measure->queries; q++)
	{
		CHECK_FOR_INTERRUPTS();
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, 1, measure->rows, d,
						  queries + (size_t) q * d, rows, 0.0f, score);
		keep_nearest(score, measure->rows, query_row(measure, q), measure->near,
					 found + (size_t) q * measure->near);
	}
	pfree(score);
}

/* Share of the nearest rows that were found */
static double
count_found(const Measure *measure, const int *found)
{
	int hits = 0;

	for (int q = 0; q < measure->queries; q++)
	{
		const int *truth = measure->truth + (size_t) q * measure->near;
		const int *got = found + (size_t) q * measure->near;

		for (int i = 0; i < measure->near; i++)
			for (int j = 0; j < measure->near; j++)
				hits += truth[i] == got[j];
	}
	return (double) hits / ((double) measure->queries * measure->near);
}

/* Copy queries out of rows of d floats. */
static void
pick_queries(const Measure *measure, const float *rows, int d, float *to)
{
	for (int q = 0; q < measure->queries; q++)
		memcpy(to + (size_t) q * d, rows + (size_t) query_row(measure, q) * d,
			   d * sizeof(float));
}

/* Rows as they are, and those nearest to the queries */
static Measure
start_measure(const HxPart *part)
{
	HxTraining *training = part->training;
	Measure measure = {.rows = Min(training->rows, HX_MEASURED_ROWS)};
	int d = part->inputs;
	float *scaled;
	float *query;

	measure.queries = Min(measure.rows, QUERY_ROWS);
	measure.near = Min(NEAR, measure.rows - 1);
	measure.mean = palloc(d * sizeof(double));
	memcpy(measure.mean, part->mean, d * sizeof(double));
	measure.x = HxTrainAlloc(training, (size_t) measure.rows * d, sizeof(float),
							 "rows to measure");
	measure.truth = palloc(measure.queries * NEAR * sizeof(int));
	for (int r = 0; r < measure.rows; r++)
	{
		float *to = measure.x + (size_t) r * d;

		HxCopyPart(part, hx_spread_row(training->rows, r, measure.rows), to);
		for (int i = 0; i < d; i++)
			to[i] += (float) part->mean[i];
	}
	scaled = palloc_extended((size_t) (measure.rows + measure.queries) * d *
								 sizeof(float),
							 MCXT_ALLOC_HUGE);
	query = scaled + (size_t) measure.rows * d;
	memcpy(scaled, measure.x, (size_t) measure.rows * d * sizeof(float));
	scale_lengths(scaled, measure.rows, d);
	pick_queries(&measure, scaled, d, query);
	find_nearest(&measure, query, scaled, d, measure.truth);
	pfree(scaled);
	return measure;
}

/* Free what start_measure made. */
static void
end_measure(const HxPart *part, Measure *measure)
{
	part->training->used -=
		(size_t) measure->rows * part->inputs * sizeof(float);
	pfree(measure->mean);
	pfree(measure->x);
	pfree(measure->truth);
}

/* Levels of outputs, in the place of these, of length 1 */
static void
round_rows(float *y, int n, int m, double step, int bits)
{
	for (size_t i = 0; i < (size_t) n * m; i++)
		y[i] = (float) hx_level_middle(y[i] / step, bits);
	scale_lengths(y, n, m);
}

/* Outputs of the measured rows: y (rows x outputs); the width of a level */
static double
project_rows(const HxPart *part, int rows, float *y)
{
	int bits = part->training->spec.bits;
	size_t numbers = (size_t) rows * part->outputs;
	double energy = 0.0;

	HxProjectPart(part, rows, y);
	for (size_t i = 0; i < numbers; i++)
		energy += (double) y[i] * y[i];
	return energy > 0.0 ? sqrt(energy / (double) numbers) * hx_level_width[bits]
						: 1.0;
}

/* Share of the nearest rows that are found between codes */
static double
ask_codes(const HxPart *part, const Measure *measure)
{
	int m = part->outputs;
	float *y = palloc_extended((size_t) (measure->rows + measure->queries) * m *
								   sizeof(float),
							   MCXT_ALLOC_HUGE);
	float *query = y + (size_t) measure->rows * m;
	int *found = palloc(measure->queries * NEAR * sizeof(int));
	double step = project_rows(part, measure->rows, y);
	double share;

	round_rows(y, measure->rows, m, step, part->training->spec.bits);
	pick_queries(measure, y, m, query);
	find_nearest(measure, query, y, m, found);
	share = count_found(measure, found);
	pfree(y);
	pfree(found);
	return share;
}

/*
 * The last direction becomes that of what the mean keeps beside the others,
 * where that is more than the last one's variance.
 */
static void
keep_rest(HxPart *part, const Measure *measure, double rest)
{
	int d = part->inputs;
	int m = part->outputs;
	double *last = part->weights + (size_t) (m - 1) * d;
	double *mean = palloc(d * sizeof(double));
	double variance = 0.0;
	double length;

	for (int i = 0; i < d; i++)
		mean[i] = rest * measure->mean[i];
	for (int j = 0; j < m - 1; j++)
	{
		const double *w = part->weights + (size_t) j * d;

		hx_add_multiple(mean, -hx_dot(mean, w, d), w, d);
	}
	length = sqrt(hx_dot(mean, mean, d));
	for (int r = 0; r < measure->rows; r++)
	{
		const float *x = measure->x + (size_t) r * d;
		double y = 0.0;

		for (int i = 0; i < d; i++)
			y += last[i] * (x[i] - measure->mean[i]);
		variance += y * y / measure->rows;
	}
	if (length * length > variance && length > 0.0)
	{
		for (int i = 0; i < d; i++)
			last[i] = mean[i] / length;
	}
	pfree(mean);
}

/* Set the part to a share: its mean and its weights, before they are turned. */
static void
set_share(HxPart *part, const Measure *measure, double share, bool adapt)
{
	memcpy(part->weights, measure->weights,
		   (size_t) part->outputs * part->inputs * sizeof(double));
	if (adapt && share < 1.0 && part->outputs < part->inputs)
		keep_rest(part, measure, 1.0 - share);
	for (int i = 0; i < part->inputs; i++)
		part->mean[i] = share * measure->mean[i] + 0.0;
}

/* The share found with the part turned at random, as pca and itq do next */
static double
ask_turned(HxPart *part, const Measure *measure, const double *rotation)
{
	size_t count = (size_t) part->outputs * part->inputs;
	double *kept = part->weights;
	double found;

	part->weights = palloc_extended(count * sizeof(double), MCXT_ALLOC_HUGE);
	hx_multiply(HX_TRANSPOSED, HX_AS_IS, part->outputs, part->inputs,
				part->outputs, rotation, kept, 0.0, part->weights);
	found = ask_codes(part, measure);
	pfree(part->weights);
	part->weights = kept;
	return found;
}

double
HxChooseCentre(HxPart *part, bool adapt, HxRandom *random)
{
	HxTraining *training = part->training;
	size_t count = (size_t) part->outputs * part->inputs;
	int m = part->outputs;
	double best = -1.0;
	double chosen = 1.0;
	double *rotation;
	Measure measure;

	if (training->rows < 4 * NEAR)
		return 1.0;
	measure = start_measure(part);
	measure.weights =
		HxTrainAlloc(training, count, sizeof(double), "directions");
	memcpy(measure.weights, part->weights, count * sizeof(double));
	rotation =
		HxTrainAlloc(training, (size_t) m * m, sizeof(double), "a rotation");
	hx_random_rotation(rotation, m, m, random);
	for (int i = 0; i < (int) lengthof(row_shares); i++)
	{
		double found;

		set_share(part, &measure, row_shares[i], adapt);
		found = ask_turned(part, &measure, rotation);
		if (found > best)
		{
			best = found;
			chosen = row_shares[i];
		}
	}
	set_share(part, &measure, chosen, adapt);
	training->used -= (count + (size_t) m * m) * sizeof(double);
	pfree(measure.weights);
	pfree(rotation);
	end_measure(part, &measure);
	return chosen;
}

double
HxChooseShare(const HxPart *part)
{
	Measure measure;
	int m = part->outputs;
	size_t numbers;
	float *y;
	float *query;
	float *mean;
	int *found;
	double best = -1.0;
	double chosen = 1.0;

	if (part->training->rows < 4 * NEAR)
		return 1.0;
	measure = start_measure(part);
	numbers = (size_t) (measure.rows + measure.queries) * m;
	y = HxTrainAlloc(part->training, numbers, sizeof(float), "projected rows");
	query = palloc_extended((size_t) measure.queries * m * sizeof(float),
							MCXT_ALLOC_HUGE);
	mean = palloc0(m * sizeof(float));
	found = palloc(measure.queries * NEAR * sizeof(int));
	for (int j = 0; j < m; j++)
		mean[j] = (float) hx_dot(part->weights + (size_t) j * part->inputs,
								 measure.mean, part->inputs);
	(void) project_rows(part, measure.rows, y);
	pick_queries(&measure, y, m, y + (size_t) measure.rows * m);
	round_rows(y, measure.rows, m, part->step, part->training->spec.bits);
	for (int i = 0; i < (int) lengthof(query_shares); i++)
	{
		double got;

		memcpy(query, y + (size_t) measure.rows * m,
			   (size_t) measure.queries * m * sizeof(float));
		for (int q = 0; q < measure.queries; q++)
			hx_add_multiple_float(query + (size_t) q * m,
								  (float) (1.0 - query_shares[i]), mean, m);
		find_nearest(&measure, query, y, m, found);
		got = count_found(&measure, found);
		if (got > best)
		{
			best = got;
			chosen = query_shares[i];
		}
	}
	part->training->used -= numbers * sizeof(float);
	pfree(y);
	pfree(query);
	pfree(mean);
	pfree(found);
	end_measure(part, &measure);
	return chosen;
}

double
HxMeasureStep(const HxPart *part)
{
	int rows = Min(part->training->rows, HX_MEASURED_ROWS);
	float *y = palloc_extended((size_t) rows * part->outputs * sizeof(float),
							   MCXT_ALLOC_HUGE);
	double step = project_rows(part, rows, y);

	pfree(y);
	return step;
}
