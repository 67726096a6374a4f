/*
 * bitops.c
 *	  Bitwise operators, concatenation and parts of codes.
 *
 * Bits beyond a plane's last dimension are zero before and after.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "port/pg_bitutils.h"
#include "utils/array.h"

#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_and);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_or);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_xor);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_not);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_concat);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_subcode);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_bit_count);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_block_keys);

/* A zero code of the shape that a and b, of 1 bit a dimension, both have */
static Bincode *
new_like_both(const HxCode *a, const HxCode *b, const char *what)
{
	HxCheckSameShape(a, b);
	HxCheckOnePlane(a, what);
	return HxNewBincode(a->dims, 1);
}

/* Clear the bits beyond a plane's last dimension. */
static void
clear_unused(uint8 *plane, int dims)
{
	if (dims & 7)
		plane[dims >> 3] &= 0xFF << (8 - (dims & 7));
}

/* Or bits into a plane from bit `at` on; those beyond the last are zero. */
static void
append_bits(uint8 *plane, int at, const uint8 *bits, int count)
{
	size_t first = at / 8;
	int shift = at % 8;

	for (int i = 0; i * 8 < count; i++)
	{
		plane[first + i] |= bits[i] >> shift;
		if (count - i * 8 > 8 - shift)
			plane[first + i + 1] |= bits[i] << (8 - shift);
	}
}

/* Copy `count` bits, from bit `at` of a plane on, to the start of another. */
static void
extract_bits(uint8 *to, const uint8 *plane, size_t plane_bytes, int at,
			 int count)
{
	size_t first = at / 8;
	int shift = at % 8;

	for (size_t i = 0; i * 8 < (size_t) count; i++)
	{
		to[i] = plane[first + i] << shift;
		if (first + i + 1 < plane_bytes)
			to[i] |= plane[first + i + 1] >> (8 - shift);
	}
	clear_unused(to, count);
}

/* Bits set in both codes */
Datum
hx_bincode_and(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);
	Bincode *result = new_like_both(&a, &b, "operator &");

	for (size_t i = 0; i < a.bytes; i++)
		result->data[i] = a.data[i] & b.data[i];
	PG_RETURN_BINCODE(result);
}

/* Bits set in at least one code */
Datum
hx_bincode_or(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);
	Bincode *result = new_like_both(&a, &b, "operator |");

	for (size_t i = 0; i < a.bytes; i++)
		result->data[i] = a.data[i] | b.data[i];
	PG_RETURN_BINCODE(result);
}

/* Bits set in exactly one code */
Datum
hx_bincode_xor(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);
	Bincode *result = new_like_both(&a, &b, "operator #");

	for (size_t i = 0; i < a.bytes; i++)
		result->data[i] = a.data[i] ^ b.data[i];
	PG_RETURN_BINCODE(result);
}

/* Bits not set */
Datum
hx_bincode_not(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	Bincode *result = new_like_both(&a, &a, "operator ~");

	for (size_t i = 0; i < a.bytes; i++)
		result->data[i] = ~a.data[i];
	clear_unused(result->data, a.dims);
	PG_RETURN_BINCODE(result);
}

/* The dimensions of a, then those of b; both have as many bits each. */
Datum
hx_bincode_concat(PG_FUNCTION_ARGS)
{
	HxCode a = PG_GETARG_CODE(0);
	HxCode b = PG_GETARG_CODE(1);
	char left[HX_SHAPE_NAME];
	char right[HX_SHAPE_NAME];
	Bincode *result;

	if (a.planes != b.planes)
		(void) HxMatchShapes(a.dims, a.planes, b.dims, b.planes,
							 "The bits per dimension must be the same.", NULL);
	if ((a.dims + b.dims) * a.planes > HX_MAX_CODE_BITS)
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("concatenation of %s and %s is too long",
						HxShapeName(a.dims, a.planes, left),
						HxShapeName(b.dims, b.planes, right)),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));

	result = HxNewBincode(a.dims + b.dims, a.planes);
	for (int p = 0; p < a.planes; p++)
	{
		uint8 *plane = result->data + p * HX_PLANE_BYTES(a.dims + b.dims);

		if (a.plane_bytes > 0)
			memcpy(plane, a.data + p * a.plane_bytes, a.plane_bytes);
		append_bits(plane, a.dims, b.data + p * b.plane_bytes, b.dims);
	}
	PG_RETURN_BINCODE(result);
}

/* `count` dimensions from dimension `start` on, counted from 1 */
Datum
hx_bincode_subcode(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	int32 start = PG_GETARG_INT32(1);
	int32 count = PG_GETARG_INT32(2);
	char name[HX_SHAPE_NAME];
	Bincode *result;

	if (start < 1 || count < 0 || (int64) start - 1 + count > code.dims)
		ereport(
			ERROR,
			(errcode(ERRCODE_SUBSTRING_ERROR),
			 errmsg("%d dimensions from dimension %d on are not within %s",
					count, start, HxShapeName(code.dims, code.planes, name))));
	result = HxNewBincode(count, code.planes);
	for (int p = 0; p < code.planes; p++)
		extract_bits(result->data + p * HX_PLANE_BYTES(count),
					 code.data + p * code.plane_bytes, code.plane_bytes,
					 start - 1, count);
	PG_RETURN_BINCODE(result);
}

/* Number of bits set in a code of 1 bit a dimension */
Datum
hx_bincode_bit_count(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);

	HxCheckOnePlane(&code, "bit_count");
	PG_RETURN_INT64(
		(int64) pg_popcount((const char *) code.data, (int) code.bytes));
}

/* Bits of a band, and bands, of which a key of 64 bits has room */
#define MAX_KEY_BITS 32
#define MAX_KEY_BANDS 65536

/* `count` bits from bit `at` of a plane on, as a number */
static uint64
read_bits(const uint8 *plane, int at, int count)
{
	uint64 number = 0;

	Assert(count <= MAX_KEY_BITS);
	for (int i = at; i < at + count; i++)
		number = number << 1 | HxGetBit(plane, i);
	return number;
}

/*
 * block_keys(code, bands, bits): a key for each of the first bands, which are so
 * many bits long: its number and its bits, so that no two bands share a key.
 */
Datum
hx_block_keys(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	int32 bands = PG_GETARG_INT32(1);
	int32 bits = PG_GETARG_INT32(2);
	Datum *keys;

	HxCheckOnePlane(&code, "block_keys");
	if (bands < 1 || bands > MAX_KEY_BANDS || bits < 1 || bits > MAX_KEY_BITS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("cannot make keys of %d bands of %d bits, "
							   "expected 1 to %d bands of 1 to %d bits",
							   bands, bits, MAX_KEY_BANDS, MAX_KEY_BITS)));
	if ((int64) bands * bits > code.dims)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("%d bands of %d bits are more than the %d bits "
							   "of the code",
							   bands, bits, code.dims)));
	keys = palloc(bands * sizeof(Datum));
	for (int band = 0; band < bands; band++)
		keys[band] =
			Int64GetDatum((int64) ((uint64) band << MAX_KEY_BITS |
								   read_bits(code.data, band * bits, bits)));
	PG_RETURN_ARRAYTYPE_P(construct_array(keys, bands, INT8OID, sizeof(int64),
										  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}
