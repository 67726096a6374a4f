-- Builds with workers and without: what the indexes find, what they leave
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed b1
SET hashemb.recall = 1;
SET min_parallel_table_scan_size = 0;
SET maintenance_work_mem = '128MB';

CREATE TABLE build (id int, c bincode(256), l bincode(32, 4), a int, t text, u int[]);
INSERT INTO build SELECT i, CASE WHEN i % 50 > 0 THEN pg_temp.code(i, 40, 'b1')::bincode END, (md5('b1' || i) || '/4')::bincode,
	nullif(i % 7, 0), 'name ' || i % 11, ARRAY[i % 3, i % 5] FROM generate_series(1, 4000) i;

-- Build an index with two workers and with none, check each, and compare each
-- with sequential scans
CREATE FUNCTION pg_temp.compare(definition text, distances text[], conditions text[]) RETURNS TABLE (workers int, searches bigint,
	matches bigint, different bigint, example text, rows bigint, null_rows bigint, calibrated bigint) LANGUAGE plpgsql AS $$
BEGIN
	FOREACH workers IN ARRAY '{2,0}'::int[] LOOP
		PERFORM set_config('max_parallel_maintenance_workers', workers::text, true);
		EXECUTE 'CREATE INDEX build_idx ON build USING hashemb ' || definition;
		SELECT d.*, i.rows, i.null_rows, i.rows_at_calibration INTO searches, matches, different, example, rows, null_rows, calibrated
			FROM hashemb_check('build_idx', true), hashemb_index_info('build_idx') i,
			pg_temp.differences('build_idx', 'build', distances, conditions) d;
		RETURN NEXT;
		DROP INDEX build_idx;
	END LOOP;
END $$;
CREATE FUNCTION pg_temp.queries(template text) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(format(template, pg_temp.code(i, 40, 'b1')::bincode)) FROM generate_series(4001, 4002) i $$;

-- every operator class, attributes, NULLs, expressions, a part of the table
SELECT * FROM pg_temp.compare('(c, a, t, u)', pg_temp.queries('c <~> %L'), ARRAY['true', 'a = 3', 'a IS NULL AND t = ''name 4''', 'u @> ''{1,2}''', 'c IS NULL']);
SELECT * FROM pg_temp.compare('(a, c bincode_jaccard_ops) WITH (block_rows = 30)', pg_temp.queries('c <%%> %L'), '{true,a > 3}');
SELECT * FROM pg_temp.compare('(c bincode_ip_ops, a)', pg_temp.queries('c <#> %L'), '{true,a > 3}');
SELECT * FROM pg_temp.compare('(c bincode_cosine_ops, a)', pg_temp.queries('c <=> %L'), '{true,a > 3}');
SELECT * FROM pg_temp.compare('(l bincode_ip_ops, a)', ARRAY[format('l <#> %L', (md5('b2') || '/4')::bincode)], '{true,a > 3}');
SELECT * FROM pg_temp.compare('((subcode(c, 1, 128)::bincode(128)), (a + 1))',
	pg_temp.queries('subcode(c, 1, 128)::bincode(128) <~> subcode(%L, 1, 128)'), '{true,a + 1 = 3}');
SELECT * FROM pg_temp.compare('(c, t) WHERE a = 3', pg_temp.queries('c <~> %L'), '{a = 3,a = 3 AND t = ''name 4''}');
SELECT * FROM pg_temp.compare('(c) WHERE c IS NULL', pg_temp.queries('c <~> %L'), '{c IS NULL}');
SELECT * FROM pg_temp.compare('(c) WHERE id < 0', pg_temp.queries('c <~> %L'), '{id < 0}');

-- the server learns how many rows there are, in the table and in a part of it
CREATE INDEX build_idx ON build USING hashemb (c, a);
CREATE INDEX build_part ON build USING hashemb (c) WHERE a = 3;
SELECT relname, reltuples FROM pg_class WHERE relname LIKE 'build%' ORDER BY relname;
DROP INDEX build_idx, build_part;

-- without workers the same rows give the same blocks
SET max_parallel_maintenance_workers = 0;
CREATE INDEX build_idx ON build USING hashemb (c, a);
CREATE INDEX build_again ON build USING hashemb (c, a);
SELECT count(*) > 10 AS several, array_agg(i ORDER BY block) = (SELECT array_agg(j ORDER BY block) FROM hashemb_block_info('build_again') j) AS same
	FROM hashemb_block_info('build_idx') i;
