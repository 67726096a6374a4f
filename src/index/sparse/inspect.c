/*
 * inspect.c
 *	  What SQL functions show of an index of sparse vectors.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "random.h"
#include "index/sparse/sparse.h"

void
HxSparseInfo(Relation index, const HxIndexDesc *desc, HxIndexInfo *info)
{
	HxSparseDirectory directory;

	HxReadWindows(index, desc, &directory);
	info->rows = HxSparseRows(&directory);
	info->null_rows = directory.pending.nulls + directory.frozen.nulls;
	info->dead = directory.pending.dead + directory.frozen.dead;
	for (int w = 0; w < directory.count; w++)
	{
		info->null_rows += directory.windows[w].nulls;
		info->dead += directory.windows[w].dead;
	}
	info->pending = directory.pending.rows + (int64) directory.frozen.rows;
	info->blocks = directory.count;
}

/* The rows of hashemb_block_info(): a window each. */
void
HxShowWindows(Relation index, const HxIndexDesc *desc, Tuplestorestate *store,
			  TupleDesc tuples)
{
	HxSparseDirectory directory;

	HxReadWindows(index, desc, &directory);
	for (int w = 0; w < directory.count; w++)
	{
		const HxWindow *window = &directory.windows[w];
		Datum values[10] = {0};
		bool nulls[10] = {false, false, false, false, true,
						  true,	 true,	true,  true,  true};

		values[0] = Int32GetDatum(w);
		values[1] = BoolGetDatum(false);
		values[2] = Int64GetDatum(window->rows - (int64) window->dead);
		values[3] = Int32GetDatum(window->pages);
		tuplestore_putvalues(store, tuples, values, nulls);
	}
}

/* ---- sampling ---- */

/* Rows drawn from a window, being put together from its lists */
typedef struct Drawn
{
	uint16 slot;
	int nnz; /* weights so far, and room for them */
	int room;
	int32 *dims;
	float *weights;
} Drawn;

static int
compare_drawn(const void *a, const void *b)
{
	return (int) ((const Drawn *) a)->slot - (int) ((const Drawn *) b)->slot;
}

/* Add a dimension to the vectors of drawn rows; both ascend by slot. */
static void
add_weights(Drawn *drawn, int count, const HxDim *dim,
			const HxPosting *postings)
{
	int at = 0;

	for (int i = 0; i < dim->count; i++)
	{
		Drawn *row;

		while (at < count && drawn[at].slot < postings[i].slot)
			at++;
		if (at == count)
			break;
		if (drawn[at].slot != postings[i].slot)
			continue;
		row = &drawn[at];
		if (row->nnz == row->room)
		{
			row->room *= 2;
			row->dims = repalloc(row->dims, row->room * sizeof(int32));
			row->weights = repalloc(row->weights, row->room * sizeof(float));
		}
		row->dims[row->nnz] = dim->dim;
		row->weights[row->nnz++] = HxPostingWeight(&postings[i]);
	}
}

/* A row without weights yet */
static Drawn
drawn_row(uint16 slot)
{
	Drawn row = {.slot = slot, .room = 64};

	row.dims = palloc(row.room * sizeof(int32));
	row.weights = palloc(row.room * sizeof(float));
	return row;
}

/* The query that a row makes, which has been put together */
static HxQuery *
query_of_row(const HxIndexDesc *desc, const Drawn *row)
{
	HxSvec *v = HxNewSvec(desc->dims, row->nnz);

	memcpy(v->indices, row->dims, row->nnz * sizeof(int32));
	memcpy(HxSvecWeights(v), row->weights, row->nnz * sizeof(float));
	return HxSparseQueryOf(desc, desc->vector->metric, v);
}

