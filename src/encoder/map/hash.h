/*
 * hash.h
 *	  The hash of ids: 64 bits, the same on every machine and in every release.
 *
 * Slots are stored in tables, and computed elsewhere, too: this definition stays.
 * With mix(x) the finalizer of splitmix64 behind the addition of
 * 0x9e3779b97f4a7c15, all modulo 2^64,
 *
 *	   h = mix(seed)
 *	   h = mix(h ^ word)      for every 8 bytes, as a little-endian number; those
 *	                          missing in the last word are zeros
 *	   hash = mix(h ^ length) length in bytes
 *
 * Bytes are read one by one, so that the order of bytes of a machine plays no
 * part.  It is no hash against an adversary.
 */
#ifndef HX_MAP_HASH_H
#define HX_MAP_HASH_H

#include <stddef.h>

#include "random.h"

/* A bijection of 64 bits that scatters neighbouring numbers */
static inline uint64_t
hx_mix(uint64_t x)
{
	return hx_split_mix(&x);
}

static inline uint64_t
hx_hash_bytes(uint64_t seed, const void *bytes, size_t length)
{
	const uint8_t *at = bytes;
	uint64_t hash = hx_mix(seed);

	for (size_t start = 0; start < length; start += 8)
	{
		uint64_t word = 0;

		for (size_t i = start; i < length && i < start + 8; i++)
			word |= (uint64_t) at[i] << 8 * (i - start);
		hash = hx_mix(hash ^ word);
	}
	return hx_mix(hash ^ length);
}

#endif /* HX_MAP_HASH_H */
