/*
 * merkle.c
 *	  Hash trees of lists of values after RFC 6962: the root as an aggregate,
 *	  proofs that a value is at a position of the list, and their verification.
 *
 * A leaf's hash is that of a zero byte and the value, a node's that of a byte of
 * one and the hashes below, so none passes for the other.  Nodes of a level are
 * paired from the left; the last of an odd number moves up as it is, which gives
 * the RFC's tree, divided at the largest power of two below its size.
 *
 * A root leaves open how many leaves there are: trees of several sizes have paths
 * of one shape.  So what commits to a list is its root, its size, and the hash of a
 * byte of two and both, the seal.  Positions count from 1.
 */
#include "postgres.h"
#include "fmgr.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "port/pg_bswap.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "compat.h"
#include "type/aggregate.h"
#include "type/digest.h"

#define LEVELS 64

typedef uint8 Hash[HX_DIGEST_BYTES];

/* What commits to a list */
typedef struct Commitment
{
	Hash root;
	uint8 size[8]; /* the highest byte first */
	Hash seal;
} Commitment;

/*
 * A list of which the rows so far are known: for each bit set in their number,
 * the root of a full tree of so many leaves, the largest one first
 */
typedef struct HashTree
{
	uint64 size;
	Hash full[LEVELS]; /* by bit; others are not set */
} HashTree;

PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_merkle_root_add);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_merkle_root_final);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_merkle_proof);
PGDLLEXPORT PG_FUNCTION_INFO_V1(hx_merkle_verify);

/* Hash of a value */
static void
hash_leaf(pg_cryptohash_ctx *context, bytea *value, Hash out)
{
	const uint8 mark = 0;
	HxDigestPart parts[] = {{&mark, 1},
							{VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value)}};

	HxDigest(context, parts, lengthof(parts), out);
}

/* Hash of the node above two hashes, of which `out` may be one */
static void
hash_node(pg_cryptohash_ctx *context, const uint8 *left, const uint8 *right,
		  Hash out)
{
	const uint8 mark = 1;
	HxDigestPart parts[] = {
		{&mark, 1}, {left, HX_DIGEST_BYTES}, {right, HX_DIGEST_BYTES}};

	HxDigest(context, parts, lengthof(parts), out);
}

/* Add a leaf: it closes the full trees that its number has the low bits of. */
static void
add_leaf(HashTree *tree, pg_cryptohash_ctx *context, bytea *value)
{
	Hash hash;
	int level = 0;

	hash_leaf(context, value, hash);
	for (; tree->size >> level & 1; level++)
		hash_node(context, tree->full[level], hash, hash);
	memcpy(tree->full[level], hash, sizeof(Hash));
	tree->size++;
}

/* The root of all leaves; that of none is the hash of nothing. */
static void
find_root(const HashTree *tree, pg_cryptohash_ctx *context, Hash out)
{
	int level = 0;

	if (tree->size == 0)
	{
		HxDigest(context, NULL, 0, out);
		return;
	}
	while ((tree->size >> level & 1) == 0)
		level++;
	memcpy(out, tree->full[level], sizeof(Hash));
	while (++level < LEVELS)
	{
		if (tree->size >> level & 1)
			hash_node(context, tree->full[level], out, out);
	}
}

/* The hash of root and size, with a mark that neither leaves nor nodes have */
static void
make_seal(pg_cryptohash_ctx *context, const Commitment *commitment, Hash out)
{
	const uint8 mark = 2;
	HxDigestPart parts[] = {{&mark, 1},
							{commitment->size, sizeof(commitment->size)},
							{commitment->root, sizeof(commitment->root)}};

	HxDigest(context, parts, lengthof(parts), out);
}

