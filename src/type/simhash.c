/*
 * simhash.c
 *	  Binary codes from sparse vectors, by the signs of random projections.
 *
 * Bit d of the code is 1 where the sum over the vector's dimensions i of
 * weight i times sign(seed, i, d) is above 0.  Two vectors at an angle t differ
 * in about t/pi of the bits (Charikar 2002): exactly so on average if directions
 * were normally distributed; signs, which are cheaper, come close to that unless
 * very few or very equal weights make up the vectors.  The signs of 64 consecutive bits
 * come from one 64-bit hash,
 *
 *	   mix(mix(mix(seed) + i) + w),  w = (d - 1) / 64,  all modulo 2^64,
 *
 * the most significant bit first, a set bit being +1; mix(x) adds
 * 0x9e3779b97f4a7c15 and then applies the finalizer of splitmix64.  Sums run in
 * double by rising dimension, so that every CPU gives the same code.
 */
#include "postgres.h"

#include "miscadmin.h"

#include "compat.h"
#include "type/bincode.h"
#include "type/svec.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_simhash);

/* A bijection of 64 bits that scatters neighbouring numbers */
static inline uint64
mix(uint64 x)
{
	x += UINT64CONST(0x9e3779b97f4a7c15);
	x = (x ^ (x >> 30)) * UINT64CONST(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64CONST(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* Signs of four bits, the most significant first */
#define ROW(a, b)                                             \
	{a, b, -1.0, -1.0}, {a, b, -1.0, 1.0}, {a, b, 1.0, -1.0}, \
	{                                                         \
		a, b, 1.0, 1.0                                        \
	}
static const double signs_of[16][4] = {ROW(-1.0, -1.0), ROW(-1.0, 1.0),
									   ROW(1.0, -1.0), ROW(1.0, 1.0)};

/*
 * The sums of 64 bits of the code: `hashes` has one hash for each weight of the
 * vector, which is advanced to the given word.  Four bits at a time are two
 * vector instructions; a weight times its sign is exact.
 */
static void
project_word(const HxSvec *v, const uint64 *hashes, int word,
			 double *restrict sums)
{
	const float *weights = HxSvecWeights(v);

	memset(sums, 0, 64 * sizeof(double));
	for (int i = 0; i < v->nnz; i++)
	{
		uint64 bits = mix(hashes[i] + (uint64) word);
		double weight = weights[i];

		for (int group = 0; group < 16; group++)
		{
			const double *sign = signs_of[bits >> (60 - 4 * group) & 15];
			double *sum = sums + 4 * group;

			for (int k = 0; k < 4; k++)
				sum[k] += weight * sign[k];
		}
	}
}

/* simhash(v, bits, seed); a zero vector gives a code of zeros. */
Datum
hx_simhash(PG_FUNCTION_ARGS)
{
	HxSvec *v = PG_GETARG_SVEC_P(0);
	int32 bits = PG_GETARG_INT32(1);
	uint64 seed = mix((uint64) (int64) PG_GETARG_INT32(2));
	uint64 *hashes = palloc(Max(v->nnz, 1) * sizeof(uint64));
	Bincode *code;
	double sums[64];

	if (bits < 1 || bits > HX_MAX_CODE_BITS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("simhash cannot have %d bits, expected 1 to %d",
							   bits, HX_MAX_CODE_BITS)));
	for (int i = 0; i < v->nnz; i++)
		hashes[i] = mix(seed + (uint64) v->indices[i] + 1);

	code = HxNewBincode(bits, 1);
	for (int word = 0; word * 64 < bits; word++)
	{
		int dims = Min(64, bits - word * 64);

		CHECK_FOR_INTERRUPTS();
		project_word(v, hashes, word, sums);
		for (int bit = 0; bit < dims; bit++)
			code->data[word * 8 + bit / 8] |= (sums[bit] > 0) << (7 - bit % 8);
	}
	PG_RETURN_BINCODE(code);
}
