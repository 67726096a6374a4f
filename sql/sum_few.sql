-- Sums of distances where fewer rows pass than are wanted, or hardly more, and rows
-- may be missed: as many come as there are, in order, none twice
SET jit = off; -- functions of many rows would be compiled for each
SET enable_seqscan = off;
SET enable_sort = off;
SET enable_bitmapscan = off;
SELECT setseed(0.25);
CREATE TABLE sum_few (id int, a int, code bincode(64), v real[], words svec(500));
INSERT INTO sum_few SELECT i, i % 500, binarize(v)::bincode(64), v,
	(SELECT svec(array_agg(d), array_agg(w), 500) FROM (SELECT 1 + (500 * random() * random())::int % 500 AS d, max(random()::real + 0.1::real) AS w
		FROM generate_series(1, 12) WHERE i > 0 GROUP BY 1) t)
	FROM (SELECT i, ARRAY(SELECT (random() - 0.5)::real FROM generate_series(1, 64) WHERE i > 0) AS v FROM generate_series(1, 6000) i) s;
CREATE INDEX ON sum_few USING hashemb (code, a);
CREATE INDEX ON sum_few USING hashemb (v real_cosine_ops, a) WITH (dims = 64);
CREATE INDEX ON sum_few USING hashemb (words, a);
ANALYZE sum_few;

-- Rows short of what passes, out of order, and twice
CREATE FUNCTION sum_few_check(recall float8, sum text, condition text, k int, OUT plan bool, OUT short int, OUT disorder int, OUT twice int) LANGUAGE plpgsql AS $$
DECLARE
	one record;
	sums float8[];
	ids int[];
	passing int;
	line text;
BEGIN
	PERFORM set_config('hashemb.recall', recall::text, false);
	plan := false;
	short := 0;
	disorder := 0;
	twice := 0;
	EXECUTE format('SELECT count(*) FROM sum_few WHERE %s', condition) INTO passing;
	FOR one IN SELECT * FROM sum_few WHERE id % 500 = 3 LOOP
		EXECUTE format('SELECT array_agg(d), array_agg(id) FROM (SELECT id, %s AS d FROM sum_few WHERE %s ORDER BY d LIMIT %s) s', sum, condition, k)
			INTO sums, ids USING one.code, one.v, one.words;
		short := short + least(k, passing) - coalesce(cardinality(ids), 0);
		disorder := disorder + (sums <> ARRAY(SELECT d FROM unnest(sums) d ORDER BY d))::int;
		twice := twice + (cardinality(ids) <> (SELECT count(DISTINCT i) FROM unnest(ids) i))::int;
	END LOOP;
	FOR line IN EXECUTE format('EXPLAIN SELECT id FROM sum_few WHERE %s ORDER BY %s LIMIT %s', condition, sum, k) USING one.code, one.v, one.words LOOP
		plan := plan OR line LIKE '%hashemb sum%';
	END LOOP;
END $$;
CREATE TABLE sum_few_seen AS SELECT recall, sum, condition, k, c.* FROM unnest('{0.5,0.9,0.95}'::float8[]) recall,
	unnest(ARRAY['(code <~> $1) / 64 + 0.1 * (words <#> $3)', '(v <=> $2) + 0.1 * (words <#> $3)', '(v <=> $2) + (code <~> $1) / 64']) sum,
	unnest('{a < 1,a < 3,a BETWEEN 10 AND 30,a <> 7,a < 0}'::text[]) condition, unnest('{1,9,13,40,130,300}'::int[]) k,
	LATERAL sum_few_check(recall, sum, condition, k) c;
SELECT count(*), count(*) FILTER (WHERE plan) > 150 AS "by the node for sums", sum(short) AS short, sum(disorder) AS disorder, sum(twice) AS twice FROM sum_few_seen;
SELECT * FROM sum_few_seen WHERE short > 0 OR disorder > 0 OR twice > 0 ORDER BY 1, 2, 3, 4;
RESET hashemb.recall;
DROP TABLE sum_few, sum_few_seen;
DROP FUNCTION sum_few_check;
