/*
 * digest.c
 *	  SHA-256 of values in parts, computed by the server.
 */
#include "postgres.h"

#include "type/digest.h"

pg_cryptohash_ctx *
HxBeginDigests(void)
{
	pg_cryptohash_ctx *context = pg_cryptohash_create(PG_SHA256);

	if (context == NULL)
		ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY),
						errmsg("out of memory for a SHA-256 digest")));
	return context;
}

void
HxEndDigests(pg_cryptohash_ctx *context)
{
	pg_cryptohash_free(context);
}

void
HxDigest(pg_cryptohash_ctx *context, const HxDigestPart *parts, int count,
		 uint8 out[HX_DIGEST_BYTES])
{
	bool fine = pg_cryptohash_init(context) >= 0;

	for (int i = 0; i < count && fine; i++)
		fine = pg_cryptohash_update(context, parts[i].data, parts[i].size) >= 0;
	if (!fine || pg_cryptohash_final(context, out, HX_DIGEST_BYTES) < 0)
		ereport(ERROR, (errcode(ERRCODE_INTERNAL_ERROR),
						errmsg("could not compute a SHA-256 digest")));
}
