/*
 * visit.c
 *	  Rows of a page that is visited: conditions on the vector, distances, and
 *	  what is kept.
 *
 * HxVisitChainPage does it in the plain way.  Kinds that know a faster one use parts
 * of it.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "index/search/state.h"

/* ---- conditions on the vector ---- */

/* Is this a condition on the distances that the search computes anyway? */
static inline bool
is_own(const HxSearch *search, const HxBalls *balls)
{
	return balls->count == 1 && balls->any[0].query == search->spec.query;
}

/*
 * May a row be within a ball?  Where distances are estimates, if its bound does not
 * say that it is farther off; infinite ones stand for NaN.
 */
static bool
may_be_inside(const HxSearch *search, const HxWithin *ball,
			  const uint8 *payload, double distance)
{
	const HxKind *kind = HxKindOf(&search->desc);

	if (!kind->refine)
		return HxPassesTest(&ball->test, distance);
	if (distance == get_float8_infinity())
		return HxPassesTest(&ball->test, get_float8_nan());
	return !(kind->least(ball->query, payload, distance) >
			 HxGreatestPassing(&ball->test));
}

/*
 * Mark the rows of a page within a ball, whose distances are then those of the
 * page's rows.
 */
static void
mark_inside(HxSearch *search, const HxWithin *ball, const HxRowArrays *rows,
			bool *scored)
{
	bool own = ball->query == search->spec.query;

	if (!own || !*scored)
		HxKindOf(&search->desc)
			->distances(ball->query, rows->payloads, rows->count,
						search->distances);
	*scored = own;
	for (int i = 0; i < rows->count; i++)
		if (HxRowPasses(search->mask, i) &&
			may_be_inside(search, ball,
						  rows->payloads + i * search->desc.payload,
						  search->distances[i]))
			search->inside[i / 64] |= UINT64CONST(1) << (i % 64);
}

/* Clear the mask bits of rows outside all of some balls. */
static void
apply_balls(HxSearch *search, const HxBalls *balls, const HxRowArrays *rows,
			bool *scored)
{
	int words = (rows->count + 63) / 64;

	memset(search->inside, 0, words * sizeof(uint64));
	for (int b = 0; b < balls->count; b++)
		mark_inside(search, &balls->any[b], rows, scored);
	for (int w = 0; w < words; w++)
		search->mask[w] &= search->inside[w];
}

int
HxMaskBalls(HxSearch *search, const HxRowArrays *rows, int passed, bool *scored)
{
	const HxSearchSpec *spec = &search->spec;

	*scored = false;
	if (spec->nballs == 0 || passed == 0)
		return passed;
	/* Those of the search's own query last: their distances are needed again */
	for (int b = 0; b < spec->nballs; b++)
		if (!is_own(search, &spec->balls[b]))
			apply_balls(search, &spec->balls[b], rows, scored);
	for (int b = 0; b < spec->nballs; b++)
		if (is_own(search, &spec->balls[b]))
			apply_balls(search, &spec->balls[b], rows, scored);
	return (int) pg_popcount((char *) search->mask,
							 (rows->count + 63) / 64 * sizeof(uint64));
}

/* ---- rows that pass ---- */

void
HxKeepTid(HxSearch *search, const ItemPointerData *tid)
{
	Assert(!search->spec.ordered);
	if (search->ntids == search->tids_room)
	{
		search->tids_room *= 2;
		search->tids = repalloc_huge(search->tids, search->tids_room *
													   sizeof(ItemPointerData));
	}
	search->tids[search->ntids++] = *tid;
}

void
HxConsiderMasked(HxSearch *search, const HxRowArrays *rows, BlockNumber page)
{
	bool by_distance = HxGoesByDistance(search);

	for (int i = 0; i < rows->count; i++)
		if (HxRowPasses(search->mask, i))
			HxConsider(search, by_distance ? search->distances[i] : 0,
					   &rows->tids[i], page);
}

/* ---- the plain way ---- */

/* Clear the mask bits of rows that this part does not want; returns how many. */
static int
drop_unwanted(HxSearch *search, const HxRowArrays *rows,
			  bool (*is_null)(const uint8 *payload))
{
	int dropped = 0;

	for (int i = 0; i < rows->count; i++)
		if (HxRowPasses(search->mask, i) &&
			!HxWantsRow(search,
						is_null(rows->payloads + i * search->desc.payload)))
		{
			search->mask[i / 64] &= ~(UINT64CONST(1) << (i % 64));
			dropped++;
		}
	return dropped;
}

/* Visit the rows of a page. */
static void
visit_rows(HxSearch *search, const HxRowArrays *rows, BlockNumber page,
		   bool (*is_null)(const uint8 *payload))
{
	int passed = HxMaskRows(search, rows, search->mask);
	bool scored;

	passed -= drop_unwanted(search, rows, is_null);
	passed = HxMaskBalls(search, rows, passed, &scored);
	if (HxGoesByDistance(search) && passed > 0)
	{
		if (!scored)
			HxKindOf(&search->desc)
				->distances(search->spec.query, rows->payloads, rows->count,
							search->distances);
		search->stats.scored += rows->count;
	}
	search->seen += rows->count;
	search->passed += passed;
	search->stats.filtered += rows->count - passed;
	HxConsiderMasked(search, rows, page);
}

void
HxVisitChainPage(HxSearch *search, HxChainCursor *cursor,
				 bool (*is_null)(const uint8 *payload))
{
	HxSearchStats *stats = &search->stats;
	HxRowArrays rows;

	Assert(HxHoldsNoPage() && cursor->next != InvalidBlockNumber);
	HxRowArraysOf(&search->desc, HxNextPage(cursor), &rows);
	visit_rows(search, &rows, cursor->block, is_null);
	HxLeavePage(cursor);
	stats->again += stats->visited >= cursor->steps;
	stats->visited = Max(stats->visited, cursor->steps);
	stats->blocks = Max(stats->blocks, stats->visited);
}
