/*
 * sample.c
 *	  Looking at some of a table's rows.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "miscadmin.h"

#include "index/build/sample.h"
#include "random.h"

/* Pages of the table read at most, in ranges */
#define MOST_PAGES 8192

void
HxScanSomePages(HxBuild *build, uint64 *random, IndexBuildCallback callback,
				void *state)
{
	BlockNumber pages = RelationGetNumberOfBlocks(build->heap);
	BlockNumber stretch = Max(pages / MOST_PAGES, 1);

	for (BlockNumber page = 0; page < pages; page += stretch)
	{
		BlockNumber end = Min(page + stretch, pages);
		BlockNumber at = page + (BlockNumber) HxRandomBelow(random, end - page);

		CHECK_FOR_INTERRUPTS();
		table_index_build_range_scan(build->heap, build->index, build->info,
									 false, false, false, at, 1, callback,
									 state, NULL);
	}
}
