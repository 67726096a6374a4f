/*
 * dense_vnni.c
 *	  Kernels of dense vectors for x86-64 with AVX-512, VNNI, VBMI and GFNI, which
 *	  come together: scores alone differ from AVX-512's.
 *
 * Latency, and the instructions a cycle, on Ice Lake and on Zen 4:
 *
 *	vpdpbusd zmm        5  1    4  1    levels times the query, fours added
 *	vpermb zmm          3  1    4  1    a byte of each plane beside each other
 *	vgf2p8affineqb zmm  5  1    3  1    eight bytes of bits, transposed
 */
#define HX_VNNI 1
#include "kernel/scores512.h"

#ifdef HX_X86

#define HX_GFNI                                                   \
	HX_TARGET("popcnt,avx2,avx512f,avx512bw,avx512vl,avx512vnni," \
			  "avx512vbmi,gfni")

/* Bytes of each plane that are joined at a time */
#define HX_JOINED 16

/* What levels of 16 bytes of each plane meet: those of its first half, and others */
typedef struct HxMet
{
	__m512i low;
	__m512i high;
} HxMet;

/* Four runs of up to 16 bytes, zeros behind them and where there are none. */
HX_INLINE HX_GFNI __m512i
load_four(const void *bytes, size_t stride, int first, size_t left)
{
	const uint8_t *from = (const uint8_t *) bytes;
	__mmask64 mask =
		left < HX_JOINED ? ((__mmask64) 1 << left) - 1 : (__mmask64) 0xffff;
	__m128i run[4];

	HX_UNROLL
	for (int i = 0; i < 4; i++)
		run[i] = i < first ? _mm_setzero_si128()
						   : _mm512_castsi512_si128(_mm512_maskz_loadu_epi8(
								 mask, from + (size_t) (i - first) * stride));
	return _mm512_inserti32x4(
		_mm512_inserti32x4(
			_mm512_inserti32x4(_mm512_castsi128_si512(run[0]), run[1], 1),
			run[2], 2),
		run[3], 3);
}

/* The query's numbers for bytes of the planes, in the order of join_planes. */
HX_INLINE HX_GFNI HxMet
load_met(const int8_t *query, size_t plane_bytes, size_t at)
{
	/* Byte 8 i + p: that of part p at place i, of the first eight places */
	const __m512i low = _mm512_set_epi64(
		0x7767574737271707, 0x7666564636261606, 0x7565554535251505,
		0x7464544434241404, 0x7363534333231303, 0x7262524232221202,
		0x7161514131211101, 0x7060504030201000);
	const __m512i high = _mm512_or_si512(low, _mm512_set1_epi8(8));
	__m512i first = load_four(query + at, plane_bytes, 0, plane_bytes - at);
	__m512i second = load_four(query + 4 * plane_bytes + at, plane_bytes, 0,
							   plane_bytes - at);

	return (HxMet){_mm512_permutex2var_epi8(first, low, second),
				   _mm512_permutex2var_epi8(first, high, second)};
}

/*
 * Levels of 16 bytes of each of four planes: byte 8 i + p has in its lower half the
 * level of bit p of byte i, in its upper half that of byte i + 8.
 */
HX_INLINE HX_GFNI __m512i
join_planes(__m512i planes)
{
	/* Word i: byte i + 8 of each plane, then byte i of each */
	const __m512i beside = _mm512_set_epi64(
		0x372717073f2f1f0f, 0x362616063e2e1e0e, 0x352515053d2d1d0d,
		0x342414043c2c1c0c, 0x332313033b2b1b0b, 0x322212023a2a1a0a,
		0x3121110139291909, 0x3020100038281808);

	/* Bits p of a word's bytes, the last byte's first, become byte p */
	return _mm512_gf2p8affine_epi64_epi8(
		_mm512_set1_epi64((long long) 0x8040201008040201),
		_mm512_permutexvar_epi8(beside, planes), 0);
}

/* Adds the products of 16 bytes of each plane of a row. */
HX_INLINE HX_GFNI __m512i
add_planes(__m512i sums, __m512i planes, HxMet met)
{
	const __m512i nibble = _mm512_set1_epi8(0x0f);
	__m512i levels = join_planes(planes);

	sums = _mm512_dpbusd_epi32(sums, _mm512_and_si512(levels, nibble), met.low);
	return _mm512_dpbusd_epi32(
		sums, _mm512_and_si512(_mm512_srli_epi16(levels, 4), nibble), met.high);
}

/* Scores of codes of planes of a constant number of bytes, or any */
HX_INLINE HX_GFNI void
plane_scores(const int8_t *query, size_t plane_bytes, int planes, HxCodes codes,
			 int32_t *score)
{
	HxMet first = load_met(query, plane_bytes, 0);

	for (size_t start = 0; start < codes.count; start += HX_GROUP)
	{
		HxGroup group = group_at(codes, start);
		__m512i sums[HX_GROUP];
		int32_t held[HX_GROUP];

		HX_UNROLL
		for (int c = 0; c < HX_GROUP; c++)
			sums[c] = _mm512_setzero_si512();
		for (size_t at = 0; at < plane_bytes; at += HX_JOINED)
		{
			HxMet met = at > 0 ? load_met(query, plane_bytes, at) : first;

			HX_UNROLL
			for (int c = 0; c < HX_GROUP; c++)
			{
				const uint8_t *row = group.row[c] + at;

				sums[c] =
					add_planes(sums[c],
							   plane_bytes == HX_JOINED && planes == 4
								   ? _mm512_loadu_si512(row)
								   : load_four(row, plane_bytes, 4 - planes,
											   plane_bytes - at),
							   met);
			}
		}
		_mm256_storeu_si256((__m256i *) held, sum_group(sums));
		memcpy(score + start, held, group.count * sizeof(int32_t));
	}
}

HX_GFNI static void
hx_plane_scores_gfni(const int8_t *query, size_t plane_bytes, int planes,
					 HxCodes codes, int32_t *score)
{
	if (planes == 1)
		hx_bit_scores_avx512(query, plane_bytes, codes, score);
	else if (plane_bytes == HX_JOINED && planes == 4)
		plane_scores(query, HX_JOINED, 4, codes, score);
	else
		plane_scores(query, plane_bytes, planes, codes, score);
}

const HxDenseKernels hx_dense_vnni = {
	.nibble_scores = hx_nibble_scores_avx512,
	.pair_scores = hx_pair_scores_avx512,
	.bit_scores = hx_bit_scores_avx512,
	.plane_scores = hx_plane_scores_gfni,
	.inner = hx_inner_avx512,
	.inner_many = hx_inner_many_avx512,
	.number_scores = hx_number_scores_avx512,
	.squares = hx_squares_avx512,
	.product = hx_product_avx2,
	.square = hx_square_avx2,
	.widen_half = hx_widen_half_avx512,
	.hadamard = hx_hadamard_avx2,
	.flip = hx_flip_avx512,
	.token_sums = hx_token_sums_avx2,
	.token_glances = hx_token_glances_avx512,
	.great_glances = hx_great_glances_avx2,
};

#endif /* HX_X86 */
