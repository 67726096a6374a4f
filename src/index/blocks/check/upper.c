/*
 * upper.c
 *	  hashemb_check(): the upper level of the directory.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/check/check.h"

void
HxNoteDirectoryPage(Check *check, BlockNumber block)
{
	if (check->ndirectory == check->directory_room)
	{
		check->directory_room *= 2;
		check->directory = repalloc_huge(
			check->directory, check->directory_room * sizeof(BlockNumber));
	}
	check->directory[check->ndirectory++] = block;
}

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber x = *(const BlockNumber *) a;
	BlockNumber y = *(const BlockNumber *) b;

	return (x > y) - (x < y);
}

/*
 * Check the entries of a copied page of the upper level: each describes a
 * directory page.  seen[] marks those that were there when the directory was
 * read; later ones can only be looked at.
 */
static int
check_upper_page(Check *check, BlockNumber block, bool *seen)
{
	Page page = (Page) check->page.data;
	int count = HxPageUpper(page)->count;
	BlockNumber *pages = palloc(Max(count, 1) * sizeof(BlockNumber));
	int found = 0;

	for (int i = 0; i < count; i++)
		pages[i] = HxPageUpperEntries(page)[i].page;
	for (int i = 0; i < count; i++)
	{
		const BlockNumber *known =
			bsearch(&pages[i], check->directory, check->ndirectory,
					sizeof(BlockNumber), compare_blocks);

		if (known)
		{
			if (seen[known - check->directory])
				HxCorrupted(
					check->index, block,
					psprintf("directory page %u is described twice", pages[i]));
			seen[known - check->directory] = true;
			found++;
		}
		else if (check->frozen)
			HxCorrupted(check->index, block,
						psprintf("page %u is described, but the directory "
								 "does not lead to it",
								 pages[i]));
		else
			UnlockReleaseBuffer(HxReadPage(
				check->index, pages[i], BUFFER_LOCK_SHARE, HX_KIND_DIRECTORY));
	}
	pfree(pages);
	return found;
}

void
HxCheckUpper(Check *check)
{
	bool *seen = palloc0(check->ndirectory * sizeof(bool));
	int found = 0;
	BlockNumber block;
	Walk walk;

	HxReadMeta(check->index, &check->meta);
	block = check->meta.upper;
	if (block == InvalidBlockNumber && check->ndirectory == 1)
		return;
	qsort(check->directory, check->ndirectory, sizeof(BlockNumber),
		  compare_blocks);
	HxStartWalk(&walk);
	while (block != InvalidBlockNumber)
	{
		Page page = HxCopyPage(check, block);
		const char *wrong = HxPageFault(&check->desc, page, HX_KIND_UPPER);
		BlockNumber next = HxPageOpaque(page)->next;

		CHECK_FOR_INTERRUPTS();
		if (!wrong && HxHasBeenAt(&walk, block))
			wrong = "the upper level of the directory runs in a circle";
		if (wrong)
			HxCorrupted(check->index, block, wrong);
		if (HxReach(check, block))
			check->counts.directory_pages++;
		found += check_upper_page(check, block, seen);
		block = next;
	}
	if (found != check->ndirectory)
		HxCorrupted(check->index, HX_METAPAGE,
					psprintf("the upper level describes %d of %d directory "
							 "pages",
							 found, check->ndirectory));
	pfree(seen);
}
