/*
 * host.c
 *	  What matrix.h asks of its host: the server's memory and interrupts.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/memutils.h"

#include "encoder/math/matrix.h"

/* Memory of the current context; error if there is none left. */
void *
hx_matrix_alloc(size_t count, size_t size)
{
	if (count > MaxAllocHugeSize / size)
		elog(ERROR, "matrix of %zu elements is too large", count);
	return MemoryContextAllocHuge(CurrentMemoryContext, count * size);
}

void
hx_matrix_free(void *memory)
{
	pfree(memory);
}

/* Between steps of a computation: may not return. */
void
hx_matrix_interrupt(void)
{
	CHECK_FOR_INTERRUPTS();
}
