/*
 * encode.c
 *	  How a value of each type becomes one or two words, and the support
 *	  functions of the attribute operator classes, which say so.
 *
 * Every word compares as a signed integer of 64 bits.  What a word promises is
 * its kind's: see HxAttrKind.
 */
#include "postgres.h"

#include <math.h>
#include <sys/socket.h>

#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "common/int.h"
#include "fmgr.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/inet.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/pg_lsn.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"
#include "utils/varbit.h"
#include "utils/xid8.h"

#include "compat.h"
#include "index/filter/attribute.h"

#define SIGN_BIT (UINT64CONST(1) << 63)

/* A word that compares as the unsigned number does */
static inline int64
signed_word(uint64 number)
{
	return (int64) (number ^ SIGN_BIT);
}

/* A word that compares as the first eight bytes do, shorter values first */
static int64
prefix_word(const void *bytes, int length)
{
	uint64 prefix = 0;

	memcpy(&prefix, bytes, Min(length, (int) sizeof(prefix)));
	return signed_word(pg_ntoh64(prefix));
}

/*
 * A word that compares as the number does: -0 equals 0, NaN equals itself and
 * is greater than infinity.  Never INT64_MIN.
 */
static int64
float_word(double number)
{
	int64 word;

	if (isnan(number))
		return PG_INT64_MAX;
	if (number == 0.0)
		return 0;
	memcpy(&word, &number, sizeof(word));
	return word < 0 ? word ^ PG_INT64_MAX : word;
}

/* Free a detoasted copy, if it is one */
static inline void
free_copy(const void *copy, Datum value)
{
	if (copy != DatumGetPointer(value))
		pfree(unconstify(void *, copy));
}

/* By a type's own function, of 64 bits */
static inline uint64
call_hash(const HxHash *hash, Oid collation, Datum value)
{
	/* the function may keep state behind its FmgrInfo */
	return DatumGetUInt64(
		FunctionCall2Coll(unconstify(FmgrInfo *, &hash->function), collation,
						  value, UInt64GetDatum(0)));
}

static uint64
hash_as_text(const HxHash *hash, Oid collation, const char *bytes, int length)
{
	text *string = cstring_to_text_with_len(bytes, length);
	uint64 result = call_hash(hash, collation, PointerGetDatum(string));

	pfree(string);
	return result;
}

/*
 * The hash of a value of the type that it was prepared for, or of one that is
 * binary-coercible to it.  There must be a hash.
 */
uint64
HxHashValue(const HxHash *hash, Oid collation, Datum value)
{
	switch (hash->form)
	{
		case HX_HASH_VALUE:
			return call_hash(hash, collation, value);
		case HX_HASH_SHORT:
			return DatumGetUInt32(FunctionCall1Coll(
				unconstify(FmgrInfo *, &hash->function), collation, value));
		case HX_HASH_NAME:
		{
			const char *name = NameStr(*DatumGetName(value));

			return hash_as_text(hash, collation, name, strlen(name));
		}
		case HX_HASH_BPCHAR:
		{
			BpChar *string = DatumGetBpCharPP(value);
			char *bytes = VARDATA_ANY(string);
			uint64 result =
				hash_as_text(hash, collation, bytes,
							 bpchartruelen(bytes, VARSIZE_ANY_EXHDR(string)));

			free_copy(string, value);
			return result;
		}
		case HX_HASH_BITS:
		{
			VarBit *bits = DatumGetVarBitP(value);
			uint64 result = hash_bytes_extended(
				VARBITS(bits), VARBITBYTES(bits), VARBITLEN(bits));

			free_copy(bits, value);
			return result;
		}
		case HX_HASH_NONE:
			break;
	}
	elog(ERROR, "values without a hash function are not hashed");
	return 0; /* keep compiler quiet */
}

/* The hash of an attribute's value, or of an array's element */
static inline uint64
hash_value(const HxAttr *attr, Datum value)
{
	return HxHashValue(&attr->hash, attr->collation, value);
}

