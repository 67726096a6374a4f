-- Index on real_l2_ops, real_ip_ops and real_cosine_ops: at recall 1 the rows of
-- a sequential scan by (distance, ctid), whatever the index has learnt
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d1
SET hashemb.recall = 1;
-- Built, changed, vacuumed; with NULLs, zeros, duplicates, and rows out of the range of codes
CREATE FUNCTION pg_temp.fill(tab text, dims int, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('INSERT INTO %I SELECT i, CASE WHEN i %% 50 = 7 THEN NULL WHEN i %% 97 = 3 THEN array_fill(0::real, ARRAY[%2$s])
			WHEN i %% 13 = 5 THEN pg_temp.vec(i %% 23, %2$s) WHEN i %% 401 = 9 THEN pg_temp.vec(i, %2$s, 1e19)
			WHEN i %% 401 = 10 THEN pg_temp.vec(i, %2$s, 1e-30) ELSE pg_temp.vec(i, %2$s) END, i %% 7, i %% 100
		FROM generate_series(%3$s, %4$s) i', tab, dims, first, last);
END $$;
CREATE FUNCTION pg_temp.compare(op text, dims int, options text DEFAULT '') RETURNS TABLE (stage text, searches bigint, matches bigint, different bigint, example text)
	LANGUAGE plpgsql AS $$
DECLARE
	conditions text[] := '{true,a = 3,a IS NULL,a < 4,h = 42,h = 100,id % 11 = 5,v IS NULL,v IS NOT NULL AND a > 1}';
	distances text[] := pg_temp.distances(op, dims);
BEGIN
	CREATE TABLE index_dense (id int, v real[], a int, h int);
	PERFORM pg_temp.fill('index_dense', dims, 1, 1500);
	EXECUTE format('CREATE INDEX index_dense_idx ON index_dense USING hashemb (a, v %s, h) WITH (dims = %s, block_rows = 40 %s)', pg_temp.class(op), dims, options);
	RETURN QUERY SELECT 'built', * FROM pg_temp.differences('index_dense_idx', 'index_dense', distances, conditions, '{1,10,100000}');
	PERFORM pg_temp.fill('index_dense', dims, 1501, 1900);
	DELETE FROM index_dense WHERE id % 6 = 1;
	UPDATE index_dense SET a = nullif(a + 1, 4), v = pg_temp.vec(id + 7, dims) WHERE id % 9 = 2;
	RETURN QUERY SELECT 'changed', * FROM pg_temp.differences('index_dense_idx', 'index_dense', distances, conditions, '{1,10,100000}');
END $$;
SELECT * FROM pg_temp.compare('<->', 24);
VACUUM index_dense;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<->', 24), '{true,a = 3}');
SELECT rows, null_rows FROM hashemb_check('index_dense_idx', true);
DROP TABLE index_dense;
SELECT * FROM pg_temp.compare('<#>', 24, ', code_bytes = 8');
VACUUM index_dense;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<#>', 24), '{true,a = 3}');
SELECT rows, null_rows FROM hashemb_check('index_dense_idx', true);
DROP TABLE index_dense;
SELECT * FROM pg_temp.compare('<=>', 24, ', group_by = a');
VACUUM index_dense;
SELECT * FROM pg_temp.differences('index_dense_idx', 'index_dense', pg_temp.distances('<=>', 24), '{true,a = 3}');
SELECT rows, null_rows FROM hashemb_check('index_dense_idx', true);
DROP TABLE index_dense;

-- which way a query goes
CREATE FUNCTION pg_temp.same(query text) RETURNS TABLE (rows int, same bool, scans text) LANGUAGE plpgsql AS $$
DECLARE
	line text;
	found text[];
	expected text[];
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_indexscan', 'on', true);
	scans := '';
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		scans := scans || coalesce(substring(line from 'Custom Scan \(hashemb\)|Index Scan|Incremental Sort|Sort$|Sort  |Append$') || ' ', '');
	END LOOP;
	EXECUTE format('SELECT array_agg(s::text) FROM (%s) s', query) INTO found;
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
	EXECUTE format('SELECT array_agg(s::text) FROM (%s) s', query) INTO expected;
	PERFORM set_config('enable_bitmapscan', 'on', true);
	rows := cardinality(found);
	same := found IS NOT DISTINCT FROM expected;
	RETURN NEXT;
END $$;
CREATE TABLE index_dense (id int PRIMARY KEY, v real[], a int, h int);
SELECT pg_temp.fill('index_dense', 12, 1, 3000);
CREATE INDEX index_dense_idx ON index_dense USING hashemb (v real_cosine_ops, a, h) WITH (dims = 12, block_rows = 40);
CREATE TABLE index_dense_queries AS SELECT i AS q, CASE i WHEN 7 THEN NULL WHEN 8 THEN array_fill(0::real, ARRAY[12]) ELSE pg_temp.vec(9000 + i, 12) END AS w, i % 7 AS a
	FROM generate_series(1, 9) i;
SELECT pg_temp.vec(9005, 12) AS w \gset
-- no LIMIT, OFFSET, ties, further keys
SELECT * FROM pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense ORDER BY d', :'w'));
SELECT * FROM pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense ORDER BY d OFFSET 2900', :'w'));
SELECT * FROM pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense ORDER BY d OFFSET 95 LIMIT 20', :'w'));
SELECT * FROM pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense ORDER BY d LIMIT 0', :'w'));
SELECT k, s.* FROM unnest('{1,5,50,1000}'::int[]) k, LATERAL pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense ORDER BY d FETCH FIRST %s ROWS WITH TIES',
	pg_temp.vec(3, 12), k)) s;
