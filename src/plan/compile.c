/*
 * compile.c
 *	  Conditions on attribute columns as programs for the row mask.
 *
 * A condition becomes a tree of AND, OR and NOT over leaves that compare one
 * attribute column with values that do not depend on the row.  Of an AND
 * below an OR the members that can be compiled are enough, since the mask is
 * then only a necessary condition ("partial"), which the heap row decides;
 * below a NOT that would be wrong.
 */
#include "postgres.h"

#include "access/stratnum.h"
#include "catalog/dependency.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "compat.h"
#include "index/index.h"
#include "plan/plan.h"

/* A condition being compiled */
typedef struct Compiler
{
	IndexOptInfo *index; /* the hashemb index */
	List *values;		 /* right-hand sides so far */
	bool partial;		 /* something was left out */
	bool negated;		 /* below a NOT: nothing may be */
} Compiler;

static Node *compile(Compiler *compiler, Node *clause);

/* A branch without members. */
static List *
make_branch(HxProgramKind kind)
{
	return list_make1(makeInteger(kind));
}

static Node *
make_not(Node *program)
{
	Assert(program);
	return (Node *) lappend(make_branch(HX_PROGRAM_NOT), program);
}

/*
 * An array without a cast that changes no element, as that of varchar[] to
 * text[], which the parser puts around a column where its operator is text's.
 */
static Node *
strip_array_cast(Node *expr)
{
	Node *element;

	if (!IsA(expr, ArrayCoerceExpr))
		return expr;
	element = (Node *) ((ArrayCoerceExpr *) expr)->elemexpr;
	while (IsA(element, RelabelType))
		element = (Node *) ((RelabelType *) element)->arg;
	return IsA(element, CaseTestExpr) ? (Node *) ((ArrayCoerceExpr *) expr)->arg
									  : expr;
}

/* The attribute column that an expression is, from 0; -1 if none. */
static int
find_attribute(const Compiler *compiler, Node *expr)
{
	IndexOptInfo *index = compiler->index;

	expr = strip_array_cast(expr);
	for (int i = 0; i < index->nkeycolumns; i++)
		if (match_index_to_operand(expr, i, index) &&
			!OidIsValid(get_opfamily_proc(index->opfamily[i],
										  index->opcintype[i],
										  index->opcintype[i], HX_VECTOR_PROC)))
			return i;
	return -1;
}

/* Is an expression the same for all rows of a search? */
static bool
is_value(Node *expr)
{
	return !contain_var_clause(expr) && !contain_volatile_functions(expr) &&
		   !contain_subplans(expr);
}

/* A leaf that compares a column with a value. */
static Node *
make_leaf(Compiler *compiler, HxProgramKind kind, int column, int strategy,
		  Oid type, Node *value)
{
	List *leaf = list_make5_int(kind, column + 1, strategy, (int) type,
								(int) compiler->index->indexcollations[column]);

	Assert(column >= 0 && column < compiler->index->nkeycolumns);
	leaf = lappend_int(leaf, list_length(compiler->values));
	Assert(list_length(leaf) == HX_LEAF_VALUE + 1);
	compiler->values = lappend(compiler->values, copyObject(value));
	return (Node *) leaf;
}

/* The base type of an attribute column. */
static Oid
column_type(const Compiler *compiler, int column)
{
	Oid type = get_atttype(compiler->index->indexoid, column + 1);

	return OidIsValid(type) ? getBaseType(type) : InvalidOid;
}

/*
 * The strategy of an operator of contrib's intarray, which hides those of all
 * arrays from integer[]: but for errors where there are NULL elements, they
 * mean the same.  What they mean is known by their name, since they belong to
 * the extension of that name.
 */
static int
intarray_strategy(Oid opno)
{
	Oid extension;
	Oid left;
	Oid right;
	char *name;

	op_input_types(opno, &left, &right);
	if (left != INT4ARRAYOID || right != INT4ARRAYOID ||
		opno < FirstNormalObjectId)
		return InvalidStrategy;
	extension = getExtensionOfObject(OperatorRelationId, opno);
	name = OidIsValid(extension) ? get_extension_name(extension) : NULL;
	if (name == NULL || strcmp(name, "intarray") != 0)
		return InvalidStrategy;
	name = get_opname(opno);
	if (strcmp(name, "&&") == 0)
		return HX_STRATEGY_OVERLAP;
	if (strcmp(name, "@>") == 0)
		return HX_STRATEGY_CONTAINS;
	if (strcmp(name, "<@") == 0)
		return HX_STRATEGY_CONTAINED;
	return InvalidStrategy;
}

