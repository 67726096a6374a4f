/*
 * compile.c
 *	  Compile scan keys on attribute columns into a filter.
 *
 * A key becomes at most two conditions, and ranges of one word are merged.
 * What the words of an attribute cannot decide is left to the recheck: such a
 * key demands only that the attribute is not NULL, as every operator is
 * strict.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_enum.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "compat.h"
#include "index/filter/condition.h"

/* The right-hand values of a key, as words */
typedef struct Operands
{
	int count;	  /* values that are not NULL; more than one: any may hold */
	int64 *words; /* HX_ATTR_WORDS for each */
} Operands;

/* One word of every operand */
static int64 *
operand_words(const Operands *operands, int which)
{
	int64 *words = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(operands->count, 1) * sizeof(int64));

	for (int i = 0; i < operands->count; i++)
		words[i] = operands->words[i * HX_ATTR_WORDS + which];
	return words;
}

/* Demand that two words are those of one of the operands. */
static void
add_pairs(HxFilter *filter, int word, const Operands *operands)
{
	HxCondition *pairs;

	Assert(operands->count > 0);
	if (operands->count == 1)
	{
		HxAddRange(filter, word, operands->words[0], operands->words[0]);
		HxAddRange(filter, word + 1, operands->words[1], operands->words[1]);
		return;
	}
	HxAddValues(filter, word, operand_words(operands, 0), operands->count);
	pairs = HxAddCondition(filter, HX_CONDITION_PAIRS, word);
	pairs->values = operands->words;
	pairs->count = HxSortUnique(operands->words, operands->count, 2);
}

/* The operand that decides "column op ANY": the greatest for < and <= */
static int64
extreme_operand(const Operands *operands, StrategyNumber strategy, int which)
{
	bool greatest = strategy == HX_STRATEGY_LT || strategy == HX_STRATEGY_LE;
	int64 extreme = operands->words[which];

	Assert(operands->count > 0);
	for (int i = 1; i < operands->count; i++)
	{
		int64 word = operands->words[i * HX_ATTR_WORDS + which];

		extreme = greatest ? Max(extreme, word) : Min(extreme, word);
	}
	return extreme;
}

/*
 * Demand that a word compares with one of the operands' as the strategy says;
 * where words are only weakly monotone, < is taken as <= and > as >=.
 */
static void
add_order(HxFilter *filter, int word, StrategyNumber strategy,
		  const Operands *operands, int which, bool exact)
{
	int64 bound = extreme_operand(operands, strategy, which);

	switch (strategy)
	{
		case HX_STRATEGY_LT:
			if (exact && bound == PG_INT64_MIN)
				filter->never = true;
			else
				HxAddRange(filter, word, PG_INT64_MIN, bound - (exact ? 1 : 0));
			break;
		case HX_STRATEGY_LE:
			HxAddRange(filter, word, PG_INT64_MIN, bound);
			break;
		case HX_STRATEGY_GE:
			HxAddRange(filter, word, bound, PG_INT64_MAX);
			break;
		case HX_STRATEGY_GT:
			if (exact && bound == PG_INT64_MAX)
				filter->never = true;
			else
				HxAddRange(filter, word, bound + (exact ? 1 : 0), PG_INT64_MAX);
			break;
		default:
			elog(ERROR, "unrecognized strategy %d for an attribute", strategy);
	}
}

/* A label of an enum type */
typedef struct EnumLabel
{
	Oid oid;	 /* the label */
	float4 rank; /* its place in the type's order */
} EnumLabel;

