/*
 * write.c
 *	  Writing the pages of a new index, in block order, without WAL.
 *
 * Pages: metapage, all directory pages, the zone pages of each directory page,
 * the upper level if there is more than one, then the rows, block after block.  Entries and zone maps are collected in
 * memory and written at the end.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "index/blocks/recall/measure.h"
#include "index/page/inject.h"
#include "index/blocks/store/span.h"
#include "index/blocks/store/upper.h"
#include "index/blocks/build/write.h"

struct HxWriter
{
	Relation index;
	ForkNumber fork;
	const HxIndexDesc *desc;
	const uint8 *centroids;
	int nblocks;	/* with a vector; block 0 holds the others */
	int limit;		/* rows to a page */
	int ndirectory; /* directory pages */
	int entries_a_page;
	int zones_a_page;
	int zone_pages; /* of one directory page */
	int upper_pages;
	int upper_capacity;
	HxEntry *entries;
	char *zones;
	Buffer buffer; /* page being filled, or InvalidBuffer */
	int block;	   /* its block */
	uint64 rows;   /* with a vector */
};

static BlockNumber
directory_page(const HxWriter *writer, int block)
{
	return 1 + block / writer->entries_a_page;
}

static BlockNumber
zone_page(const HxWriter *writer, int block)
{
	return 1 + writer->ndirectory +
		   block / writer->entries_a_page * writer->zone_pages +
		   block % writer->entries_a_page / writer->zones_a_page;
}

/* Page of the upper level that comes first, if there is any */
static BlockNumber
first_upper_page(const HxWriter *writer)
{
	return 1 + writer->ndirectory * (1 + writer->zone_pages);
}

static HxZone *
zone_of(const HxWriter *writer, int block)
{
	return (HxZone *) (writer->zones +
					   block * HX_ZONE_SIZE(writer->desc->nwords));
}

/* Entries and zone maps of blocks without rows. */
static void
init_entries(HxWriter *writer)
{
	int count = writer->nblocks + 1;

	writer->entries = MemoryContextAllocHuge(CurrentMemoryContext,
											 (Size) count * sizeof(HxEntry));
	writer->zones = MemoryContextAllocHuge(
		CurrentMemoryContext,
		(Size) count * HX_ZONE_SIZE(writer->desc->nwords));
	for (int b = 0; b < count; b++)
	{
		HxEntry *entry = &writer->entries[b];

		memset(entry, 0, sizeof(*entry));
		entry->owner = b + 1;
		entry->first = entry->append = InvalidBlockNumber;
		entry->zones = zone_page(writer, b);
		entry->zone = b % writer->entries_a_page % writer->zones_a_page;
		entry->min_weight = PG_UINT32_MAX;
		entry->flags = b == 0 ? HX_ENTRY_NULLS : 0;
		HxInitZone(writer->desc, zone_of(writer, b));
	}
}

HxWriter *
HxBeginWrite(Relation index, ForkNumber fork, const HxIndexDesc *desc,
			 const uint8 *centroids, int nblocks, int fillfactor)
{
	HxWriter *writer = palloc0(sizeof(HxWriter));
	int reserved;

	Assert(RelationGetNumberOfBlocksInFork(index, fork) == 0);
	Assert(nblocks == 0 || (nblocks > 0 && centroids));
	writer->index = index;
	writer->fork = fork;
	writer->desc = desc;
	writer->centroids = centroids;
	writer->nblocks = nblocks;
	writer->limit = Max(desc->capacity * fillfactor / 100, 1);
	writer->entries_a_page = HxDirectoryCapacity(desc);
	writer->zones_a_page = HxZonesCapacity(desc);
	writer->ndirectory = nblocks / writer->entries_a_page + 1;
	writer->zone_pages =
		(writer->entries_a_page - 1) / writer->zones_a_page + 1;
	writer->upper_capacity = HxUpperCapacity(desc);
	if (writer->ndirectory > 1)
		writer->upper_pages =
			(writer->ndirectory - 1) / writer->upper_capacity + 1;
	init_entries(writer);
	reserved = first_upper_page(writer) + writer->upper_pages;
	for (int i = 0; i < reserved; i++)
	{
		CHECK_FOR_INTERRUPTS();
		HxFinishPage(HxExtendFork(index, fork));
	}
	return writer;
}

/*
 * Finish the rows page at hand, if there is one.  `linked`: the next page of the
 * file will follow it in its chain.
 */