SELECT k, s.* FROM unnest('{1,5,50,1000}'::int[]) k, LATERAL pg_temp.same(format('SELECT v <=> %L AS d, id FROM index_dense ORDER BY d, h DESC, id LIMIT %s',
	pg_temp.vec(3, 12), k)) s;
-- the other way round: NaN comes first, behind NULL or without
SELECT n, k, s.* FROM unnest('{NULLS FIRST,NULLS LAST}'::text[]) n, unnest('{1,40,100,5000}'::int[]) k, LATERAL pg_temp.same(format(
	'SELECT 1 - (v <=> %L) AS s FROM index_dense ORDER BY 1 - (v <=> %1$L) DESC %s LIMIT %s', :'w', n, k)) s;
SELECT k, s.* FROM unnest('{1,40,100,5000}'::int[]) k, LATERAL pg_temp.same(format(
	'SELECT 1 - (v <=> %L) AS s FROM index_dense WHERE a = 3 AND v IS NOT NULL ORDER BY 1 - (v <=> %1$L) DESC LIMIT %s', :'w', k)) s;
SELECT k, s.* FROM unnest('{1,40,5000}'::int[]) k, LATERAL pg_temp.same(format(
	'SELECT 1 - (v <=> %L) AS s FROM index_dense ORDER BY 1 - (v <=> %1$L) DESC LIMIT %s', array_fill(0::real, ARRAY[12]), k)) s;
SELECT * FROM pg_temp.same(format('SELECT 1 - (v <=> %L) AS s FROM index_dense ORDER BY 1 - (v <=> %1$L) DESC FETCH FIRST 70 ROWS WITH TIES', :'w'));
-- filters: arrays of values, and what only the table knows, near and far
SELECT f, s.* FROM unnest(ARRAY['a = ANY (''{1,5,NULL}'')', 'h IN (1, 2, 55) OR a IS NULL', 'a = ANY (''{}'')', 'NOT a = 3', 'id % 2 = 0', 'id % 500 = 3', 'id = 0', 'v <=> ' || quote_literal(:'w') || ' > 1.2',
		'v <=> ' || quote_literal(:'w') || ' < 0.1', 'v[1] > 1', 'id BETWEEN 100 AND 120', 'random() < 2']) f,
	LATERAL pg_temp.same(format('SELECT v <=> %L AS d FROM index_dense WHERE %s ORDER BY d LIMIT 25', :'w', f)) s;
