-- Dense vectors of 1 to 70 dimensions, which are kept whole up to 64, and of 513
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d1
SET hashemb.recall = 1;

CREATE FUNCTION pg_temp.compare_dims(dims int, op text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	result bigint;
BEGIN
	CREATE TABLE index_dims (id int, v real[], a int);
	INSERT INTO index_dims SELECT i, pg_temp.vec(i, dims), i % 5 FROM generate_series(1, 1010) i;
	EXECUTE format('CREATE INDEX index_dims_idx ON index_dims USING hashemb (v %s, a) WITH (dims = %s, block_rows = 40)', pg_temp.class(op), dims);
	SELECT different INTO result FROM pg_temp.differences('index_dims_idx', 'index_dims',
		ARRAY(SELECT format('v %s %L::real[]', op, pg_temp.vec(i, dims)) FROM generate_series(1009, 1011) i), '{true,a = 3}', '{10}');
	PERFORM hashemb_check('index_dims_idx', true);
	DROP TABLE index_dims;
	RETURN result;
END $$;
SELECT dims, op FROM generate_series(1, 70) dims, LATERAL (SELECT ('{<->,<#>,<=>}'::text[])[1 + dims % 3]) s(op) WHERE pg_temp.compare_dims(dims, op) > 0;
SELECT op, pg_temp.compare_dims(513, op) FROM unnest('{<->,<#>,<=>}'::text[]) op;
SELECT op, pg_temp.compare_dims(1, op), pg_temp.compare_dims(3, op) FROM unnest('{<->,<#>,<=>}'::text[]) op;
