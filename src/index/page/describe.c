/*
 * describe.c
 *	  The description of an index, from its catalog entries and options.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/reloptions.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "compat.h"
#include "index/kind.h"
#include "index/options.h"
#include "index/page/page.h"

/* A row's payload and attributes may take this many bytes */
#define HX_MAX_ROW 2000

/* Is one of the columns an array of numbers, as embeddings are? */
static bool
has_numbers(Relation index)
{
	for (int i = 0; i < RelationGetNumberOfAttributes(index); i++)
	{
		Oid type =
			getBaseType(TupleDescAttr(RelationGetDescr(index), i)->atttypid);
		Oid element = get_element_type(type);

		if (element == FLOAT4OID || element == FLOAT8OID ||
			element == NUMERICOID)
			return true;
	}
	return false;
}

/* Find the vector column; errors unless there is exactly one. */
static AttrNumber
find_vector(Relation index)
{
	AttrNumber found = InvalidAttrNumber;

	for (int i = 1; i <= IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		if (!OidIsValid(index_getprocid(index, i, HX_VECTOR_PROC)))
			continue;
		if (found != InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("hashemb index \"%s\" has more than one vector "
							"column",
							RelationGetRelationName(index)),
					 errhint("Create an index for each vector column.")));
		found = i;
	}
	if (found == InvalidAttrNumber)
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("hashemb index \"%s\" has no vector column",
					RelationGetRelationName(index)),
			 has_numbers(index)
				 ? errhint("An array is indexed by its elements, unless an "
						   "operator class says that it is a vector, such as "
						   "USING hashemb (embedding real_cosine_ops) WITH "
						   "(dims = 768) for a column of type real[].")
				 : errhint("Name a column of a vector type such as "
						   "bincode(n) or svec(n) in the index, or use btree "
						   "for attributes alone.")));
	return found;
}

#ifdef USE_ASSERT_CHECKING
/* Are all members of a kind set that may not be NULL? */
static bool
is_complete(const HxKind *kind)
{
	return kind->name && kind->length_hint && kind->shape && kind->query &&
		   (kind->distance || kind->distances) && kind->payload_size &&
		   kind->form && kind->build && kind->build_empty &&
		   kind->search_size > 0 && kind->start && kind->has_more &&
		   kind->visit && kind->insert && kind->bulk_delete && kind->info &&
		   kind->check;
}
#endif

/* What the operator class of a vector column says of it */
static const HxVectorClass *
class_of(Relation index, AttrNumber attno)
{
	FmgrInfo *proc = index_getprocinfo(index, attno, HX_VECTOR_PROC);

	return (const HxVectorClass *) DatumGetPointer(
		FunctionCall1(proc, PointerGetDatum(NULL)));
}

/* The typmod of a column, its own or its domain's; -1 if it has none */
static int32
typmod_of(const FormData_pg_attribute *column)
{
	int32 typmod = column->atttypmod;

	if (typmod < 0)
		(void) getBaseTypeAndTypmod(column->atttypid, &typmod);
	return typmod;
}

bool
HxLacksDims(Relation index, AttrNumber *attno, const HxVectorClass **class)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;

	*attno = find_vector(index);
	*class = class_of(index, *attno);
	return typmod_of(TupleDescAttr(RelationGetDescr(index), *attno - 1)) < 0 &&
		   !(options && options->dims > 0);
}

/*
 * A type's name without its schema, whatever the search_path: from 17 on, that of
 * a build has no schema of the user's.
 */
static char *
type_name(Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	char *name;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	name = pstrdup(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname));
	ReleaseSysCache(tuple);
	return name;
}

/*
 * The shape of the vectors: what the column's type says, or, if that has no
 * length, what the index was built with.  Errors if there is neither.
 */
static void
find_shape(Relation index, HxIndexDesc *desc)
{
	const FormData_pg_attribute *column =
		TupleDescAttr(RelationGetDescr(index), desc->vector_attno - 1);
	const HxOptions *options = (const HxOptions *) index->rd_options;
	const char *type;
	int32 typmod = typmod_of(column);

	if (typmod >= 0)
		HxKindOf(desc)->shape(typmod, &desc->dims, &desc->planes);
	else if (HxStoredShape(index, &desc->dims, &desc->planes))
		return;
	else if (options && options->dims > 0)
		HxKindOf(desc)->shape(options->dims, &desc->dims, &desc->planes);
	else
	{
		type = type_name(getBaseType(column->atttypid));
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("column \"%s\" of index \"%s\" has no length",
							   NameStr(column->attname),
							   RelationGetRelationName(index)),
						errhint(HxKindOf(desc)->length_hint, type, type)));
	}
}

