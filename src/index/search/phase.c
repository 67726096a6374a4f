/*
 * phase.c
 *	  The beginning of a phase of a search, and rows found too late.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/search/state.h"

/* Rows that are always held */
#define LEAST_ROWS 1024

/* Rows found too late that there is room for at first */
#define LATE_ROOM 16

int64
HxMostRows(void)
{
	return Max((int64) work_mem * 1024 / (int64) sizeof(HxCandidate),
			   LEAST_ROWS);
}

void
HxForgetRows(HxSearch *search, int64 room)
{
	HxResetBest(&search->best, room);
	search->nemitted = search->nready = 0;
	search->ntids = search->npending = 0;
	search->seen = search->passed = 0;
	search->goal = get_float8_infinity();
	search->widest = 0;
}

void
HxStartPhase(HxSearch *search, HxSearchPhase phase, int64 room)
{
	Assert(room > 0);
	Assert(phase != HX_RELEASE_FIRST && phase != HX_RELEASE_LAST &&
		   phase != HX_RELEASE_RANKED);
	Assert(phase != HX_FIND_FIRST || search->refine ||
		   search->spec.limit > search->returned);
	search->phase = phase;
	search->exact = phase == HX_RELEASE_ALL || search->part != HX_PART_ROWS ||
					!search->spec.query || search->spec.recall >= 1 ||
					!HxKindOf(&search->desc)->is_settled;
	search->refining = NULL;
	HxForgetRows(search, room);
	HxKindOf(&search->desc)->start(search);
	Assert(HxHoldsNoPage());
}

void
HxKeepLate(HxSearch *search, const HxCandidate *row)
{
	/* An exact search only meets rows again that were emitted */
	if (search->spec.few_first == 0 || search->exact)
	{
		search->stats.dropped++;
		return;
	}
	if (search->nlate == search->late_room)
	{
		Size room = Max(2 * search->late_room, LATE_ROOM);

		search->late = search->late ? repalloc_huge(search->late,
													room * sizeof(HxCandidate))
									: palloc(room * sizeof(HxCandidate));
		search->late_room = room;
	}
	search->late[search->nlate++] = *row;
}
