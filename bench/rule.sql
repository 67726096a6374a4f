-- Recall and rows scored of searches of codes, by target, k and filter: what the
-- stop rule is worth. In an empty database with the extension:
--
--   psql -qf bench/rule.sql [-v items=FILE -v asked=FILE]
--
-- Generated codes in clusters of two levels, the same with a new kind of rows in an
-- index that grew, and, if named, real ones: tab-separated rows of id, bits, two
-- labels and two numbers; queries of number and bits.
\set ON_ERROR_STOP 1
\pset footer off
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
DROP SCHEMA IF EXISTS rule CASCADE;
CREATE SCHEMA rule;
SET search_path = rule, public;

CREATE FUNCTION bits(text) RETURNS bit(256) LANGUAGE sql AS $$SELECT ('x' || md5($1) || md5($1 || '.'))::bit(256)$$;
-- One bit in eight; in 128
CREATE FUNCTION noise(salt text) RETURNS bit(256) LANGUAGE sql AS $$SELECT bits(salt || 'x') & bits(salt || 'y') & bits(salt || 'z')$$;
CREATE FUNCTION little(salt text) RETURNS bit(256) LANGUAGE sql AS $$SELECT noise(salt) & noise(salt || '2') & bits(salt || 'w')$$;

-- 20,000 rows of 512 clusters near 32 centres, as in t/021_filter_grid.pl
CREATE TABLE centres AS SELECT i AS fine, i / 16 AS own, (bits('g1c' || i / 16) # noise('g1f' || i))::bincode AS c FROM generate_series(0, 511) i;
CREATE TABLE flat AS SELECT i AS id, (ce.c::bit(256) # noise('g1i' || i))::bincode(256) AS c, own, fine, hashtext('g1r' || i) & 1023 AS r
	FROM generate_series(1, 20000) i JOIN centres ce ON fine = (hashtext('g1p' || i) & 511);
-- 50,000 rows of 4,096 clusters near 64 centres: fewer rows a cluster than a block has
CREATE TABLE small_centres AS SELECT i AS fine, i / 64 AS own, (bits('r1c' || i / 64) # noise('r1f' || i))::bincode AS c FROM generate_series(0, 4095) i;
CREATE TABLE small AS SELECT i AS id, (ce.c::bit(256) # noise('r1i' || i))::bincode(256) AS c, own, fine, hashtext('r1r' || i) & 1023 AS r
	FROM generate_series(1, 50000) i JOIN small_centres ce ON fine = (hashtext('r1p' || i) & 4095);
-- 20,000 rows of 400 clusters that come one by one, then 300 of 20 tight groups
CREATE TABLE grown (id int, c bincode(256), own int, fine int, r int);
CREATE INDEX grown_idx ON grown USING hashemb (c, own, fine, r);
DO $$
BEGIN
	FOR i IN 1 .. 20300 LOOP
		INSERT INTO grown SELECT i, CASE WHEN i <= 20000 THEN bits('n1c' || i % 400) # noise('n1i' || i) ELSE bits('n1R' || i % 20) # little('n1i' || i) END::bincode,
			(i > 20000)::int, i % 20, hashtext('n1r' || i) & 1023;
	END LOOP;
END $$;
CREATE INDEX flat_idx ON flat USING hashemb (c, own, fine, r);
CREATE INDEX small_idx ON small USING hashemb (c, own, fine, r);
CREATE TABLE queries (tab text, kind text, q int, c text, own text, far text);
INSERT INTO queries SELECT 'flat', 'usual', i, (ce.c::bit(256) # noise('g1q' || i))::bincode, own FROM generate_series(1, 200) i JOIN centres ce ON fine = (hashtext('g1n' || i) & 511);
INSERT INTO queries SELECT 'small', 'usual', i, (ce.c::bit(256) # noise('r1q' || i))::bincode, own FROM generate_series(1, 200) i JOIN small_centres ce ON fine = (hashtext('r1n' || i) & 4095);
UPDATE queries q SET far = (SELECT own FROM centres c GROUP BY own ORDER BY avg(c.c <~> q.c::bincode) DESC LIMIT 1) WHERE tab = 'flat';
UPDATE queries q SET far = (SELECT own FROM small_centres c GROUP BY own ORDER BY avg(c.c <~> q.c::bincode) DESC LIMIT 1) WHERE tab = 'small';
INSERT INTO queries SELECT 'grown', 'usual', i, (bits('n1c' || i % 400) # noise('n1q' || i))::bincode, 0, 1 FROM generate_series(1, 200) i;
INSERT INTO queries SELECT 'grown', 'new', i, (bits('n1R' || i % 20) # little('n1q' || i))::bincode, 1, 0 FROM generate_series(1, 200) i;

CREATE TABLE cells (tab text, cell text, condition text);
INSERT INTO cells SELECT t, v.* FROM unnest('{flat,small,grown}'::text[]) t, (VALUES ('none', 'true'), ('own', 'own = %1$s'), ('random, 10 %', 'r < 102'), ('random, 1 %', 'r < 10')) v;
INSERT INTO cells SELECT t, v.* FROM unnest('{flat,small}'::text[]) t, (VALUES ('far', 'own = %2$s'), ('own, on rows', 'own + 0 = %1$s')) v;
\if :{?items}
CREATE TABLE real (id int, c text, kind text, label text, number int, length int);
\set load '\\copy real FROM ' :'items'
:load
\set load '\\copy queries (q, c) FROM ' :'asked'
:load
ALTER TABLE real ADD r int, ALTER c TYPE bincode USING c::bincode;
SELECT format('ALTER TABLE real ALTER c TYPE bincode(%s)', length(c::text)) FROM real LIMIT 1 \gexec
UPDATE real SET r = hashint4(id) & 1023;
CREATE INDEX real_idx ON real USING hashemb (c, kind, label, length, r);
DELETE FROM queries WHERE tab IS NULL AND q % 5 > 0;
UPDATE queries SET tab = 'real', kind = 'real' WHERE tab IS NULL;
UPDATE queries q SET own = (SELECT quote_literal(label) FROM real ORDER BY c <~> q.c::bincode LIMIT 1) WHERE tab = 'real';
UPDATE queries q SET far = (SELECT quote_literal(label) FROM real WHERE r < 50 GROUP BY label HAVING count(*) > 20 ORDER BY avg(c <~> q.c::bincode) DESC LIMIT 1) WHERE tab = 'real';
INSERT INTO cells VALUES ('real', 'none', 'true'), ('real', 'own', 'label = %1$s'), ('real', 'far', 'label = %2$s'), ('real', 'random, 10 %', 'r < 102'), ('real', 'random, 1 %', 'r < 10'),
	('real', 'long', 'length > 20');
\endif

CREATE FUNCTION search(cell cells, x queries, k int) RETURNS text LANGUAGE sql AS $$
	SELECT format('SELECT c <~> %1$L::bincode AS d FROM %2$I WHERE %3$s ORDER BY c <~> %1$L::bincode LIMIT %4$s', (x).c, (x).tab, format((cell).condition, (x).own, (x).far), k) $$;
CREATE FUNCTION nearest(cell cells, x queries, k int) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	result float8[];
BEGIN
	EXECUTE 'SELECT array_agg(d) FROM (' || search(cell, x, k) || ') s' INTO result;
	RETURN coalesce(result, '{}');
END $$;
CREATE FUNCTION scored(cell cells, x queries, k int) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ' || search(cell, x, k) INTO plan;
	RETURN substring(plan::text FROM '"Rows Scored": (\d+)');
END $$;
VACUUM ANALYZE flat;
VACUUM ANALYZE small;
ANALYZE grown;

CREATE TABLE truth AS WITH s AS (SELECT set_config('enable_indexscan', 'off', false), set_config('hashemb.enable_scan', 'off', false))
	SELECT x.tab, x.kind, cell, q, nearest(ce, x, 100) AS distances FROM s, cells ce JOIN queries x USING (tab);
SET enable_indexscan = on;
SET hashemb.enable_scan = on;
SET enable_seqscan = off;
SET enable_sort = off;
CREATE TABLE results (tab text, kind text, cell text, k int, target float8, recall float8, scored float8);
CREATE FUNCTION measure(target float8) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('hashemb.recall', target::text, false);
	INSERT INTO results SELECT tab, kind, cell, k, target, (SELECT count(*) FROM unnest(found) f WHERE f <= distances[least(k, cardinality(distances))]) / least(k, cardinality(distances))::float8, rows
		FROM (SELECT t.tab, t.kind, t.cell, k, t.distances, nearest(ce, x, k) AS found, scored(ce, x, k) AS rows
			FROM truth t JOIN cells ce USING (tab, cell) JOIN queries x USING (tab, kind, q), unnest('{1,10,100}'::int[]) k WHERE cardinality(t.distances) > 0 OFFSET 0) s $$;
SELECT measure(0.9), measure(0.95), measure(0.99) \g /dev/null
SELECT tab, kind, cell, k, string_agg(format('%s +-%s %s', to_char(mean, '0.000'), to_char(error, 'FM0.000'), to_char(rows, '99999')), '  ' ORDER BY target) AS "recall and rows scored at .90, .95, .99",
		coalesce(string_agg(target::text, ' ' ORDER BY target) FILTER (WHERE mean + 2 * error < target), '') AS below
	FROM (SELECT tab, kind, cell, k, target, avg(recall) AS mean, coalesce(stddev(recall), 0) / sqrt(count(*)) AS error, avg(scored) AS rows FROM results GROUP BY 1, 2, 3, 4, 5) s
	GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4;
SELECT tab AS "mean over cells", target, round(avg(mean)::numeric, 3) AS recall, round(avg(rows)) AS rows_scored, round(avg((mean BETWEEN target AND target + 0.015)::int), 2) AS within_015, sum((mean + 2 * error < target)::int) AS below
	FROM (SELECT tab, kind, cell, k, target, avg(recall) AS mean, coalesce(stddev(recall), 0) / sqrt(count(*)) AS error, avg(scored) AS rows FROM results GROUP BY 1, 2, 3, 4, 5) s
	GROUP BY 1, 2 ORDER BY 1, 2;
DROP SCHEMA rule CASCADE;
