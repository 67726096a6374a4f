/*
 * check.c
 *	  hashemb_check(): does an index keep what its searches rely on?
 *
 * Verified are: the metapage; the chain of directory pages, and that the upper
 * level describes each once; of every entry its
 * owner, centroid, zone map and pages; of every rows page that it belongs to
 * the block whose chain leads to it; of every row that code, attributes and TID
 * are possible, and that the block's radius, weights and zone map cover it.
 *
 * The plain form takes AccessShareLock and lets others write.  A block is read
 * a page at a time; whatever looks wrong then may be another's work half seen,
 * so the block is looked at again with its directory page share-locked, which
 * keeps all changes to the block away, and only what is wrong then is reported.
 *
 * heapallindexed takes ShareLock, so that nothing changes, and then also finds
 * rows that are in the index twice, and rows of the table that are not in it: a
 * Bloom filter over all entries is asked for each row that a fresh snapshot
 * sees.  It may fail to notice one missing row in a thousand or so, but never
 * complains of one that is there.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "compat.h"
#include "index/blocks/check/check.h"
#include "index/am/open.h"
#include "index/blocks/store/span.h"
#include "index/blocks/recall/ring.h"
#include "index/sparse/sparse.h"
#include "index/search/search.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_check_index);

/* All flags that an entry may have */
#define KNOWN_FLAGS (HX_ENTRY_NULLS | HX_ENTRY_FREE)

/* ---- pages ---- */

bool
HxReach(Check *check, BlockNumber block)
{
	uint8 bit = 1 << block % 8;

	if (block >= check->npages || (check->reached[block / 8] & bit))
		return false;
	check->reached[block / 8] |= bit;
	return true;
}

static bool
is_reached(const Check *check, BlockNumber block)
{
	return block < check->npages &&
		   (check->reached[block / 8] >> block % 8 & 1);
}

Page
HxCopyPage(Check *check, BlockNumber block)
{
	Buffer buffer =
		HxReadBuffer(check->index, block, BUFFER_LOCK_SHARE, check->strategy);

	memcpy(check->page.data, BufferGetPage(buffer), BLCKSZ);
	UnlockReleaseBuffer(buffer);
	return (Page) check->page.data;
}

/* ---- rows ---- */

/*
 * Something is wrong with the block being checked: report it, or return false
 * for the block to be looked at again if others may be changing it.
 */
static bool
fault(const Check *check, BlockNumber page, const char *detail)
{
	if (check->block.certain)
		HxCorrupted(check->index, page, detail);
	return false;
}

/* Can a TID be that of a row of the table? */
static bool
is_tid_in_heap(Check *check, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);

	if (!HxTidIsSound(tid))
		return false;
	if (block >= check->heap_npages)
		check->heap_npages = RelationGetNumberOfBlocks(check->heap);
	return block < check->heap_npages;
}

/* What is wrong with a row's code as its block describes it, or NULL. */
static const char *
vector_fault(const Check *check, const uint8 *payload)
{
	const HxIndexDesc *desc = &check->desc;
	const HxPayload *methods = HxPayloadOf(desc);
	const BlockCheck *block = &check->block;
	const char *wrong = NULL;
	uint32 spread;
	uint32 weight;

	if (block->is_nulls)
	{
		for (Size i = 0; i < desc->payload; i++)
			if (payload[i] != 0)
				return "a vector among the rows without";
		return NULL;
	}
	wrong = methods->fault(desc, payload);
	if (wrong)
		return wrong;
	methods->spreads(desc, payload, block->centroid, 1, &spread);
	weight = methods->weight(desc, payload);
	if (spread > block->entry.radius)
		return psprintf("spread %u is beyond the block's radius %u", spread,
						block->entry.radius);
	if (weight < block->entry.min_weight || weight > block->entry.max_weight)
		return psprintf("weight %u is not from %u to %u as the block's are",
						weight, block->entry.min_weight,
						block->entry.max_weight);
	return NULL;
}

/* What is wrong with a row's attributes, or NULL. */
static const char *
attributes_fault(const Check *check, const HxAttrRow *attrs)
{
	const HxIndexDesc *desc = &check->desc;

	for (int a = 0; a < desc->nattrs; a++)
	{
		const HxAttr *attr = &desc->attrs[a];

		if (!(attrs->nulls >> a & 1))
			continue;
		for (int w = 0; w < attr->nwords; w++)
			if (attrs->words[attr->first_word + w] != 0)
				return psprintf("a value where column %d is NULL", attr->attno);
	}
	if (!HxZoneCovers(desc, check->block.zone, attrs))
		return "the block's zone map does not cover it";
	return NULL;
}

