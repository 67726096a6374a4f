/*
 * plan_data.c
 *	  What the scan node keeps in its plan, as nodes that can be copied.
 *
 * Expressions are in custom_exprs, where the planner finds their parameters
 * and adjusts their variables; everything else is in custom_private.
 */
#include "postgres.h"

#include <math.h>

#include "catalog/pg_type.h"
#include "nodes/makefuncs.h"

#include "plan/plan.h"

/* Shares are kept as integers, in millionths */
#define SHARE_UNIT 1e6

/* Of rows and their order, what is true or not */
#define FLAG_ENDS 1
#define FLAG_NULLS_FIRST 2
#define FLAG_NANS_FIRST 4
#define FLAG_MEASURED 8

static int
order_flags(const HxPlanData *data)
{
	return (data->ends ? FLAG_ENDS : 0) |
		   (data->nulls_first ? FLAG_NULLS_FIRST : 0) |
		   (data->nans_first ? FLAG_NANS_FIRST : 0) |
		   (data->measured ? FLAG_MEASURED : 0);
}

/* All that are numbers; those of rows and times need not be exact */
static List *
pack_numbers(const HxPlanData *data)
{
	List *numbers =
		list_make5_int(data->column, data->wanted, data->bitmap,
					   (int) rint(data->share * SHARE_UNIT), order_flags(data));

	numbers = lappend_int(numbers, (int) Min(data->reserve, INT_MAX / 2));
	return lappend_int(numbers, (int) Min(ceil(data->few), INT_MAX / 2));
}

/* Put the data into a plan. */
void
HxPackPlan(const HxPlanData *data, CustomScan *scan)
{
	Assert(data->share >= 0 && data->share <= 1 && data->column > 0);
	Assert(list_length(data->conditions) == list_length(data->deciders));
	Assert(!data->measured || data->order->opresulttype == FLOAT8OID);
	scan->custom_private =
		list_make5(list_make1_oid(data->index), pack_numbers(data),
				   data->deciders, data->programs, data->keys);
	scan->custom_private = lappend(scan->custom_private, data->limits);
	scan->custom_exprs = list_make5(data->order, data->conditions, data->values,
									data->limit_count, data->limit_offset);
}

/* Read the data back; it points into the plan. */
void
HxUnpackPlan(const CustomScan *scan, HxPlanData *data)
{
	List *numbers = lsecond(scan->custom_private);

	Assert(list_length(numbers) == 7);
	data->index = linitial_oid(linitial(scan->custom_private));
	data->column = linitial_int(numbers);
	data->wanted = (HxWanted) lsecond_int(numbers);
	data->bitmap = lthird_int(numbers) != 0;
	data->share = lfourth_int(numbers) / SHARE_UNIT;
	data->ends = (list_nth_int(numbers, 4) & FLAG_ENDS) != 0;
	data->nulls_first = (list_nth_int(numbers, 4) & FLAG_NULLS_FIRST) != 0;
	data->nans_first = (list_nth_int(numbers, 4) & FLAG_NANS_FIRST) != 0;
	data->measured = (list_nth_int(numbers, 4) & FLAG_MEASURED) != 0;
	data->reserve = list_nth_int(numbers, 5);
	data->few = list_nth_int(numbers, 6);
	data->deciders = lthird(scan->custom_private);
	data->programs = lfourth(scan->custom_private);
	data->keys = list_nth(scan->custom_private, 4);
	data->limits = list_nth(scan->custom_private, 5);
	data->order = linitial(scan->custom_exprs);
	data->conditions = lsecond(scan->custom_exprs);
	data->values = lthird(scan->custom_exprs);
	data->limit_count = lfourth(scan->custom_exprs);
	data->limit_offset = list_nth(scan->custom_exprs, 4);
	Assert(list_length(data->conditions) == list_length(data->deciders));
}

/* The conditions of some deciders, given as bits, in the order to check them. */
List *
HxConditionsOf(const HxPlanData *data, int deciders)
{
	List *conditions = NIL;

	Assert(list_length(data->conditions) == list_length(data->deciders));
	for (int i = 0; i < list_length(data->conditions); i++)
		if (deciders & (1 << list_nth_int(data->deciders, i)))
			conditions = lappend(conditions, list_nth(data->conditions, i));
	return conditions;
}
