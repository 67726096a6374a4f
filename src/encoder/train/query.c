/*
 * query.c
 *	  The view of queries: how much of the rows' mean to subtract from a query.
 *
 * What inner products of rows with codes, k <W (q - share mean), code>, tell
 * best of those with vectors, by least squares over the rows nearest to others:
 * rows of the sample stand for queries.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "encoder/train/part.h"

/* Rows that stand for queries, and how many of the rows count as near them */
#define QUERY_ROWS 200
#define NEAR_SHARE 0.02
#define NEAR_LEAST 20

/* Rows multiplied at a time */
#define BATCH 256

/* A row and its inner product with a query */
typedef struct Ranked
{
	float product;
	int row;
} Ranked;

/* By falling product, then by row */
static int
compare_ranked(const void *a, const void *b)
{
	const Ranked *l = a;
	const Ranked *r = b;

	if (l->product != r->product)
		return l->product > r->product ? -1 : 1;
	return l->row < r->row ? -1 : 1;
}

/* What is known of the rows and the queries, to fit the queries' centre */
typedef struct Near
{
	int rows;
	int queries;
	int near;		 /* rows that count as near a query */
	float *exact;	 /* rows x queries: products of vectors, both centred */
	float *coded;	 /* rows x queries: of projected queries and codes */
	double *mean;	 /* of each row: product with the rows' mean */
	double *shifted; /* of each code: product with the projected mean */
	Ranked *ranked;	 /* rows */
	double uu, uv, vv, ut, vt; /* sums of products over all near rows */
} Near;

/*
 * Inner products of rows, less the mean, and their codes, with queries and the
 * mean.  y: rows x outputs, as projected.
 */
static void
multiply_queries(const HxPart *part, const float *y, Near *near)
{
	int d = part->inputs;
	int m = part->outputs;
	int bits = part->training->spec.bits;
	float *query = palloc_extended(
		(size_t) near->queries * (d + m) * sizeof(float), MCXT_ALLOC_HUGE);
	float *asked = query + (size_t) near->queries * d;
	float *rows = palloc_extended((size_t) BATCH * (d + m) * sizeof(float),
								  MCXT_ALLOC_HUGE);
	float *codes = rows + (size_t) BATCH * d;
	double *mean = palloc0(m * sizeof(double));

	for (int i = 0; i < m; i++)
		for (int j = 0; j < d; j++)
			mean[i] += part->weights[(size_t) i * d + j] * part->mean[j];
	for (int i = 0; i < near->queries; i++)
	{
		int row = hx_spread_row(near->rows, i, near->queries);

		HxCopyPart(part, hx_spread_row(part->training->rows, row, near->rows),
				   query + (size_t) i * d);
		memcpy(asked + (size_t) i * m, y + (size_t) row * m, m * sizeof(float));
	}
	for (int start = 0; start < near->rows; start += BATCH)
	{
		int n = Min(BATCH, near->rows - start);
		const float *outputs = y + (size_t) start * m;
		size_t at = (size_t) start * near->queries;

		CHECK_FOR_INTERRUPTS();
		for (int r = 0; r < n; r++)
		{
			float *row = rows + (size_t) r * d;
			float *code = codes + (size_t) r * m;

			HxCopyPart(
				part,
				hx_spread_row(part->training->rows, start + r, near->rows),
				row);
			for (int i = 0; i < m; i++)
				code[i] = (float) hx_level_middle(
					outputs[(size_t) r * m + i] / part->step, bits);
			for (int i = 0; i < d; i++)
				near->mean[start + r] += row[i] * part->mean[i];
			for (int i = 0; i < m; i++)
				near->shifted[start + r] += code[i] * mean[i];
		}
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, near->queries, d, rows,
						  query, 0.0f, near->exact + at);
		hx_multiply_float(HX_AS_IS, HX_TRANSPOSED, n, near->queries, m, codes,
						  asked, 0.0f, near->coded + at);
	}
	pfree(query);
	pfree(rows);
	pfree(mean);
}

/* Add the rows near one query to the sums, each less their mean */
static void
add_query(Near *near, int query)
{
	int self = hx_spread_row(near->rows, query, near->queries);
	double t0 = 0.0;
	double u0 = 0.0;
	double v0 = 0.0;
	int count = 0;

	for (int i = 0; i < near->rows; i++)
	{
		size_t at = (size_t) i * near->queries + query;

		near->exact[at] += (float) near->mean[i];
		near->coded[at] += (float) near->shifted[i];
		if (i != self)
			near->ranked[count++] = (Ranked){near->exact[at], i};
	}
	qsort(near->ranked, count, sizeof(Ranked), compare_ranked);
	for (int i = 0; i < near->near; i++)
	{
		int row = near->ranked[i].row;

		t0 += near->ranked[i].product / near->near;
		u0 += near->coded[(size_t) row * near->queries + query] / near->near;
		v0 += near->shifted[row] / near->near;
	}
	for (int i = 0; i < near->near; i++)
	{
		int row = near->ranked[i].row;
		double t = near->ranked[i].product - t0;
		double u = near->coded[(size_t) row * near->queries + query] - u0;
		double v = near->shifted[row] - v0;

		near->uu += u * u;
		near->uv += u * v;
		near->vv += v * v;
		near->ut += u * t;
		near->vt += v * t;
	}
}

double
HxFitShare(const HxPart *part)
{
	HxTraining *training = part->training;
	Near near = {.rows = Min(training->rows, HX_MEASURED_ROWS)};
	size_t outputs = (size_t) near.rows * part->outputs;
	size_t products;
	double determinant;
	double k;
	float *y;

	near.queries = Min(near.rows, QUERY_ROWS);
	near.near = Max((int) (near.rows * NEAR_SHARE), NEAR_LEAST);
	if (near.rows < 2 * NEAR_LEAST)
		return 1.0;
	products = (size_t) near.rows * near.queries;
	y = HxTrainAlloc(training, outputs, sizeof(float), "projected rows");
	near.exact =
		HxTrainAlloc(training, 2 * products, sizeof(float), "products of rows");
	near.coded = near.exact + products;
	near.mean = palloc0(near.rows * sizeof(double));
	near.shifted = palloc0(near.rows * sizeof(double));
	near.ranked = palloc(near.rows * sizeof(Ranked));
	HxProjectPart(part, near.rows, y);
	multiply_queries(part, y, &near);
	for (int i = 0; i < near.queries; i++)
		add_query(&near, i);
	training->used -= (outputs + 2 * products) * sizeof(float);
	pfree(y);
	pfree(near.exact);
	pfree(near.mean);
	pfree(near.shifted);
	pfree(near.ranked);
	/* t = k u - k share v */
	determinant = near.uu * near.vv - near.uv * near.uv;
	k = near.ut * near.vv - near.vt * near.uv;
	if (!(determinant > 1e-9 * near.uu * near.vv) || !(k > 0.0))
		return 1.0;
	return Min(Max((near.ut * near.uv - near.vt * near.uu) / k, 0.0), 1.0);
}
