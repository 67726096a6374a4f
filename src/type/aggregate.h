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
		elog(ERROR, "aggregate function called in non-aggregate context");
	return context;
}

#endif /* HX_AGGREGATE_H */
