/*
 * validate.c
 *	  Operator classes: are they right (amvalidate), and what can a column do by
 *	  its own (amproperty)?
 *
 * A class has one support function: that of attributes or that of vectors.
 * Attribute classes have search operators, vector classes a distance.
 */
#include "postgres.h"

#include "access/amvalidate.h"
#include "access/htup_details.h"
#include "catalog/pg_amop.h"
#include "catalog/pg_amproc.h"
#include "catalog/pg_opclass.h"
#include "catalog/pg_type.h"
#include "utils/catcache.h"
#include "utils/lsyscache.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "index/am/handler.h"
#include "index/index.h"

/* Check one support function of a family. */
static bool
function_is_valid(Form_pg_amproc function, const char *class)
{
	if ((function->amprocnum == HX_ATTRIBUTE_PROC ||
		 function->amprocnum == HX_VECTOR_PROC) &&
		check_amproc_signature(function->amproc, INTERNALOID, true, 1, 1,
							   INTERNALOID))
		return true;
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method hashemb has "
					"support function %s with wrong number %d or signature",
					class, format_procedure(function->amproc),
					function->amprocnum)));
	return false;
}

/* Check one operator of a family. */
static bool
operator_is_valid(Form_pg_amop operator, const char * class)
{
	int strategy = operator->amopstrategy;
	bool orders = operator->amoppurpose == AMOP_ORDER;
	Oid result = orders ? FLOAT8OID : BOOLOID;

	if (strategy >= 1 && strategy <= HX_STRATEGIES &&
		orders == (strategy == HX_STRATEGY_DISTANCE) &&
		check_amop_signature(operator->amopopr,
							 result, operator->amoplefttype,
									 operator->amoprighttype))
		return true;
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method hashemb has "
					"operator %s with wrong strategy %d or signature",
					class, format_operator(operator->amopopr), strategy)));
	return false;
}

/* Which support function does the class itself have?  0: not exactly one. */
static int
own_support(CatCList *functions, Oid type)
{
	int found = 0;

	for (int i = 0; i < functions->n_members; i++)
	{
		Form_pg_amproc function =
			(Form_pg_amproc) GETSTRUCT(&functions->members[i]->tuple);

		if (function->amproclefttype != type ||
			function->amprocrighttype != type)
			continue;
		if (found != 0)
			return 0;
		found = function->amprocnum;
	}
	return found;
}

/* Is there an operator of this strategy on the class's own type? */
static bool
has_operator(CatCList *operators, Oid type, int strategy)
{
	for (int i = 0; i < operators->n_members; i++)
	{
		Form_pg_amop operator=(Form_pg_amop)
			GETSTRUCT(&operators->members[i]->tuple);

		if (operator->amoplefttype == type && operator->amopstrategy ==
			strategy)
			return true;
	}
	return false;
}

/* Does the class have what its support function stands for? */
static bool
class_is_complete(CatCList *functions, CatCList *operators, Oid type,
				  const char *class)
{
	int support = own_support(functions, type);

	if (support == HX_VECTOR_PROC &&
		has_operator(operators, type, HX_STRATEGY_DISTANCE))
		return true;
	if (support == HX_ATTRIBUTE_PROC &&
		(type == ANYELEMENTOID || /* of equality, see plan/compile.c */
		 has_operator(operators, type, HX_STRATEGY_EQ) ||
		 has_operator(operators, type, HX_STRATEGY_ARRAY_EQUAL)))
		return true;
	ereport(INFO,
			(errcode(ERRCODE_INVALID_OBJECT_DEFINITION),
			 errmsg("operator class \"%s\" of access method hashemb is missing "
					"its support function or operators",
					class)));
	return false;
}

/* amvalidate */
bool
hxvalidate(Oid opclass)
{
	HeapTuple tuple = SearchSysCache1(CLAOID, ObjectIdGetDatum(opclass));
	Form_pg_opclass form;
	CatCList *operators;
	CatCList *functions;
	const char *name;
	bool valid = true;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator class %u", opclass);
	form = (Form_pg_opclass) GETSTRUCT(tuple);
	name = NameStr(form->opcname);
	operators =
		SearchSysCacheList1(AMOPSTRATEGY, ObjectIdGetDatum(form->opcfamily));
	functions =
		SearchSysCacheList1(AMPROCNUM, ObjectIdGetDatum(form->opcfamily));
	for (int i = 0; i < functions->n_members; i++)
		valid &= function_is_valid(
			(Form_pg_amproc) GETSTRUCT(&functions->members[i]->tuple), name);
	for (int i = 0; i < operators->n_members; i++)
		valid &= operator_is_valid(
			(Form_pg_amop) GETSTRUCT(&operators->members[i]->tuple), name);
	valid &= class_is_complete(functions, operators, form->opcintype, name);
	ReleaseCatCacheList(functions);
	ReleaseCatCacheList(operators);
	ReleaseSysCache(tuple);
	return valid;
}

/*
 * amproperty: rows come in the order of distances from the column that has the
 * vectors, and of no other.
 */
bool
hxproperty(Oid oid, int attno, IndexAMProperty property, const char *name,
		   bool *result, bool *isnull)
{
	Oid class;
	Oid family;
	Oid type;

	if (attno == 0 || property != AMPROP_DISTANCE_ORDERABLE)
		return false;
	class = get_index_column_opclass(oid, attno);
	*isnull = !OidIsValid(class) ||
			  !get_opclass_opfamily_and_input_type(class, &family, &type);
	*result = !*isnull &&
			  OidIsValid(get_opfamily_proc(family, type, type, HX_VECTOR_PROC));
	return true;
}
