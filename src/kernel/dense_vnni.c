/*
 * dense_vnni.c
 *	  Kernels of dense vectors for x86-64 with AVX-512 and VNNI: scores alone
 *	  differ from AVX-512's.
 *
 * Latency, and the instructions a cycle, on Ice Lake and on Zen 4:
 *
 *	vpdpbusd zmm  5  1    4  1    levels times the query, fours added
 */
#define HX_VNNI 1
#include "kernel/scores512.h"

#ifdef HX_X86

const HxDenseKernels hx_dense_vnni = {
	.nibble_scores = hx_nibble_scores_avx512,
	.pair_scores = hx_pair_scores_avx512,
	.bit_scores = hx_bit_scores_avx512,
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
};

#endif /* HX_X86 */
