/*
 * lists.c
 *	  A query's dimensions in a window, and walking over their lists.
 *
 * See README, "Structure on disk".  A list is a dimension's bounds and
 * postings, units of six bytes in order of blocks or slots; a search that
 * wants some blocks of it looks for them near where they should be.
 */
#include "postgres.h"

#include <math.h>

#include "index/sparse/lists.h"
#include "port/pg_bitutils.h"

/*
 * A list without bounds: if it has this many postings for each chosen block,
 * the blocks are looked for; else all postings are looked at
 */
#define SPARSELY 8

/* ---- looking up the query's dimensions ---- */

/*
 * Which fence may lead to each dimension of the query: the last one at or below
 * it; -1 if there is none.  False if the window was replaced.
 */
static bool
find_fences(const HxSparseQuery *query, const HxWindowReader *reader,
			int *fence_of)
{
	uint32 total =
		(reader->window.dims + HX_DIMS_A_FENCE - 1) / HX_DIMS_A_FENCE;
	int at = 0;
	int last = -1;

	for (uint32 f = 0; f < reader->pages[HX_SECTION_FENCES]; f++)
	{
		Buffer buffer = HxReadWindowPage(reader, HX_SECTION_FENCES, f);
		uint32 base = f * HX_FENCES_CAPACITY;
		uint32 count = Min(HX_FENCES_CAPACITY, total - Min(base, total));
		const uint32 *fences;
		uint32 next = 0;

		if (!BufferIsValid(buffer))
			return false;
		fences = HxPageFences(BufferGetPage(buffer));
		for (; at < query->nnz; at++)
		{
			while (next < count && fences[next] <= (uint32) query->dims[at])
				last = base + next++;
			if (next == count && base + count < total)
				break; /* the next page may say more */
			fence_of[at] = last;
		}
		UnlockReleaseBuffer(buffer);
	}
	for (; at < query->nnz; at++)
		fence_of[at] = last;
	return true;
}

/* Errors if a dimension's entry leads out of the window. */
static void
check_dim(const HxWindowReader *reader, const HxDim *dim)
{
	uint64 end = (uint64) dim->start + HxDimBounds(dim) + dim->count;

	if (dim->count == 0 || dim->count > HX_WINDOW_ROWS ||
		HxDimBounds(dim) > HX_WINDOW_BLOCKS ||
		dim->start < HxDimHeights(dim, reader->window.rows) ||
		end > (uint64) reader->pages[HX_SECTION_POSTINGS] * HX_UNITS_A_PAGE)
		HxCorrupted(reader->index, reader->window.map,
					"a dimension's postings lie outside of its window");
}

/* Page of dimensions that a fence leads to, and the place on it */
#define FENCE_PAGE(fence) ((fence) / HX_FENCES_A_PAGE)
#define FENCE_PLACE(fence) ((fence) % HX_FENCES_A_PAGE * HX_DIMS_A_FENCE)

/* The entry of a dimension among those behind a fence, or NULL */
static const HxDim *
find_dim(const HxDim *dims, int count, uint32 wanted)
{
	int low = 0;

	while (count > 0)
	{
		int half = count / 2;

		if (dims[low + half].dim < wanted)
		{
			low += half + 1;
			count -= half + 1;
		}
		else if (dims[low + half].dim == wanted)
			return &dims[low + half];
		else
			count = half;
	}
	return NULL;
}

/* The page of dimensions where one of the query may be; -1: nowhere */
static inline int
page_of(int fence)
{
	return fence < 0 ? -1 : FENCE_PAGE(fence);
}

/* Have what is behind the fences brought into the cache. */
static void
prefetch_dims(const HxSparseQuery *query, const HxWindowReader *reader,
			  const int *fence_of)
{
	for (int q = 0; q < query->nnz; q++)
		if (fence_of[q] >= 0)
			HxPrefetchBytes(
				reader->index,
				HxWindowBlock(reader, HX_SECTION_DIMS, FENCE_PAGE(fence_of[q])),
				FENCE_PLACE(fence_of[q]) * sizeof(HxDim),
				HX_DIMS_A_FENCE * sizeof(HxDim));
}

