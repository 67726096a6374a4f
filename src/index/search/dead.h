/*
 * dead.h
 *	  Marking rows that searches found dead to everybody.
 */
#ifndef HX_DEAD_H
#define HX_DEAD_H

#include "index/page/page.h"
#include "index/search/search.h"

/* Rows that a scan collects before it marks them */
#define HX_DEAD_ROWS 256

/* Dead rows met by a scan */
typedef struct HxDeadRows
{
	XLogRecPtr since; /* pages changed after this are left alone */
	int count;
	HxCandidate rows[HX_DEAD_ROWS];
} HxDeadRows;

/*
 * Before a search reads its first page: an empty list; NULL if the index cannot
 * have marks.
 */
extern HxDeadRows *HxBeginDeadRows(Relation index);

/* Add a row that the heap says is dead to everybody. */
extern void HxAddDeadRow(Relation index, const HxIndexDesc *desc,
						 HxDeadRows *dead, const HxCandidate *row);

/* Mark the rows of the list, and empty it.  No buffer may be locked. */
extern void HxMarkDeadRows(Relation index, const HxIndexDesc *desc,
						   HxDeadRows *dead);

#endif /* HX_DEAD_H */