/* Choose rows of a window; returns how many, or -1 if it was replaced. */
static int
draw_rows(const HxWindowReader *reader, int wanted, uint64 *random,
		  Drawn *drawn, uint64 *tids)
{
	int capacity = reader->desc->capacity;
	int count = 0;

	for (int i = 0; i < wanted; i++)
		drawn[i].slot = HxRandomBelow(random, reader->window.rows);
	qsort(drawn, wanted, sizeof(Drawn), compare_drawn);
	for (int i = 0; i < wanted; i++)
	{
		Buffer buffer;
		HxRowArrays rows;
		double norm2;

		if (i > 0 && count > 0 && drawn[i].slot == drawn[count - 1].slot)
			continue;
		buffer =
			HxReadWindowPage(reader, HX_SECTION_ROWS, drawn[i].slot / capacity);
		if (!BufferIsValid(buffer))
			return -1;
		HxRowArraysOf(reader->desc, BufferGetPage(buffer), &rows);
		norm2 = ((const double *) rows.payloads)[drawn[i].slot % capacity];
		tids[count] = HxPackTid(&rows.tids[drawn[i].slot % capacity]);
		UnlockReleaseBuffer(buffer);
		if (norm2 < 0)
			continue;
		drawn[count++] = drawn_row(drawn[i].slot);
	}
	Assert(count <= wanted);
	return count;
}

/* Put together some rows of a window; returns how many. */
static int
sample_window(const HxWindowReader *reader, int wanted, uint64 *random,
			  HxQuery **queries, uint64 *tids)
{
	Drawn *drawn = palloc(Max(wanted, 1) * sizeof(Drawn));
	HxDim *dims = palloc(HX_DIMS_CAPACITY * sizeof(HxDim));
	HxPosting *postings = palloc(PG_UINT16_MAX * sizeof(HxPosting));
	int count = draw_rows(reader, wanted, random, drawn, tids);

	for (uint32 p = 0; count > 0 && p < reader->pages[HX_SECTION_DIMS]; p++)
	{
		int ndims;

		if (!HxReadDims(reader, p, dims, &ndims))
			return 0;
		for (int d = 0; d < ndims; d++)
		{
			if (!HxReadPostings(reader, &dims[d], postings))
				return 0;
			add_weights(drawn, count, &dims[d], postings);
		}
	}
	for (int i = 0; i < count; i++)
		queries[i] = query_of_row(reader->desc, &drawn[i]);
	pfree(postings);
	return Max(count, 0);
}

/*
 * Rows drawn at random, as queries; returns how many.  There must be room for
 * as many as are wanted.  Pending rows are not drawn.
 */
static int
sample_rows(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			HxQuery **queries, uint64 *tids)
{
	uint64 random = seed * UINT64CONST(0x9E3779B97F4A7C15) | 1;
	HxSparseDirectory directory;
	uint64 left = 0;
	int count = 0;

	HxReadWindows(index, desc, &directory);
	for (int w = 0; w < directory.count; w++)
		left += directory.windows[w].rows;
	for (int w = 0; w < directory.count && wanted > 0; w++)
	{
		const HxWindow *window = &directory.windows[w];
		int share = (int) ((double) wanted * window->rows / left + 0.5);
		HxWindowReader reader;

		left -= window->rows;
		wanted -= share;
		if (share == 0 ||
			!HxOpenWindow(index, desc, window, directory.places[w], &reader))
			continue;
		count += sample_window(&reader, share, &random, queries + count,
							   tids + count);
		HxCloseWindow(&reader);
	}
	return count;
}

int
HxSampleSparse(Relation index, const HxIndexDesc *desc, int wanted, uint64 seed,
			   HxSampleQuery **queries)
{
	HxQuery **rows = palloc(Max(wanted, 1) * sizeof(HxQuery *));
	uint64 *tids = palloc(Max(wanted, 1) * sizeof(uint64));
	int count = sample_rows(index, desc, wanted, seed, rows, tids);

	Assert(count <= Max(wanted, 0));
	*queries = palloc0(Max(count, 1) * sizeof(HxSampleQuery));
	for (int q = 0; q < count; q++)
	{
		(*queries)[q].query = rows[q];
		(*queries)[q].tid = tids[q];
	}
	return count;
}
