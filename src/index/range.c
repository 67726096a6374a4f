/*
 * range.c
 *	  Values of the attribute that blocks are formed within.
 *
 * See README, "Groups".  A block's range is its zone map's; a directory page
 * has one of its own, so that a search leaves out the page with all its
 * centroids and zone maps.
 */
#include "postgres.h"

#include "access/reloptions.h"
#include "utils/lsyscache.h"

#include "index/handler.h"
#include "index/range.h"
#include "index/vector.h"

/* Name of an index column: the table column's, or NULL for an expression. */
static char *
table_column(Relation index, AttrNumber attno)
{
	AttrNumber column = index->rd_index->indkey.values[attno - 1];

	return column == 0 ? NULL
					   : get_attname(index->rd_index->indrelid, column, true);
}

/* The number that a text of digits alone is; 0 if it is none of a column. */
static AttrNumber
number_of(Relation index, const char *text)
{
	int count = IndexRelationGetNumberOfKeyAttributes(index);
	long number =
		strspn(text, "0123456789") == strlen(text) ? strtol(text, NULL, 10) : 0;

	return number <= count ? (AttrNumber) number : 0;
}

/*
 * The index column that the option means, 0 if there is none: by its number,
 * as group_option.c keeps it; by the names that the table's columns have now;
 * and by those of expressions, which the index gives them.
 */
static AttrNumber
find_column(Relation index, const char *name)
{
	int count = IndexRelationGetNumberOfKeyAttributes(index);
	AttrNumber number = number_of(index, name);

	if (number > 0)
		return number;
	for (AttrNumber i = 1; i <= count; i++)
	{
		char *column = table_column(index, i);
		const FormData_pg_attribute *own =
			TupleDescAttr(RelationGetDescr(index), i - 1);

		if (strcmp(column ? column : NameStr(own->attname), name) == 0)
			return i;
	}
	return 0;
}

/* Error: no rows are grouped by a column of such a kind. */
pg_noreturn static void
refuse_column(const char *name, const char *what, const char *hint)
{
	ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("rows cannot be grouped by column \"%s\", which is %s",
					name, what),
			 errhint("%s", hint)));
}

int
HxResolveGroup(Relation index, const HxIndexDesc *desc)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;
	const char *name = options ? GET_STRING_RELOPTION(options, group_by) : NULL;
	AttrNumber attno;

	if (!name || name[0] == '\0')
		return 0;
	attno = find_column(index, name);
	if (attno == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_COLUMN),
				 errmsg("column \"%s\" of option group_by is not a column of "
						"index \"%s\"",
						name, RelationGetRelationName(index)),
				 errhint("Name one of the index's attribute columns, or give "
						 "its number in the index.")));
	/* Windows of sparse vectors are not formed within groups. */
	if (HxIsSparse(desc))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("option group_by is not supported for sparse vectors, "
						"as in index \"%s\"",
						RelationGetRelationName(index)),
				 errhint("Create the index without group_by; conditions on its "
						 "attribute columns are checked within it.")));
	for (int a = 0; a < desc->nattrs; a++)
	{
		if (desc->attrs[a].attno != attno)
			continue;
		if (desc->attrs[a].class->kind == HX_ATTR_ARRAY)
			refuse_column(name, "an array",
						  "Group by a column with one value a row.");
		return a + 1;
	}
	refuse_column(name, "the vector",
				  "Group by an attribute column of the index.");
}

HxRange
HxZoneRange(const HxIndexDesc *desc, const HxZone *zone)
{
	HxRange range = HX_EMPTY_RANGE;
	int attr = desc->group - 1;

	if (desc->group == 0)
		return range;
	range.values = (zone->values >> attr) & 1;
	range.nulls = (zone->nulls >> attr) & 1;
	if (range.values)
	{
		range.low = zone->words[desc->attrs[attr].first_word].min;
		range.high = zone->words[desc->attrs[attr].first_word].max;
	}
	return range;
}

HxRange
HxEntryRange(Relation index, const HxIndexDesc *desc, const HxEntry *entry,
			 Buffer *zones)
{
	if (BufferIsValid(*zones) && BufferGetBlockNumber(*zones) != entry->zones)
	{
		UnlockReleaseBuffer(*zones);
		*zones = InvalidBuffer;
	}
	if (!BufferIsValid(*zones))
		*zones =
			HxReadPage(index, entry->zones, BUFFER_LOCK_SHARE, HX_KIND_ZONES);
	return HxZoneRange(desc, HxGetZone(index, desc, *zones, entry->zone));
}

void
HxAddRange(HxRange *range, HxRange other)
{
	range->low = Min(range->low, other.low);
	range->high = Max(range->high, other.high);
	range->values |= other.values;
	range->nulls |= other.nulls;
}

void
HxWidenRange(const HxIndexDesc *desc, HxRange *range, const HxAttrRow *attrs)
{
	HxKey key;

	if (desc->group == 0)
		return;
	key = HxKeyOf(desc, attrs->words, attrs->nulls);
	if (key.isnull)
		range->nulls = 1;
	else
		HxAddRange(range, (HxRange){key.word, key.word, 1, 0});
}

/* As a zone map in which all other columns may have any value. */
bool
HxRangeMayPass(const HxIndexDesc *desc, const HxFilter *filter,
			   const HxRange *range)
{
	union
	{
		HxZone zone;
		char room[HX_ZONE_SIZE(HX_MAX_WORDS)];
	} wide;
	uint32 bit = UINT32_C(1) << (desc->group - 1);
	HxWordZone *word;

	wide.zone.nulls = range->nulls ? PG_UINT32_MAX : ~bit;
	wide.zone.values = range->values ? PG_UINT32_MAX : ~bit;
	for (int w = 0; w < desc->nwords; w++)
		wide.zone.words[w] =
			(HxWordZone){PG_INT64_MIN, PG_INT64_MAX, PG_UINT64_MAX};
	word = &wide.zone.words[desc->attrs[desc->group - 1].first_word];
	word->min = range->low;
	word->max = range->high;
	return HxFilterZone(filter, &wide.zone);
}
