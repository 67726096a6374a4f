/*
 * slots.c
 *	  Slots of ids in shared tables: hash_slots.
 *
 * The hashing trick, unified embeddings, QR and ROBE all need the same: numbers
 * below a limit, from a value and the feature that it belongs to.  What is hashed
 * is the value's text, so that an id has the same slots as smallint, bigint or
 * text: with the hash of hash.h and text in UTF-8,
 *
 *	   V = hash(hash(0, feature), value)
 *	   slot j = (the j-th number of splitmix64 from V) modulo m, from 0
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "encoder/map/slots.h"

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hash_slots_text);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hash_slots_bigint);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_hash_slots_uuid);

/* Most slots of a value */
#define MAX_SLOTS 65535

uint64
HxHashText(uint64 seed, const char *text, int length)
{
	char *utf8 = pg_server_to_any(text, length, PG_UTF8);
	uint64 hash;

	if (utf8 != text)
		length = (int) strlen(utf8);
	hash = hx_hash_bytes(seed, utf8, length);
	if (utf8 != text)
		pfree(utf8);
	return hash;
}

uint32
HxFirstSlot(uint64 feature, int64 id, uint32 m)
{
	char digits[24];
	uint64 counter;

	pg_lltoa(id, digits);
	counter = hx_hash_bytes(feature, digits, strlen(digits));
	return (uint32) (hx_split_mix(&counter) % m);
}

/* Slots of a value's text; feature, k and m are arguments 1, 2 and 3. */
static Datum
make_slots(FunctionCallInfo fcinfo, const char *value, int length)
{
	text *feature = PG_GETARG_TEXT_PP(1);
	int32 k = PG_GETARG_INT32(2);
	int32 m = PG_GETARG_INT32(3);
	Datum *slots;
	uint64 counter;

	if (k < 1 || k > MAX_SLOTS)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("a value cannot have %d slots, expected 1 to %d",
							   k, MAX_SLOTS)));
	if (m < 1)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("slots cannot be chosen of %d, expected at least 1", m)));
	counter =
		HxHashText(0, VARDATA_ANY(feature), (int) VARSIZE_ANY_EXHDR(feature));
	counter = HxHashText(counter, value, length);
	slots = palloc(k * sizeof(Datum));
	for (int j = 0; j < k; j++)
		slots[j] = Int32GetDatum((int32) (hx_split_mix(&counter) % (uint64) m));
	PG_RETURN_ARRAYTYPE_P(
		construct_array(slots, k, INT4OID, sizeof(int32), true, TYPALIGN_INT));
}

/* hash_slots(text, feature, k, m) */
Datum
hx_hash_slots_text(PG_FUNCTION_ARGS)
{
	text *value = PG_GETARG_TEXT_PP(0);

	return make_slots(fcinfo, VARDATA_ANY(value),
					  (int) VARSIZE_ANY_EXHDR(value));
}

/* hash_slots(bigint, feature, k, m): as of its digits */
Datum
hx_hash_slots_bigint(PG_FUNCTION_ARGS)
{
	char digits[24];

	pg_lltoa(PG_GETARG_INT64(0), digits);
	return make_slots(fcinfo, digits, (int) strlen(digits));
}

/* hash_slots(uuid, feature, k, m): as of its text */
Datum
hx_hash_slots_uuid(PG_FUNCTION_ARGS)
{
	char *digits =
		DatumGetCString(DirectFunctionCall1(uuid_out, PG_GETARG_DATUM(0)));

	return make_slots(fcinfo, digits, (int) strlen(digits));
}
