/* hashemb_pgvector--0.1.0.sql: casts between hashemb's and pgvector's types */

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION hashemb_pgvector" to load this file. \quit

-- sparsevec and svec have one layout: nothing is computed, and a column may
-- change its type without being rewritten

CREATE CAST (sparsevec AS svec) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (sparsevec AS svec) IS
	'rewrites nothing';

CREATE CAST (svec AS sparsevec) WITHOUT FUNCTION AS ASSIGNMENT;
COMMENT ON CAST (svec AS sparsevec) IS
	'rewrites nothing; text and binary input of sparsevec take fewer weights';

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
