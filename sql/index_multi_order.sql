-- Lists of tokens whose table is in an order of topics: those that are near each other
-- first. Hardly more rows are missed than in a table without an order.
SET max_parallel_workers_per_gather = 0;
CREATE FUNCTION pg_temp.list(i int, step int, topics int, wide float8) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT l2_normalize(array_agg(tokens ORDER BY t)) FROM (SELECT t, (SELECT array_agg((sin((i * step + t) % topics * 31 + d * 1.7) + wide * (hashint8(i * 1000::bigint + t * 100 + d) % 1000 / 1000.0))::real ORDER BY d)
		FROM generate_series(1, 32) d) AS tokens FROM generate_series(1, 4) t) s $$;
CREATE TABLE in_order (id int, p real[]);
INSERT INTO in_order SELECT i, pg_temp.list(i, 1, 7, 0) FROM generate_series(1, 1500) i;
INSERT INTO in_order SELECT i, pg_temp.list(i, 3, 300, 3.5) FROM generate_series(1501, 8000) i;
CREATE TABLE mixed AS SELECT * FROM in_order ORDER BY hashint4(id);
CREATE INDEX ON in_order USING hashemb (p maxsim_ops) WITH (dims = 32);
CREATE INDEX ON mixed USING hashemb (p maxsim_ops) WITH (dims = 32);
ANALYZE in_order, mixed;
-- of the ten nearest rows of some documents, how many are found?
CREATE FUNCTION pg_temp.hits(tab text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	q real[];
	query text;
	found int[];
	nearest int[];
	hits int := 0;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true);
	FOR i IN 1..40 LOOP
		query := format('SELECT array_agg(id) FROM (SELECT id FROM %I ORDER BY p @# %L LIMIT 10) s', tab, pg_temp.list(1600 + 150 * i, 3, 300, 3.2));
		PERFORM set_config('hashemb.recall', '0.95', true);
		EXECUTE query INTO found;
		PERFORM set_config('hashemb.recall', '1', true);
		EXECUTE query INTO nearest;
		hits := hits + (SELECT count(*) FROM unnest(found) f WHERE f = ANY (nearest));
	END LOOP;
	RETURN hits;
END $$;
SELECT pg_temp.hits('in_order') > 0.85 * pg_temp.hits('mixed') AS good;
DROP TABLE in_order, mixed;
