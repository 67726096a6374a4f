/*
 * attribute.c
 *	  Attribute columns of an index: their description, rows as words, and zone
 *	  maps over words.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/*
 * We only ask whether a collation is "C", and ICU's headers need not be
 * installed for that; what they add to a pg_locale_t lies at its end.
 */
#pragma push_macro("USE_ICU")
#undef USE_ICU
#include "utils/pg_locale.h"
#pragma pop_macro("USE_ICU")

#include "compat.h"
#include "index/filter/attribute.h"

#define OTHER_INDEX_HINT                                                      \
	"Leave the column out and create another index on it (btree, gin, gist, " \
	"brin): the search takes its bitmap."

/* Name of an index column, for messages */
static const char *
column_name(Relation index, AttrNumber attno)
{
	return NameStr(TupleDescAttr(RelationGetDescr(index), attno - 1)->attname);
}

/*
 * Does the server's hash of a type stay the same and agree with its equality,
 * whatever is within the type?  A composite type's changes when a column is
 * added to it, which does not rebuild indexes.  Those of name and character(n)
 * do not know collations, which we mend where they are not within other types.
 */
static bool
hash_is_reliable(Oid type, bool within)
{
	Oid inner;

	check_stack_depth();
	type = getBaseType(type);
	if (get_typtype(type) == TYPTYPE_COMPOSITE || type == RECORDOID)
		return false;
	if (type == NAMEOID || type == BPCHAROID)
		return !within;
	inner = get_element_type(type);
	if (!OidIsValid(inner))
		inner = get_range_subtype(type);
	if (!OidIsValid(inner))
		inner = get_multirange_range(type);
	return !OidIsValid(inner) || hash_is_reliable(inner, true);
}

/*
 * How values of a type are hashed so that those which its default equality
 * takes for equal have the same hash, and by which function.
 */
HxHashForm
HxFindHash(Oid type, Oid *function)
{
	TypeCacheEntry *entry;
	HxHashForm form = HX_HASH_VALUE;

	*function = InvalidOid;
	if (!OidIsValid(type) || !hash_is_reliable(type, false))
		return HX_HASH_NONE;
	type = getBaseType(type);
	if (type == BITOID || type == VARBITOID)
		return HX_HASH_BITS;
	if (type == NAMEOID || type == BPCHAROID)
	{
		form = type == NAMEOID ? HX_HASH_NAME : HX_HASH_BPCHAR;
		type = TEXTOID;
	}
	else if (type == MONEYOID) /* a number of cents, without a hash class */
		type = INT8OID;

	entry = lookup_type_cache(type, TYPECACHE_EQ_OPR | TYPECACHE_HASH_PROC |
										TYPECACHE_HASH_EXTENDED_PROC);
	*function = entry->hash_extended_proc;
	if (!OidIsValid(*function))
	{
		*function = entry->hash_proc;
		form = OidIsValid(*function) ? HX_HASH_SHORT : HX_HASH_NONE;
	}
	return form;
}

/* Prepare hashing values of a type; what that keeps lives in a context. */
void
HxInitHash(HxHash *hash, Oid type, MemoryContext context)
{
	Oid function;

	hash->form = HxFindHash(type, &function);
	if (OidIsValid(function))
		fmgr_info_cxt(function, &hash->function, context);
}

/*
 * Find the hash function of an attribute that is stored hashed, and keep it
 * where it lives as long as the relation's descriptor.  Arrays do without:
 * their rows are all rechecked.
 */
static void
init_hash(HxAttr *attr, Relation index)
{
	Oid type = attr->type;

	if (attr->class->kind == HX_ATTR_ARRAY)
		type = get_base_element_type(type);
	HxInitHash(&attr->hash, type, index->rd_indexcxt);
	if (attr->hash.form == HX_HASH_NONE && attr->class->kind == HX_ATTR_HASHED)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("column \"%s\" of hashemb index \"%s\" has type %s, "
					"which has no hash function to store it by",
					column_name(index, attr->attno),
					RelationGetRelationName(index), format_type_be(attr->type)),
			 errhint(OTHER_INDEX_HINT)));
}

/*
 * Are a hashed attribute's values ordered by their first bytes?  init_hash has
 * been called.
 */
static bool
is_ordered(const HxAttr *attr)
{
	Assert(attr->hash.form != HX_HASH_NONE);
	switch (attr->type)
	{
		case INETOID:
		case BYTEAOID:
		case BITOID:
		case VARBITOID:
			return true;
		default:
			return OidIsValid(attr->collation) &&
				   HX_COLLATION_IS_C(attr->collation);
	}
}

/*
 * Describe one index column.  first_word stays 0: only the caller knows the
 * columns before this one.
 */
void
HxInitAttr(HxAttr *attr, Relation index, AttrNumber attno)
{
	FmgrInfo *support;

	memset(attr, 0, sizeof(HxAttr));
	if (!OidIsValid(index_getprocid(index, attno, HX_ATTRIBUTE_PROC)))
		elog(ERROR, "column %d of index \"%s\" is not an attribute column",
			 attno, RelationGetRelationName(index));

	support = index_getprocinfo(index, attno, HX_ATTRIBUTE_PROC);
	attr->attno = attno;
	attr->class = (const HxAttrClass *) DatumGetPointer(
		FunctionCall1(support, PointerGetDatum(NULL)));
	attr->type = index->rd_opcintype[attno - 1];
	if (IsPolymorphicType(attr->type))
		attr->type = getBaseType(
			TupleDescAttr(RelationGetDescr(index), attno - 1)->atttypid);
	attr->collation = index->rd_indcollation[attno - 1];
	attr->nwords = 1;

	switch (attr->class->kind)
	{
		case HX_ATTR_HASHED:
			init_hash(attr, index);
			attr->ordered = attr->class->prefixed && is_ordered(attr);
			attr->nwords = attr->ordered ? 2 : 1;
			break;
		case HX_ATTR_ARRAY:
			init_hash(attr, index);
			attr->nwords = 2;
			break;
		case HX_ATTR_PAIR:
			attr->nwords = 2;
			break;
		case HX_ATTR_EXACT:
		case HX_ATTR_ROUNDED:
		case HX_ATTR_ENUM:
			break;
	}
	Assert(attr->class->encode && attr->nwords <= HX_ATTR_WORDS);
}

