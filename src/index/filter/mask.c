/*
 * mask.c
 *	  Evaluate a filter: column by column over the rows of a page, and against
 *	  the zone map of a block.
 *
 * Rows are taken 64 at a time, a word of the mask.  A range costs about one
 * cycle a row, whatever passes; conditions that must look something up look
 * only at rows whose mask bit is still set.
 */
#include "postgres.h"

#include "port/pg_bitutils.h"

#include "compat.h"
#include "index/filter/condition.h"
#include "kernel/kernel.h"

#define ROWS_A_WORD 64

bool
HxFilterIsTrivial(const HxFilter *filter)
{
	return !filter->never && filter->count == 0 && filter->must_be_null == 0 &&
		   filter->must_be_value == 0 && filter->nors == 0;
}

bool
HxFilterIsNever(const HxFilter *filter)
{
	return filter->never;
}

bool
HxFilterNeedsRecheck(const HxFilter *filter)
{
	return filter->recheck;
}

void
HxFilterReads(const HxFilter *filter, uint64 *words, uint32 *nulls)
{
	StaticAssertStmt(HX_MAX_WORDS <= 64, "a word for each bit");
	*nulls |= filter->must_be_null | filter->must_be_value;
	for (int i = 0; i < filter->count; i++)
	{
		const HxCondition *condition = &filter->conditions[i];
		bool two = condition->kind != HX_CONDITION_RANGE &&
				   condition->kind != HX_CONDITION_SET;

		*words |= (two ? UINT64CONST(3) : 1) << condition->word;
	}
	for (int o = 0; o < filter->nors; o++)
		for (int i = 0; i < filter->ors[o].count; i++)
			HxFilterReads(&filter->ors[o].arms[i], words, nulls);
}

/* Is the word one of the values? */
static inline bool
set_contains(const HxCondition *set, int64 word)
{
	uint32 slot = HxSetSlot(word, set->table_mask);

	while (set->table[slot] != set->empty)
	{
		if (set->table[slot] == word)
			return true;
		slot = (slot + 1) & set->table_mask;
	}
	return false;
}

/* Is the pair of words one of the pairs? */
static bool
pairs_contain(const HxCondition *pairs, int64 first, int64 second)
{
	int low = 0;
	int high = pairs->count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;
		const int64 *pair = &pairs->values[2 * middle];

		if (pair[0] < first || (pair[0] == first && pair[1] < second))
			low = middle + 1;
		else
			high = middle;
	}
	return low < pairs->count && pairs->values[2 * low] == first &&
		   pairs->values[2 * low + 1] == second;
}

/* Are both bits of one of the elements set? */
static inline bool
any_element(const HxCondition *any, uint64 first, uint64 second)
{
	for (uint64 left = first & any->bits[0]; left != 0; left &= left - 1)
		if (any->second[pg_rightmost_one_pos64(left)] & second)
			return true;
	return false;
}

/* Does a row with these two words pass?  For conditions that look up. */
static inline bool
row_passes(const HxCondition *condition, int64 first, int64 second)
{
	switch (condition->kind)
	{
		case HX_CONDITION_SET:
			return set_contains(condition, first);
		case HX_CONDITION_PAIRS:
			return pairs_contain(condition, first, second);
		case HX_CONDITION_ANY:
			return any_element(condition, (uint64) first, (uint64) second);
		default:
			pg_unreachable();
	}
}

/* Bits of the rows with a word of a small set */
static uint64
rows_in_small_set(const HxCondition *set, const int64 *words, int rows)
{
	uint64 passing = 0;

	Assert(set->count <= HX_SMALL_SET);
	for (int i = 0; i < set->count; i++)
		passing |=
			hx_kernels->in_range(words, rows, set->values[i], set->values[i]);
	return passing;
}

/* Bits of the rows with all of some bits of one word set */
static inline uint64
rows_with_bits(const int64 *words, int rows, uint64 bits)
{
	uint64 passing = 0;

	for (int i = rows - 1; i >= 0; i--)
		passing = passing + passing + (((uint64) words[i] & bits) == bits);
	return passing;
}

/*
 * Bits of the rows with no other than some bits of one word set.  A word with
 * all bits says nothing: perhaps the elements had no hash when it was made.
 */
static inline uint64
rows_within_bits(const int64 *words, int rows, uint64 bits)
{
	uint64 passing = 0;

	for (int i = rows - 1; i >= 0; i--)
		passing = passing + passing +
				  (((uint64) words[i] & ~bits) == 0 || words[i] == -1);
	return passing;
}

