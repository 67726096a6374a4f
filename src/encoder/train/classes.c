/*
 * classes.c
 *	  Classes of rows that have the same labels, while hashemb_train runs.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/array.h"
#include "utils/memutils.h"

#include "encoder/train/aggregate.h"
#include "type/dense.h"

/* Order of labels */
static int
compare_labels(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right;
}

/* The labels of a row, ascending, each once; their number */
int
HxReadLabels(HxTraining *training, Datum value, Oid type, int64 *labels)
{
	ArrayType *array;
	double *numbers;
	int count;
	int kept = 0;

	if (training->target == HX_Y_LABEL)
	{
		labels[0] = type == INT8OID	  ? DatumGetInt64(value)
					: type == INT4OID ? DatumGetInt32(value)
					: type == INT2OID ? DatumGetInt16(value)
									  : DatumGetBool(value);
		return 1;
	}
	array = DatumGetArrayTypeP(value);
	numbers = HxReadArray(array, &count);
	if (count < 1 || count > HX_MAX_LABELS)
		ereport(ERROR, (errcode(ERRCODE_DATA_EXCEPTION),
						errmsg("row has %d labels, expected 1 to %d", count,
							   HX_MAX_LABELS)));
	for (int i = 0; i < count; i++)
		labels[i] = (int64) numbers[i];
	qsort(labels, count, sizeof(int64), compare_labels);
	for (int i = 0; i < count; i++)
	{
		if (i == 0 || labels[i] != labels[kept - 1])
			labels[kept++] = labels[i];
	}
	return kept;
}

/* Make room for one more class, and buckets at most half full */
static void
grow_classes(HxTraining *training)
{
	HxTrainingPrivate *own = training->internal;
	int room = Max(own->class_room * 2, 64);
	HxClass *classes;

	if (training->class_count < own->class_room)
		return;
	classes =
		HxTrainAlloc(training, room, sizeof(HxClass) + 12, "classes of rows");
	if (training->class_count > 0)
		memcpy(classes, training->classes,
			   training->class_count * sizeof(HxClass));
	training->classes = classes;
	own->class_room = room;
	own->buckets =
		MemoryContextAlloc(training->context, room * 4 * sizeof(int));
	own->mask = (uint32) room * 4 - 1;
	memset(own->buckets, 0xff, room * 4 * sizeof(int));
	for (int c = 0; c < training->class_count; c++)
	{
		uint32 at = hash_bytes((const unsigned char *) classes[c].labels,
							   classes[c].count * sizeof(int64));

		while (own->buckets[at & own->mask] >= 0)
			at++;
		own->buckets[at & own->mask] = c;
	}
}

/* Number of the class of a row, new if its labels are */
int
HxFindClass(HxTraining *training, const int64 *labels, int count)
{
	HxTrainingPrivate *own = training->internal;
	size_t bytes = count * sizeof(int64);
	uint32 at = hash_bytes((const unsigned char *) labels, bytes);
	HxClass *class;
	int found;

	grow_classes(training);
	while ((found = own->buckets[at & own->mask]) >= 0)
	{
		class = &training->classes[found];
		if (class->count == count && memcmp(class->labels, labels, bytes) == 0)
			return found;
		at++;
	}
	class = &training->classes[training->class_count];
	class->count = count;
	class->labels = HxTrainAlloc(training, bytes, 1, "labels");
	memcpy(class->labels, labels, bytes);
	class->rows = 0;
	class->sum = NULL;
	if (training->method->keep == HX_KEEP_SUMS)
		class->sum = HxTrainAlloc(training, training->width[0], sizeof(double),
								  "sums of classes");
	own->buckets[at & own->mask] = training->class_count;
	return training->class_count++;
}

/* Order of classes by their labels */
static int
compare_classes(const void *a, const void *b)
{
	const HxClass *left = *(HxClass *const *) a;
	const HxClass *right = *(HxClass *const *) b;

	for (int i = 0; i < Min(left->count, right->count); i++)
	{
		if (left->labels[i] != right->labels[i])
			return left->labels[i] < right->labels[i] ? -1 : 1;
	}
	return left->count - right->count;
}

/* Put the classes in order, so that the order of rows does not matter */
void
HxSortClasses(HxTraining *training)
{
	int count = training->class_count;
	HxClass **order = palloc(Max(count, 1) * sizeof(HxClass *));
	HxClass *sorted = palloc(Max(count, 1) * sizeof(HxClass));
	int *place = palloc(Max(count, 1) * sizeof(int));

	for (int c = 0; c < count; c++)
		order[c] = &training->classes[c];
	qsort(order, count, sizeof(HxClass *), compare_classes);
	for (int c = 0; c < count; c++)
	{
		place[order[c] - training->classes] = c;
		sorted[c] = *order[c];
	}
	training->classes = sorted;
	for (int r = 0; r < training->rows; r++)
	{
		if (training->class_of[r] >= 0)
		{
			training->class_of[r] = place[training->class_of[r]];
			sorted[training->class_of[r]].rows++;
		}
	}
}
