/*
 * looks.c
 *	  Exact distances of the rows that a search by estimates has looked at: a hash
 *	  table by TID, in the context of the search.
 */
#include "postgres.h"

#include "common/hashfn.h"

#include "index/search/looks.h"

/* Rows that there is room for at first, and at least */
#define FIRST_LOOKS 64
#define LEAST_LOOKS 1024

typedef struct Look
{
	uint64 tid;
	double distance;
	char status;
	uint8 state; /* HxRowState */
} Look;

#define SH_PREFIX hxlook
#define SH_ELEMENT_TYPE Look
#define SH_KEY_TYPE uint64
#define SH_KEY tid
#define SH_HASH_KEY(table, key) \
	murmurhash32((uint32) (key) ^ (uint32) ((key) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

void
HxInitLooks(HxLooks *looks, Size memory)
{
	looks->table = NULL;
	looks->most = Max(memory / (2 * sizeof(Look)), LEAST_LOOKS);
}

bool
HxRecallLook(const HxLooks *looks, uint64 tid, HxRowState *state,
			 double *distance)
{
	const Look *look = looks->table ? hxlook_lookup(looks->table, tid) : NULL;

	if (!look)
		return false;
	*state = (HxRowState) look->state;
	*distance = look->distance;
	return true;
}

void
HxRememberLook(HxLooks *looks, uint64 tid, HxRowState state, double distance)
{
	Look *look;
	bool found;

	if (!looks->table)
		looks->table = hxlook_create(CurrentMemoryContext, FIRST_LOOKS, NULL);
	if (looks->table->members >= looks->most)
		return;
	look = hxlook_insert(looks->table, tid, &found);
	Assert(!found);
	look->state = (uint8) state;
	look->distance = distance;
}
