-- Dimensions of real[] that nobody has named: those of the table's first vector,
-- kept as the option dims
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.kept(index regclass) RETURNS text[] LANGUAGE sql AS $$SELECT reloptions FROM pg_class WHERE oid = index$$;
CREATE FUNCTION pg_temp.same(index text, tab text, dims int) RETURNS bigint LANGUAGE sql AS $$
	SELECT different FROM pg_temp.differences(index, tab, ARRAY(SELECT format('v <-> %L::real[]', pg_temp.vec(i, dims)) FROM generate_series(1, 3) i), '{true,a = 3}', '{10}') $$;

-- rows before, with vectors or without
CREATE TABLE found (id int, v real[], a int);
CREATE INDEX found_idx ON found USING hashemb (a, v real_l2_ops);
INSERT INTO found SELECT i, NULL, 1 FROM generate_series(1, 50) i;
CREATE INDEX found_idx ON found USING hashemb (a, v real_l2_ops);
INSERT INTO found SELECT i, pg_temp.vec(i, 24), i % 5 FROM generate_series(1, 1200) i;
CREATE INDEX found_idx ON found USING hashemb (a, v real_l2_ops);
SELECT pg_temp.kept('found_idx'), pg_get_indexdef('found_idx'::regclass);
SELECT pg_temp.same('found_idx', 'found', 24);
SELECT measured, recall FROM hashemb_measure_recall('found_idx', 5, 20);

-- what makes the index anew, of rows or of nothing
REINDEX INDEX found_idx;
SELECT pg_temp.kept('found_idx'), pg_temp.same('found_idx', 'found', 24);
TRUNCATE found;
INSERT INTO found VALUES (1, '{1,2,3}', 3);
INSERT INTO found SELECT i, pg_temp.vec(i, 24), i % 5 FROM generate_series(1, 100) i;
SELECT pg_temp.kept('found_idx'), pg_temp.same('found_idx', 'found', 24);
TRUNCATE found;
REINDEX TABLE found;
VACUUM FULL found;
INSERT INTO found SELECT i, pg_temp.vec(i, 24), i % 5 FROM generate_series(1, 1200) i;
SELECT pg_temp.kept('found_idx'), pg_temp.same('found_idx', 'found', 24);
-- taken away, and there again; another one counts when the index is made anew
ALTER INDEX found_idx RESET (dims);
SELECT pg_temp.kept('found_idx');
ALTER INDEX found_idx SET (fillfactor = 80);
ALTER INDEX found_idx RENAME TO found_renamed;
ALTER INDEX found_renamed RENAME TO found_idx;
SELECT pg_temp.kept('found_idx'), pg_temp.same('found_idx', 'found', 24);
TRUNCATE found;
ALTER INDEX found_idx SET (dims = 30);
INSERT INTO found VALUES (1, pg_temp.vec(1, 24), 3);
REINDEX INDEX found_idx;
DELETE FROM found;
VACUUM found;
REINDEX INDEX found_idx;
INSERT INTO found SELECT i, pg_temp.vec(i, 30), i % 5 FROM generate_series(1, 100) i;
SELECT pg_temp.kept('found_idx'), pg_temp.same('found_idx', 'found', 30);

