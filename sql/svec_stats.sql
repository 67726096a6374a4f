-- svec: statistics that ANALYZE keeps, and how the planner uses them
\echo seed 0.0625
SELECT setseed(0.0625);
-- dimension d in every d-th row, and one dimension of its own per row
CREATE TABLE svec_stats AS SELECT i AS id, CASE WHEN i % 10 = 0 THEN NULL ELSE
	(SELECT svec_agg(d, 1 + random(), 1000000) FROM
		(SELECT d FROM generate_series(1, 20) d WHERE i % d = 0 UNION ALL SELECT 1000 + i) s) END AS v
	FROM generate_series(1, 5000) i;
ANALYZE svec_stats;
SELECT null_frac, n_distinct, avg_width = (SELECT avg(pg_column_size(v))::int FROM svec_stats) AS width,
	most_common_vals IS NULL AND histogram_bounds IS NULL AND correlation IS NULL AS narrow
	FROM pg_stats WHERE tablename = 'svec_stats' AND attname = 'v';
-- in a sample of the whole table the shares are exact
SELECT e, f, f = (SELECT count(*) FILTER (WHERE i % e = 0) / 4500.0
	FROM generate_series(1, 5000) i WHERE i % 10 <> 0)::real AS exact
	FROM pg_stats, unnest(most_common_elems::text::int[], most_common_elem_freqs) u(e, f)
	WHERE tablename = 'svec_stats' AND attname = 'v' AND e <= 20 ORDER BY e;
-- after the shares of the elements their least and greatest
SELECT array_length(most_common_elem_freqs, 1) - array_length(most_common_elems::text::int[], 1) AS more,
	most_common_elem_freqs[array_upper(most_common_elem_freqs, 1)] AS greatest
	FROM pg_stats WHERE tablename = 'svec_stats' AND attname = 'v';
SELECT count(*) AS out_of_order FROM (SELECT e, lag(e) OVER () AS before
	FROM pg_stats, unnest(most_common_elems::text::int[]) e
	WHERE tablename = 'svec_stats' AND attname = 'v') s WHERE before >= e;

-- a sample of whole vectors is kept, too, which no view shows
SELECT stakind2, array_length(stavalues2::text::svec[], 1) BETWEEN 50 AND 100 AS some,
	(SELECT count(*) FROM unnest(stavalues2::text::svec[]) s WHERE NOT EXISTS (SELECT FROM svec_stats WHERE v = s)) AS strange
	FROM pg_statistic WHERE starelid = 'svec_stats'::regclass AND staattnum = 2;

-- the statistics target bounds what is kept, and the most frequent are
ALTER TABLE svec_stats ALTER v SET STATISTICS 1;
ANALYZE svec_stats;
SELECT array_length(most_common_elems::text::int[], 1) <= 10 AS few,
	most_common_elems::text::int[] @> '{1,2,3}' AS frequent
	FROM pg_stats WHERE tablename = 'svec_stats' AND attname = 'v';
ALTER TABLE svec_stats ALTER v SET STATISTICS 0;
DELETE FROM pg_statistic WHERE starelid = 'svec_stats'::regclass;
ANALYZE svec_stats;
SELECT count(*) FROM pg_stats WHERE tablename = 'svec_stats' AND attname = 'v';

-- repeated vectors: distinct ones are counted
CREATE TABLE svec_repeated AS SELECT svec(ARRAY[1 + i % 50], ARRAY[1], 100) AS v
	FROM generate_series(1, 5000) i;
ANALYZE svec_repeated;
SELECT null_frac, n_distinct FROM pg_stats WHERE tablename = 'svec_repeated';
CREATE FUNCTION svec_estimate(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN plan->0->'Plan'->>'Plan Rows';
END
$$;
SELECT svec_estimate($$SELECT FROM svec_repeated WHERE v = '{7:1}/100'$$) AS estimated,
	count(*) AS found FROM svec_repeated WHERE v = '{7:1}/100';
SELECT svec_estimate($$SELECT DISTINCT v FROM svec_repeated$$) AS estimated,
	count(DISTINCT v) AS found FROM svec_repeated;

-- nothing but NULL, nothing but zeros, no rows, and wide values
CREATE TABLE svec_odd AS SELECT NULL::svec AS nothing, '{}/5'::svec AS zeros,
	(SELECT svec(array_agg(j), array_agg(i * j), 20000) FROM generate_series(1, 10000) j) AS wide
	FROM generate_series(1, 10) i;
ANALYZE svec_odd;
SELECT attname, null_frac, n_distinct, avg_width, most_common_elems
	FROM pg_stats WHERE tablename = 'svec_odd' ORDER BY attname;
TRUNCATE svec_odd;
ANALYZE svec_odd;
-- expressions have statistics as well
CREATE INDEX svec_stats_top ON svec_stats (top(v, 1));
ANALYZE svec_stats;
SELECT null_frac, most_common_elems IS NOT NULL AS elements FROM pg_stats WHERE tablename = 'svec_stats_top';

DROP TABLE svec_stats, svec_repeated, svec_odd;
DROP FUNCTION svec_estimate;
