/*
 * sum_data.c
 *	  What the node for sums keeps in its plan, as nodes that can be copied.
 *
 * Each term is kept as the plan of a search by its distance (plan_data.c).
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"

#include "plan/sum.h"

/* Between as many, where all terms agree, and what it takes where they are independent */
double
HxExpectedDepth(double rows, double wanted, int terms)
{
	double depth = wanted * pow(Max(rows / wanted, 1), 0.5 * (1 - 1.0 / terms));

	return Min(depth, Max(rows, 1));
}

double
HxFloatOf(const Node *expr, Datum value)
{
	Oid type = exprType(expr);

	Assert(type == FLOAT4OID || type == FLOAT8OID);
	return type == FLOAT4OID ? DatumGetFloat4(value) : DatumGetFloat8(value);
}

Datum
HxFloatDatum(const Node *expr, double value)
{
	return exprType(expr) == FLOAT4OID ? Float4GetDatum((float4) value)
									   : Float8GetDatum(value);
}

/* Put the data into a plan. */
void
HxPackSum(const HxSumData *data, CustomScan *scan)
{
	List *numbers = NIL;
	List *exprs = NIL;

	Assert(data->nterms > 0 && data->nterms <= HX_MOST_TERMS);
	Assert(list_length(data->written) == data->nterms);
	Assert(list_length(data->weights) == list_length(data->starts));
	for (int t = 0; t < data->nterms; t++)
	{
		CustomScan *part = makeNode(CustomScan);

		HxPackPlan(&data->terms[t], part);
		numbers = lappend(numbers, part->custom_private);
		exprs = lappend(exprs, part->custom_exprs);
	}
	scan->custom_private = list_make5(numbers, data->starts, data->ends,
									  data->divides, data->more);
	scan->custom_private = lappend(scan->custom_private, data->further);
	scan->custom_exprs =
		list_make4(data->expr, data->written, data->weights, exprs);
}

/* Read the data back; it points into the plan. */
void
HxUnpackSum(const CustomScan *scan, HxSumData *data)
{
	List *numbers = linitial(scan->custom_private);
	List *exprs = lfourth(scan->custom_exprs);

	Assert(list_length(numbers) == list_length(exprs));
	memset(data, 0, sizeof(*data));
	data->nterms = list_length(numbers);
	for (int t = 0; t < data->nterms; t++)
	{
		CustomScan *part = makeNode(CustomScan);

		part->custom_private = list_nth(numbers, t);
		part->custom_exprs = list_nth(exprs, t);
		HxUnpackPlan(part, &data->terms[t]);
	}
	data->starts = lsecond(scan->custom_private);
	data->ends = lthird(scan->custom_private);
	data->divides = lfourth(scan->custom_private);
	data->more = list_nth(scan->custom_private, 4);
	data->further = list_nth(scan->custom_private, 5);
	data->expr = linitial(scan->custom_exprs);
	data->written = lsecond(scan->custom_exprs);
	data->weights = lthird(scan->custom_exprs);
	Assert(list_length(data->written) == data->nterms);
	Assert(list_length(data->weights) == list_length(data->starts));
}
