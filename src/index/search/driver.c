/*
 * driver.c
 *	  Searches: rows by (distance, TID), as many as are asked for.
 *
 * See README, "Search".  A search goes through phases, each of which looks only
 * for rows above the last (distance, TID) emitted.  A phase keeps the best rows
 * it meets, has the kind visit what it stores until the first of them are
 * settled, and releases those.
 */
#include "postgres.h"

#include "access/xact.h"
#include "miscadmin.h"
#include "utils/float.h"
#include "utils/memutils.h"

#include "index/search/state.h"

/* Rows kept by the first phase */
#define FIRST_KEPT 128

/* Rows after which a search is exact */
#define EXACT_AFTER 1024

/* A phase that finds few first keeps so many times the rows of those before it */
#define MORE_OF_FEW 3

/* Before all rows */
static const HxCandidate nothing = {.distance = -INFINITY};

/* ---- phases ---- */

/* Begin a phase that is exact and keeps as many rows as work_mem holds. */
static void
start_all(HxSearch *search)
{
	HxStartPhase(search, HX_RELEASE_ALL, HxMostRows());
}

/* The phase that a part of the search begins with */
static void
start_first_phase(HxSearch *search)
{
	search->last = nothing;
	search->before = search->returned;
	search->refined = 0;
	search->reached = get_float8_infinity();
	search->refine = HxKindOf(&search->desc)->refine && search->spec.ordered &&
					 search->spec.query && search->part != HX_PART_NULLS;
	if (HxCanFindFirst(search))
		HxStartPhase(search, HX_FIND_FIRST, HxRoomForFirst(search));
	else if (search->spec.limit > 0 || search->part != HX_PART_ROWS)
		start_all(search);
	else
		HxStartPhase(search, HX_RELEASE_GROUPS,
					 search->spec.few_first > 0 ? search->spec.few_first
												: FIRST_KEPT);
}

/* The phase for more rows than those released in groups */
static void
start_after_groups(HxSearch *search)
{
	int64 released =
		Max((int64) (search->returned - search->before), search->best.room);

	if (search->spec.few_first == 0)
		HxStartPhase(search, HX_RELEASE_MORE, EXACT_AFTER - FIRST_KEPT);
	else if (released < EXACT_AFTER)
		HxStartPhase(search, HX_RELEASE_GROUPS,
					 Min(MORE_OF_FEW * released, EXACT_AFTER));
	else
		start_all(search);
}

/* The phase for more rows than this one kept */
static void
start_next_phase(HxSearch *search)
{
	if (search->phase == HX_RELEASE_FIRST && search->refining &&
		HxCanFindFirst(search))
	{
		search->phase = HX_FIND_FIRST; /* goes on */
		return;
	}
	search->stats.restarts++;
	search->reached = get_float8_infinity();
	if (search->refine && search->phase == HX_RELEASE_FIRST &&
		HxCanFindFirst(search))
		HxStartPhase(search, HX_FIND_FIRST, HxRoomForFirst(search));
	else if (search->phase == HX_RELEASE_GROUPS)
		start_after_groups(search);
	else
		start_all(search);
}

/* How many rows are to be released next, counted in this phase */
static int64
next_group_end(const HxSearch *search)
{
	if (search->phase == HX_RELEASE_GROUPS)
		return Min(HxNextGroupEnd(search, search->nemitted), search->best.room);
	return search->best.room;
}

/* Distance of row number `count` of those kept; infinite if there are fewer */
static double
distance_of_row(HxBest *best, int64 count)
{
	Assert(count > 0);
	if (count >= best->room)
		return best->worst;
	HxSortBest(best, count);
	return best->count >= count ? best->rows[count - 1].distance
								: get_float8_infinity();
}

/*
 * Visit until the first `goal` rows kept are what they will be; true if there
 * is nothing left to visit.
 */
static bool
advance(HxSearch *search, int64 goal)
{
	const HxKind *kind = HxKindOf(&search->desc);

	Assert(goal > 0);
	for (;;)
	{
		bool complete = !kind->has_more(search);

		if (search->refine)
			HxMeasurePending(search);
		if (HxMergeBest(&search->best, complete))
		{
			if (complete)
				return true;
			search->goal = distance_of_row(&search->best, goal);
			if (search->goal < get_float8_infinity() &&
				HxIsSettled(search, search->goal, goal))
				return false;
		}
		kind->visit(search);
		Assert(HxHoldsNoPage());
	}
}