/*
 * The strategy of an operator on a column, and the type of its right side
 * (InvalidOid: the column's own).  It belongs to the column's operator family,
 * or is known to mean what a member of it means.
 */
static int
find_strategy(const Compiler *compiler, int column, Oid opno, Oid *right)
{
	Oid family = compiler->index->opfamily[column];
	Oid class_type = compiler->index->opcintype[column];
	int strategy = get_op_opfamily_strategy(opno, family);
	Oid left;

	if (strategy != InvalidStrategy)
		get_op_opfamily_properties(opno, family, false, &strategy, &left,
								   right);
	else if (class_type == ANYARRAYOID)
	{
		strategy = intarray_strategy(opno);
		*right = INT4ARRAYOID;
	}
	else if (class_type == ANYELEMENTOID)
	{
		Oid type = column_type(compiler, column);

		if (OidIsValid(type) &&
			lookup_type_cache(type, TYPECACHE_EQ_OPR)->eq_opr == opno)
			strategy = HX_STRATEGY_EQ;
		*right = InvalidOid;
	}
	return strategy;
}

/* Is a condition's collation the one that a column is stored by? */
static bool
collation_fits(const Compiler *compiler, int column, Oid collation)
{
	Oid index_collation = compiler->index->indexcollations[column];

	return !OidIsValid(index_collation) || index_collation == collation;
}

/*
 * column op value, or op ANY (value), where the strategy of the operator or of
 * its negator is known.
 */
static Node *
compile_comparison(Compiler *compiler, HxProgramKind kind, int column, Oid opno,
				   Oid collation, Node *value, bool negate)
{
	int strategy;
	Oid right = InvalidOid;
	Node *leaf;

	if (!is_value(value) || !collation_fits(compiler, column, collation))
		return NULL;
	strategy = find_strategy(compiler, column, opno, &right);
	if (strategy == InvalidStrategy && kind == HX_PROGRAM_OPERATOR)
	{
		opno = get_negator(opno);
		negate = !negate;
		if (OidIsValid(opno))
			strategy = find_strategy(compiler, column, opno, &right);
	}
	if (strategy == InvalidStrategy)
		return NULL;
	leaf = make_leaf(compiler, kind, column, strategy, right, value);
	return negate ? make_not(leaf) : leaf;
}

/* left op right */
static Node *
compile_operator(Compiler *compiler, OpExpr *op)
{
	Node *left;
	Node *right;
	Oid opno = op->opno;
	int column;

	if (list_length(op->args) != 2)
		return NULL;
	left = linitial(op->args);
	right = lsecond(op->args);
	column = find_attribute(compiler, left);
	if (column < 0)
	{
		column = find_attribute(compiler, right);
		opno = get_commutator(opno);
		right = left;
		if (column < 0 || !OidIsValid(opno))
			return NULL;
	}
	return compile_comparison(compiler, HX_PROGRAM_OPERATOR, column, opno,
							  op->inputcollid, right, false);
}

/*
 * Is "value op element" true only of values whose hashes are equal, for
 * elements of a type?  So it is for the type's own equality, and for others of
 * the same hash family.  Then *type is that of the value, InvalidOid for the
 * elements' own.
 */
static bool
equality_hashes(Oid opno, Oid element, Oid *type)
{
	TypeCacheEntry *entry =
		lookup_type_cache(element, TYPECACHE_EQ_OPR | TYPECACHE_HASH_OPFAMILY);
	Oid right;

	op_input_types(opno, type, &right);
	if (IsPolymorphicType(*type))
		*type = InvalidOid;
	if (opno == entry->eq_opr)
		return true;
	return OidIsValid(*type) && OidIsValid(entry->hash_opf) &&
		   get_op_opfamily_strategy(opno, entry->hash_opf) ==
			   HTEqualStrategyNumber &&
		   lookup_type_cache(*type, TYPECACHE_HASH_OPFAMILY)->hash_opf ==
			   entry->hash_opf;
}

/* value = ANY (array column); value <> ALL (column) is its opposite */
static Node *
compile_element(Compiler *compiler, ScalarArrayOpExpr *op)
{
	Node *value = linitial(op->args);
	int column = find_attribute(compiler, lsecond(op->args));
	Oid opno = op->useOr ? op->opno : get_negator(op->opno);
	Oid element;
	Oid type;
	Node *leaf;

	if (column < 0 || compiler->index->opcintype[column] != ANYARRAYOID ||
		!OidIsValid(opno) || !is_value(value) ||
		!collation_fits(compiler, column, op->inputcollid))
		return NULL;
	element = get_base_element_type(column_type(compiler, column));
	if (!OidIsValid(element) || !equality_hashes(opno, element, &type))
		return NULL;
	leaf = make_leaf(compiler, HX_PROGRAM_OPERATOR, column, HX_STRATEGY_ELEMENT,
					 type, value);
	return op->useOr ? leaf : make_not(leaf);
}

