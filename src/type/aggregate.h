/*
 * aggregate.h
 *	  Where the states of aggregates live.
 */
#ifndef HX_AGGREGATE_H
#define HX_AGGREGATE_H

#include "fmgr.h"

/* The aggregate's memory context; error if the caller is none. */
static inline MemoryContext
HxAggregateContext(FunctionCallInfo fcinfo)
{
	MemoryContext context;

	if (!AggCheckCallContext(fcinfo, &context))
		ereport(ERROR,
				(errcode(ERRCODE_WRONG_OBJECT_TYPE),
				 errmsg("this function is a step of an aggregate, and cannot "
						"be called by itself")));
	return context;
}

#endif /* HX_AGGREGATE_H */
