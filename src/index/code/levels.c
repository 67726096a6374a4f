/*
 * levels.c
 *	  What follows the planes of a code's payload.
 */
#include "postgres.h"

#include "index/code/code.h"
#include "kernel/kernel.h"
#include "type/distance.h"

/* Compute the two integers behind the planes, if there are several. */
void
HxFinishCodePayload(const HxIndexDesc *desc, uint8 *payload)
{
	HxLevelSums *sums;
	HxCodes self = {payload, desc->payload, 1};

	Assert(desc->planes >= 1);
	if (desc->planes == 1)
		return;
	sums = (HxLevelSums *) HxCodeLevelSums(desc, payload);
	sums->sum = HxLevelSum(payload, HxCodePlaneBytes(desc), desc->planes);
	hx_kernels->level_product(payload, HxCodePlaneBytes(desc), desc->planes,
							  self, &sums->squares);
}
