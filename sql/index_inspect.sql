-- Functions that show, calibrate and measure an index, with good and bad input
\set ECHO none
\i sql/include/same.sql
\set ECHO all
\echo seed s1
CREATE TABLE index_inspect (id int, c bincode(256), a int);
CREATE INDEX index_inspect_idx ON index_inspect USING hashemb (c, a);
CREATE INDEX index_inspect_btree ON index_inspect USING btree (a);
-- an empty index has its block of rows without a code
SELECT * FROM hashemb_block_info('index_inspect_idx');
SELECT version, rows, null_rows, dead, pending, blocks, rows_at_build, rows_at_calibration, calibrations FROM hashemb_index_info('index_inspect_idx');
SELECT * FROM hashemb_measure_recall('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
INSERT INTO index_inspect SELECT i, CASE WHEN i % 100 > 0 THEN pg_temp.code(i, 37, 's1')::bincode END, i FROM generate_series(1, 4000) i;
REINDEX INDEX index_inspect_idx;
SELECT version, rows, null_rows, dead, pending, rows_at_build, rows_at_calibration, calibrations FROM hashemb_index_info('index_inspect_idx');
-- the two functions agree, and every radius and range of weights is true
SELECT i.rows = sum(b.rows) AS rows, i.null_rows = sum(b.rows) FILTER (WHERE holds_nulls) AS null_rows,
	i.blocks = count(*) FILTER (WHERE NOT holds_nulls) AS blocks, i.pages > sum(b.pages) AS pages, max(radius) <= 256 AS radius,
	min(min_weight) = (SELECT min(length(replace(c::text, '0', ''))) FROM index_inspect) AS least_weight,
	max(max_weight) = (SELECT max(length(replace(c::text, '0', ''))) FROM index_inspect) AS greatest_weight
	FROM hashemb_index_info('index_inspect_idx') i, hashemb_block_info('index_inspect_idx') b GROUP BY i.rows, i.null_rows, i.blocks, i.pages;

-- at recall 1 nothing is missed; otherwise what was asked for is found
SET hashemb.recall = 1;
SELECT measured, recall, below_half FROM hashemb_measure_recall('index_inspect_idx', 10, 50);
SET hashemb.recall = 0.9;
SELECT measured > 90 AS measured, recall >= 0.9 AS enough, below_half <= 0.02 AS few_bad, rows_scored < 4000 AS fewer_rows FROM hashemb_measure_recall('index_inspect_idx', 10, 100);
SELECT measured, recall >= 0.9 AS enough FROM
	hashemb_measure_recall('index_inspect_idx', 10, ARRAY(SELECT pg_temp.code(i, 37, 's2')::bincode FROM generate_series(1, 50) i));
RESET hashemb.recall;
SELECT hashemb_calibrate('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx', ARRAY(SELECT pg_temp.code(i, 37, 's2')::bincode FROM generate_series(1, 50) i));
SELECT calibrations FROM hashemb_index_info('index_inspect_idx');

-- wrong queries
SELECT hashemb_calibrate('index_inspect_idx', '{}'::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY['0101']::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY[NULL]::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', ARRAY[['0101', '0101']]::bincode[]);
SELECT hashemb_calibrate('index_inspect_idx', '{1.5,2.5}'::real[]);
SELECT hashemb_calibrate('index_inspect_idx', '{{1.5,2.5}}'::real[]);
SELECT hashemb_calibrate('index_inspect_idx', '{{1.5,2.5}}'::float8[]);
SELECT hashemb_calibrate('index_inspect_idx', NULL::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{}'::bincode[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{1.5,2.5}'::real[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{1.5,2.5}'::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, '{{1.5},{2.5}}'::float8[]);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 0);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 100001);
SELECT measured FROM hashemb_measure_recall('index_inspect_idx', 10, -1);
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_idx', 100000, 3);

-- float queries, a zero one among them
CREATE INDEX index_inspect_cosine ON index_inspect USING hashemb (c bincode_cosine_ops);
SET hashemb.recall = 0.9;
SELECT ARRAY(SELECT array_agg(CASE q WHEN 7 THEN 0 ELSE sin(q * d) END::real ORDER BY d) FROM generate_series(1, 20) q, generate_series(1, 256) d GROUP BY q) AS floats \gset
SELECT measured FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', :'floats'::real[]);
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', array_fill(0::real, ARRAY[3, 256]));
SELECT measured, recall FROM hashemb_measure_recall('index_inspect_cosine', 10, array_fill(0::real, ARRAY[3, 256]));
SELECT measured, recall >= 0.9 AS enough FROM hashemb_measure_recall('index_inspect_cosine', 10, :'floats'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{}'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{{1,2},{3,4}}'::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', ARRAY[[NULL]]::real[]);
SELECT hashemb_calibrate('index_inspect_cosine', '{{{1}}}'::real[]);
RESET hashemb.recall;

-- other relations, and other people's
SELECT hashemb_index_info('index_inspect');
SELECT hashemb_block_info('index_inspect_btree');
SELECT hashemb_index_info(0);
SELECT hashemb_index_info(NULL);
CREATE ROLE regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT rows FROM hashemb_index_info('index_inspect_idx');
SELECT rows FROM hashemb_block_info('index_inspect_idx');
SELECT measured FROM hashemb_measure_recall('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
RESET ROLE;
GRANT SELECT ON index_inspect TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT rows FROM hashemb_index_info('index_inspect_idx');
SELECT hashemb_calibrate('index_inspect_idx');
RESET ROLE;
DROP TABLE index_inspect;

-- what each function says of what is no index to be read
CREATE FUNCTION pg_temp.outcome(call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	hint text;
	detail text;
BEGIN
	EXECUTE 'SELECT * FROM ' || call;
	RETURN 'done';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT, detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' / ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION pg_temp.outcomes(name text) RETURNS TABLE (call text, outcome text) LANGUAGE sql AS $$
	SELECT c, pg_temp.outcome(format(c, name)) FROM unnest(ARRAY['hashemb_index_info(%L)', 'hashemb_block_info(%L)',
		'hashemb_calibrate(%L)', 'hashemb_calibrate(%L, ARRAY[repeat(''01'', 8)]::bincode[])', 'hashemb_measure_recall(%L)',
		'hashemb_measure_recall(%L, 1, ARRAY[repeat(''01'', 8)]::bincode[])', 'hashemb_check(%L)', 'hashemb_check(%L, true)'])
		WITH ORDINALITY a (c, n) ORDER BY n $$;
CREATE TABLE inspected (tenant int, code bincode(16), secret int) PARTITION BY RANGE (tenant);
CREATE TABLE inspected_1 PARTITION OF inspected FOR VALUES FROM (0) TO (100);
CREATE INDEX inspected_idx ON inspected USING hashemb (code, tenant);
CREATE INDEX inspected_btree ON inspected (tenant);
CREATE VIEW inspected_view AS SELECT * FROM inspected;
CREATE SEQUENCE inspected_sequence;
INSERT INTO inspected SELECT i % 3, i::bit(16)::bincode, i % 5 FROM generate_series(1, 1200) i;
SELECT name, outcome, count(*) FROM unnest(ARRAY['0', '4294967295', 'inspected', 'inspected_1', 'inspected_btree',
	'inspected_1_tenant_idx', 'inspected_view', 'inspected_sequence', 'inspected_idx']) name, pg_temp.outcomes(name)
	GROUP BY name, outcome ORDER BY name COLLATE "C", outcome;
SELECT * FROM pg_temp.outcomes('inspected_1_code_tenant_idx');
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'inspected_1_code_tenant_idx'::regclass;
SELECT outcome, count(*) FROM pg_temp.outcomes('inspected_1_code_tenant_idx') GROUP BY 1;
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'inspected_1_code_tenant_idx'::regclass;

-- what writes does not in a READ ONLY transaction, but to a temporary index
CREATE TEMPORARY TABLE inspected_mine AS SELECT * FROM inspected;
CREATE INDEX inspected_mine_idx ON inspected_mine USING hashemb (code, tenant);
BEGIN TRANSACTION READ ONLY;
SELECT * FROM pg_temp.outcomes('inspected_1_code_tenant_idx');
SELECT outcome, count(*) FROM pg_temp.outcomes('inspected_mine_idx') GROUP BY 1;
ROLLBACK;

-- who sees what: as pg_stats, by the columns that an index is made from ...
CREATE INDEX inspected_secret ON inspected_1 USING hashemb (code, secret);
CREATE INDEX inspected_expression ON inspected_1 USING hashemb (code, (secret + tenant));
CREATE INDEX inspected_predicate ON inspected_1 USING hashemb (code) WHERE secret < 3;
CREATE INDEX inspected_row ON inspected_1 USING hashemb (code) WHERE inspected_1 IS NOT NULL;
CREATE VIEW pg_temp.mine AS SELECT oid::regclass::text AS index FROM pg_class WHERE relname ~ '^inspected_1_code|^inspected_(secret|exp|pred|row)';
GRANT SELECT ON pg_temp.mine TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT index, outcome, count(*) FROM pg_temp.mine, pg_temp.outcomes(index) GROUP BY 1, 2 ORDER BY 1, 2;
RESET ROLE;
GRANT SELECT (code, tenant) ON inspected_1 TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT * FROM pg_temp.outcomes('inspected_1_code_tenant_idx');
SELECT index, outcome, count(*) FROM pg_temp.mine, pg_temp.outcomes(index) GROUP BY 1, 2 ORDER BY 1, 2;
RESET ROLE;
GRANT SELECT ON inspected_1 TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT index, outcome, count(*) FROM pg_temp.mine, pg_temp.outcomes(index) GROUP BY 1, 2 ORDER BY 1, 2;
-- ... and nothing where row-level security hides rows, as pg_stats
RESET ROLE;
ANALYZE inspected_1;
CREATE POLICY own ON inspected_1 USING (tenant = 1);
ALTER TABLE inspected_1 ENABLE ROW LEVEL SECURITY;
SET ROLE regress_hashemb_reader;
SELECT count(*) AS in_pg_stats FROM pg_stats WHERE tablename = 'inspected_1';
SELECT * FROM pg_temp.outcomes('inspected_1_code_tenant_idx');
SET row_security = off;
SELECT outcome, count(*) FROM pg_temp.outcomes('inspected_1_code_tenant_idx') GROUP BY 1 ORDER BY 1;
RESET row_security;
RESET ROLE;
ALTER ROLE regress_hashemb_reader BYPASSRLS;
SET ROLE regress_hashemb_reader;
SELECT outcome, count(*) FROM pg_temp.outcomes('inspected_1_code_tenant_idx') GROUP BY 1 ORDER BY 1;
RESET ROLE;
-- an owner who is subject to it, too, may still keep his index in order
ALTER ROLE regress_hashemb_reader NOBYPASSRLS;
ALTER TABLE inspected DETACH PARTITION inspected_1;
GRANT CREATE ON SCHEMA public TO regress_hashemb_reader;
ALTER TABLE inspected_1 OWNER TO regress_hashemb_reader;
SET ROLE regress_hashemb_reader;
SELECT outcome, count(*) FROM pg_temp.outcomes('inspected_1_code_tenant_idx') GROUP BY 1 ORDER BY 1;
ALTER TABLE inspected_1 FORCE ROW LEVEL SECURITY;
SELECT * FROM pg_temp.outcomes('inspected_1_code_tenant_idx');
RESET ROLE;
DROP TABLE inspected_1;
DROP TABLE inspected CASCADE;
DROP VIEW pg_temp.mine;
DROP SEQUENCE inspected_sequence;
REVOKE ALL ON SCHEMA public FROM regress_hashemb_reader;
DROP ROLE regress_hashemb_reader;