static void
encode_bool(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = DatumGetBool(value) ? 1 : 0;
}

static void
encode_int2(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = DatumGetInt16(value);
}

/* int4 and date */
static void
encode_int4(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = DatumGetInt32(value);
}

/* int8, time, timestamp and timestamptz */
static void
encode_int8(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = DatumGetInt64(value);
}

static void
encode_char(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = (uint8) DatumGetChar(value);
}

/* oid and xid */
static void
encode_oid(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = (int64) DatumGetObjectId(value);
}

static void
encode_float4(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = float_word((double) DatumGetFloat4(value));
}

static void
encode_float8(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = float_word(DatumGetFloat8(value));
}

/* The nearest double; what is beyond its range becomes infinite. */
static void
encode_numeric(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = float_word(
		DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, value)));
}

/*
 * Microseconds with months of 30 days of 24 hours, as intervals compare.
 * Their true range needs 73 bits: the ends are cut off.
 */
static void
encode_interval(const HxAttr *attr, Datum value, int64 *words)
{
	const Interval *interval = DatumGetIntervalP(value);
	int64 days = interval->time / USECS_PER_DAY;
	int64 rest = interval->time % USECS_PER_DAY;

	days += interval->month * INT64CONST(30) + interval->day;
	if (rest < 0)
	{
		/* rest >= 0, so that an overflow has the sign of days */
		rest += USECS_PER_DAY;
		days--;
	}
	if (pg_mul_s64_overflow(days, USECS_PER_DAY, &words[0]) ||
		pg_add_s64_overflow(words[0], rest, &words[0]))
		words[0] = days < 0 ? PG_INT64_MIN : PG_INT64_MAX;
}

static void
encode_xid8(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] =
		signed_word(U64FromFullTransactionId(DatumGetFullTransactionId(value)));
}

static void
encode_pg_lsn(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = signed_word(DatumGetLSN(value));
}

static void
encode_macaddr(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = prefix_word(DatumGetMacaddrP(value), sizeof(macaddr));
}

static void
encode_macaddr8(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = prefix_word(DatumGetMacaddr8P(value), sizeof(macaddr8));
}

/* The moment in Greenwich, then the zone */
static void
encode_timetz(const HxAttr *attr, Datum value, int64 *words)
{
	const TimeTzADT *time = DatumGetTimeTzADTP(value);

	Assert(attr->nwords == 2);
	words[0] = time->time + time->zone * USECS_PER_SEC;
	words[1] = time->zone;
}

static void
encode_uuid(const HxAttr *attr, Datum value, int64 *words)
{
	const pg_uuid_t *uuid = DatumGetUUIDP(value);

	Assert(attr->nwords == 2);
	words[0] = prefix_word(uuid->data, 8);
	words[1] = prefix_word(uuid->data + 8, 8);
}

static void
encode_text(const HxAttr *attr, Datum value, int64 *words)
{
	text *string = DatumGetTextPP(value);

	words[0] = (int64) hash_value(attr, PointerGetDatum(string));
	if (attr->ordered)
		words[1] = prefix_word(VARDATA_ANY(string), VARSIZE_ANY_EXHDR(string));
	free_copy(string, value);
}

/* Equality by hash: any type that has one */
static void
encode_hash(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = (int64) hash_value(attr, value);
}