/* Bits of the candidate rows that pass, each looked up */
static uint64
rows_looked_up(const HxCondition *condition, const int64 *first,
			   const int64 *second, uint64 candidates)
{
	uint64 passing = 0;

	for (uint64 left = candidates; left != 0; left &= left - 1)
	{
		int row = pg_rightmost_one_pos64(left);

		if (row_passes(condition, first[row], second[row]))
			passing |= left & (~left + 1);
	}
	return passing;
}

/* Which of up to 64 rows pass a condition, or if negated what it excludes */
static uint64
rows_passing(const HxCondition *condition, const HxColumns *columns, int start,
			 uint64 candidates)
{
	const int64 *first =
		columns->words + (Size) condition->word * columns->stride + start;
	const int64 *second = first + columns->stride;
	int rows = Min(ROWS_A_WORD, columns->count - start);

	Assert(rows > 0 && start % ROWS_A_WORD == 0);
	switch (condition->kind)
	{
		case HX_CONDITION_RANGE:
			return candidates & hx_kernels->in_range(first, rows,
													 condition->low,
													 condition->high);
		case HX_CONDITION_SET:
			if (condition->table == NULL)
				return candidates & rows_in_small_set(condition, first, rows);
			return rows_looked_up(condition, first, first, candidates);
		case HX_CONDITION_PAIRS:
		case HX_CONDITION_ANY:
			return rows_looked_up(condition, first, second, candidates);
		case HX_CONDITION_ALL:
			return candidates &
				   rows_with_bits(first, rows, condition->bits[0]) &
				   rows_with_bits(second, rows, condition->bits[1]);
		case HX_CONDITION_SUBSET:
			return candidates &
				   rows_within_bits(first, rows, condition->bits[0]) &
				   rows_within_bits(second, rows, condition->bits[1]);
	}
	return candidates;
}

/* Clear the candidates among up to 64 rows that do not pass a condition. */
static inline uint64
filter_word(const HxCondition *condition, const HxColumns *columns, int start,
			uint64 candidates)
{
	uint64 passing = rows_passing(condition, columns, start, candidates);

	return condition->negated ? candidates & ~passing : passing;
}

/* Clear the mask bits of rows with the wrong NULLs. */
static void
filter_nulls(const HxFilter *filter, const HxColumns *columns, uint64 *mask,
			 int words)
{
	uint32 attrs = filter->must_be_null | filter->must_be_value;

	for (; attrs != 0; attrs &= attrs - 1)
	{
		int attr = pg_rightmost_one_pos32(attrs);
		const uint64 *nulls =
			columns->nulls + (Size) attr * columns->null_stride;
		uint64 flip = (filter->must_be_value >> attr) & 1 ? PG_UINT64_MAX : 0;

		for (int i = 0; i < words; i++)
			mask[i] &= nulls[i] ^ flip;
	}
}

static uint64 filter_or(const HxFilterOr *alternatives,
						const HxColumns *columns, int start, uint64 candidates);

/* Clear the candidates among up to 64 rows that do not pass a filter. */
static uint64
filter_candidates(const HxFilter *filter, const HxColumns *columns, int start,
				  uint64 candidates)
{
	uint32 attrs = filter->must_be_null | filter->must_be_value;

	for (; attrs != 0; attrs &= attrs - 1)
	{
		int attr = pg_rightmost_one_pos32(attrs);
		uint64 nulls = columns->nulls[(Size) attr * columns->null_stride +
									  start / ROWS_A_WORD];

		candidates &= (filter->must_be_value >> attr) & 1 ? ~nulls : nulls;
	}
	for (int c = 0; c < filter->count && candidates != 0; c++)
		candidates =
			filter_word(&filter->conditions[c], columns, start, candidates);
	for (int o = 0; o < filter->nors && candidates != 0; o++)
		candidates = filter_or(&filter->ors[o], columns, start, candidates);
	return candidates;
}

/* Clear the candidates among up to 64 rows that pass none of some filters. */
static uint64
filter_or(const HxFilterOr *alternatives, const HxColumns *columns, int start,
		  uint64 candidates)
{
	uint64 passing = 0;

	for (int i = 0; i < alternatives->count && passing != candidates; i++)
		passing |= filter_candidates(&alternatives->arms[i], columns, start,
									 candidates & ~passing);
	return passing;
}