/* All labels of an enum type; palloc'd. */
static EnumLabel *
read_enum_labels(Oid type, int *count)
{
	Relation catalog = table_open(EnumRelationId, AccessShareLock);
	EnumLabel *labels;
	int room = 64;
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple tuple;

	*count = 0;
	labels = palloc(room * sizeof(EnumLabel));
	ScanKeyInit(&key, Anum_pg_enum_enumtypid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(type));
	scan =
		systable_beginscan(catalog, EnumTypIdLabelIndexId, true, NULL, 1, &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		Form_pg_enum form = (Form_pg_enum) GETSTRUCT(tuple);

		if (*count == room)
		{
			room *= 2;
			labels = repalloc_huge(labels, room * sizeof(EnumLabel));
		}
		labels[*count].oid = form->oid;
		labels[*count].rank = form->enumsortorder;
		(*count)++;
	}
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return labels;
}

/* Does a label compare with another as the strategy says? */
static bool
rank_compares(float4 left, StrategyNumber strategy, float4 right)
{
	switch (strategy)
	{
		case HX_STRATEGY_LT:
			return left < right;
		case HX_STRATEGY_LE:
			return left <= right;
		case HX_STRATEGY_GE:
			return left >= right;
		case HX_STRATEGY_GT:
			return left > right;
		default:
			elog(ERROR, "unrecognized strategy %d for an enum", strategy);
	}
	return false; /* keep compiler quiet */
}

/*
 * Demand an enum label that compares with one of the operands': the set of
 * such labels as the type's order is now, which need not be that of the OIDs.
 */
static void
add_enum_order(HxFilter *filter, const HxAttr *attr, StrategyNumber strategy,
			   const Operands *operands)
{
	int count;
	EnumLabel *labels = read_enum_labels(attr->type, &count);
	int64 *known = operand_words(operands, 0);
	int nknown = HxSortUnique(known, operands->count, 1);
	bool greatest = strategy == HX_STRATEGY_LT || strategy == HX_STRATEGY_LE;
	int64 *passing = palloc(Max(count, 1) * sizeof(int64));
	int npassing = 0;
	int found = 0;
	float4 bound = 0;

	for (int i = 0; i < count; i++)
	{
		int64 word = (int64) labels[i].oid;
		float4 rank = labels[i].rank;

		if (bsearch(&word, known, nknown, sizeof(int64), HxCompareWords) ==
			NULL)
			continue;
		if (found == 0)
			bound = rank;
		bound = greatest ? Max(bound, rank) : Min(bound, rank);
		found++;
	}

	/* a label that the catalog does not have: leave it to the operator */
	if (found < nknown)
	{
		filter->recheck = true;
		return;
	}
	for (int i = 0; i < count; i++)
		if (rank_compares(labels[i].rank, strategy, bound))
			passing[npassing++] = (int64) labels[i].oid;
	HxAddValues(filter, attr->first_word, passing, npassing);
}

/* Equality on a hash: where there is an ordered word too, it must fit. */
static void
add_hash_equal(HxFilter *filter, const HxAttr *attr, const Operands *operands)
{
	HxAddValues(filter, attr->first_word, operand_words(operands, 0),
				operands->count);
	if (attr->ordered)
		HxAddRange(filter, attr->first_word + 1,
				   extreme_operand(operands, HX_STRATEGY_GE, 1),
				   extreme_operand(operands, HX_STRATEGY_LE, 1));
}

/* Compile "column op value", or "column op ANY (values)", for words. */
static void
add_scalar(HxFilter *filter, const HxAttr *attr, StrategyNumber strategy,
		   const Operands *operands)
{
	bool equal = strategy == HX_STRATEGY_EQ;
	int word = attr->first_word;

	switch (attr->class->kind)
	{
		case HX_ATTR_EXACT:
		case HX_ATTR_ROUNDED:
			if (attr->class->kind == HX_ATTR_ROUNDED)
				filter->recheck = true;
			if (equal)
				HxAddValues(filter, word, operand_words(operands, 0),
							operands->count);
			else
				add_order(filter, word, strategy, operands, 0,
						  attr->class->kind == HX_ATTR_EXACT);
			break;
		case HX_ATTR_PAIR:
			if (equal)
			{
				add_pairs(filter, word, operands);
				break;
			}
			filter->recheck = true;
			add_order(filter, word, strategy, operands, 0, false);
			break;
		case HX_ATTR_HASHED:
			filter->recheck = true;
			if (equal)
				add_hash_equal(filter, attr, operands);
			else if (attr->ordered)
				add_order(filter, word + 1, strategy, operands, 1, false);
			break;
		case HX_ATTR_ENUM:
			if (equal)
				HxAddValues(filter, word, operand_words(operands, 0),
							operands->count);
			else
				add_enum_order(filter, attr, strategy, operands);
			break;
		case HX_ATTR_ARRAY:
			elog(ERROR, "unexpected scalar condition on an array attribute");
	}
}

