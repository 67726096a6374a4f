/*
 * looks.h
 *	  Exact distances of the rows that a search by estimates has looked at.
 */
#ifndef HX_LOOKS_H
#define HX_LOOKS_H

#include "index/search/search.h"

/*
 * What looking at heap rows has told.  Beyond the memory it was given it takes no
 * more: such rows are looked at again, if the search starts over.
 */
typedef struct HxLooks
{
	struct hxlook_hash *table; /* NULL: nothing yet */
	uint64 most;			   /* rows remembered at most */
} HxLooks;

extern void HxInitLooks(HxLooks *looks, Size memory);

/* Was a row looked at?  Then *state and *distance tell what was seen. */
extern bool HxRecallLook(const HxLooks *looks, uint64 tid, HxRowState *state,
						 double *distance);

extern void HxRememberLook(HxLooks *looks, uint64 tid, HxRowState state,
						   double distance);

#endif /* HX_LOOKS_H */
