/*
 * target.c
 *	  How many rows a block should have.
 */
#include "postgres.h"

#include <math.h>

#include "index/blocks/store/payload.h"
#include "index/blocks/store/target.h"
#include "index/options.h"

double
HxBlockTarget(Relation index, const HxIndexDesc *desc, uint64 rows)
{
	const HxOptions *options = (const HxOptions *) index->rd_options;

	if (options && options->block_rows > 0)
		return options->block_rows;
	return Max(sqrt((double) rows) / 4,
			   desc->capacity * HxPayloadOf(desc)->least_pages);
}
