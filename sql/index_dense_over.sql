-- A search that starts over with more room does not look again at rows that it has
-- looked at: codes that tell little make it look at most rows, but each only once
CREATE FUNCTION pg_temp.vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((hashtextextended(i || 'x' || d, 0) / 2 ^ 63
		+ hashtextextended(i || 'y' || d, 0) / 2 ^ 63)::real ORDER BY d) FROM generate_series(1, 64) d $$;
CREATE TABLE item (id int, v real[]);
INSERT INTO item SELECT i, pg_temp.vec(i) FROM generate_series(1, 3000) i;
CREATE INDEX item_v ON item USING hashemb (v real_cosine_ops) WITH (dims = 64, code_bytes = 8);
VACUUM ANALYZE item;
SET enable_seqscan = off;
SET hashemb.recall = 0.99;
-- how often a search starts over, and heap rows fetched: those returned twice
CREATE FUNCTION pg_temp.effort(query real[], clauses text, OUT restarts int, OUT fetches int)
	LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	restarts := 0;
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT id FROM item %s',
			format(clauses, query)) LOOP
		restarts := coalesce(substring(line, 'Restarts: (\d+)')::int, restarts);
		fetches := coalesce(substring(line, 'Heap Fetches: (\d+)')::int, fetches);
	END LOOP;
END $$;
SELECT clauses, count(*) FILTER (WHERE restarts > 0) > 0 AS starts_over, max(fetches) <= 3000 + 10 AS once
	FROM unnest('{ORDER BY v <=> %L LIMIT 10,
	ORDER BY v <=> %L FETCH FIRST 10 ROWS WITH TIES,
	WHERE id % 3 = 0 ORDER BY v <=> %L LIMIT 10}'::text[]) n (template),
	LATERAL (SELECT replace(template, ' % ', ' %% ') AS clauses) c, generate_series(3001, 3010) q,
	LATERAL pg_temp.effort(pg_temp.vec(q), clauses)
	GROUP BY clauses ORDER BY clauses;
DROP TABLE item;