-- joins
SELECT * FROM pg_temp.same('SELECT q, d FROM index_dense_queries q, LATERAL (SELECT v <=> w AS d FROM index_dense i ORDER BY v <=> w LIMIT 7) s ORDER BY q, d');
SELECT * FROM pg_temp.same('SELECT q, d FROM index_dense_queries q, LATERAL (SELECT v <=> w AS d FROM index_dense i WHERE i.a = q.a ORDER BY v <=> w LIMIT 7) s ORDER BY q, d');
SELECT * FROM pg_temp.same(format('SELECT i.v <=> %L AS d, q.q FROM index_dense i JOIN index_dense_queries q ON q.a = i.a ORDER BY i.v <=> %1$L, q LIMIT 40', :'w'));
SELECT * FROM pg_temp.same('SELECT q, (SELECT min(v <=> w) FROM index_dense WHERE a = q.a) FROM index_dense_queries q ORDER BY q');
-- below recall 1, more rows without a number than a phase has: in order all the same
CREATE TABLE index_dense_nulls AS SELECT i AS id, CASE WHEN i > 1500 THEN pg_temp.vec(i, 100) WHEN i > 1200 THEN array_fill(0::real, ARRAY[100]) END AS v FROM generate_series(1, 5000) i;
CREATE INDEX index_dense_nulls_idx ON index_dense_nulls USING hashemb (v real_cosine_ops) WITH (dims = 100, block_rows = 40);
SELECT pg_temp.vec(9005, 100) AS wide \gset
SET hashemb.recall = 0.9;
SET enable_seqscan = off;
SET enable_sort = off;
SELECT count(*), count(d), count(*) FILTER (WHERE d = 'NaN') AS nans, count(*) FILTER (WHERE d < before) AS disordered FROM (SELECT d, lag(d) OVER () AS before FROM
	(SELECT v <=> :'wide' AS d FROM index_dense_nulls, generate_series(1, 1) ORDER BY 1 - (v <=> :'wide') DESC LIMIT 1900) s) t WHERE before IS DISTINCT FROM 'NaN';
SELECT count(*), count(*) FILTER (WHERE d < before) AS disordered FROM (SELECT d, lag(d) OVER () AS before FROM
	(SELECT v <=> :'wide' AS d FROM index_dense_nulls, generate_series(1, 1) ORDER BY v <=> :'wide' LIMIT 1900) s) t;
RESET enable_seqscan;
RESET enable_sort;
SET hashemb.recall = 1;
-- cursors
BEGIN;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
DECLARE near SCROLL CURSOR FOR SELECT id FROM index_dense WHERE a < 5 ORDER BY v <=> :'w';
FETCH 3 FROM near;
MOVE 1500 FROM near;
FETCH 3 FROM near;
MOVE BACKWARD ALL FROM near;
FETCH 3 FROM near;
MOVE ALL FROM near;
CLOSE near;
COMMIT;
-- prepared, with parameters of several types
PREPARE near_by(real[], int) AS SELECT id FROM index_dense WHERE a = $2 ORDER BY v <=> $1 LIMIT 3;
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
EXECUTE near_by(:'w', 3);
EXECUTE near_by(NULL, 3);
EXECUTE near_by(:'w', NULL);
PREPARE near_by_numbers(numeric[]) AS SELECT id FROM index_dense WHERE a = 3 ORDER BY v <=> $1 LIMIT 3;
EXECUTE near_by_numbers(:'w');
RESET plan_cache_mode;
RESET enable_seqscan;
DROP TABLE index_dense, index_dense_queries, index_dense_nulls;