/* Bytes compare as text does in collation C. */
static void
encode_bytea(const HxAttr *attr, Datum value, int64 *words)
{
	bytea *bytes = DatumGetByteaPP(value);

	words[0] = (int64) hash_value(attr, PointerGetDatum(bytes));
	if (attr->ordered)
		words[1] = prefix_word(VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	free_copy(bytes, value);
}

/* bit and varbit: by their bits, then by their number */
static void
encode_bits(const HxAttr *attr, Datum value, int64 *words)
{
	VarBit *bits = DatumGetVarBitP(value);

	words[0] = (int64) hash_value(attr, PointerGetDatum(bits));
	if (attr->ordered)
		words[1] = prefix_word(VARBITS(bits), VARBITBYTES(bits));
	free_copy(bits, value);
}

/* As text, but blanks at the end do not count. */
static void
encode_bpchar(const HxAttr *attr, Datum value, int64 *words)
{
	BpChar *string = DatumGetBpCharPP(value);
	char *bytes = VARDATA_ANY(string);

	words[0] = (int64) hash_value(attr, PointerGetDatum(string));
	if (attr->ordered)
		words[1] =
			prefix_word(bytes, bpchartruelen(bytes, VARSIZE_ANY_EXHDR(string)));
	free_copy(string, value);
}

static void
encode_name(const HxAttr *attr, Datum value, int64 *words)
{
	const char *name = NameStr(*DatumGetName(value));

	words[0] = (int64) hash_value(attr, value);
	if (attr->ordered)
		words[1] = prefix_word(name, strlen(name));
}

/*
 * Addresses compare by family, then by the bits that both netmasks cover, then
 * by netmask, then by address.  Masked to its own netmask, an address sorts no
 * later than those of the longer netmasks below it.
 */
static void
encode_inet(const HxAttr *attr, Datum value, int64 *words)
{
	inet *address = DatumGetInetPP(value);
	uint64 network = 0;
	int bits = ip_bits(address);

	Assert(attr->ordered && attr->nwords == 2);
	memcpy(&network, ip_addr(address),
		   Min(ip_addrsize(address), (int) sizeof(network)));
	network = pg_ntoh64(network);
	if (bits < 64)
		network &= ~(PG_UINT64_MAX >> bits);
	network >>= 1;
	if (ip_family(address) != PGSQL_AF_INET)
		network |= SIGN_BIT;

	words[0] = (int64) hash_value(attr, PointerGetDatum(address));
	words[1] = signed_word(network);
	free_copy(address, value);
}

static void
encode_enum(const HxAttr *attr, Datum value, int64 *words)
{
	words[0] = (int64) DatumGetObjectId(value);
}

/* The two bits that an array's element of some hash sets */
void
HxHashBits(uint64 hash, uint64 *bits)
{
	bits[0] = UINT64CONST(1) << (hash & 63);
	bits[1] = UINT64CONST(1) << ((hash >> 6) & 63);
}

/* The two bits that an array's element sets */
void
HxElementBits(const HxAttr *attr, Datum element, uint64 *bits)
{
	HxHashBits(hash_value(attr, element), bits);
}

/* The union of the elements' bits; all bits where elements have no hash. */
static void
encode_array(const HxAttr *attr, Datum value, int64 *words)
{
	ArrayType *array;
	Datum *elements;
	bool *nulls;
	int count;

	Assert(attr->nwords == 2);
	if (attr->hash.form == HX_HASH_NONE)
	{
		words[0] = words[1] = -1;
		return;
	}
	words[0] = words[1] = 0;
	array = DatumGetArrayTypeP(value);
	HxArrayElements(array, &elements, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		uint64 bits[2];

		if (nulls[i])
			continue;
		HxElementBits(attr, elements[i], bits);
		words[0] |= (int64) bits[0];
		words[1] |= (int64) bits[1];
	}
	if (count > 0)
	{
		pfree(elements);
		pfree(nulls);
	}
	free_copy(array, value);
}

/* An array's elements in storage order, whatever its dimensions. */
void
HxArrayElements(ArrayType *array, Datum **elements, bool **nulls, int *count)
{
	int16 length;
	bool by_value;
	char align;

	get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &align);
	deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, align,
					  elements, nulls, count);
}

/* Encoder of a type that others of its family are compared with */
typedef struct NumberType
{
	Oid type;	/* the type */
	Oid widest; /* widest type of its family */
	void (*encode)(const HxAttr *, Datum, int64 *); /* its encoder */
} NumberType;

