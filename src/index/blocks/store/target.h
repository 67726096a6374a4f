/*
 * target.h
 *	  How many rows a block should have.
 */
#ifndef HX_TARGET_H
#define HX_TARGET_H

#include "index/index.h"

/* Rows that a block should have in an index of this many. */
extern double HxBlockTarget(Relation index, const HxIndexDesc *desc,
							uint64 rows);

#endif /* HX_TARGET_H */