-- partial, expressions, domains, partitions, unlogged, temporary
CREATE DOMAIN index_dense_embedding AS real[] CHECK (cardinality(VALUE) = 12);
CREATE TABLE index_dense (id int, v index_dense_embedding, a int, f float8[]) PARTITION BY RANGE (a);
CREATE TABLE index_dense_1 PARTITION OF index_dense FOR VALUES FROM (0) TO (3);
CREATE UNLOGGED TABLE index_dense_2 PARTITION OF index_dense FOR VALUES FROM (3) TO (6);
CREATE TABLE index_dense_3 PARTITION OF index_dense DEFAULT;
INSERT INTO index_dense SELECT i, CASE WHEN i % 30 > 0 THEN pg_temp.vec(i, 12) END, i % 7, pg_temp.vec(i + 1, 12) FROM generate_series(1, 4000) i;
CREATE INDEX index_dense_idx ON index_dense USING hashemb (v real_l2_ops, a) WITH (dims = 12, block_rows = 40);
INSERT INTO index_dense SELECT i, CASE WHEN i % 30 > 0 THEN pg_temp.vec(i, 12) END, i % 7, pg_temp.vec(i + 1, 12) FROM generate_series(4001, 4500) i;
SELECT c, s.* FROM unnest('{true,a = 3,a IS NULL,a > 1 AND id % 3 = 1}'::text[]) c, LATERAL pg_temp.same(format('SELECT v <-> %L AS d, id FROM index_dense WHERE %s ORDER BY d LIMIT 15', :'w', c)) s;
CREATE INDEX index_dense_partial ON index_dense_1 USING hashemb (((f::real[])) real_ip_ops, (a + 1)) WITH (dims = 12, block_rows = 40) WHERE id > 1000;
SELECT * FROM pg_temp.same(format('SELECT (f::real[]) <#> %L AS d, id FROM index_dense_1 WHERE id > 1000 AND a + 1 = 2 ORDER BY d LIMIT 15', :'w'));
SELECT measured, recall FROM hashemb_measure_recall('index_dense_partial', 10, 20);
UPDATE index_dense SET id = id + 1000, f = CASE WHEN id % 3 > 0 THEN f END WHERE a = 1;
DELETE FROM index_dense WHERE id % 4 = 2;
VACUUM index_dense;
SELECT * FROM pg_temp.same(format('SELECT (f::real[]) <#> %L AS d, id FROM index_dense_1 WHERE id > 1000 AND a + 1 = 2 ORDER BY d LIMIT 15', :'w'));
SELECT c, s.* FROM unnest('{true,a = 3,a IS NULL,a > 1 AND id % 3 = 1}'::text[]) c, LATERAL pg_temp.same(format('SELECT v <-> %L AS d, id FROM index_dense WHERE %s ORDER BY d LIMIT 15', :'w', c)) s;
SELECT inhrelid::regclass, rows - (SELECT count(*) FROM index_dense WHERE tableoid = indrelid) AS more FROM pg_inherits, pg_index, hashemb_check(inhrelid, true)
	WHERE inhparent = 'index_dense_idx'::regclass AND indexrelid = inhrelid ORDER BY 1;
SELECT rows > 0 AS sound FROM hashemb_check('index_dense_partial', true);
DROP TABLE index_dense;
DROP DOMAIN index_dense_embedding;
CREATE TEMP TABLE index_dense (id int, v real[], a int, h int);
CREATE INDEX index_dense_idx ON index_dense USING hashemb (v real_cosine_ops) WITH (dims = 12, block_rows = 20);
SELECT pg_temp.fill('index_dense', 12, 1, 2000);
SELECT * FROM pg_temp.same(format('SELECT v <=> %L AS d, id FROM index_dense ORDER BY d LIMIT 15', :'w'));
DROP TABLE index_dense;
-- expressions of an index are evaluated with the rights of the table's owner
CREATE ROLE regress_hashemb_dense;
CREATE TABLE index_dense (id int, f float8[]);
ALTER TABLE index_dense OWNER TO regress_hashemb_dense;
SET ROLE regress_hashemb_dense;
CREATE FUNCTION pg_temp.own(float8[]) RETURNS real[] IMMUTABLE LANGUAGE plpgsql AS $$
BEGIN
	IF current_user <> 'regress_hashemb_dense' THEN
		RAISE 'with the rights of another user';
	END IF;
	RETURN $1::real[];
END $$;
INSERT INTO index_dense SELECT i, pg_temp.vec(i, 3) FROM generate_series(1, 50) i;
RESET ROLE;
CREATE INDEX index_dense_idx ON index_dense USING hashemb ((pg_temp.own(f)) real_l2_ops) WITH (dims = 3);
SELECT measured, recall FROM hashemb_measure_recall('index_dense_idx', 1, 5);
SELECT rows FROM hashemb_check('index_dense_idx', true);
DROP TABLE index_dense;
DROP FUNCTION pg_temp.own(float8[]);
DROP ROLE regress_hashemb_dense;
