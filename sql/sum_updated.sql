-- Sums of distances over rows that have newer versions on their page: indexes have
-- the TID of the first one. A search that may end early looks where rows came.
SET jit = off;
CREATE TABLE su (id int, seen int, a real[], b svec(1000)) WITH (fillfactor = 40);
INSERT INTO su SELECT i, 0, ARRAY(SELECT sin(i % 200 * d) + sin(i * d) / 5 FROM generate_series(1, 16) d)::real[],
	svec(ARRAY[1 + i % 97, 100 + i % 61, 200 + i % 200], ARRAY[1, 2, 1], 1000) FROM generate_series(1, 4000) i;
CREATE INDEX su_a ON su USING hashemb (a real_cosine_ops);
CREATE INDEX su_b ON su USING hashemb (b);
UPDATE su SET seen = 1;
ANALYZE su;
SET enable_seqscan = off;
CREATE FUNCTION su_rows(k int) RETURNS SETOF int LANGUAGE plpgsql AS $$
DECLARE
	p su;
BEGIN
	FOR p IN SELECT * FROM su WHERE id % 400 = 7 ORDER BY id LOOP
		RETURN QUERY SELECT id FROM su ORDER BY (a <=> p.a) + 0.1 * (b <#> p.b) LIMIT k;
	END LOOP;
END $$;
EXPLAIN (COSTS OFF) SELECT id FROM su ORDER BY (a <=> (SELECT a FROM su LIMIT 1)) + 0.1 * (b <#> (SELECT b FROM su LIMIT 1)) LIMIT 10;
SELECT count(*) FROM su_rows(10);
SELECT count(*) FROM su_rows(40);
DROP FUNCTION su_rows;
DROP TABLE su;
