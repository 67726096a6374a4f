/*
 * digest.h
 *	  SHA-256 of values in parts, computed by the server, and bytes for it.
 */
#ifndef HX_DIGEST_H
#define HX_DIGEST_H

#include "postgres.h"

#include "common/cryptohash.h"

#define HX_DIGEST_BYTES 32

/* Bytes that follow those of the part before */
typedef struct HxDigestPart
{
	const void *data;
	size_t size;
} HxDigestPart;

/*
 * A context for any number of digests, which HxEndDigests frees.  It belongs to
 * the resource owner of the moment, so it must not outlive the function call.
 */
extern pg_cryptohash_ctx *HxBeginDigests(void);
extern void HxEndDigests(pg_cryptohash_ctx *context);

/* The digest of so many parts, one behind the other; `out` may be one of them. */
extern void HxDigest(pg_cryptohash_ctx *context, const HxDigestPart *parts,
					 int count, uint8 out[HX_DIGEST_BYTES]);

/* Write a number of so many bytes, the lowest first; returns what is behind. */
static inline uint8 *
HxPutNumber(uint8 *at, uint64 number, int bytes)
{
	for (int i = 0; i < bytes; i++)
		*at++ = number >> 8 * i & 0xFF;
	return at;
}

#endif /* HX_DIGEST_H */
