/*
 * rows.c
 *	  Rows of the table as they are stored, and where things lie on a page: its
 *	  arrays, rows put and removed, new pages.
 */
#include "postgres.h"

#include "index/kind.h"
#include "index/page/page.h"

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

/* ---- arrays ---- */

/* Bytes that `capacity` rows take on a page, header included. */
static Size
rows_size(int capacity, Size payload, int nattrs, int nwords)
{
	return sizeof(HxRows) + capacity * (payload + nwords * sizeof(int64)) +
		   (Size) (nattrs + 1) * BITMAP_WORDS(capacity) * sizeof(uint64) +
		   capacity * sizeof(ItemPointerData);
}

/* How many rows fit a page. */
int
HxRowsCapacity(Size payload, int nattrs, int nwords)
{
	int capacity = HX_PAGE_ROOM /
				   (payload + nwords * sizeof(int64) + sizeof(ItemPointerData));

	while (capacity > 0 &&
		   rows_size(capacity, payload, nattrs, nwords) > HX_PAGE_ROOM)
		capacity--;
	return capacity;
}

/* Where the arrays of a rows page begin. */
void
HxRowArraysOf(const HxIndexDesc *desc, Page page, HxRowArrays *arrays)
{
	char *at = HxContents(page) + sizeof(HxRows);
	int capacity = desc->capacity;

	Assert(HxPageRows(page)->count <= capacity);
	arrays->count = HxPageRows(page)->count;
	arrays->payloads = (uint8 *) at;
	at += capacity * desc->payload;
	arrays->dead = (uint64 *) at;
	at += BITMAP_WORDS(capacity) * sizeof(uint64);
	arrays->words = (int64 *) at;
	at += capacity * desc->nwords * sizeof(int64);
	arrays->nulls = (uint64 *) at;
	at += desc->nattrs * BITMAP_WORDS(capacity) * sizeof(uint64);
	arrays->tids = (ItemPointerData *) at;

	arrays->columns.count = arrays->count;
	arrays->columns.words = arrays->words;
	arrays->columns.nulls = arrays->nulls;
	arrays->columns.stride = capacity;
	arrays->columns.null_stride = BITMAP_WORDS(capacity);
}

/* ---- rows of the table ---- */

void
HxBeginRow(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
		   ItemPointer tid, HxRow *row)
{
	memset(row, 0, HxRowSize(desc));
	row->tid = *tid;
	row->has_vector = !isnull[desc->vector_attno - 1];
	HxEncodeAttrs(desc, values, isnull, &row->attrs);
}

void
HxFormRow(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
		  ItemPointer tid, HxRow *row)
{
	int vector = desc->vector_attno - 1;

	HxBeginRow(desc, values, isnull, tid, row);
	if (row->has_vector)
		HxKindOf(desc)->form(desc, values[vector], HxRowPayload(desc, row));
}

/* ---- rows on a page ---- */

/* Set or clear the bit of a row. */
static void
set_bit(uint64 *bits, int row, bool value)
{
	uint64 bit = UINT64CONST(1) << (row % 64);

	if (value)
		bits[row / 64] |= bit;
	else
		bits[row / 64] &= ~bit;
}

static bool
get_bit(const uint64 *bits, int row)
{
	return (bits[row / 64] >> (row % 64)) & 1;
}

/* The NULL bits of an attribute. */
static uint64 *
null_bits(const HxRowArrays *arrays, int attr)
{
	return arrays->nulls + attr * arrays->columns.null_stride;
}

/*
 * Where a rows page's hole begins and ends, which page images in the WAL leave
 * out and generic WAL clears: the payloads not in use and the marks of dead rows.
 */
void
HxHoleOf(const HxIndexDesc *desc, Page page, LocationIndex *lower,
		 LocationIndex *upper)
{
	Size start = HxContents(page) + sizeof(HxRows) - (char *) page;

	*lower = start + HxPageRows(page)->count * desc->payload;
	*upper = start + desc->capacity * desc->payload +
			 BITMAP_WORDS(desc->capacity) * sizeof(uint64);
	Assert(*lower <= *upper && *upper <= BLCKSZ - sizeof(HxOpaque));
}

/* Set how many rows a page has. */
static void
set_row_count(const HxIndexDesc *desc, Page page, int count)
{
	PageHeader header = (PageHeader) page;

	Assert(count >= 0 && count <= desc->capacity);
	HxPageRows(page)->count = count;
	HxHoleOf(desc, page, &header->pd_lower, &header->pd_upper);
}

/* Write the attributes of a row, on a page that may be changed. */
void
HxSetRowAttrs(const HxIndexDesc *desc, const HxRowArrays *arrays, int row,
			  const HxAttrRow *attrs)
{
	Assert(row >= 0 && row < arrays->columns.stride);
	for (int w = 0; w < desc->nwords; w++)
		arrays->words[w * arrays->columns.stride + row] = attrs->words[w];
	for (int a = 0; a < desc->nattrs; a++)
		set_bit(null_bits(arrays, a), row, (attrs->nulls >> a) & 1);
}

