/*
 * model.c
 *	  Models in memory, in files and on pages, and a backend's cache of them.
 */
#include "postgres.h"

#include <math.h>

#include "access/generic_xlog.h"
#include "access/xloginsert.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "index/dense/dense.h"
#include "index/page/inject.h"
#include "kernel/kernel.h"

/* What a packed model begins with; the mean and the axes follow, as floats */
typedef struct ModelHead
{
	uint32 dims;
	uint32 kept;
	float credit;
	float spread;
	float unit;
	float longest;
} ModelHead;

/* A page of a model: bytes of the packed form */
typedef struct ModelPage
{
	uint32 bytes; /* in use */
	uint32 left;  /* on this and all pages behind */
	char data[FLEXIBLE_ARRAY_MEMBER];
} ModelPage;

#define HxPageModel(page) ((ModelPage *) HxContents(page))
#define MODEL_PAGE_BYTES (HX_PAGE_ROOM - offsetof(ModelPage, data))

/* ---- in memory ---- */

HxModel *
HxAllocModel(int dims, int kept)
{
	Size floats = (Size) dims + (Size) kept * dims + kept;
	HxModel *model = palloc0(sizeof(HxModel));

	Assert(kept > 0 && kept <= dims);
	model->dims = dims;
	model->kept = kept;
	model->mean =
		MemoryContextAllocHuge(CurrentMemoryContext, floats * sizeof(float));
	model->axes = model->mean + dims;
	model->mean_kept = model->axes + (Size) kept * dims;
	return model;
}

void
HxFinishModel(HxModel *model)
{
	HxFloatRows axes = {model->axes, model->dims, model->kept};

	model->mean2 = (float) hx_kernels->dense->product(model->mean, model->mean,
													  model->dims);
	hx_kernels->dense->inner(model->mean, model->dims, axes, model->mean_kept);
}

Size
HxModelBytes(int dims, int kept)
{
	return sizeof(ModelHead) +
		   ((Size) dims + (Size) kept * dims) * sizeof(float);
}

void
HxPackModel(const HxModel *model, char *to)
{
	ModelHead head = {model->dims,	 model->kept, model->credit,
					  model->spread, model->unit, model->longest};

	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), model->mean,
		   HxModelBytes(model->dims, model->kept) - sizeof(head));
}

HxModel *
HxUnpackModel(const char *from, Size size)
{
	ModelHead head;
	HxModel *model;

	memcpy(&head, from, sizeof(head));
	Assert(size == HxModelBytes(head.dims, head.kept));
	model = HxAllocModel(head.dims, head.kept);
	model->credit = head.credit;
	model->spread = head.spread;
	model->unit = head.unit;
	model->longest = head.longest;
	memcpy(model->mean, from + sizeof(head), size - sizeof(head));
	HxFinishModel(model);
	return model;
}

/* ---- on pages ---- */

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
}

/* A model in its packed form. */
static char *
pack_model(const HxModel *model, Size *size)
{
	char *packed;

	*size = HxModelBytes(model->dims, model->kept);
	packed = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	HxPackModel(model, packed);
	return packed;
}

void
HxStoreBuiltModel(Relation index, const HxModel *model)
{
	BlockNumber first = RelationGetNumberOfBlocks(index);
	BlockNumber block = first;
	Size size;
	char *packed = pack_model(model, &size);
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
	pfree(packed);
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
HxStoreModel(Relation index, const HxModel *model)
{
	Size size;
	char *packed = pack_model(model, &size);
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
	pfree(packed);
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
	return NULL;
}

/* Error unless a packed model is one of this index. */
static void
check_model(Relation index, const HxIndexDesc *desc, BlockNumber block,
			const char *packed, Size size)
{
	const float *numbers = (const float *) (packed + sizeof(ModelHead));
	ModelHead head;

	memcpy(&head, packed, sizeof(head));
	if (head.dims != desc->dims || head.kept != HxKeptDims(desc) ||
		!(head.spread >= 0) || !isfinite(head.spread) || !(head.unit > 0) ||
		!isfinite(head.unit) || !isfinite(head.credit) || !(head.longest > 0) ||
		!isfinite(head.longest))
		HxCorrupted(index, block, "a model of other vectors");
	for (Size i = 0; i < (size - sizeof(head)) / sizeof(float); i++)
		if (!isfinite(numbers[i]))
			HxCorrupted(index, block, "a model with a number out of range");
}

/* Read the packed model that begins on a page. */
static char *
read_model(Relation index, const HxIndexDesc *desc, BlockNumber first,
		   Size *size)
{
	BlockNumber block = first;
	uint32 steps = 0;
	Size at = 0;
	char *packed;

	*size = HxModelBytes(desc->dims, HxKeptDims(desc));
	packed = MemoryContextAllocHuge(CurrentMemoryContext, *size);
	while (block != InvalidBlockNumber)
	{
		Buffer buffer =
			HxReadPage(index, block, BUFFER_LOCK_SHARE, HX_PAGE_MODEL);
		const ModelPage *piece = HxPageModel(BufferGetPage(buffer));

		HxCountStep(index, block, &steps);
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
	check_model(index, desc, first, packed, *size);
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
	MemoryContext context; /* of this and its model */
	HxModel *model;
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
load_model(Relation index, const HxIndexDesc *desc, BlockNumber first)
{
	Size size;
	char *packed = read_model(index, desc, first, &size);
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb model", ALLOCSET_DEFAULT_SIZES);
	MemoryContext old = MemoryContextSwitchTo(context);
	CachedModel *cached = palloc0(sizeof(CachedModel));

	cached->index = RelationGetRelid(index);
	cached->file = index->rd_rel->relfilenode;
	cached->first = first;
	cached->context = context;
	cached->model = HxUnpackModel(packed, size);
	MemoryContextSwitchTo(old);
	MemoryContextSetParent(context, CacheMemoryContext);
	pfree(packed);
	return cached;
}

void
HxLoadDenseModel(Relation index, HxIndexDesc *desc)
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
		cached = load_model(index, desc, meta.model);
	cached->next = cache;
	cache = cached;
	cached->users++;
	use->cached = cached;
	use->callback.func = end_use;
	use->callback.arg = use;
	MemoryContextRegisterResetCallback(CurrentMemoryContext, &use->callback);
	desc->model = cached->model;
	trim_cache();
}
