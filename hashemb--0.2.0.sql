/* hashemb--0.2.0.sql: the whole SQL surface of the extension, in sections */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION hashemb" to load this file. \quit

-- ---------------------------------------------------------------------------
-- Section 1: type bincode
-- ---------------------------------------------------------------------------

CREATE TYPE bincode;
COMMENT ON TYPE bincode IS
	'binary code: bincode(n) of n bits, bincode(n, b) of n dimensions of b bits each';

CREATE FUNCTION bincode_in(cstring, oid, integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_in(cstring, oid, integer) IS
	'input';

CREATE FUNCTION bincode_out(bincode) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_bincode_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_out(bincode) IS
	'output';

CREATE FUNCTION bincode_recv(internal, oid, integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_recv(internal, oid, integer) IS
	'binary input: int32 of dimensions plus (bits per dimension - 1) * 65536, then the bit planes, the most significant first, each of full bytes; as bit has it where there is 1 bit per dimension';

CREATE FUNCTION bincode_send(bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_bincode_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_send(bincode) IS
	'binary output: int32 of dimensions plus (bits per dimension - 1) * 65536, then the bit planes, the most significant first, each of full bytes; as bit has it where there is 1 bit per dimension';

CREATE FUNCTION bincode_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bincode_typmod_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_typmod_in(cstring[]) IS
	'type modifier input';

CREATE FUNCTION bincode_typmod_out(integer) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_bincode_typmod_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_typmod_out(integer) IS
	'type modifier output';

CREATE TYPE bincode (
	INPUT = bincode_in,
	OUTPUT = bincode_out,
	RECEIVE = bincode_recv,
	SEND = bincode_send,
	TYPMOD_IN = bincode_typmod_in,
	TYPMOD_OUT = bincode_typmod_out,
	ALIGNMENT = int4,
	STORAGE = extended
);

-- Length coercion and casts: bit strings are codes as they lie on disk, unless
-- they are too long

CREATE FUNCTION bincode_length_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_bincode_length_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_length_support(internal) IS
	'planner support: drops length checks that the type makes needless';

CREATE FUNCTION bincode(bincode, integer, boolean) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_length'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bincode_length_support;
COMMENT ON FUNCTION bincode(bincode, integer, boolean) IS
	'error unless the code is of the given type modifier';

CREATE FUNCTION bit_to_bincode_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_bit_to_bincode_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bit_to_bincode_support(internal) IS
	'planner support: looks at no bit string whose type limits its length';

CREATE FUNCTION bit_to_bincode(bit) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bit_to_bincode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bit_to_bincode_support;
COMMENT ON FUNCTION bit_to_bincode(bit) IS
	'bit string as code; error if it is longer than any code';

CREATE FUNCTION varbit_to_bincode(bit varying) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bit_to_bincode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT bit_to_bincode_support;
COMMENT ON FUNCTION varbit_to_bincode(bit varying) IS
	'bit string as code; error if it is longer than any code';

CREATE FUNCTION bincode_to_bit(bincode) RETURNS bit
	AS 'MODULE_PATHNAME', 'hx_bincode_to_bit'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_to_bit(bincode) IS
	'code of 1 bit per dimension to bit string';

CREATE FUNCTION bincode_to_varbit(bincode) RETURNS bit varying
	AS 'MODULE_PATHNAME', 'hx_bincode_to_bit'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_to_varbit(bincode) IS
	'code of 1 bit per dimension to bit string';

CREATE CAST (bincode AS bincode) WITH FUNCTION bincode(bincode, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (bincode AS bincode) IS
	'enforces the type modifier';

CREATE CAST (bit AS bincode) WITH FUNCTION bit_to_bincode(bit) AS ASSIGNMENT;
COMMENT ON CAST (bit AS bincode) IS
	'rewrites nothing where the type of the bit string limits it to 65535 bits';

CREATE CAST (bit varying AS bincode) WITH FUNCTION varbit_to_bincode(bit varying) AS ASSIGNMENT;
COMMENT ON CAST (bit varying AS bincode) IS
	'rewrites nothing where the type of the bit string limits it to 65535 bits';

CREATE CAST (bincode AS bit) WITH FUNCTION bincode_to_bit(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit) IS
	'needs 1 bit per dimension';

CREATE CAST (bincode AS bit varying) WITH FUNCTION bincode_to_varbit(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit varying) IS
	'needs 1 bit per dimension';

-- Other forms that codes are kept in

CREATE FUNCTION bytea_to_bincode(bytea, integer, boolean) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bytea_to_bincode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bytea_to_bincode(bytea, integer, boolean) IS
	'packed bits, the first the highest of a byte, to code of the given type modifier; without one every bit is a dimension';

CREATE FUNCTION bincode_to_bytea(bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_bincode_to_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_to_bytea(bincode) IS
	'code to packed bits: its planes, the most significant first, each of full bytes';

CREATE FUNCTION bigint_to_bincode(bigint) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bigint_to_bincode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bigint_to_bincode(bigint) IS
	'integer to code of 64 bits; dimension 1 is the most significant bit';

CREATE FUNCTION bincode_to_bigint(bincode) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_bincode_to_bigint'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_to_bigint(bincode) IS
	'code of 64 bits to integer; dimension 1 is the most significant bit';

CREATE CAST (bytea AS bincode) WITH FUNCTION bytea_to_bincode(bytea, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (bytea AS bincode) IS
	'packed bits, the first the highest of a byte';

CREATE CAST (bincode AS bytea) WITH FUNCTION bincode_to_bytea(bincode);
COMMENT ON CAST (bincode AS bytea) IS
	'packed bits, the first the highest of a byte; forgets the number of dimensions';

CREATE CAST (bigint AS bincode) WITH FUNCTION bigint_to_bincode(bigint);
COMMENT ON CAST (bigint AS bincode) IS
	'64 bits, the most significant first';

CREATE CAST (bincode AS bigint) WITH FUNCTION bincode_to_bigint(bincode);
COMMENT ON CAST (bincode AS bigint) IS
	'needs 64 bits';

-- Order and equality: by bits per dimension, then dimensions, then bits

CREATE FUNCTION bincode_lt(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_lt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_lt(bincode, bincode) IS
	'is before';

CREATE FUNCTION bincode_le(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_le'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_le(bincode, bincode) IS
	'is before or equal';

CREATE FUNCTION bincode_eq(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_eq(bincode, bincode) IS
	'equal';

CREATE FUNCTION bincode_ne(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_ne(bincode, bincode) IS
	'not equal';

CREATE FUNCTION bincode_ge(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_ge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_ge(bincode, bincode) IS
	'is after or equal';

CREATE FUNCTION bincode_gt(bincode, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_bincode_gt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_gt(bincode, bincode) IS
	'is after';

CREATE FUNCTION bincode_cmp(bincode, bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bincode_cmp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_cmp(bincode, bincode) IS
	'-1, 0 or 1: less, equal or greater';

CREATE FUNCTION bincode_sortsupport(internal) RETURNS void
	AS 'MODULE_PATHNAME', 'hx_bincode_sortsupport'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_sortsupport(internal) IS
	'sort support';

CREATE FUNCTION bincode_hash(bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bincode_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_hash(bincode) IS
	'hash';

CREATE FUNCTION bincode_hash_extended(bincode, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_bincode_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_hash_extended(bincode, bigint) IS
	'hash with seed';

CREATE OPERATOR < (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (bincode, bincode) IS
	'is before';

CREATE OPERATOR <= (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (bincode, bincode) IS
	'is before or equal';

CREATE OPERATOR = (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (bincode, bincode) IS
	'equal';

CREATE OPERATOR <> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (bincode, bincode) IS
	'not equal';

CREATE OPERATOR >= (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (bincode, bincode) IS
	'is after or equal';

CREATE OPERATOR > (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (bincode, bincode) IS
	'is after';

CREATE OPERATOR CLASS bincode_btree_ops
	DEFAULT FOR TYPE bincode USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 bincode_cmp(bincode, bincode),
	FUNCTION 2 (bincode, bincode) bincode_sortsupport(internal);
COMMENT ON OPERATOR CLASS bincode_btree_ops USING btree IS
	'order of codes: bits per dimension, dimensions, bits';
COMMENT ON OPERATOR FAMILY bincode_btree_ops USING btree IS
	'order of codes';

CREATE OPERATOR CLASS bincode_hash_ops
	DEFAULT FOR TYPE bincode USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bincode_hash(bincode),
	FUNCTION 2 bincode_hash_extended(bincode, bigint);
COMMENT ON OPERATOR CLASS bincode_hash_ops USING hash IS 'equality of codes';
COMMENT ON OPERATOR FAMILY bincode_hash_ops USING hash IS
	'equality of codes';

-- Another order, in which neighbours are near each other

CREATE FUNCTION gray_rank(code bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_gray_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION gray_rank(bincode) IS
	'place of a code in an order whose neighbours differ in one bit, for CLUSTER and B-trees; needs 1 bit per dimension';

-- Least and greatest, which a B-tree serves

CREATE FUNCTION bincode_smaller(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_smaller'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_smaller(bincode, bincode) IS
	'the one that comes first';

CREATE FUNCTION bincode_larger(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_larger'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_larger(bincode, bincode) IS
	'the one that comes last';

CREATE AGGREGATE min(bincode) (
	SFUNC = bincode_smaller,
	STYPE = bincode,
	COMBINEFUNC = bincode_smaller,
	SORTOP = <,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE min(bincode) IS
	'the first code by bits per dimension, then dimensions, then bits';

CREATE AGGREGATE max(bincode) (
	SFUNC = bincode_larger,
	STYPE = bincode,
	COMBINEFUNC = bincode_larger,
	SORTOP = >,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE max(bincode) IS
	'the last code by bits per dimension, then dimensions, then bits';

-- Distances between codes of the same size

CREATE FUNCTION hamming(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_hamming'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hamming(bincode, bincode) IS
	'number of bits that differ';

CREATE FUNCTION jaccard(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_jaccard'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION jaccard(bincode, bincode) IS
	'Jaccard distance: 1 - bits in both / bits in either, 0 of two empty codes';

CREATE FUNCTION inner_product(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_bincode_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(bincode, bincode) IS
	'inner product; level v of b bits counts (2v - (2^b - 1)) / 2^(b-1)';

CREATE FUNCTION negative_inner_product(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_bincode_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION negative_inner_product(bincode, bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_bincode_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION cosine_distance(bincode, bincode) IS
	'1 - cosine of the angle; NaN of empty codes';

CREATE OPERATOR <~> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = hamming,
	COMMUTATOR = <~>
);
COMMENT ON OPERATOR <~> (bincode, bincode) IS
	'Hamming distance';

CREATE OPERATOR <%> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = jaccard,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (bincode, bincode) IS
	'Jaccard distance';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, bincode) IS
	'cosine distance';

-- The same with a bit string, as a column that was bit is asked: the planner puts
-- the operator of codes in the function's place, so an index serves them too

CREATE FUNCTION hamming_bincode_bit(bincode, bit) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1 <~> $2::bincode;
COMMENT ON FUNCTION hamming_bincode_bit(bincode, bit) IS
	'Hamming distance of a code and a bit string';

CREATE FUNCTION hamming_bit_bincode(bit, bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::bincode <~> $2;
COMMENT ON FUNCTION hamming_bit_bincode(bit, bincode) IS
	'Hamming distance of a bit string and a code';

CREATE OPERATOR <~> (
	LEFTARG = bincode, RIGHTARG = bit, FUNCTION = hamming_bincode_bit,
	COMMUTATOR = <~>
);
COMMENT ON OPERATOR <~> (bincode, bit) IS
	'Hamming distance';

CREATE OPERATOR <~> (
	LEFTARG = bit, RIGHTARG = bincode, FUNCTION = hamming_bit_bincode,
	COMMUTATOR = <~>
);
COMMENT ON OPERATOR <~> (bit, bincode) IS
	'Hamming distance';

CREATE FUNCTION jaccard_bincode_bit(bincode, bit) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1 <%> $2::bincode;
COMMENT ON FUNCTION jaccard_bincode_bit(bincode, bit) IS
	'Jaccard distance of a code and a bit string';

CREATE FUNCTION jaccard_bit_bincode(bit, bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::bincode <%> $2;
COMMENT ON FUNCTION jaccard_bit_bincode(bit, bincode) IS
	'Jaccard distance of a bit string and a code';

CREATE OPERATOR <%> (
	LEFTARG = bincode, RIGHTARG = bit, FUNCTION = jaccard_bincode_bit,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (bincode, bit) IS
	'Jaccard distance';

CREATE OPERATOR <%> (
	LEFTARG = bit, RIGHTARG = bincode, FUNCTION = jaccard_bit_bincode,
	COMMUTATOR = <%>
);
COMMENT ON OPERATOR <%> (bit, bincode) IS
	'Jaccard distance';

-- Parts of codes

CREATE FUNCTION bit_count(bincode) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_bincode_bit_count'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bit_count(bincode) IS
	'number of bits set; needs 1 bit per dimension';

CREATE FUNCTION dims(bincode) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bincode_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(bincode) IS
	'number of dimensions';

CREATE FUNCTION subcode(code bincode, start integer, count integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_subcode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION subcode(bincode, integer, integer) IS
	'count dimensions from dimension start on, the first being 1';

CREATE FUNCTION block_keys(code bincode, bands integer, bits integer) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hx_block_keys'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION block_keys(bincode, integer, integer) IS
	'keys of bands of bits, for joins of codes that agree in a band';

CREATE FUNCTION bincode_and(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_and'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_and(bincode, bincode) IS
	'bits set in both';

CREATE FUNCTION bincode_or(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_or'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_or(bincode, bincode) IS
	'bits set in at least one';

CREATE FUNCTION bincode_xor(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_xor'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_xor(bincode, bincode) IS
	'bits set in exactly one';

CREATE FUNCTION bincode_not(bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_not'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_not(bincode) IS
	'bits not set';

CREATE FUNCTION bincode_concat(bincode, bincode) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bincode_concat'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_concat(bincode, bincode) IS
	'the dimensions of both';

CREATE OPERATOR & (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_and,
	COMMUTATOR = &
);
COMMENT ON OPERATOR & (bincode, bincode) IS
	'bits set in both';

CREATE OPERATOR | (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_or,
	COMMUTATOR = |
);
COMMENT ON OPERATOR | (bincode, bincode) IS
	'bits set in at least one';

CREATE OPERATOR # (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_xor,
	COMMUTATOR = #
);
COMMENT ON OPERATOR # (bincode, bincode) IS
	'bits set in exactly one';

CREATE OPERATOR ~ (
	RIGHTARG = bincode, FUNCTION = bincode_not
);
COMMENT ON OPERATOR ~ (NONE, bincode) IS
	'bits not set';

CREATE OPERATOR || (
	LEFTARG = bincode, RIGHTARG = bincode, FUNCTION = bincode_concat
);
COMMENT ON OPERATOR || (bincode, bincode) IS
	'concatenation';

-- Majority of many codes

CREATE FUNCTION bit_majority_add(internal, bincode) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_majority_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION bit_majority_add(internal, bincode) IS
	'bit_majority: count a code';

CREATE FUNCTION bit_majority_add(internal, bincode, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_majority_add_weighted'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION bit_majority_add(internal, bincode, double precision) IS
	'bit_majority: count a code by its weight';

CREATE FUNCTION bit_majority_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_majority_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bit_majority_combine(internal, internal) IS
	'bit_majority: add two states';

CREATE FUNCTION bit_majority_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_majority_serialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bit_majority_serialize(internal) IS
	'bit_majority: state to bytes';

CREATE FUNCTION bit_majority_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_majority_deserialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bit_majority_deserialize(bytea, internal) IS
	'bit_majority: bytes to state';

CREATE FUNCTION bit_majority_final(internal) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_majority_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION bit_majority_final(internal) IS
	'bit_majority: state to code';

CREATE AGGREGATE bit_majority(bincode) (
	SFUNC = bit_majority_add,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = bit_majority_final,
	COMBINEFUNC = bit_majority_combine,
	SERIALFUNC = bit_majority_serialize,
	DESERIALFUNC = bit_majority_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE bit_majority(bincode) IS
	'per dimension the bit that more codes have, 0 on a tie';

CREATE AGGREGATE bit_majority(code bincode, weight double precision) (
	SFUNC = bit_majority_add,
	STYPE = internal,
	SSPACE = 4096,
	FINALFUNC = bit_majority_final,
	COMBINEFUNC = bit_majority_combine,
	SERIALFUNC = bit_majority_serialize,
	DESERIALFUNC = bit_majority_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE bit_majority(bincode, double precision) IS
	'per dimension the bit whose codes weigh more, 0 on a tie';

CREATE FUNCTION bit_vote(codes bincode[]) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bit_vote'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION bit_vote(bincode[]) IS
	'per dimension the bit that more of these codes have, 0 on a tie';

CREATE FUNCTION bit_vote(codes bincode[], weights double precision[]) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_bit_vote_weighted'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION bit_vote(bincode[], double precision[]) IS
	'per dimension the bit whose codes weigh more, 0 on a tie';

-- Codes within a radius

CREATE TYPE hamming_ball;
COMMENT ON TYPE hamming_ball IS
	'all codes that differ from a code in at most radius bits: (code,radius)';

CREATE FUNCTION hamming_ball_in(cstring) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hx_ball_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_in(cstring) IS
	'input';

CREATE FUNCTION hamming_ball_out(hamming_ball) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_ball_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_out(hamming_ball) IS
	'output';

CREATE FUNCTION hamming_ball_recv(internal) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hx_ball_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_recv(internal) IS
	'binary input: int32 radius, then the code as bincode';

CREATE FUNCTION hamming_ball_send(hamming_ball) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_ball_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_send(hamming_ball) IS
	'binary output: int32 radius, then the code as bincode';

CREATE TYPE hamming_ball (
	INPUT = hamming_ball_in,
	OUTPUT = hamming_ball_out,
	RECEIVE = hamming_ball_recv,
	SEND = hamming_ball_send,
	ALIGNMENT = int4,
	STORAGE = extended
);

CREATE FUNCTION hamming_ball(code bincode, radius integer) RETURNS hamming_ball
	AS 'MODULE_PATHNAME', 'hx_ball_make'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball(bincode, integer) IS
	'all codes that differ from the code in at most radius bits';

-- Equality of balls, and an order only so that rows with a ball can be sorted,
-- grouped and replicated without a key

CREATE FUNCTION hamming_ball_eq(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_eq(hamming_ball, hamming_ball) IS
	'equal';

CREATE FUNCTION hamming_ball_ne(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_ne(hamming_ball, hamming_ball) IS
	'not equal';

CREATE FUNCTION hamming_ball_lt(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_lt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_lt(hamming_ball, hamming_ball) IS
	'is before';

CREATE FUNCTION hamming_ball_le(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_le'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_le(hamming_ball, hamming_ball) IS
	'is before or equal';

CREATE FUNCTION hamming_ball_ge(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_ge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_ge(hamming_ball, hamming_ball) IS
	'is after or equal';

CREATE FUNCTION hamming_ball_gt(hamming_ball, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_gt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_gt(hamming_ball, hamming_ball) IS
	'is after';

CREATE FUNCTION hamming_ball_cmp(hamming_ball, hamming_ball) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_ball_cmp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_cmp(hamming_ball, hamming_ball) IS
	'-1, 0 or 1: less, equal or greater';

CREATE FUNCTION hamming_ball_hash(hamming_ball) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_ball_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_hash(hamming_ball) IS
	'hash';

CREATE FUNCTION hamming_ball_hash_extended(hamming_ball, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_ball_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_hash_extended(hamming_ball, bigint) IS
	'hash with seed';

CREATE OPERATOR < (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (hamming_ball, hamming_ball) IS
	'is before';

CREATE OPERATOR <= (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (hamming_ball, hamming_ball) IS
	'is before or equal';

CREATE OPERATOR = (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (hamming_ball, hamming_ball) IS
	'equal';

CREATE OPERATOR <> (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (hamming_ball, hamming_ball) IS
	'not equal';

CREATE OPERATOR >= (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (hamming_ball, hamming_ball) IS
	'is after or equal';

CREATE OPERATOR > (
	LEFTARG = hamming_ball, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (hamming_ball, hamming_ball) IS
	'is after';

CREATE OPERATOR CLASS hamming_ball_btree_ops
	DEFAULT FOR TYPE hamming_ball USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 hamming_ball_cmp(hamming_ball, hamming_ball);
COMMENT ON OPERATOR CLASS hamming_ball_btree_ops USING btree IS
	'order of balls: centre, radius';
COMMENT ON OPERATOR FAMILY hamming_ball_btree_ops USING btree IS
	'order of balls';

CREATE OPERATOR CLASS hamming_ball_hash_ops
	DEFAULT FOR TYPE hamming_ball USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 hamming_ball_hash(hamming_ball),
	FUNCTION 2 hamming_ball_hash_extended(hamming_ball, bigint);
COMMENT ON OPERATOR CLASS hamming_ball_hash_ops USING hash IS
	'equality of balls';
COMMENT ON OPERATOR FAMILY hamming_ball_hash_ops USING hash IS
	'equality of balls';

CREATE FUNCTION hamming_ball_contained_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_ball_contained_sel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_contained_sel(internal, oid, internal, integer) IS
	'restriction selectivity of code <@ ball';

CREATE FUNCTION hamming_ball_contained_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_ball_contained_joinsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_contained_joinsel(internal, oid, internal, smallint, internal) IS
	'join selectivity of code <@ ball';

CREATE FUNCTION hamming_ball_contains_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_ball_contains_sel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_contains_sel(internal, oid, internal, integer) IS
	'restriction selectivity of ball @> code';

CREATE FUNCTION hamming_ball_contains_joinsel(internal, oid, internal, smallint, internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_ball_contains_joinsel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_ball_contains_joinsel(internal, oid, internal, smallint, internal) IS
	'join selectivity of ball @> code';

CREATE FUNCTION hamming_ball_contained(bincode, hamming_ball) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_contained'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hamming_ball_contained(bincode, hamming_ball) IS
	'is the code within the ball';

CREATE FUNCTION hamming_ball_contains(hamming_ball, bincode) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_ball_contains'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hamming_ball_contains(hamming_ball, bincode) IS
	'does the ball contain the code';

CREATE OPERATOR <@ (
	LEFTARG = bincode, RIGHTARG = hamming_ball, FUNCTION = hamming_ball_contained,
	COMMUTATOR = @>, RESTRICT = hamming_ball_contained_sel, JOIN = hamming_ball_contained_joinsel
);
COMMENT ON OPERATOR <@ (bincode, hamming_ball) IS
	'is within the ball';

CREATE OPERATOR @> (
	LEFTARG = hamming_ball, RIGHTARG = bincode, FUNCTION = hamming_ball_contains,
	COMMUTATOR = <@, RESTRICT = hamming_ball_contains_sel, JOIN = hamming_ball_contains_joinsel
);
COMMENT ON OPERATOR @> (hamming_ball, bincode) IS
	'contains the code';

CREATE FUNCTION hamming_within_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_hamming_within_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hamming_within_support(internal) IS
	'planner support of hamming_within';

CREATE FUNCTION hamming_within(bincode, bincode, radius integer) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_hamming_within'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10
	SUPPORT hamming_within_support;
COMMENT ON FUNCTION hamming_within(bincode, bincode, integer) IS
	'do the codes differ in at most radius bits';

-- ---------------------------------------------------------------------------
-- Section 2: type svec
-- ---------------------------------------------------------------------------

CREATE TYPE svec;
COMMENT ON TYPE svec IS
	'sparse vector: svec(n) of n dimensions, weights of type real';

CREATE FUNCTION svec_in(cstring, oid, integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_in(cstring, oid, integer) IS
	'input';

CREATE FUNCTION svec_out(svec) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_svec_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_out(svec) IS
	'output';

CREATE FUNCTION svec_recv(internal, oid, integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_recv(internal, oid, integer) IS
	'binary input: int32 dimensions, int32 number of weights, int32 0, the indices from 0 as int32, the weights as float4';

CREATE FUNCTION svec_send(svec) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_svec_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_send(svec) IS
	'binary output: int32 dimensions, int32 number of weights, int32 0, the indices from 0 as int32, the weights as float4';

CREATE FUNCTION svec_typmod_in(cstring[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_svec_typmod_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_typmod_in(cstring[]) IS
	'type modifier input';

CREATE FUNCTION svec_typanalyze(internal) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_typanalyze'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_typanalyze(internal) IS
	'statistics: distinct vectors and most common dimensions';

CREATE TYPE svec (
	INPUT = svec_in,
	OUTPUT = svec_out,
	RECEIVE = svec_recv,
	SEND = svec_send,
	TYPMOD_IN = svec_typmod_in,
	ANALYZE = svec_typanalyze,
	ALIGNMENT = int4,
	STORAGE = external
);

-- Length coercion, constructor and casts

CREATE FUNCTION svec_length_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_length_support(internal) IS
	'planner support: drops length checks that the type makes needless';

CREATE FUNCTION svec(svec, integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT svec_length_support;
COMMENT ON FUNCTION svec(svec, integer, boolean) IS
	'error unless the vector is of the given type modifier';

CREATE FUNCTION svec(integer[], double precision[], integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_construct'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec(integer[], double precision[], integer) IS
	'sparse vector from indices counted from 1, their weights, and the number of dimensions';

CREATE FUNCTION svec(jsonb, integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_jsonb_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec(jsonb, integer) IS
	'sparse vector from {"index": weight, ...} and the number of dimensions';

CREATE FUNCTION array_to_svec(real[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION array_to_svec(real[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(double precision[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION array_to_svec(double precision[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(numeric[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION array_to_svec(numeric[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(integer[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION array_to_svec(integer[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION jsonb_to_svec(jsonb, integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_jsonb_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb_to_svec(jsonb, integer, boolean) IS
	'{"index": weight, ...} to sparse vector; 1000000000 dimensions without a type modifier';

CREATE FUNCTION svec_to_float4(svec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_svec_to_float4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_to_float4(svec) IS
	'sparse vector to dense array';

CREATE CAST (svec AS svec) WITH FUNCTION svec(svec, integer, boolean) AS IMPLICIT;
COMMENT ON CAST (svec AS svec) IS
	'enforces the type modifier';

CREATE CAST (real[] AS svec) WITH FUNCTION array_to_svec(real[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (real[] AS svec) IS
	'element i is the weight at index i';

CREATE CAST (double precision[] AS svec) WITH FUNCTION array_to_svec(double precision[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (double precision[] AS svec) IS
	'element i is the weight at index i';

CREATE CAST (numeric[] AS svec) WITH FUNCTION array_to_svec(numeric[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (numeric[] AS svec) IS
	'element i is the weight at index i';

CREATE CAST (integer[] AS svec) WITH FUNCTION array_to_svec(integer[], integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (integer[] AS svec) IS
	'element i is the weight at index i';

CREATE CAST (jsonb AS svec) WITH FUNCTION jsonb_to_svec(jsonb, integer, boolean) AS ASSIGNMENT;
COMMENT ON CAST (jsonb AS svec) IS
	'keys are indices counted from 1';

CREATE CAST (svec AS real[]) WITH FUNCTION svec_to_float4(svec) AS ASSIGNMENT;
COMMENT ON CAST (svec AS real[]) IS
	'zeros are written out';

-- Order and equality: by number of dimensions, then as dense vectors compare

CREATE FUNCTION svec_lt(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_lt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_lt(svec, svec) IS
	'is before';

CREATE FUNCTION svec_le(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_le'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_le(svec, svec) IS
	'is before or equal';

CREATE FUNCTION svec_eq(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_eq(svec, svec) IS
	'equal';

CREATE FUNCTION svec_ne(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_ne(svec, svec) IS
	'not equal';

CREATE FUNCTION svec_ge(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_ge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_ge(svec, svec) IS
	'is after or equal';

CREATE FUNCTION svec_gt(svec, svec) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_gt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_gt(svec, svec) IS
	'is after';

CREATE FUNCTION svec_cmp(svec, svec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_svec_cmp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_cmp(svec, svec) IS
	'negative, 0 or positive: less, equal or greater';

CREATE FUNCTION svec_hash(svec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_svec_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_hash(svec) IS
	'hash';

CREATE FUNCTION svec_hash_extended(svec, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_svec_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_hash_extended(svec, bigint) IS
	'hash with seed';

CREATE OPERATOR < (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (svec, svec) IS
	'is before';

CREATE OPERATOR <= (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (svec, svec) IS
	'is before or equal';

CREATE OPERATOR = (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (svec, svec) IS
	'equal';

CREATE OPERATOR <> (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (svec, svec) IS
	'not equal';

CREATE OPERATOR >= (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (svec, svec) IS
	'is after or equal';

CREATE OPERATOR > (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (svec, svec) IS
	'is after';

CREATE OPERATOR CLASS svec_btree_ops
	DEFAULT FOR TYPE svec USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 svec_cmp(svec, svec);
COMMENT ON OPERATOR CLASS svec_btree_ops USING btree IS
	'order of sparse vectors: dimensions, then as dense vectors compare';
COMMENT ON OPERATOR FAMILY svec_btree_ops USING btree IS
	'order of sparse vectors';

CREATE OPERATOR CLASS svec_hash_ops
	DEFAULT FOR TYPE svec USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 svec_hash(svec),
	FUNCTION 2 svec_hash_extended(svec, bigint);
COMMENT ON OPERATOR CLASS svec_hash_ops USING hash IS
	'equality of sparse vectors';
COMMENT ON OPERATOR FAMILY svec_hash_ops USING hash IS
	'equality of sparse vectors';

-- Distances between vectors of as many dimensions

CREATE FUNCTION inner_product(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION inner_product(svec, svec) IS
	'inner product, summed by rising dimension';

CREATE FUNCTION negative_inner_product(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION negative_inner_product(svec, svec) IS
	'negative inner product: 0, never -0';

CREATE FUNCTION cosine_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 60;
COMMENT ON FUNCTION cosine_distance(svec, svec) IS
	'cosine distance, NaN with a zero vector';

CREATE FUNCTION l2_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION l2_distance(svec, svec) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION l1_distance(svec, svec) IS
	'taxicab distance';

CREATE OPERATOR <#> (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (svec, svec) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (svec, svec) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (svec, svec) IS
	'Euclidean distance';

CREATE OPERATOR <+> (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = l1_distance,
	COMMUTATOR = <+>
);
COMMENT ON OPERATOR <+> (svec, svec) IS
	'taxicab distance';

CREATE FUNCTION l2_norm(svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_l2_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(svec) IS
	'Euclidean norm';

CREATE FUNCTION l2_normalize(svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l2_normalize(svec) IS
	'vector divided by its Euclidean norm; a zero vector stays';

CREATE FUNCTION score_terms(a svec, b svec,
	OUT dim integer, OUT contribution double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hx_svec_score_terms'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200 ROWS 20;
COMMENT ON FUNCTION score_terms(svec, svec) IS
	'terms of the inner product by rising dimension; added up in this order they give it exactly';

-- Arithmetic

CREATE FUNCTION svec_add(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_add'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION svec_add(svec, svec) IS
	'sum';

CREATE FUNCTION svec_sub(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_sub'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION svec_sub(svec, svec) IS
	'difference';

CREATE FUNCTION svec_mul(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_mul'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 80;
COMMENT ON FUNCTION svec_mul(svec, svec) IS
	'product, dimension by dimension';

CREATE FUNCTION svec_scale(svec, double precision) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_scale'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION svec_scale(svec, double precision) IS
	'multiple';

CREATE FUNCTION svec_scale(double precision, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_scale_left'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION svec_scale(double precision, svec) IS
	'multiple';

CREATE OPERATOR + (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_add,
	COMMUTATOR = +
);
COMMENT ON OPERATOR + (svec, svec) IS
	'sum';

CREATE OPERATOR - (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_sub
);
COMMENT ON OPERATOR - (svec, svec) IS
	'difference';

CREATE OPERATOR * (
	LEFTARG = svec, RIGHTARG = svec, FUNCTION = svec_mul,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (svec, svec) IS
	'product, dimension by dimension';

CREATE OPERATOR * (
	LEFTARG = svec, RIGHTARG = double precision, FUNCTION = svec_scale,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (svec, double precision) IS
	'multiple';

CREATE OPERATOR * (
	LEFTARG = double precision, RIGHTARG = svec, FUNCTION = svec_scale,
	COMMUTATOR = *
);
COMMENT ON OPERATOR * (double precision, svec) IS
	'multiple';

-- Parts of vectors

CREATE FUNCTION dims(svec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_svec_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(svec) IS
	'number of dimensions';

CREATE FUNCTION nnz(svec) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_svec_nnz'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION nnz(svec) IS
	'number of weights that are not zero';

CREATE FUNCTION indices(svec) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_svec_indices'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION indices(svec) IS
	'dimensions that have a weight, counted from 1';

CREATE FUNCTION weights(svec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_svec_weights'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 40;
COMMENT ON FUNCTION weights(svec) IS
	'weights, in the order of indices()';

CREATE FUNCTION top(v svec, k integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_top'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION top(v svec, k integer) IS
	'the k largest weights by absolute value, ties by smaller dimension';

CREATE FUNCTION prune(v svec, mass double precision) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_prune'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 150;
COMMENT ON FUNCTION prune(v svec, mass double precision) IS
	'the fewest weights, largest first, whose absolute values add up to this share of all';

-- Aggregates

CREATE FUNCTION svec_sum_step(internal, svec) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_sum_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 150;
COMMENT ON FUNCTION svec_sum_step(internal, svec) IS
	'adds a vector to a state';

CREATE FUNCTION svec_agg_step(internal, bigint, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION svec_agg_step(internal, bigint, double precision) IS
	'adds a weight to a state';

CREATE FUNCTION svec_agg_step(internal, bigint, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 2;
COMMENT ON FUNCTION svec_agg_step(internal, bigint, double precision, integer) IS
	'adds a weight to a state';

CREATE FUNCTION svec_agg_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_agg_combine(internal, internal) IS
	'adds one state to another';

CREATE FUNCTION svec_agg_serial(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_svec_agg_serial'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_agg_serial(internal) IS
	'state to bytes';

CREATE FUNCTION svec_agg_deserial(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_deserial'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_agg_deserial(bytea, internal) IS
	'bytes to state';

CREATE FUNCTION svec_sum_final(internal) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_sum_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_sum_final(internal) IS
	'sums of a state';

CREATE FUNCTION svec_avg_final(internal) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_avg_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION svec_avg_final(internal) IS
	'averages of a state';

CREATE AGGREGATE sum(svec) (
	SFUNC = svec_sum_step,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = svec_sum_final,
	COMBINEFUNC = svec_agg_combine,
	SERIALFUNC = svec_agg_serial,
	DESERIALFUNC = svec_agg_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE sum(svec) IS
	'sum of vectors, computed in double';

CREATE AGGREGATE avg(svec) (
	SFUNC = svec_sum_step,
	STYPE = internal,
	SSPACE = 65536,
	FINALFUNC = svec_avg_final,
	COMBINEFUNC = svec_agg_combine,
	SERIALFUNC = svec_agg_serial,
	DESERIALFUNC = svec_agg_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE avg(svec) IS
	'average of vectors, computed in double';

CREATE AGGREGATE svec_agg(id bigint, weight double precision) (
	SFUNC = svec_agg_step,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = svec_sum_final,
	COMBINEFUNC = svec_agg_combine,
	SERIALFUNC = svec_agg_serial,
	DESERIALFUNC = svec_agg_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE svec_agg(id bigint, weight double precision) IS
	'vector of 1000000000 dimensions with these weights, those of equal ids added up';

CREATE AGGREGATE svec_agg(id bigint, weight double precision, dims integer) (
	SFUNC = svec_agg_step,
	STYPE = internal,
	SSPACE = 2048,
	FINALFUNC = svec_sum_final,
	COMBINEFUNC = svec_agg_combine,
	SERIALFUNC = svec_agg_serial,
	DESERIALFUNC = svec_agg_deserial,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE svec_agg(id bigint, weight double precision, dims integer) IS
	'vector with these weights, those of equal ids added up, and this number of dimensions';

-- ---------------------------------------------------------------------------
-- Section 3: bincode and svec together, dense arrays
-- ---------------------------------------------------------------------------

-- Float queries: an array of numbers against a stored code

CREATE FUNCTION inner_product(bincode, real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(bincode, real[]) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(bincode, real[]) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(bincode, real[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(real[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(real[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(real[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(real[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(real[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(real[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(bincode, double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(bincode, double precision[]) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(bincode, double precision[]) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(bincode, double precision[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(double precision[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(double precision[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(double precision[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(double precision[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(double precision[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(double precision[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(bincode, numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(bincode, numeric[]) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(bincode, numeric[]) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(bincode, numeric[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(numeric[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(numeric[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(numeric[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(numeric[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(numeric[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(numeric[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(bincode, integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(bincode, integer[]) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(bincode, integer[]) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_code_float_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(bincode, integer[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION inner_product(integer[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(integer[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(integer[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_negative'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(integer[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(integer[], bincode) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_float_code_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(integer[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = real[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = real[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, real[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], bincode) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = double precision[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, double precision[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = double precision[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, double precision[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], bincode) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = numeric[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, numeric[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = numeric[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, numeric[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], bincode) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = integer[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, integer[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = integer[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, integer[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], bincode) IS
	'cosine distance';

-- The same with the other integers, which drivers choose for whole numbers: the
-- planner puts the operator with real[] in the function's place

CREATE FUNCTION inner_product(bincode, smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN inner_product($1, $2::real[]);
COMMENT ON FUNCTION inner_product(bincode, smallint[]) IS
	'inner product, in single precision';

CREATE FUNCTION inner_product(smallint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN inner_product($1::real[], $2);
COMMENT ON FUNCTION inner_product(smallint[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::real[];
COMMENT ON FUNCTION negative_inner_product(bincode, smallint[]) IS
	'inner product times -1';

CREATE FUNCTION negative_inner_product(smallint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <#> $2;
COMMENT ON FUNCTION negative_inner_product(smallint[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::real[];
COMMENT ON FUNCTION cosine_distance(bincode, smallint[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION cosine_distance(smallint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <=> $2;
COMMENT ON FUNCTION cosine_distance(smallint[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = smallint[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, smallint[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = smallint[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, smallint[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = smallint[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (smallint[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = smallint[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (smallint[], bincode) IS
	'cosine distance';

CREATE FUNCTION inner_product(bincode, bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN inner_product($1, $2::real[]);
COMMENT ON FUNCTION inner_product(bincode, bigint[]) IS
	'inner product, in single precision';

CREATE FUNCTION inner_product(bigint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN inner_product($1::real[], $2);
COMMENT ON FUNCTION inner_product(bigint[], bincode) IS
	'inner product, in single precision';

CREATE FUNCTION negative_inner_product(bincode, bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::real[];
COMMENT ON FUNCTION negative_inner_product(bincode, bigint[]) IS
	'inner product times -1';

CREATE FUNCTION negative_inner_product(bigint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <#> $2;
COMMENT ON FUNCTION negative_inner_product(bigint[], bincode) IS
	'inner product times -1';

CREATE FUNCTION cosine_distance(bincode, bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::real[];
COMMENT ON FUNCTION cosine_distance(bincode, bigint[]) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE FUNCTION cosine_distance(bigint[], bincode) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <=> $2;
COMMENT ON FUNCTION cosine_distance(bigint[], bincode) IS
	'1 - cosine of the angle; NaN if the array is zero';

CREATE OPERATOR <#> (
	LEFTARG = bincode, RIGHTARG = bigint[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bincode, bigint[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bincode, RIGHTARG = bigint[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bincode, bigint[]) IS
	'cosine distance';

CREATE OPERATOR <#> (
	LEFTARG = bigint[], RIGHTARG = bincode, FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bigint[], bincode) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bigint[], RIGHTARG = bincode, FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bigint[], bincode) IS
	'cosine distance';

-- Arrays of numbers as dense vectors, computed in double precision

CREATE FUNCTION inner_product(real[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(real[], real[]) IS
	'inner product';

CREATE FUNCTION cosine_distance(real[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(real[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION l2_distance(real[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l2_distance(real[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(real[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l1_distance(real[], real[]) IS
	'sum of absolute differences';

CREATE FUNCTION l2_norm(real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(real[]) IS
	'Euclidean length';

CREATE FUNCTION l2_normalize(real[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_dense_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(real[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

CREATE FUNCTION dims(real[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_dense_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(real[]) IS
	'number of dimensions';

CREATE FUNCTION inner_product(double precision[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(double precision[], double precision[]) IS
	'inner product';

CREATE FUNCTION cosine_distance(double precision[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(double precision[], double precision[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION l2_distance(double precision[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l2_distance(double precision[], double precision[]) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(double precision[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l1_distance(double precision[], double precision[]) IS
	'sum of absolute differences';

CREATE FUNCTION l2_norm(double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(double precision[]) IS
	'Euclidean length';

CREATE FUNCTION l2_normalize(double precision[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_dense_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(double precision[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

CREATE FUNCTION dims(double precision[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_dense_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(double precision[]) IS
	'number of dimensions';

CREATE FUNCTION inner_product(numeric[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(numeric[], numeric[]) IS
	'inner product';

CREATE FUNCTION cosine_distance(numeric[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(numeric[], numeric[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION l2_distance(numeric[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l2_distance(numeric[], numeric[]) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(numeric[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l1_distance(numeric[], numeric[]) IS
	'sum of absolute differences';

CREATE FUNCTION l2_norm(numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(numeric[]) IS
	'Euclidean length';

CREATE FUNCTION l2_normalize(numeric[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_dense_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(numeric[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

CREATE FUNCTION dims(numeric[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_dense_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(numeric[]) IS
	'number of dimensions';

CREATE FUNCTION inner_product(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION inner_product(integer[], integer[]) IS
	'inner product';

CREATE FUNCTION cosine_distance(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION cosine_distance(integer[], integer[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION l2_distance(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l2_distance(integer[], integer[]) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION l1_distance(integer[], integer[]) IS
	'sum of absolute differences';

CREATE FUNCTION l2_norm(integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_norm'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_norm(integer[]) IS
	'Euclidean length';

CREATE FUNCTION l2_normalize(integer[]) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_dense_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION l2_normalize(integer[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

CREATE FUNCTION dims(integer[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_dense_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(integer[]) IS
	'number of dimensions';

-- Operators of arrays of numbers: a column is real[], a query what drivers send.
-- Where the types differ the functions have names of their own, so that a call of
-- l2_distance() stays one of a single pair for untyped arguments

CREATE FUNCTION negative_inner_product(real[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(real[], real[]) IS
	'inner product times -1';

CREATE FUNCTION negative_inner_product(double precision[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(double precision[], double precision[]) IS
	'inner product times -1';

CREATE FUNCTION negative_inner_product(numeric[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(numeric[], numeric[]) IS
	'inner product times -1';

CREATE FUNCTION negative_inner_product(integer[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION negative_inner_product(integer[], integer[]) IS
	'inner product times -1';

CREATE FUNCTION dense_l2_distance(real[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(real[], double precision[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(real[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(real[], double precision[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(real[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(real[], double precision[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(real[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(real[], numeric[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(real[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(real[], numeric[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(real[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(real[], numeric[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(real[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(real[], integer[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(real[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(real[], integer[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(real[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(real[], integer[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(double precision[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(double precision[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(double precision[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(double precision[], real[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(double precision[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(double precision[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(double precision[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(double precision[], numeric[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(double precision[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(double precision[], numeric[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(double precision[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(double precision[], numeric[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(double precision[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(double precision[], integer[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(double precision[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(double precision[], integer[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(double precision[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(double precision[], integer[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(numeric[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(numeric[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(numeric[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(numeric[], real[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(numeric[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(numeric[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(numeric[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(numeric[], double precision[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(numeric[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(numeric[], double precision[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(numeric[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(numeric[], double precision[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(numeric[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(numeric[], integer[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(numeric[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(numeric[], integer[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(numeric[], integer[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(numeric[], integer[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(integer[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(integer[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(integer[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(integer[], real[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(integer[], real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(integer[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(integer[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(integer[], double precision[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(integer[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(integer[], double precision[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(integer[], double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(integer[], double precision[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(integer[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_l2_distance(integer[], numeric[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(integer[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_negative_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_negative_inner_product(integer[], numeric[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(integer[], numeric[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_dense_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION dense_cosine_distance(integer[], numeric[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = real[], FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = real[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = real[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], real[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = double precision[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], double precision[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = double precision[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], double precision[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = double precision[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], double precision[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = numeric[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], numeric[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = numeric[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], numeric[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = numeric[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], numeric[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = integer[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], integer[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = integer[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], integer[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = integer[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], integer[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = real[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (double precision[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = real[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = real[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], real[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = double precision[], FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (double precision[], double precision[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = double precision[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], double precision[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = double precision[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], double precision[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = numeric[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (double precision[], numeric[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = numeric[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], numeric[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = numeric[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], numeric[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = integer[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (double precision[], integer[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = integer[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], integer[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = integer[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], integer[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = real[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (numeric[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = real[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = real[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], real[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = double precision[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (numeric[], double precision[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = double precision[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], double precision[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = double precision[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], double precision[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = numeric[], FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (numeric[], numeric[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = numeric[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], numeric[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = numeric[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], numeric[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = integer[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (numeric[], integer[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = integer[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], integer[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = integer[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], integer[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = real[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (integer[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = real[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = real[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], real[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = double precision[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (integer[], double precision[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = double precision[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], double precision[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = double precision[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], double precision[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = numeric[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (integer[], numeric[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = numeric[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], numeric[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = numeric[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], numeric[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = integer[], FUNCTION = l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (integer[], integer[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = integer[], FUNCTION = negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], integer[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = integer[], FUNCTION = cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], integer[]) IS
	'cosine distance';

-- The same with the other integers: the planner puts the operator with real[] in
-- the function's place

CREATE FUNCTION dense_l2_distance(real[], smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::real[];
COMMENT ON FUNCTION dense_l2_distance(real[], smallint[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(real[], smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::real[];
COMMENT ON FUNCTION dense_negative_inner_product(real[], smallint[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(real[], smallint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::real[];
COMMENT ON FUNCTION dense_cosine_distance(real[], smallint[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(smallint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <-> $2;
COMMENT ON FUNCTION dense_l2_distance(smallint[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(smallint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <#> $2;
COMMENT ON FUNCTION dense_negative_inner_product(smallint[], real[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(smallint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <=> $2;
COMMENT ON FUNCTION dense_cosine_distance(smallint[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = smallint[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], smallint[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = smallint[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], smallint[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = smallint[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], smallint[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = smallint[], RIGHTARG = real[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (smallint[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = smallint[], RIGHTARG = real[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (smallint[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = smallint[], RIGHTARG = real[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (smallint[], real[]) IS
	'cosine distance';

CREATE FUNCTION dense_l2_distance(real[], bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::real[];
COMMENT ON FUNCTION dense_l2_distance(real[], bigint[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(real[], bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::real[];
COMMENT ON FUNCTION dense_negative_inner_product(real[], bigint[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(real[], bigint[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::real[];
COMMENT ON FUNCTION dense_cosine_distance(real[], bigint[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE FUNCTION dense_l2_distance(bigint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <-> $2;
COMMENT ON FUNCTION dense_l2_distance(bigint[], real[]) IS
	'Euclidean distance';

CREATE FUNCTION dense_negative_inner_product(bigint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <#> $2;
COMMENT ON FUNCTION dense_negative_inner_product(bigint[], real[]) IS
	'inner product times -1';

CREATE FUNCTION dense_cosine_distance(bigint[], real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::real[] <=> $2;
COMMENT ON FUNCTION dense_cosine_distance(bigint[], real[]) IS
	'1 - cosine of the angle; NaN if a vector is zero';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = bigint[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], bigint[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = bigint[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], bigint[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = bigint[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], bigint[]) IS
	'cosine distance';

CREATE OPERATOR <-> (
	LEFTARG = bigint[], RIGHTARG = real[], FUNCTION = dense_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (bigint[], real[]) IS
	'Euclidean distance';

CREATE OPERATOR <#> (
	LEFTARG = bigint[], RIGHTARG = real[], FUNCTION = dense_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (bigint[], real[]) IS
	'negative inner product';

CREATE OPERATOR <=> (
	LEFTARG = bigint[], RIGHTARG = real[], FUNCTION = dense_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (bigint[], real[]) IS
	'cosine distance';

-- One declaration for all numbers: real[], numeric[], integer[] and untyped
-- parameters become double precision[] without ambiguity

CREATE FUNCTION binarize(double precision[]) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(double precision[]) IS
	'1 where a value is greater than 0';

CREATE FUNCTION binarize(double precision[], thresholds double precision[]) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(double precision[], double precision[]) IS
	'1 where a value is greater than its threshold';

CREATE FUNCTION simhash(v svec, bits integer, seed integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_simhash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION simhash(v svec, bits integer, seed integer) IS
	'code of the signs of random projections: two codes differ in about bits * angle / pi';

-- ---------------------------------------------------------------------------
-- Bounds of distances: what the planner makes of code <~> query < 100
-- ---------------------------------------------------------------------------

CREATE TYPE distance_bound;
COMMENT ON TYPE distance_bound IS
	'vectors whose distance from a query passes a comparison; the planner makes it of conditions on distances';

CREATE FUNCTION distance_bound_in(cstring) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound_in(cstring) IS
	'input: an error';

CREATE FUNCTION distance_bound_out(distance_bound) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_bound_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound_out(distance_bound) IS
	'output';

CREATE TYPE distance_bound (
	INPUT = distance_bound_in,
	OUTPUT = distance_bound_out,
	ALIGNMENT = double,
	STORAGE = extended
);

CREATE FUNCTION distance_bound(operator text, query bincode, comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_code'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, bincode, text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound(operator text, query svec, comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_svec'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, svec, text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound(operator text, query real[], comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_floats'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, real[], text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound(operator text, query double precision[], comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_floats'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, double precision[], text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound(operator text, query numeric[], comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_floats'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, numeric[], text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound(operator text, query integer[], comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_floats'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, integer[], text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION distance_bound_sel(internal, oid, internal, integer) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_bound_sel'
	LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound_sel(internal, oid, internal, integer) IS
	'restriction selectivity of vector @< bound';

CREATE FUNCTION within_distance_bound(bincode, distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_code_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION within_distance_bound(bincode, distance_bound) IS
	'does the distance of the vector pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = bincode, RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @< (bincode, distance_bound) IS
	'has a distance that passes the comparison';

CREATE FUNCTION within_distance_bound(svec, distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_svec_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION within_distance_bound(svec, distance_bound) IS
	'does the distance of the vector pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = svec, RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @< (svec, distance_bound) IS
	'has a distance that passes the comparison';

CREATE FUNCTION within_distance_bound(real[], distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_dense_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION within_distance_bound(real[], distance_bound) IS
	'does the distance of the vector pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = real[], RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @< (real[], distance_bound) IS
	'has a distance that passes the comparison';

-- Lists of tokens (late interaction): a document and a query are several
-- vectors each.  Nothing here commutes: the document stands on the left.

CREATE FUNCTION maxsim(document real[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_real'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION maxsim(real[], real[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION maxsim(document real[], query double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_real'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION maxsim(real[], double precision[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION maxsim(document bincode[], query bincode[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION maxsim(bincode[], bincode[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION maxsim(document bincode[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION maxsim(bincode[], real[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION maxsim(document bincode[], query double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION maxsim(bincode[], double precision[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION negative_maxsim(document real[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_real'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION negative_maxsim(real[], real[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = real[], RIGHTARG = real[], FUNCTION = negative_maxsim
);
COMMENT ON OPERATOR @# (real[], real[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION negative_maxsim(document real[], query double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_real'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION negative_maxsim(real[], double precision[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = real[], RIGHTARG = double precision[], FUNCTION = negative_maxsim
);
COMMENT ON OPERATOR @# (real[], double precision[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION negative_maxsim(document bincode[], query bincode[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION negative_maxsim(bincode[], bincode[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = bincode[], RIGHTARG = bincode[], FUNCTION = negative_maxsim
);
COMMENT ON OPERATOR @# (bincode[], bincode[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION negative_maxsim(document bincode[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION negative_maxsim(bincode[], real[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = bincode[], RIGHTARG = real[], FUNCTION = negative_maxsim
);
COMMENT ON OPERATOR @# (bincode[], real[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION negative_maxsim(document bincode[], query double precision[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION negative_maxsim(bincode[], double precision[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = bincode[], RIGHTARG = double precision[], FUNCTION = negative_maxsim
);
COMMENT ON OPERATOR @# (bincode[], double precision[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION muvera_encode(tokens real[], what text, spec jsonb DEFAULT '{}') RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_muvera_encode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5000;
COMMENT ON FUNCTION muvera_encode(real[], text, jsonb) IS
	'one vector for a list of tokens, the ''query'' or a ''document'': inner products are near MaxSim times the repetitions; NULL for an empty list';

-- One order of several

CREATE FUNCTION rrf(rank bigint, k double precision DEFAULT 60) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_rrf'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION rrf(bigint, double precision) IS
	'reciprocal rank fusion: 1 / (k + rank), 0 where a row has no rank';

-- ---------------------------------------------------------------------------
-- Section 4: access method hashemb and operator classes for vectors
-- ---------------------------------------------------------------------------

CREATE FUNCTION hashemb_handler(internal) RETURNS index_am_handler
	AS 'MODULE_PATHNAME', 'hx_handler'
	LANGUAGE C;
COMMENT ON FUNCTION hashemb_handler(internal) IS 'hashemb index access method handler';

CREATE ACCESS METHOD hashemb TYPE INDEX HANDLER hashemb_handler;
COMMENT ON ACCESS METHOD hashemb IS
	'nearest neighbours with filters: blocks of similar rows with summaries';

-- how vectors are stored: each returns the address of a description

CREATE FUNCTION hashemb_vector_bincode_hamming(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_bincode_hamming'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_bincode_hamming(internal) IS
	'support function of bincode_hamming_ops';

CREATE FUNCTION hashemb_vector_bincode_jaccard(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_bincode_jaccard'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_bincode_jaccard(internal) IS
	'support function of bincode_jaccard_ops';

CREATE FUNCTION hashemb_vector_bincode_ip(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_bincode_ip'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_bincode_ip(internal) IS
	'support function of bincode_ip_ops';

CREATE FUNCTION hashemb_vector_bincode_cosine(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_bincode_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_bincode_cosine(internal) IS
	'support function of bincode_cosine_ops';

CREATE FUNCTION hashemb_vector_svec_ip(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_svec_ip'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_svec_ip(internal) IS
	'support function of svec_ip_ops';

CREATE FUNCTION hashemb_vector_svec_l2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_svec_l2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_svec_l2(internal) IS
	'support function of svec_l2_ops';

CREATE FUNCTION hashemb_vector_svec_cosine(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_svec_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_svec_cosine(internal) IS
	'support function of svec_cosine_ops';

CREATE OPERATOR CLASS bincode_hamming_ops
	DEFAULT FOR TYPE bincode USING hashemb AS
	OPERATOR 11 <~> (bincode, bincode) FOR ORDER BY float_ops,
	OPERATOR 12 <@ (bincode, hamming_ball),
	OPERATOR 13 @< (bincode, distance_bound),
	FUNCTION 2 hashemb_vector_bincode_hamming(internal);
COMMENT ON OPERATOR CLASS bincode_hamming_ops USING hashemb IS
	'nearest codes by Hamming distance, codes within a radius';
COMMENT ON OPERATOR FAMILY bincode_hamming_ops USING hashemb IS
	'nearest codes by Hamming distance, codes within a radius';

CREATE OPERATOR CLASS bincode_jaccard_ops
	FOR TYPE bincode USING hashemb AS
	OPERATOR 11 <%> (bincode, bincode) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bincode, distance_bound),
	FUNCTION 2 hashemb_vector_bincode_jaccard(internal);
COMMENT ON OPERATOR CLASS bincode_jaccard_ops USING hashemb IS
	'nearest codes by Jaccard distance';
COMMENT ON OPERATOR FAMILY bincode_jaccard_ops USING hashemb IS
	'nearest codes by Jaccard distance';

CREATE OPERATOR CLASS bincode_ip_ops
	FOR TYPE bincode USING hashemb AS
	OPERATOR 11 <#> (bincode, bincode) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bincode, distance_bound),
	FUNCTION 2 hashemb_vector_bincode_ip(internal);
COMMENT ON OPERATOR CLASS bincode_ip_ops USING hashemb IS
	'greatest inner product, of codes or float queries';
COMMENT ON OPERATOR FAMILY bincode_ip_ops USING hashemb IS
	'greatest inner product, of codes or float queries';
ALTER OPERATOR FAMILY bincode_ip_ops USING hashemb ADD
	OPERATOR 11 <#> (bincode, real[]) FOR ORDER BY float_ops,
	OPERATOR 11 <#> (bincode, double precision[]) FOR ORDER BY float_ops,
	OPERATOR 11 <#> (bincode, numeric[]) FOR ORDER BY float_ops,
	OPERATOR 11 <#> (bincode, integer[]) FOR ORDER BY float_ops;

CREATE OPERATOR CLASS bincode_cosine_ops
	FOR TYPE bincode USING hashemb AS
	OPERATOR 11 <=> (bincode, bincode) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bincode, distance_bound),
	FUNCTION 2 hashemb_vector_bincode_cosine(internal);
COMMENT ON OPERATOR CLASS bincode_cosine_ops USING hashemb IS
	'nearest codes by cosine distance, of codes or float queries';
COMMENT ON OPERATOR FAMILY bincode_cosine_ops USING hashemb IS
	'nearest codes by cosine distance, of codes or float queries';
ALTER OPERATOR FAMILY bincode_cosine_ops USING hashemb ADD
	OPERATOR 11 <=> (bincode, real[]) FOR ORDER BY float_ops,
	OPERATOR 11 <=> (bincode, double precision[]) FOR ORDER BY float_ops,
	OPERATOR 11 <=> (bincode, numeric[]) FOR ORDER BY float_ops,
	OPERATOR 11 <=> (bincode, integer[]) FOR ORDER BY float_ops;

CREATE OPERATOR CLASS svec_ip_ops
	DEFAULT FOR TYPE svec USING hashemb AS
	OPERATOR 11 <#> (svec, svec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (svec, distance_bound),
	FUNCTION 2 hashemb_vector_svec_ip(internal);
COMMENT ON OPERATOR CLASS svec_ip_ops USING hashemb IS
	'greatest inner product of sparse vectors';
COMMENT ON OPERATOR FAMILY svec_ip_ops USING hashemb IS
	'greatest inner product of sparse vectors';

CREATE OPERATOR CLASS svec_l2_ops
	FOR TYPE svec USING hashemb AS
	OPERATOR 11 <-> (svec, svec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (svec, distance_bound),
	FUNCTION 2 hashemb_vector_svec_l2(internal);
COMMENT ON OPERATOR CLASS svec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';
COMMENT ON OPERATOR FAMILY svec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

CREATE OPERATOR CLASS svec_cosine_ops
	FOR TYPE svec USING hashemb AS
	OPERATOR 11 <=> (svec, svec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (svec, distance_bound),
	FUNCTION 2 hashemb_vector_svec_cosine(internal);
COMMENT ON OPERATOR CLASS svec_cosine_ops USING hashemb IS
	'nearest sparse vectors by cosine distance';
COMMENT ON OPERATOR FAMILY svec_cosine_ops USING hashemb IS
	'nearest sparse vectors by cosine distance';

-- dense vectors: the index keeps codes, the table's rows are ranked

CREATE FUNCTION hashemb_vector_real_l2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_real_l2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_real_l2(internal) IS
	'support function of real_l2_ops';

CREATE FUNCTION hashemb_vector_real_ip(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_real_ip'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_real_ip(internal) IS
	'support function of real_ip_ops';

CREATE FUNCTION hashemb_vector_real_cosine(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_real_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_real_cosine(internal) IS
	'support function of real_cosine_ops';

CREATE OPERATOR CLASS real_l2_ops
	FOR TYPE real[] USING hashemb AS
	OPERATOR 11 <-> (real[], real[]) FOR ORDER BY float_ops,
	OPERATOR 13 @< (real[], distance_bound),
	FUNCTION 2 hashemb_vector_real_l2(internal);
COMMENT ON OPERATOR CLASS real_l2_ops USING hashemb IS
	'nearest arrays of numbers by L2 distance';
COMMENT ON OPERATOR FAMILY real_l2_ops USING hashemb IS
	'nearest arrays of numbers by L2 distance';
ALTER OPERATOR FAMILY real_l2_ops USING hashemb ADD
	OPERATOR 11 <-> (real[], double precision[]) FOR ORDER BY float_ops,
	OPERATOR 11 <-> (real[], numeric[]) FOR ORDER BY float_ops,
	OPERATOR 11 <-> (real[], integer[]) FOR ORDER BY float_ops;

CREATE OPERATOR CLASS real_ip_ops
	FOR TYPE real[] USING hashemb AS
	OPERATOR 11 <#> (real[], real[]) FOR ORDER BY float_ops,
	OPERATOR 13 @< (real[], distance_bound),
	FUNCTION 2 hashemb_vector_real_ip(internal);
COMMENT ON OPERATOR CLASS real_ip_ops USING hashemb IS
	'nearest arrays of numbers by negative inner product';
COMMENT ON OPERATOR FAMILY real_ip_ops USING hashemb IS
	'nearest arrays of numbers by negative inner product';
ALTER OPERATOR FAMILY real_ip_ops USING hashemb ADD
	OPERATOR 11 <#> (real[], double precision[]) FOR ORDER BY float_ops,
	OPERATOR 11 <#> (real[], numeric[]) FOR ORDER BY float_ops,
	OPERATOR 11 <#> (real[], integer[]) FOR ORDER BY float_ops;

CREATE OPERATOR CLASS real_cosine_ops
	FOR TYPE real[] USING hashemb AS
	OPERATOR 11 <=> (real[], real[]) FOR ORDER BY float_ops,
	OPERATOR 13 @< (real[], distance_bound),
	FUNCTION 2 hashemb_vector_real_cosine(internal);
COMMENT ON OPERATOR CLASS real_cosine_ops USING hashemb IS
	'nearest arrays of numbers by cosine distance';
COMMENT ON OPERATOR FAMILY real_cosine_ops USING hashemb IS
	'nearest arrays of numbers by cosine distance';
ALTER OPERATOR FAMILY real_cosine_ops USING hashemb ADD
	OPERATOR 11 <=> (real[], double precision[]) FOR ORDER BY float_ops,
	OPERATOR 11 <=> (real[], numeric[]) FOR ORDER BY float_ops,
	OPERATOR 11 <=> (real[], integer[]) FOR ORDER BY float_ops;

-- lists of tokens: the index keeps codes of tokens, the table's rows are ranked

CREATE FUNCTION hashemb_vector_real_maxsim(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_real_maxsim'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_real_maxsim(internal) IS
	'support function of maxsim_ops';

CREATE OPERATOR CLASS maxsim_ops
	FOR TYPE real[] USING hashemb AS
	OPERATOR 11 @# (real[], real[]) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_real_maxsim(internal);
COMMENT ON OPERATOR CLASS maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';
COMMENT ON OPERATOR FAMILY maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';
ALTER OPERATOR FAMILY maxsim_ops USING hashemb ADD
	OPERATOR 11 @# (real[], double precision[]) FOR ORDER BY float_ops;

CREATE FUNCTION hashemb_vector_coded_maxsim(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_coded_maxsim'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_coded_maxsim(internal) IS
	'support function of bincode_maxsim_ops';

CREATE OPERATOR CLASS bincode_maxsim_ops
	FOR TYPE bincode[] USING hashemb AS
	OPERATOR 11 @# (bincode[], bincode[]) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_coded_maxsim(internal);
COMMENT ON OPERATOR CLASS bincode_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';
COMMENT ON OPERATOR FAMILY bincode_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';
ALTER OPERATOR FAMILY bincode_maxsim_ops USING hashemb ADD
	OPERATOR 11 @# (bincode[], real[]) FOR ORDER BY float_ops,
	OPERATOR 11 @# (bincode[], double precision[]) FOR ORDER BY float_ops;

-- ---------------------------------------------------------------------------
-- Section 5: operator classes for attribute columns
-- ---------------------------------------------------------------------------

-- how values are stored: each returns the address of an encoder's description

CREATE FUNCTION hashemb_attr_bool(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bool'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bool(internal) IS
	'how a hashemb index stores booleans';

CREATE FUNCTION hashemb_attr_int2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int2(internal) IS
	'how a hashemb index stores smallint';

CREATE FUNCTION hashemb_attr_int4(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int4(internal) IS
	'how a hashemb index stores integer and date';

CREATE FUNCTION hashemb_attr_int8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_int8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_int8(internal) IS
	'how a hashemb index stores bigint, money, time and timestamps';

CREATE FUNCTION hashemb_attr_oid(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_oid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_oid(internal) IS
	'how a hashemb index stores oid and xid';

CREATE FUNCTION hashemb_attr_float4(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_float4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_float4(internal) IS
	'how a hashemb index stores real';

CREATE FUNCTION hashemb_attr_float8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_float8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_float8(internal) IS
	'how a hashemb index stores double precision';

CREATE FUNCTION hashemb_attr_numeric(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_numeric'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_numeric(internal) IS
	'how a hashemb index stores numeric';

CREATE FUNCTION hashemb_attr_interval(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_interval'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_interval(internal) IS
	'how a hashemb index stores interval';

CREATE FUNCTION hashemb_attr_uuid(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_uuid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_uuid(internal) IS
	'how a hashemb index stores uuid';

CREATE FUNCTION hashemb_attr_text(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_text(internal) IS
	'how a hashemb index stores text';

CREATE FUNCTION hashemb_attr_bpchar(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bpchar'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bpchar(internal) IS
	'how a hashemb index stores character(n)';

CREATE FUNCTION hashemb_attr_name(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_name'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_name(internal) IS
	'how a hashemb index stores name';

CREATE FUNCTION hashemb_attr_inet(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_inet'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_inet(internal) IS
	'how a hashemb index stores inet';

CREATE FUNCTION hashemb_attr_char(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_char'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_char(internal) IS
	'how a hashemb index stores "char"';

CREATE FUNCTION hashemb_attr_xid8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_xid8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_xid8(internal) IS
	'how a hashemb index stores xid8';

CREATE FUNCTION hashemb_attr_pg_lsn(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_pg_lsn'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_pg_lsn(internal) IS
	'how a hashemb index stores pg_lsn';

CREATE FUNCTION hashemb_attr_macaddr(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_macaddr'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_macaddr(internal) IS
	'how a hashemb index stores macaddr';

CREATE FUNCTION hashemb_attr_macaddr8(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_macaddr8'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_macaddr8(internal) IS
	'how a hashemb index stores macaddr8';

CREATE FUNCTION hashemb_attr_timetz(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_timetz'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_timetz(internal) IS
	'how a hashemb index stores time with time zone';

CREATE FUNCTION hashemb_attr_bytea(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bytea'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bytea(internal) IS
	'how a hashemb index stores bytea';

CREATE FUNCTION hashemb_attr_bits(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_bits'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_bits(internal) IS
	'how a hashemb index stores bit strings';

CREATE FUNCTION hashemb_attr_hash(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_hash(internal) IS
	'how a hashemb index stores what has equality and a hash alone';

CREATE FUNCTION hashemb_attr_enum(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_enum'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_enum(internal) IS
	'how a hashemb index stores enum types';

CREATE FUNCTION hashemb_attr_array(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_array(internal) IS
	'how a hashemb index stores arrays';

-- numbers: one family for each of integers and floats, for operators between
-- types

CREATE OPERATOR FAMILY integer_ops USING hashemb;
COMMENT ON OPERATOR FAMILY integer_ops USING hashemb IS
	'integers of all sizes, stored exactly';

CREATE OPERATOR CLASS int2_ops
	DEFAULT FOR TYPE int2 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int2(internal);
COMMENT ON OPERATOR CLASS int2_ops USING hashemb IS
	'int2 attributes, stored exactly';

CREATE OPERATOR CLASS int4_ops
	DEFAULT FOR TYPE int4 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int4(internal);
COMMENT ON OPERATOR CLASS int4_ops USING hashemb IS
	'int4 attributes, stored exactly';

CREATE OPERATOR CLASS int8_ops
	DEFAULT FOR TYPE int8 USING hashemb FAMILY integer_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS int8_ops USING hashemb IS
	'int8 attributes, stored exactly';

ALTER OPERATOR FAMILY integer_ops USING hashemb ADD
	OPERATOR 1 < (int2, int4), OPERATOR 2 <= (int2, int4),
	OPERATOR 3 = (int2, int4), OPERATOR 4 >= (int2, int4),
	OPERATOR 5 > (int2, int4),
	OPERATOR 1 < (int2, int8), OPERATOR 2 <= (int2, int8),
	OPERATOR 3 = (int2, int8), OPERATOR 4 >= (int2, int8),
	OPERATOR 5 > (int2, int8),
	OPERATOR 1 < (int4, int2), OPERATOR 2 <= (int4, int2),
	OPERATOR 3 = (int4, int2), OPERATOR 4 >= (int4, int2),
	OPERATOR 5 > (int4, int2),
	OPERATOR 1 < (int4, int8), OPERATOR 2 <= (int4, int8),
	OPERATOR 3 = (int4, int8), OPERATOR 4 >= (int4, int8),
	OPERATOR 5 > (int4, int8),
	OPERATOR 1 < (int8, int2), OPERATOR 2 <= (int8, int2),
	OPERATOR 3 = (int8, int2), OPERATOR 4 >= (int8, int2),
	OPERATOR 5 > (int8, int2),
	OPERATOR 1 < (int8, int4), OPERATOR 2 <= (int8, int4),
	OPERATOR 3 = (int8, int4), OPERATOR 4 >= (int8, int4),
	OPERATOR 5 > (int8, int4);

CREATE OPERATOR FAMILY float_ops USING hashemb;
COMMENT ON OPERATOR FAMILY float_ops USING hashemb IS
	'floating-point numbers, stored exactly';

CREATE OPERATOR CLASS float4_ops
	DEFAULT FOR TYPE float4 USING hashemb FAMILY float_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_float4(internal);
COMMENT ON OPERATOR CLASS float4_ops USING hashemb IS
	'float4 attributes, stored exactly';

CREATE OPERATOR CLASS float8_ops
	DEFAULT FOR TYPE float8 USING hashemb FAMILY float_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_float8(internal);
COMMENT ON OPERATOR CLASS float8_ops USING hashemb IS
	'float8 attributes, stored exactly';

ALTER OPERATOR FAMILY float_ops USING hashemb ADD
	OPERATOR 1 < (float4, float8), OPERATOR 2 <= (float4, float8),
	OPERATOR 3 = (float4, float8), OPERATOR 4 >= (float4, float8),
	OPERATOR 5 > (float4, float8),
	OPERATOR 1 < (float8, float4), OPERATOR 2 <= (float8, float4),
	OPERATOR 3 = (float8, float4), OPERATOR 4 >= (float8, float4),
	OPERATOR 5 > (float8, float4);

-- other types that are stored exactly

CREATE OPERATOR CLASS bool_ops
	DEFAULT FOR TYPE bool USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bool(internal);
COMMENT ON OPERATOR CLASS bool_ops USING hashemb IS
	'bool attributes, stored exactly';
COMMENT ON OPERATOR FAMILY bool_ops USING hashemb IS
	'bool attributes, stored exactly';

CREATE OPERATOR CLASS oid_ops
	DEFAULT FOR TYPE oid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_oid(internal);
COMMENT ON OPERATOR CLASS oid_ops USING hashemb IS
	'oid attributes, stored exactly';
COMMENT ON OPERATOR FAMILY oid_ops USING hashemb IS
	'oid attributes, stored exactly';

CREATE OPERATOR CLASS date_ops
	DEFAULT FOR TYPE date USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int4(internal);
COMMENT ON OPERATOR CLASS date_ops USING hashemb IS
	'date attributes, stored exactly';
COMMENT ON OPERATOR FAMILY date_ops USING hashemb IS
	'date attributes, stored exactly';

CREATE OPERATOR CLASS time_ops
	DEFAULT FOR TYPE time USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS time_ops USING hashemb IS
	'time attributes, stored exactly';
COMMENT ON OPERATOR FAMILY time_ops USING hashemb IS
	'time attributes, stored exactly';

CREATE OPERATOR CLASS timestamp_ops
	DEFAULT FOR TYPE timestamp USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamp_ops USING hashemb IS
	'timestamp attributes, stored exactly';
COMMENT ON OPERATOR FAMILY timestamp_ops USING hashemb IS
	'timestamp attributes, stored exactly';

CREATE OPERATOR CLASS timestamptz_ops
	DEFAULT FOR TYPE timestamptz USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamptz_ops USING hashemb IS
	'timestamptz attributes, stored exactly';
COMMENT ON OPERATOR FAMILY timestamptz_ops USING hashemb IS
	'timestamptz attributes, stored exactly';

CREATE OPERATOR CLASS char_ops
	DEFAULT FOR TYPE "char" USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_char(internal);
COMMENT ON OPERATOR CLASS char_ops USING hashemb IS
	'"char" attributes, stored exactly';
COMMENT ON OPERATOR FAMILY char_ops USING hashemb IS
	'"char" attributes, stored exactly';

CREATE OPERATOR CLASS money_ops
	DEFAULT FOR TYPE money USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS money_ops USING hashemb IS
	'money attributes, stored exactly';
COMMENT ON OPERATOR FAMILY money_ops USING hashemb IS
	'money attributes, stored exactly';

CREATE OPERATOR CLASS xid8_ops
	DEFAULT FOR TYPE xid8 USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_xid8(internal);
COMMENT ON OPERATOR CLASS xid8_ops USING hashemb IS
	'xid8 attributes, stored exactly';
COMMENT ON OPERATOR FAMILY xid8_ops USING hashemb IS
	'xid8 attributes, stored exactly';

CREATE OPERATOR CLASS pg_lsn_ops
	DEFAULT FOR TYPE pg_lsn USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_pg_lsn(internal);
COMMENT ON OPERATOR CLASS pg_lsn_ops USING hashemb IS
	'pg_lsn attributes, stored exactly';
COMMENT ON OPERATOR FAMILY pg_lsn_ops USING hashemb IS
	'pg_lsn attributes, stored exactly';

CREATE OPERATOR CLASS macaddr_ops
	DEFAULT FOR TYPE macaddr USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_macaddr(internal);
COMMENT ON OPERATOR CLASS macaddr_ops USING hashemb IS
	'macaddr attributes, stored exactly';
COMMENT ON OPERATOR FAMILY macaddr_ops USING hashemb IS
	'macaddr attributes, stored exactly';

CREATE OPERATOR CLASS macaddr8_ops
	DEFAULT FOR TYPE macaddr8 USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_macaddr8(internal);
COMMENT ON OPERATOR CLASS macaddr8_ops USING hashemb IS
	'macaddr8 attributes, stored exactly';
COMMENT ON OPERATOR FAMILY macaddr8_ops USING hashemb IS
	'macaddr8 attributes, stored exactly';

CREATE OPERATOR CLASS xid_ops
	DEFAULT FOR TYPE xid USING hashemb AS
	OPERATOR 3 =,
	FUNCTION 1 hashemb_attr_oid(internal);
COMMENT ON OPERATOR CLASS xid_ops USING hashemb IS
	'xid attributes, stored exactly';
COMMENT ON OPERATOR FAMILY xid_ops USING hashemb IS
	'xid attributes, stored exactly';

CREATE OPERATOR CLASS timetz_ops
	DEFAULT FOR TYPE timetz USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_timetz(internal);
COMMENT ON OPERATOR CLASS timetz_ops USING hashemb IS
	'timetz attributes, stored exactly; ranges by the moment';
COMMENT ON OPERATOR FAMILY timetz_ops USING hashemb IS
	'timetz attributes, stored exactly; ranges by the moment';

CREATE OPERATOR CLASS uuid_ops
	DEFAULT FOR TYPE uuid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_uuid(internal);
COMMENT ON OPERATOR CLASS uuid_ops USING hashemb IS
	'uuid attributes, stored exactly; ranges by the first 8 bytes';
COMMENT ON OPERATOR FAMILY uuid_ops USING hashemb IS
	'uuid attributes, stored exactly; ranges by the first 8 bytes';

CREATE OPERATOR CLASS enum_ops
	DEFAULT FOR TYPE anyenum USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_enum(internal);
COMMENT ON OPERATOR CLASS enum_ops USING hashemb IS
	'attributes of enum types, stored exactly';
COMMENT ON OPERATOR FAMILY enum_ops USING hashemb IS
	'attributes of enum types, stored exactly';

-- types whose values need rechecking

CREATE OPERATOR CLASS numeric_ops
	DEFAULT FOR TYPE numeric USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_numeric(internal);
COMMENT ON OPERATOR CLASS numeric_ops USING hashemb IS
	'numeric attributes, rounded to double precision';
COMMENT ON OPERATOR FAMILY numeric_ops USING hashemb IS
	'numeric attributes, rounded to double precision';

CREATE OPERATOR CLASS interval_ops
	DEFAULT FOR TYPE interval USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_interval(internal);
COMMENT ON OPERATOR CLASS interval_ops USING hashemb IS
	'interval attributes, by their length in microseconds';
COMMENT ON OPERATOR FAMILY interval_ops USING hashemb IS
	'interval attributes, by their length in microseconds';

CREATE OPERATOR CLASS text_ops
	DEFAULT FOR TYPE text USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_text(internal);
COMMENT ON OPERATOR CLASS text_ops USING hashemb IS
	'text attributes, hashed; ranges in collation C only';
COMMENT ON OPERATOR FAMILY text_ops USING hashemb IS
	'text attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS bpchar_ops
	DEFAULT FOR TYPE bpchar USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bpchar(internal);
COMMENT ON OPERATOR CLASS bpchar_ops USING hashemb IS
	'bpchar attributes, hashed; ranges in collation C only';
COMMENT ON OPERATOR FAMILY bpchar_ops USING hashemb IS
	'bpchar attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS name_ops
	DEFAULT FOR TYPE name USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_name(internal);
COMMENT ON OPERATOR CLASS name_ops USING hashemb IS
	'name attributes, hashed; ranges in collation C only';
COMMENT ON OPERATOR FAMILY name_ops USING hashemb IS
	'name attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS inet_ops
	DEFAULT FOR TYPE inet USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_inet(internal);
COMMENT ON OPERATOR CLASS inet_ops USING hashemb IS
	'inet attributes, hashed; ranges by network address';
COMMENT ON OPERATOR FAMILY inet_ops USING hashemb IS
	'inet attributes, hashed; ranges by network address';

CREATE OPERATOR CLASS bytea_ops
	DEFAULT FOR TYPE bytea USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bytea(internal);
COMMENT ON OPERATOR CLASS bytea_ops USING hashemb IS
	'bytea attributes, hashed; ranges by the first 8 bytes';
COMMENT ON OPERATOR FAMILY bytea_ops USING hashemb IS
	'bytea attributes, hashed; ranges by the first 8 bytes';

CREATE OPERATOR CLASS bit_ops
	DEFAULT FOR TYPE bit USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bits(internal);
COMMENT ON OPERATOR CLASS bit_ops USING hashemb IS
	'bit attributes, hashed; ranges by the first 64 bits';
COMMENT ON OPERATOR FAMILY bit_ops USING hashemb IS
	'bit attributes, hashed; ranges by the first 64 bits';

CREATE OPERATOR CLASS varbit_ops
	DEFAULT FOR TYPE varbit USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bits(internal);
COMMENT ON OPERATOR CLASS varbit_ops USING hashemb IS
	'varbit attributes, hashed; ranges by the first 64 bits';
COMMENT ON OPERATOR FAMILY varbit_ops USING hashemb IS
	'varbit attributes, hashed; ranges by the first 64 bits';

CREATE OPERATOR CLASS jsonb_ops
	DEFAULT FOR TYPE jsonb USING hashemb AS
	OPERATOR 3 =,
	FUNCTION 1 hashemb_attr_hash(internal);
COMMENT ON OPERATOR CLASS jsonb_ops USING hashemb IS
	'jsonb attributes, hashed: equality alone';
COMMENT ON OPERATOR FAMILY jsonb_ops USING hashemb IS
	'jsonb attributes, hashed: equality alone';

CREATE OPERATOR CLASS range_ops
	DEFAULT FOR TYPE anyrange USING hashemb AS
	OPERATOR 3 =,
	FUNCTION 1 hashemb_attr_hash(internal);
COMMENT ON OPERATOR CLASS range_ops USING hashemb IS
	'attributes of range types, hashed: equality alone';
COMMENT ON OPERATOR FAMILY range_ops USING hashemb IS
	'attributes of range types, hashed: equality alone';

CREATE OPERATOR CLASS multirange_ops
	DEFAULT FOR TYPE anymultirange USING hashemb AS
	OPERATOR 3 =,
	FUNCTION 1 hashemb_attr_hash(internal);
COMMENT ON OPERATOR CLASS multirange_ops USING hashemb IS
	'attributes of multirange types, hashed: equality alone';
COMMENT ON OPERATOR FAMILY multirange_ops USING hashemb IS
	'attributes of multirange types, hashed: equality alone';

-- for any type that has equality and a hash, as those of extensions: the scan
-- node knows the type's own =, so there is no operator here
CREATE OPERATOR CLASS equality_ops
	FOR TYPE anyelement USING hashemb AS
	FUNCTION 1 hashemb_attr_hash(internal);
COMMENT ON OPERATOR CLASS equality_ops USING hashemb IS
	'attributes of any type with equality and a hash: equality alone';
COMMENT ON OPERATOR FAMILY equality_ops USING hashemb IS
	'attributes of any type with equality and a hash: equality alone';

CREATE OPERATOR CLASS array_ops
	DEFAULT FOR TYPE anyarray USING hashemb AS
	OPERATOR 7 && (anyarray, anyarray), OPERATOR 8 @> (anyarray, anyarray),
	OPERATOR 9 <@ (anyarray, anyarray), OPERATOR 10 = (anyarray, anyarray),
	FUNCTION 1 hashemb_attr_array(internal);
COMMENT ON OPERATOR CLASS array_ops USING hashemb IS
	'array attributes, as signatures of their elements';
COMMENT ON OPERATOR FAMILY array_ops USING hashemb IS
	'array attributes, as signatures of their elements';
-- which has an equality of its own
ALTER OPERATOR FAMILY array_ops USING hashemb ADD
	OPERATOR 10 = (oidvector, oidvector);

-- ---------------------------------------------------------------------------
-- Section 6: introspection
-- ---------------------------------------------------------------------------

CREATE FUNCTION hashemb_index_info(index regclass,
	OUT version integer, OUT rows bigint, OUT null_rows bigint,
	OUT dead bigint, OUT pending bigint, OUT blocks integer,
	OUT splits integer, OUT merges integer, OUT rows_per_page integer,
	OUT pages bigint, OUT rows_at_build bigint,
	OUT rows_at_calibration bigint, OUT calibrations integer,
	OUT pages_freed bigint, OUT pages_reused bigint,
	OUT group_column text)
	AS 'MODULE_PATHNAME', 'hx_index_info'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_index_info(regclass) IS
	'rows, blocks and calibration of a hashemb index';

CREATE FUNCTION hashemb_block_info(index regclass,
	OUT block integer, OUT holds_nulls boolean, OUT rows bigint,
	OUT pages integer, OUT radius bigint, OUT min_weight bigint,
	OUT max_weight bigint, OUT group_low bigint, OUT group_high bigint,
	OUT group_nulls boolean)
	RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hx_block_info'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE ROWS 1000;
COMMENT ON FUNCTION hashemb_block_info(regclass) IS
	'summaries of the blocks of a hashemb index';

CREATE FUNCTION hashemb_code_info(index regclass,
	OUT directions integer, OUT bits integer, OUT landmarks integer)
	AS 'MODULE_PATHNAME', 'hx_sketch_info'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_code_info(regclass) IS
	'how a hashemb index of dense vectors makes codes of them';

CREATE FUNCTION hashemb_calibrate(index regclass) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass) IS
	'calibrate an index with its own rows as queries; false if it has too few rows';

CREATE FUNCTION hashemb_calibrate(index regclass, queries bincode[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, bincode[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_calibrate(index regclass, queries svec[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, svec[]) IS
	'false: searches of sparse vectors are exact and need no calibration';

CREATE FUNCTION hashemb_calibrate(index regclass, queries real[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, real[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_calibrate(index regclass, queries double precision[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, double precision[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer DEFAULT 10, queries integer DEFAULT 100,
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, integer) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries bincode[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, bincode[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries svec[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, svec[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries real[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, real[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries double precision[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, double precision[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_check(index regclass,
	heapallindexed boolean DEFAULT false,
	OUT pages bigint, OUT blocks bigint, OUT rows bigint,
	OUT null_rows bigint, OUT dead bigint, OUT directory_pages bigint,
	OUT zone_pages bigint, OUT ring_pages bigint, OUT rows_pages bigint,
	OUT free_pages bigint, OUT orphan_pages bigint, OUT heap_rows bigint)
	AS 'MODULE_PATHNAME', 'hx_check_index'
	LANGUAGE C VOLATILE STRICT PARALLEL RESTRICTED;
COMMENT ON FUNCTION hashemb_check(regclass, boolean) IS
	'verify the structure of a hashemb index, and that every row of its table has an entry; counts what it holds';

-- ---------------------------------------------------------------------------
-- Section 7: encoders
-- ---------------------------------------------------------------------------

CREATE TYPE hashemb_model;
COMMENT ON TYPE hashemb_model IS
	'encoder: what hashemb_train returns and hashemb_encode takes';

CREATE FUNCTION hashemb_model_in(cstring) RETURNS hashemb_model
	AS 'MODULE_PATHNAME', 'hx_model_in'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_in(cstring) IS
	'input';

CREATE FUNCTION hashemb_model_out(hashemb_model) RETURNS cstring
	AS 'MODULE_PATHNAME', 'hx_model_out'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_out(hashemb_model) IS
	'output';

CREATE FUNCTION hashemb_model_recv(internal) RETURNS hashemb_model
	AS 'MODULE_PATHNAME', 'hx_model_recv'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_recv(internal) IS
	'binary input: the bytes whose base64 is the text form';

CREATE FUNCTION hashemb_model_send(hashemb_model) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_model_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_send(hashemb_model) IS
	'binary output: the bytes whose base64 is the text form';

-- not compressed, so that the header can be read without the rest
CREATE TYPE hashemb_model (
	INPUT = hashemb_model_in,
	OUTPUT = hashemb_model_out,
	RECEIVE = hashemb_model_recv,
	SEND = hashemb_model_send,
	ALIGNMENT = int4,
	STORAGE = external
);

CREATE FUNCTION hashemb_model_eq(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_eq'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_eq(hashemb_model, hashemb_model) IS
	'equal';

CREATE FUNCTION hashemb_model_ne(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_ne'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_ne(hashemb_model, hashemb_model) IS
	'not equal';

CREATE OPERATOR = (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_eq,
	COMMUTATOR = =, NEGATOR = <>, RESTRICT = eqsel, JOIN = eqjoinsel, HASHES, MERGES
);
COMMENT ON OPERATOR = (hashemb_model, hashemb_model) IS
	'equal';

CREATE OPERATOR <> (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_ne,
	COMMUTATOR = <>, NEGATOR = =, RESTRICT = neqsel, JOIN = neqjoinsel
);
COMMENT ON OPERATOR <> (hashemb_model, hashemb_model) IS
	'not equal';

-- An order, by digests, only so that models can be sorted, counted distinct and
-- grouped

CREATE FUNCTION hashemb_model_lt(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_lt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_lt(hashemb_model, hashemb_model) IS
	'has the lower digest';

CREATE FUNCTION hashemb_model_le(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_le'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_le(hashemb_model, hashemb_model) IS
	'has the lower digest, or the same';

CREATE FUNCTION hashemb_model_ge(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_ge'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_ge(hashemb_model, hashemb_model) IS
	'has the higher digest, or the same';

CREATE FUNCTION hashemb_model_gt(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_model_gt'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_gt(hashemb_model, hashemb_model) IS
	'has the higher digest';

CREATE FUNCTION hashemb_model_cmp(hashemb_model, hashemb_model) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_model_cmp'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_cmp(hashemb_model, hashemb_model) IS
	'-1, 0 or 1: lower digest, the same, or higher';

CREATE OPERATOR < (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_lt,
	COMMUTATOR = >, NEGATOR = >=, RESTRICT = scalarltsel, JOIN = scalarltjoinsel
);
COMMENT ON OPERATOR < (hashemb_model, hashemb_model) IS
	'has the lower digest';

CREATE OPERATOR <= (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_le,
	COMMUTATOR = >=, NEGATOR = >, RESTRICT = scalarlesel, JOIN = scalarlejoinsel
);
COMMENT ON OPERATOR <= (hashemb_model, hashemb_model) IS
	'has the lower digest, or the same';

CREATE OPERATOR >= (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_ge,
	COMMUTATOR = <=, NEGATOR = <, RESTRICT = scalargesel, JOIN = scalargejoinsel
);
COMMENT ON OPERATOR >= (hashemb_model, hashemb_model) IS
	'has the higher digest, or the same';

CREATE OPERATOR > (
	LEFTARG = hashemb_model, RIGHTARG = hashemb_model, FUNCTION = hashemb_model_gt,
	COMMUTATOR = <, NEGATOR = <=, RESTRICT = scalargtsel, JOIN = scalargtjoinsel
);
COMMENT ON OPERATOR > (hashemb_model, hashemb_model) IS
	'has the higher digest';

CREATE OPERATOR CLASS hashemb_model_btree_ops
	DEFAULT FOR TYPE hashemb_model USING btree AS
	OPERATOR 1 <,
	OPERATOR 2 <=,
	OPERATOR 3 =,
	OPERATOR 4 >=,
	OPERATOR 5 >,
	FUNCTION 1 hashemb_model_cmp(hashemb_model, hashemb_model);
COMMENT ON OPERATOR CLASS hashemb_model_btree_ops USING btree IS
	'order of encoders, by their digests';
COMMENT ON OPERATOR FAMILY hashemb_model_btree_ops USING btree IS
	'order of encoders';

CREATE FUNCTION hashemb_model_hash(hashemb_model) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_model_hash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_hash(hashemb_model) IS
	'hash';

CREATE FUNCTION hashemb_model_hash_extended(hashemb_model, bigint) RETURNS bigint
	AS 'MODULE_PATHNAME', 'hx_model_hash_extended'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_model_hash_extended(hashemb_model, bigint) IS
	'hash with seed';

CREATE OPERATOR CLASS hashemb_model_hash_ops
	DEFAULT FOR TYPE hashemb_model USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 hashemb_model_hash(hashemb_model),
	FUNCTION 2 hashemb_model_hash_extended(hashemb_model, bigint);
COMMENT ON OPERATOR CLASS hashemb_model_hash_ops USING hash IS
	'equality of encoders, by their digests';
COMMENT ON OPERATOR FAMILY hashemb_model_hash_ops USING hash IS
	'equality of encoders';

CREATE FUNCTION hashemb_same_space(hashemb_model, hashemb_model) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_same_space'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_same_space(hashemb_model, hashemb_model) IS
	'may codes of one encoder be compared with codes of the other';

CREATE FUNCTION hashemb_info(model hashemb_model,
	OUT family text, OUT method text, OUT output text, OUT inputs integer,
	OUT dims integer, OUT bits integer, OUT views integer, OUT space text,
	OUT digest text, OUT rows bigint, OUT loss double precision,
	OUT size bigint)
	AS 'MODULE_PATHNAME', 'hx_model_info'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_info(hashemb_model) IS
	'what an encoder takes and makes, how it was trained, its code space and digest';

CREATE FUNCTION hashemb_export(hashemb_model) RETURNS jsonb
	AS 'MODULE_PATHNAME', 'hx_model_export'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION hashemb_export(hashemb_model) IS
	'the encoder with all its weights, as JSON';

CREATE FUNCTION hashemb_import(jsonb) RETURNS hashemb_model
	AS 'MODULE_PATHNAME', 'hx_model_import'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION hashemb_import(jsonb) IS
	'an encoder from the JSON of hashemb_export, or of a program that trains';

-- Training

CREATE FUNCTION hashemb_train_step(internal, jsonb, "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_train_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION hashemb_train_step(internal, jsonb, "any") IS
	'transition function of hashemb_train';

CREATE FUNCTION hashemb_train_step(internal, jsonb, "any", "any") RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_train_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION hashemb_train_step(internal, jsonb, "any", "any") IS
	'transition function of hashemb_train';

CREATE FUNCTION hashemb_train_step(internal, jsonb, "any", "any", hashemb_model) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_train_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION hashemb_train_step(internal, jsonb, "any", "any", hashemb_model) IS
	'transition function of hashemb_train';

CREATE FUNCTION hashemb_train_final(internal) RETURNS hashemb_model
	AS 'MODULE_PATHNAME', 'hx_train_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION hashemb_train_final(internal) IS
	'final function of hashemb_train';

-- not parallel: another order of sums would give another encoder
CREATE AGGREGATE hashemb_train(spec jsonb, x "any") (
	SFUNC = hashemb_train_step,
	STYPE = internal,
	SSPACE = 1000000,
	FINALFUNC = hashemb_train_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashemb_train(jsonb, "any") IS
	'encoder learnt from vectors: real[] and its like, or svec';

CREATE AGGREGATE hashemb_train(spec jsonb, x "any", y "any") (
	SFUNC = hashemb_train_step,
	STYPE = internal,
	SSPACE = 1000000,
	FINALFUNC = hashemb_train_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashemb_train(jsonb, "any", "any") IS
	'encoder learnt from vectors and labels, codes, numbers or other vectors';

CREATE AGGREGATE hashemb_train(spec jsonb, x "any", y "any", base hashemb_model) (
	SFUNC = hashemb_train_step,
	STYPE = internal,
	SSPACE = 1000000,
	FINALFUNC = hashemb_train_final,
	FINALFUNC_MODIFY = READ_WRITE,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashemb_train(jsonb, "any", "any", hashemb_model) IS
	'encoder learnt from another one and from vectors and labels, codes, numbers or other vectors';

-- Encoding; text is what untyped literals and parameters become

CREATE FUNCTION hashemb_encode(model hashemb_model, x real[], view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, real[], integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_encode(model hashemb_model, x double precision[], view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, double precision[], integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_encode(model hashemb_model, x numeric[], view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, numeric[], integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_encode(model hashemb_model, x integer[], view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, integer[], integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_encode(model hashemb_model, x svec, view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, svec, integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_encode(model hashemb_model, x text, view integer DEFAULT 1) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, text, integer) IS
	'code of a vector';

CREATE FUNCTION hashemb_project(model hashemb_model, x real[], view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, real[], integer) IS
	'what encoding rounds: the output of the encoder as numbers';

CREATE FUNCTION hashemb_project(model hashemb_model, x double precision[], view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, double precision[], integer) IS
	'what encoding rounds: the output of the encoder as numbers';

CREATE FUNCTION hashemb_project(model hashemb_model, x numeric[], view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, numeric[], integer) IS
	'what encoding rounds: the output of the encoder as numbers';

CREATE FUNCTION hashemb_project(model hashemb_model, x integer[], view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, integer[], integer) IS
	'what encoding rounds: the output of the encoder as numbers';

CREATE FUNCTION hashemb_project(model hashemb_model, x svec, view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, svec, integer) IS
	'what encoding rounds: the output of the encoder as numbers';

CREATE FUNCTION hashemb_project(model hashemb_model, x text, view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, text, integer) IS
	'what encoding rounds: the output of the encoder as numbers';

-- Documents, by models of method pvdbow

CREATE FUNCTION hashemb_encode(model hashemb_model, x tsvector) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_document'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, tsvector) IS
	'code of a document by its words; NULL if the encoder knows too few of them';

CREATE FUNCTION hashemb_project(model hashemb_model, x tsvector) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_document'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, tsvector) IS
	'vector of a document by its words: what its code is the signs of, or the real numbers beside';

-- Views by their names; a parameter without a type is text, so numbers are names, too

CREATE FUNCTION hashemb_encode(model hashemb_model, x real[], view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, real[], text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_encode(model hashemb_model, x double precision[], view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, double precision[], text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_encode(model hashemb_model, x numeric[], view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, numeric[], text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_encode(model hashemb_model, x integer[], view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, integer[], text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_encode(model hashemb_model, x svec, view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_svec_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, svec, text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_encode(model hashemb_model, x text, view text) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_encode_text_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_encode(hashemb_model, text, text) IS
	'code of a vector by one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x real[], view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, real[], text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x double precision[], view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, double precision[], text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x numeric[], view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, numeric[], text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x integer[], view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_array_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, integer[], text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x svec, view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_svec_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, svec, text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_project(model hashemb_model, x text, view text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_project_text_as'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_project(hashemb_model, text, text) IS
	'output of one of the encoder''s views: query, for inner products with codes of rows, or a number';

CREATE FUNCTION hashemb_decode(model hashemb_model, code bincode, view integer DEFAULT 1) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_decode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 2000;
COMMENT ON FUNCTION hashemb_decode(hashemb_model, bincode, integer) IS
	'a vector for a code: of those that the encoder would bring to the middle of its levels, the nearest to the mean';

-- Queries of codes by product quantization

CREATE FUNCTION hashemb_query(model hashemb_model, x real[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, real[]) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

CREATE FUNCTION hashemb_query(model hashemb_model, x double precision[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, double precision[]) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

CREATE FUNCTION hashemb_query(model hashemb_model, x numeric[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, numeric[]) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

CREATE FUNCTION hashemb_query(model hashemb_model, x integer[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, integer[]) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

CREATE FUNCTION hashemb_query(model hashemb_model, x svec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, svec) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

CREATE FUNCTION hashemb_query(model hashemb_model, x text) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION hashemb_query(hashemb_model, text) IS
	'a query for codes of method pq: inner products with the 16 codewords of each part, for code <#> query';

-- Ids in levels, coarse to fine

CREATE FUNCTION semantic_id(model hashemb_model, x real[]) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, real[]) IS
	'id of a vector by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION semantic_id(model hashemb_model, x double precision[]) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, double precision[]) IS
	'id of a vector by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION semantic_id(model hashemb_model, x numeric[]) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, numeric[]) IS
	'id of a vector by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION semantic_id(model hashemb_model, x integer[]) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_array'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, integer[]) IS
	'id of a vector by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION semantic_id(model hashemb_model, x svec) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, svec) IS
	'id of a sparse vector by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION semantic_id(model hashemb_model, x text) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_semantic_id_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION semantic_id(hashemb_model, text) IS
	'id of a vector written as text by a model of method rq: a number for each level, the coarsest first';

CREATE FUNCTION sid_decode(model hashemb_model, sid integer[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_sid_decode'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION sid_decode(hashemb_model, integer[]) IS
	'the vector that an id of method rq, or its first levels, stand for';

CREATE FUNCTION sid_prefix(sid integer[], n integer) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_sid_prefix'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sid_prefix(integer[], integer) IS
	'the first levels of an id';

CREATE FUNCTION sid_ngrams(sid integer[], n integer, m bigint) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hx_sid_ngrams'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION sid_ngrams(integer[], integer, bigint) IS
	'slots from 0 to m - 1, one for each n levels in a row of an id, by a hash of these and their place';

CREATE FUNCTION sid_pieces(model hashemb_model, sid integer[]) RETURNS bigint[]
	AS 'MODULE_PATHNAME', 'hx_sid_pieces'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION sid_pieces(hashemb_model, integer[]) IS
	'a sequence of ids cut into the pieces of a model of method pieces: their numbers, 0 for what it has not learnt from';

-- An encoder as a function of its own: a literal in the body, which is parsed when
-- the function is made, so that what it calls is known by identity: it goes on
-- after the extension was moved to another schema, and no error quotes it

CREATE FUNCTION hashemb_freeze(name text, model hashemb_model, input regtype DEFAULT 'real[]') RETURNS text
	LANGUAGE sql STABLE STRICT PARALLEL SAFE COST 1000
	BEGIN ATOMIC
	SELECT pg_catalog.format(
		'CREATE FUNCTION %s(x %I.%I) RETURNS %6$s LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 1000 RETURN %4$I.%7$I(''%5$s''::%4$I.hashemb_model, x)',
		(SELECT pg_catalog.string_agg(pg_catalog.quote_ident(part), '.' ORDER BY nr)
			FROM pg_catalog.unnest(pg_catalog.parse_ident(name)) WITH ORDINALITY AS p(part, nr)),
		tn.nspname, t.typname, en.nspname, model,
		CASE i.method WHEN 'rq' THEN 'integer[]' WHEN 'pieces' THEN 'bigint[]' ELSE pg_catalog.format('%I.bincode', en.nspname) END,
		CASE i.method WHEN 'rq' THEN 'semantic_id' WHEN 'pieces' THEN 'sid_pieces' ELSE 'hashemb_encode' END)
	FROM LATERAL (SELECT m.method FROM hashemb_info(model) AS m) AS i, pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace en ON en.oid OPERATOR(pg_catalog.=) e.extnamespace,
		pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) t.typnamespace
	WHERE e.extname OPERATOR(pg_catalog.=) 'hashemb' AND t.oid OPERATOR(pg_catalog.=) input;
	END;
COMMENT ON FUNCTION hashemb_freeze(text, hashemb_model, regtype) IS
	'the statement that creates a function from vectors to codes, or to ids, by this encoder, for indexes and generated columns';

-- ---------------------------------------------------------------------------
-- Ids and embedding tables: slots of shared tables, rows in fewer bytes
-- ---------------------------------------------------------------------------

-- Ids with buckets, by models of methods louvain, freq and dedup

CREATE FUNCTION hashemb_bucket(model hashemb_model, id bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bucket'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hashemb_bucket(hashemb_model, bigint) IS
	'bucket of an id, by a model with one side; NULL if the model does not know the id and shares no buckets';

CREATE FUNCTION hashemb_bucket(model hashemb_model, side integer, id bigint) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_bucket_side'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hashemb_bucket(hashemb_model, integer, bigint) IS
	'bucket of an id of one side, 1 for x and 2 for y of training; NULL if the model does not know it';

CREATE FUNCTION hashemb_buckets(model hashemb_model,
	OUT side integer, OUT id bigint, OUT bucket integer) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hx_buckets'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000 ROWS 10000;
COMMENT ON FUNCTION hashemb_buckets(hashemb_model) IS
	'all ids that a model of method louvain, freq or dedup knows, and their buckets';

-- Slots of ids, by a hash that stays

CREATE FUNCTION hash_slots(value text, feature text, k integer, m integer) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_hash_slots_text'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hash_slots(text, text, integer, integer) IS
	'k slots of a value of a feature, from 0 to m - 1, by a hash that stays';

CREATE FUNCTION hash_slots(value bigint, feature text, k integer, m integer) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_hash_slots_bigint'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hash_slots(bigint, text, integer, integer) IS
	'k slots of an id of a feature, from 0 to m - 1: those of its digits as text';

CREATE FUNCTION hash_slots(value uuid, feature text, k integer, m integer) RETURNS integer[]
	AS 'MODULE_PATHNAME', 'hx_hash_slots_uuid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hash_slots(uuid, text, integer, integer) IS
	'k slots of an id of a feature, from 0 to m - 1: those of its text';

-- one declaration for all numbers, as for binarize
CREATE FUNCTION quantize(x double precision[], bits integer) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_quantize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION quantize(double precision[], integer) IS
	'a vector as a scale and numbers of 4, 8 or 16 bits';

CREATE FUNCTION dequantize(bytea) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_dequantize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION dequantize(bytea) IS
	'the vector of bytes made by quantize';

-- ---------------------------------------------------------------------------
-- Section 8: evaluation of codes and searches
-- ---------------------------------------------------------------------------

-- Average precision of one list of results, ties in all orders

CREATE FUNCTION average_precision_add(internal, boolean, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_precision_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION average_precision_add(internal, boolean, double precision) IS
	'average_precision: add a row';

CREATE FUNCTION average_precision_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_precision_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION average_precision_combine(internal, internal) IS
	'average_precision: add two states';

CREATE FUNCTION average_precision_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_precision_serialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_precision_serialize(internal) IS
	'average_precision: state to bytes';

CREATE FUNCTION average_precision_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_precision_deserialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION average_precision_deserialize(bytea, internal) IS
	'average_precision: bytes to state';

CREATE FUNCTION average_precision_final(internal) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_precision_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION average_precision_final(internal) IS
	'average_precision: state to number';

CREATE AGGREGATE average_precision(relevant boolean, distance double precision) (
	SFUNC = average_precision_add,
	STYPE = internal,
	SSPACE = 8192,
	FINALFUNC = average_precision_final,
	COMBINEFUNC = average_precision_combine,
	SERIALFUNC = average_precision_serialize,
	DESERIALFUNC = average_precision_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE average_precision(boolean, double precision) IS
	'mean precision at the relevant rows in order of distance, over all orders of ties; a relevant row without distance was not found';

-- Recall of many queries; the state is that of avg(double precision)

CREATE FUNCTION recall_at_add(double precision[], anyarray, anyarray) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_recall_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION recall_at_add(double precision[], anyarray, anyarray) IS
	'recall_at: add a query';

CREATE FUNCTION recall_at_add(double precision[], anyarray, anyarray, integer) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_recall_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 50;
COMMENT ON FUNCTION recall_at_add(double precision[], anyarray, anyarray, integer) IS
	'recall_at: add a query of which the first rows count';

CREATE AGGREGATE recall_at(got anyarray, truth anyarray) (
	SFUNC = recall_at_add,
	STYPE = double precision[],
	FINALFUNC = float8_avg,
	COMBINEFUNC = float8_combine,
	INITCOND = '{0,0,0}',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recall_at(anyarray, anyarray) IS
	'mean share of the truth that is in what was got; queries without a truth are skipped';

CREATE AGGREGATE recall_at(got anyarray, truth anyarray, k integer) (
	SFUNC = recall_at_add,
	STYPE = double precision[],
	FINALFUNC = float8_avg,
	COMBINEFUNC = float8_combine,
	INITCOND = '{0,0,0}',
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE recall_at(anyarray, anyarray, integer) IS
	'mean share of the truth that is in the first k of what was got; queries without a truth are skipped';

-- How well codes use their bits

CREATE TYPE code_statistics AS (
	codes bigint,
	bits integer,
	distinct_codes bigint,
	collisions double precision,
	mean_bias double precision,
	max_bias double precision,
	mean_correlation double precision,
	entropy double precision
);
COMMENT ON TYPE code_statistics IS
	'result of code_stats';
COMMENT ON COLUMN code_statistics.codes IS
	'number of codes';
COMMENT ON COLUMN code_statistics.bits IS
	'bits of a code: dimensions times bits a dimension';
COMMENT ON COLUMN code_statistics.distinct_codes IS
	'different codes; an estimate where their hashes do not fit into work_mem';
COMMENT ON COLUMN code_statistics.collisions IS
	'share of the codes that are equal to an earlier one';
COMMENT ON COLUMN code_statistics.mean_bias IS
	'mean over bits of |share of ones - 1/2|';
COMMENT ON COLUMN code_statistics.max_bias IS
	'greatest |share of ones - 1/2| of a bit';
COMMENT ON COLUMN code_statistics.mean_correlation IS
	'mean absolute correlation of two bits, over all pairs of up to 256 bits spread over the code; bits that never change left out';
COMMENT ON COLUMN code_statistics.entropy IS
	'mean over bits of their entropy, at most 1';

CREATE FUNCTION code_stats_add(internal, bincode) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_code_stats_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 100;
COMMENT ON FUNCTION code_stats_add(internal, bincode) IS
	'code_stats: count a code';

CREATE FUNCTION code_stats_combine(internal, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_code_stats_combine'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION code_stats_combine(internal, internal) IS
	'code_stats: add two states';

CREATE FUNCTION code_stats_serialize(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_code_stats_serialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION code_stats_serialize(internal) IS
	'code_stats: state to bytes';

CREATE FUNCTION code_stats_deserialize(bytea, internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_code_stats_deserialize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION code_stats_deserialize(bytea, internal) IS
	'code_stats: bytes to state';

CREATE FUNCTION code_stats_final(internal) RETURNS code_statistics
	AS 'MODULE_PATHNAME', 'hx_code_stats_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION code_stats_final(internal) IS
	'code_stats: state to statistics';

CREATE AGGREGATE code_stats(bincode) (
	SFUNC = code_stats_add,
	STYPE = internal,
	SSPACE = 500000,
	FINALFUNC = code_stats_final,
	COMBINEFUNC = code_stats_combine,
	SERIALFUNC = code_stats_serialize,
	DESERIALFUNC = code_stats_deserialize,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE code_stats(bincode) IS
	'how well codes use their bits: distinct codes, bias, correlation and entropy of bits';

CREATE FUNCTION hashemb_view_weights_add(internal, bincode[]) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_view_weights_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hashemb_view_weights_add(internal, bincode[]) IS
	'hashemb_view_weights: keep the codes of a row';

CREATE FUNCTION hashemb_view_weights_add(internal, bincode[], bigint) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_view_weights_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION hashemb_view_weights_add(internal, bincode[], bigint) IS
	'hashemb_view_weights: keep the codes of a row and its label';

CREATE FUNCTION hashemb_view_weights_final(internal) RETURNS double precision[]
	AS 'MODULE_PATHNAME', 'hx_view_weights_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10000;
COMMENT ON FUNCTION hashemb_view_weights_final(internal) IS
	'hashemb_view_weights: rows to weights';

CREATE AGGREGATE hashemb_view_weights(codes bincode[]) (
	SFUNC = hashemb_view_weights_add,
	STYPE = internal,
	SSPACE = 200000,
	FINALFUNC = hashemb_view_weights_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashemb_view_weights(bincode[]) IS
	'weights for bit_vote: how far the codes of each of three views or more agree with the others';

CREATE AGGREGATE hashemb_view_weights(codes bincode[], label bigint) (
	SFUNC = hashemb_view_weights_add,
	STYPE = internal,
	SSPACE = 200000,
	FINALFUNC = hashemb_view_weights_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE hashemb_view_weights(bincode[], bigint) IS
	'weights for bit_vote: how stable the codes of each view are among rows of one label';

-- ---------------------------------------------------------------------------
-- Section 9: proofs that values are unchanged, hashes of what functions compute,
-- second queries
-- ---------------------------------------------------------------------------

-- Hash trees of RFC 6962; none of the aggregates can be computed in parts, since
-- the order of rows counts

CREATE FUNCTION merkle_root_add(internal, bytea) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_merkle_root_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION merkle_root_add(internal, bytea) IS
	'merkle_root: add a leaf';

CREATE FUNCTION merkle_root_final(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_merkle_root_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION merkle_root_final(internal) IS
	'merkle_root: state to commitment';

CREATE AGGREGATE merkle_root(leaf bytea) (
	SFUNC = merkle_root_add,
	STYPE = internal,
	SSPACE = 2056,
	FINALFUNC = merkle_root_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE merkle_root(bytea) IS
	'commitment to a list of values in the order given: the root of their hash tree after RFC 6962 (32 bytes), their number (8 bytes), and a hash of both (32 bytes)';

CREATE FUNCTION merkle_proof(leaves bytea[], "position" bigint) RETURNS bytea[]
	AS 'MODULE_PATHNAME', 'hx_merkle_proof'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 1000;
COMMENT ON FUNCTION merkle_proof(bytea[], bigint) IS
	'hashes that prove that a leaf is at this position of the list, the first being 1';

CREATE FUNCTION merkle_verify(root bytea, leaf bytea, "position" bigint, proof bytea[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_merkle_verify'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;
COMMENT ON FUNCTION merkle_verify(bytea, bytea, bigint, bytea[]) IS
	'does the proof show that the leaf is at this position of the list that merkle_root committed to';

CREATE FUNCTION fingerprint(code bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_fingerprint_code'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION fingerprint(bincode) IS
	'a code as bytes, the same on every machine';

CREATE FUNCTION fingerprint(vector double precision[], bits integer DEFAULT 8) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_fingerprint_vector'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION fingerprint(double precision[], integer) IS
	'a vector rounded to so many bits a dimension, as bytes, the same on every machine';

-- What a function computes

CREATE FUNCTION functional_hash_add(internal, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_functional_hash_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION functional_hash_add(internal, double precision) IS
	'functional_hash: add a result';

CREATE FUNCTION functional_hash_add(internal, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_functional_hash_add'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION functional_hash_add(internal, double precision, integer) IS
	'functional_hash: add a result of which so many bits count';

CREATE FUNCTION functional_hash_final(internal) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_functional_hash_final'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 20;
COMMENT ON FUNCTION functional_hash_final(internal) IS
	'functional_hash: state to hash';

CREATE AGGREGATE functional_hash("out" double precision) (
	SFUNC = functional_hash_add,
	STYPE = internal,
	SSPACE = 4120,
	FINALFUNC = functional_hash_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE functional_hash(double precision) IS
	'hash of results in the order given, by sign, exponent and the first 24 bits of the mantissa';

CREATE AGGREGATE functional_hash("out" double precision, mantissa integer) (
	SFUNC = functional_hash_add,
	STYPE = internal,
	SSPACE = 4120,
	FINALFUNC = functional_hash_final,
	PARALLEL = SAFE
);
COMMENT ON AGGREGATE functional_hash(double precision, integer) IS
	'hash of results in the order given, by sign, exponent and the first bits of the mantissa, 0 to 52';

-- Queries from queries

CREATE FUNCTION query_feedback(query double precision[], found bincode[], weights double precision[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_feedback_codes'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION query_feedback(double precision[], bincode[], double precision[]) IS
	'direction of a query and of codes that it found, each times its weight';

CREATE FUNCTION query_feedback(query double precision[], found double precision[], weights double precision[]) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_query_feedback_vectors'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION query_feedback(double precision[], double precision[], double precision[]) IS
	'direction of a query and of vectors that it found, the rows of an array, each times its weight';
