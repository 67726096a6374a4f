/*
 * place.h
 *	  Places in the directory for blocks that are added.
 */
#ifndef HX_PLACE_H
#define HX_PLACE_H

#include "index/blocks/change/rewrite.h"

/*
 * Find places for this many blocks, the first of them that of the block that is
 * split.  More than two only as far as they are on its own directory page, and
 * on few zone pages beside its own, so that one record can change them; returns
 * how many were found.
 */
extern int HxFindPlaces(HxRewrite *rewrite, HxEntryAddress place, int wanted);

#endif /* HX_PLACE_H */
