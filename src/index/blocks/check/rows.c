/*
 * rows.c
 *	  Checking a block: the pages of its chain, and their rows.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/blocks/check/check.h"
#include "index/page/inject.h"
#include "index/blocks/store/payload.h"

bool
HxBlockFault(const HxBlocksCheck *check, BlockNumber page, const char *detail)
{
	if (check->block.certain)
		HxCorrupted(check->base->index, page, detail);
	return false;
}

/* ---- rows ---- */

/* HxCheckRows' function: what is wrong with a payload as its block describes it */
static const char *
vector_fault(void *state, const uint8 *payload, bool *has_vector)
{
	const HxBlocksCheck *check = state;
	const HxIndexDesc *desc = &check->base->desc;
	const HxPayload *methods = HxPayloadOf(desc);
	const HxCheckedBlock *block = &check->block;
	const char *wrong = NULL;
	uint32 spread;
	uint32 weight;

	*has_vector = !block->is_nulls;
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
	/*
	 * No search relies on radii where distances are estimates, and a row may
	 * have been measured before the index had learnt.
	 */
	if (spread > block->entry.radius && !HxKindOf(desc)->refine)
		return psprintf("spread %u is beyond the block's radius %u", spread,
						block->entry.radius);
	if (weight < block->entry.min_weight || weight > block->entry.max_weight)
		return psprintf("weight %u is not from %u to %u as the block's are",
						weight, block->entry.min_weight,
						block->entry.max_weight);
	return NULL;
}

/* Check the rows of the copied page; false as for HxBlockFault. */
static bool
check_rows(HxBlocksCheck *check, BlockNumber page)
{
	HxCheckedBlock *block = &check->block;
	const char *wrong = HxCheckRows(check->base, block->zone, vector_fault,
									check, &block->counts);

	return !wrong || HxBlockFault(check, page, wrong);
}

/* ---- pages ---- */

/* What is wrong with the copied page as one of the block's chain, or NULL. */
static const char *
rows_page_fault(const HxBlocksCheck *check)
{
	Page page = (Page) check->base->page.data;
	const HxCheckedBlock *block = &check->block;
	const char *wrong = HxPageFault(&check->base->desc, page, HX_PAGE_ROWS);

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

/* What the block's entry says of its chain and is not so, or NULL. */
static const char *
chain_fault(const HxBlocksCheck *check, uint32 pages, bool append_found)
{
	const HxCheckedBlock *block = &check->block;
	const HxEntry *entry = &block->entry;

	if (!append_found)
		return psprintf("entry %u appends to block %u, which is not in its "
						"chain",
						block->place.slot, entry->append);
	if (pages != entry->pages)
		return psprintf("entry %u says %u pages, but its chain has %u",
						block->place.slot, entry->pages, pages);
	if (block->counts.rows != entry->rows)
		return psprintf(
			"entry %u says %u rows, but its pages have " INT64_FORMAT,
			block->place.slot, entry->rows, block->counts.rows);
	return NULL;
}

bool
HxCheckBlockRows(HxBlocksCheck *check)
{
	const HxEntry *entry = &check->block.entry;
	BlockNumber next = entry->first;
	bool append_found = entry->append == InvalidBlockNumber;
	uint32 pages = 0;
	const char *wrong;

	Assert(check->block.counts.rows == 0 && check->block.counts.dead == 0);
	while (next != InvalidBlockNumber)
	{
		Page page;

		CHECK_FOR_INTERRUPTS();
		HX_INJECT_LOOP("check-rows");
		if (check->block.locked && InterruptPending) /* held off by the lock */
		{
			check->block.interrupted = true;
			return true;
		}
		page = HxCopyPage(check->base, next);
		wrong = rows_page_fault(check);
		if (wrong)
			return HxBlockFault(check, next, wrong);
		HxCountStep(check->base->index, next, &pages);
		if (!check_rows(check, next))
			return false;
		check->base->counts.rows_pages += HxReach(check->base, next);
		append_found |= next == entry->append;
		next = HxPageOpaque(page)->next;
	}
	wrong = chain_fault(check, pages, append_found);
	return !wrong || HxBlockFault(check, check->block.place.page, wrong);
}