RESET max_parallel_maintenance_workers;
REINDEX INDEX build_again;
SELECT sum(rows) FROM hashemb_block_info('build_again');
DROP INDEX build_idx, build_again;

-- dead rows, wanted by old snapshots or not; a table rewritten, emptied, filled
CREATE INDEX build_idx ON build USING hashemb (c, a);
DELETE FROM build WHERE id % 17 = 3;
UPDATE build SET a = coalesce(a, 0) + 1 WHERE id % 13 = 5;
REINDEX INDEX build_idx;
SELECT different, example FROM hashemb_check('build_idx', true), pg_temp.differences('build_idx', 'build', pg_temp.queries('c <~> %L'), '{true,a = 3}');
VACUUM FULL build;
SELECT different, example FROM hashemb_check('build_idx', true), pg_temp.differences('build_idx', 'build', pg_temp.queries('c <~> %L'), '{true,a = 3}');
ALTER TABLE build SET (parallel_workers = 2);
BEGIN;
DELETE FROM build;
REINDEX INDEX build_idx;
SELECT different, example FROM pg_temp.differences('build_idx', 'build', pg_temp.queries('c <~> %L'), '{true}');
ROLLBACK;
SELECT different, example FROM hashemb_check('build_idx', true), pg_temp.differences('build_idx', 'build', pg_temp.queries('c <~> %L'), '{true,a = 3}');
BEGIN;
TRUNCATE build;
SELECT rows, null_rows FROM hashemb_index_info('build_idx');
INSERT INTO build (id, c) SELECT i, pg_temp.code(i, 40, 'b1') FROM generate_series(1, 1500) i;
REINDEX INDEX build_idx;
SELECT different, example FROM pg_temp.differences('build_idx', 'build', pg_temp.queries('c <~> %L'), '{true,a = 3}');
COMMIT;
SELECT rows, null_rows FROM hashemb_index_info('build_idx');
DROP INDEX build_idx;

-- functions that workers may not call; a temporary table; an unlogged one
CREATE FUNCTION build_unsafe(bincode) RETURNS bincode LANGUAGE sql IMMUTABLE PARALLEL UNSAFE AS 'SELECT OPERATOR(public.~) $1';
CREATE INDEX build_idx ON build USING hashemb ((build_unsafe(c)::bincode(256)));
SELECT rows, null_rows FROM hashemb_index_info('build_idx');
CREATE TEMP TABLE build_temporary AS SELECT * FROM build;
ALTER TABLE build_temporary SET (parallel_workers = 2);
CREATE INDEX build_temporary_idx ON build_temporary USING hashemb (c);
SELECT rows, null_rows FROM hashemb_index_info('build_temporary_idx');
CREATE UNLOGGED TABLE build_unlogged AS SELECT * FROM build;
ALTER TABLE build_unlogged SET (parallel_workers = 2);
CREATE INDEX build_unlogged_idx ON build_unlogged USING hashemb (c);
SELECT rows, null_rows FROM hashemb_index_info('build_unlogged_idx');
DROP TABLE build, build_unlogged, build_temporary;
DROP FUNCTION build_unsafe;

-- an error in a worker or the leader: a code of the wrong length
CREATE TABLE build (c bincode) WITH (parallel_workers = 2);
INSERT INTO build SELECT pg_temp.code(i, 40, 'b1')::bincode FROM generate_series(1, 3000) i;
INSERT INTO build VALUES ('0101');
\set VERBOSITY terse
CREATE INDEX build_idx ON build USING hashemb ((c::bincode(256)));
\set VERBOSITY default
DROP TABLE build;

-- little memory for many long codes: fewer blocks, and a word about it
SET maintenance_work_mem = '1MB';
CREATE TABLE build AS SELECT i AS id, string_agg(pg_temp.code(i + d * 1000, 40, 'b1')::text, '')::bincode::bincode(2048) AS c, i % 7 AS a
	FROM generate_series(1, 3000) i, generate_series(1, 8) d GROUP BY i;
CREATE INDEX build_idx ON build USING hashemb (c, a) WITH (block_rows = 4);
SELECT different, example FROM hashemb_check('build_idx', true), pg_temp.differences('build_idx', 'build',
	ARRAY(SELECT format('c <~> %L', c) FROM build WHERE id < 3), '{true,a = 3}');
DROP TABLE build;

-- the phases' names
SELECT n, pg_indexam_progress_phasename(a.oid, n) FROM pg_am a, generate_series(1, 7) n WHERE amname = 'hashemb' ORDER BY n;
