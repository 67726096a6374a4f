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

-- ---------------------------------------------------------------------------
-- Section 2: type svec
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 3: bincode and svec together, dense arrays
-- ---------------------------------------------------------------------------



-- ---------------------------------------------------------------------------
-- Section 4: access method hashemb and operator classes for vectors
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 5: operator classes for attribute columns
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 6: introspection
-- ---------------------------------------------------------------------------
