/* hashemb_pgvector--0.2.0.sql: casts between hashemb's and pgvector's types, indexes on pgvector's */

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

-- A vector and an array of numbers, as drivers send them: pgvector's operator of
-- two vectors, which an index serves. Without these the vector would become an
-- array, and no index of vectors would be used. The planner puts the operator in
-- the function's place.

CREATE FUNCTION vector_l2_distance(vector, real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::vector;
COMMENT ON FUNCTION vector_l2_distance(vector, real[]) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = real[], FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, real[]) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(real[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <-> $2;
COMMENT ON FUNCTION vector_l2_distance(real[], vector) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = real[], RIGHTARG = vector, FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (real[], vector) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(vector, real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::vector;
COMMENT ON FUNCTION vector_negative_inner_product(vector, real[]) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = real[], FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, real[]) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(real[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <#> $2;
COMMENT ON FUNCTION vector_negative_inner_product(real[], vector) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = real[], RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (real[], vector) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_cosine_distance(vector, real[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::vector;
COMMENT ON FUNCTION vector_cosine_distance(vector, real[]) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = real[], FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, real[]) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_cosine_distance(real[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <=> $2;
COMMENT ON FUNCTION vector_cosine_distance(real[], vector) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = real[], RIGHTARG = vector, FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (real[], vector) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(vector, double precision[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::vector;
COMMENT ON FUNCTION vector_l2_distance(vector, double precision[]) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = double precision[], FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, double precision[]) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(double precision[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <-> $2;
COMMENT ON FUNCTION vector_l2_distance(double precision[], vector) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = double precision[], RIGHTARG = vector, FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (double precision[], vector) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(vector, double precision[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::vector;
COMMENT ON FUNCTION vector_negative_inner_product(vector, double precision[]) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = double precision[], FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, double precision[]) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(double precision[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <#> $2;
COMMENT ON FUNCTION vector_negative_inner_product(double precision[], vector) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = double precision[], RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (double precision[], vector) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_cosine_distance(vector, double precision[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::vector;
COMMENT ON FUNCTION vector_cosine_distance(vector, double precision[]) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = double precision[], FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, double precision[]) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_cosine_distance(double precision[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <=> $2;
COMMENT ON FUNCTION vector_cosine_distance(double precision[], vector) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = double precision[], RIGHTARG = vector, FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (double precision[], vector) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(vector, numeric[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::vector;
COMMENT ON FUNCTION vector_l2_distance(vector, numeric[]) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = numeric[], FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, numeric[]) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(numeric[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <-> $2;
COMMENT ON FUNCTION vector_l2_distance(numeric[], vector) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = numeric[], RIGHTARG = vector, FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (numeric[], vector) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(vector, numeric[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::vector;
COMMENT ON FUNCTION vector_negative_inner_product(vector, numeric[]) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = numeric[], FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, numeric[]) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(numeric[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <#> $2;
COMMENT ON FUNCTION vector_negative_inner_product(numeric[], vector) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = numeric[], RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (numeric[], vector) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_cosine_distance(vector, numeric[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::vector;
COMMENT ON FUNCTION vector_cosine_distance(vector, numeric[]) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = numeric[], FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, numeric[]) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_cosine_distance(numeric[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <=> $2;
COMMENT ON FUNCTION vector_cosine_distance(numeric[], vector) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = numeric[], RIGHTARG = vector, FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (numeric[], vector) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(vector, integer[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <-> $2::vector;
COMMENT ON FUNCTION vector_l2_distance(vector, integer[]) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = vector, RIGHTARG = integer[], FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (vector, integer[]) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_l2_distance(integer[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <-> $2;
COMMENT ON FUNCTION vector_l2_distance(integer[], vector) IS
	'L2 distance, as of two vectors';

CREATE OPERATOR <-> (
	LEFTARG = integer[], RIGHTARG = vector, FUNCTION = vector_l2_distance,
	COMMUTATOR = <->
);
COMMENT ON OPERATOR <-> (integer[], vector) IS
	'L2 distance, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(vector, integer[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <#> $2::vector;
COMMENT ON FUNCTION vector_negative_inner_product(vector, integer[]) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = vector, RIGHTARG = integer[], FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (vector, integer[]) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_negative_inner_product(integer[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <#> $2;
COMMENT ON FUNCTION vector_negative_inner_product(integer[], vector) IS
	'negative inner product, as of two vectors';

CREATE OPERATOR <#> (
	LEFTARG = integer[], RIGHTARG = vector, FUNCTION = vector_negative_inner_product,
	COMMUTATOR = <#>
);
COMMENT ON OPERATOR <#> (integer[], vector) IS
	'negative inner product, as of two vectors';

CREATE FUNCTION vector_cosine_distance(vector, integer[]) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1 <=> $2::vector;
COMMENT ON FUNCTION vector_cosine_distance(vector, integer[]) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = vector, RIGHTARG = integer[], FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (vector, integer[]) IS
	'cosine distance, as of two vectors';

CREATE FUNCTION vector_cosine_distance(integer[], vector) RETURNS double precision
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE COST 20
	RETURN $1::vector <=> $2;
COMMENT ON FUNCTION vector_cosine_distance(integer[], vector) IS
	'cosine distance, as of two vectors';

CREATE OPERATOR <=> (
	LEFTARG = integer[], RIGHTARG = vector, FUNCTION = vector_cosine_distance,
	COMMUTATOR = <=>
);
COMMENT ON OPERATOR <=> (integer[], vector) IS
	'cosine distance, as of two vectors';

-- Bit strings, read as codes where they lie, by pgvector's own operators. What
-- users write for hnsw they write for hashemb.

CREATE FUNCTION hashemb_vector_bit_jaccard(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_bincode_bit_jaccard'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_bit_jaccard(internal) IS
	'support function of bit_jaccard_ops';

CREATE FUNCTION distance_bound(operator text, query bit, comparison text, value double precision, minuend double precision) RETURNS distance_bound
	AS 'MODULE_PATHNAME', 'hx_bound_make_bits'
	LANGUAGE C IMMUTABLE PARALLEL SAFE;
COMMENT ON FUNCTION distance_bound(text, bit, text, double precision, double precision) IS
	'bit strings whose distance from the query, subtracted from a minuend unless that is NULL, compares so with the value';

CREATE FUNCTION within_distance_bound(bit, distance_bound) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_code_in_bound'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE COST 10;
COMMENT ON FUNCTION within_distance_bound(bit, distance_bound) IS
	'does the distance of the bit string pass the comparison';

CREATE OPERATOR @< (
	LEFTARG = bit, RIGHTARG = distance_bound, FUNCTION = within_distance_bound,
	RESTRICT = distance_bound_sel, JOIN = contjoinsel
);
COMMENT ON OPERATOR @< (bit, distance_bound) IS
	'has a distance that passes the comparison';

CREATE OPERATOR CLASS bit_hamming_ops
	FOR TYPE bit USING hashemb AS
	OPERATOR 11 <~> (bit, bit) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bit, distance_bound),
	FUNCTION 2 hashemb_vector_bincode_hamming(internal);
COMMENT ON OPERATOR CLASS bit_hamming_ops USING hashemb IS
	'nearest bit strings by Hamming distance';
COMMENT ON OPERATOR FAMILY bit_hamming_ops USING hashemb IS
	'nearest bit strings by Hamming distance';

CREATE OPERATOR CLASS bit_jaccard_ops
	FOR TYPE bit USING hashemb AS
	OPERATOR 11 <%> (bit, bit) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bit, distance_bound),
	FUNCTION 2 hashemb_vector_bit_jaccard(internal);
COMMENT ON OPERATOR CLASS bit_jaccard_ops USING hashemb IS
	'nearest bit strings by Jaccard distance';
COMMENT ON OPERATOR FAMILY bit_jaccard_ops USING hashemb IS
	'nearest bit strings by Jaccard distance';

-- Sparse vectors by pgvector's own operators. The index orders by distances in
-- double precision, of which the operators' are roundings to single precision.
-- Conditions on distances are left to the operators.

CREATE OPERATOR CLASS sparsevec_ip_ops
	DEFAULT FOR TYPE sparsevec USING hashemb AS
	OPERATOR 11 <#> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_svec_ip(internal);
COMMENT ON OPERATOR CLASS sparsevec_ip_ops USING hashemb IS
	'greatest inner product of sparse vectors';
COMMENT ON OPERATOR FAMILY sparsevec_ip_ops USING hashemb IS
	'greatest inner product of sparse vectors';

CREATE OPERATOR CLASS sparsevec_l2_ops
	FOR TYPE sparsevec USING hashemb AS
	OPERATOR 11 <-> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_svec_l2(internal);
COMMENT ON OPERATOR CLASS sparsevec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';
COMMENT ON OPERATOR FAMILY sparsevec_l2_ops USING hashemb IS
	'nearest sparse vectors by L2 distance';

CREATE OPERATOR CLASS sparsevec_cosine_ops
	FOR TYPE sparsevec USING hashemb AS
	OPERATOR 11 <=> (sparsevec, sparsevec) FOR ORDER BY float_ops,
	FUNCTION 2 hashemb_vector_svec_cosine(internal);
COMMENT ON OPERATOR CLASS sparsevec_cosine_ops USING hashemb IS
	'nearest sparse vectors by cosine distance';
COMMENT ON OPERATOR FAMILY sparsevec_cosine_ops USING hashemb IS
	'nearest sparse vectors by cosine distance';

-- Dense vectors by pgvector's own operators: the index keeps codes, the table's
-- rows are ranked.

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

CREATE FUNCTION hashemb_vector_vector_l2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_vector_l2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_vector_l2(internal) IS
	'support function of vector_l2_ops';

CREATE OPERATOR CLASS vector_l2_ops
	DEFAULT FOR TYPE vector USING hashemb AS
	OPERATOR 11 <-> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 13 @< (vector, distance_bound),
	FUNCTION 2 hashemb_vector_vector_l2(internal);
COMMENT ON OPERATOR CLASS vector_l2_ops USING hashemb IS
	'nearest vectors by L2 distance';
COMMENT ON OPERATOR FAMILY vector_l2_ops USING hashemb IS
	'nearest vectors by L2 distance';

CREATE FUNCTION hashemb_vector_vector_ip(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_vector_ip'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_vector_ip(internal) IS
	'support function of vector_ip_ops';

CREATE OPERATOR CLASS vector_ip_ops
	FOR TYPE vector USING hashemb AS
	OPERATOR 11 <#> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 13 @< (vector, distance_bound),
	FUNCTION 2 hashemb_vector_vector_ip(internal);
COMMENT ON OPERATOR CLASS vector_ip_ops USING hashemb IS
	'nearest vectors by negative inner product';
COMMENT ON OPERATOR FAMILY vector_ip_ops USING hashemb IS
	'nearest vectors by negative inner product';

CREATE FUNCTION hashemb_vector_vector_cosine(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_vector_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_vector_cosine(internal) IS
	'support function of vector_cosine_ops';

CREATE OPERATOR CLASS vector_cosine_ops
	FOR TYPE vector USING hashemb AS
	OPERATOR 11 <=> (vector, vector) FOR ORDER BY float_ops,
	OPERATOR 13 @< (vector, distance_bound),
	FUNCTION 2 hashemb_vector_vector_cosine(internal);
COMMENT ON OPERATOR CLASS vector_cosine_ops USING hashemb IS
	'nearest vectors by cosine distance';
COMMENT ON OPERATOR FAMILY vector_cosine_ops USING hashemb IS
	'nearest vectors by cosine distance';

CREATE FUNCTION hashemb_vector_halfvec_l2(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_halfvec_l2'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_halfvec_l2(internal) IS
	'support function of halfvec_l2_ops';

CREATE OPERATOR CLASS halfvec_l2_ops
	DEFAULT FOR TYPE halfvec USING hashemb AS
	OPERATOR 11 <-> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (halfvec, distance_bound),
	FUNCTION 2 hashemb_vector_halfvec_l2(internal);
COMMENT ON OPERATOR CLASS halfvec_l2_ops USING hashemb IS
	'nearest half-precision vectors by L2 distance';
COMMENT ON OPERATOR FAMILY halfvec_l2_ops USING hashemb IS
	'nearest half-precision vectors by L2 distance';

CREATE FUNCTION hashemb_vector_halfvec_ip(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_halfvec_ip'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_halfvec_ip(internal) IS
	'support function of halfvec_ip_ops';

CREATE OPERATOR CLASS halfvec_ip_ops
	FOR TYPE halfvec USING hashemb AS
	OPERATOR 11 <#> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (halfvec, distance_bound),
	FUNCTION 2 hashemb_vector_halfvec_ip(internal);
COMMENT ON OPERATOR CLASS halfvec_ip_ops USING hashemb IS
	'nearest half-precision vectors by negative inner product';
COMMENT ON OPERATOR FAMILY halfvec_ip_ops USING hashemb IS
	'nearest half-precision vectors by negative inner product';

CREATE FUNCTION hashemb_vector_halfvec_cosine(internal) RETURNS internal
	AS 'MODULE_PATHNAME', 'hx_vector_halfvec_cosine'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_vector_halfvec_cosine(internal) IS
	'support function of halfvec_cosine_ops';

CREATE OPERATOR CLASS halfvec_cosine_ops
	FOR TYPE halfvec USING hashemb AS
	OPERATOR 11 <=> (halfvec, halfvec) FOR ORDER BY float_ops,
	OPERATOR 13 @< (halfvec, distance_bound),
	FUNCTION 2 hashemb_vector_halfvec_cosine(internal);
COMMENT ON OPERATOR CLASS halfvec_cosine_ops USING hashemb IS
	'nearest half-precision vectors by cosine distance';
COMMENT ON OPERATOR FAMILY halfvec_cosine_ops USING hashemb IS
	'nearest half-precision vectors by cosine distance';

-- Lists of vectors as tokens of documents and queries

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

-- Queries of these types, to calibrate an index with and to measure its recall

CREATE FUNCTION hashemb_calibrate(index regclass, queries bit[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, bit[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries bit[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, bit[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_calibrate(index regclass, queries sparsevec[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, sparsevec[]) IS
	'false: searches of sparse vectors are exact and need no calibration';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries sparsevec[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, sparsevec[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_calibrate(index regclass, queries vector[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, vector[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries vector[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, vector[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';

CREATE FUNCTION hashemb_calibrate(index regclass, queries halfvec[]) RETURNS boolean
	AS 'MODULE_PATHNAME', 'hx_calibrate_index'
	LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;
COMMENT ON FUNCTION hashemb_calibrate(regclass, halfvec[]) IS
	'calibrate an index with queries of one''s own';

CREATE FUNCTION hashemb_measure_recall(index regclass,
	k integer, queries halfvec[],
	OUT measured integer, OUT recall double precision,
	OUT below_half double precision, OUT rows_scored double precision)
	AS 'MODULE_PATHNAME', 'hx_measure_recall'
	LANGUAGE C VOLATILE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION hashemb_measure_recall(regclass, integer, halfvec[]) IS
	'mean recall of searches for the k nearest rows at the current hashemb.recall';