/* Append a row to a page that has room; payload NULL leaves zeros. */
void
HxPutRow(const HxIndexDesc *desc, Page page, const uint8 *payload,
		 const HxAttrRow *attrs, const ItemPointerData *tid)
{
	HxRowArrays arrays;
	int row = HxPageRows(page)->count;

	Assert(HxPageOpaque(page)->kind == HX_PAGE_ROWS);
	Assert(row < desc->capacity);
	HxRowArraysOf(desc, page, &arrays);
	if (payload)
		memcpy(arrays.payloads + row * desc->payload, payload, desc->payload);
	else
		memset(arrays.payloads + row * desc->payload, 0, desc->payload);
	HxSetRowAttrs(desc, &arrays, row, attrs);
	set_bit(arrays.dead, row, false);
	arrays.tids[row] = *tid;
	set_row_count(desc, page, row + 1);
}

/* Copy the attributes of a row. */
void
HxGetRowAttrs(const HxIndexDesc *desc, const HxRowArrays *arrays, int row,
			  HxAttrRow *attrs)
{
	Assert(row >= 0 && row < arrays->count);
	attrs->nulls = 0;
	for (int w = 0; w < desc->nwords; w++)
		attrs->words[w] = arrays->words[w * arrays->columns.stride + row];
	for (int a = 0; a < desc->nattrs; a++)
		if (get_bit(null_bits(arrays, a), row))
			attrs->nulls |= (uint32) 1 << a;
}

/* Copy a row over another of the same page. */
static void
move_row(const HxIndexDesc *desc, Page page, int from, int to)
{
	HxRowArrays arrays;

	Assert(to < from && from < HxPageRows(page)->count);
	HxRowArraysOf(desc, page, &arrays);
	memcpy(arrays.payloads + to * desc->payload,
		   arrays.payloads + from * desc->payload, desc->payload);
	for (int w = 0; w < desc->nwords; w++)
		arrays.words[w * desc->capacity + to] =
			arrays.words[w * desc->capacity + from];
	for (int a = 0; a < desc->nattrs; a++)
		set_bit(null_bits(&arrays, a), to,
				get_bit(null_bits(&arrays, a), from));
	set_bit(arrays.dead, to, get_bit(arrays.dead, from));
	arrays.tids[to] = arrays.tids[from];
}

int
HxCountMarks(const HxRowArrays *arrays)
{
	int count = 0;

	for (int i = 0; i < arrays->count; i++)
		count += get_bit(arrays->dead, i);
	return count;
}

int
HxFindDeadRows(const HxIndexDesc *desc, Page page,
			   IndexBulkDeleteCallback callback, void *state, bool *dead)
{
	HxRowArrays rows;
	int found = 0;

	HxRowArraysOf(desc, page, &rows);
	for (int i = 0; i < rows.count; i++)
	{
		dead[i] = callback(&rows.tids[i], state);
		found += dead[i];
	}
	return found;
}

/*
 * Remove the rows marked, moving the page's last rows into the gaps; returns how
 * many they were.
 */
int
HxRemoveRows(const HxIndexDesc *desc, Page page, const bool *dead)
{
	int before = HxPageRows(page)->count;
	int count = before;

	Assert(HxPageOpaque(page)->kind == HX_PAGE_ROWS);
	for (int row = 0; row < count; row++)
	{
		if (!dead[row])
			continue;
		do
			count--;
		while (count > row && dead[count]);
		if (row < count)
			move_row(desc, page, count, row);
	}
	set_row_count(desc, page, count);
	return before - count;
}

/* ---- new pages ---- */

/* Initialise a page of ours, all zeros between header and special space. */
void
HxInitPage(Page page, uint16 kind)
{
	HxOpaque *opaque;
	PageHeader header = (PageHeader) page;

	Assert(kind < HX_PAGE_TYPES);
	PageInit(page, BLCKSZ, sizeof(HxOpaque));
	header->pd_lower = header->pd_upper = header->pd_special;
	opaque = HxPageOpaque(page);
	opaque->next = InvalidBlockNumber;
	opaque->parent = InvalidBlockNumber;
	opaque->kind = kind;
	opaque->page_id = HX_PAGE_ID;
}

void
HxInitRowsPage(const HxIndexDesc *desc, Page page, uint64 owner,
			   HxEntryAddress parent)
{
	HxInitPage(page, HX_PAGE_ROWS);
	HxPageOpaque(page)->owner = owner;
	HxPageOpaque(page)->parent = parent.page;
	HxPageOpaque(page)->slot = parent.slot;
	HxPageRows(page)->capacity = desc->capacity;
	set_row_count(desc, page, 0);
}
