/*
 * mask.c
 *	  Which rows of a page pass, and what of a page is fetched ahead to tell.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "index/search/state.h"

/* Cache lines that are fetched ahead of a column of a mask, at most */
#define COLUMN_LINES 8

int
HxMaskRows(const HxSearch *search, const HxRowArrays *rows, uint64 *mask)
{
	int words = (rows->count + 63) / 64;
	int passed = 0;

	Assert(rows->count <= search->desc.capacity);
	if (rows->count == 0)
		return 0;
	for (int w = 0; w < words; w++)
		mask[w] = search->see_dead ? ~UINT64CONST(0) : ~rows->dead[w];
	if (rows->count % 64)
		mask[words - 1] &= (UINT64CONST(1) << (rows->count % 64)) - 1;
	if (!HxFilterIsTrivial(search->spec.filter))
		HxFilterRows(search->spec.filter, &rows->columns, mask);
	if (search->spec.tids)
		HxTidSetFilter(search->spec.tids, rows->tids, rows->count, mask);
	for (int w = 0; w < words; w++)
		passed += pg_popcount64(mask[w]);
	return passed;
}

/* Add the lines of an array at a place on a page, this many at most. */
static void
add_lines(HxSearch *search, Size from, Size size, int most)
{
	Assert(size > 0 && from + size <= BLCKSZ);
	for (Size line = from / HX_CACHE_LINE;
		 line <= (from + size - 1) / HX_CACHE_LINE && most-- > 0; line++)
		if (search->nlines < (int) lengthof(search->lines))
			search->lines[search->nlines++] = (uint16) line;
}

/*
 * Without a mask all payloads are read; with one, its columns, and which
 * payloads only they tell.
 */
void
HxPlanPrefetch(HxSearch *search)
{
	const HxIndexDesc *desc = &search->desc;
	bool masked = search->filtered || search->spec.nballs > 0;
	Page page = palloc0(BLCKSZ);
	HxRowArrays arrays;
	uint64 words = 0;
	uint32 nulls = 0;

	HxInitRowsPage(desc, page, 0, (HxEntryAddress){0, 0});
	HxRowArraysOf(desc, page, &arrays);
	search->nlines = search->payload_lines = 0;
	add_lines(search, BLCKSZ - sizeof(HxOpaque), sizeof(HxOpaque), 1);
	add_lines(search, (char *) arrays.dead - (char *) page, 1, 1);
	if (masked)
		add_lines(search, 0, 1, 1);
	else
	{
		int before = search->nlines;

		add_lines(search, 0, (char *) arrays.dead - (char *) page,
				  BLCKSZ / HX_CACHE_LINE);
		search->payload_lines = search->nlines - before;
	}
	/* Without a mask nothing is added behind the payloads */
	HxFilterReads(search->spec.filter, &words, &nulls);
	for (; nulls != 0; nulls &= nulls - 1)
		add_lines(search,
				  (char *) (arrays.nulls + pg_rightmost_one_pos32(nulls) *
											   arrays.columns.null_stride) -
					  (char *) page,
				  1, 1);
	for (; words != 0; words &= words - 1)
		add_lines(search,
				  (char *) (arrays.words +
							pg_rightmost_one_pos64(words) * desc->capacity) -
					  (char *) page,
				  desc->capacity * sizeof(int64), COLUMN_LINES);
	if (search->spec.tids)
		add_lines(search, (char *) arrays.tids - (char *) page,
				  desc->capacity * sizeof(ItemPointerData), COLUMN_LINES);
	pfree(page);
}

/* The page's header takes a part of the first line. */
void
HxPrefetchRows(const HxSearch *search, BlockNumber block, uint32 rows)
{
	Size bytes = (Size) rows * search->desc.payload;
	Size lines = 1 + (bytes + HX_CACHE_LINE - 1) / HX_CACHE_LINE;
	int count = search->nlines;

	if (lines < (Size) search->payload_lines)
		count -= search->payload_lines - (int) lines;
	HxPrefetchLines(search->index, block, search->lines, count);
}
