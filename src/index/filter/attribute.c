/*
 * attribute.c
 *	  Attribute columns of an index: their description, rows as words, and zone
 *	  maps over words.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/pg_type.h"
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

/*
 * The type whose hash function an attribute's values go through: an array's
 * elements, or the value itself.  InvalidOid if there is none to rely on: a
 * composite type's hash changes when a column is added to it, which does not
 * rebuild indexes.  Names are hashed as text, whose hash knows collations.
 */
static Oid
hashed_type(const HxAttr *attr)
{
	Oid type = attr->type;

	if (attr->class->kind == HX_ATTR_ARRAY)
		type = getBaseType(get_base_element_type(type));
	if (get_typtype(type) == TYPTYPE_COMPOSITE)
		return InvalidOid;
	return type == NAMEOID ? TEXTOID : type;
}

/*
 * The extended hash function that agrees with a type's default equality, or
 * InvalidOid.
 */
Oid
HxHashFunction(Oid type)
{
	TypeCacheEntry *entry;

	if (!OidIsValid(type))
		return InvalidOid;
	entry = lookup_type_cache(type,
							  TYPECACHE_EQ_OPR | TYPECACHE_HASH_EXTENDED_PROC);
	return entry->hash_extended_proc;
}

/*
 * Find the hash function of an attribute that is stored hashed, and keep it
 * where it lives as long as the relation's descriptor.
 */
static void
init_hash(HxAttr *attr, Relation index)
{
	Oid function = HxHashFunction(hashed_type(attr));

	if (OidIsValid(function))
		fmgr_info_cxt(function, &attr->hash, index->rd_indexcxt);
	else if (attr->class->kind == HX_ATTR_HASHED)
		elog(ERROR, "type %s of column %d of index \"%s\" has no hash function",
			 format_type_be(attr->type), attr->attno,
			 RelationGetRelationName(index));
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
			attr->ordered =
				(attr->type == INETOID || HX_COLLATION_IS_C(attr->collation));
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
}

/* Words of a NULL are 0, so that equal rows are equal bytes. */
void
HxEncodeAttrs(const HxIndexDesc *desc, const Datum *values, const bool *isnull,
			  HxAttrRow *row)
{
	row->nulls = 0;
	for (int i = 0; i < desc->nattrs; i++)
	{
		const HxAttr *attr = &desc->attrs[i];
		int64 *words = &row->words[attr->first_word];

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
	return changed;
}