/* Release more rows of a phase that does not know how many; false at the end. */
static bool
release_group(HxSearch *search)
{
	for (;;)
	{
		HxBest *best = &search->best;
		int64 end = next_group_end(search);
		bool complete;

		Assert(search->nemitted <= best->room);
		if (search->nemitted == best->room)
		{
			start_next_phase(search);
			continue;
		}
		complete = advance(search, end);
		search->nready = Min(complete ? best->room : end, HxBestCount(best));
		if (search->nready > search->nemitted)
			return true;
		if (!best->lost)
			return false;
		search->nemitted = best->room; /* twins were among the rows kept */
	}
}

/* Have the rows of the limit been returned, and no more are wanted but ties? */
static bool
has_enough(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;

	Assert(!spec->ends || spec->limit > 0);
	return spec->ends && search->returned >= spec->limit;
}

/* Get rows ready to be emitted; false if there are none. */
static bool
release_more(HxSearch *search)
{
	switch (search->phase)
	{
		case HX_FIND_FIRST:
			if (search->refine)
				HxRefineFirst(search);
			else
				HxFindFirst(search);
			return true;
		case HX_RELEASE_FIRST: /* more are asked for than were found */
			if (has_enough(search))
				return false;
			start_next_phase(search);
			return true;
		case HX_RELEASE_LAST:
		case HX_RELEASE_RANKED:
			return false;
		default:
			return release_group(search);
	}
}

/* ---- rows ---- */

/* The next row that was got ready; false if it does not count. */
static bool
emit_ready(HxSearch *search, HxCandidate *row)
{
	Assert(search->nemitted < search->nready);
	HxSortBest(&search->best, search->nemitted + 1);
	if (search->nemitted >= search->best.count) /* twins were dropped */
	{
		search->nemitted = search->nready;
		return false;
	}
	*row = search->best.rows[search->nemitted++];
	/* A row that was met in two places while it moved comes once. */
	if (!HxPrecedes(&search->last, row))
		return false;
	search->last = *row;
	return HxCheckRow(search, row);
}

/* Is a row as near as the last one of the limit, which has been returned? */
static bool
is_tied(const HxSearch *search, const HxCandidate *row, bool is_null)
{
	return search->spec.ties && is_null == search->last_is_null &&
		   (is_null || row->distance == search->last_wanted);
}

/* The part that comes first */
static HxSearchPart
first_part(const HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;

	if (spec->ordered &&
		(!spec->query || (spec->nulls_first && !spec->skip_nulls)))
		return HX_PART_NULLS;
	return search->nans_apart && spec->nans_first ? HX_PART_NANS : HX_PART_ROWS;
}

/*
 * Go on to the next part of the rows: NULLs come at one end, NaN before the
 * others if they come first, or behind if they are apart.  False if there is none.
 */
static bool
next_part(HxSearch *search)
{
	const HxSearchSpec *spec = &search->spec;

	Assert(search->phase != HX_RELEASE_RANKED);
	if (!spec->query)
		return false;
	if (search->part == HX_PART_NANS && spec->nans_first)
		search->part = HX_PART_ROWS;
	else if (search->part == HX_PART_ROWS && search->nans_apart &&
			 !spec->nans_first)
		search->part = HX_PART_NANS;
	else if (search->part == HX_PART_NULLS && spec->nulls_first)
		search->part = search->nans_apart && spec->nans_first ? HX_PART_NANS
															  : HX_PART_ROWS;
	else if (search->part == HX_PART_ROWS && !spec->nulls_first &&
			 !spec->skip_nulls)
		search->part = HX_PART_NULLS;
	else
		return false;
	start_first_phase(search);
	return true;
}

/* The next row of all parts. */
static bool
next_row(HxSearch *search, HxCandidate *row, bool *is_null)
{
	bool found = false;

	while (!found)
	{
		if (search->phase == HX_RELEASE_RANKED)
			return HxRankingNext(search, row, is_null);
		if (search->nlate > 0)
		{
			*row = search->late[--search->nlate];
			found = HxCheckRow(search, row);
		}
		else if (search->nemitted < search->nready)
			found = emit_ready(search, row);
		else if (!release_more(search) &&
				 (has_enough(search) || !next_part(search)))
			return false;
	}
	*is_null = search->part == HX_PART_NULLS;
	return true;
}

