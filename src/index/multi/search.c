/*
 * search.c
 *	  Searching lists: every page of the file is visited, in its order.
 *
 * See README, "Search".  Rows never move to a page before the one that they are
 * on, so a search that goes forwards to an end that stays meets all that it must
 * see.
 */
#include "postgres.h"

#include <math.h>

#include "miscadmin.h"
#include "port/pg_bitutils.h"

#include "index/cost_units.h"
#include "index/multi/multi.h"

/*
 * Pages of a visit; fewer before it is learnt what to leave alone, at the beginning,
 * when each visit tells better how near rows must be, and where each row will be
 * looked at in the table
 */
#define PAGES_A_VISIT 16
#define PAGES_BEFORE_LEARNT 8
#define FIRST_PAGES 2
#define PAGES_A_LOOK 4

void
HxBeginListSearch(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	search->products = palloc(base->desc.capacity * sizeof(int32));
	search->glances = palloc(base->desc.capacity * sizeof(int32));
	base->nans_apart =
		base->spec.ordered && base->spec.nans_first && base->spec.query;
	base->stats.blocks = RelationGetNumberOfBlocks(base->index) - 1;
}

double
HxListEffort(const HxSearch *base, double passing)
{
	/* A page's rows: those of lists of some ten tokens */
	double rows = (double) RelationGetNumberOfBlocks(base->index) * BLCKSZ / 64;

	return rows * (HX_ROW_TIME + HX_LOOKUP_TIME);
}

void
HxStartListPhase(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	search->last = -INFINITY;
	search->nearer = 1;
	search->least = 0;
	search->next = HX_METAPAGE + 1;
	search->end = HxFilterIsNever(base->spec.filter)
					  ? search->next
					  : RelationGetNumberOfBlocks(base->index);
}

bool
HxHasMoreLists(const HxSearch *base)
{
	const HxListSearch *search = (const HxListSearch *) base;

	return search->next < search->end;
}

/* Not before all has been visited */
bool
HxIsListSearchSettled(HxSearch *base, double distance, int64 count)
{
	return false;
}

/* How far the product of a row may be off, as a distance */
static inline double
deviation_of(const HxListQuery *query, const HxListHead *head)
{
	return Max(query->deviation * HxLengthen(head->error), query->rounding);
}

/* Take note of a row of which a product says where it stands. */
static void
consider_known(HxSearch *base, const HxListArrays *arrays, int row,
			   int32 product)
{
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	HxCandidate found = {-(product * query->unit)};

	if (base->part == HX_PART_NANS)
		return; /* it is known to be a number */
	if (found.distance > base->best.worst && !base->exact)
		return;
	((HxListSearch *) base)->nearer +=
		product > ((const HxListSearch *) base)->last;
	found.tid = HxPackTid(&arrays->rows.tids[row]);
	found.page = HX_METAPAGE;
	HxSetDeviation(&found, deviation_of(query, &arrays->heads[row]));
	HxConsiderEstimate(base, &found, -INFINITY);
}

/* Take note of a row, by its product if there are products. */
static inline void
consider_row(HxSearch *base, const HxListArrays *arrays, int row,
			 const int32 *products)
{
	bool bare = HxIsBareList(arrays->heads[row].error);
	bool listed = HxListEnd(arrays, row) > HxListEnd(arrays, row - 1);
	HxCandidate found = {-INFINITY};

	if (products && listed)
	{
		consider_known(base, arrays, row, *products);
		return;
	}
	found.tid = HxPackTid(&arrays->rows.tids[row]);
	found.page = HX_METAPAGE;
	if (!bare && !listed)
		found.distance = INFINITY; /* an empty list: NaN, after all numbers */
	HxSetDeviation(&found, 0);
	HxConsiderEstimate(base, &found, -INFINITY);
}

/* Has a row codes? */
static inline bool
is_listed(const HxListArrays *arrays, int row)
{
	return HxListEnd(arrays, row) > HxListEnd(arrays, row - 1);
}

/* ---- glances ---- */

/*
 * Rows that tell how glances go with products at least, so many of a page, and what
 * is allowed for, in deviations
 */
#define GLANCES_LEARNT 1024
#define GLANCES_A_PAGE 64
#define GLANCE_MARGIN 4.5
#define HIGH_GLANCE_MARGIN 5.5 /* the same, for targets above .95 */

