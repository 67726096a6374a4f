/*
 * gray.c
 *	  gray_rank: an order of codes that puts near ones together.
 *
 * A code's rank is its place in the sequence in which neighbours differ in one bit
 * (Gray's), the first bit counting most.  Bit i of the rank is the exclusive or of
 * the code's bits up to i; the code of a rank is the rank with itself shifted by
 * one bit, which is what must not be computed here.
 */
#include "postgres.h"
#include "fmgr.h"

#include "type/bincode.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_gray_rank);

/* gray_rank(code): as many bytes as the code has, compared from the left */
Datum
hx_gray_rank(PG_FUNCTION_ARGS)
{
	HxCode code = PG_GETARG_CODE(0);
	bytea *rank = palloc(VARHDRSZ + code.bytes);
	uint8 *out = (uint8 *) VARDATA(rank);
	uint8 before = 0; /* all bits as the last one of the rank so far */

	HxCheckOnePlane(&code, "gray_rank");
	SET_VARSIZE(rank, VARHDRSZ + code.bytes);
	for (size_t i = 0; i < code.bytes; i++)
	{
		uint8 bits = code.data[i];

		bits ^= bits >> 1;
		bits ^= bits >> 2;
		bits ^= bits >> 4;
		out[i] = bits ^ before;
		before = out[i] & 1 ? 0xFF : 0;
	}
	if (code.dims % 8 != 0)
		out[code.bytes - 1] &= 0xFF << (8 - code.dims % 8);
	PG_RETURN_BYTEA_P(rank);
}
