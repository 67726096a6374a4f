/*
 * shape.c
 *	  What the metapage tells before the index is described.
 */
#include "postgres.h"

#include "index/page/page.h"

/* Error unless a metapage is that of an index of this version. */
void
HxCheckVersion(Relation index, const HxMeta *meta)
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

	if (!RELKIND_HAS_STORAGE(index->rd_rel->relkind) ||
		RelationGetNumberOfBlocks(index) == 0)
		return false;
	buffer = ReadBuffer(index, HX_METAPAGE);
	fault = HxPageFault(NULL, BufferGetPage(buffer), HX_PAGE_META);
	if (fault)
		HxCorrupted(index, HX_METAPAGE, fault);
	*meta = *HxPageMeta(BufferGetPage(buffer));
	ReleaseBuffer(buffer);
	HxCheckVersion(index, meta);
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