/* They are those of so many pages, spread over the file: a power of two at most */
#define FEWEST_PAGES_LEARNT 16
#define PAGES_LEARNT_BITS 6

/*
 * Of rows looked through so many of the best are kept at most, of a file's pages one in so
 * many is, and for each row kept so many of the greatest glances are
 */
#define MOST_SAMPLED 128
#define PAGES_A_SAMPLED 8
#define GLANCES_A_ROW 3

/* Learn how the glance of a row goes with its product. */
static void
note_glance(HxListSearch *search, double glance, double product)
{
	search->rows++;
	search->glance += glance;
	search->product += product;
	search->glance2 += glance * glance;
	search->product2 += product * product;
	search->both += glance * product;
}

/* Find the line that glances follow, and how far from it they are. */
static void
fit_glances(HxListSearch *search)
{
	double n = search->rows;
	double mean = search->glance / n;
	double middle = search->product / n;
	double variance = search->product2 / n - middle * middle;
	double shared = search->both / n - mean * middle;
	double rest;

	search->slope = variance > 0 ? shared / variance : 0;
	search->start = mean - search->slope * middle;
	rest = search->glance2 / n - mean * mean - search->slope * shared;
	search->rest = sqrt(Max(rest, 0));
}

/* The glance of a product that is off by some error, but for the margin */
static double
glance_of(const HxListSearch *search, double product, double error)
{
	double margin =
		search->base.spec.recall > 0.95 ? HIGH_GLANCE_MARGIN : GLANCE_MARGIN;

	return search->start + search->slope * product -
		   margin * hypot(search->rest, search->slope * error) - 1;
}

/*
 * Set the least glance of a row that may be among those kept, and nearer than the last
 * one wanted; 0 if all may be.
 */
static void
set_least(HxListSearch *search)
{
	const HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	double least;

	search->least = 0;
	if (base->exact || isinf(base->best.worst) ||
		search->rows < GLANCES_LEARNT || !(search->slope > 0))
		return;
	least = Max(glance_of(search, -base->best.worst / query->unit, 0),
				glance_of(search, search->last, search->error));
	if (least > 0 && least < PG_INT32_MAX)
		search->least = (int32) least;
}

/* ---- learning ---- */

/* The best rows that were looked through, best first: no row twice */
typedef struct Sampled
{
	int wanted; /* of them; 0: none can be told */
	int count;
	double products[MOST_SAMPLED];
	double deviations[MOST_SAMPLED];
	int nglances; /* greatest glances of these, falling */
	int32 glances[MOST_SAMPLED * GLANCES_A_ROW];
} Sampled;

/* Keep a row if it is among the best. */
static void
keep_sampled(Sampled *sampled, double product, double deviation)
{
	int at = sampled->count;

	if (at < sampled->wanted)
		sampled->count++;
	else if (at == 0 || product <= sampled->products[--at])
		return;
	for (; at > 0 && product > sampled->products[at - 1]; at--)
	{
		sampled->products[at] = sampled->products[at - 1];
		sampled->deviations[at] = sampled->deviations[at - 1];
	}
	sampled->products[at] = product;
	sampled->deviations[at] = deviation;
}

/* Is a glance one of the greatest so far?  It is kept then. */
static bool
is_great(Sampled *sampled, int32 glance)
{
	int at = sampled->nglances;

	if (at < sampled->wanted * GLANCES_A_ROW)
		sampled->nglances++;
	else if (at == 0 || glance <= sampled->glances[--at])
		return false;
	for (; at > 0 && glance > sampled->glances[at - 1]; at--)
		sampled->glances[at] = sampled->glances[at - 1];
	sampled->glances[at] = glance;
	return true;
}

/* Learn from the first rows of a page; returns how many there are. */
static int
learn_from_rows(HxListSearch *search, const HxListArrays *arrays,
				Sampled *sampled)
{
	const HxListQuery *query = (const HxListQuery *) search->base.spec.query;
	int count = Min(arrays->rows.count, GLANCES_A_PAGE);

	HxScoreLists(query, arrays, 0, count, search->products);
	for (int i = 0; i < count; i++)
		if (is_listed(arrays, i))
		{
			note_glance(search, search->glances[i], search->products[i]);
			keep_sampled(sampled, search->products[i],
						 deviation_of(query, &arrays->heads[i]));
		}
	return count;
}