/* column op ANY (array); column <> ALL (array) is NOT (column = ANY (array)) */
static Node *
compile_array(Compiler *compiler, ScalarArrayOpExpr *op)
{
	int column = find_attribute(compiler, linitial(op->args));
	Oid opno = op->useOr ? op->opno : get_negator(op->opno);

	if (column < 0)
		return compile_element(compiler, op);
	if (!OidIsValid(opno))
		return NULL;
	return compile_comparison(compiler, HX_PROGRAM_ANY, column, opno,
							  op->inputcollid, lsecond(op->args), !op->useOr);
}

/* column IS [NOT] NULL */
static Node *
compile_null_test(Compiler *compiler, NullTest *test)
{
	int column = find_attribute(compiler, (Node *) test->arg);
	Node *leaf;

	if (column < 0 || test->argisrow)
		return NULL;
	leaf = (Node *) list_make2_int(HX_PROGRAM_NULL, column + 1);
	return test->nulltesttype == IS_NULL ? leaf : make_not(leaf);
}

/* The same comparison the other way round; NULL if there is none. */
static Node *
commute(const Node *expr)
{
	OpExpr *op;

	if (!is_opclause(expr) || list_length(((const OpExpr *) expr)->args) != 2 ||
		!OidIsValid(get_commutator(((const OpExpr *) expr)->opno)))
		return NULL;
	op = copyObject((OpExpr *) expr);
	CommuteOpExpr(op);
	set_opfuncid(op);
	return (Node *) op;
}

/* The boolean column that an expression is, perhaps written otherwise. */
static int
find_written_boolean(const Compiler *compiler, Node *expr)
{
	int column = find_attribute(compiler, expr);

	if (column < 0 && compiler->index->indexprs != NIL)
	{
		Node *commuted = commute(expr);

		if (commuted)
			column = find_attribute(compiler, commuted);
	}
	return column >= 0 && compiler->index->opcintype[column] == BOOLOID ? column
																		: -1;
}

/*
 * The boolean column that an expression is, or whose opposite it is, from 0;
 * -1 if none.  The planner drives NOT into what it negates, so that NOT (a IS
 * NULL) comes as a IS NOT NULL; the opposite has the same NULLs.
 */
static int
find_boolean(const Compiler *compiler, Node *expr, bool *opposite)
{
	int column;

	*opposite = false;
	if (exprType(expr) != BOOLOID)
		return -1;
	column = find_written_boolean(compiler, expr);
	if (column >= 0 || compiler->index->indexprs == NIL)
		return column;
	*opposite = true;
	return find_written_boolean(compiler, negate_clause(copyObject(expr)));
}

/* A boolean column, or its opposite, as a condition: column = true */
static Node *
compile_boolean(Compiler *compiler, Node *expr)
{
	bool opposite;
	int column = find_boolean(compiler, expr, &opposite);
	Node *leaf;

	if (column < 0)
		return NULL;
	leaf = make_leaf(compiler, HX_PROGRAM_OPERATOR, column, HX_STRATEGY_EQ,
					 BOOLOID, makeBoolConst(true, false));
	return opposite ? make_not(leaf) : leaf;
}

/*
 * column IS [NOT] TRUE, FALSE or UNKNOWN.  IS TRUE is never NULL: it is
 * column = true AND column IS NOT NULL.
 */
static Node *
compile_boolean_test(Compiler *compiler, BooleanTest *test)
{
	bool opposite;
	int column = find_boolean(compiler, (Node *) test->arg, &opposite);
	BoolTestType type = test->booltesttype;
	bool is_true = type == IS_TRUE || type == IS_NOT_TRUE;
	Node *is_null;
	Node *program;

	if (column < 0)
		return NULL;
	is_null = (Node *) list_make2_int(HX_PROGRAM_NULL, column + 1);
	if (type == IS_UNKNOWN)
		return is_null;
	if (type == IS_NOT_UNKNOWN)
		return make_not(is_null);
	program = make_leaf(compiler, HX_PROGRAM_OPERATOR, column, HX_STRATEGY_EQ,
						BOOLOID, makeBoolConst(is_true != opposite, false));
	program = (Node *) lappend(
		lappend(make_branch(HX_PROGRAM_AND), make_not(is_null)), program);
	return type == IS_TRUE || type == IS_FALSE ? program : make_not(program);
}