/* Check the rows of the copied page; false as for fault(). */
static bool
check_rows(Check *check, BlockNumber page)
{
	const HxIndexDesc *desc = &check->desc;
	BlockCheck *block = &check->block;
	HxRowArrays rows;
	HxAttrRow attrs;

	HxRowArraysOf(desc, (Page) check->page.data, &rows);
	for (int i = 0; i < rows.count; i++)
	{
		const uint8 *payload = rows.payloads + i * desc->payload;
		bool dead = rows.dead[i / 64] >> (i % 64) & 1;
		const char *wrong = NULL;

		HxGetRowAttrs(desc, &rows, i, &attrs);
		if (!is_tid_in_heap(check, &rows.tids[i]))
			wrong = "no row of the table can have its TID";
		if (!wrong)
			wrong = vector_fault(check, payload);
		if (!wrong)
			wrong = attributes_fault(check, &attrs);
		if (wrong)
			return fault(check, page, psprintf("row %d: %s", i, wrong));
		block->dead += dead;
		if (check->filter)
			HxAddFingerprint(check, &rows.tids[i], &attrs,
							 block->is_nulls ? NULL : payload, dead);
	}
	block->rows += rows.count;
	return true;
}

/* ---- blocks ---- */

/* What is wrong with the copied page as one of the block's chain, or NULL. */
static const char *
rows_page_fault(const Check *check)
{
	Page page = (Page) check->page.data;
	const BlockCheck *block = &check->block;
	const char *wrong = HxPageFault(&check->desc, page, HX_KIND_ROWS);

	if (wrong)
		return wrong;
	if (HxPageOpaque(page)->owner != block->entry.owner)
		return psprintf("page of owner " UINT64_FORMAT " in the chain of "
						"block " UINT64_FORMAT,
						HxPageOpaque(page)->owner, block->entry.owner);
	if (HxPageOpaque(page)->parent != block->place.page ||
		HxPageOpaque(page)->slot != block->place.slot)
		return psprintf("page of entry %u of block %u in the chain of entry "
						"%u of block %u",
						HxPageOpaque(page)->slot, HxPageOpaque(page)->parent,
						block->place.slot, block->place.page);
	return NULL;
}

/* Check the chain of the block's pages; false as for fault(). */
static bool
check_chain(Check *check)
{
	BlockCheck *block = &check->block;
	BlockNumber next = block->entry.first;
	bool append_found = block->entry.append == InvalidBlockNumber;
	uint32 pages = 0;
	Walk walk;

	HxStartWalk(&walk);
	while (next != InvalidBlockNumber)
	{
		Page page = HxCopyPage(check, next);
		const char *wrong = rows_page_fault(check);

		CHECK_FOR_INTERRUPTS();
		if (wrong)
			return fault(check, next, wrong);
		if (HxHasBeenAt(&walk, next))
			return fault(check, next, "a chain of pages runs in a circle");
		if (!check_rows(check, next))
			return false;
		if (HxReach(check, next))
			check->counts.rows_pages++;
		append_found |= next == block->entry.append;
		pages++;
		next = HxPageOpaque(page)->next;
	}
	if (!append_found)
		return fault(check, block->place.page,
					 psprintf("entry %u appends to block %u, which is not in "
							  "its chain",
							  block->place.slot, block->entry.append));
	if (pages != block->entry.pages)
		return fault(check, block->place.page,
					 psprintf("entry %u says %u pages, but its chain has %u",
							  block->place.slot, block->entry.pages, pages));
	if (block->rows != block->entry.rows)
		return fault(
			check, block->place.page,
			psprintf("entry %u says %u rows, but its pages have " UINT64_FORMAT,
					 block->place.slot, block->entry.rows, block->rows));
	return true;
}

