/*
 * write.h
 *	  Writing the pages of a new index, in block order, without WAL.
 */
#ifndef HX_WRITE_H
#define HX_WRITE_H

#include "common/relpath.h"
#include "index/blocks/store/payload.h"
#include "storage/buffile.h"

typedef struct HxWriter HxWriter;

/* Begin a fork of an index with this many blocks; it must be empty. */
extern HxWriter *HxBeginWrite(Relation index, ForkNumber fork,
							  const HxIndexDesc *desc, const uint8 *centroids,
							  int nblocks, int fillfactor);

/*
 * Add a row to a block; blocks come in ascending order, from 0, the block of
 * rows without a vector, to nblocks.
 */
extern void HxWriteRow(HxWriter *writer, int block, const HxRow *row);

/* Write what is left: the last page, directory, zone maps, metapage. */
extern void HxEndWrite(HxWriter *writer);

/* Store the table of expected misses of an index being built. */
extern void HxStoreBuiltMisses(Relation index, const HxMisses *table,
							   uint64 rows);

#endif /* HX_WRITE_H */
