/* hashemb_pgvector--0.1.0.sql: casts between hashemb's and pgvector's types */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION hashemb_pgvector" to load this file. \quit

-- sparsevec and svec have one layout: nothing is computed, and a column may
-- change its type without being rewritten, unless it might hold more weights
-- than sparsevec takes

CREATE CAST (sparsevec AS svec) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (sparsevec AS svec) IS
	'rewrites nothing';

CREATE FUNCTION svec_to_sparsevec_support(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_svec_to_sparsevec_support'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION svec_to_sparsevec_support(internal) IS
	'planner support: looks at no vector whose type has at most 16000 dimensions';

CREATE FUNCTION svec_to_sparsevec(svec) RETURNS sparsevec
	AS 'MODULE_PATHNAME', 'hx_svec_to_sparsevec'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE
	SUPPORT svec_to_sparsevec_support;
COMMENT ON FUNCTION svec_to_sparsevec(svec) IS
	'the same vector; error if it has more than 16000 weights, which a sparsevec cannot have';

CREATE CAST (svec AS sparsevec) WITH FUNCTION svec_to_sparsevec(svec) AS ASSIGNMENT;
COMMENT ON CAST (svec AS sparsevec) IS
	'rewrites nothing where the type of the vector limits it to 16000 dimensions';

-- Dense vectors go by way of real[]; bodies are parsed here, so that they mean
-- the same under every search_path

CREATE FUNCTION vector_to_svec(vector) RETURNS svec
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::real[]::svec;
COMMENT ON FUNCTION vector_to_svec(vector) IS
	'dense vector to sparse vector';

CREATE FUNCTION halfvec_to_svec(halfvec) RETURNS svec
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::real[]::svec;
COMMENT ON FUNCTION halfvec_to_svec(halfvec) IS
	'dense vector to sparse vector';

CREATE FUNCTION svec_to_vector(svec) RETURNS vector
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::real[]::vector;
COMMENT ON FUNCTION svec_to_vector(svec) IS
	'sparse vector to dense vector';

CREATE FUNCTION svec_to_halfvec(svec) RETURNS halfvec
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 10
	RETURN $1::real[]::halfvec;
COMMENT ON FUNCTION svec_to_halfvec(svec) IS
	'sparse vector to dense vector, weights rounded to 16 bits';

CREATE CAST (vector AS svec) WITH FUNCTION vector_to_svec(vector) AS ASSIGNMENT;
COMMENT ON CAST (vector AS svec) IS
	'zeros are left out';

CREATE CAST (halfvec AS svec) WITH FUNCTION halfvec_to_svec(halfvec) AS ASSIGNMENT;
COMMENT ON CAST (halfvec AS svec) IS
	'zeros are left out';

CREATE CAST (svec AS vector) WITH FUNCTION svec_to_vector(svec) AS ASSIGNMENT;
COMMENT ON CAST (svec AS vector) IS
	'zeros are written out';

CREATE CAST (svec AS halfvec) WITH FUNCTION svec_to_halfvec(svec) AS ASSIGNMENT;
COMMENT ON CAST (svec AS halfvec) IS
	'zeros are written out';

-- Codes from the signs of dense vectors. A literal or parameter without a type
-- would fit arrays and vectors alike, so there is a function for it.

CREATE FUNCTION binarize(vector) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_vector_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(vector) IS
	'per dimension 1 where the value is above 0';

CREATE FUNCTION binarize(halfvec) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_halfvec_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(halfvec) IS
	'per dimension 1 where the value is above 0';

CREATE FUNCTION binarize(vector, vector) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_vector_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(vector, vector) IS
	'per dimension 1 where the value is above its threshold, such as the mean of all rows';

CREATE FUNCTION binarize(halfvec, halfvec) RETURNS bincode
	AS 'MODULE_PATHNAME', 'hx_halfvec_binarize'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 20;
COMMENT ON FUNCTION binarize(halfvec, halfvec) IS
	'per dimension 1 where the value is above its threshold, such as the mean of all rows';

CREATE FUNCTION binarize(text) RETURNS bincode
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
	RETURN binarize(CASE WHEN $1 ~ '^\s*\[[^]]*\]\s*$' THEN $1::vector::real[]::double precision[]
		ELSE $1::double precision[] END);
COMMENT ON FUNCTION binarize(text) IS
	'per dimension 1 where the value is above 0; for what has no type: a vector or an array as text';

CREATE FUNCTION binarize(text, text) RETURNS bincode
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 100
	RETURN binarize(CASE WHEN $1 ~ '^\s*\[[^]]*\]\s*$' THEN $1::vector::real[]::double precision[]
		ELSE $1::double precision[] END,
		CASE WHEN $2 ~ '^\s*\[[^]]*\]\s*$' THEN $2::vector::real[]::double precision[]
		ELSE $2::double precision[] END);
COMMENT ON FUNCTION binarize(text, text) IS
	'per dimension 1 where the value is above its threshold; for what has no type: vectors or arrays as text';