/* Error: a row would take too much of a page. */
pg_noreturn static void
refuse_row(Relation index, const HxIndexDesc *desc, Size bytes)
{
	const char *hint = HxKindOf(desc)->room_hint;

	ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
					errmsg("vector and attributes take %zu bytes a row in "
						   "index \"%s\", more than %d",
						   bytes, RelationGetRelationName(index), HX_MAX_ROW),
					hint ? errhint("%s", hint) : 0));
}

/* Compute the description of an index from its catalog entries. */
static void
describe(Relation index, HxIndexDesc *desc)
{
	Size bytes;
	int word = 0;

	memset(desc, 0, sizeof(*desc));
	desc->vector_attno = find_vector(index);
	desc->vector = class_of(index, desc->vector_attno);
	Assert(is_complete(HxKindOf(desc)));
	desc->family = index->rd_opfamily[desc->vector_attno - 1];
	desc->type = index->rd_opcintype[desc->vector_attno - 1];
	find_shape(index, desc);
	desc->payload = HxKindOf(desc)->payload_size(index, desc);

	for (int i = 1; i <= IndexRelationGetNumberOfKeyAttributes(index); i++)
	{
		HxAttr *attr = &desc->attrs[desc->nattrs];

		if (i == desc->vector_attno)
			continue;
		HxInitAttr(attr, index, i);
		attr->first_word = word;
		word += attr->nwords;
		desc->nattrs++;
	}
	desc->nwords = word;

	bytes = desc->payload + desc->nwords * sizeof(int64);
	if (bytes > HX_MAX_ROW)
		refuse_row(index, desc, bytes);
	Assert(desc->payload == MAXALIGN(desc->payload));
	Assert(desc->nwords <= HX_MAX_WORDS);
	desc->capacity = HxRowsCapacity(desc->payload, desc->nattrs, desc->nwords);
	Assert(desc->dims > 0 && desc->capacity > 0);
}

/*
 * Description of an index, cached with its relcache entry.  Copy it if
 * anything may happen that accepts invalidations.
 */
const HxIndexDesc *
HxDescribe(Relation index)
{
	if (!index->rd_amcache)
	{
		HxIndexDesc desc;
		HxIndexDesc *cached;

		describe(index, &desc);
		cached = MemoryContextAlloc(index->rd_indexcxt, sizeof(HxIndexDesc));
		*cached = desc;
		index->rd_amcache = cached;
	}
	return index->rd_amcache;
}

/*
 * Tell the description of an index what its blocks are formed within, as the
 * metapage has it.  The description lives in rd_amcache, which is this file's
 * alone; it learns this late, since it is made where no page may be read.
 */
void
HxLearnGroup(Relation index, int group)
{
	Assert(index->rd_amcache);
	((HxIndexDesc *) index->rd_amcache)->group = group;
}

/*
 * Keep what searches of an index visit with its description, for as long as that is
 * cached: until the planner is told of other rows.
 */
void
HxKeepVisits(Relation index, const float *visits)
{
	HxIndexDesc *desc = index->rd_amcache;

	Assert(desc);
	memcpy(desc->visits, visits, sizeof(desc->visits));
	desc->visits_known = true;
}

/* Column of the index, from 1, that is such an attribute; 0 for none. */
AttrNumber
HxGroupColumn(const HxIndexDesc *desc, int group)
{
	return group > 0 ? desc->attrs[group - 1].attno : 0;
}

/* ---- option group_by ---- */

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
	if (!HxKindOf(desc)->groups)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("option group_by is not supported for %s, as in index "
						"\"%s\"",
						HxKindOf(desc)->name, RelationGetRelationName(index)),
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

/* Error if the option dims is not what the column's type says. */
static void
check_dims(Relation index, const HxIndexDesc *desc)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;

	if (!options || options->dims == 0 || options->dims == desc->dims)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("option dims of index \"%s\" is %d, but its column has %d "
					"dimensions",
					RelationGetRelationName(index), options->dims, desc->dims),
			 errhint("Leave dims out, or ALTER INDEX ... RESET (dims): the "
					 "column's type tells the dimensions.")));
}

/*
 * Describe an index that is to be built, or built anew: its option says what
 * blocks are formed within.  Errors like HxResolveGroup, and where the option dims
 * contradicts the column.
 */
void
HxDescribeForBuild(Relation index, HxIndexDesc *desc)
{
	*desc = *HxDescribe(index);
	check_dims(index, desc);
	desc->group = HxResolveGroup(index, desc);
}
