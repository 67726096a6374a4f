/* hashemb--0.1.0.sql: the whole SQL surface of the extension, in sections */

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
	'binary input: int32 of dimensions plus (bits per dimension - 1) * 65536, then the bit planes; as bit where the latter is 0';

CREATE FUNCTION bincode_send(bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_bincode_send'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION bincode_send(bincode) IS
	'binary output';

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

-- Length coercion and casts: bit strings are codes as they lie on disk

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

CREATE CAST (bit AS bincode) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (bit AS bincode) IS
	'rewrites nothing';

CREATE CAST (bit varying AS bincode) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (bit varying AS bincode) IS
	'rewrites nothing';

CREATE CAST (bincode AS bit) WITH FUNCTION bincode_to_bit(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit) IS
	'needs 1 bit per dimension';

CREATE CAST (bincode AS bit varying) WITH FUNCTION bincode_to_varbit(bincode) AS ASSIGNMENT;
COMMENT ON CAST (bincode AS bit varying) IS
	'needs 1 bit per dimension';

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

CREATE OPERATOR CLASS bincode_hash_ops
	DEFAULT FOR TYPE bincode USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 bincode_hash(bincode),
	FUNCTION 2 bincode_hash_extended(bincode, bigint);
COMMENT ON OPERATOR CLASS bincode_hash_ops USING hash IS 'equality of codes';

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

-- Parts of codes

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
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
COMMENT ON FUNCTION bit_majority_add(internal, bincode) IS
	'bit_majority: count a code';

CREATE FUNCTION bit_majority_add(internal, bincode, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_majority_add_weighted'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 5;
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
	'binary output';

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
	'the vector divided by its length, zero if that is zero';

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
	'the vector divided by its length, zero if that is zero';

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
	'the vector divided by its length, zero if that is zero';

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
	'the vector divided by its length, zero if that is zero';

CREATE FUNCTION dims(integer[]) RETURNS integer
	AS 'MODULE_PATHNAME', 'hx_dense_dims'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION dims(integer[]) IS
	'number of dimensions';

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

-- ---------------------------------------------------------------------------
-- Section 4: access method hashemb and operator classes for vectors
-- ---------------------------------------------------------------------------

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
	'how a hashemb index stores bigint, time and timestamps';

CREATE FUNCTION hashemb_attr_oid(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_attr_oid'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_attr_oid(internal) IS
	'how a hashemb index stores oid';

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

CREATE OPERATOR CLASS oid_ops
	DEFAULT FOR TYPE oid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_oid(internal);
COMMENT ON OPERATOR CLASS oid_ops USING hashemb IS
	'oid attributes, stored exactly';

CREATE OPERATOR CLASS date_ops
	DEFAULT FOR TYPE date USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int4(internal);
COMMENT ON OPERATOR CLASS date_ops USING hashemb IS
	'date attributes, stored exactly';

CREATE OPERATOR CLASS time_ops
	DEFAULT FOR TYPE time USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS time_ops USING hashemb IS
	'time attributes, stored exactly';

CREATE OPERATOR CLASS timestamp_ops
	DEFAULT FOR TYPE timestamp USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamp_ops USING hashemb IS
	'timestamp attributes, stored exactly';

CREATE OPERATOR CLASS timestamptz_ops
	DEFAULT FOR TYPE timestamptz USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_int8(internal);
COMMENT ON OPERATOR CLASS timestamptz_ops USING hashemb IS
	'timestamptz attributes, stored exactly';

CREATE OPERATOR CLASS uuid_ops
	DEFAULT FOR TYPE uuid USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_uuid(internal);
COMMENT ON OPERATOR CLASS uuid_ops USING hashemb IS
	'uuid attributes, stored exactly; ranges by the first 8 bytes';

CREATE OPERATOR CLASS enum_ops
	DEFAULT FOR TYPE anyenum USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_enum(internal);
COMMENT ON OPERATOR CLASS enum_ops USING hashemb IS
	'attributes of enum types, stored exactly';

-- types whose values need rechecking

CREATE OPERATOR CLASS numeric_ops
	DEFAULT FOR TYPE numeric USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_numeric(internal);
COMMENT ON OPERATOR CLASS numeric_ops USING hashemb IS
	'numeric attributes, rounded to double precision';

CREATE OPERATOR CLASS interval_ops
	DEFAULT FOR TYPE interval USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_interval(internal);
COMMENT ON OPERATOR CLASS interval_ops USING hashemb IS
	'interval attributes, by their length in microseconds';

CREATE OPERATOR CLASS text_ops
	DEFAULT FOR TYPE text USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_text(internal);
COMMENT ON OPERATOR CLASS text_ops USING hashemb IS
	'text attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS bpchar_ops
	DEFAULT FOR TYPE bpchar USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_bpchar(internal);
COMMENT ON OPERATOR CLASS bpchar_ops USING hashemb IS
	'bpchar attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS name_ops
	DEFAULT FOR TYPE name USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_name(internal);
COMMENT ON OPERATOR CLASS name_ops USING hashemb IS
	'name attributes, hashed; ranges in collation C only';

CREATE OPERATOR CLASS inet_ops
	DEFAULT FOR TYPE inet USING hashemb AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	FUNCTION 1 hashemb_attr_inet(internal);
COMMENT ON OPERATOR CLASS inet_ops USING hashemb IS
	'inet attributes, hashed; ranges by network address';

CREATE OPERATOR CLASS array_ops
	DEFAULT FOR TYPE anyarray USING hashemb AS
	OPERATOR 7 && (anyarray, anyarray), OPERATOR 8 @> (anyarray, anyarray),
	OPERATOR 9 <@ (anyarray, anyarray), OPERATOR 10 = (anyarray, anyarray),
	FUNCTION 1 hashemb_attr_array(internal);
COMMENT ON OPERATOR CLASS array_ops USING hashemb IS
	'array attributes, as signatures of their elements';

-- ---------------------------------------------------------------------------
-- Section 6: introspection
-- ---------------------------------------------------------------------------