/*
 * Add those of the query's dimensions `from` to `to` that are on a page of
 * dimensions; false if the window was replaced.
 */
static bool
find_on_page(HxSparseLists *lists, const int *fence_of, int from, int to)
{
	const HxWindowReader *reader = lists->reader;
	int number = page_of(fence_of[from]);
	Buffer buffer = HxReadWindowPage(reader, HX_SECTION_DIMS, number);
	int count;

	Assert(from < to && to <= lists->query->nnz);
	if (!BufferIsValid(buffer))
		return false;
	count = HxWindowPageDims(reader, number);
	for (int q = from; q < to; q++)
	{
		int place = FENCE_PLACE(fence_of[q]);
		const HxDim *dim = find_dim(HxPageDims(BufferGetPage(buffer)) + place,
									Min(HX_DIMS_A_FENCE, count - place),
									lists->query->dims[q]);

		if (!dim)
			continue;
		check_dim(reader, dim);
		lists->dims[lists->count] = *dim;
		lists->dims[lists->count].blocks = HxDimBounds(dim);
		lists->tall[lists->count] = (dim->blocks & HX_HAS_HEIGHTS) != 0;
		lists->which[lists->count++] = q;
	}
	UnlockReleaseBuffer(buffer);
	return true;
}

/*
 * Find the query's dimensions in a window; what is noted of them is in the
 * current memory context.  False if the window was replaced.
 */
bool
HxFindLists(const HxSparseQuery *query, const HxWindowReader *reader,
			HxSparseLists *lists)
{
	int room = (int) Min((uint32) query->nnz, reader->window.dims) + 1;
	int *fence_of = palloc((query->nnz + 1) * sizeof(int));
	int end;

	lists->query = query;
	lists->reader = reader;
	lists->count = 0;
	lists->dims = palloc(room * sizeof(HxDim));
	lists->which = palloc(room * sizeof(int));
	lists->tall = palloc0(room * sizeof(bool));
	lists->flat = palloc0(room * sizeof(bool));
	lists->flat_gain = 0;
	if (!find_fences(query, reader, fence_of))
		return false;
	prefetch_dims(query, reader, fence_of);
	for (int from = 0; from < query->nnz; from = end)
	{
		for (end = from + 1; end < query->nnz &&
							 page_of(fence_of[end]) == page_of(fence_of[from]);)
			end++;
		if (fence_of[from] >= 0 && !find_on_page(lists, fence_of, from, end))
			return false;
	}
	Assert(lists->count < room);
	pfree(fence_of);
	return true;
}

/* ---- a list's postings ---- */

/* Have the beginning of a list brought into the cache. */
void
HxPrefetchUnits(const HxWindowReader *reader, uint32 unit, int count)
{
	uint32 at = unit % HX_UNITS_A_PAGE;

	HxPrefetchBytes(
		reader->index,
		HxWindowBlock(reader, HX_SECTION_POSTINGS, unit / HX_UNITS_A_PAGE),
		at * sizeof(HxPosting), count * sizeof(HxPosting));
}

/* Add the products of some postings to the sums of their slots. */
static inline void
add_products(const HxPosting *postings, int count, double weight, double *sums)
{
	for (int i = 0; i < count; i++)
		sums[postings[i].slot] +=
			weight * (double) HxPostingWeight(&postings[i]);
}

/*
 * Add the products of postings `from` to `to` of a list, counted in it, and log
 * them unless `log` is NULL; false if the window was replaced.
 */
bool
HxAddRun(HxUnitCursor *cursor, const HxDim *dim, int from, int to,
		 double weight, double *sums, HxPostingLog *log)
{
	uint32 unit = dim->start + dim->blocks + from;
	int left = to - from;

	while (left > 0)
	{
		int count;
		const HxPosting *units = HxGoToUnit(cursor, unit, left, &count);

		if (!units)
			return false;
		add_products(units, count, weight, sums);
		HxLogPostings(log, units, count);
		left -= count;
		unit += count;
	}
	return true;
}

