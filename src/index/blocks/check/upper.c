/*
 * upper.c
 *	  Checking blocks: the upper level of the directory.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/check/check.h"

static int
compare_pages(const void *a, const void *b)
{
	BlockNumber x = *(const BlockNumber *) a;
	BlockNumber y = *(const BlockNumber *) b;

	return (x > y) - (x < y);
}

/*
 * Check that an entry of the upper level describes a directory page, whose place
 * in the list is marked in seen[].  A page that is not in the list has been
 * added since, and can only be looked at: then false.
 */
static bool
check_upper_entry(HxBlocksCheck *check, BlockNumber upper, BlockNumber page,
				  bool *seen)
{
	HxCheck *base = check->base;
	const HxPageList *directory = &check->directory;
	const BlockNumber *known =
		bsearch(&page, directory->pages, directory->count, sizeof(BlockNumber),
				compare_pages);

	if (!known)
	{
		if (base->frozen)
			HxCorrupted(base->index, upper,
						psprintf("page %u is described, but the directory "
								 "does not lead to it",
								 page));
		UnlockReleaseBuffer(HxReadPage(base->index, page, BUFFER_LOCK_SHARE,
									   HX_PAGE_DIRECTORY));
		return false;
	}
	if (seen[known - directory->pages])
		HxCorrupted(base->index, upper,
					psprintf("directory page %u is described twice", page));
	seen[known - directory->pages] = true;
	return true;
}

/*
 * Check a page of the upper level; returns how many pages of the list it
 * describes.
 */
static int
check_upper_page(HxBlocksCheck *check, BlockNumber block, bool *seen)
{
	Page page = HxCopyPageOfKind(check->base, block, HX_PAGE_UPPER);
	int found = 0;

	CHECK_FOR_INTERRUPTS();
	for (int i = 0; i < HxPageUpper(page)->count; i++)
		found += check_upper_entry(check, block,
								   HxPageUpperEntries(page)[i].page, seen);
	return found;
}

void
HxCheckUpper(HxBlocksCheck *check)
{
	HxCheck *base = check->base;
	HxPageList *directory = &check->directory;
	HxPageList upper = {0};
	bool *seen = palloc0(directory->count * sizeof(bool));
	int found = 0;

	Assert(directory->count > 0);
	HxReadMeta(base->index, &base->meta);
	if (base->meta.upper == InvalidBlockNumber && directory->count == 1)
		return;
	qsort(directory->pages, directory->count, sizeof(BlockNumber),
		  compare_pages);
	base->counts.directory_pages +=
		HxListChain(base, base->meta.upper, HX_PAGE_UPPER, &upper);
	for (int i = 0; i < upper.count; i++)
		found += check_upper_page(check, upper.pages[i], seen);
	if (found != directory->count)
		HxCorrupted(base->index, HX_METAPAGE,
					psprintf("the upper level describes %d of %d directory "
							 "pages",
							 found, directory->count));
	pfree(seen);
}