/* What is wrong with the block's entry in itself, or NULL. */
static const char *
entry_fault(Check *check)
{
	const BlockCheck *block = &check->block;
	const HxEntry *entry = &block->entry;

	if (entry->flags & HX_ENTRY_FREE)
		return block->is_nulls || entry->owner != 0 || entry->rows != 0 ||
					   entry->first != InvalidBlockNumber ||
					   (entry->flags & ~KNOWN_FLAGS) != 0
				   ? "a free entry that has a block"
				   : NULL;
	if (entry->owner >= check->meta.next_owner) /* made since it was read? */
		HxReadMeta(check->index, &check->meta);
	if (entry->owner == 0 || entry->owner >= check->meta.next_owner)
		return psprintf("owner " UINT64_FORMAT " was not given out yet",
						entry->owner);
	if ((entry->flags & ~KNOWN_FLAGS) != 0)
		return psprintf("unknown flags %x", entry->flags);
	if (block->is_nulls != ((entry->flags & HX_ENTRY_NULLS) != 0))
		return "rows without a vector belong to the first entry";
	if ((entry->first == InvalidBlockNumber) !=
		(entry->append == InvalidBlockNumber))
		return "a first page and one to append to go together";
	if (entry->rows > 0 && entry->first == InvalidBlockNumber)
		return "rows, but no page";
	if (block->is_nulls)
		return NULL;
	return HxPayloadOf(&check->desc)->fault(&check->desc, block->centroid);
}

/* Is a block's range within that of its directory page? */
static bool
range_covers(const HxRange *page, HxRange block)
{
	HxRange both = *page;

	HxAddRange(&both, block);
	return both.low == page->low && both.high == page->high &&
		   both.values == page->values && both.nulls == page->nulls;
}

/* Copy the block's zone map; false as for fault(). */
static bool
copy_zone(Check *check)
{
	BlockCheck *block = &check->block;
	Page page = (Page) check->page.data;
	const char *wrong;

	HxCopyPage(check, block->entry.zones);
	wrong = HxPageFault(&check->desc, page, HX_KIND_ZONES);
	if (!wrong && HxPageOpaque(page)->parent != block->place.page)
		wrong = psprintf("zone page of block %u serves block %u",
						 HxPageOpaque(page)->parent, block->place.page);
	if (!wrong && block->entry.zone >= HxPageZones(page)->count)
		wrong = psprintf("zone map %u is referred to, but there are %u",
						 block->entry.zone, HxPageZones(page)->count);
	if (wrong)
		return fault(check, block->entry.zones, wrong);
	memcpy(block->zone, HxPageZone(&check->desc, page, block->entry.zone),
		   HX_ZONE_SIZE(check->desc.nwords));
	if (!block->is_nulls &&
		!range_covers(&block->page_range,
					  HxZoneRange(&check->desc, block->zone)))
		return fault(check, block->place.page,
					 psprintf("entry %u: the page's range of values does not "
							  "cover the block's",
							  block->place.slot));
	if (HxReach(check, block->entry.zones))
		check->counts.zone_pages++;
	return true;
}

/*
 * Check the block of an entry.  Its directory page is kept share-locked
 * meanwhile if that is asked for; then, and if nobody writes, whatever is wrong
 * is reported.  Else false means that something looked wrong.
 */
static bool
look_at_block(Check *check, bool locked)
{
	BlockCheck *block = &check->block;
	Buffer buffer;
	const HxEntry *entry;
	Page page;
	const char *wrong;
	bool sound;

	buffer = HxReadPage(check->index, block->place.page, BUFFER_LOCK_SHARE,
						HX_KIND_DIRECTORY);
	page = BufferGetPage(buffer);
	entry = HxGetEntry(check->index, buffer, block->place.slot);
	block->entry = *entry;
	block->page_range = HxPageDirectory(page)->range;
	memcpy(block->centroid,
		   HxPageCentroids(page) + block->place.slot * check->desc.payload,
		   check->desc.payload);
	if (!locked)
		UnlockReleaseBuffer(buffer);
	block->certain = locked || check->frozen;
	block->rows = block->dead = 0;

	wrong = entry_fault(check);
	if (wrong)
		sound = fault(check, block->place.page,
					  psprintf("entry %u: %s", block->place.slot, wrong));
	else
		sound = copy_zone(check) && check_chain(check);
	if (locked)
		UnlockReleaseBuffer(buffer);
	return sound;
}

/* Remember a block's owner, for check_owners(). */
static void
add_owner(Check *check, uint64 owner)
{
	if (check->nowners == check->owners_room)
	{
		check->owners_room *= 2;
		check->owners =
			repalloc_huge(check->owners, check->owners_room * sizeof(uint64));
	}
	check->owners[check->nowners++] = owner;
}

/* Check the block of entry `slot` of a directory page. */
static void
check_block(Check *check, BlockNumber page, int slot)
{
	BlockCheck *block = &check->block;

	block->place.page = page;
	block->place.slot = slot;
	block->is_nulls = page == check->meta.directory && slot == 0;
	if (!look_at_block(check, false))
		look_at_block(check, true);
	if (block->entry.flags & HX_ENTRY_FREE)
		return;
	add_owner(check, block->entry.owner);
	check->counts.rows += block->rows;
	check->counts.dead += block->dead;
	if (block->is_nulls)
		check->counts.null_rows = block->rows;
	else
		check->counts.blocks++;
}

