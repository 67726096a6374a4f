/*
 * meta.c
 *	  The metapage: made, read, and its counters.
 */
#include "postgres.h"

#include "index/page/page.h"

/* Initialise the metapage; the caller sets where the directory is. */
HxMeta *
HxInitMetapage(const HxIndexDesc *desc, Page page)
{
	HxMeta *meta;

	StaticAssertStmt(sizeof(HxMeta) <= HX_PAGE_ROOM, "a page holds it");
	Assert(desc->dims > 0);
	HxInitPage(page, HX_PAGE_META);
	meta = HxPageMeta(page);
	meta->magic = HX_MAGIC;
	meta->version = HX_VERSION;
	meta->dims = desc->dims;
	meta->planes = desc->planes;
	meta->payload = desc->payload;
	meta->words = desc->nwords;
	meta->attributes = desc->nattrs;
	meta->directory = InvalidBlockNumber;
	meta->directory_end = InvalidBlockNumber;
	meta->misses = InvalidBlockNumber;
	meta->ring = InvalidBlockNumber;
	meta->upper = InvalidBlockNumber;
	meta->next_owner = 1;
	return meta;
}

/* Add to the counters, which only tell what happened.  Locks the metapage. */
void
HxAddCounts(Relation index, const HxCounts *counts)
{
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	GenericXLogState *state = GenericXLogStart(index);
	HxMeta *meta = HxPageMeta(GenericXLogRegisterBuffer(state, buffer, 0));

	Assert(counts->splits >= 0 && counts->merges >= 0 && counts->blocks >= 0);
	Assert(counts->pages_freed >= 0 && counts->pages_reused >= 0);
	meta->splits += counts->splits;
	meta->merges += counts->merges;
	meta->blocks += counts->blocks;
	meta->pages_freed += counts->pages_freed;
	meta->pages_reused += counts->pages_reused;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

/*
 * Copy the metapage.  Errors if the file is not an index of this version or
 * if its shape is not the catalog's.  The index's description learns from it
 * what blocks are formed within: the option may have changed since the build.
 */
void
HxReadMeta(Relation index, HxMeta *meta)
{
	const HxIndexDesc *desc = HxDescribe(index);
	Buffer buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_SHARE, HX_PAGE_META);

	*meta = *HxPageMeta(BufferGetPage(buffer));
	UnlockReleaseBuffer(buffer);

	HxCheckVersion(index, meta);
	if (meta->dims != desc->dims || meta->planes != desc->planes ||
		meta->payload != desc->payload || meta->words != desc->nwords ||
		meta->attributes != desc->nattrs)
		HxCorrupted(index, HX_METAPAGE,
					"its columns are not those of the index's definition");
	if (meta->directory == HX_METAPAGE || meta->directory == InvalidBlockNumber)
		HxCorrupted(index, HX_METAPAGE, "it names no directory page");
	if (meta->group > meta->attributes)
		HxCorrupted(index, HX_METAPAGE, "it groups by no column of the index");
	HxLearnGroup(index, (int) meta->group);
}
