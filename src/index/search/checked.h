/*
 * checked.h
 *	  What is known of heap rows that a search has looked at.
 */
#ifndef HX_CHECKED_H
#define HX_CHECKED_H

/*
 * Heap rows that were looked at, and whether they passed.  Beyond the memory
 * it was given it forgets all of them: a row may then be looked at twice, if
 * the search starts over.
 */
typedef struct HxChecked
{
	uint64 *slots; /* TID * 2 + passed, or 0 */
	uint64 mask;   /* slots - 1 */
	uint64 count;
	uint64 most; /* rows remembered at most */
} HxChecked;

extern void HxInitChecked(HxChecked *checked, Size memory);

/* Was a row looked at?  Then *passed tells the outcome. */
extern bool HxRecallChecked(const HxChecked *checked, uint64 tid, bool *passed);

extern void HxRememberChecked(HxChecked *checked, uint64 tid, bool passed);

#endif /* HX_CHECKED_H */
