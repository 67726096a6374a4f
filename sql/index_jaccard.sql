-- Index on bincode_jaccard_ops: at recall 1 the rows of a sequential scan in
-- the order of (distance, ctid)
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed j1
SET hashemb.recall = 1;
-- codes of all weights from none to all bits, so that weight bounds matter
CREATE FUNCTION pg_temp.weighted(i int) RETURNS bincode LANGUAGE sql AS $$
	SELECT (CASE i % 5
		WHEN 0 THEN pg_temp.code(i, 23, 'j1')
		WHEN 1 THEN pg_temp.code(i, 23, 'j1') & pg_temp.bits('j' || i)
		WHEN 2 THEN pg_temp.code(i, 23, 'j1') & pg_temp.bits('j' || i) & pg_temp.bits('k' || i) & pg_temp.bits('l' || i)
		WHEN 3 THEN pg_temp.code(i, 23, 'j1') | pg_temp.bits('j' || i % 40)
		ELSE CASE i % 15 WHEN 4 THEN 0::bit(256) WHEN 9 THEN ~0::bit(256) ELSE (1::bit(256) << i % 256) END END)::bincode $$;
CREATE TABLE index_jaccard (id int, c bincode(256), a int, b text);
INSERT INTO index_jaccard SELECT i, pg_temp.weighted(i), i % 7, 'v' || i % 5 FROM generate_series(1, 1500) i;
CREATE INDEX index_jaccard_idx ON index_jaccard USING hashemb (c bincode_jaccard_ops, a, b) WITH (block_rows = 20);
SELECT rows, blocks >= 50 AS many_blocks FROM hashemb_index_info('index_jaccard_idx');
SELECT ARRAY(SELECT format('c <%%> %L', pg_temp.weighted(i)) FROM generate_series(0, 14) i) ||
	format('%L <%%> c', repeat('01', 128)) || 'c <%> (SELECT NULL::bincode)'::text AS distances \gset
SELECT ARRAY['true', 'a = 3', 'a < 2 AND b = ''v1''', 'b = ''v3''', 'id % 11 = 5', 'a IS NULL', 'c IS NULL'] AS conditions \gset
SELECT * FROM pg_temp.differences('index_jaccard_idx', 'index_jaccard', :'distances', :'conditions');
INSERT INTO index_jaccard SELECT i, CASE WHEN i % 9 > 0 THEN pg_temp.weighted(i) END, nullif(i % 7, 4), 'v' || i % 5
	FROM generate_series(1501, 2500) i;
UPDATE index_jaccard SET c = ~c, a = a + 1 WHERE id % 8 = 5 AND c IS NOT NULL;
DELETE FROM index_jaccard WHERE id % 6 = 1;
SELECT * FROM pg_temp.differences('index_jaccard_idx', 'index_jaccard', :'distances', :'conditions');
VACUUM index_jaccard;
SELECT * FROM pg_temp.differences('index_jaccard_idx', 'index_jaccard', :'distances', :'conditions');
DROP TABLE index_jaccard;

-- made empty, filled, with one block
CREATE TABLE index_jaccard (id int, c bincode(256), a int, b text);
CREATE INDEX index_jaccard_idx ON index_jaccard USING hashemb (c bincode_jaccard_ops, a, b);
INSERT INTO index_jaccard SELECT i, pg_temp.weighted(i), i % 7, 'v' || i % 5 FROM generate_series(1, 600) i;
SELECT * FROM pg_temp.differences('index_jaccard_idx', 'index_jaccard', :'distances', :'conditions');
DROP TABLE index_jaccard;
RESET hashemb.recall;