/* AND, OR, NOT */
static Node *
compile_branch(Compiler *compiler, BoolExpr *expr)
{
	List *branch;
	ListCell *cell;

	if (expr->boolop == NOT_EXPR)
	{
		bool outer = compiler->negated;
		Node *program;

		compiler->negated = true;
		program = compile(compiler, linitial(expr->args));
		compiler->negated = outer;
		return program ? make_not(program) : NULL;
	}
	branch =
		make_branch(expr->boolop == AND_EXPR ? HX_PROGRAM_AND : HX_PROGRAM_OR);
	foreach (cell, expr->args)
	{
		int nvalues = list_length(compiler->values);
		Node *member = compile(compiler, lfirst(cell));

		if (member)
		{
			branch = lappend(branch, member);
			continue;
		}
		compiler->values = list_truncate(compiler->values, nvalues);
		if (expr->boolop == OR_EXPR || compiler->negated)
			return NULL;
		else
			compiler->partial = true;
	}
	return list_length(branch) > 1 ? (Node *) branch : NULL;
}

/* A constant, which simplification leaves within OR and NOT at most */
static Node *
compile_const(Const *value)
{
	if (value->consttype != BOOLOID)
		return NULL;
	return (Node *) list_make2_int(
		HX_PROGRAM_CONST,
		value->constisnull ? 2 : (DatumGetBool(value->constvalue) ? 1 : 0));
}

/* Compile a condition by what it is made of; NULL if it cannot be. */
static Node *
compile_parts(Compiler *compiler, Node *clause)
{
	switch (nodeTag(clause))
	{
		case T_BoolExpr:
			return compile_branch(compiler, (BoolExpr *) clause);
		case T_OpExpr:
			return compile_operator(compiler, (OpExpr *) clause);
		case T_ScalarArrayOpExpr:
			return compile_array(compiler, (ScalarArrayOpExpr *) clause);
		case T_NullTest:
			return compile_null_test(compiler, (NullTest *) clause);
		case T_BooleanTest:
			return compile_boolean_test(compiler, (BooleanTest *) clause);
		case T_Const:
			return compile_const((Const *) clause);
		default:
			return NULL;
	}
}

/* Compile a condition, as a whole or by its parts; NULL if it cannot be. */
static Node *
compile(Compiler *compiler, Node *clause)
{
	Node *program;

	check_stack_depth();
	program = compile_boolean(compiler, clause);
	return program ? program : compile_parts(compiler, clause);
}

/* Is an expression one of the conditions that may be evaluated early? */
static bool
is_condition(const IndexOptInfo *index, Node *expr)
{
	ListCell *cell;

	foreach (cell, index->indrestrictinfo)
	{
		RestrictInfo *clause = lfirst_node(RestrictInfo, cell);

		if (equal(clause->clause, expr) &&
			restriction_is_securely_promotable(clause, index->rel))
			return true;
	}
	return false;
}

/*
 * A boolean column that is an AND, or the opposite of an OR, comes in the query
 * as a condition for each of its members.  If all are there, the column decides
 * each of them: it is true of the rows for which all of them are.
 */
static Node *
compile_member(Compiler *compiler, Node *clause)
{
	ListCell *cell;

	foreach (cell, compiler->index->indexprs)
	{
		BoolExpr *expr = lfirst(cell);
		bool complete = true;
		ListCell *member;

		if (is_orclause(expr))
			expr = (BoolExpr *) negate_clause(copyObject((Node *) expr));
		if (!is_andclause(expr) || !list_member(expr->args, clause))
			continue;
		foreach (member, expr->args)
			complete &= is_condition(compiler->index, lfirst(member));
		if (complete)
			return compile_boolean(compiler, (Node *) expr);
	}
	return NULL;
}

/*
 * Compile a condition on the table; NULL if it cannot be, or if it must not be
 * evaluated before others that a security barrier asks for first.  Values are
 * appended to *values; *partial tells that the program is only necessary.
 */
Node *
HxCompileClause(IndexOptInfo *index, RestrictInfo *clause, List **values,
				bool *partial)
{
	Compiler compiler = {index, list_copy(*values), false, false};
	Node *program;

	if (clause->pseudoconstant ||
		!restriction_is_securely_promotable(clause, index->rel))
		return NULL;
	program = compile(&compiler, (Node *) clause->clause);
	if (program == NULL || compiler.partial)
	{
		Compiler whole = {index, list_copy(*values), false, false};
		Node *member = compile_member(&whole, (Node *) clause->clause);

		if (member)
		{
			compiler = whole;
			program = member;
		}
	}
	if (program)
	{
		Assert(list_length(compiler.values) >= list_length(*values));
		*values = compiler.values;
		*partial = compiler.partial;
	}
	return program;
}