static const NumberType number_types[] = {
	{INT2OID, INT8OID, encode_int2},
	{INT4OID, INT8OID, encode_int4},
	{INT8OID, INT8OID, encode_int8},
	{FLOAT4OID, FLOAT8OID, encode_float4},
	{FLOAT8OID, FLOAT8OID, encode_float8},
};

static const NumberType *
find_number_type(Oid type)
{
	for (int i = 0; i < (int) lengthof(number_types); i++)
		if (number_types[i].type == type)
			return &number_types[i];
	return NULL;
}

/*
 * Words of a value that an attribute is compared with, whose type the operator
 * says (InvalidOid: the attribute's own).  False if values of that type have
 * no words that compare with the attribute's.
 */
bool
HxEncodeOperand(const HxAttr *attr, Oid subtype, Datum value, int64 *words)
{
	const NumberType *column;
	const NumberType *operand;

	if (!OidIsValid(subtype) || subtype == attr->type ||
		IsPolymorphicType(subtype))
	{
		attr->class->encode(attr, value, words);
		return true;
	}
	column = find_number_type(attr->type);
	operand = find_number_type(subtype);
	if (column == NULL || operand == NULL || column->widest != operand->widest)
		return false;
	operand->encode(attr, value, words);
	return true;
}

/*
 * Support functions: each returns the class of its encoder.  The argument is a
 * dummy that keeps them from being called in SQL.
 */
#define ATTRIBUTE_CLASS(name, ...)                                     \
	static const HxAttrClass name##_class = {__VA_ARGS__,              \
											 .encode = encode_##name}; \
	Datum hx_attr_##name(PG_FUNCTION_ARGS)                             \
	{                                                                  \
		PG_RETURN_POINTER(unconstify(HxAttrClass *, &name##_class));   \
	}                                                                  \
	extern Datum hx_attr_##name(PG_FUNCTION_ARGS)

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_bool);
ATTRIBUTE_CLASS(bool, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_int2);
ATTRIBUTE_CLASS(int2, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_int4);
ATTRIBUTE_CLASS(int4, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_int8);
ATTRIBUTE_CLASS(int8, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_oid);
ATTRIBUTE_CLASS(oid, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_float4);
ATTRIBUTE_CLASS(float4, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_float8);
ATTRIBUTE_CLASS(float8, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_numeric);
ATTRIBUTE_CLASS(numeric, HX_ATTR_ROUNDED);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_interval);
ATTRIBUTE_CLASS(interval, HX_ATTR_ROUNDED);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_uuid);
ATTRIBUTE_CLASS(uuid, HX_ATTR_PAIR);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_text);
ATTRIBUTE_CLASS(text, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_bpchar);
ATTRIBUTE_CLASS(bpchar, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_name);
ATTRIBUTE_CLASS(name, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_inet);
ATTRIBUTE_CLASS(inet, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_char);
ATTRIBUTE_CLASS(char, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_xid8);
ATTRIBUTE_CLASS(xid8, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_pg_lsn);
ATTRIBUTE_CLASS(pg_lsn, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_macaddr);
ATTRIBUTE_CLASS(macaddr, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_macaddr8);
ATTRIBUTE_CLASS(macaddr8, HX_ATTR_EXACT);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_timetz);
ATTRIBUTE_CLASS(timetz, HX_ATTR_PAIR);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_bytea);
ATTRIBUTE_CLASS(bytea, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_bits);
ATTRIBUTE_CLASS(bits, HX_ATTR_HASHED, .prefixed = true);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_hash);
ATTRIBUTE_CLASS(hash, HX_ATTR_HASHED);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_enum);
ATTRIBUTE_CLASS(enum, HX_ATTR_ENUM);

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_attr_array);
ATTRIBUTE_CLASS(array, HX_ATTR_ARRAY);