static int
compare_owners(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a;
	uint64 y = *(const uint64 *) b;

	return (x > y) - (x < y);
}

/* No two blocks have the same owner: so no page is in two chains. */
static void
check_owners(Check *check)
{
	qsort(check->owners, check->nowners, sizeof(uint64), compare_owners);
	for (int i = 1; i < check->nowners; i++)
		if (check->owners[i] == check->owners[i - 1])
			HxCorrupted(check->index, check->meta.directory,
						psprintf("two entries have owner " UINT64_FORMAT,
								 check->owners[i]));
}

/* ---- directory and what else there is ---- */

/* Check all directory pages and their blocks. */
static void
check_directory(Check *check)
{
	BlockNumber block = check->meta.directory;
	BlockNumber last = block;
	Walk walk;

	HxStartWalk(&walk);
	while (block != InvalidBlockNumber)
	{
		Page page = HxCopyPage(check, block);
		const char *wrong = HxPageFault(&check->desc, page, HX_KIND_DIRECTORY);
		int count = HxPageDirectory(page)->count;
		BlockNumber next;

		if (!wrong && HxHasBeenAt(&walk, block))
			wrong = "the chain of directory pages runs in a circle";
		if (!wrong && block == check->meta.directory && count == 0)
			wrong = "no entry for rows without a vector";
		if (wrong)
			HxCorrupted(check->index, block, wrong);
		next = HxPageOpaque(page)->next;
		if (HxReach(check, block))
			check->counts.directory_pages++;
		HxNoteDirectoryPage(check, block);
		for (int i = 0; i < count; i++)
			check_block(check, block, i);
		last = block;
		block = next;
	}
	if (check->meta.directory_end != last && check->frozen)
		HxCorrupted(check->index, HX_METAPAGE,
					psprintf("the last directory page is %u, not %u", last,
							 check->meta.directory_end));
	check_owners(check);
}

/* Check the table of expected misses, if there is one, and its ring. */
static void
check_table(Check *check)
{
	HxMeta *meta = &check->meta;
	BlockNumber ring[HX_RING_PAGES];

	HxReadMeta(check->index, meta);
	if ((meta->table == InvalidBlockNumber) != (meta->rows_at_calibration == 0))
		HxCorrupted(check->index, HX_METAPAGE,
					"a calibration and its table go together");
	if (meta->table == InvalidBlockNumber)
		return;
	UnlockReleaseBuffer(HxReadPage(check->index, meta->table, BUFFER_LOCK_SHARE,
								   HX_KIND_TABLE));
	HxReach(check, meta->table);
	for (int i = HxListRing(check->index, meta, ring); i > 0; i--)
		check->counts.ring_pages += HxReach(check, ring[i - 1]);
}

/*
 * Look at the pages that nothing led to: free ones, zone pages in reserve,
 * and what crashes have left behind.
 */
static void
count_other_pages(Check *check)
{
	for (BlockNumber b = HX_METAPAGE + 1; b < check->npages; b++)
	{
		Page page;

		CHECK_FOR_INTERRUPTS();
		if (is_reached(check, b))
			continue;
		page = HxCopyPage(check, b);
		if (PageIsNew(page))
			check->counts.orphan_pages++;
		else if (!HxPageIsSound(page))
			HxCorrupted(check->index, b, "not a sound hashemb page");
		else if (HxPageOpaque(page)->kind == HX_KIND_FREE)
			check->counts.free_pages++;
		else if (HxPageOpaque(page)->kind == HX_KIND_ZONES &&
				 is_reached(check, HxPageOpaque(page)->parent))
			check->counts.zone_pages++;
		else
			check->counts.orphan_pages++;
	}
}

/* ---- sparse vectors ---- */

/* What is wrong with a row of an index of sparse vectors, or NULL. */
static const char *
check_sparse_row(void *state, const ItemPointerData *tid,
				 const HxAttrRow *attrs, const HxZone *zone, double norm2)
{
	Check *check = state;
	const char *wrong;

	if (!is_tid_in_heap(check, tid))
		return "no row of the table can have its TID";
	if (zone)
		memcpy(check->block.zone, zone, HX_ZONE_SIZE(check->desc.nwords));
	wrong = zone ? attributes_fault(check, attrs) : NULL;
	if (wrong || !check->filter)
		return wrong;
	HxAddFingerprint(check, tid, attrs,
					 norm2 == HX_NULL_NORM ? NULL : (const uint8 *) &norm2,
					 false);
	return NULL;
}

