/* hashemb--0.1.0--0.2.0.sql: what changes from 0.1.0 to 0.2.0 */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION hashemb UPDATE TO '0.2.0'" to load this file. \quit

CREATE FUNCTION gray_rank(code bincode) RETURNS bytea
	AS 'MODULE_PATHNAME', 'hx_gray_rank'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION gray_rank(bincode) IS
	'place of a code in an order whose neighbours differ in one bit, for CLUSTER and B-trees; needs 1 bit per dimension';

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

COMMENT ON FUNCTION l2_normalize(real[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

COMMENT ON FUNCTION l2_normalize(double precision[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

COMMENT ON FUNCTION l2_normalize(numeric[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

COMMENT ON FUNCTION l2_normalize(integer[]) IS
	'the vector divided by its length, zero if that is zero; of two dimensions, each token';

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

CREATE FUNCTION rrf(rank bigint, k double precision DEFAULT 60) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_rrf'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION rrf(bigint, double precision) IS
	'reciprocal rank fusion: 1 / (k + rank), 0 where a row has no rank';

CREATE FUNCTION hashemb_vector_svec_l2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_svec_l2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION hashemb_vector_svec_l2(internal) IS
	'support function of svec_l2_ops';

CREATE OPERATOR CLASS svec_l2_ops
	FOR TYPE svec USING hashemb AS
	OPERATOR 11 <-> (svec, svec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (svec, distance_bound),
	FUNCTION 2 hashemb_vector_svec_l2(internal);

COMMENT ON OPERATOR CLASS svec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

COMMENT ON OPERATOR FAMILY svec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

ALTER OPERATOR FAMILY real_l2_ops USING hashemb ADD
	OPERATOR 13 @< (real[], distance_bound);

ALTER OPERATOR FAMILY real_ip_ops USING hashemb ADD
	OPERATOR 13 @< (real[], distance_bound);

ALTER OPERATOR FAMILY real_cosine_ops USING hashemb ADD
	OPERATOR 13 @< (real[], distance_bound);

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

CREATE OR REPLACE FUNCTION hashemb_freeze(name text, model hashemb_model, input regtype DEFAULT 'real[]') RETURNS text
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

CREATE FUNCTION hashemb_code_info(index regclass,
	OUT directions integer, OUT bits integer, OUT landmarks integer)
	AS 'MODULE_PATHNAME', 'hx_sketch_info'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION hashemb_code_info(regclass) IS
	'how a hashemb index of dense vectors makes codes of them';