/* Look for the best rows of a page from one on: those of the greatest glances. */
static void
look_for_best(HxListSearch *search, const HxListArrays *arrays, int from,
			  Sampled *sampled)
{
	const HxListQuery *query = (const HxListQuery *) search->base.spec.query;

	for (int i = from; i < arrays->rows.count; i++)
		if (is_great(sampled, search->glances[i]) && is_listed(arrays, i))
		{
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
			keep_sampled(sampled, search->products[i],
						 deviation_of(query, &arrays->heads[i]));
		}
}

/* Look through a page, if it is one of lists; is it to be learnt from? */
static void
look_through_page(HxListSearch *search, BlockNumber block, bool learning,
				  Sampled *sampled)
{
	HxSearch *base = &search->base;
	HxListArrays arrays;
	Buffer buffer;
	int learnt = 0;

	CHECK_FOR_INTERRUPTS();
	buffer =
		HxLockLists(base->index, &base->desc, block, BUFFER_LOCK_SHARE, NULL);
	if (!BufferIsValid(buffer))
		return;
	HxListArraysOf(&base->desc, BufferGetPage(buffer), &arrays);
	HxGlanceAtLists((const HxListQuery *) base->spec.query, &arrays, 0,
					arrays.rows.count, search->glances);
	if (learning)
		learnt = learn_from_rows(search, &arrays, sampled);
	if (sampled->wanted > 0)
		look_for_best(search, &arrays, learnt, sampled);
	UnlockReleaseBuffer(buffer);
}

/* One of some pages that are spread over the file, the first ones as well as all */
static BlockNumber
spread_page(const HxListSearch *search, int i)
{
	uint64 blocks = search->end - (HX_METAPAGE + 1);
	uint64 place = 0;

	for (int bit = 0; bit < PAGES_LEARNT_BITS; bit++)
		place |= (uint64) (i >> bit & 1) << (PAGES_LEARNT_BITS - 1 - bit);
	return HX_METAPAGE + 1 +
		   (BlockNumber) (place * blocks >> PAGES_LEARNT_BITS);
}

/*
 * Learn from pages that are spread over the file, since rows that came one after the
 * other may be near each other: the halves, the quarters between them, and so on.
 * So many are looked through for the best rows.
 */
static void
learn_glances(HxListSearch *search, int pages, Sampled *sampled)
{
	Assert(HxHoldsNoPage() && search->end > HX_METAPAGE + 1);
	for (int i = 0; i < 1 << PAGES_LEARNT_BITS; i++)
	{
		bool learning =
			i < FEWEST_PAGES_LEARNT || search->rows < GLANCES_LEARNT;

		if (!learning && i >= pages)
			break;
		if (i + 1 < Max(pages, FEWEST_PAGES_LEARNT))
			HxPrefetchPage(search->base.index, spread_page(search, i + 1));
		look_through_page(search, spread_page(search, i), learning, sampled);
	}
	if (search->rows > 0)
		fit_glances(search);
	search->learnt = true;
}

/* Has a file so many pages that none is looked through twice, and few are? */
static bool
is_long(const HxListSearch *search)
{
	return search->end > 1 << PAGES_LEARNT_BITS;
}

/*
 * Is it time to learn?  Before anything is visited, if all rows pass; else, and in a
 * short file, as soon as there is no room for all rows, where most pass.
 */
static bool
learning_is_due(const HxListSearch *search)
{
	const HxSearch *base = &search->base;

	if (search->learnt || !base->refine || base->exact ||
		((const HxListQuery *) base->spec.query)->chunks == 0)
		return false;
	return (!base->filtered && is_long(search)) ||
		   (!isinf(base->best.worst) && base->passed > base->seen / 3);
}

/* ---- a page ---- */

/* Consider all rows of a page that pass, where most do. */
static void
consider_most(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	int count = arrays->rows.count;

	HxScoreLists((const HxListQuery *) base->spec.query, arrays, 0, count,
				 search->products);
	for (int row = 0; row < count; row += 64)
		for (uint64 left = base->mask[row / 64]; left != 0; left &= left - 1)
		{
			int i = row + pg_rightmost_one_pos64(left);

			consider_row(base, arrays, i, &search->products[i]);
		}
}

/*
 * Consider the rows of a page that pass, as soon as the rows kept say how good one
 * must be: the first codebook tells of most that they are not.  It says nothing of
 * rows without codes, whose glance is 0.  Returns how many passed, but for those
 * whose list is NULL.
 */
