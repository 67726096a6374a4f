-- Recall of dense vectors by the exact distances: at every target, k and filter
-- the mean over queries reaches the target, within two standard errors, and as
-- many rows come as there are; in an index that was built, and in one that grew
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d5
-- Exact distances of the nearest rows, ties counted by their distance
CREATE TABLE recall_truth (condition text, q int, distances float8[]);
CREATE TABLE recall_found (condition text, target float8, k int, q int, recall float8, lacking int);
CREATE FUNCTION pg_temp.nearest(op text, condition text, query real[], k int) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	result float8[];
BEGIN
	EXECUTE format('SELECT array_agg(coalesce(d, ''Infinity'')) FROM (SELECT v %1$s %2$L::real[] AS d FROM index_recall WHERE %3$s ORDER BY v %1$s %2$L::real[] LIMIT %4$s) s',
		op, query, condition, k) INTO result;
	RETURN coalesce(result, '{}');
END $$;
CREATE FUNCTION pg_temp.measure(op text, dims int, queries int, conditions text[] DEFAULT '{true,a < 3,a = 3,h = 42,h = 42 AND a = 0,id % 9 = 2}')
	RETURNS TABLE (cells bigint, short bigint, missed text) LANGUAGE plpgsql AS $$
DECLARE
	target float8;
BEGIN
	TRUNCATE recall_truth, recall_found;
	PERFORM set_config('enable_indexscan', 'off', true), set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true);
	INSERT INTO recall_truth SELECT c, q, pg_temp.nearest(op, c, pg_temp.vec(1000000 + q, dims, 1, 'd5'), 100) FROM unnest(conditions) c, generate_series(1, queries) q;
	PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
	FOREACH target IN ARRAY '{0.9,0.95,0.99}'::float8[] LOOP
		PERFORM set_config('hashemb.recall', target::text, true);
		INSERT INTO recall_found SELECT condition, target, k, q, (SELECT count(*) FROM unnest(near) f WHERE f <= distances[expected]) / greatest(expected, 1)::float8,
				expected - cardinality(near)
			FROM (SELECT t.*, k, least(k, cardinality(distances)) AS expected, pg_temp.nearest(op, condition, pg_temp.vec(1000000 + q, dims, 1, 'd5'), k) AS near
				FROM recall_truth t, unnest('{1,10,100}'::int[]) k OFFSET 0) s WHERE expected > 0;
	END LOOP;
	RETURN QUERY SELECT count(*), sum(lacking)::bigint, string_agg(format('%s k %s target %s: %s', s.condition, k, s.target, round(mean::numeric, 4)), ', ')
			FILTER (WHERE mean + 2 * error < s.target)
		FROM (SELECT f.condition, f.target, k, avg(recall) AS mean, stddev(recall) / sqrt(count(*)) AS error, sum(lacking) AS lacking
			FROM recall_found f GROUP BY 1, 2, 3) s;
END $$;
CREATE TABLE index_recall (id int, v real[], a int, h int);
INSERT INTO index_recall SELECT i, CASE WHEN i % 50 <> 7 THEN pg_temp.vec(i, 96, 1, 'd5') END, i % 6, hashint4(i) & 63 FROM generate_series(1, 6000) i;
CREATE INDEX index_recall_idx ON index_recall USING hashemb (v real_cosine_ops, a, h) WITH (dims = 96, block_rows = 40);
SELECT * FROM pg_temp.measure('<=>', 96, 40);
DROP INDEX index_recall_idx;
CREATE INDEX index_recall_idx ON index_recall USING hashemb (v real_l2_ops, a, h) WITH (dims = 96, block_rows = 40);
SELECT * FROM pg_temp.measure('<->', 96, 40);
DROP INDEX index_recall_idx;
CREATE INDEX index_recall_idx ON index_recall USING hashemb (v real_ip_ops, a, h) WITH (dims = 96, block_rows = 40, code_bytes = 16);
SELECT * FROM pg_temp.measure('<#>', 96, 40);
DROP INDEX index_recall_idx;

-- grown from nothing, and vacuumed
TRUNCATE index_recall;
CREATE INDEX index_recall_idx ON index_recall USING hashemb (v real_cosine_ops, a, h) WITH (dims = 96, block_rows = 40);
INSERT INTO index_recall SELECT i, CASE WHEN i % 50 <> 7 THEN pg_temp.vec(i, 96, 1, 'd5') END, i % 6, hashint4(i) & 63 FROM generate_series(1, 6000) i;
SELECT * FROM pg_temp.measure('<=>', 96, 40);
DELETE FROM index_recall WHERE id % 4 = 1;
VACUUM index_recall;
SELECT * FROM pg_temp.measure('<=>', 96, 40);
SELECT measured, recall >= 0.93 AS reached FROM hashemb_measure_recall('index_recall_idx', 10, 100);
DROP TABLE index_recall, recall_truth, recall_found;
