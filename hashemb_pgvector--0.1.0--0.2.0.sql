/* hashemb_pgvector--0.1.0--0.2.0.sql: what changes from 0.1.0 to 0.2.0 */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION hashemb_pgvector UPDATE TO '0.2.0'" to load this file. \quit

CREATE OPERATOR CLASS sparsevec_l2_ops
	FOR TYPE sparsevec USING hashemb AS
	OPERATOR 11 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_svec_l2(internal);

COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

COMMENT ON OPERATOR FAMILY sparsevec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

CREATE FUNCTION distance_bound(operator text, query vector, comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_vector'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION distance_bound(text, vector, text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION within_distance_bound(vector, distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_dense_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION within_distance_bound(vector, distance_bound) IS
	'does the distance of the vector pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = vector, RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);

COMMENT ON OPERATOR @< (vector, distance_bound) IS
	'has a distance that passes the comparison';

CREATE FUNCTION distance_bound(operator text, query halfvec, comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_halfvec'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;

COMMENT ON FUNCTION distance_bound(text, halfvec, text, double precision, double precision) IS
	'vectors whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION within_distance_bound(halfvec, distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_dense_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;

COMMENT ON FUNCTION within_distance_bound(halfvec, distance_bound) IS
	'does the distance of the vector pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = halfvec, RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);

COMMENT ON OPERATOR @< (halfvec, distance_bound) IS
	'has a distance that passes the comparison';

ALTER OPERATOR FAMILY vector_l2_ops USING hashemb ADD
	OPERATOR 13 @< (vector, distance_bound);

ALTER OPERATOR FAMILY vector_ip_ops USING hashemb ADD
	OPERATOR 13 @< (vector, distance_bound);

ALTER OPERATOR FAMILY vector_cosine_ops USING hashemb ADD
	OPERATOR 13 @< (vector, distance_bound);

ALTER OPERATOR FAMILY halfvec_l2_ops USING hashemb ADD
	OPERATOR 13 @< (halfvec, distance_bound);

ALTER OPERATOR FAMILY halfvec_ip_ops USING hashemb ADD
	OPERATOR 13 @< (halfvec, distance_bound);

ALTER OPERATOR FAMILY halfvec_cosine_ops USING hashemb ADD
	OPERATOR 13 @< (halfvec, distance_bound);

CREATE FUNCTION maxsim(document vector[], query vector[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_vector'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION maxsim(vector[], vector[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION negative_maxsim(document vector[], query vector[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_vector'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION negative_maxsim(vector[], vector[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = vector[], RIGHTARG = vector[], FUNCTION = negative_maxsim
);

COMMENT ON OPERATOR @# (vector[], vector[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION maxsim(document vector[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_vector'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION maxsim(vector[], real[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION negative_maxsim(document vector[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_vector'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION negative_maxsim(vector[], real[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = vector[], RIGHTARG = real[], FUNCTION = negative_maxsim
);

COMMENT ON OPERATOR @# (vector[], real[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION maxsim(document halfvec[], query halfvec[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_halfvec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION maxsim(halfvec[], halfvec[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION negative_maxsim(document halfvec[], query halfvec[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_halfvec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION negative_maxsim(halfvec[], halfvec[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = halfvec[], RIGHTARG = halfvec[], FUNCTION = negative_maxsim
);

COMMENT ON OPERATOR @# (halfvec[], halfvec[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION maxsim(document halfvec[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_halfvec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION maxsim(halfvec[], real[]) IS
	'sum over the tokens of the query of the greatest inner product with a token of the document; NaN if the document is empty';

CREATE FUNCTION negative_maxsim(document halfvec[], query real[]) RETURNS double precision
	AS 'MODULE_PATHNAME', 'hx_maxsim_negative_halfvec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 200;

COMMENT ON FUNCTION negative_maxsim(halfvec[], real[]) IS
	'implementation of @# operator';

CREATE OPERATOR @# (
	LEFTARG = halfvec[], RIGHTARG = real[], FUNCTION = negative_maxsim
);

COMMENT ON OPERATOR @# (halfvec[], real[]) IS
	'negative MaxSim of document and query';

CREATE FUNCTION hashemb_vector_vector_maxsim(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_vector_maxsim'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION hashemb_vector_vector_maxsim(internal) IS
	'support function of vector_maxsim_ops';

CREATE OPERATOR CLASS vector_maxsim_ops
	FOR TYPE vector[] USING hashemb AS
	OPERATOR 11 @# (vector[], vector[]) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_vector_maxsim(internal);

COMMENT ON OPERATOR CLASS vector_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';

COMMENT ON OPERATOR FAMILY vector_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';

ALTER OPERATOR FAMILY vector_maxsim_ops USING hashemb ADD
	OPERATOR 11 @# (vector[], real[]) FOR ORDER BY float_ops;

CREATE FUNCTION hashemb_vector_halfvec_maxsim(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_halfvec_maxsim'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

COMMENT ON FUNCTION hashemb_vector_halfvec_maxsim(internal) IS
	'support function of halfvec_maxsim_ops';

CREATE OPERATOR CLASS halfvec_maxsim_ops
	FOR TYPE halfvec[] USING hashemb AS
	OPERATOR 11 @# (halfvec[], halfvec[]) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_halfvec_maxsim(internal);

COMMENT ON OPERATOR CLASS halfvec_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';

COMMENT ON OPERATOR FAMILY halfvec_maxsim_ops USING hashemb IS
	'lists of tokens by MaxSim';

ALTER OPERATOR FAMILY halfvec_maxsim_ops USING hashemb ADD
	OPERATOR 11 @# (halfvec[], real[]) FOR ORDER BY float_ops;
