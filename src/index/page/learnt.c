/*
 * learnt.c
 *	  What an index has learnt of its vectors (a model), as bytes on a chain of
 *	  pages that the metapage names, and a backend's cache of models.
 *
 * A model never changes.  Its pages are written where nothing leads to them; the
 * record that makes the metapage name the first makes them known.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/page/inject.h"
#include "index/page/learnt.h"
#include "index/page/page.h"

/* A page of a model: bytes of the packed form */
typedef struct ModelPage
{
	uint32 bytes; /* in use */
	uint32 left;  /* on this and all pages behind */
	char data[FLEXIBLE_ARRAY_MEMBER];
} ModelPage;

#define HxPageModel(page) ((ModelPage *) HxContents(page))

/*
 * What this version makes of a vector and a model; another number where that
 * changes.  It stands in `slot` of a model's pages, and their checksum in `owner`:
 * both are 0 on pages of versions that had none.
 */
#define FORMED_NOW 1
#define MODEL_PAGE_BYTES (HX_PAGE_ROOM - offsetof(ModelPage, data))

/* ---- on pages ---- */

/* The checksum of a page whose bytes in use are within it, never 0 */
static uint64
checksum_of(Page page)
{
	const ModelPage *piece = HxPageModel(page);

	return hash_bytes_extended((const unsigned char *) piece,
							   (int) offsetof(ModelPage, data) +
								   (int) piece->bytes,
							   HxPageOpaque(page)->slot) |
		   1;
}

/* Fill a page with the piece of a packed model that begins at an offset. */
static void
fill_page(Page page, const char *packed, Size size, Size offset,
		  BlockNumber next)
{
	ModelPage *piece;

	HxInitPage(page, HX_PAGE_MODEL);
	HxPageOpaque(page)->next = next;
	piece = HxPageModel(page);
	piece->bytes = (uint32) Min(size - offset, MODEL_PAGE_BYTES);
	piece->left = (uint32) (size - offset);
	memcpy(piece->data, packed + offset, piece->bytes);
	HxPageOpaque(page)->slot = FORMED_NOW;
	HxPageOpaque(page)->owner = checksum_of(page);
}

void
HxStoreBuiltLearnt(Relation index, const char *packed, Size size)
{
	BlockNumber first = RelationGetNumberOfBlocks(index);
	BlockNumber block = first;
	Buffer buffer;

	for (Size at = 0; at < size; at += MODEL_PAGE_BYTES, block++)
	{
		CHECK_FOR_INTERRUPTS();
		buffer = ReadBuffer(index, P_NEW);
		LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
		Assert(BufferGetBlockNumber(buffer) == block);
		fill_page(BufferGetPage(buffer), packed, size, at,
				  at + MODEL_PAGE_BYTES < size ? block + 1
											   : InvalidBlockNumber);
		MarkBufferDirty(buffer);
		UnlockReleaseBuffer(buffer);
	}
	buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	HxPageMeta(BufferGetPage(buffer))->model = first;
	MarkBufferDirty(buffer);
	UnlockReleaseBuffer(buffer);
}

/* Write a page of a model, by one record; its place. */
static BlockNumber
log_page(Relation index, const char *packed, Size size, Size offset,
		 BlockNumber next)
{
	bool reused;
	Buffer buffer = HxNewBuffer(index, &reused);
	BlockNumber block = BufferGetBlockNumber(buffer);
	GenericXLogState *state = GenericXLogStart(index);

	fill_page(GenericXLogRegisterBuffer(state, buffer, GENERIC_XLOG_FULL_IMAGE),
			  packed, size, offset, next);
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
	return block;
}

void
HxStoreLearnt(Relation index, const char *packed, Size size)
{
	Size pages = (size - 1) / MODEL_PAGE_BYTES + 1;
	BlockNumber next = InvalidBlockNumber;
	GenericXLogState *state;
	Buffer buffer;

	Assert(HxHoldsStructure(index) && HxHoldsNoPage());
	while (pages > 0)
	{
		CHECK_FOR_INTERRUPTS();
		next = log_page(index, packed, size, --pages * MODEL_PAGE_BYTES, next);
		HX_INJECT("model-page");
	}
	buffer =
		HxReadPage(index, HX_METAPAGE, BUFFER_LOCK_EXCLUSIVE, HX_PAGE_META);
	state = GenericXLogStart(index);
	HxPageMeta(GenericXLogRegisterBuffer(state, buffer, 0))->model = next;
	GenericXLogFinish(state);
	UnlockReleaseBuffer(buffer);
}

const char *
HxModelPageFault(Page page)
{
	const ModelPage *piece = HxPageModel(page);

	if (piece->bytes == 0 || piece->bytes > MODEL_PAGE_BYTES ||
		piece->bytes > piece->left)
		return "model page with more bytes than fit";
	if ((HxPageOpaque(page)->next == InvalidBlockNumber) !=
		(piece->left == piece->bytes))
		return "model page that is not where its model ends";
	if (HxPageOpaque(page)->owner != HX_NO_OWNER &&
		HxPageOpaque(page)->owner != checksum_of(page))
		return "model page whose checksum is wrong";
	return NULL;
}

