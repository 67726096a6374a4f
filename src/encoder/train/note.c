/*
 * note.c
 *	  What a model keeps for training on: the sums of method class.
 *
 * Ridge regression needs no rows, only their sums of products.  A model that
 * carries these can be trained on with rows of new labels alone, and is what
 * all rows together would have made.  The note is little-endian:
 *
 *	  uint32 x 4    NOTE_FORMAT, dimensions, bits, labels
 *	  float64       rows
 *	  float64s      mean of x, sum of targets
 *	  floats        products of x (lower triangle), of x with targets
 *	  int64s        labels, ascending
 *	  bytes         codewords, a bit each, in whole bytes
 */
#include "postgres.h"

#include <math.h>

#include "encoder/math/matrix.h"
#include "encoder/train/note.h"

#define NOTE_FORMAT 1
#define NOTE_HEADER 24

/* Bytes of a note; as double, for a hostile one says anything */
static double
note_bytes(double d, double bits, double labels)
{
	return NOTE_HEADER + 8.0 * (d + bits) + 4.0 * (d * (d + 1) / 2 + d * bits) +
		   labels * (8.0 + floor((bits + 7) / 8));
}

/* Append a double */
static uint8 *
put_double(uint8 *to, double number)
{
	uint64 bytes;

	memcpy(&bytes, &number, 8);
	hx_put_u64(to, bytes);
	return to + 8;
}

/* Append a float */
static uint8 *
put_float(uint8 *to, double number)
{
	float rounded = (float) number;
	uint32 bytes;

	if (!isfinite(rounded))
		ereport(ERROR, (errcode(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE),
						errmsg("sums of products are too large to keep")));
	memcpy(&bytes, &rounded, 4);
	hx_put_u32(to, bytes);
	return to + 4;
}

uint8 *
HxWriteSums(HxTraining *training, const HxClassSums *sums, size_t *size)
{
	double bytes = note_bytes(sums->d, sums->bits, sums->labels);
	size_t d = sums->d;
	int word_bytes = (sums->bits + 7) / 8;
	uint8 *note;
	uint8 *to;

	if (bytes > HX_MAX_MODEL)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("sums to train on with need %.0f bytes, a model has "
						"at most %d",
						bytes, HX_MAX_MODEL)));
	*size = (size_t) bytes;
	note = HxTrainAlloc(training, *size, 1, "sums to train on with");
	hx_put_u32(note, NOTE_FORMAT);
	hx_put_u32(note + 4, sums->d);
	hx_put_u32(note + 8, sums->bits);
	hx_put_u32(note + 12, sums->labels);
	to = put_double(note + 16, sums->rows);
	for (size_t i = 0; i < d; i++)
		to = put_double(to, sums->mean[i]);
	for (int j = 0; j < sums->bits; j++)
		to = put_double(to, sums->target[j]);
	for (size_t i = 0; i < d; i++)
	{
		for (size_t j = 0; j <= i; j++)
			to = put_float(to, sums->xx[i * d + j]);
	}
	for (size_t i = 0; i < d * sums->bits; i++)
		to = put_float(to, sums->xy[i]);
	for (int c = 0; c < sums->labels; c++, to += 8)
		hx_put_u64(to, (uint64) sums->label[c]);
	for (int c = 0; c < sums->labels; c++, to += word_bytes)
	{
		for (int j = 0; j < sums->bits; j++)
			to[j / 8] |= (sums->word[(size_t) c * sums->bits + j] > 0.0)
						 << j % 8;
	}
	return note;
}

/* Error about a note that was not written here */
pg_noreturn static void
reject_note(const char *what)
{
	ereport(ERROR, (errcode(ERRCODE_DATA_CORRUPTED),
					errmsg("\"base\" keeps sums that are damaged: %s", what)));
}

/* Read doubles, finite */
static const uint8 *
get_doubles(const uint8 *from, double *to, size_t count)
{
	for (size_t i = 0; i < count; i++, from += 8)
	{
		uint64 bytes = hx_get_u64(from);

		memcpy(&to[i], &bytes, 8);
		/* products of what is below stay finite */
		if (!(fabs(to[i]) < 1e60))
			reject_note("a number is not finite");
	}
	return from;
}

