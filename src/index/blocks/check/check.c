/*
 * check.c
 *	  Checking an index whose rows are kept in blocks: does it keep what its
 *	  searches rely on?
 *
 * Verified are: the chain of directory pages, and that the upper level describes
 * each once; of every entry its owner, centroid, zone map and pages; of every
 * rows page that it belongs to the block whose chain leads to it; of every row
 * that code, attributes and TID are possible, and that the block's radius,
 * weights and zone map cover it; the table of expected misses and its ring.
 */
#include "postgres.h"

#include "index/blocks/blocks.h"
#include "index/blocks/check/check.h"
#include "index/blocks/recall/ring.h"

/* No two blocks have the same owner: so no page is in two chains. */
static void
check_owners(HxBlocksCheck *check)
{
	const HxOwners *owners = &check->owners;

	HxSortOwners(&check->owners);
	for (int i = 1; i < owners->count; i++)
		if (owners->owners[i] == owners->owners[i - 1])
			HxCorrupted(check->base->index, check->base->meta.directory,
						psprintf("two entries have owner " UINT64_FORMAT,
								 owners->owners[i]));
}

/* Check the blocks of a directory page. */
static void
check_directory_page(HxBlocksCheck *check, BlockNumber block)
{
	Page page = HxCopyPageOfKind(check->base, block, HX_PAGE_DIRECTORY);
	int count = HxPageDirectory(page)->count;

	if (count == 0 && block == check->base->meta.directory)
		HxCorrupted(check->base->index, block,
					"no entry for rows without a vector");
	for (int i = 0; i < count; i++)
		HxCheckBlock(check, block, i);
}

/*
 * Check all directory pages and their blocks.  The chain is followed to its end
 * first: a circle in it is found before blocks are checked time and again.
 */
static void
check_directory(HxBlocksCheck *check)
{
	HxCheck *base = check->base;
	HxPageList *directory = &check->directory;
	BlockNumber last;

	base->counts.directory_pages =
		HxListChain(base, base->meta.directory, HX_PAGE_DIRECTORY, directory);
	for (int i = 0; i < directory->count; i++)
		check_directory_page(check, directory->pages[i]);
	Assert(directory->count > 0);
	last = directory->pages[directory->count - 1];
	if (base->frozen && base->meta.directory_end != last)
		HxCorrupted(base->index, HX_METAPAGE,
					psprintf("the last directory page is %u, not %u", last,
							 base->meta.directory_end));
	check_owners(check);
}

/* Check the table of expected misses, if there is one, and its ring. */
static void
check_misses(HxCheck *base)
{
	HxMeta *meta = &base->meta;
	BlockNumber ring[HX_RING_PAGES];

	HxReadMeta(base->index, meta);
	if ((meta->misses == InvalidBlockNumber) !=
		(meta->rows_at_calibration == 0))
		HxCorrupted(base->index, HX_METAPAGE,
					"a calibration and its table go together");
	if (meta->misses == InvalidBlockNumber)
		return;
	UnlockReleaseBuffer(HxReadPage(base->index, meta->misses, BUFFER_LOCK_SHARE,
								   HX_PAGE_MISSES));
	HxReach(base, meta->misses);
	for (int i = HxListRing(base->index, meta, ring); i > 0; i--)
		base->counts.ring_pages += HxReach(base, ring[i - 1]);
}

/* HxCountOtherPages callback: is it a zone page for blocks to come? */
static bool
count_reserve(HxCheck *base, Page page)
{
	if (HxPageOpaque(page)->kind != HX_PAGE_ZONES ||
		!HxIsReached(base, HxPageOpaque(page)->parent))
		return false;
	base->counts.zone_pages++;
	return true;
}

/* ---- members of kind.h ---- */

uint64
HxCountRowsOfBlocks(Relation index, const HxIndexDesc *desc)
{
	HxBlocks blocks;
	uint64 rows;

	HxReadDirectory(index, desc, NULL, &blocks);
	rows = HxBlocksRows(&blocks) + blocks.nulls.rows;
	HxFreeBlocks(&blocks);
	return rows;
}

void
HxCheckBlocks(HxCheck *base)
{
	HxBlocksCheck check = {.base = base};

	check.block.centroid = palloc(base->desc.payload);
	check.block.zone = palloc(HX_ZONE_SIZE(base->desc.nwords));
	check_directory(&check);
	HxCheckUpper(&check);
	check_misses(base);
	HxCountOtherPages(base, count_reserve);
}