/* Check an index of sparse vectors, but for what the table says. */
static void
check_sparse(Check *check)
{
	HxSparseCounts found;
	HxSparseChecker checker = {.npages = check->npages,
							   .reached = check->reached,
							   .certain = check->frozen,
							   .state = check,
							   .check_row = check_sparse_row};

	HxSparseCheck(check->index, &check->desc, &checker, &found);
	check->counts.blocks = found.blocks;
	check->counts.rows = found.rows;
	check->counts.null_rows = found.null_rows;
	check->counts.dead = found.dead;
	check->counts.directory_pages = found.directory_pages;
	check->counts.rows_pages = found.rows_pages;
}

/* ---- the function ---- */

/* Check an index that is open and locked. */
static void
check_index(Check *check, bool heapallindexed)
{
	check->npages = RelationGetNumberOfBlocks(check->index);
	HxReadMeta(check->index, &check->meta);
	check->desc = *HxDescribe(check->index);
	check->desc.group = check->meta.group;
	check->strategy = GetAccessStrategy(BAS_BULKREAD);
	check->frozen = heapallindexed;
	check->reached =
		MemoryContextAllocExtended(CurrentMemoryContext, check->npages / 8 + 1,
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	check->owners_room = 1024;
	check->owners = palloc(check->owners_room * sizeof(uint64));
	check->directory_room = 64;
	check->directory = palloc(check->directory_room * sizeof(BlockNumber));
	check->block.centroid = palloc(check->desc.payload);
	check->block.zone = palloc(HX_ZONE_SIZE(check->desc.nwords));
	if (heapallindexed)
		HxStartFingerprints(check);

	if (HxIsSparse(&check->desc))
		check_sparse(check);
	else
	{
		check_directory(check);
		HxCheckUpper(check);
		check_table(check);
	}
	count_other_pages(check);
	if (heapallindexed)
	{
		HxCheckTids(check);
		HxCheckHeap(check);
	}
}

/*
 * Open table and index and check the index with the rights of the table's
 * owner, whose functions expressions may call.
 */
static void
open_and_check(Oid oid, bool heapallindexed, Check *check)
{
	LOCKMODE lockmode = heapallindexed ? ShareLock : AccessShareLock;
	HxOpened opened;
	Oid user;
	int context;
	int nest;

	HxOpenIndex(oid, heapallindexed ? HX_TO_MAINTAIN : HX_TO_CHECK, lockmode,
				lockmode, &opened);
	check->heap = opened.table;
	check->index = opened.index;
	GetUserIdAndSecContext(&user, &context);
	SetUserIdAndSecContext(check->heap->rd_rel->relowner,
						   context | SECURITY_RESTRICTED_OPERATION);
	nest = NewGUCNestLevel();
	RestrictSearchPath();
	check_index(check, heapallindexed);
	AtEOXact_GUC(false, nest);
	SetUserIdAndSecContext(user, context);
	HxCloseIndex(&opened);
}

/* hashemb_check(regclass, heapallindexed) */
Datum
hx_check_index(PG_FUNCTION_ARGS)
{
	bool heapallindexed = PG_GETARG_BOOL(1);
	Check *check = palloc0(sizeof(Check));
	const Counts *counts = &check->counts;
	TupleDesc tuples;
	Datum values[12];
	bool nulls[12] = {false};
	int i = 0;

	if (get_call_result_type(fcinfo, NULL, &tuples) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	open_and_check(PG_GETARG_OID(0), heapallindexed, check);
	values[i++] = Int64GetDatum(check->npages);
	values[i++] = Int64GetDatum(counts->blocks);
	values[i++] = Int64GetDatum(counts->rows);
	values[i++] = Int64GetDatum(counts->null_rows);
	values[i++] = Int64GetDatum(counts->dead);
	values[i++] = Int64GetDatum(counts->directory_pages);
	values[i++] = Int64GetDatum(counts->zone_pages);
	values[i++] = Int64GetDatum(counts->ring_pages);
	values[i++] = Int64GetDatum(counts->rows_pages);
	values[i++] = Int64GetDatum(counts->free_pages);
	values[i++] = Int64GetDatum(counts->orphan_pages);
	nulls[i] = !heapallindexed;
	values[i++] = Int64GetDatum(counts->heap_rows);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(tuples, values, nulls)));
}
