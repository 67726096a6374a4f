/*
 * ids.c
 *	  Ids of training's rows: numbers for them.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"

#include "encoder/map/hash.h"
#include "encoder/train/ids.h"

#define FIRST_ROOM 1024

/* Where an id is among the places, or where it would be */
static uint32
find_place(const HxIds *ids, int64 id)
{
	uint32 at = (uint32) hx_mix((uint64) id) & ids->mask;

	while (ids->place[at] != 0 && ids->id[ids->place[at] - 1] != id)
		at = (at + 1) & ids->mask;
	return at;
}

/* Room for half as many ids more, and places for twice as many */
static void
grow(HxTraining *training, HxIds *ids)
{
	uint32 room = ids->room == 0 ? FIRST_ROOM : ids->room + ids->room / 2;
	uint64 places = ids->place == NULL ? 2 : (uint64) ids->mask + 1;

	if (ids->room > PG_INT32_MAX / 2)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
						errmsg("cannot train on more than %u ids", ids->room)));
	ids->id =
		HxTrainGrow(training, ids->id, ids->room, room, sizeof(int64), "ids");
	ids->room = room;
	while (places < (uint64) room + room / 2)
		places *= 2;
	if (ids->place != NULL && places == (uint64) ids->mask + 1)
		return;
	if (ids->place != NULL)
	{
		training->used -= ((size_t) ids->mask + 1) * sizeof(uint32);
		pfree(ids->place);
	}
	ids->mask = (uint32) (places - 1);
	ids->place = HxTrainAlloc(training, places, sizeof(uint32), "ids");
	for (uint32 i = 0; i < ids->count; i++)
		ids->place[find_place(ids, ids->id[i])] = i + 1;
}

uint32
HxNumberId(HxTraining *training, HxIds *ids, int64 id)
{
	uint32 at;

	if (ids->count == ids->room)
		grow(training, ids);
	at = find_place(ids, id);
	if (ids->place[at] == 0)
	{
		ids->id[ids->count++] = id;
		ids->place[at] = ids->count;
	}
	return ids->place[at] - 1;
}

/* An id, to be sorted */
typedef struct Numbered
{
	int64 id;
	uint32 number;
} Numbered;

static int
compare_ids(const void *a, const void *b)
{
	int64 x = ((const Numbered *) a)->id;
	int64 y = ((const Numbered *) b)->id;

	return (x > y) - (x < y);
}

void
HxSortIds(HxTraining *training, HxIds *ids, uint32 *now)
{
	Numbered *sorted;

	if (ids->place != NULL)
	{
		training->used -= ((size_t) ids->mask + 1) * sizeof(uint32);
		pfree(ids->place);
		ids->place = NULL;
	}
	sorted = HxTrainAlloc(training, ids->count, sizeof(Numbered), "ids");
	for (uint32 i = 0; i < ids->count; i++)
		sorted[i] = (Numbered){ids->id[i], i};
	qsort(sorted, ids->count, sizeof(Numbered), compare_ids);
	CHECK_FOR_INTERRUPTS();
	for (uint32 i = 0; i < ids->count; i++)
	{
		ids->id[i] = sorted[i].id;
		now[sorted[i].number] = i;
	}
	training->used -= (size_t) ids->count * sizeof(Numbered);
	pfree(sorted);
}

void
HxRequireIds(const HxTraining *training, int argument)
{
	Oid type = training->type[argument];

	if (type != INT2OID && type != INT4OID && type != INT8OID)
		HxRejectType(training, argument, "ids: smallint, integer or bigint");
}

int64
HxReadId(const HxTraining *training, int argument, Datum value)
{
	switch (training->type[argument])
	{
		case INT2OID:
			return DatumGetInt16(value);
		case INT4OID:
			return DatumGetInt32(value);
		default:
			return DatumGetInt64(value);
	}
}

void
HxDraftBuckets(HxDraftTable *table, const HxIds *ids, const uint32 *bucket,
			   uint32 limit)
{
	table->rows = ids->count;
	table->numbers = 1;
	table->limit = limit;
	table->key = ids->id;
	table->number = bucket;
}

void
HxStartMap(HxTraining *training, HxDraft *draft, int dims)
{
	HxStartDraft(training, draft, dims);
	draft->family = HX_MAP;
	draft->output = HX_OUT_IDS;
	draft->bits = 0;
	draft->views = 0;
	draft->flags = 0;
}
