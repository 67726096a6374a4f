-- Index on bincode_hamming_ops: at recall 1 the rows of a sequential scan in
-- the order of (distance, ctid), whatever the filter
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed h1
SET hashemb.recall = 1;
CREATE TYPE index_hamming_kind AS ENUM ('low', 'middle', 'high');
CREATE TABLE index_hamming (id int, c bincode(256), a int, b bool, t text COLLATE "C", arr int[], kind index_hamming_kind,
	f float8, n numeric, day date);
CREATE FUNCTION pg_temp.fill(first int, last int) RETURNS void LANGUAGE sql AS $$
	INSERT INTO index_hamming SELECT i,
		CASE WHEN i % 50 <> 7 THEN pg_temp.code(i, 37, 'h1')::bincode(256) END,
		nullif(i % 20, 19), i % 3 = 0, 'w' || i % 11,
		ARRAY[i % 5, i % 7, i % 60], CASE i % 3 WHEN 0 THEN 'low' WHEN 1 THEN 'middle' ELSE 'high' END::index_hamming_kind,
		sin(i), i / 7.0, '2024-01-01'::date + i % 365
	FROM generate_series(first, last) i $$;
SELECT pg_temp.fill(1, 1500);
-- a change of id makes a row version of its own, with an entry in every index
CREATE INDEX ON index_hamming USING btree (id);
-- the attribute that IN is to use comes first
CREATE INDEX index_hamming_idx ON index_hamming USING hashemb (a, c, b, t, arr, kind, f, n, day) WITH (block_rows = 20);
SELECT rows, null_rows, blocks >= 50 AS many_blocks FROM hashemb_index_info('index_hamming_idx');

SELECT c AS q1 FROM index_hamming WHERE id = 12 \gset
SELECT pg_temp.bits('else')::bincode AS q2, repeat('0', 256) AS q3 \gset
CREATE FUNCTION pg_temp.conditions() RETURNS text[] LANGUAGE sql AS $$SELECT ARRAY['true',
	'a = 3', 'a < 3', 'a <= 3', 'a > 15', 'a >= 15', 'a BETWEEN 4 AND 9', 'a = 4::bigint', 'a < 4::smallint', 'a = -1', 'a = NULL',
	'a IN (1, 5, 18)', 'a IN (1, 5, NULL)', 'a = ANY (''{}'')', 'a < ANY (''{2,3}'')', 'a IS NULL', 'a IS NOT NULL', 'NOT a IS NULL',
	'b', 'NOT b', 'b = true', 'b IS TRUE', 'b IS NOT TRUE', 't = ''w3''', 't < ''w3''', 't >= ''w5''', 't IN (''w1'', ''w10'')',
	'arr && ''{3,59}''', 'arr @> ''{1,3}''', 'arr <@ ''{0,1,2,3,4,5,6,7}''', 'arr = ''{1,1,1}''', 'arr @> ''{}''', 'arr && ''{}''', 'arr && NULL',
	'kind = ''low''', 'kind > ''low''', 'kind IN (''low'', ''high'')', 'f > 0.5', 'f = 2', 'f BETWEEN -0.1 AND 0.1', 'n < 10', 'n = 3', 'n >= ''NaN''',
	'day = ''2024-02-03''', 'day < ''2024-01-15''', 'a = 3 AND b', 'a > 3 AND a < 5 AND t = ''w4''', 'a = 3 AND a = 4',
	'b AND arr && ''{4}'' AND kind <> ''low''', 'a = 1 OR a = 2', 'NOT (a = 1)', 'a IS NULL AND b', 'id % 10 = 3', 'id = 700',
	'c IS NULL', 'c IS NOT NULL', 'c IS NULL AND a = 7', 'a = 7 AND c IS NOT NULL']$$;
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2'), format('c <~> %L', :'q3'), 'c <~> (SELECT NULL::bincode)'], pg_temp.conditions());