void
HxFreeLostModels(Relation index)
{
	BlockNumber end = HxCountPages(index);

	Assert(HxHoldsStructure(index));
	for (BlockNumber block = HX_METAPAGE + 1; block < end; block++)
	{
		Buffer buffer;
		Page page;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("lost-models");
		buffer = HxReadBuffer(index, block, BUFFER_LOCK_EXCLUSIVE, NULL);
		page = BufferGetPage(buffer);
		if (HxPageIsSound(page) && HxPageOpaque(page)->kind == HX_PAGE_MODEL)
		{
			GenericXLogState *state = GenericXLogStart(index);

			HxInitPage(GenericXLogRegisterBuffer(state, buffer,
												 GENERIC_XLOG_FULL_IMAGE),
					   HX_PAGE_FREE);
			GenericXLogFinish(state);
		}
		UnlockReleaseBuffer(buffer);
	}
}

/* Read the packed model that begins on a page, and what was made by it. */
static char *
read_model(Relation index, BlockNumber first, Size *size, uint16 *formed)
{
	BlockNumber block = first;
	uint32 steps = 0;
	Size at = 0;
	char *packed = NULL;

	*size = 0;
	while (block != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_MODEL);
		const ModelPage *piece = HxPageModel(BufferGetPage(buffer));

		HxCountStep(index, block, &steps);
		if (!packed)
		{
			*size = piece->left;
			*formed = HxPageOpaque(BufferGetPage(buffer))->slot;
			if (*size / BLCKSZ > RelationGetNumberOfBlocks(index))
				HxCorrupted(index, block, "a model longer than the index");
			packed = MemoryContextAllocHuge(CurrentMemoryContext, *size);
		}
		if (piece->left != *size - at)
			HxCorrupted(index, block, "model page of another model");
		memcpy(packed + at, piece->data, piece->bytes);
		at += piece->bytes;
		block = HxPageOpaque(BufferGetPage(buffer))->next;
		UnlockReleaseBuffer(buffer);
		CHECK_FOR_INTERRUPTS();
	}
	if (at != *size)
		HxCorrupted(index, first, "a model that ends too early");
	return packed;
}

/* ---- the cache ---- */

/* Models kept though nobody uses them, at most */
#define MOST_IDLE 8

/* A model of an index's file; they never change */
typedef struct CachedModel
{
	struct CachedModel *next; /* the one used before it */
	Oid index;
	Oid file;
	BlockNumber first;
	int users;
	bool formed_now;	   /* payloads are what this version makes */
	MemoryContext context; /* of this and its model */
	void *model;
} CachedModel;

static CachedModel *cache = NULL;

/* A user of a model: ends with the context that it is allocated in. */
typedef struct ModelUse
{
	CachedModel *cached;
	MemoryContextCallback callback;
} ModelUse;

static void
end_use(void *arg)
{
	((ModelUse *) arg)->cached->users--;
}

/* Forget models that nobody has used for long. */
static void
trim_cache(void)
{
	CachedModel **link = &cache;
	int idle = 0;

	while (*link)
	{
		CachedModel *cached = *link;

		if (cached->users == 0 && ++idle > MOST_IDLE)
		{
			*link = cached->next;
			MemoryContextDelete(cached->context);
		}
		else
			link = &cached->next;
	}
}

/* Take a model from the cache, to be put at its front; NULL if it is not there. */
static CachedModel *
take_cached(Oid index, Oid file, BlockNumber first)
{
	for (CachedModel **link = &cache; *link; link = &(*link)->next)
	{
		CachedModel *cached = *link;

		if (cached->index == index && cached->file == file &&
			cached->first == first)
		{
			*link = cached->next;
			return cached;
		}
	}
	return NULL;
}

void
HxForgetModels(Relation index)
{
	for (CachedModel *cached = cache; cached; cached = cached->next)
		if (cached->index == RelationGetRelid(index) &&
			cached->file == index->rd_rel->relfilenode)
			cached->first = InvalidBlockNumber;
}

/* Read a model into a context of its own. */
static CachedModel *
load_model(Relation index, const HxIndexDesc *desc, BlockNumber first,
		   HxUnpackLearnt unpack)
{
	Size size;
	uint16 formed = 0;
	char *packed = read_model(index, first, &size, &formed);
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb model", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	CachedModel *cached = palloc0(sizeof(CachedModel));

	cached->index = RelationGetRelid(index);
	cached->file = index->rd_rel->relfilenode;
	cached->first = first;
	cached->formed_now = formed == FORMED_NOW;
	cached->context = context;
	cached->model = unpack(index, desc, first, packed, size);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, CacheMemoryContext);
	pfree(packed);
	return cached;
}

void
HxLoadLearnt(Relation index, HxIndexDesc *desc, HxUnpackLearnt unpack)
{
	CachedModel *cached;
	ModelUse *use;
	HxMeta meta;

	if (desc->model)
		return;
	HxReadMeta(index, &meta);
	if (meta.model == HX_METAPAGE)
		return;
	use = palloc(sizeof(ModelUse));
	cached = take_cached(RelationGetRelid(index), index->rd_rel->relfilenode,
						 meta.model);
	if (!cached)
		cached = load_model(index, desc, meta.model, unpack);
	cached->next = cache;
	cache = cached;
	cached->users++;
	use->cached = cached;
	use->callback.func = end_use;
	use->callback.arg = use;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &use->callback);
	desc->model = cached->model;
	desc->formed_now = cached->formed_now;
	trim_cache();
}
