/*
 * words.h
 *	  Loops over 64-bit words, shared by the levels that count a word at a time.
 *
 * The includer defines HX_POPCOUNT(word) before.  Everything is inlined, so
 * that each loop is compiled for the target of the function that calls it and
 * for the constant lengths named in the switches.  A count does not depend on
 * the order of bits, so words are loaded in whatever order the CPU has.
 */
#ifndef HX_KERNEL_WORDS_H
#define HX_KERNEL_WORDS_H

#include <string.h>

#include "kernel/level.h"

/* Query words held on the stack by the loops of constant length */
#define HX_FIXED_WORDS 16

/* Eight bytes as a word. */
HX_INLINE uint64_t
load_word(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

/* The last `count` (0 to 7) bytes as a word, in an order of our own. */
HX_INLINE uint64_t
load_tail(const uint8_t *bytes, size_t count)
{
	uint64_t word = 0;
	uint32_t four;
	uint16_t two;

	if (count & 4)
	{
		memcpy(&four, bytes, sizeof(four));
		word = four;
		bytes += 4;
	}
	if (count & 2)
	{
		memcpy(&two, bytes, sizeof(two));
		word = word << 16 | two;
		bytes += 2;
	}
	if (count & 1)
		word = word << 8 | *bytes;
	return word;
}

/* Bits that differ between two codes of `bytes` bytes. */
HX_INLINE uint32_t
words_differing(const uint8_t *a, const uint8_t *b, size_t bytes)
{
	size_t whole = bytes & ~(size_t) 7;
	uint64_t sum = 0;

	for (size_t at = 0; at < whole; at += 8)
		sum += HX_POPCOUNT(load_word(a + at) ^ load_word(b + at));
	if (whole < bytes)
		sum += HX_POPCOUNT(load_tail(a + whole, bytes - whole) ^
						   load_tail(b + whole, bytes - whole));
	return (uint32_t) sum;
}

/* Bits set in a code of `bytes` bytes. */
HX_INLINE uint32_t
words_set(const uint8_t *a, size_t bytes)
{
	size_t whole = bytes & ~(size_t) 7;
	uint64_t sum = 0;

	for (size_t at = 0; at < whole; at += 8)
		sum += HX_POPCOUNT(load_word(a + at));
	if (whole < bytes)
		sum += HX_POPCOUNT(load_tail(a + whole, bytes - whole));
	return (uint32_t) sum;
}

/* Adds to *both the bits set in a and b, to *set those set in b. */
HX_INLINE void
words_overlap(const uint8_t *a, const uint8_t *b, size_t bytes, uint32_t *both,
			  uint32_t *set)
{
	size_t whole = bytes & ~(size_t) 7;
	uint64_t and_sum = 0;
	uint64_t set_sum = 0;
	uint64_t word;

	for (size_t at = 0; at < whole; at += 8)
	{
		word = load_word(b + at);
		set_sum += HX_POPCOUNT(word);
		and_sum += HX_POPCOUNT(word & load_word(a + at));
	}
	if (whole < bytes)
	{
		word = load_tail(b + whole, bytes - whole);
		set_sum += HX_POPCOUNT(word);
		and_sum += HX_POPCOUNT(word & load_tail(a + whole, bytes - whole));
	}
	*both += (uint32_t) and_sum;
	*set += (uint32_t) set_sum;
}

/* Weighted sum over plane pairs of one word of each plane. */
HX_INLINE uint64_t
word_levels(const uint64_t *a, const uint64_t *b, int planes)
{
	uint64_t sum = 0;

	HX_UNROLL
	for (int i = 0; i < planes; i++)
	{
		HX_UNROLL
		for (int j = 0; j < planes; j++)
			sum += (uint64_t) HX_POPCOUNT(a[i] & b[j])
				   << (2 * (planes - 1) - i - j);
	}
	return sum;
}

/* Product of levels over bytes `from` to `plane_bytes` of every plane. */
HX_INLINE uint32_t
words_levels(const uint8_t *a, const uint8_t *b, size_t plane_bytes,
			 size_t from, int planes)
{
	size_t tail = (plane_bytes - from) & 7;
	size_t whole = plane_bytes - tail;
	uint64_t a_words[HX_PLANES];
	uint64_t b_words[HX_PLANES];
	uint64_t sum = 0;

	for (size_t at = from; at < whole; at += 8)
	{
		HX_UNROLL
		for (int i = 0; i < planes; i++)
		{
			a_words[i] = load_word(a + i * plane_bytes + at);
			b_words[i] = load_word(b + i * plane_bytes + at);
		}
		sum += word_levels(a_words, b_words, planes);
	}
	if (tail)
	{
		HX_UNROLL
		for (int i = 0; i < planes; i++)
		{
			a_words[i] = load_tail(a + i * plane_bytes + whole, tail);
			b_words[i] = load_tail(b + i * plane_bytes + whole, tail);
		}
		sum += word_levels(a_words, b_words, planes);
	}
	return (uint32_t) sum;
}

/* Level products for a constant number of planes. */
HX_INLINE void
words_products_planes(const uint8_t *query, size_t plane_bytes, int planes,
					  HxCodes codes, uint32_t *product)
{
	for (size_t i = 0; i < codes.count; i++)
		product[i] = words_levels(query, codes.base + i * codes.stride,
								  plane_bytes, 0, planes);
}

/* The level_product operation. */
HX_INLINE void
words_products(const uint8_t *query, size_t plane_bytes, int planes,
			   HxCodes codes, uint32_t *product)
{
	switch (planes)
	{
		case 1:
			words_products_planes(query, plane_bytes, 1, codes, product);
			break;
		case 2:
			words_products_planes(query, plane_bytes, 2, codes, product);
			break;
		case 3:
			words_products_planes(query, plane_bytes, 3, codes, product);
			break;
		default:
			words_products_planes(query, plane_bytes, 4, codes, product);
	}
}

/*
 * Hamming distances for a constant number of bytes.  The query is copied,
 * because a byte pointer might alias the results and be read again for each.
 */
HX_INLINE void
words_hamming_fixed(const uint8_t *query, size_t bytes, HxCodes codes,
					uint32_t *differing)
{
	uint64_t held[HX_FIXED_WORDS];

	memcpy(held, query, bytes);
	for (size_t i = 0; i < codes.count; i++)
	{
		const uint8_t *code = codes.base + i * codes.stride;
		uint64_t sum = 0;

		HX_UNROLL
		for (size_t word = 0; word < bytes / 8; word++)
			sum += HX_POPCOUNT(held[word] ^ load_word(code + 8 * word));
		differing[i] = (uint32_t) sum;
	}
}

/* The hamming operation. */
HX_INLINE void
words_hamming(const uint8_t *query, size_t bytes, HxCodes codes,
			  uint32_t *differing)
{
	switch (bytes)
	{
		case 8:
			words_hamming_fixed(query, 8, codes, differing);
			break;
		case 16:
			words_hamming_fixed(query, 16, codes, differing);
			break;
		case 32:
			words_hamming_fixed(query, 32, codes, differing);
			break;
		case 64:
			words_hamming_fixed(query, 64, codes, differing);
			break;
		case 128:
			words_hamming_fixed(query, 128, codes, differing);
			break;
		default:
			for (size_t i = 0; i < codes.count; i++)
				differing[i] = words_differing(
					query, codes.base + i * codes.stride, bytes);
	}
}

/* The overlap operation. */
HX_INLINE void
words_overlaps(const uint8_t *query, size_t bytes, HxCodes codes,
			   uint32_t *both, uint32_t *either)
{
	uint32_t query_set = words_set(query, bytes);

	for (size_t i = 0; i < codes.count; i++)
	{
		uint32_t in_both = 0;
		uint32_t set = 0;

		words_overlap(query, codes.base + i * codes.stride, bytes, &in_both,
					  &set);
		both[i] = in_both;
		either[i] = query_set + set - in_both;
	}
}

#endif /* HX_KERNEL_WORDS_H */