static void
end_rows_page(HxWriter *writer, bool linked)
{
	Buffer buffer = writer->buffer;

	if (!BufferIsValid(buffer))
		return;
	if (linked)
		HxPageOpaque(BufferGetPage(buffer))->next =
			BufferGetBlockNumber(buffer) + 1;
	writer->buffer = InvalidBuffer;
	HxFinishPage(buffer);
}

/* Start a rows page of a block, and link the block's page before to it. */
static void
start_rows_page(HxWriter *writer, int block)
{
	HxEntry *entry = &writer->entries[block];
	HxEntryAddress place = {directory_page(writer, block),
							block % writer->entries_a_page};
	Buffer buffer;

	Assert(block <= writer->nblocks);
	end_rows_page(writer, entry->first != InvalidBlockNumber);
	HX_INJECT("build-page");
	/* Here, since while a page is being filled its lock holds them off */
	CHECK_FOR_INTERRUPTS();
	buffer = HxExtendFork(writer->index, writer->fork);
	HxInitRowsPage(writer->desc, BufferGetPage(buffer), entry->owner, place);
	if (entry->first == InvalidBlockNumber)
		entry->first = entry->append = BufferGetBlockNumber(buffer);
	entry->pages++;
	if (writer->limit == writer->desc->capacity)
		entry->append = BufferGetBlockNumber(buffer);
	writer->buffer = buffer;
	writer->block = block;
}

/* Widen a block's entry and zone map by a row. */
static void
summarise_row(HxWriter *writer, int block, const HxRow *row)
{
	const HxIndexDesc *desc = writer->desc;
	const uint8 *payload = HxRowPayload(desc, row);
	HxEntry *entry = &writer->entries[block];
	uint32 spread;
	uint32 weight;

	entry->rows++;
	HxWidenZone(desc, zone_of(writer, block), &row->attrs);
	if (!row->has_vector)
		return;
	writer->rows++;
	HxPayloadOf(desc)->spreads(desc, payload,
							   writer->centroids + (block - 1) * desc->payload,
							   1, &spread);
	weight = HxPayloadOf(desc)->weight(desc, payload);
	entry->radius = Max(entry->radius, spread);
	entry->min_weight = Min(entry->min_weight, weight);
	entry->max_weight = Max(entry->max_weight, weight);
}

void
HxWriteRow(HxWriter *writer, int block, const HxRow *row)
{
	Assert(block >= writer->block && row->has_vector == (block > 0));
	if (!BufferIsValid(writer->buffer) || writer->block != block ||
		HxPageRows(BufferGetPage(writer->buffer))->count >= writer->limit)
		start_rows_page(writer, block);
	HxPutRow(writer->desc, BufferGetPage(writer->buffer),
			 row->has_vector ? HxRowPayload(writer->desc, row) : NULL,
			 &row->attrs, &row->tid);
	summarise_row(writer, block, row);
}

/* Lock a page that was reserved at the beginning. */
static Buffer
reserved_page(HxWriter *writer, BlockNumber block)
{
	Buffer buffer = ReadBufferExtended(writer->index, writer->fork, block,
									   RBM_NORMAL, NULL);

	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	return buffer;
}

/* Write directory page d and its entries. */
static void
write_directory_page(HxWriter *writer, int d)
{
	const HxIndexDesc *desc = writer->desc;
	Buffer buffer = reserved_page(writer, 1 + d);
	Page page = BufferGetPage(buffer);
	int first = d * writer->entries_a_page;
	int count = Min(writer->entries_a_page, writer->nblocks + 1 - first);

	Assert(count > 0 && count <= writer->entries_a_page);
	HxInitDirectoryPage(desc, page);
	HxPageDirectory(page)->count = count;
	HxPageDirectory(page)->zones = zone_page(writer, first);
	memcpy(HxPageEntries(page), writer->entries + first,
		   count * sizeof(HxEntry));
	for (int i = first == 0 ? 1 : 0; i < count; i++)
	{
		memcpy(HxPageCentroids(page) + i * desc->payload,
			   writer->centroids + (Size) (first + i - 1) * desc->payload,
			   desc->payload);
		HxAddSpan(&HxPageDirectory(page)->range,
				  HxZoneSpan(desc, zone_of(writer, first + i)));
	}
	if (d + 1 < writer->ndirectory)
		HxPageOpaque(page)->next = 1 + d + 1;
	HxFinishPage(buffer);
}

