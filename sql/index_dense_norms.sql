-- Inner products with vectors whose lengths differ by a factor of a hundred: how far
-- estimates may be off differs as much, so that a few long vectors, of which much is not
-- known, stand behind thousands of short ones in the order of estimates. A search that
-- looks for those that pass a condition does not look at all short ones on the way.
CREATE FUNCTION pg_temp.draw(salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT (hashtextextended(salt || 'a', 0) / 2 ^ 64 + hashtextextended(salt || 'b', 0) / 2 ^ 64)
		+ (hashtextextended(salt || 'c', 0) / 2 ^ 64) $$;
CREATE FUNCTION pg_temp.vec(i int, length float8) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((length * (pg_temp.draw('c' || i % 40 || 'x' || d) + 0.7 * pg_temp.draw(i || 'y' || d)))::real
		ORDER BY d) FROM generate_series(1, 64) d $$;
CREATE TABLE item (id int, a int, v real[]);
INSERT INTO item SELECT i, abs(hashint4(i)) % 100, pg_temp.vec(i, exp(3.2 * pg_temp.draw('n' || i)))
	FROM generate_series(1, 8000) i;
CREATE INDEX item_v ON item USING hashemb (v real_ip_ops) WITH (dims = 64, code_bytes = 8);
VACUUM ANALYZE item;
SET enable_seqscan = off;
-- heap rows that a search looks at
CREATE FUNCTION pg_temp.fetches(query real[], condition text, k int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
	result int;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)
			SELECT id FROM item WHERE %s ORDER BY v <#> %L LIMIT %s', condition, query, k) LOOP
		result := coalesce(result, substring(line, 'Heap Fetches: (\d+)')::int);
	END LOOP;
	RETURN result;
END $$;
SELECT condition, k, avg(pg_temp.fetches(pg_temp.vec(q, 1), condition, k))::int < most AS few
	FROM (VALUES ('true', 10, 200), ('a % 10 = 3', 1, 500), ('a % 10 = 3', 10, 1600), ('a % 10 = 3', 50, 4000), ('a = 3', 1, 2000)) c (condition, k, most),
	generate_series(8001, 8020) q GROUP BY condition, k, most ORDER BY condition, k;
DROP TABLE item;