/* ---- chosen blocks of a list ---- */

/* Make a list of the chosen blocks. */
void
HxListChosen(const uint64 *blocks, HxChosenBlocks *chosen)
{
	chosen->count = 0;
	memcpy(chosen->set, blocks, sizeof(chosen->set));
	for (int w = 0; w < HX_WINDOW_BLOCKS / 64; w++)
		for (uint64 left = blocks[w]; left != 0; left &= left - 1)
			chosen->blocks[chosen->count++] =
				w * 64 + pg_rightmost_one_pos64(left);
	Assert(chosen->count <= HX_WINDOW_BLOCKS);
}

/*
 * Where the bound of a block should stand among those of a list, if the blocks
 * that the list touches are spread evenly
 */
static inline int
guess_bound(const HxWindowReader *reader, const HxDim *dim, int block)
{
	int blocks = (reader->window.rows + HX_WINDOW_BLOCK - 1) / HX_WINDOW_BLOCK;

	return Min(block * dim->blocks / blocks, dim->blocks - 1);
}

/*
 * The first unit from a place on whose number (a bound's block, a posting's
 * slot) is not less than another: looked for around a guess, so that few lines
 * of memory are touched.
 */
static inline int
skip_units(const HxPosting *units, int from, int count, int number, int guess)
{
	int low = from;
	int high = count;
	int step = 1;

	Assert(from >= 0 && from <= count);
	guess = Max(Min(guess, count - 1), from);
	if (units[guess].slot < number)
		for (low = guess + 1; low + step < count; step *= 2)
		{
			if (units[low + step].slot >= number)
			{
				high = low + step;
				break;
			}
			low += step + 1;
		}
	else
		for (high = guess; high - step >= from; step *= 2)
		{
			if (units[high - step].slot < number)
			{
				low = high - step + 1;
				break;
			}
			high -= step;
		}
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (units[middle].slot < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/*
 * Where a dimension's postings of chosen blocks lie; false if the window was
 * replaced.  A block's postings end where those of the next bound begin, which
 * may be on the next page.
 */
bool
HxFindRuns(HxUnitCursor *cursor, const HxDim *dim, const HxChosenBlocks *chosen,
		   HxPostingRuns *runs)
{
	uint32 unit = dim->start;
	int left = dim->blocks;
	int done = 0; /* bounds on pages before */
	int next = 0;
	bool open = false;

	runs->count = 0;
	while (left > 0 && (open || next < chosen->count))
	{
		int count;
		int at = 0;
		const HxBlockBound *bounds =
			(const HxBlockBound *) HxGoToUnit(cursor, unit, left, &count);

		if (!bounds)
			return false;
		if (open)
			runs->to[runs->count++] = Min(bounds[0].first, dim->count);
		open = false;
		for (; next < chosen->count; next++)
		{
			int guess =
				guess_bound(cursor->reader, dim, chosen->blocks[next]) - done;

			at = skip_units((const HxPosting *) bounds, at, count,
							chosen->blocks[next], guess);
			if (at == count)
				break; /* the next page may have it */
			if (bounds[at].block != chosen->blocks[next])
				continue;
			runs->from[runs->count] = Min(bounds[at].first, dim->count);
			runs->block[runs->count] = chosen->blocks[next];
			runs->max[runs->count] = bounds[at].max;
			open = at + 1 == count;
			if (!open)
				runs->to[runs->count++] = Min(bounds[at + 1].first, dim->count);
		}
		left -= count;
		unit += count;
		done += count;
	}
	if (open)
		runs->to[runs->count++] = dim->count;
	return true;
}

/* A walk over postings of chosen blocks in a list without bounds */
typedef struct UnboundedWalk
{
	double weight;
	double *sums; /* of products by slot */
	double *rest; /* less what bounds blocks, or NULL */
	HxPostingLog *log;
	double spacing; /* postings a block, if they are spread evenly */
	int block;		/* where it is; -1: not begun */
	double most;	/* greatest product so far of this block */
} UnboundedWalk;

/*
 * Add a posting's product; unless `rest` is NULL, take from it what the block was
 * bounded by, which is the greatest of its products.
 */
static inline void
add_unbounded_posting(UnboundedWalk *walk, const HxPosting *posting)
{
	double product = walk->weight * (double) HxPostingWeight(posting);
	int block = posting->slot / HX_WINDOW_BLOCK;

	walk->sums[posting->slot] += product;
	HxLogPostings(walk->log, posting, 1);
	if (!walk->rest)
		return;
	if (block != walk->block)
		walk->most = 0;
	walk->block = block;
	if (fabs(product) > walk->most)
	{
		walk->rest[block] -= fabs(product) - walk->most;
		walk->most = fabs(product);
	}
}

/*
 * Add products of the postings on a page, with `done` of the list before them, for
 * chosen blocks from the `next` on; returns the first that may have more on the next
 * page.  Postings are looked for where they should stand, and these places fetched
 * ahead, together.
 */
static int
add_sparsely(UnboundedWalk *walk, const HxPosting *units, int count, int done,
			 const HxChosenBlocks *chosen, int next)
{
	int at = 0;

	for (int i = next; i < chosen->count; i++)
	{
		int guess = (int) (chosen->blocks[i] * walk->spacing) - done;

		if (guess >= count)
			break;
		__builtin_prefetch(&units[Max(guess, 0)]);
	}
	for (; next < chosen->count; next++)
	{
		int block = chosen->blocks[next];

		at = skip_units(units, at, count, block * HX_WINDOW_BLOCK,
						(int) (block * walk->spacing) - done);
		for (; at < count && units[at].slot / HX_WINDOW_BLOCK == block; at++)
			add_unbounded_posting(walk, &units[at]);
		if (at == count)
			break;
	}
	return next;
}

/*
 * Add a dimension's products for chosen blocks where no bounds lead to them, and
 * log them unless `log` is NULL; take their bounds from `rest` unless that is NULL.
 * False if the window was replaced.
 */
bool
HxAddUnbounded(HxUnitCursor *cursor, const HxDim *dim, double weight,
			   const HxChosenBlocks *chosen, double *sums, double *rest,
			   HxPostingLog *log)
{
	UnboundedWalk walk = {weight, sums, rest, log, 0, -1, 0};
	bool sparsely = chosen->count * SPARSELY <= dim->count;
	int done = 0; /* postings on pages before */
	int next = 0;

	walk.spacing =
		(double) dim->count * HX_WINDOW_BLOCK / cursor->reader->window.rows;
	while (done < dim->count && next < chosen->count)
	{
		int count;
		const HxPosting *units =
			HxGoToUnit(cursor, dim->start + done, dim->count - done, &count);

		if (!units)
			return false;
		if (sparsely)
			next = add_sparsely(&walk, units, count, done, chosen, next);
		else
			for (int i = 0; i < count; i++)
				if (HxIsChosen(chosen->set, units[i].slot / HX_WINDOW_BLOCK))
					add_unbounded_posting(&walk, &units[i]);
		done += count;
	}
	return true;
}

/* Have brought into the cache what is read first of a list to be scored. */
void
HxPrefetchList(const HxWindowReader *reader, const HxDim *dim,
			   const HxChosenBlocks *chosen)
{
	int guess;

	if (!chosen || dim->blocks == 0 || chosen->count == 0)
	{
		HxPrefetchUnits(reader, dim->start + dim->blocks, dim->count);
		return;
	}
	guess = guess_bound(reader, dim, chosen->blocks[0]);
	HxPrefetchUnits(reader, dim->start + guess, 1);
	guess = (int) ((int64) guess * dim->count / dim->blocks);
	HxPrefetchUnits(reader, dim->start + dim->blocks + guess, 1);
}
