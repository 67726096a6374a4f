/*
 * load.c
 *	  Loading a table's rows in a build: several vectors at a time are projected on
 *	  the model's directions, which are more than a processor's caches hold.
 */
#include "postgres.h"

#include "index/dense/dense.h"

/* Rows that are held back until there are so many */
#define HELD 16

/* Rows of the table whose payloads are formed together */
typedef struct Held
{
	int count;
	HxRow *rows;	/* HxRowSize(desc) bytes each */
	float *vectors; /* the numbers of each */
	HxSeen *seen;
} Held;

static Held *
make_held(const HxIndexDesc *desc)
{
	Held *held = palloc0(sizeof(Held));

	held->rows = palloc0(HELD * HxRowSize(desc));
	held->vectors = palloc0((Size) HELD * desc->dims * sizeof(float));
	held->seen = HxMakeManySeen(HxModelOf(desc), HELD);
	return held;
}

static HxRow *
held_row(const HxIndexDesc *desc, const Held *held, int i)
{
	return (HxRow *) ((char *) held->rows + i * HxRowSize(desc));
}

/* HxFormRest: sketches of the rows held back.  None is held any more. */
static const void *
form_held(HxBuild *build, Size *size)
{
	const HxIndexDesc *desc = build->desc;
	Held *held = build->held;

	HxSeeMany(HxModelOf(desc), desc->vector->metric, held->vectors, held->count,
			  held->seen);
	for (int i = 0; i < held->count; i++)
	{
		HxRow *row = held_row(desc, held, i);

		if (row->has_vector)
			HxFormSeen(desc, &held->seen[i],
					   (HxDenseRow *) HxRowPayload(desc, row));
	}
	*size = held->count * HxRowSize(desc);
	held->count = 0;
	return held->rows;
}

/* HxFormSpooled: a row is held back until there are enough. */
static const void *
hold_row(HxBuild *build, const Datum *values, const bool *isnull,
		 ItemPointer tid, bool alive, Size *size)
{
	const HxIndexDesc *desc = build->desc;
	Held *held = build->held;
	HxRow *row = held_row(desc, held, held->count);
	float *vector = held->vectors + (Size) held->count * desc->dims;

	Assert(held->count < HELD);
	HxBeginRow(desc, values, isnull, tid, row);
	row->alive = alive;
	if (row->has_vector)
	{
		HxReadVector(desc, values[desc->vector_attno - 1], vector);
		HxFormBare(desc, vector, (HxDenseRow *) HxRowPayload(desc, row));
	}
	else
		memset(vector, 0, desc->dims * sizeof(float));
	held->count++;
	*size = 0;
	return held->count == HELD ? form_held(build, size) : NULL;
}

void
HxLoadSketches(HxBuild *build)
{
	Held *held = make_held(build->desc);

	build->held = held;
	HxLoadRows(build, hold_row, form_held);
	build->held = NULL;
	pfree(held->seen->kept);
	pfree(held->seen);
	pfree(held->vectors);
	pfree(held->rows);
	pfree(held);
}
