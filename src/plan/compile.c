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
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "optimizer/paths.h"
#include "optimizer/restrictinfo.h"
#include "utils/lsyscache.h"

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
	return (Node *) lappend(make_branch(HX_PROGRAM_NOT), program);
}

/* The attribute column that an expression is, from 0; -1 if none. */
static int
find_attribute(const Compiler *compiler, Node *expr)
{
	IndexOptInfo *index = compiler->index;

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

	leaf = lappend_int(leaf, list_length(compiler->values));
	compiler->values = lappend(compiler->values, copyObject(value));
	return (Node *) leaf;
}

/*
 * column op value, or op ANY (value), where the operator or its negator
 * belongs to the column's operator family.
 */
static Node *
compile_comparison(Compiler *compiler, HxProgramKind kind, int column, Oid opno,
				   Oid collation, Node *value, bool negate)
{
	Oid family = compiler->index->opfamily[column];
	Oid index_collation = compiler->index->indexcollations[column];
	int strategy;
	Oid left;
	Oid right;
	Node *leaf;

	if (!is_value(value) ||
		(OidIsValid(index_collation) && index_collation != collation))
		return NULL;
	if (!op_in_opfamily(opno, family) && kind == HX_PROGRAM_OPERATOR)
	{
		opno = get_negator(opno);
		negate = !negate;
	}
	if (!OidIsValid(opno) ||
		get_op_opfamily_strategy(opno, family) == InvalidStrategy)
		return NULL;
	get_op_opfamily_properties(opno, family, false, &strategy, &left, &right);
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

/* column op ANY (array); column <> ALL (array) is NOT (column = ANY (array)) */
static Node *
compile_array(Compiler *compiler, ScalarArrayOpExpr *op)
{
	int column = find_attribute(compiler, linitial(op->args));
	Oid opno = op->useOr ? op->opno : get_negator(op->opno);

	if (column < 0 || !OidIsValid(opno) ||
		get_op_opfamily_strategy(opno, compiler->index->opfamily[column]) ==
			InvalidStrategy)
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

/* A boolean column as a condition: column = true */
static Node *
compile_boolean(Compiler *compiler, Node *expr)
{
	int column =
		exprType(expr) == BOOLOID ? find_attribute(compiler, expr) : -1;

	if (column < 0 || compiler->index->opcintype[column] != BOOLOID)
		return NULL;
	return make_leaf(compiler, HX_PROGRAM_OPERATOR, column, HX_STRATEGY_EQ,
					 BOOLOID, makeBoolConst(true, false));
}

/*
 * column IS [NOT] TRUE, FALSE or UNKNOWN.  IS TRUE is never NULL: it is
 * column = true AND column IS NOT NULL.
 */
static Node *
compile_boolean_test(Compiler *compiler, BooleanTest *test)
{
	int column = find_attribute(compiler, (Node *) test->arg);
	BoolTestType type = test->booltesttype;
	Node *is_null;
	Node *program;

	if (column < 0 || compiler->index->opcintype[column] != BOOLOID)
		return NULL;
	is_null = (Node *) list_make2_int(HX_PROGRAM_NULL, column + 1);
	if (type == IS_UNKNOWN)
		return is_null;
	if (type == IS_NOT_UNKNOWN)
		return make_not(is_null);
	program = make_leaf(
		compiler, HX_PROGRAM_OPERATOR, column, HX_STRATEGY_EQ, BOOLOID,
		makeBoolConst(type == IS_TRUE || type == IS_NOT_TRUE, false));
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

/* Compile a condition; NULL if it cannot be. */
static Node *
compile(Compiler *compiler, Node *clause)
{
	check_stack_depth();
	switch (nodeTag(clause))
	{
		case T_BoolExpr:
			return compile_branch(compiler, (BoolExpr *) clause);
		case T_OpExpr:
		{
			/* an expression that is a boolean column may be an operator, too */
			Node *program = compile_operator(compiler, (OpExpr *) clause);

			return program ? program : compile_boolean(compiler, clause);
		}
		case T_ScalarArrayOpExpr:
			return compile_array(compiler, (ScalarArrayOpExpr *) clause);
		case T_NullTest:
			return compile_null_test(compiler, (NullTest *) clause);
		case T_BooleanTest:
			return compile_boolean_test(compiler, (BooleanTest *) clause);
		case T_Const:
			return compile_const((Const *) clause);
		default:
			return compile_boolean(compiler, clause);
	}
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
	if (program)
	{
		*values = compiler.values;
		*partial = compiler.partial;
	}
	return program;
}