static int
consider_promising(HxListSearch *search, const HxListArrays *arrays, int passed)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	int count = arrays->rows.count;

	Assert(!HxWantsRow(base, true) && HxWantsRow(base, false));
	Assert(search->least > 0);
	HxGlanceAtLists(query, arrays, 0, count, search->glances);
	for (int row = 0; row < count; row += 64)
	{
		uint64 left = base->mask[row / 64] &
					  HxGreatGlances(search->glances + row,
									 Min(count - row, 64), search->least);

		for (; left != 0; left &= left - 1)
		{
			int i = row + pg_rightmost_one_pos64(left);

			if (arrays->heads[i].error == HX_LIST_NULL)
			{
				passed--;
				continue;
			}
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
			consider_row(base, arrays, i, &search->products[i]);
		}
	}
	return passed;
}

/* Consider the rows of a page that pass, one by one. */
static void
consider_few(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	bool known = query->chunks > 0;

	for (int i = 0; i < arrays->rows.count; i++)
	{
		if (!HxRowPasses(base->mask, i))
			continue;
		if (known)
			HxScoreLists(query, arrays, i, 1, &search->products[i]);
		consider_row(base, arrays, i, known ? &search->products[i] : NULL);
	}
}

/* Has a page a row whose list is NULL? */
static bool
has_nulls(const HxListArrays *arrays)
{
	uint32 found = 0;

	for (int i = 0; i < arrays->rows.count; i++)
		found |= arrays->heads[i].error == HX_LIST_NULL;
	return found != 0;
}

/* Clear the mask bits of rows that this part does not want; returns how many. */
static int
drop_unwanted(HxSearch *base, const HxListArrays *arrays)
{
	bool wanted[] = {HxWantsRow(base, false), HxWantsRow(base, true)};
	int dropped = 0;

	if (wanted[false] && (wanted[true] || !has_nulls(arrays)))
		return 0;
	for (int i = 0; i < arrays->rows.count; i++)
	{
		bool is_null = arrays->heads[i].error == HX_LIST_NULL;

		if (!wanted[is_null] && HxRowPasses(base->mask, i))
		{
			base->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
			dropped++;
		}
	}
	return dropped;
}

/* Consider the rows of a page of which some pass; returns how many are wanted. */
static int
consider_rows(HxListSearch *search, const HxListArrays *arrays, int passed)
{
	HxSearch *base = &search->base;
	bool known =
		base->refine && ((const HxListQuery *) base->spec.query)->chunks > 0;
	bool most = passed > arrays->rows.count / 3;

	if (known && most && search->least > 0)
		return consider_promising(search, arrays, passed);
	passed -= drop_unwanted(base, arrays);
	if (passed == 0)
		return 0;
	if (!base->refine)
		HxConsiderMasked(base, &arrays->rows, HX_METAPAGE);
	else if (known && most)
		consider_most(search, arrays);
	else
		consider_few(search, arrays);
	return passed;
}

/* Visit the rows of a page. */
static void
visit_page(HxListSearch *search, const HxListArrays *arrays)
{
	HxSearch *base = &search->base;
	int count = arrays->rows.count;
	int passed = HxMaskRows(base, &arrays->rows, base->mask);

	if (passed > 0)
		passed = consider_rows(search, arrays, passed);
	base->seen += count;
	base->passed += passed;
	base->stats.filtered += count - passed;
	if (base->refine)
		base->stats.scored += passed;
}

/* Visit the next page, if it is one of lists. */
static void
visit_next(HxListSearch *search)
{
	HxSearch *base = &search->base;
	HxListArrays arrays;
	Buffer buffer;

	CHECK_FOR_INTERRUPTS();
	if (search->next + 1 < search->end)
		HxPrefetchPage(base->index, search->next + 1);
	buffer = HxLockLists(base->index, &base->desc, search->next++,
						 BUFFER_LOCK_SHARE, NULL);
	base->stats.visited = Max(base->stats.visited, search->next - 1);
	if (BufferIsValid(buffer))
	{
		HxListArraysOf(&base->desc, BufferGetPage(buffer), &arrays);
		visit_page(search, &arrays);
		UnlockReleaseBuffer(buffer);
	}
	/* Rows that move meanwhile are on new pages. */
	if (search->next == search->end)
		search->end = RelationGetNumberOfBlocks(base->index);
	base->stats.blocks = Max(base->stats.blocks, search->end - 1);
}

