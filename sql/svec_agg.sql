-- svec: aggregates sum, avg and svec_agg
SELECT sum(v), avg(v) FROM (VALUES ('{1:1,2:4}/3'::svec), ('{1:2,3:1}/3'), (NULL), ('{2:-4}/3')) t(v);
SELECT sum(v), avg(v) FROM (VALUES (NULL::svec), (NULL)) t(v);
SELECT sum(v), avg(v) FROM (VALUES ('{}/3'::svec)) t(v) WHERE false;
SELECT sum(v), avg(v) FROM (VALUES ('{}/3'::svec), ('{}/3')) t(v);
SELECT sum(v) FROM (VALUES ('{1:1}/3'::svec), ('{1:1}/4')) t(v);
-- computed in double, rounded once
SELECT sum(v), avg(v) FROM (VALUES ('{1:3e38,2:1e30}/2'::svec), ('{1:-3e38,2:1}/2'), ('{1:1,2:-1e30}/2')) t(v);
SELECT sum(v) FROM (VALUES ('{1:3e38}/2'::svec), ('{1:3e38}/2')) t(v);
SELECT avg(v) FROM (VALUES ('{1:3e38}/2'::svec), ('{1:3e38}/2')) t(v);
SELECT avg(v) AS vanished FROM (VALUES ('{1:1e-45}/2'::svec), ('{2:1}/2'), ('{}/2')) t(v);
SELECT g, sum(v), avg(v) FROM (VALUES (1, '{1:1}/3'::svec), (2, '{1:2}/4'), (1, '{1:3}/3')) t(g, v)
	GROUP BY g ORDER BY g;
-- as a window function, the state is read many times
SELECT i, sum(v) OVER (ORDER BY i), avg(v) OVER (ORDER BY i ROWS 1 PRECEDING)
	FROM (SELECT i, svec(ARRAY[i, i + 1], ARRAY[i, 1], 9) AS v FROM generate_series(1, 4) i) s;

-- from rows of id and weight
SELECT svec_agg(i, i * 0.5, 30) FROM generate_series(3, 1, -1) i;
SELECT svec_agg(i, 2) AS widest FROM generate_series(1, 3) i;
SELECT svec_agg(i, w, 30) FROM (VALUES (7, 1.5), (2, 1), (7, 0.25), (3, 0), (NULL, 1), (4, NULL)) t(i, w);
SELECT svec_agg(i, w, 30) FROM (VALUES (7, 1.5), (7, -1.5)) t(i, w);
SELECT svec_agg(i, 1, 30) FROM generate_series(1, 3) i WHERE false;
SELECT svec_agg(i, NULL, 30), svec_agg(NULL, i, 30), svec_agg(i, NULL) FROM generate_series(1, 3) i;
SELECT svec_agg(i::smallint, 1::real, 30), svec_agg(i::bigint, 1::int, 30), svec_agg(i, 1::numeric, 30),
	svec_agg(i, '1', 30) FROM generate_series(1, 3) i;
SELECT svec_agg(i, 1, 2) FROM generate_series(1, 3) i;
SELECT svec_agg(i, 1, 2) FROM generate_series(0, 1) i;
SELECT svec_agg(-1, 1);
SELECT svec_agg(1000000001, 1);
SELECT svec_agg(9223372036854775807, 1);
SELECT svec_agg(1, 1, 0);
SELECT svec_agg(1, 1, 1000000001);
SELECT svec_agg(1, 1, NULL);
SELECT svec_agg(1, 1, i) FROM generate_series(1, 3) i;
SELECT svec_agg(1, 'NaN');
SELECT svec_agg(1, '-Infinity');
SELECT svec_agg(1, 1e39);
SELECT svec_agg(1, w) FROM (VALUES (1e39), (-1e39), (1)) t(w);
SELECT svec_agg(i, 1e-300, 3) AS vanished FROM generate_series(1, 3) i;
SELECT svec_agg(1, w) FROM (VALUES (1e308::float8), (1e308)) t(w);
SELECT nnz(svec_agg(i, 1)) FROM generate_series(1, 65535) i;
SELECT svec_agg(i, 1) FROM generate_series(1, 65536) i;
SELECT svec_agg(i % 100000 + 1, CASE WHEN i < 100000 THEN 1 ELSE -1 END, 100000)
	FROM generate_series(0, 199999) i;

-- random rows, against the sums of their elements; in parallel too
\echo seed 0.375
SELECT setseed(0.375);
CREATE TABLE svec_random AS SELECT i AS id, 1 + floor(random() * random() * 500)::int AS dim,
	floor(random() * 100) / 8 AS weight FROM generate_series(1, 4000) i, generate_series(1, 10);
CREATE TABLE svec_rows AS SELECT id, id % 7 AS g, svec_agg(dim, weight, 500) AS v
	FROM svec_random GROUP BY id;
CREATE VIEW svec_expected AS
	SELECT g, svec_agg(i, s, 500) AS sum, svec_agg(i, s / n, 500) AS avg
	FROM (SELECT g, i, sum(w::float8) AS s FROM svec_rows, unnest(indices(v), weights(v)) u(i, w)
		GROUP BY g, i) e JOIN (SELECT g, count(*) AS n FROM svec_rows GROUP BY g) c USING (g) GROUP BY g;
SELECT count(*) AS differing FROM (SELECT g, sum(v), avg(v) FROM svec_rows GROUP BY g) a
	JOIN svec_expected e USING (g) WHERE a.sum <> e.sum OR a.avg <> e.avg;
SELECT nnz(sum(v)), sum(v) = (SELECT sum(sum) FROM svec_expected) AS same FROM svec_rows;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET max_parallel_workers_per_gather = 2;
SET parallel_leader_participation = off;
ALTER TABLE svec_rows SET (parallel_workers = 2);
EXPLAIN (COSTS OFF) SELECT sum(v), avg(v), svec_agg(id, g) FROM svec_rows;
SELECT sum(v) = (SELECT sum(sum) FROM svec_expected) AS same, nnz(avg(v)), svec_agg(id, 1, 10000) =
	(SELECT svec(array_agg(i), array_agg(1), 10000) FROM generate_series(1, 4000) i) AS same FROM svec_rows;
SELECT count(*) AS differing FROM (SELECT g, sum(v), avg(v) FROM svec_rows GROUP BY g) a
	JOIN svec_expected e USING (g) WHERE a.sum <> e.sum OR a.avg <> e.avg;
SELECT sum(CASE WHEN id < 3 THEN v END) = (SELECT sum(v) FROM svec_rows WHERE id < 3) AS same,
	sum(CASE WHEN id < 0 THEN v END) FROM svec_rows;
RESET ALL;
ALTER TABLE svec_rows SET (parallel_workers = 0);
SELECT sum(CASE WHEN id = 4000 THEN '{}/7' ELSE v END) FROM svec_rows;

DROP VIEW svec_expected;
DROP TABLE svec_random, svec_rows;
