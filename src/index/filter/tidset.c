/*
 * tidset.c
 *	  A set of TIDs to be asked for members.
 *
 * While it is filled in, a set is a list of heap blocks, each with a bit for
 * every offset.  Finishing it lays these bits out where a row's is found at
 * once: by block number, no wider than the greatest offset asks for, where
 * that fits memory and is not mostly empty; else through a hash table.  A list
 * that outgrows memory is replaced by one bit a block, or in a huge table one
 * bit for two, four ... neighbouring blocks.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "port/pg_bitutils.h"
#include "utils/memutils.h"

#include "index/filter/tidset.h"

#define BITS 64

/* Words that hold all offsets of a heap page */
#define MAX_WIDTH (MaxHeapTuplesPerPage / BITS + 1)

#define MIN_MEMORY (64 * 1024)

/* By block number only if at least one in this many bytes is from the list */
#define MOST_EMPTY 4

typedef struct TidBlock
{
	BlockNumber block;
	bool lossy;
	uint64 bits[MAX_WIDTH]; /* bit of an offset: offset % 64 of word / 64 */
} TidBlock;

/* How a row's bit is found */
typedef enum SetForm
{
	FORM_LIST,	 /* not finished */
	FORM_DIRECT, /* by block number */
	FORM_HASHED, /* through a hash table */
	FORM_COARSE	 /* no offsets: a bit for 2^shift blocks */
} SetForm;

struct HxTidSet
{
	MemoryContext context;
	Size memory; /* all that may be used */
	SetForm form;
	bool recheck;		   /* some rows may not be what was asked for */
	uint64 count;		   /* rows that were named */
	uint64 lossy;		   /* lossy pages */
	BlockNumber nblocks;   /* blocks of the table, or as known so far */
	OffsetNumber greatest; /* offset that was named */

	TidBlock *list; /* not DIRECT or COARSE */
	uint64 nlist;
	uint64 list_room;

	uint64 *bits; /* DIRECT: width words a block; COARSE */
	int width;	  /* DIRECT */
	int shift;	  /* COARSE */

	uint32 *table;	   /* HASHED: 1 + place in the list, or 0 */
	uint64 table_mask; /* HASHED: slots - 1 */
};

HxTidSet *
HxBeginTidSet(BlockNumber nblocks, Size memory)
{
	MemoryContext context = AllocSetContextCreate(
		CurrentMemoryContext, "hashemb TID set", ALLOCSET_DEFAULT_SIZES);
	HxTidSet *set = MemoryContextAllocZero(context, sizeof(HxTidSet));

	set->context = context;
	set->memory = Max(memory, MIN_MEMORY);
	set->nblocks = Max(nblocks, 1);
	set->list_room = 64;
	set->list = MemoryContextAlloc(context, set->list_room * sizeof(TidBlock));
	return set;
}

void
HxFreeTidSet(HxTidSet *set)
{
	MemoryContextDelete(set->context);
}

/* ---- filling in ---- */

