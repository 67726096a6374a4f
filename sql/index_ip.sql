-- Index on bincode_ip_ops: codes of 1 to 4 bits a dimension, code and float
-- queries; at recall 1 the rows of a sequential scan by (distance, ctid)
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed i1
SET hashemb.recall = 1;
-- Levels of 64 dimensions, in clusters: mostly those of row i % 29
CREATE FUNCTION pg_temp.levels(i int, bits int) RETURNS bincode LANGUAGE sql AS $$
	SELECT (string_agg(to_hex((get_byte(c, d) + CASE WHEN get_byte(r, d) < 70 THEN get_byte(r, d) ELSE 0 END) >> 2 & (1 << bits) - 1), ''
		ORDER BY d) || '/' || bits)::bincode
	FROM (SELECT sha512(('i1' || i % 29)::bytea) AS c, sha512(('r' || i)::bytea) AS r) s, generate_series(0, 63) d $$;
-- Float queries: near a code, far from all, of one large component, small ones
CREATE FUNCTION pg_temp.floats(kind int) RETURNS real[] LANGUAGE sql AS $$
	SELECT array_agg(CASE kind WHEN 0 THEN sin(d) WHEN 1 THEN cos(d * d) * 1000 WHEN 2 THEN (d = 17)::int * 3
		WHEN 3 THEN sin(d * 3) * 1e-20 WHEN 4 THEN sin(d) * 1e15 WHEN 5 THEN 0 ELSE round(cos(d) * 5) END::real ORDER BY d) FROM generate_series(1, 64) d $$;
CREATE FUNCTION pg_temp.distances(op text, bits int) RETURNS text[] LANGUAGE sql AS $$
	SELECT ARRAY(SELECT format('c %s %L', op, pg_temp.levels(i, bits)) FROM generate_series(5, 7) i) ||
		format('%L %s c', pg_temp.levels(1000, bits), op) ||
		ARRAY(SELECT format('c %s %L::real[]', op, pg_temp.floats(k)) FROM generate_series(0, 6) k) ||
		ARRAY[format('%L::real[] %s c', pg_temp.floats(0), op),
			format('c %s %L::float8[]', op, pg_temp.floats(1)::float8[]), format('%L::float8[] %s c', pg_temp.floats(1)::float8[], op),
			format('c %s %L::numeric[]', op, pg_temp.floats(0)::numeric[]), format('%L::numeric[] %s c', pg_temp.floats(0)::numeric[], op),
			format('c %s %L::int[]', op, pg_temp.floats(6)::int[]), format('%L::int[] %s c', pg_temp.floats(6)::int[], op),
			format('c %s (SELECT NULL::bincode)', op), format('c %s (SELECT NULL::real[])', op)] $$;
CREATE FUNCTION pg_temp.compare(class text, bits int, op text) RETURNS TABLE (stage text, searches bigint, matches bigint, different bigint, example text)
	LANGUAGE plpgsql AS $$
DECLARE
	conditions text[] := '{true,a = 3,a IS NULL,id % 11 = 5,a > 1 AND a < 4}';
	distances text[] := pg_temp.distances(op, bits);
BEGIN
	EXECUTE format('CREATE TABLE index_ip (id int, c bincode(64, %s), a int)', bits);
	INSERT INTO index_ip SELECT i, pg_temp.levels(i, bits), i % 7 FROM generate_series(1, 800) i;
	EXECUTE format('CREATE INDEX index_ip_idx ON index_ip USING hashemb (a, c %s) WITH (block_rows = 10)', class);
	RETURN QUERY SELECT 'built', * FROM pg_temp.differences('index_ip_idx', 'index_ip', distances, conditions, '{1,10,100000}');
	INSERT INTO index_ip SELECT i, CASE WHEN i % 20 > 0 THEN pg_temp.levels(i, bits) END, nullif(i % 7, 4) FROM generate_series(801, 1200) i;
	DELETE FROM index_ip WHERE id % 6 = 1;
	UPDATE index_ip SET a = a + 1, c = pg_temp.levels(id + 7, bits) WHERE id % 9 = 2;
	RETURN QUERY SELECT 'changed', * FROM pg_temp.differences('index_ip_idx', 'index_ip', distances, conditions, '{1,10,100000}');
END $$;
SELECT * FROM pg_temp.compare('bincode_ip_ops', 1, '<#>');
VACUUM index_ip;
SELECT * FROM pg_temp.differences('index_ip_idx', 'index_ip', pg_temp.distances('<#>', 1), '{true,a = 3}');
DROP TABLE index_ip;
SELECT * FROM pg_temp.compare('bincode_ip_ops', 2, '<#>');
DROP TABLE index_ip;
SELECT * FROM pg_temp.compare('bincode_ip_ops', 3, '<#>');
DROP TABLE index_ip;
SELECT * FROM pg_temp.compare('bincode_ip_ops', 4, '<#>');
VACUUM index_ip;
SELECT * FROM pg_temp.differences('index_ip_idx', 'index_ip', pg_temp.distances('<#>', 4), '{true,a = 3}');

-- queries that fit no row
SET enable_seqscan = off;
SELECT id FROM index_ip ORDER BY c <#> '{1,2,3}'::real[] LIMIT 1;
SELECT id FROM index_ip ORDER BY c <#> '0101'::bincode LIMIT 1;
SELECT id FROM index_ip ORDER BY c <#> pg_temp.levels(1, 2) LIMIT 1;
SELECT id FROM index_ip ORDER BY c <#> ARRAY[NULL, 1]::real[] LIMIT 1;
SELECT id FROM index_ip ORDER BY c <#> ARRAY['NaN', 1]::real[] LIMIT 1;
SELECT id FROM index_ip ORDER BY c <#> '{{1,2},{3,4}}'::real[] LIMIT 1;
RESET enable_seqscan;
DROP TABLE index_ip;
RESET hashemb.recall;
