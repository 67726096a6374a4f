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

/* Error unless a metapage is that of an index of this version. */
static void
check_version(Relation index, const HxMeta *meta)
{
	if (meta->magic != HX_MAGIC || meta->version != HX_VERSION)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("index \"%s\" has format version %u, expected %u",
					RelationGetRelationName(index), meta->version, HX_VERSION),
			 errhint("REINDEX it to use it with this version.")));
}

/*
 * Copy the metapage, if the index has one already.  Takes no lock, since it may be
 * called with any held: only what is never changed may be read of it.
 */
static bool
copy_unlocked(Relation index, HxMeta *meta)
{
	Buffer buffer;
	const char *fault;

	if (RelationGetNumberOfBlocks(index) == 0)
		return false;
	buffer = ReadBuffer(index, HX_METAPAGE);
	fault = HxPageFault(NULL, BufferGetPage(buffer), HX_PAGE_META);
	if (fault)
		HxCorrupted(index, HX_METAPAGE, fault);
	*meta = *HxPageMeta(BufferGetPage(buffer));
	ReleaseBuffer(buffer);
	check_version(index, meta);
	return true;
}

/*
 * The shape of the vectors that an index was built with; false if it is still
 * being built.  Its column may have lost its length since: ALTER TABLE keeps
 * the file of an index whose column's values stay as they are.
 */
bool
HxStoredShape(Relation index, int *dims, int *planes)
{
	HxMeta meta;

	if (!copy_unlocked(index, &meta))
		return false;
	if (meta.dims == 0 || meta.dims > PG_INT32_MAX || meta.planes > 4)
		HxCorrupted(index, HX_METAPAGE, "its vectors have an impossible shape");
	*dims = (int) meta.dims;
	*planes = (int) meta.planes;
	return true;
}

/* The bytes of a payload that an index was built with; 0: not built yet. */
Size
HxStoredPayload(Relation index)
{
	HxMeta meta;

	return copy_unlocked(index, &meta) ? meta.payload : 0;
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

	check_version(index, meta);
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
