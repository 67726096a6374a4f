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
	'binary output';

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
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_svec(real[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(double precision[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_svec(double precision[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(numeric[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_svec(numeric[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION array_to_svec(integer[], integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_array_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION array_to_svec(integer[], integer, boolean) IS
	'dense array to sparse vector';

CREATE FUNCTION jsonb_to_svec(jsonb, integer, boolean) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_jsonb_to_svec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION jsonb_to_svec(jsonb, integer, boolean) IS
	'{"index": weight, ...} to sparse vector; 1000000000 dimensions without a type modifier';

CREATE FUNCTION svec_to_float4(svec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_svec_to_float4'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
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

CREATE OPERATOR CLASS svec_hash_ops
	DEFAULT FOR TYPE svec USING hash AS
	OPERATOR 1 =,
	FUNCTION 1 svec_hash(svec),
	FUNCTION 2 svec_hash_extended(svec, bigint);
COMMENT ON OPERATOR CLASS svec_hash_ops USING hash IS
	'equality of sparse vectors';

-- Distances between vectors of as many dimensions

CREATE FUNCTION inner_product(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION inner_product(svec, svec) IS
	'inner product, summed by rising dimension';

CREATE FUNCTION negative_inner_product(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_negative_inner_product'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION negative_inner_product(svec, svec) IS
	'negative inner product: 0, never -0';

CREATE FUNCTION cosine_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_cosine_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION cosine_distance(svec, svec) IS
	'cosine distance, NaN with a zero vector';

CREATE FUNCTION l2_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_l2_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION l2_distance(svec, svec) IS
	'Euclidean distance';

CREATE FUNCTION l1_distance(svec, svec) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_svec_l1_distance'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
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
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION l2_norm(svec) IS
	'Euclidean norm';

CREATE FUNCTION l2_normalize(svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_l2_normalize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION l2_normalize(svec) IS
	'vector divided by its Euclidean norm; a zero vector stays';

CREATE FUNCTION score_terms(a svec, b svec,
	OUT dim integer, OUT contribution double precision) RETURNS SETOF record
	AS 'MODULE_PATHNAME', 'hx_svec_score_terms'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10 ROWS 20;
COMMENT ON FUNCTION score_terms(svec, svec) IS
	'terms of the inner product by rising dimension; added up in this order they give it exactly';

-- Arithmetic

CREATE FUNCTION svec_add(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_add'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION svec_add(svec, svec) IS
	'sum';

CREATE FUNCTION svec_sub(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_sub'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION svec_sub(svec, svec) IS
	'difference';

CREATE FUNCTION svec_mul(svec, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_mul'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 15;
COMMENT ON FUNCTION svec_mul(svec, svec) IS
	'product, dimension by dimension';

CREATE FUNCTION svec_scale(svec, double precision) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_scale'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION svec_scale(svec, double precision) IS
	'multiple';

CREATE FUNCTION svec_scale(double precision, svec) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_scale_left'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
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
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION indices(svec) IS
	'dimensions that have a weight, counted from 1';

CREATE FUNCTION weights(svec) RETURNS real[]
	AS 'MODULE_PATHNAME', 'hx_svec_weights'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 5;
COMMENT ON FUNCTION weights(svec) IS
	'weights, in the order of indices()';

CREATE FUNCTION top(v svec, k integer) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_top'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION top(v svec, k integer) IS
	'the k largest weights by absolute value, ties by smaller dimension';

CREATE FUNCTION prune(v svec, mass double precision) RETURNS svec
	AS 'MODULE_PATHNAME', 'hx_svec_prune'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION prune(v svec, mass double precision) IS
	'the fewest weights, largest first, whose absolute values add up to this share of all';

-- Aggregates

CREATE FUNCTION svec_sum_step(internal, svec) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_sum_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE COST 10;
COMMENT ON FUNCTION svec_sum_step(internal, svec) IS
	'adds a vector to a state';

CREATE FUNCTION svec_agg_step(internal, bigint, double precision) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION svec_agg_step(internal, bigint, double precision) IS
	'adds a weight to a state';

CREATE FUNCTION svec_agg_step(internal, bigint, double precision, integer) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_agg_step'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
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
	SSPACE = 65536,
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
	SSPACE = 65536,
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

CREATE FUNCTION simhash(v svec, bits integer, seed integer) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_simhash'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 100;
COMMENT ON FUNCTION simhash(v svec, bits integer, seed integer) IS
	'code of the signs of random projections: two codes differ in about bits * angle / pi';

-- ---------------------------------------------------------------------------
-- Section 4: access method hashemb and operator classes for vectors
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 5: operator classes for attribute columns
-- ---------------------------------------------------------------------------

-- ---------------------------------------------------------------------------
-- Section 6: introspection
-- ---------------------------------------------------------------------------