/* Write the zone pages of directory page d. */
static void
write_zone_pages(HxWriter *writer, int d)
{
	const HxIndexDesc *desc = writer->desc;

	for (int z = 0; z < writer->zone_pages; z++)
	{
		int first = d * writer->entries_a_page + z * writer->zones_a_page;
		int end =
			Min(first + writer->zones_a_page, (d + 1) * writer->entries_a_page);
		int count = Max(Min(end, writer->nblocks + 1) - first, 0);
		Buffer buffer = reserved_page(writer, 1 + writer->ndirectory +
												  d * writer->zone_pages + z);
		Page page = BufferGetPage(buffer);

		Assert(count <= writer->zones_a_page);
		HxInitZonesPage(desc, page, 1 + d);
		HxPageZones(page)->count = count;
		if (z + 1 < writer->zone_pages)
			HxPageOpaque(page)->next = BufferGetBlockNumber(buffer) + 1;
		for (int i = 0; i < count; i++)
			memcpy(HxPageZone(desc, page, i), zone_of(writer, first + i),
				   HX_ZONE_SIZE(desc->nwords));
		HxFinishPage(buffer);
	}
}

/* Write page u of the upper level; the directory pages are written. */
static void
write_upper_page(HxWriter *writer, int u)
{
	const HxIndexDesc *desc = writer->desc;
	Buffer buffer = reserved_page(writer, first_upper_page(writer) + u);
	Page page = BufferGetPage(buffer);
	int first = u * writer->upper_capacity;
	int end = Min(first + writer->upper_capacity, writer->ndirectory);
	uint8 *centroid = palloc(desc->payload);

	Assert(first < end);
	HxInitUpperPage(desc, page);
	for (int d = first; d < end; d++)
	{
		Buffer directory = reserved_page(writer, 1 + d);
		HxUpperEntry entry;

		HxSummarisePage(desc, BufferGetPage(directory), 1 + d, &entry,
						centroid);
		HxPutUpperEntry(desc, page, d - first, &entry, centroid);
		UnlockReleaseBuffer(directory);
	}
	if (u + 1 < writer->upper_pages)
		HxPageOpaque(page)->next = BufferGetBlockNumber(buffer) + 1;
	pfree(centroid);
	HxFinishPage(buffer);
}

static void
write_metapage(HxWriter *writer)
{
	Buffer buffer = reserved_page(writer, HX_METAPAGE);
	HxMeta *meta;

	meta = HxInitMetapage(writer->desc, BufferGetPage(buffer));
	meta->group = writer->desc->group;
	meta->directory = 1;
	meta->directory_end = writer->ndirectory;
	meta->next_owner = writer->nblocks + 2;
	meta->blocks = writer->nblocks;
	if (writer->upper_pages > 0)
		meta->upper = first_upper_page(writer);
	HxFinishPage(buffer);
}

/*
 * Blocks that have more rows than others are not split for the next row that
 * comes: clustering has found them so.
 */
static void
postpone_splits(HxWriter *writer)
{
	for (int b = 1; b <= writer->nblocks; b++)
		if (writer->entries[b].rows > writer->rows / writer->nblocks)
			HxPostponeSplit(writer->desc, &writer->entries[b]);
}

void
HxEndWrite(HxWriter *writer)
{
	end_rows_page(writer, false);
	Assert(!BufferIsValid(writer->buffer));
	postpone_splits(writer);
	for (int d = 0; d < writer->ndirectory; d++)
	{
		CHECK_FOR_INTERRUPTS();
		write_directory_page(writer, d);
		write_zone_pages(writer, d);
	}
	for (int u = 0; u < writer->upper_pages; u++)
		write_upper_page(writer, u);
	write_metapage(writer);
	pfree(writer->entries);
	pfree(writer->zones);
	pfree(writer);
}

void
HxStoreBuiltMisses(Relation index, const HxMisses *table, uint64 rows)
{
	HxWriter writer = {.index = index, .fork = MAIN_FORKNUM};
	Buffer buffer = HxExtendFork(index, MAIN_FORKNUM);
	Buffer meta_buffer = reserved_page(&writer, HX_METAPAGE);

	HxInitPage(BufferGetPage(buffer), HX_PAGE_MISSES);
	*HxPageMisses(BufferGetPage(buffer)) = *table;
	HxNoteTable(HxPageMeta(BufferGetPage(meta_buffer)),
				BufferGetBlockNumber(buffer), rows, HX_CALIBRATED_FULL);
	HxFinishPage(buffer);
	HxFinishPage(meta_buffer);
}
