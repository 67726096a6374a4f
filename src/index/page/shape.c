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
 * The shape of the vectors that an index was built with; false if it is still
 * being built.  Its column may have lost its length since: ALTER TABLE keeps
 * the file of an index whose column's values stay as they are.
 *
 * Takes no lock, since it may be called with any held: what it reads is never
 * changed.
 */
bool
HxStoredShape(Relation index, int *dims, int *planes)
{
	Buffer buffer;
	const char *fault;
	HxMeta meta;

	if (RelationGetNumberOfBlocks(index) == 0)
		return false;
	buffer = ReadBuffer(index, HX_METAPAGE);
	fault = HxPageFault(NULL, BufferGetPage(buffer), HX_PAGE_META);
	if (fault)
		HxCorrupted(index, HX_METAPAGE, fault);
	meta = *HxPageMeta(BufferGetPage(buffer));
	ReleaseBuffer(buffer);
	HxCheckVersion(index, &meta);
	if (meta.dims == 0 || meta.dims > PG_INT32_MAX || meta.planes > 4)
		HxCorrupted(index, HX_METAPAGE, "its vectors have an impossible shape");
	*dims = (int) meta.dims;
	*planes = (int) meta.planes;
	return true;
}
