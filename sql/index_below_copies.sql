-- Limits so near that only the query's own row and its copies are within: found at any
-- recall, though nothing is expected there
CREATE TABLE copies (id int PRIMARY KEY, a int, e real[]);
INSERT INTO copies SELECT i, i % 3, ARRAY(SELECT (sin(i * d) + cos(i % 40 * d) * 2)::real FROM generate_series(1, 48) d) FROM generate_series(1, 6000) i;
INSERT INTO copies SELECT 10000 + id, a, e FROM copies WHERE id % 10 = 0;
CREATE INDEX copies_cosine ON copies USING hashemb (e real_cosine_ops, a);
CREATE INDEX copies_l2 ON copies USING hashemb (e real_l2_ops, a);
ANALYZE copies;
SELECT blocks > 8 AS many, calibrations > 0 AS calibrated FROM hashemb_index_info('copies_l2');
SET enable_seqscan = off;
SET enable_sort = off;
EXPLAIN (COSTS OFF) SELECT id FROM copies WHERE e <-> '{1}' <= 0 ORDER BY e <-> '{1}' LIMIT 10;
CREATE FUNCTION pg_temp.found(op text, limit_ float8, k int, OUT queries bigint, OUT short bigint) LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE n < least(%3$s, CASE WHEN id %% 10 = 0 THEN 2 ELSE 1 END)) FROM (SELECT id, e FROM copies WHERE id < 1000 AND id %% 5 = 0) q,
		LATERAL (SELECT count(*) AS n FROM (SELECT c.id FROM copies c WHERE c.e %1$s q.e <= %2$s ORDER BY c.e %1$s q.e LIMIT %3$s) x) y', op, limit_, k)
	INTO queries, short;
END $$;
SELECT op, k, recall, f.short <= 0.02 * f.queries AS enough FROM unnest('{<->,<=>}'::text[]) op, unnest('{1,10}'::int[]) k, unnest('{0.9,0.95,0.99}'::text[]) recall,
	LATERAL (SELECT set_config('hashemb.recall', recall, false)) s, LATERAL pg_temp.found(op, CASE op WHEN '<->' THEN 0 ELSE 1e-9 END, k) f ORDER BY op, k, recall;
-- behind a filter, and with the condition on the same query from elsewhere
SELECT count(*) FROM (SELECT id FROM copies WHERE e <-> (SELECT e FROM copies WHERE id = 30) <= 0 AND a = 0 ORDER BY e <-> (SELECT e FROM copies WHERE id = 30) LIMIT 10) x;
SELECT count(*) FROM (SELECT id FROM copies WHERE e <-> (SELECT e FROM copies WHERE id = 30) <= 0 AND id > 9000 ORDER BY e <-> (SELECT e FROM copies WHERE id = 30) LIMIT 10) x;
DROP TABLE copies;

-- many copies, all of them at the limit itself: as many as the LIMIT says
CREATE TABLE many (id int PRIMARY KEY, a int, e real[]);
INSERT INTO many SELECT i, i % 5, ARRAY(SELECT (i * 7919 % 100 * d % 11)::real FROM generate_series(1, 16) d) FROM generate_series(1, 6000) i;
CREATE INDEX many_l2 ON many USING hashemb (e real_l2_ops, a);
ANALYZE many;
SELECT k, min(n), max(n) FROM unnest('{5,50}'::int[]) k, (SELECT e FROM many WHERE id <= 20) q,
	LATERAL (SELECT count(*) AS n FROM (SELECT id FROM many c WHERE c.e <-> q.e <= 0 ORDER BY c.e <-> q.e LIMIT k) x) y GROUP BY k ORDER BY k;
DROP TABLE many;

-- vectors of which a code keeps little: what it leaves out is the same of a copy, and so
-- far nearer than an estimate says
SELECT setseed(0.25);
CREATE TABLE noise (id int PRIMARY KEY, e real[]);
INSERT INTO noise SELECT i, ARRAY(SELECT (random() + i % 17 * 0.1)::real FROM generate_series(1, 1000) d WHERE i + d > 0) FROM generate_series(1, 3000) i;
CREATE INDEX noise_cosine ON noise USING hashemb (e real_cosine_ops);
ANALYZE noise;
SELECT k, count(*) AS queries, count(*) FILTER (WHERE n = 0) <= 12 AS enough FROM unnest('{1,10}'::int[]) k, (SELECT id, e FROM noise WHERE id % 15 = 0) q,
	LATERAL (SELECT count(*) AS n FROM (SELECT id FROM noise c WHERE c.e <=> q.e <= 1e-9 ORDER BY c.e <=> q.e LIMIT k) x) y GROUP BY k ORDER BY k;
DROP TABLE noise;
