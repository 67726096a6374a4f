/*
 * dense.h
 *	  Kernels of dense vectors: floats and halves, codes of levels scored by a
 *	  query of small integers, and the Walsh-Hadamard transform.
 *
 * As in kernel.h, every level gives the same bits.  Sums of floats, and of
 * doubles, are kept in HX_LANES lanes, lane = dimension mod HX_LANES, each
 * summed by rising dimension without fused multiply-add; then lanes l and
 * l + 8 are added, l and l + 4, l and l + 2, and the last two.  Floats need the
 * alignment of their type, codes none; no kernel reads a byte outside of its
 * arguments.
 *
 * Codes of levels.  A code of `bytes` bytes holds 8 * bytes / w levels of w
 * bits, unsigned.  Byte i holds levels i, bytes + i, 2 * bytes + i and so on,
 * the first in the least significant bits: a nibble code holds level i in the
 * low and level bytes + i in the high half of byte i, a code of pairs level
 * p * bytes + i in bits 2p and 2p + 1, and a bit code in bit p.  So a vector of bytes, shifted and masked, meets as
 * many neighbouring numbers of the query.  What is left at the end is level 0,
 * or the query is 0 there.
 */
#ifndef HX_KERNEL_DENSE_H
#define HX_KERNEL_DENSE_H

#include <stddef.h>
#include <stdint.h>

#include "kernel/codes.h"

/* An array of codes of levels */
typedef HxCodes HxLevelRows;

/* Rows of floats, `stride` floats apart */
typedef struct HxFloatRows
{
	const float *base; /* first float of the first row */
	size_t stride;	   /* floats from one row to the next */
	size_t count;	   /* number of rows */
} HxFloatRows;

/*
 * Eight tokens of a query: their products with the entries of three tables, side
 * by side.  A code's bits, from the least significant on, are a place in each
 * (HX_TOKEN_BITS) and, the last three, what the sum of the entries is multiplied
 * with: 1 and so many tenths.  No sum of three entries exceeds 16 bits.
 */
#define HX_TOKEN_LANES 8
#define HX_TOKEN_FIRST 2048 /* entries of the first table */
#define HX_TOKEN_OTHER 512	/* and of the others */
#define HX_TOKEN_FACTOR(step) (16384 + 16384 * (step) / 10)

typedef struct HxTokenTables
{
	const int16_t *first;
	const int16_t *second;
	const int16_t *third;
} HxTokenTables;

/* Lists of codes, one after the other; their ends are uint16_t at any address */
typedef struct HxTokenLists
{
	const uint32_t *codes;
	const uint8_t *ends; /* of the first list */
	size_t stride;		 /* bytes from one end to the next */
	size_t start;		 /* of the first list */
	size_t count;		 /* lists */
	size_t length;		 /* of each list: then nobody asks for ends; or 0 */
} HxTokenLists;

/* One pointer per operation, all of one level */
typedef struct HxDenseKernels
{
	/*
	 * score[r] = sum of query[i] times level i of row r, exact.  `query` has as
	 * many numbers as a row has levels: 2 * bytes, 4 * bytes, and 8 * bytes.  A
	 * row has at most HX_SCORED_BYTES bytes.
	 */
	void (*nibble_scores)(const int8_t *query, size_t bytes, HxCodes codes,
						  int32_t *score);
	void (*pair_scores)(const int8_t *query, size_t bytes, HxCodes codes,
						int32_t *score);
	void (*bit_scores)(const int8_t *query, size_t bytes, HxCodes codes,
					   int32_t *score);

	/*
	 * The same for levels whose bits lie apart, in `planes` planes of plane_bytes
	 * bytes each, the most significant first (kernel.h): the query's number
	 * p * plane_bytes + i meets the level of which byte i of every plane holds a bit
	 * in bit p.
	 */
	void (*plane_scores)(const int8_t *query, size_t plane_bytes, int planes,
						 HxCodes codes, int32_t *score);

	/* product[r] = inner product of the query and row r, in float */
	void (*inner)(const float *query, size_t dims, HxFloatRows rows,
				  float *product);

	/*
	 * product[q * stride + r] = what inner gives for query q and row r.  Both are
	 * read from memory few times.
	 */
	void (*inner_many)(HxFloatRows queries, size_t dims, HxFloatRows rows,
					   float *product, size_t stride);

	/*
	 * score[r] = sum of query[i] times number i of row r, exact.  Rows are `stride`
	 * numbers apart and have HX_NUMBERS numbers at most.
	 */
	void (*number_scores)(const int16_t *query, size_t dims, const int8_t *rows,
						  size_t stride, size_t count, int32_t *score);

	/* square[r] = squared distance of the query and row r, in float */
	void (*squares)(const float *query, size_t dims, HxFloatRows rows,
					float *square);

	/* Inner product of two vectors in double, whose products are exact */
	double (*product)(const float *a, const float *b, size_t dims);

	/* Squared distance of two vectors in double, differences rounded */
	double (*square)(const float *a, const float *b, size_t dims);

	/* to[i] = from[i], an IEEE half: exact; NaN stays NaN, made quiet */
	void (*widen_half)(const uint16_t *from, size_t count, float *to);

	/*
	 * x = H x, in place: the Walsh-Hadamard transform, not scaled, so that the
	 * squared length grows by the factor `count`, which is a power of two.  For
	 * distances of 1, 2, 4 and so on, each pair at that distance becomes its
	 * sum and its difference.
	 */
	void (*hadamard)(float *x, size_t count);

	/*
	 * Turns the sign of x[i] where bit i % 8, from the least significant, of
	 * signs[i / 8] is set.
	 */
	void (*flip)(float *x, size_t count, const uint8_t *signs);

	/*
	 * sum[i] += over the eight tokens, the greatest product with a code of list i;
	 * of an empty list nothing.  A product is the sum of three entries times
	 * HX_TOKEN_FACTOR / 65536, rounded down.
	 */
	void (*token_sums)(HxTokenTables tables, const HxTokenLists *lists,
					   int32_t *sum);

	/*
	 * glance[i] += over eight tokens, the greatest byte of the first table's places
	 * in list i's codes; of an empty list nothing.  `table` has HX_TOKEN_FIRST
	 * entries of HX_TOKEN_LANES bytes.
	 */
	void (*token_glances)(const uint8_t *table, HxTokenLists lists,
						  int32_t *glance);

	/*
	 * Bit i tells whether glance[i] is `least`, which is more than 0, or more, or not
	 * above 0; of 64 at most.
	 */
	uint64_t (*great_glances)(const int32_t *glance, size_t count,
							  int32_t least);
} HxDenseKernels;

/* Longest row of levels: no sum may exceed the range of int32_t */
#define HX_SCORED_BYTES (1 << 19)

/* Most numbers of a row that number_scores takes, likewise */
#define HX_NUMBERS 512

#endif /* HX_KERNEL_DENSE_H */