/* Demand both bits of at least one element that is not NULL. */
static void
add_any_element(HxFilter *filter, const HxAttr *attr, const Datum *elements,
				const bool *nulls, int count)
{
	HxCondition *any =
		HxAddCondition(filter, HX_CONDITION_ANY, attr->first_word);

	any->second = palloc0(64 * sizeof(uint64));
	for (int i = 0; i < count; i++)
	{
		uint64 bits[2];

		if (nulls[i])
			continue;
		HxElementBits(attr, elements[i], bits);
		any->bits[0] |= bits[0];
		any->second[pg_rightmost_one_pos64(bits[0])] |= bits[1];
	}
}

/* Demand what an array's signature says of arrays related to it. */
static void
add_signature(HxFilter *filter, const HxAttr *attr, StrategyNumber strategy,
			  Datum array)
{
	int64 words[HX_ATTR_WORDS];

	attr->class->encode(attr, array, words);
	if (strategy != HX_STRATEGY_CONTAINED)
	{
		HxCondition *all =
			HxAddCondition(filter, HX_CONDITION_ALL, attr->first_word);

		all->bits[0] = (uint64) words[0];
		all->bits[1] = (uint64) words[1];
	}
	if (strategy != HX_STRATEGY_CONTAINS)
	{
		HxCondition *subset =
			HxAddCondition(filter, HX_CONDITION_SUBSET, attr->first_word);

		subset->bits[0] = (uint64) words[0];
		subset->bits[1] = (uint64) words[1];
	}
}

/*
 * Compile an array operator.  A NULL element equals nothing, so an array with
 * one is contained in none; && ignores it.  Elements of a type that is
 * binary-coercible to the column's may be equal by other rules: their
 * signature counts only if their hash function is the same.  An operator on
 * arrays of one type is intarray's, for which a NULL element is an error.
 */