void
HxFilterRows(const HxFilter *filter, const HxColumns *columns, uint64 *mask)
{
	int words = (columns->count + ROWS_A_WORD - 1) / ROWS_A_WORD;
	int tail = columns->count % ROWS_A_WORD;

	Assert(columns->count <= columns->stride);
	if (filter->never)
	{
		memset(mask, 0, words * sizeof(uint64));
		return;
	}
	if (tail != 0)
		mask[words - 1] &= (UINT64CONST(1) << tail) - 1;

	filter_nulls(filter, columns, mask, words);
	for (int c = 0; c < filter->count; c++)
		for (int i = 0; i < words; i++)
			if (mask[i] != 0)
				mask[i] = filter_word(&filter->conditions[c], columns,
									  i * ROWS_A_WORD, mask[i]);
	for (int o = 0; o < filter->nors; o++)
		for (int i = 0; i < words; i++)
			if (mask[i] != 0)
				mask[i] = filter_or(&filter->ors[o], columns, i * ROWS_A_WORD,
									mask[i]);
}

/* Can a word be within a zone? */
static inline bool
zone_has_word(const HxWordZone *zone, int64 word)
{
	return zone->min <= word && word <= zone->max &&
		   (HxWordBit(word) & zone->seen) != 0;
}

/* The first of a set's values, or pairs by their first, at or above a word */
static int
first_at_least(const HxCondition *set, int width, int64 word)
{
	int low = 0;
	int high = set->count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (set->values[middle * width] < word)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Can one of a set's values be within a zone? */
static bool
zone_has_value(const HxCondition *set, const HxWordZone *zone)
{
	for (int i = first_at_least(set, 1, zone->min);
		 i < set->count && set->values[i] <= zone->max; i++)
		if (HxWordBit(set->values[i]) & zone->seen)
			return true;
	return false;
}

/* Can one of a set's pairs be within the zones of the two words? */
static bool
zone_has_pair(const HxCondition *pairs, const HxWordZone *zone)
{
	for (int i = first_at_least(pairs, 2, zone->min);
		 i < pairs->count && pairs->values[2 * i] <= zone->max; i++)
		if (zone_has_word(&zone[0], pairs->values[2 * i]) &&
			zone_has_word(&zone[1], pairs->values[2 * i + 1]))
			return true;
	return false;
}

/*
 * Can a row of a block pass the opposite of a condition?  Not if all words of
 * the block are in the range or set.
 */
static bool
filter_zone_negated(const HxCondition *condition, const HxWordZone *zone)
{
	switch (condition->kind)
	{
		case HX_CONDITION_RANGE:
			return zone->min < condition->low || zone->max > condition->high;
		case HX_CONDITION_SET:
			return zone->min != zone->max || !zone_has_value(condition, zone);
		default:
			return true;
	}
}

/* Can a row of a block pass the condition?  False only if none can. */
static bool
filter_zone(const HxCondition *condition, const HxWordZone *zone)
{
	if (condition->negated)
		return filter_zone_negated(condition, zone);
	switch (condition->kind)
	{
		case HX_CONDITION_RANGE:
			return zone->min <= condition->high &&
				   condition->low <= zone->max &&
				   (condition->probe & zone->seen) != 0;
		case HX_CONDITION_SET:
			return zone_has_value(condition, zone);
		case HX_CONDITION_PAIRS:
			return zone_has_pair(condition, zone);
		case HX_CONDITION_ALL:
			return (condition->bits[0] & ~zone[0].seen) == 0 &&
				   (condition->bits[1] & ~zone[1].seen) == 0;
		case HX_CONDITION_ANY:
			return any_element(condition, zone[0].seen, zone[1].seen);
		case HX_CONDITION_SUBSET:
			return true;
	}
	return true;
}

/* Can a row of a block pass one of some filters?  False only if none can. */
static bool
filter_zone_or(const HxFilterOr *alternatives, const HxZone *zone)
{
	for (int i = 0; i < alternatives->count; i++)
		if (HxFilterZone(&alternatives->arms[i], zone))
			return true;
	return false;
}

bool
HxFilterZone(const HxFilter *filter, const HxZone *zone)
{
	if (filter->never || (filter->must_be_null & ~zone->nulls) != 0 ||
		(filter->must_be_value & ~zone->values) != 0)
		return false;
	for (int i = 0; i < filter->count; i++)
	{
		const HxCondition *condition = &filter->conditions[i];

		if (!filter_zone(condition, &zone->words[condition->word]))
			return false;
	}
	for (int o = 0; o < filter->nors; o++)
		if (!filter_zone_or(&filter->ors[o], zone))
			return false;
	return true;
}