/* merkle_root, transition: (state, value) */
Datum
hx_merkle_root_add(PG_FUNCTION_ARGS)
{
	MemoryContext context = HxAggregateContext(fcinfo);
	HashTree *tree = PG_ARGISNULL(0)
						 ? MemoryContextAllocZero(context, sizeof(HashTree))
						 : (HashTree *) PG_GETARG_POINTER(0);
	pg_cryptohash_ctx *digests;

	if (PG_ARGISNULL(1))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("leaf " UINT64_FORMAT " of merkle_root is null",
						tree->size + 1),
				 errhint("Leave such rows out with FILTER, or give them bytes "
						 "of their own with coalesce.")));
	digests = HxBeginDigests();
	add_leaf(tree, digests, PG_GETARG_BYTEA_PP(1));
	HxEndDigests(digests);
	PG_RETURN_POINTER(tree);
}

/* merkle_root, state to commitment; without rows that to the empty list */
Datum
hx_merkle_root_final(PG_FUNCTION_ARGS)
{
	static const HashTree empty = {0};
	const HashTree *tree =
		PG_ARGISNULL(0) ? &empty : (HashTree *) PG_GETARG_POINTER(0);
	bytea *result = palloc(VARHDRSZ + sizeof(Commitment));
	Commitment *commitment = (Commitment *) VARDATA(result);
	uint64 size = pg_hton64(tree->size);
	pg_cryptohash_ctx *digests = HxBeginDigests();

	SET_VARSIZE(result, VARHDRSZ + sizeof(Commitment));
	find_root(tree, digests, commitment->root);
	memcpy(commitment->size, &size, sizeof(size));
	make_seal(digests, commitment, commitment->seal);
	HxEndDigests(digests);
	PG_RETURN_BYTEA_P(result);
}

/* Elements of an array of bytea; error if it has several dimensions or NULLs */
static Datum *
read_list(ArrayType *array, const char *what, int *count)
{
	Datum *values;
	bool *nulls;

	if (ARR_NDIM(array) > 1)
		ereport(ERROR, (errcode(ERRCODE_ARRAY_SUBSCRIPT_ERROR),
						errmsg("%s must be an array of one dimension, not %d",
							   what, ARR_NDIM(array))));
	deconstruct_array(array, BYTEAOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  count);
	for (int i = 0; i < *count; i++)
	{
		if (nulls[i])
			ereport(ERROR, (errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
							errmsg("element %d of %s is null", i + 1, what)));
	}
	return values;
}

/* Error unless the position, from 1, is one of a list of so many leaves. */
static void
check_position(int64 position, uint64 size)
{
	if (position < 1 || (uint64) position > size)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("position " INT64_FORMAT
						" is not within the list of " UINT64_FORMAT " leaves",
						position, size)));
}

/* Replace the nodes of a level by those above; returns how many these are. */
static int
climb(Hash *nodes, int count, pg_cryptohash_ctx *context)
{
	for (int i = 0; i + 1 < count; i += 2)
	{
		CHECK_FOR_INTERRUPTS();
		hash_node(context, nodes[i], nodes[i + 1], nodes[i / 2]);
	}
	if (count % 2 == 1)
		memmove(nodes[count / 2], nodes[count - 1], sizeof(Hash));
	return (count + 1) / 2;
}

/* A hash as bytea */
static Datum
make_bytea(const Hash hash)
{
	bytea *value = palloc(VARHDRSZ + sizeof(Hash));

	SET_VARSIZE(value, VARHDRSZ + sizeof(Hash));
	memcpy(VARDATA(value), hash, sizeof(Hash));
	return PointerGetDatum(value);
}

/* The siblings of a leaf and of all that is above it, of which nodes are lost */
static ArrayType *
collect_siblings(Hash *nodes, int count, int at, pg_cryptohash_ctx *context)
{
	Datum siblings[LEVELS];
	int found = 0;

	Assert(at < count);
	for (; count > 1; at /= 2)
	{
		if ((at ^ 1) < count)
			siblings[found++] = make_bytea(nodes[at ^ 1]);
		count = climb(nodes, count, context);
	}
	return construct_array(siblings, found, BYTEAOID, -1, false, TYPALIGN_INT);
}

