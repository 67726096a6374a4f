/*
 * vector.h
 *	  Vectors of the table's rows, where the executor does not bring them.
 */
#ifndef HX_VECTOR_H
#define HX_VECTOR_H

#include "index/search/search.h"
#include "utils/snapshot.h"

typedef struct HxVectors HxVectors;

/*
 * Begin to look at the vectors of rows that a snapshot sees: column `attno` of
 * the index, which may be an expression.  The table is locked.
 */
extern HxVectors *HxOpenVectors(Relation heap, Relation index, AttrNumber attno,
								Snapshot snapshot);

/*
 * The vector of a row, valid until the next call: HxHeapRows.measure.  Error if the
 * table cannot have the row.
 */
extern HxRowState HxFetchVector(void *vectors, ItemPointer tid, Datum *vector,
								bool *isnull);

extern void HxCloseVectors(HxVectors *vectors);

#endif /* HX_VECTOR_H */
