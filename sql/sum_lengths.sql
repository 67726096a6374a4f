-- Sums of inner products of vectors whose lengths differ: what a search passes over
-- at first comes with the rows that it is asked for later.
SET jit = off;
CREATE TABLE sl (id int, v real[]);
SELECT setseed(0.5);
INSERT INTO sl SELECT i, ARRAY(SELECT (long * (sin(i % 7 * d) + random() / 2))::real FROM generate_series(1, 8) d)
	FROM (SELECT i, exp(2.5 * (SELECT sum(random()) - 6 FROM generate_series(1, 12) WHERE i > 0)) AS long FROM generate_series(1, 2500) i) s;
CREATE INDEX sl_idx ON sl USING hashemb (v real_ip_ops) WITH (dims = 8);
ANALYZE sl;
SET enable_sort = off;
CREATE FUNCTION sl_short(k int, OUT plan bool, OUT short int) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT id FROM sl WHERE id %% 25 = 1 ORDER BY (v <#> $1) + 100 * (v <#> $2) LIMIT %s', k);
	p real[] := '{0.1,-0.3,0.2,0.4,-0.4,-0.7,-0.8,0.2}';
	q real[];
	n int;
	line text;
BEGIN
	short := 0;
	plan := false;
	FOR q IN SELECT v FROM sl WHERE id % 100 = 3 LOOP
		EXECUTE format('SELECT count(*) FROM (%s) s', query) INTO n USING p, q;
		short := short + k - n;
	END LOOP;
	FOR line IN EXECUTE 'EXPLAIN ' || query USING p, q LOOP
		plan := plan OR line ~ 'hashemb sum';
	END LOOP;
END $$;
SELECT * FROM sl_short(10);
SELECT * FROM sl_short(40);
DROP FUNCTION sl_short;
DROP TABLE sl;