/* merkle_proof(leaves, position) */
Datum
hx_merkle_proof(PG_FUNCTION_ARGS)
{
	int64 position = PG_GETARG_INT64(1);
	int count;
	Datum *leaves = read_list(PG_GETARG_ARRAYTYPE_P(0), "leaves", &count);
	pg_cryptohash_ctx *digests;
	ArrayType *proof;
	Hash *nodes;

	check_position(position, count);
	nodes = MemoryContextAllocHuge(CurrentMemoryContext, count * sizeof(Hash));
	digests = HxBeginDigests();
	for (int i = 0; i < count; i++)
	{
		CHECK_FOR_INTERRUPTS();
		hash_leaf(digests, DatumGetByteaPP(leaves[i]), nodes[i]);
	}
	proof = collect_siblings(nodes, count, (int) position - 1, digests);
	HxEndDigests(digests);
	PG_RETURN_ARRAYTYPE_P(proof);
}

/* Hashes of a proof for the leaf at this place, from 0, of so many */
static int
count_siblings(uint64 at, uint64 size)
{
	int count = 0;

	for (; size > 1; at /= 2, size = size / 2 + size % 2)
		count += (at ^ 1) < size;
	return count;
}

/* Error unless the proof has so many hashes, each of the size of one. */
static void
check_proof(const Datum *proof, int count, int expected)
{
	if (count != expected)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("proof of %d hashes where %d were expected",
							   count, expected),
						errdetail("Size of the list and position say how many "
								  "hashes a proof has.")));
	for (int i = 0; i < count; i++)
	{
		size_t size = VARSIZE_ANY_EXHDR(DatumGetByteaPP(proof[i]));

		if (size != HX_DIGEST_BYTES)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
							errmsg("hash %d of the proof has %zu bytes, "
								   "expected %d",
								   i + 1, size, HX_DIGEST_BYTES)));
	}
}

/* The root that a leaf at this place of so many has by the proof, checked */
static void
follow_proof(Hash hash, uint64 at, uint64 size, const Datum *proof,
			 pg_cryptohash_ctx *context)
{
	for (int used = 0; size > 1; at /= 2, size = size / 2 + size % 2)
	{
		const uint8 *sibling;

		if ((at ^ 1) >= size)
			continue;
		sibling = (uint8 *) VARDATA_ANY(DatumGetByteaPP(proof[used]));
		used++;
		if (at & 1)
			hash_node(context, sibling, hash, hash);
		else
			hash_node(context, hash, sibling, hash);
	}
}

/* What merkle_root returned, in argument 0; error if it is nothing such */
static const Commitment *
commitment_argument(FunctionCallInfo fcinfo)
{
	bytea *root = PG_GETARG_BYTEA_PP(0);
	size_t size = VARSIZE_ANY_EXHDR(root);

	if (size != sizeof(Commitment))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("root has %zu bytes, expected %zu", size,
							   sizeof(Commitment)),
						errdetail("The result of merkle_root is a hash, the "
								  "number of leaves, and a hash of both.")));
	return (const Commitment *) VARDATA_ANY(root);
}

/* Is the seal that of root and size? */
static bool
has_seal(const Commitment *commitment, pg_cryptohash_ctx *context)
{
	Hash seal;

	make_seal(context, commitment, seal);
	return memcmp(seal, commitment->seal, sizeof(seal)) == 0;
}

/* merkle_verify(root, leaf, position, proof) */
Datum
hx_merkle_verify(PG_FUNCTION_ARGS)
{
	const Commitment *commitment = commitment_argument(fcinfo);
	int64 position = PG_GETARG_INT64(2);
	int count;
	Datum *proof = read_list(PG_GETARG_ARRAYTYPE_P(3), "proof", &count);
	pg_cryptohash_ctx *digests = HxBeginDigests();
	bool sealed = has_seal(commitment, digests);
	uint64 size;
	Hash hash;

	memcpy(&size, commitment->size, sizeof(size));
	size = pg_ntoh64(size);
	if (sealed)
	{
		check_position(position, size);
		check_proof(proof, count, count_siblings(position - 1, size));
		hash_leaf(digests, PG_GETARG_BYTEA_PP(1), hash);
		follow_proof(hash, position - 1, size, proof, digests);
	}
	HxEndDigests(digests);
	PG_RETURN_BOOL(sealed && memcmp(hash, commitment->root, sizeof(hash)) == 0);
}
