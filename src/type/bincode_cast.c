/*
 * bincode_cast.c
 *	  Casts between codes and the types that others keep them in: bit strings,
 *	  packed bytes, 64-bit integers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "port/pg_bswap.h"
#include "utils/builtins.h"

#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bit_to_bincode);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bit_to_bincode_support);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bytea_to_bincode);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_to_bytea);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bigint_to_bincode);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_bincode_to_bigint);

/*
 * Bit strings
 */

/* The bit string itself, which is a code unless it is too long: then an error */
Datum
hx_bit_to_bincode(PG_FUNCTION_ARGS)
{
	PG_RETURN_POINTER(PG_GETARG_CODE(0).value);
}

/* Is a bit string of this expression sure to be no longer than a code? */
static bool
is_surely_short(Node *source)
{
	int32 length;

	while (exprTypmod(source) < 0 && IsA(source, RelabelType))
		source = (Node *) ((RelabelType *) source)->arg;
	length = exprTypmod(source);
	return (exprType(source) == BITOID || exprType(source) == VARBITOID) &&
		   length >= 0 && length <= HX_MAX_CODE_BITS;
}

/*
 * Planner support of the cast from bit strings: leave the look at each value
 * out where the type limits the length, so that ALTER TABLE ... TYPE bincode(n)
 * from bit(n) rewrites no table.
 */
Datum
hx_bit_to_bincode_support(PG_FUNCTION_ARGS)
{
	Node *request = (Node *) PG_GETARG_POINTER(0);
	Node *result = NULL;

	if (IsA(request, SupportRequestSimplify))
	{
		FuncExpr *call = ((SupportRequestSimplify *) request)->fcall;
		Node *source = linitial(call->args);

		if (is_surely_short(source))
			result =
				applyRelabelType(source, call->funcresulttype, -1, InvalidOid,
								 call->funcformat, call->location, false);
	}
	PG_RETURN_POINTER(result);
}

/*
 * Packed bytes: the planes as they lie, the most significant first, each filled
 * up with zero bits to whole bytes
 */

/* Error unless this many bytes, packed, are a code of this shape. */
static void
check_packed(const uint8 *data, size_t size, int dims, int planes)
{
	size_t wanted = HX_PLANE_BYTES(dims) * planes;
	char name[HX_SHAPE_NAME];
	int stray;

	if (size != wanted)
		ereport(ERROR, (errcode(ERRCODE_STRING_DATA_LENGTH_MISMATCH),
						errmsg("bytea of length %zu is no %s", size,
							   HxShapeName(dims, planes, name)),
						errdetail("Packed, it has the length %zu.", wanted)));
	stray = HxFindStrayBits(data, dims, planes);
	if (stray >= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
				 errmsg("bytea is no %s: byte %d is %d, but its last %d bits "
						"must be zero",
						HxShapeName(dims, planes, name), stray, data[stray],
						-dims & 7)));
}

/*
 * Packed bits to the code that the type modifier describes; without one every
 * bit is a dimension.  Error if there are too many bytes or too few, or bits
 * set beyond the last dimension.
 */
Datum
hx_bytea_to_bincode(PG_FUNCTION_ARGS)
{
	bytea *packed = PG_GETARG_BYTEA_PP(0);
	int32 typmod = PG_GETARG_INT32(1);
	const uint8 *data = (const uint8 *) VARDATA_ANY(packed);
	size_t size = VARSIZE_ANY_EXHDR(packed);
	Bincode *code;

	if (typmod < 0)
	{
		if (size > HX_MAX_CODE_BITS / 8)
			ereport(
				ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("bytea of length %zu is too long for a code", size),
				 errdetail("A code has at most %d bits.", HX_MAX_CODE_BITS)));
		typmod = HX_SHAPE(size * 8, 1);
	}
	check_packed(data, size, HX_SHAPE_DIMS(typmod), HX_SHAPE_PLANES(typmod));
	code = HxNewBincode(HX_SHAPE_DIMS(typmod), HX_SHAPE_PLANES(typmod));
	memcpy(code->data, data, size);
	PG_RETURN_BINCODE(code);
}

/* Code to packed bits */
Datum
hx_bincode_to_bytea(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	bytea *packed = palloc(VARHDRSZ + code.bytes);

	SET_VARSIZE(packed, VARHDRSZ + code.bytes);
	memcpy(VARDATA(packed), code.data, code.bytes);
	PG_RETURN_BYTEA_P(packed);
}

/*
 * 64-bit integers: dimension 1 is the most significant bit
 */

/* Integer to code of 64 bits */
Datum
hx_bigint_to_bincode(PG_FUNCTION_ARGS)
{
	uint64 bits = pg_hton64((uint64) PG_GETARG_INT64(0));
	Bincode *code = HxNewBincode(64, 1);

	memcpy(code->data, &bits, sizeof(bits));
	PG_RETURN_BINCODE(code);
}

/* Code of 64 bits to integer; error if it has another size */
Datum
hx_bincode_to_bigint(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	char name[HX_SHAPE_NAME];
	uint64 bits;

	if (code.dims != 64 || code.planes != 1)
		ereport(ERROR, (errcode(ERRCODE_CANNOT_COERCE),
						errmsg("cannot cast a code of %s to bigint",
							   HxShapeName(code.dims, code.planes, name)),
						errdetail("Only codes of %s are 64-bit integers.",
								  "bincode(64)")));
	memcpy(&bits, code.data, sizeof(bits));
	PG_RETURN_INT64((int64) pg_ntoh64(bits));
}