bool
HxSearchNext(HxSearch *search, HxCandidate *row, bool *is_null)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	bool found = false;

	Assert(search->spec.ordered && HxHoldsNoPage());
	if (has_enough(search) && !search->spec.ties)
		search->ended = true;
	if (!search->ended)
		found = next_row(search, row, is_null);
	if (found && has_enough(search) && !is_tied(search, row, *is_null))
		found = false;
	if (!found)
		search->ended = true;
	else if (++search->returned == search->spec.limit)
	{
		search->last_wanted = row->distance;
		search->last_is_null = *is_null;
	}
	MemoryContextSwitchTo(old);
	return found;
}

int64
HxSearchNextRows(HxSearch *search, ItemPointerData **tids)
{
	MemoryContext old = MemoryContextSwitchTo(search->context);
	const HxKind *kind = HxKindOf(&search->desc);
	int64 count;

	Assert(!search->spec.ordered);
	do
	{
		if (!kind->has_more(search))
			break;
		kind->visit(search);
		Assert(HxHoldsNoPage());
	} while (search->ntids == 0);
	*tids = search->tids;
	count = search->ntids;
	search->ntids = 0;
	MemoryContextSwitchTo(old);
	return count;
}

/* ---- begin and end ---- */

/* Room for what is known of a page's rows */
static void
make_scratch(HxSearch *search)
{
	int rows = search->desc.capacity;

	search->mask = palloc(HxMaskWords(&search->desc) * sizeof(uint64));
	search->inside = palloc(HxMaskWords(&search->desc) * sizeof(uint64));
	search->distances = palloc(rows * sizeof(double));
	search->tids_room = rows;
	if (!search->spec.ordered)
		search->tids = palloc(rows * sizeof(ItemPointerData));
}

HxSearch *
HxBeginSearch(Relation index, const HxIndexDesc *desc, const HxSearchSpec *spec)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb search", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	HxSearch *search = palloc0(HxKindOf(desc)->search_size);

	Assert(HxHoldsNoPage());
	Assert(HxKindOf(desc)->search_size >= sizeof(HxSearch));
	Assert(spec->filter && spec->recall > 0 && spec->recall <= 1);
	Assert(spec->nballs == 0 || spec->balls);
	Assert(spec->limit > 0 || !(spec->ends || spec->ties));
	Assert(spec->nlimits == 0 || (HxKindOf(desc)->refine && spec->ordered &&
								  spec->query && spec->skip_nulls));
	search->context = context;
	search->index = index;
	search->desc = *desc;
	search->spec = *spec;
	search->filtered = !HxFilterIsTrivial(spec->filter) || spec->tids;
	search->recall =
		HxKindOf(desc)->refine ? HxRecallOfVisits(spec->recall) : spec->recall;
	/* A base backup brings marks that older snapshots here must not heed */
	search->see_dead = TransactionStartedDuringRecovery();
	search->stats.way =
		spec->tids && !spec->near ? HX_WAY_BITMAP : HX_WAY_BLOCKS;
	search->stats.lossy = spec->tids ? HxTidSetLossy(spec->tids) : 0;
	HxInitChecked(&search->checked, (Size) work_mem * 1024 / 4);
	HxInitLooks(&search->looks, (Size) work_mem * 1024 / 4);
	make_scratch(search);
	HxSetCutoff(search);
	if (HxKindOf(desc)->begin)
		HxKindOf(desc)->begin(search);
	else
		search->stats.blocks = RelationGetNumberOfBlocks(index) - 1;
	HxSeparateNans(search);
	search->part = first_part(search);
	if (HxShouldRank(search))
		HxStartRanking(search);
	else
	{
		HxPlanPrefetch(search);
		start_first_phase(search);
	}
	MemoryContextSwitchTo(old);
	return search;
}

const HxSearchStats *
HxSearchGetStats(HxSearch *search)
{
	const HxKind *kind = HxKindOf(&search->desc);

	if (kind->count_visits)
		kind->count_visits(search);
	return &search->stats;
}

bool
HxSearchIsExact(const HxSearch *search)
{
	return search->exact || search->phase == HX_RELEASE_RANKED;
}

void
HxEndSearch(HxSearch *search)
{
	MemoryContextDelete(search->context);
}
