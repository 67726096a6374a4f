/*
 * sparse_score.c
 *	  Products of a query with the rows of a window, and bounds of them.
 *
 * See README.sparse, "Search".  A row's product is a sum over the query's
 * dimensions, ascending, in double: the operator's own to the last bit.  A
 * block's bound adds up, over the dimensions that it has, the greatest that a
 * row of it can gain.
 */
#include "postgres.h"

#include <float.h>
#include <math.h>

#include "miscadmin.h"

#include "index/sparse.h"

/* Lists whose beginning is brought into the cache ahead of their turn */
#define LISTS_AHEAD 6

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
	uint64 end = (uint64) dim->start + dim->blocks + dim->count;

	if (dim->count == 0 || dim->count > HX_WINDOW_ROWS ||
		dim->blocks > HX_WINDOW_BLOCKS ||
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

/*
 * Find the query's dimensions in a window: their entries, and which ones they
 * are; there must be room for all.  Returns how many there are, or -1 if the
 * window was replaced.
 */
int
HxFindDims(const HxSparseQuery *query, const HxWindowReader *reader,
		   HxDim *found, int *which)
{
	int *fence_of = which; /* overwritten behind what has been read */
	int nfound = 0;
	int from = 0;

	if (!find_fences(query, reader, fence_of))
		return -1;
	for (int q = 0; q < query->nnz; q++)
		if (fence_of[q] >= 0)
			HxPrefetchBytes(
				reader->index,
				HxWindowBlock(reader, HX_SECTION_DIMS, FENCE_PAGE(fence_of[q])),
				FENCE_PLACE(fence_of[q]) * sizeof(HxDim),
				HX_DIMS_A_FENCE * sizeof(HxDim));
	while (from < query->nnz)
	{
		int number = fence_of[from] < 0 ? -1 : FENCE_PAGE(fence_of[from]);
		Buffer buffer = InvalidBuffer;
		int count = 0;

		if (number >= 0)
		{
			buffer = HxReadWindowPage(reader, HX_SECTION_DIMS, number);
			if (!BufferIsValid(buffer))
				return -1;
			count = HxWindowPageDims(reader, number);
		}
		for (; from < query->nnz &&
			   (fence_of[from] < 0 ? -1 : (int) FENCE_PAGE(fence_of[from])) ==
				   number;
			 from++)
		{
			int place = number < 0 ? 0 : FENCE_PLACE(fence_of[from]);
			const HxDim *dim =
				number < 0 ? NULL
						   : find_dim(HxPageDims(BufferGetPage(buffer)) + place,
									  Min(HX_DIMS_A_FENCE, count - place),
									  query->dims[from]);

			if (!dim)
				continue;
			check_dim(reader, dim);
			found[nfound] = *dim;
			which[nfound++] = from;
		}
		if (BufferIsValid(buffer))
			UnlockReleaseBuffer(buffer);
	}
	return nfound;
}

/* ---- walking over the units of lists ---- */

/* Have the beginning of a list brought into the cache. */
static void
prefetch_units(const HxWindowReader *reader, uint32 unit, int count)
{
	uint32 at = unit % HX_UNITS_A_PAGE;

	HxPrefetchBytes(
		reader->index,
		HxWindowBlock(reader, HX_SECTION_POSTINGS, unit / HX_UNITS_A_PAGE),
		at * sizeof(HxPosting), count * sizeof(HxPosting));
}

/* Where a walk over units is: its page stays share-locked */
typedef struct UnitCursor
{
	const HxWindowReader *reader;
	Buffer buffer; /* InvalidBuffer: none yet */
	uint32 number; /* of the page */
} UnitCursor;

static inline void
end_cursor(UnitCursor *cursor)
{
	if (BufferIsValid(cursor->buffer))
		UnlockReleaseBuffer(cursor->buffer);
	cursor->buffer = InvalidBuffer;
}

/*
 * The units from one on, as many of `left` as its page has; NULL if the window
 * was replaced.
 */
static inline const HxPosting *
go_to_unit(UnitCursor *cursor, uint32 unit, int left, int *count)
{
	uint32 number = unit / HX_UNITS_A_PAGE;
	uint32 at = unit % HX_UNITS_A_PAGE;

	if (!BufferIsValid(cursor->buffer) || cursor->number != number)
	{
		end_cursor(cursor);
		cursor->buffer =
			HxReadWindowPage(cursor->reader, HX_SECTION_POSTINGS, number);
		cursor->number = number;
		if (!BufferIsValid(cursor->buffer))
			return NULL;
	}
	*count = Min(left, (int) (HX_UNITS_A_PAGE - at));
	return HxPagePostings(BufferGetPage(cursor->buffer)) + at;
}

/* ---- bounds ---- */

/* Add what a dimension can give the rows of each block that has a bound. */
static void
add_bounds(const HxBlockBound *units, int count, float weight, float *bounds)
{
	for (int i = 0; i < count; i++)
	{
		uint32 bits = (uint32) units[i].max << 16;
		float max;

		memcpy(&max, &bits, sizeof(max));
		bounds[units[i].block % HX_WINDOW_BLOCKS] += weight * max;
	}
}

/* The same from the postings: rows of one block are added up, which is more. */
static void
add_posting_bounds(const HxPosting *postings, int count, float weight,
				   float *bounds)
{
	for (int i = 0; i < count; i++)
		bounds[postings[i].slot / HX_WINDOW_BLOCK % HX_WINDOW_BLOCKS] +=
			weight * fabsf(HxPostingWeight(&postings[i]));
}

/* Weight to bound a dimension's products with; 0 if none is positive. */
static float
bound_weight(const HxDim *dim, float weight)
{
	if (signbit(dim->max)) /* negative weights: of absolute values */
		return fabsf(weight);
	return Max(weight, 0);
}

/* Add a dimension to the bounds; false if the window was replaced. */
static bool
bound_list(UnitCursor *cursor, const HxDim *dim, float weight, float *bounds)
{
	uint32 unit = dim->start;
	int left = dim->blocks > 0 ? dim->blocks : dim->count;

	while (left > 0)
	{
		int count;
		const HxPosting *units = go_to_unit(cursor, unit, left, &count);

		if (!units)
			return false;
		if (dim->blocks > 0)
			add_bounds((const HxBlockBound *) units, count, weight, bounds);
		else
			add_posting_bounds(units, count, weight, bounds);
		left -= count;
		unit += count;
	}
	return true;
}

/*
 * Bounds of the products of the rows of each block, rounded up by more than the
 * errors of the arithmetic.  False if the window was replaced.
 */
bool
HxBoundBlocks(const HxSparseQuery *query, const HxWindowReader *reader,
			  const HxDim *found, const int *which, int nfound, float *bounds)
{
	float scale = 1 + 2 * FLT_EPSILON * (nfound + 4);
	UnitCursor cursor = {reader, InvalidBuffer};

	memset(bounds, 0, HX_WINDOW_BLOCKS * sizeof(float));
	for (int i = 0; i < nfound; i++)
	{
		float weight = bound_weight(&found[i], query->weights[which[i]]);

		CHECK_FOR_INTERRUPTS();
		if (i + LISTS_AHEAD < nfound)
			prefetch_units(reader, found[i + LISTS_AHEAD].start,
						   found[i + LISTS_AHEAD].blocks
							   ? found[i + LISTS_AHEAD].blocks
							   : found[i + LISTS_AHEAD].count);
		if (weight > 0 && !bound_list(&cursor, &found[i], weight, bounds))
			return false;
		end_cursor(&cursor);
	}
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
		bounds[b] = bounds[b] * scale + FLT_MIN * nfound;
	return true;
}

/* ---- products ---- */

/* Add the products of some postings to the sums of their slots. */
static inline void
add_products(const HxPosting *postings, int count, double weight, double *sums)
{
	for (int i = 0; i < count; i++)
		sums[postings[i].slot] +=
			weight * (double) HxPostingWeight(&postings[i]);
}

/* Add a dimension's products for all rows; false if the window was replaced. */
static bool
add_list(UnitCursor *cursor, const HxDim *dim, int from, int to, double weight,
		 double *sums)
{
	uint32 unit = dim->start + dim->blocks + from;
	int left = to - from;

	while (left > 0)
	{
		int count;
		const HxPosting *units = go_to_unit(cursor, unit, left, &count);

		if (!units)
			return false;
		add_products(units, count, weight, sums);
		left -= count;
		unit += count;
	}
	return true;
}

/* Runs of postings of chosen blocks */
typedef struct Ranges
{
	int count;
	uint16 from[HX_WINDOW_BLOCKS];
	uint16 to[HX_WINDOW_BLOCKS];
} Ranges;

/* Blocks to score */
typedef struct ChosenBlocks
{
	int count;
	uint16 blocks[HX_WINDOW_BLOCKS]; /* ascending */
	uint8 chosen[HX_WINDOW_BLOCKS];	 /* the same, a flag a block */
} ChosenBlocks;

/* Add the chosen blocks to an empty list. */
static void
list_chosen(const uint64 *blocks, ChosenBlocks *chosen)
{
	for (int b = 0; b < HX_WINDOW_BLOCKS; b++)
	{
		chosen->chosen[b] = HxIsChosen(blocks, b);
		if (chosen->chosen[b])
			chosen->blocks[chosen->count++] = b;
	}
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
 * The first bound from a place on that is not of an earlier block: looked for
 * around a guess, so that few lines of memory are touched.
 */
static inline int
skip_bounds(const HxBlockBound *bounds, int from, int count, int block,
			int guess)
{
	int low = from;
	int high = count;
	int step = 1;

	guess = Max(Min(guess, count - 1), from);
	if (bounds[guess].block < block)
		for (low = guess + 1; low + step < count; step *= 2)
		{
			if (bounds[low + step].block >= block)
			{
				high = low + step;
				break;
			}
			low += step + 1;
		}
	else
		for (high = guess; high - step >= from; step *= 2)
		{
			if (bounds[high - step].block < block)
			{
				low = high - step + 1;
				break;
			}
			high -= step;
		}
	while (low < high)
	{
		int middle = (low + high) / 2;

		if (bounds[middle].block < block)
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
static bool
find_ranges(UnitCursor *cursor, const HxDim *dim, const ChosenBlocks *chosen,
			Ranges *ranges)
{
	uint32 unit = dim->start;
	int left = dim->blocks;
	int done = 0; /* bounds on pages before */
	int next = 0;
	bool open = false;

	ranges->count = 0;
	while (left > 0 && (open || next < chosen->count))
	{
		int count;
		int at = 0;
		const HxBlockBound *bounds =
			(const HxBlockBound *) go_to_unit(cursor, unit, left, &count);

		if (!bounds)
			return false;
		if (open)
			ranges->to[ranges->count++] = Min(bounds[0].first, dim->count);
		open = false;
		for (; next < chosen->count; next++)
		{
			int guess =
				guess_bound(cursor->reader, dim, chosen->blocks[next]) - done;

			at = skip_bounds(bounds, at, count, chosen->blocks[next], guess);
			if (at == count)
				break; /* the next page may have it */
			if (bounds[at].block != chosen->blocks[next])
				continue;
			ranges->from[ranges->count] = Min(bounds[at].first, dim->count);
			open = at + 1 == count;
			if (!open)
				ranges->to[ranges->count++] =
					Min(bounds[at + 1].first, dim->count);
		}
		left -= count;
		unit += count;
		done += count;
	}
	if (open)
		ranges->to[ranges->count++] = dim->count;
	return true;
}

/* Add a dimension's products for chosen blocks where no bounds lead to them. */
static bool
add_filtered(UnitCursor *cursor, const HxDim *dim, double weight,
			 const ChosenBlocks *chosen, double *sums)
{
	uint32 unit = dim->start;
	int left = dim->count;

	while (left > 0)
	{
		int count;
		const HxPosting *units = go_to_unit(cursor, unit, left, &count);

		if (!units)
			return false;
		for (int i = 0; i < count; i++)
			if (chosen->chosen[units[i].slot / HX_WINDOW_BLOCK %
							   HX_WINDOW_BLOCKS])
				add_products(&units[i], 1, weight, sums);
		left -= count;
		unit += count;
	}
	return true;
}

/* Add a dimension's products for chosen blocks. */
static bool
add_chosen(UnitCursor *cursor, const HxDim *dim, double weight,
		   const ChosenBlocks *chosen, double *sums)
{
	Ranges ranges;

	if (dim->blocks == 0)
		return add_filtered(cursor, dim, weight, chosen, sums);
	if (!find_ranges(cursor, dim, chosen, &ranges))
		return false;
	for (int r = 0; r < ranges.count; r++)
		if (!add_list(cursor, dim, ranges.from[r], ranges.to[r], weight, sums))
			return false;
	return true;
}

/* Have brought into the cache what is read first of a list to be scored. */
static void
prefetch_list(const HxWindowReader *reader, const HxDim *dim,
			  const ChosenBlocks *chosen)
{
	int guess;

	if (!chosen || dim->blocks == 0 || chosen->count == 0)
	{
		prefetch_units(reader, dim->start + dim->blocks, dim->count);
		return;
	}
	guess = guess_bound(reader, dim, chosen->blocks[0]);
	prefetch_units(reader, dim->start + guess, 1);
	guess = (int) ((int64) guess * dim->count / dim->blocks);
	prefetch_units(reader, dim->start + dim->blocks + guess, 1);
}

/*
 * Products of the rows of chosen blocks (all if blocks is NULL), by slot; what
 * is left in other slots is no product.  False if the window was replaced.
 */
bool
HxScoreSparseBlocks(const HxSparseQuery *query, const HxWindowReader *reader,
					const HxDim *found, const int *which, int nfound,
					const uint64 *blocks, double *sums)
{
	UnitCursor cursor = {reader, InvalidBuffer};
	ChosenBlocks chosen;

	chosen.count = 0;
	if (!blocks)
		memset(sums, 0, reader->window.rows * sizeof(double));
	else
	{
		list_chosen(blocks, &chosen);
		for (int i = 0; i < chosen.count; i++)
			memset(sums + chosen.blocks[i] * HX_WINDOW_BLOCK, 0,
				   HX_WINDOW_BLOCK * sizeof(double));
	}
	for (int i = 0; i < nfound; i++)
	{
		const HxDim *dim = &found[i];
		double weight = query->weights[which[i]];
		bool done;

		CHECK_FOR_INTERRUPTS();
		if (i + LISTS_AHEAD < nfound)
			prefetch_list(reader, &found[i + LISTS_AHEAD],
						  blocks ? &chosen : NULL);
		done = blocks ? add_chosen(&cursor, dim, weight, &chosen, sums)
					  : add_list(&cursor, dim, 0, dim->count, weight, sums);
		if (!done)
			return false;
		end_cursor(&cursor);
	}
	return true;
}

/* ---- rows by themselves ---- */

/* Bits of the filter that most dimensions of pending rows fail */
#define DIM_BITS 65536

/* A dimension of the query, for pending rows; open addressing */
typedef struct QueryDim
{
	int32 dim; /* -1: free */
	float weight;
} QueryDim;

struct HxQueryLookup
{
	const HxSparseQuery *query;
	uint64 *seen; /* filter of the dimensions */
	QueryDim *dims;
	uint32 mask; /* slots - 1 */
};

/* Prepare to look up dimensions in a query, which must outlive that. */
HxQueryLookup *
HxMakeLookup(const HxSparseQuery *query)
{
	HxQueryLookup *lookup = palloc(sizeof(HxQueryLookup));
	uint32 slots = 16;

	while (slots < 2 * (uint32) query->nnz)
		slots *= 2;
	lookup->query = query;
	lookup->dims = palloc(slots * sizeof(QueryDim));
	lookup->mask = slots - 1;
	lookup->seen = palloc0(DIM_BITS / 8);
	for (uint32 i = 0; i < slots; i++)
		lookup->dims[i].dim = -1;
	for (int i = 0; i < query->nnz; i++)
	{
		uint32 bit = (uint32) query->dims[i] % DIM_BITS;
		uint32 at = (uint32) query->dims[i] * 2654435769U >> 8;

		lookup->seen[bit / 64] |= UINT64CONST(1) << (bit % 64);
		while (lookup->dims[at & lookup->mask].dim >= 0)
			at++;
		lookup->dims[at & lookup->mask].dim = query->dims[i];
		lookup->dims[at & lookup->mask].weight = query->weights[i];
	}
	return lookup;
}

/* Weight of a dimension in the query, or 0 */
static inline float
query_weight(const HxQueryLookup *lookup, int32 dim)
{
	uint32 at = (uint32) dim * 2654435769U >> 8;

	for (;; at++)
	{
		const QueryDim *entry = &lookup->dims[at & lookup->mask];

		if (entry->dim == dim)
			return entry->weight;
		if (entry->dim < 0)
			return 0;
	}
}

/* Product of the query and a row by itself, by rising dimension */
double
HxLookupProduct(const HxQueryLookup *lookup, const HxDoc *doc)
{
	const HxIndexDesc *desc = lookup->query->base.desc;
	const int32 *dims = HxDocDims(desc, doc);
	const float *weights = HxDocWeights(desc, doc);
	double sum = 0;

	for (int i = 0; i < doc->nnz; i++)
	{
		uint32 bit = (uint32) dims[i] % DIM_BITS;
		float weight;

		if (!(lookup->seen[bit / 64] >> (bit % 64) & 1))
			continue;
		weight = query_weight(lookup, dims[i]);
		if (weight != 0)
			sum += (double) weight * (double) weights[i];
	}
	return sum;
}

static inline double
greater(double a, double b)
{
	return a > b ? a : b;
}

/*
 * Greatest sum of each block; -infinity for those that are not chosen (all are
 * if blocks is NULL).
 */
void
HxBlockMaxima(const double *sums, int rows, const uint64 *blocks,
			  double *maxima)
{
	for (int b = 0; b * HX_WINDOW_BLOCK < rows; b++)
	{
		const double *from = sums + b * HX_WINDOW_BLOCK;
		int count = Min(HX_WINDOW_BLOCK, rows - b * HX_WINDOW_BLOCK);
		double most[4] = {-INFINITY, -INFINITY, -INFINITY, -INFINITY};

		if (blocks && !HxIsChosen(blocks, b))
			count = 0;
		for (; count >= 4; count -= 4, from += 4)
		{
			most[0] = greater(from[0], most[0]);
			most[1] = greater(from[1], most[1]);
			most[2] = greater(from[2], most[2]);
			most[3] = greater(from[3], most[3]);
		}
		while (count-- > 0)
			most[0] = greater(*from++, most[0]);
		maxima[b] =
			greater(greater(most[0], most[1]), greater(most[2], most[3]));
	}
}

/* Values are told apart by a histogram of so many bins */
#define BINS 256

/*
 * What about so many of the values reach, or more, if they are positive;
 * -infinity if there are not as many.
 */
double
HxReachedBy(const double *values, int count, double wanted)
{
	int bins[BINS] = {0};
	double most = 0;
	double scale;
	int reached = 0;

	for (int i = 0; i < count; i++)
		most = greater(values[i], most);
	if (!(most >= DBL_MIN * BINS) || wanted >= count)
		return -INFINITY;
	scale = (BINS - 1) / most;
	for (int i = 0; i < count; i++)
		if (values[i] > 0)
			bins[(int) (values[i] * scale)]++;
	for (int bin = BINS - 1; bin > 0; bin--)
	{
		reached += bins[bin];
		if (reached >= wanted)
			return bin / scale;
	}
	return -INFINITY;
}