static uint64 *
alloc_bits(HxTidSet *set, Size words)
{
	return MemoryContextAllocExtended(set->context,
									  Max(words, 1) * sizeof(uint64),
									  MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
}

/* Bit of a block in a set without offsets; blocks beyond share the last. */
static inline uint64
coarse_bit(const HxTidSet *set, BlockNumber block)
{
	return Min(block, set->nblocks - 1) >> set->shift;
}

static void
add_coarse(HxTidSet *set, BlockNumber block)
{
	uint64 bit = coarse_bit(set, block);

	set->bits[bit / BITS] |= UINT64CONST(1) << (bit % BITS);
	set->lossy++;
}

/* Forget offsets: from the list of blocks to a bit a block. */
static void
make_coarse(HxTidSet *set)
{
	uint64 words;

	Assert(set->form == FORM_LIST);
	set->shift = 0;
	for (;;)
	{
		words = ((uint64) set->nblocks >> set->shift) / BITS + 1;
		if (words * sizeof(uint64) <= set->memory)
			break;
		set->shift++;
	}
	set->bits = alloc_bits(set, words);
	set->form = FORM_COARSE;
	set->lossy = 0;
	for (uint64 i = 0; i < set->nlist; i++)
		add_coarse(set, set->list[i].block);
	pfree(set->list);
	set->list = NULL;
	set->nlist = 0;
	set->count = 0;
}

/* A new block of the list; NULL if there is no list any more. */
static TidBlock *
new_block(HxTidSet *set, BlockNumber block)
{
	TidBlock *entry;

	Assert(set->form == FORM_LIST || set->form == FORM_COARSE);
	if (set->form == FORM_LIST && set->nlist == set->list_room)
	{
		uint64 most = set->memory / sizeof(TidBlock);

		if (set->nlist >= most || set->nlist >= PG_UINT32_MAX - 1)
			make_coarse(set);
		else
		{
			set->list_room = Min(2 * set->list_room, most);
			set->list =
				repalloc_huge(set->list, set->list_room * sizeof(TidBlock));
		}
	}
	if (set->form == FORM_COARSE)
	{
		add_coarse(set, block);
		return NULL;
	}
	if (block == InvalidBlockNumber)
		elog(ERROR, "a bitmap has rows of a block that no table has");
	set->nblocks = Max(set->nblocks, block + 1);
	entry = &set->list[set->nlist++];
	memset(entry, 0, sizeof(TidBlock));
	entry->block = block;
	return entry;
}

void
HxAddTids(HxTidSet *set, BlockNumber block, const OffsetNumber *offsets,
		  int count, bool recheck)
{
	TidBlock *entry;

	set->recheck |= recheck;
	if (count <= 0)
		return;
	entry = new_block(set, block);
	if (!entry)
		return;
	for (int i = 0; i < count; i++)
	{
		if (offsets[i] > MaxHeapTuplesPerPage)
			elog(ERROR, "offset %u of a bitmap is beyond those of a page",
				 offsets[i]);
		entry->bits[offsets[i] / BITS] |= UINT64CONST(1) << (offsets[i] % BITS);
		set->greatest = Max(set->greatest, offsets[i]);
	}
	set->count += count;
}

void
HxAddTidBlock(HxTidSet *set, BlockNumber block)
{
	TidBlock *entry = new_block(set, block);

	set->recheck = true;
	if (!entry)
		return;
	entry->lossy = true;
	memset(entry->bits, 0xFF, sizeof(entry->bits));
	set->greatest = MaxHeapTuplesPerPage;
	set->lossy++;
}

/* ---- finishing ---- */

static int
compare_blocks(const void *a, const void *b)
{
	BlockNumber left = ((const TidBlock *) a)->block;
	BlockNumber right = ((const TidBlock *) b)->block;

	return (left > right) - (left < right);
}

#ifdef USE_ASSERT_CHECKING
/* Are the blocks of the list in order, none of them twice? */
static bool
blocks_ascend(const HxTidSet *set)
{
	for (uint64 i = 1; i < set->nlist; i++)
		if (set->list[i - 1].block >= set->list[i].block)
			return false;
	return true;
}
#endif

/* Bitmaps come in order, but nobody promises it. */
static void
sort_list(HxTidSet *set)
{
	for (uint64 i = 1; i < set->nlist; i++)
		if (set->list[i - 1].block > set->list[i].block)
		{
			qsort(set->list, set->nlist, sizeof(TidBlock), compare_blocks);
			return;
		}
}

static void
make_direct(HxTidSet *set)
{
	set->bits = alloc_bits(set, (Size) set->nblocks * set->width);
	for (uint64 i = 0; i < set->nlist; i++)
		memcpy(set->bits + (Size) set->list[i].block * set->width,
			   set->list[i].bits, set->width * sizeof(uint64));
	pfree(set->list);
	set->list = NULL;
	set->form = FORM_DIRECT;
}

static inline uint64
table_slot(const HxTidSet *set, BlockNumber block)
{
	return ((block * UINT64CONST(0x9E3779B97F4A7C15)) >> 24) & set->table_mask;
}

static void
make_hashed(HxTidSet *set)
{
	uint64 slots = 64;

	while (slots < 2 * set->nlist)
		slots *= 2;
	set->table_mask = slots - 1;
	set->table =
		MemoryContextAllocExtended(set->context, slots * sizeof(uint32),
								   MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (uint64 i = 0; i < set->nlist; i++)
	{
		uint64 slot = table_slot(set, set->list[i].block);

		while (set->table[slot] != 0)
			slot = (slot + 1) & set->table_mask;
		set->table[slot] = (uint32) i + 1;
	}
	set->form = FORM_HASHED;
}

void
HxFinishTidSet(HxTidSet *set)
{
	Size direct;

	set->recheck |= set->lossy > 0;
	if (set->form != FORM_LIST)
		return;
	sort_list(set);
	Assert(blocks_ascend(set));
	set->width = set->greatest / BITS + 1;
	direct = (Size) set->nblocks * set->width * sizeof(uint64);
	if (direct <= set->memory &&
		direct <= MOST_EMPTY * set->nlist * sizeof(TidBlock))
		make_direct(set);
	else
		make_hashed(set);
}

/* ---- asking ---- */

uint64
HxTidSetCount(const HxTidSet *set, bool *exact)
{
	Assert(set->form != FORM_LIST);
	*exact = set->lossy == 0;
	return set->count;
}

uint64
HxTidSetLossy(const HxTidSet *set)
{
	Assert(set->form != FORM_LIST);
	return set->lossy;
}

bool
HxTidSetNeedsRecheck(const HxTidSet *set)
{
	Assert(set->form != FORM_LIST);
	return set->recheck;
}

static inline bool
direct_contains(const HxTidSet *set, BlockNumber block, OffsetNumber offset)
{
	int word = offset / BITS;

	return block < set->nblocks && word < set->width &&
		   (set->bits[(Size) block * set->width + word] >> (offset % BITS)) & 1;
}

static inline bool
hashed_contains(const HxTidSet *set, BlockNumber block, OffsetNumber offset)
{
	uint64 slot = table_slot(set, block);

	for (; set->table[slot] != 0; slot = (slot + 1) & set->table_mask)
	{
		const TidBlock *entry = &set->list[set->table[slot] - 1];

		if (entry->block == block)
			return offset / BITS < MAX_WIDTH &&
				   (entry->bits[offset / BITS] >> (offset % BITS)) & 1;
	}
	return false;
}

static inline bool
coarse_contains(const HxTidSet *set, BlockNumber block)
{
	uint64 bit = coarse_bit(set, block);

	return (set->bits[bit / BITS] >> (bit % BITS)) & 1;
}

/* Is a row in the set? */
static inline bool
contains(const HxTidSet *set, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumberNoCheck(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumberNoCheck(tid);

	switch (set->form)
	{
		case FORM_DIRECT:
			return direct_contains(set, block, offset);
		case FORM_HASHED:
			return hashed_contains(set, block, offset);
		default:
			return coarse_contains(set, block);
	}
}

void
HxTidSetFilter(const HxTidSet *set, const ItemPointerData *tids, int count,
			   uint64 *mask)
{
	Assert(set->form != FORM_LIST);
	for (int w = 0; w * BITS < count; w++)
		for (uint64 left = mask[w]; left != 0; left &= left - 1)
			if (!contains(set, &tids[w * BITS + pg_rightmost_one_pos64(left)]))
				mask[w] &= ~(left & (~left + 1));
}

/* The next bit of a block's words at or after a place; false if none. */
static bool
next_offset(const uint64 *bits, int width, uint32 *offset)
{
	for (int word = *offset / BITS; word < width; word++)
	{
		uint64 left = bits[word];

		if (word == *offset / BITS)
			left &= PG_UINT64_MAX << (*offset % BITS);
		if (left != 0)
		{
			*offset = word * BITS + pg_rightmost_one_pos64(left);
			return true;
		}
	}
	return false;
}

bool
HxNextTid(const HxTidSet *set, HxTidSetCursor *place, ItemPointer tid)
{
	bool direct = set->form == FORM_DIRECT;
	uint64 end = direct ? set->nblocks : set->nlist;

	Assert(set->form != FORM_LIST && set->lossy == 0);
	for (; place->block < end; place->block++, place->offset = 0)
	{
		const uint64 *bits = direct ? set->bits + place->block * set->width
									: set->list[place->block].bits;

		if (!next_offset(bits, set->width, &place->offset))
			continue;
		ItemPointerSet(tid,
					   direct ? (BlockNumber) place->block
							  : set->list[place->block].block,
					   (OffsetNumber) place->offset);
		place->offset++;
		return true;
	}
	return false;
}