static void
add_array(HxFilter *filter, const HxAttr *attr, const ScanKeyData *key)
{
	StrategyNumber strategy = key->sk_strategy;
	ArrayType *array = DatumGetArrayTypeP(key->sk_argument);
	Oid function;
	HxHashForm form = HxFindHash(ARR_ELEMTYPE(array), &function);
	Datum *elements;
	bool *nulls;
	int count;
	int nnulls = 0;

	HxArrayElements(array, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
		if (nulls[i])
			nnulls++;
	filter->recheck = true;
	if (nnulls > 0 && key->sk_subtype == INT4ARRAYOID)
		return;
	if ((strategy == HX_STRATEGY_OVERLAP && nnulls == count) ||
		(strategy == HX_STRATEGY_CONTAINS && nnulls > 0))
		filter->never = true;
	if (filter->never || form == HX_HASH_NONE || form != attr->hash.form ||
		function != attr->hash.function.fn_oid)
		return;
	switch (strategy)
	{
		case HX_STRATEGY_OVERLAP:
			add_any_element(filter, attr, elements, nulls, count);
			break;
		case HX_STRATEGY_CONTAINS:
		case HX_STRATEGY_CONTAINED:
		case HX_STRATEGY_ARRAY_EQUAL:
			add_signature(filter, attr, strategy, PointerGetDatum(array));
			break;
		default:
			elog(ERROR, "unrecognized strategy %d for an array", strategy);
	}
}

/*
 * Compile "value = ANY (column)".  The value's type, if not that of the
 * elements, is of the same hash family: equal values have equal hashes.
 */
static void
add_element(HxFilter *filter, const HxAttr *attr, const ScanKeyData *key)
{
	const HxHash *hash = &attr->hash;
	HxHash own;
	HxCondition *all;

	filter->recheck = true;
	if (OidIsValid(key->sk_subtype))
	{
		HxInitHash(&own, key->sk_subtype, CurrentMemoryContext);
		hash = &own;
	}
	if (attr->hash.form == HX_HASH_NONE || hash->form == HX_HASH_NONE)
		return;
	all = HxAddCondition(filter, HX_CONDITION_ALL, attr->first_word);
	HxHashBits(HxHashValue(hash, attr->collation, key->sk_argument), all->bits);
}

/* Compile a key on an array attribute. */
static void
add_array_key(HxFilter *filter, const HxAttr *attr, const ScanKeyData *key)
{
	if (key->sk_flags & SK_SEARCHARRAY)
		filter->recheck = true;
	else if (key->sk_strategy == HX_STRATEGY_ELEMENT)
		add_element(filter, attr, key);
	else
		add_array(filter, attr, key);
}

/*
 * The right-hand values of a key as words, NULLs of an array left out.  False
 * if their type has no words that compare with the attribute's.
 */
static bool
get_operands(const HxAttr *attr, const ScanKeyData *key, Operands *operands)
{
	Datum value = key->sk_argument;
	Datum *values = &value;
	bool *nulls = NULL;
	int count = 1;

	if (key->sk_flags & SK_SEARCHARRAY)
		HxArrayElements(DatumGetArrayTypeP(value), &values, &nulls, &count);
	operands->count = 0;
	operands->words = MemoryContextAllocHuge(
		CurrentMemoryContext, Max(count, 1) * HX_ATTR_WORDS * sizeof(int64));
	for (int i = 0; i < count; i++)
	{
		int64 *words = &operands->words[operands->count * HX_ATTR_WORDS];

		if (nulls != NULL && nulls[i])
			continue;
		words[0] = words[1] = 0;
		if (!HxEncodeOperand(attr, key->sk_subtype, values[i], words))
			return false;
		operands->count++;
	}
	return true;
}

/* Compile one key on attribute i. */
static void
add_key(HxFilter *filter, int i, const ScanKeyData *key)
{
	const HxAttr *attr = &filter->desc->attrs[i];
	Operands operands;

	Assert(i >= 0 && i < filter->desc->nattrs);
	if (key->sk_flags & SK_SEARCHNULL)
	{
		filter->must_be_null |= UINT32_C(1) << i;
		return;
	}
	filter->must_be_value |= UINT32_C(1) << i;
	if (key->sk_flags & SK_SEARCHNOTNULL)
		return;
	if (key->sk_flags & SK_ISNULL)
		filter->never = true;
	else if (key->sk_flags & (SK_ROW_HEADER | SK_ROW_MEMBER))
		filter->recheck = true;
	else if (attr->class->kind == HX_ATTR_ARRAY)
		add_array_key(filter, attr, key);
	else if (!get_operands(attr, key, &operands))
		filter->recheck = true;
	else if (operands.count == 0)
		filter->never = true;
	else
		add_scalar(filter, attr, key->sk_strategy, &operands);
}

/* The strategy of an operator's negator, of those that compare */
static StrategyNumber
negated_strategy(StrategyNumber strategy)
{
	switch (strategy)
	{
		case HX_STRATEGY_LT:
			return HX_STRATEGY_GE;
		case HX_STRATEGY_LE:
			return HX_STRATEGY_GT;
		case HX_STRATEGY_GE:
			return HX_STRATEGY_LT;
		case HX_STRATEGY_GT:
			return HX_STRATEGY_LE;
		default:
			elog(ERROR, "unrecognized strategy %d for an attribute", strategy);
	}
	return InvalidStrategy; /* keep compiler quiet */
}

/*
 * Demand the opposite of "column = ANY (operands)".  Where equal words do not
 * mean equal values, any row may have it.
 */
static void
add_unequal(HxFilter *filter, const HxAttr *attr, const Operands *operands)
{
	HxCondition *pairs;

	switch (attr->class->kind)
	{
		case HX_ATTR_EXACT:
		case HX_ATTR_ENUM:
			HxAddExcluded(filter, attr->first_word, operand_words(operands, 0),
						  operands->count);
			break;
		case HX_ATTR_PAIR:
			pairs =
				HxAddCondition(filter, HX_CONDITION_PAIRS, attr->first_word);
			pairs->values = operands->words;
			pairs->count = HxSortUnique(operands->words, operands->count, 2);
			pairs->negated = true;
			break;
		default:
			filter->recheck = true;
	}
}

/*
 * Demand the opposite of "column op ANY (operands)": that the column compares
 * by op's negator with all of them, hence with that which decides about ANY.
 */
static void
add_negated_order(HxFilter *filter, const HxAttr *attr, StrategyNumber strategy,
				  Operands *operands)
{
	int64 words[HX_ATTR_WORDS];
	Operands one = {1, words};

	if (attr->class->kind == HX_ATTR_ENUM && operands->count > 1)
	{
		filter->recheck = true;
		return;
	}
	for (int w = 0; w < HX_ATTR_WORDS; w++)
		words[w] = attr->class->kind == HX_ATTR_ENUM
					   ? operands->words[w]
					   : extreme_operand(operands, strategy, w);
	add_scalar(filter, attr, negated_strategy(strategy), &one);
}

/* Is it "column op ANY" of an array, and how many elements has that? */
static bool
is_any(const ScanKeyData *key, int *count, int *nnulls)
{
	ArrayType *array;
	Datum *elements;
	bool *nulls;

	if (!(key->sk_flags & SK_SEARCHARRAY) || (key->sk_flags & SK_ISNULL))
		return false;
	array = DatumGetArrayTypeP(key->sk_argument);
	HxArrayElements(array, &elements, &nulls, count);
	*nnulls = 0;
	for (int i = 0; i < *count; i++)
		if (nulls[i])
			(*nnulls)++;
	return true;
}

/* Compile the opposite of one key on attribute i: that it is false. */
static void
add_negated_key(HxFilter *filter, int i, const ScanKeyData *key)
{
	const HxAttr *attr = &filter->desc->attrs[i];
	Operands operands;
	int count;
	int nnulls;

	if (key->sk_flags & SK_SEARCHNOTNULL)
	{
		filter->must_be_null |= UINT32_C(1) << i;
		return;
	}
	if (is_any(key, &count, &nnulls))
	{
		if (count == 0) /* false of NULL too */
			return;
		if (nnulls > 0)
			filter->never = true;
	}
	filter->must_be_value |= UINT32_C(1) << i;
	if (key->sk_flags & SK_SEARCHNULL)
		return;
	/* an array without elements has no element equal to NULL */
	if ((key->sk_flags & SK_ISNULL) && key->sk_strategy != HX_STRATEGY_ELEMENT)
		filter->never = true;
	if (filter->never)
		return;
	if (attr->class->kind == HX_ATTR_ARRAY ||
		!get_operands(attr, key, &operands))
		filter->recheck = true;
	else if (key->sk_strategy == HX_STRATEGY_EQ)
		add_unequal(filter, attr, &operands);
	else
		add_negated_order(filter, attr, key->sk_strategy, &operands);
}

/* Bits of `seen` that a range's words can have set; all for a wide range. */
static uint64
range_probe(int64 low, int64 high)
{
	uint64 span = (uint64) high - (uint64) low;
	uint64 probe = 0;

	if (span >= 64)
		return PG_UINT64_MAX;
	for (uint64 i = 0; i <= span; i++)
		probe |= HxWordBit((int64) ((uint64) low + i));
	return probe;
}

/* All conditions of a conjunction are there. */
static void
finish_filter(HxFilter *filter)
{
	if ((filter->must_be_null & filter->must_be_value) != 0)
		filter->never = true;
	for (int c = 0; c < filter->count; c++)
		filter->conditions[c].probe =
			range_probe(filter->conditions[c].low, filter->conditions[c].high);
}

/* Compile a scan key, or its opposite; keys on the vector are ignored. */
static void
add_scan_key(HxFilter *filter, const ScanKeyData *key, bool negated)
{
	for (int i = 0; i < filter->desc->nattrs; i++)
	{
		if (filter->desc->attrs[i].attno != key->sk_attno)
			continue;
		if (negated)
			add_negated_key(filter, i, key);
		else
			add_key(filter, i, key);
	}
}

static void add_expr(HxFilter *filter, const HxCondExpr *expr, bool negated);

/*
 * Demand that one of an expression's arguments is true, or if negated, false.
 */
static void
add_or(HxFilter *filter, const HxCondExpr *expr, bool negated)
{
	HxFilterOr alternatives = {0};
	bool recheck = false;

	alternatives.arms = palloc0(Max(expr->nargs, 1) * sizeof(HxFilter));
	for (int i = 0; i < expr->nargs; i++)
	{
		HxFilter *arm = &alternatives.arms[alternatives.count];

		memset(arm, 0, sizeof(HxFilter));
		arm->desc = filter->desc;
		add_expr(arm, expr->args[i], negated);
		finish_filter(arm);
		if (arm->never)
			continue;
		if (HxFilterIsTrivial(arm) && !arm->recheck) /* holds of all rows */
			return;
		recheck |= arm->recheck;
		alternatives.count++;
	}
	if (alternatives.count == 0)
	{
		filter->never = true;
		return;
	}
	filter->recheck |= recheck;
	if (filter->nors == filter->ors_room)
	{
		Size size;

		filter->ors_room = Max(2 * filter->ors_room, 4);
		size = filter->ors_room * sizeof(HxFilterOr);
		filter->ors = filter->ors ? repalloc(filter->ors, size) : palloc(size);
	}
	filter->ors[filter->nors++] = alternatives;
}

/*
 * Demand that an expression is true, or if negated, that it is false.  NOT is
 * driven down to the keys: what is unknown is neither.
 */
static void
add_expr(HxFilter *filter, const HxCondExpr *expr, bool negated)
{
	check_stack_depth();
	switch (expr->kind)
	{
		case HX_COND_NOT:
			Assert(expr->nargs == 1);
			add_expr(filter, expr->args[0], !negated);
			break;
		case HX_COND_KEY:
			add_scan_key(filter, &expr->key, negated);
			break;
		case HX_COND_CONST:
			if (expr->isnull || expr->value == negated)
				filter->never = true;
			break;
		case HX_COND_AND:
		case HX_COND_OR:
			if ((expr->kind == HX_COND_OR) != negated)
				add_or(filter, expr, negated);
			else
				for (int i = 0; i < expr->nargs; i++)
					add_expr(filter, expr->args[i], negated);
			break;
	}
}

HxFilter *
HxMakeFilterTree(const HxIndexDesc *desc, const ScanKeyData *keys, int nkeys,
				 const HxCondExpr *expr)
{
	HxFilter *filter = palloc0(sizeof(HxFilter));

	filter->desc = desc;
	for (int k = 0; k < nkeys; k++)
		if (!(keys[k].sk_flags & SK_ORDER_BY))
			add_scan_key(filter, &keys[k], false);
	if (expr)
		add_expr(filter, expr, false);
	finish_filter(filter);
	return filter;
}

HxFilter *
HxMakeFilter(const HxIndexDesc *desc, const ScanKeyData *keys, int nkeys)
{
	return HxMakeFilterTree(desc, keys, nkeys, NULL);
}
