/*
 * target.c
 *	  How many rows a block should have.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/store/target.h"
#include "index/options.h"

/* Blocks are at least so full of one page */
#define LEAST_FILL 0.6

double
HxBlockTarget(Relation index, const HxIndexDesc *desc, uint64 rows)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;

	if (options && options->block_rows > 0)
		return options->block_rows;
	return Max(sqrt((double) rows) / 4, desc->capacity * LEAST_FILL);
}
