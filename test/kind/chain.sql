-- The operator class of test/kind/chain.c, in a library built with TEST_KIND=1

CREATE FUNCTION vector_chain(internal) RETURNS internal
	AS '$libdir/hashemb', 'hx_vector_chain'
	LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;

CREATE OPERATOR CLASS chain_ops FOR TYPE bincode USING hashemb AS
	OPERATOR 11 <~> (bincode, bincode) FOR ORDER BY float_ops,
	OPERATOR 13 @< (bincode, distance_bound),
	FUNCTION 2 vector_chain(internal);
