/*
 * fingerprint.c
 *	  Codes and vectors as bytes that are the same on every machine: what is
 *	  hashed where a stored value is to be proven unchanged.
 *
 * A vector is rounded first, to so many bits by a step that is a power of two:
 * the least that its greatest component fits by.  All of that is exact, so only
 * what comes before it can differ, and most of that is rounded away.
 *
 * Numbers have their lowest byte first:
 *	  code    byte 1, bits a dimension (1 byte), 0 (2 bytes), dimensions (4 bytes),
 *			  the bits as they lie
 *	  vector  byte 2, bits (1), exponent of the step's power (2), dimensions (4),
 *			  steps (2 each), two's complements
 */
#include "postgres.h"
#include "fmgr.h"

#include <math.h>

#include "utils/array.h"

#include "type/bincode.h"
#include "type/dense.h"
#include "type/digest.h"

#define HEAD_BYTES 8
#define MIN_BITS 2
#define MAX_BITS 15

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_fingerprint_code);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_fingerprint_vector);

/* Bytes with their head, and room for what follows it */
static bytea *
new_fingerprint(int kind, int bits, int exponent, int dims, size_t size)
{
	bytea *print = palloc(VARHDRSZ + HEAD_BYTES + size);
	uint8 *at = (uint8 *) VARDATA(print);

	SET_VARSIZE(print, VARHDRSZ + HEAD_BYTES + size);
	at = HxPutNumber(at, kind, 1);
	at = HxPutNumber(at, bits, 1);
	at = HxPutNumber(at, (uint16) exponent, 2);
	(void) HxPutNumber(at, dims, 4);
	return print;
}

/* fingerprint(code) */
Datum
hx_fingerprint_code(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	bytea *print = new_fingerprint(1, code.planes, 0, code.dims, code.bytes);

	if (code.bytes > 0)
		memcpy(VARDATA(print) + HEAD_BYTES, code.data, code.bytes);
	PG_RETURN_BYTEA_P(print);
}

/* Power of two just above the greatest magnitude; 0 if all numbers are 0 */
static int
find_exponent(const double *values, int count)
{
	double greatest = 0.0;
	int exponent;

	for (int i = 0; i < count; i++)
		greatest = fmax(greatest, fabs(values[i]));
	(void) frexp(greatest, &exponent);
	return exponent;
}

/* fingerprint(vector, bits) */
Datum
hx_fingerprint_vector(PG_FUNCTION_ARGS)
{
	int32 bits = PG_GETARG_INT32(1);
	int count;
	double *values = HxReadArray(PG_GETARG_ARRAYTYPE_P(0), &count);
	int exponent;
	bytea *print;
	uint8 *at;

	if (bits < MIN_BITS || bits > MAX_BITS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fingerprint of %d bits a dimension, expected "
							   "%d to %d",
							   bits, MIN_BITS, MAX_BITS)));
	if (count == 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("fingerprint of a vector without components")));
	exponent = find_exponent(values, count);
	print = new_fingerprint(2, bits, exponent, count, 2 * (size_t) count);
	at = (uint8 *) VARDATA(print) + HEAD_BYTES;
	for (int i = 0; i < count; i++)
	{
		/* below 2^15 in magnitude, and the division is exact */
		int step = (int) rint(ldexp(values[i], bits - 1 - exponent));

		at = HxPutNumber(at, (uint16) (int16) step, 2);
	}
	PG_RETURN_BYTEA_P(print);
}