-- after inserts, updates and deletes, before vacuum and after it
SELECT pg_temp.fill(1501, 2500);
UPDATE index_hamming SET c = pg_temp.bits('moved' || id)::bincode WHERE id % 9 = 4;
-- a new row version without a new value in any column of the index
UPDATE index_hamming SET id = -id WHERE id % 9 = 5;
UPDATE index_hamming SET a = a + 100, c = NULL WHERE id % 101 = 1;
UPDATE index_hamming SET c = pg_temp.code(id, 37, 'h1')::bincode WHERE c IS NULL AND id % 2 = 0;
DELETE FROM index_hamming WHERE id % 4 = 2;
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2')], pg_temp.conditions());
VACUUM index_hamming;
SELECT rows = (SELECT count(*) FROM index_hamming) AS all_rows, null_rows = (SELECT count(*) FROM index_hamming WHERE c IS NULL) AS all_nulls
	FROM hashemb_index_info('index_hamming_idx');
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2')], pg_temp.conditions());
-- whole clusters go, and their pages are used again
DELETE FROM index_hamming WHERE id % 37 < 20;
VACUUM index_hamming;
SELECT pages AS before FROM hashemb_index_info('index_hamming_idx') \gset
SELECT pg_temp.fill(2501, 3200);
SELECT pages <= :before + 40 AS reused FROM hashemb_index_info('index_hamming_idx');
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1'), format('%L <~> c', :'q2')], pg_temp.conditions());
DELETE FROM index_hamming;
VACUUM (TRUNCATE false) index_hamming;
SELECT rows, null_rows FROM hashemb_index_info('index_hamming_idx');
SELECT pg_temp.fill(1, 300);
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1')], pg_temp.conditions());
REINDEX INDEX index_hamming_idx;
SELECT * FROM pg_temp.differences('index_hamming_idx', 'index_hamming',
	ARRAY[format('c <~> %L', :'q1')], pg_temp.conditions());

-- below recall 1 a plain scan may miss rows, but those that come are in order
TRUNCATE index_hamming;
SELECT pg_temp.fill(1, 6000);
REINDEX INDEX index_hamming_idx;
SELECT rows_at_calibration > 0 AS calibrated FROM hashemb_index_info('index_hamming_idx');
CREATE FUNCTION pg_temp.approximate(queries int) RETURNS TABLE (searches bigint, enough bool, disordered bigint, wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	k int;
	got text[];
	expected text[];
	asked bigint := 0;
	given bigint := 0;
BEGIN
	searches := 0; disordered := 0; wrong := 0;
	FOR q IN 1..queries LOOP
		FOREACH condition IN ARRAY '{true,a = 3,a = 3 AND b,id % 100 = 3,c IS NOT NULL,a IS NULL,id = 5}'::text[] LOOP
			expected := pg_temp.sequential('index_hamming', format('c <~> %L', pg_temp.code(q, 37, 'h1')), condition);
			FOREACH k IN ARRAY '{1,10,100,10000}'::int[] LOOP
				got := pg_temp.by_index('index_hamming_idx', 'index_hamming', format('c <~> %L', pg_temp.code(q, 37, 'h1')), condition, k, true);
				searches := searches + 1;
				asked := asked + least(k, cardinality(expected));
				given := given + cardinality(got);
				wrong := wrong + (NOT got <@ expected)::int;
				disordered := disordered + (got <> ARRAY(SELECT g FROM unnest(got) g
					ORDER BY nullif(split_part(g, ' ', 1), 'NULL')::float8, split_part(g, ' ', 2)::tid))::int;
			END LOOP;
		END LOOP;
	END LOOP;
	enough := given >= asked * current_setting('hashemb.recall')::float8;
	RETURN NEXT;
END $$;
SET hashemb.recall = 0.9;
SELECT * FROM pg_temp.approximate(3);
RESET hashemb.recall;
DROP TABLE index_hamming;
DROP TYPE index_hamming_kind;
