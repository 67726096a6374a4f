/*
 * emulate.h
 *	  The x86 intrinsics of the kernels in plain C, by SIMDe, so that AVX-512
 *	  is tested where no CPU has it.
 *
 * Masked loads are our own: SIMDe's read the whole vector, where the
 * instruction reads no byte that its mask leaves out.  So is what its older
 * versions lack.
 */
#ifndef HX_TEST_EMULATE_H
#define HX_TEST_EMULATE_H

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <simde/x86/avx512.h>

#include <stdint.h>
#include <string.h>

#undef _mm256_maskload_ps
#undef _mm512_maskz_loadu_epi8
#undef _mm512_maskz_loadu_ps
#undef _mm512_reduce_add_epi64
#undef _mm512_shuffle_i64x2
#undef _mm512_cvtepi8_epi16
#undef _mm512_madd_epi16
#undef _mm512_cvtepi8_epi32
#undef _mm512_cvtepu8_epi32
#undef _mm512_cvtepi32_ps
#undef _mm512_mask_storeu_ps
#undef _mm512_cvtph_ps
#undef _mm512_maskz_loadu_epi16
#undef _mm512_cmpneq_epi32_mask
#undef _mm512_alignr_epi32
#undef _mm512_permutex2var_epi16
#undef _mm512_permutex2var_epi8
#undef _mm512_permutexvar_epi8
#undef _mm512_gf2p8affine_epi64_epi8
#undef _mm512_mask_max_epu32
#undef _mm512_maskz_compress_epi32
#undef _mm512_mask_storeu_epi32

#define __mmask16 uint16_t
#define __mmask32 uint32_t
#define __mmask64 uint64_t

