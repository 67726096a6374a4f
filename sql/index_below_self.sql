-- Rows within a distance so small that hardly any are expected there: of queries that are
-- rows themselves, or have copies, as many are found as hashemb.recall promises
SET jit = off;
SELECT setseed(0.1);
CREATE TABLE bs (id int, v real[]);
INSERT INTO bs SELECT i, ARRAY(SELECT (sin(i % 50 * d) + random() / 4)::real FROM generate_series(1, 32) d WHERE i > 0) FROM generate_series(1, 10000) i;
INSERT INTO bs SELECT id + 10000, v FROM bs WHERE id % 100 = 7;
CREATE INDEX ON bs USING hashemb (v real_l2_ops) WITH (dims = 32);
CREATE INDEX ON bs USING hashemb (v real_cosine_ops) WITH (dims = 32);
ANALYZE bs;
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION bs_found(operator text, near text, k int, copies bool, condition text DEFAULT 'true') RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	q real[];
	n int;
	found int := 0;
	queries int := 0;
BEGIN
	FOR q IN SELECT v FROM bs WHERE id <= 10000 AND id % 100 = CASE WHEN copies THEN 7 ELSE 9 END LOOP
		EXECUTE format('SELECT count(*) FROM (SELECT id FROM bs WHERE v %1$s $1 <= %2$s AND %3$s ORDER BY v %1$s $1 LIMIT %4$s) s', operator, near, condition, k) INTO n USING q;
		found := found + n;
		queries := queries + 1;
	END LOOP;
	RETURN found / queries::float8;
END $$;
SELECT operator, near, bs_found(operator, near, 1, false) >= 0.9 AS itself, bs_found(operator, near, 10, false) >= 0.9 AS no_more,
	bs_found(operator, near, 10, true) >= 1.8 AS copies, bs_found(operator, near, 10, true, 'id % 10 >= 5') >= 1.8 AS heap
FROM (VALUES ('<->', '0'), ('<->', '0.01'), ('<=>', '1e-6'), ('<=>', '0.001')) o (operator, near);
DROP FUNCTION bs_found;
DROP TABLE bs;
