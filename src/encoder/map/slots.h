/*
 * slots.h
 *	  Hashes of values by their text, as hash_slots takes them.
 */
#ifndef HX_MAP_SLOTS_H
#define HX_MAP_SLOTS_H

#include "postgres.h"

#include "encoder/map/hash.h"

/* Hash of a text in the database's encoding: of its bytes in UTF-8 */
extern uint64 HxHashText(uint64 seed, const char *text, int length);

/* The first slot of m of an id, of the feature with this hash */
extern uint32 HxFirstSlot(uint64 feature, int64 id, uint32 m);

#endif /* HX_MAP_SLOTS_H */