/* How much farther than the last row wanted candidates are kept, in deviations */
#define BOUND_MARGIN 4
#define HIGH_BOUND_MARGIN 5.6 /* the same, for targets above .95 */
#define REACHED_MARGIN 7	  /* where the search has started over */

/* May rows be left alone that are farther than those wanted?  Not if many fail */
static bool
may_bound(const HxSearch *base)
{
	double share = base->spec.heap.share;

	return base->refine && !base->exact &&
		   (isfinite(base->reached) ||
			(base->stats.restarts == 0 && !(share > 0 && share < 1)));
}

/*
 * Keep no rows that are so much farther than the last one wanted, which stands at a
 * distance, that errors of such a deviation hardly make up for it.
 */
static void
bound_by(HxListSearch *search, double distance, double deviation)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	double margin = base->spec.recall > 0.95 ? HIGH_BOUND_MARGIN : BOUND_MARGIN;

	if (isfinite(base->reached))
	{
		distance = base->reached;
		margin = REACHED_MARGIN;
	}
	if (!isfinite(distance) || -distance / query->unit < search->last)
		return;
	HxBoundBest(&base->best, distance + margin * deviation);
	search->last = -distance / query->unit;
	search->error = deviation / query->unit;
}

/*
 * As soon as the rows wanted are known by estimates, rows so much farther than the
 * last of them that errors hardly make up for it need not be kept.  Nothing changes
 * while no nearer row is met.  Where rows that were not kept are
 * asked for nevertheless, the search starts over: it knows an exact distance then,
 * and goes farther, and if that will not do either, keeps all.
 */
static void
bound_candidates(HxListSearch *search)
{
	HxSearch *base = &search->base;
	HxBest *best = &base->best;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	double deviations = 0;
	int64 wanted;

	if (!may_bound(base) || search->nearer == 0)
		return;
	search->nearer = 0;
	wanted = HxRowsToRefine(base);
	HxMergeBest(best, true);
	HxSortBest(best, wanted);
	if (best->count < wanted)
	{
		/* Of a search that starts over this is known from before */
		if (isfinite(base->reached) && search->error > 0)
			bound_by(search, base->reached, search->error * query->unit);
		return;
	}
	for (int64 i = 0; i < wanted; i++)
		deviations += HxDeviation(&best->rows[i]);
	bound_by(search, best->rows[wanted - 1].distance, deviations / wanted);
}

/* Learn, and bound candidates by what the rows that were learnt from are like. */
static void
learn(HxListSearch *search)
{
	HxSearch *base = &search->base;
	const HxListQuery *query = (const HxListQuery *) base->spec.query;
	Sampled sampled;
	double deviations = 0;
	int pages = 0;

	sampled.wanted = sampled.count = sampled.nglances = 0;
	if (!base->filtered && is_long(search) && may_bound(base) &&
		HxRowsToRefine(base) <= MOST_SAMPLED)
	{
		sampled.wanted = (int) HxRowsToRefine(base);
		pages = (int) Min(search->end / PAGES_A_SAMPLED, PG_INT16_MAX);
	}
	learn_glances(search, pages, &sampled);
	if (sampled.wanted == 0 || sampled.count < sampled.wanted)
		return;
	for (int i = 0; i < sampled.count; i++)
		deviations += sampled.deviations[i];
	bound_by(search, -sampled.products[sampled.count - 1] * query->unit,
			 deviations / sampled.count);
}

/*
 * Pages of the next visit.  While few have been visited each tells more of how near
 * rows must be.
 */
static int
pages_to_visit(const HxListSearch *search)
{
	int visited = (int) Min(search->next - (HX_METAPAGE + 1), 1024);

	if (search->base.exact)
		return PAGES_A_LOOK;
	if (!search->learnt)
		return PAGES_BEFORE_LEARNT;
	return Min(FIRST_PAGES + visited / 4, PAGES_A_VISIT);
}

void
HxVisitLists(HxSearch *base)
{
	HxListSearch *search = (HxListSearch *) base;

	Assert(HxHasMoreLists(base) && HxHoldsNoPage());
	if (learning_is_due(search))
		learn(search);
	bound_candidates(search);
	set_least(search);
	for (int pages = pages_to_visit(search); pages > 0 && HxHasMoreLists(base);
		 pages--)
		visit_next(search);
}