static inline simde__m512i
_mm512_maskz_loadu_epi8(uint64_t mask, const void *from)
{
	const uint8_t *bytes = (const uint8_t *) from;
	uint8_t held[64] = {0};

	for (int i = 0; i < 64; i++)
	{
		if (mask >> i & 1)
			held[i] = bytes[i];
	}
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512
_mm512_maskz_loadu_ps(uint16_t mask, const void *from)
{
	const float *floats = (const float *) from;
	float held[16] = {0};

	for (int i = 0; i < 16; i++)
	{
		if (mask >> i & 1)
			held[i] = floats[i];
	}
	return simde_mm512_loadu_ps(held);
}

static inline simde__m256
_mm256_maskload_ps(const float *from, simde__m256i mask)
{
	int32_t lanes[8];
	float held[8] = {0};

	memcpy(lanes, &mask, sizeof(lanes));
	for (int i = 0; i < 8; i++)
	{
		if (lanes[i] < 0)
			held[i] = from[i];
	}
	return simde_mm256_loadu_ps(held);
}

static inline int64_t
_mm512_reduce_add_epi64(simde__m512i vector)
{
	int64_t held[8];
	int64_t sum = 0;

	memcpy(held, &vector, sizeof(held));
	for (int i = 0; i < 8; i++)
		sum += held[i];
	return sum;
}

/* Two quarters of a, then two of b, two bits of `control` for each. */
static inline simde__m512i
_mm512_shuffle_i64x2(simde__m512i a, simde__m512i b, int control)
{
	uint8_t held[64];

	for (int i = 0; i < 4; i++)
		memcpy(held + 16 * i,
			   (const uint8_t *) (i < 2 ? &a : &b) +
				   16 * (control >> 2 * i & 3),
			   16);
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512i
_mm512_cvtepi8_epi16(simde__m256i narrow)
{
	int8_t from[32];
	int16_t to[32];

	memcpy(from, &narrow, sizeof(from));
	for (int i = 0; i < 32; i++)
		to[i] = from[i];
	return simde_mm512_loadu_si512(to);
}

static inline simde__m512i
_mm512_cvtepi8_epi32(simde__m128i narrow)
{
	int8_t from[16];
	int32_t to[16];

	memcpy(from, &narrow, sizeof(from));
	for (int i = 0; i < 16; i++)
		to[i] = from[i];
	return simde_mm512_loadu_si512(to);
}

static inline simde__m512i
_mm512_cvtepu8_epi32(simde__m128i narrow)
{
	uint8_t from[16];
	int32_t to[16];

	memcpy(from, &narrow, sizeof(from));
	for (int i = 0; i < 16; i++)
		to[i] = from[i];
	return simde_mm512_loadu_si512(to);
}

static inline simde__m512
_mm512_cvtepi32_ps(simde__m512i integers)
{
	int32_t from[16];
	float to[16];

	memcpy(from, &integers, sizeof(from));
	for (int i = 0; i < 16; i++)
		to[i] = (float) from[i];
	return simde_mm512_loadu_ps(to);
}

static inline void
_mm512_mask_storeu_ps(void *to, uint16_t mask, simde__m512 vector)
{
	float held[16];

	memcpy(held, &vector, sizeof(held));
	for (int i = 0; i < 16; i++)
	{
		if (mask >> i & 1)
			((float *) to)[i] = held[i];
	}
}

static inline simde__m512i
_mm512_madd_epi16(simde__m512i a, simde__m512i b)
{
	int16_t left[32];
	int16_t right[32];
	int32_t sums[16];

	memcpy(left, &a, sizeof(left));
	memcpy(right, &b, sizeof(right));
	for (int i = 0; i < 16; i++)
		sums[i] =
			left[2 * i] * right[2 * i] + left[2 * i + 1] * right[2 * i + 1];
	return simde_mm512_loadu_si512(sums);
}

/* By the size of the number, its sign apart. */
static inline simde__m512
_mm512_cvtph_ps(simde__m256i halves)
{
	uint16_t from[16];
	float to[16];

	memcpy(from, &halves, sizeof(from));
	for (int i = 0; i < 16; i++)
	{
		uint32_t bits = (uint32_t) (from[i] & 0x7fff) << 13;

		if (bits >= 0x0f800000)
			bits |= bits == 0x0f800000 ? 0x7f800000 : 0x7fc00000;
		else
		{
			memcpy(to + i, &bits, sizeof(bits));
			to[i] *= 0x1p112f;
			memcpy(&bits, to + i, sizeof(bits));
		}
		bits |= (uint32_t) (from[i] & 0x8000) << 16;
		memcpy(to + i, &bits, sizeof(bits));
	}
	return simde_mm512_loadu_ps(to);
}

static inline simde__m512i
_mm512_maskz_loadu_epi16(uint32_t mask, const void *from)
{
	const uint8_t *bytes = (const uint8_t *) from;
	uint8_t held[64] = {0};

	for (int i = 0; i < 64; i++)
	{
		if (mask >> i / 2 & 1)
			held[i] = bytes[i];
	}
	return simde_mm512_loadu_si512(held);
}

static inline uint16_t
_mm512_cmpneq_epi32_mask(simde__m512i a, simde__m512i b)
{
	uint32_t left[16];
	uint32_t right[16];
	uint16_t mask = 0;

	memcpy(left, &a, sizeof(left));
	memcpy(right, &b, sizeof(right));
	for (int i = 0; i < 16; i++)
		mask |= (uint16_t) ((left[i] != right[i]) << i);
	return mask;
}

/* Lanes from one of b on, and those of a behind them. */
static inline simde__m512i
_mm512_alignr_epi32(simde__m512i a, simde__m512i b, int first)
{
	uint32_t lanes[32];

	memcpy(lanes, &b, sizeof(b));
	memcpy(lanes + 16, &a, sizeof(a));
	return simde_mm512_loadu_si512(lanes + first);
}

static inline simde__m512i
_mm512_permutex2var_epi16(simde__m512i a, simde__m512i from, simde__m512i b)
{
	uint16_t words[64];
	uint16_t places[32];
	uint16_t held[32];

	memcpy(words, &a, sizeof(a));
	memcpy(words + 32, &b, sizeof(b));
	memcpy(places, &from, sizeof(places));
	for (int i = 0; i < 32; i++)
		held[i] = words[places[i] % 64];
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512i
_mm512_permutex2var_epi8(simde__m512i a, simde__m512i from, simde__m512i b)
{
	uint8_t bytes[128];
	uint8_t places[64];
	uint8_t held[64];

	memcpy(bytes, &a, sizeof(a));
	memcpy(bytes + 64, &b, sizeof(b));
	memcpy(places, &from, sizeof(places));
	for (int i = 0; i < 64; i++)
		held[i] = bytes[places[i] % 128];
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512i
_mm512_permutexvar_epi8(simde__m512i from, simde__m512i a)
{
	return _mm512_permutex2var_epi8(
		a, simde_mm512_and_si512(from, simde_mm512_set1_epi8(63)), a);
}

/* Bit i of a byte: the parity of it and byte 7 - i of the matrix of its word */
static inline simde__m512i
_mm512_gf2p8affine_epi64_epi8(simde__m512i x, simde__m512i matrix, int added)
{
	uint8_t bytes[64];
	uint8_t rows[64];
	uint8_t held[64];

	memcpy(bytes, &x, sizeof(bytes));
	memcpy(rows, &matrix, sizeof(rows));
	for (int b = 0; b < 64; b++)
	{
		held[b] = (uint8_t) added;
		for (int i = 0; i < 8; i++)
			held[b] ^=
				(uint8_t) (__builtin_parity(bytes[b] & rows[b / 8 * 8 + 7 - i])
						   << i);
	}
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512i
_mm512_mask_max_epu32(simde__m512i other, uint16_t mask, simde__m512i a,
					  simde__m512i b)
{
	uint32_t held[16];
	uint32_t left[16];
	uint32_t right[16];

	memcpy(held, &other, sizeof(held));
	memcpy(left, &a, sizeof(left));
	memcpy(right, &b, sizeof(right));
	for (int i = 0; i < 16; i++)
	{
		if (mask >> i & 1)
			held[i] = left[i] > right[i] ? left[i] : right[i];
	}
	return simde_mm512_loadu_si512(held);
}

static inline simde__m512i
_mm512_maskz_compress_epi32(uint16_t mask, simde__m512i vector)
{
	uint32_t lanes[16];
	uint32_t held[16] = {0};
	int count = 0;

	memcpy(lanes, &vector, sizeof(lanes));
	for (int i = 0; i < 16; i++)
	{
		if (mask >> i & 1)
			held[count++] = lanes[i];
	}
	return simde_mm512_loadu_si512(held);
}

static inline void
_mm512_mask_storeu_epi32(void *to, uint16_t mask, simde__m512i vector)
{
	uint32_t held[16];

	memcpy(held, &vector, sizeof(held));
	for (int i = 0; i < 16; i++)
	{
		if (mask >> i & 1)
			((uint32_t *) to)[i] = held[i];
	}
}

#endif /* HX_TEST_EMULATE_H */
