-- Queries that are tables, sixteen numbers a dimension, of an index on codes of 4
-- bits: whatever the recall asked for, the rows of a sequential scan
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed t1
SET hashemb.recall = 0.8;
CREATE FUNCTION pg_temp.levels(i int) RETURNS bincode LANGUAGE sql AS $$
	SELECT (string_agg(to_hex((get_byte(c, d) + CASE WHEN get_byte(r, d) < 70 THEN get_byte(r, d) ELSE 0 END) >> 2 & 15), '' ORDER BY d) || '/4')::bincode
	FROM (SELECT sha512(('t1' || i % 29)::bytea) AS c, sha512(('r' || i)::bytea) AS r) s, generate_series(0, 43) d $$;
-- Tables of 44 dimensions: that of a float query, of any numbers, of one that counts, large and small ones, of nothing
CREATE FUNCTION pg_temp.tables(kind int) RETURNS real[] LANGUAGE sql AS $$
	SELECT array_agg(CASE kind WHEN 0 THEN sin(d) * (2 * v - 15) / 8 WHEN 1 THEN sin(d * 31 + v * v * 7) WHEN 2 THEN (d = 17)::int * cos(v * 5)
		WHEN 3 THEN sin(d * 3 + v) * 1e-20 WHEN 4 THEN sin(d * 5 + v * 3) * 1e15 WHEN 5 THEN 0 WHEN 6 THEN round(cos(d + v) * 5) ELSE d + (v > 7)::int END::real ORDER BY d, v)
	FROM generate_series(1, 44) d, generate_series(0, 15) v $$;
CREATE TABLE index_tables (id int, c bincode(44, 4), a int);
INSERT INTO index_tables SELECT i, pg_temp.levels(i), i % 7 FROM generate_series(1, 1600) i;
CREATE INDEX index_tables_idx ON index_tables USING hashemb (a, c bincode_ip_ops) WITH (block_rows = 10);
CREATE FUNCTION pg_temp.compare() RETURNS TABLE (searches bigint, matches bigint, different bigint, example text) LANGUAGE sql AS $$
	SELECT * FROM pg_temp.differences('index_tables_idx', 'index_tables', ARRAY(SELECT format('c <#> %L::real[]', pg_temp.tables(k)) FROM generate_series(0, 7) k) ||
		format('%L::real[] <#> c', pg_temp.tables(1)) || format('c <#> %L::float8[]', pg_temp.tables(0)::float8[]) || format('c <#> %L::int[]', pg_temp.tables(6)::int[]),
		ARRAY['true', 'a = 3', 'id % 11 = 5', 'a > 1 AND a < 4', format('c <#> %L::real[] < -3', pg_temp.tables(1)), format('c <#> %L::real[] <= 5', pg_temp.tables(0))], '{1,10,100000}') $$;
SELECT * FROM pg_temp.compare();
INSERT INTO index_tables SELECT i, CASE WHEN i % 20 > 0 THEN pg_temp.levels(i) END, nullif(i % 7, 4) FROM generate_series(1601, 2000) i;
DELETE FROM index_tables WHERE id % 6 = 1;
UPDATE index_tables SET a = a + 1, c = pg_temp.levels(id + 7) WHERE id % 9 = 2;
SELECT * FROM pg_temp.compare();
-- some blocks are ruled out by their bounds, where the tables are a float query's
CREATE FUNCTION pg_temp.visited(k int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	number text[];
BEGIN
	SET LOCAL enable_seqscan = off;
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) SELECT id FROM index_tables ORDER BY c <#> %L::real[] LIMIT 1', pg_temp.tables(k)) LOOP
		number := regexp_match(line, 'Blocks: (\d+) of (\d+)');
		IF number IS NOT NULL THEN
			RETURN NEXT CASE WHEN number[1]::int < number[2]::int THEN 'some' ELSE 'all' END || ' blocks visited';
		END IF;
	END LOOP;
END $$;
SELECT pg_temp.visited(2);
-- a table of a float query gives the float query's product, but for rounding
SELECT bool_and(abs((c <#> pg_temp.tables(0)) - (c <#> ARRAY(SELECT sin(d)::real FROM generate_series(1, 44) d))) < 1e-4) FROM index_tables;
-- every level of instructions gives the same
CREATE TABLE index_tables_products AS SELECT id, inner_product(c, pg_temp.tables(1)) AS p FROM index_tables;
SET hashemb.simd = scalar;
SELECT count(*) FILTER (WHERE p IS DISTINCT FROM inner_product(c, pg_temp.tables(1))) AS different FROM index_tables JOIN index_tables_products USING (id);
RESET hashemb.simd;
-- what tables are not for
SELECT c <=> pg_temp.tables(1) FROM index_tables LIMIT 1;
SELECT c <#> (pg_temp.tables(1))[:700] FROM index_tables LIMIT 1;
SELECT '0101'::bincode <#> array_fill(1::real, ARRAY[64]);
CREATE INDEX index_tables_cosine ON index_tables USING hashemb (c bincode_cosine_ops);
SET enable_seqscan = off;
SELECT id FROM index_tables ORDER BY c <=> pg_temp.tables(1) LIMIT 1;
SELECT hashemb_calibrate('index_tables_idx', ARRAY[pg_temp.tables(1)]);
DROP TABLE index_tables, index_tables_products;