/* Read floats, finite */
static const uint8 *
get_floats(const uint8 *from, double *to, size_t count)
{
	for (size_t i = 0; i < count; i++, from += 4)
	{
		uint32 bytes = hx_get_u32(from);
		float number;

		memcpy(&number, &bytes, 4);
		if (!isfinite(number))
			reject_note("a number is not finite");
		to[i] = number;
	}
	return from;
}

/* The note's shape; error if the model is another */
static void
read_shape(const HxModel *model, HxClassSums *sums)
{
	const uint8 *note = model->note;
	uint32 labels;

	if (model->method != HX_METHOD_CLASS || note == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("\"base\" keeps no sums to train on with"),
				 errhint("Train it by method \"class\" with \"lifelong\": "
						 "true.")));
	if (model->note_size < NOTE_HEADER || hx_get_u32(note) != NOTE_FORMAT)
		reject_note("their format is unknown");
	labels = hx_get_u32(note + 12);
	sums->d = (int) hx_view_width(&model->view[0]);
	sums->bits = (int) model->dims;
	/* sections are padded to four bytes */
	if (hx_get_u32(note + 4) != (uint32) sums->d ||
		hx_get_u32(note + 8) != (uint32) sums->bits ||
		ceil(note_bytes(sums->d, sums->bits, labels) / 4) * 4 !=
			(double) model->note_size)
		reject_note("their size differs from the model's");
	sums->labels = (int) labels;
}

HxClassSums *
HxReadSums(HxTraining *training, const HxModel *model)
{
	HxClassSums *sums = palloc0(sizeof(HxClassSums));
	const uint8 *from;
	size_t d;
	size_t bits;

	read_shape(model, sums);
	d = sums->d;
	bits = sums->bits;
	sums->mean = HxTrainAlloc(training, d, sizeof(double), "sums");
	sums->target = HxTrainAlloc(training, bits, sizeof(double), "sums");
	sums->xx = HxTrainAlloc(training, d * d, sizeof(double), "sums");
	sums->xy = HxTrainAlloc(training, d * bits, sizeof(double), "sums");
	sums->label = HxTrainAlloc(training, sums->labels, sizeof(int64), "labels");
	sums->word = HxTrainAlloc(training, sums->labels * bits, sizeof(double),
							  "codewords");
	from = get_doubles(model->note + 16, &sums->rows, 1);
	from = get_doubles(from, sums->mean, d);
	from = get_doubles(from, sums->target, bits);
	for (size_t i = 0; i < d; i++)
		from = get_floats(from, sums->xx + i * d, i + 1);
	from = get_floats(from, sums->xy, d * bits);
	for (int c = 0; c < sums->labels; c++, from += 8)
	{
		sums->label[c] = (int64) hx_get_u64(from);
		if (c > 0 && sums->label[c] <= sums->label[c - 1])
			reject_note("labels are not in order");
	}
	for (int c = 0; c < sums->labels; c++, from += (bits + 7) / 8)
	{
		for (size_t j = 0; j < bits; j++)
			sums->word[c * bits + j] = from[j / 8] >> j % 8 & 1 ? 1.0 : -1.0;
	}
	if (!(sums->rows >= 1.0))
		reject_note("they are of no rows");
	return sums;
}

/* Take products around another mean, which is `off` less. */
static void
move_mean(HxClassSums *sums, const double *off)
{
	size_t d = sums->d;

	for (size_t i = 0; i < d; i++)
	{
		hx_add_multiple(sums->xx + i * d, sums->rows * off[i], off, i + 1);
		hx_add_multiple(sums->xy + i * sums->bits, off[i], sums->target,
						sums->bits);
	}
}

void
HxAddSums(HxClassSums *sums, HxClassSums *other)
{
	size_t d = sums->d;
	double rows = sums->rows + other->rows;
	double *off = palloc(d * sizeof(double));

	for (size_t i = 0; i < d; i++)
		off[i] = (sums->mean[i] - other->mean[i]) * other->rows / rows;
	move_mean(sums, off);
	for (size_t i = 0; i < d; i++)
	{
		sums->mean[i] -= off[i];
		off[i] *= -sums->rows / other->rows;
	}
	move_mean(other, off);
	hx_add_multiple(sums->xx, 1.0, other->xx, d * d);
	hx_add_multiple(sums->xy, 1.0, other->xy, d * sums->bits);
	hx_add_multiple(sums->target, 1.0, other->target, sums->bits);
	sums->rows = rows;
	pfree(off);
}