-- beside other options; concurrently; of an expression, and of some rows
CREATE INDEX found_grouped ON found USING hashemb (v real_l2_ops, a) WITH (group_by = 'a');
SELECT pg_temp.kept('found_grouped');
DROP INDEX found_grouped;
CREATE INDEX CONCURRENTLY found_late ON found USING hashemb (v real_l2_ops, a);
REINDEX INDEX CONCURRENTLY found_late;
SELECT pg_temp.kept('found_late');
DROP INDEX found_late;
ALTER TABLE found ADD w float8[];
UPDATE found SET w = CASE WHEN id % 2 = 0 THEN pg_temp.vec(id, 7) ELSE '{1,2}' END;
CREATE INDEX found_some ON found USING hashemb (((w::real[])) real_ip_ops) WHERE id % 2 = 0;
CREATE INDEX found_none ON found USING hashemb (((w::real[])) real_ip_ops) WHERE id < 0;
CREATE INDEX found_mixed ON found USING hashemb (((w::real[])) real_ip_ops);
SELECT pg_temp.kept('found_some');
CREATE TABLE found_like (LIKE found INCLUDING INDEXES);
SELECT string_agg(substring(indexdef, 'USING.*'), '; ' ORDER BY indexdef) FROM pg_indexes WHERE tablename = 'found_like';
DROP TABLE found_like;
ALTER TABLE found ALTER w TYPE real[];
SELECT pg_temp.kept('found_some');

-- rows of this transaction, and of one that failed
BEGIN;
CREATE TABLE found_now (v real[]);
INSERT INTO found_now VALUES ('{1,2,3,4}');
SAVEPOINT s2;
INSERT INTO found_now VALUES ('{1,2,3,4,5}');
ROLLBACK TO s2;
CREATE INDEX ON found_now USING hashemb (v real_cosine_ops);
SELECT reloptions FROM pg_class WHERE relname = 'found_now_v_idx';
COMMIT;
INSERT INTO found_now VALUES ('{1,2,3,4}');
CREATE TABLE found_empty (v real[]);
INSERT INTO found_empty VALUES ('{}');
CREATE INDEX ON found_empty USING hashemb (v real_cosine_ops);
INSERT INTO found_empty VALUES ('{1,2}');
CREATE INDEX ON found_empty USING hashemb (v real_cosine_ops);
DROP TABLE found_now, found_empty;

-- an index of codes is refused as before
CREATE TABLE found_code (v bincode);
INSERT INTO found_code VALUES ('101');
CREATE INDEX ON found_code USING hashemb (v);
DROP TABLE found_code;

-- partitions, of which some are empty, and those to come
CREATE TABLE found_parts (id int, v real[], a int) PARTITION BY LIST (a);
CREATE TABLE found_part_0 PARTITION OF found_parts FOR VALUES IN (0);
CREATE TABLE found_part_1 (a int, junk text, v real[], id int);
ALTER TABLE found_part_1 DROP junk;
ALTER TABLE found_parts ATTACH PARTITION found_part_1 FOR VALUES IN (1);
CREATE INDEX found_parts_idx ON found_parts USING hashemb (v real_l2_ops, a);
INSERT INTO found_parts SELECT i, pg_temp.vec(i, 9), 1 FROM generate_series(1, 50) i;
CREATE INDEX found_parts_idx ON found_parts USING hashemb (v real_l2_ops, a);
CREATE TABLE found_part_2 PARTITION OF found_parts FOR VALUES IN (2);
SELECT c.relname, reloptions FROM pg_class c JOIN pg_index i ON indexrelid = c.oid WHERE indrelid::regclass::text LIKE 'found_part%' ORDER BY 1;
INSERT INTO found_parts SELECT i, pg_temp.vec(i, 9), 2 FROM generate_series(1, 50) i;
SELECT pg_temp.same('found_part_2_v_a_idx', 'found_part_2', 9);
DROP TABLE found_parts;

-- the index's expression is evaluated as the owner of the table
CREATE ROLE hashemb_found_owner;
CREATE FUNCTION found_who(v real[]) RETURNS real[] LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RAISE NOTICE '%', current_user; RETURN v; END$$;
CREATE TABLE found_owned (v real[]);
ALTER TABLE found_owned OWNER TO hashemb_found_owner;
INSERT INTO found_owned VALUES ('{1,2,3}');
CREATE INDEX ON found_owned USING hashemb ((found_who(v)) real_l2_ops);
DROP TABLE found_owned;
DROP FUNCTION found_who;
DROP ROLE hashemb_found_owner;
DROP TABLE found;
