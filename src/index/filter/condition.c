/*
 * condition.c
 *	  Conditions of a filter: ranges and sets of words.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "index/filter/condition.h"

int
HxCompareWords(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return (left > right) - (left < right);
}

/* The same for pairs of words */
static int
compare_pairs(const void *a, const void *b)
{
	const int64 *left = a;
	const int64 *right = b;
	int order = HxCompareWords(&left[0], &right[0]);

	return order != 0 ? order : HxCompareWords(&left[1], &right[1]);
}

int
HxSortUnique(int64 *values, int count, int width)
{
	Size size = width * sizeof(int64);
	int kept = 0;

	Assert(width == 1 || width == 2);
	qsort(values, count, size, width == 1 ? HxCompareWords : compare_pairs);
	for (int i = 0; i < count; i++)
	{
		if (kept > 0 &&
			memcmp(&values[(kept - 1) * width], &values[i * width], size) == 0)
			continue;
		memmove(&values[kept * width], &values[i * width], size);
		kept++;
	}
	return kept;
}

HxCondition *
HxAddCondition(HxFilter *filter, HxConditionKind kind, int word)
{
	HxCondition *condition;

	Assert(word >= 0 && word < filter->desc->nwords);
	if (filter->count == filter->room)
	{
		Size size;

		filter->room = Max(2 * filter->room, 4);
		size = filter->room * sizeof(HxCondition);
		filter->conditions = filter->conditions
								 ? repalloc(filter->conditions, size)
								 : palloc(size);
	}
	condition = &filter->conditions[filter->count++];
	memset(condition, 0, sizeof(HxCondition));
	condition->kind = kind;
	condition->word = word;
	return condition;
}

void
HxAddRange(HxFilter *filter, int word, int64 low, int64 high)
{
	HxCondition *range = NULL;

	if (low == PG_INT64_MIN && high == PG_INT64_MAX)
		return;
	for (int i = 0; i < filter->count && range == NULL; i++)
		if (filter->conditions[i].kind == HX_CONDITION_RANGE &&
			!filter->conditions[i].negated &&
			filter->conditions[i].word == word)
			range = &filter->conditions[i];
	if (range == NULL)
	{
		range = HxAddCondition(filter, HX_CONDITION_RANGE, word);
		range->low = low;
		range->high = high;
	}
	range->low = Max(range->low, low);
	range->high = Min(range->high, high);
	if (range->low > range->high)
		filter->never = true;
	Assert(filter->never || range->low <= range->high);
}

/* Lay a set out as a hash table, at most half full. */
static void
make_table(HxCondition *set)
{
	Size slots = 2 * HX_SMALL_SET;
	int next = 0;

	while (slots < 2 * (Size) set->count)
		slots *= 2;
	Assert(set->count > HX_SMALL_SET && 2 * (Size) set->count <= slots);
	set->table_mask = (uint32) (slots - 1);
	set->table =
		MemoryContextAllocHuge(CurrentMemoryContext, slots * sizeof(int64));

	/* the least number from 0 that is not a value marks free slots */
	for (int i = 0; i < set->count; i++)
		if (set->values[i] == next)
			next++;
	set->empty = next;
	for (Size i = 0; i < slots; i++)
		set->table[i] = set->empty;

	for (int i = 0; i < set->count; i++)
	{
		uint32 slot = HxSetSlot(set->values[i], set->table_mask);

		CHECK_FOR_INTERRUPTS();
		while (set->table[slot] != set->empty)
			slot = (slot + 1) & set->table_mask;
		set->table[slot] = set->values[i];
	}
}

void
HxAddValues(HxFilter *filter, int word, int64 *values, int count)
{
	HxCondition *set;

	count = HxSortUnique(values, count, 1);
	if (count == 0)
	{
		filter->never = true;
		return;
	}

	/* values without a gap are a range */
	if ((uint64) values[count - 1] - (uint64) values[0] == (uint64) count - 1)
	{
		HxAddRange(filter, word, values[0], values[count - 1]);
		return;
	}
	Assert(count > 1);
	set = HxAddCondition(filter, HX_CONDITION_SET, word);
	set->values = values;
	set->count = count;
	if (count > HX_SMALL_SET)
		make_table(set);
}

void
HxAddExcluded(HxFilter *filter, int word, int64 *values, int count)
{
	HxCondition *set;

	Assert(count > 0);
	count = HxSortUnique(values, count, 1);
	if ((uint64) values[count - 1] - (uint64) values[0] == (uint64) count - 1)
	{
		set = HxAddCondition(filter, HX_CONDITION_RANGE, word);
		set->low = values[0];
		set->high = values[count - 1];
	}
	else
	{
		set = HxAddCondition(filter, HX_CONDITION_SET, word);
		set->values = values;
		set->count = count;
		if (count > HX_SMALL_SET)
			make_table(set);
	}
	set->negated = true;
}