/* The operator that a type takes for its equality; InvalidOid: it has none */
static Oid
equality_of(Oid type)
{
	return lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr;
}

/*
 * Error if conditions on an attribute column could not be written or would
 * never be decided here: arrays of elements without equality, and types that
 * PostgreSQL takes for those of an operator class though they are equal by
 * other rules, as citext by text's.  To be asked when an index is built: an
 * index that is there stays in use whatever becomes of its columns' types.
 */
void
HxCheckAttr(const HxAttr *attr, Relation index)
{
	Oid type = getBaseType(
		TupleDescAttr(RelationGetDescr(index), attr->attno - 1)->atttypid);
	Oid class_type = index->rd_opcintype[attr->attno - 1];

	if (attr->class->kind == HX_ATTR_ARRAY &&
		!OidIsValid(equality_of(get_base_element_type(type))))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of hashemb index \"%s\" has type %s, "
						"whose elements have no equality operator",
						column_name(index, attr->attno),
						RelationGetRelationName(index), format_type_be(type)),
				 errhint("Leave the column out; conditions on it are checked "
						 "on rows of the table.")));
	if (!IsPolymorphicType(class_type) && OidIsValid(equality_of(type)) &&
		equality_of(type) != equality_of(class_type))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("column \"%s\" of hashemb index \"%s\" has type %s, "
						"whose equality is not that of its operator class, "
						"which is for type %s",
						column_name(index, attr->attno),
						RelationGetRelationName(index), format_type_be(type),
						format_type_be(class_type)),
				 errhint("Write the operator class equality_ops behind the "
						 "column, or cast it in an expression.")));
}

/* Words of a NULL are 0, so that equal rows are equal bytes. */
void
HxEncodeAttrs(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
			  HxAttrRow *row)
{
	StaticAssertStmt(INDEX_MAX_KEYS <= 32, "a bit for each attribute");
	row->nulls = 0;
	for (int i = 0; i < desc->nattrs; i++)
	{
		const HxAttr *attr = &desc->attrs[i];
		int64 *words = &row->words[attr->first_word];

		Assert(attr->first_word + attr->nwords <= desc->nwords);
		memset(words, 0, attr->nwords * sizeof(int64));
		if (isnull[attr->attno - 1])
			row->nulls |= UINT32_C(1) << i;
		else
			attr->class->encode(attr, values[attr->attno - 1], words);
	}
}

/* A zone that covers no row */
void
HxInitZone(const HxIndexDesc *desc, HxZone *zone)
{
	zone->nulls = 0;
	zone->values = 0;
	for (int w = 0; w < desc->nwords; w++)
	{
		zone->words[w].min = PG_INT64_MAX;
		zone->words[w].max = PG_INT64_MIN;
		zone->words[w].seen = 0;
	}
}

/* What a word adds to the `seen` bits of its zone */
static inline uint64
seen_bits(const HxAttr *attr, int64 word)
{
	if (attr->class->kind == HX_ATTR_ARRAY)
		return (uint64) word;
	return HxWordBit(word);
}

/* Does an attribute's part of a zone cover its part of a row? */
static bool
attr_covered(const HxIndexDesc *desc, int i, const HxZone *zone,
			 const HxAttrRow *row)
{
	const HxAttr *attr = &desc->attrs[i];
	uint32 bit = UINT32_C(1) << i;

	if (row->nulls & bit)
		return (zone->nulls & bit) != 0;
	if ((zone->values & bit) == 0)
		return false;
	for (int w = attr->first_word; w < attr->first_word + attr->nwords; w++)
	{
		const HxWordZone *range = &zone->words[w];
		int64 word = row->words[w];

		if (word < range->min || word > range->max ||
			(seen_bits(attr, word) & ~range->seen) != 0)
			return false;
	}
	return true;
}

bool
HxZoneCovers(const HxIndexDesc *desc, const HxZone *zone, const HxAttrRow *row)
{
	for (int i = 0; i < desc->nattrs; i++)
		if (!attr_covered(desc, i, zone, row))
			return false;
	return true;
}

/* Widen an attribute's part of a zone to its part of a row */
static void
widen_attr(const HxIndexDesc *desc, int i, HxZone *zone, const HxAttrRow *row)
{
	const HxAttr *attr = &desc->attrs[i];
	uint32 bit = UINT32_C(1) << i;

	if (row->nulls & bit)
	{
		zone->nulls |= bit;
		return;
	}
	zone->values |= bit;
	for (int w = attr->first_word; w < attr->first_word + attr->nwords; w++)
	{
		HxWordZone *range = &zone->words[w];
		int64 word = row->words[w];

		range->min = Min(range->min, word);
		range->max = Max(range->max, word);
		range->seen |= seen_bits(attr, word);
	}
}

bool
HxWidenZone(const HxIndexDesc *desc, HxZone *zone, const HxAttrRow *row)
{
	bool changed = false;

	for (int i = 0; i < desc->nattrs; i++)
	{
		if (attr_covered(desc, i, zone, row))
			continue;
		widen_attr(desc, i, zone, row);
		changed = true;
	}
	Assert(HxZoneCovers(desc, zone, row));
	return changed;
}
