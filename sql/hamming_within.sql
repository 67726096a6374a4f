-- hamming_ball and hamming_within: text form, membership, planning
\set ECHO none
\i sql/include/code.sql
\i sql/include/plan.sql
\set ECHO all
SELECT '(0101,3)'::hamming_ball, '(,0)'::hamming_ball, '(1,-5)'::hamming_ball,
	'(01/1,2)'::hamming_ball, hamming_ball('0101', 3), '(1,2147483647)'::hamming_ball,
	hamming_ball('0', -2147483648), hamming_ball(NULL, 1), hamming_ball('0', NULL);
SELECT input, pg_temp.complaint(format('SELECT %L::hamming_ball', input))
FROM unnest(ARRAY['', '(', ')', '()', '(,)', '01,3', '(01,3', '01,3)', '(01)',
	'(01,)', '(01,x)', '(01,3.5)', '(01,3 )', '(01,1e3)', '(01,2147483648)',
	'(01,-2147483649)', '(01,99999999999999999999999)', '(01,3,4)', '(02,3)',
	'(01/2,3)', '(01/9,3)', '(01,3) ', ' (01,3)', '((01,3))', '(é,1)',
	'(01,é)', repeat('é', 40)]) AS input;
SELECT pg_temp.complaint('SELECT hamming_ball(''01/2'', 1)');
SELECT pg_temp.complaint('SELECT hamming_within(''01/2'', ''01/2'', 1)');
SELECT pg_temp.complaint('SELECT hamming_within(''01'', ''010'', 1)');
SELECT pg_temp.complaint('SELECT hamming_within(''01'', ''010'', -1)');
SELECT pg_temp.complaint('SELECT ''01''::bincode <@ ''(010,1)''');
SELECT pg_temp.complaint('SELECT ''(010,1)'' @> ''01''::bincode');
SELECT pg_temp.complaint('SELECT hamming_ball(repeat(''0'', 70000)::bit varying::bincode, 1)');

-- membership is the distance's
SELECT r, '0101'::bincode <@ hamming_ball('0110', r) AS within,
	hamming_ball('0110', r) @> '0101' AS contains, hamming_within('0101', '0110', r)
FROM generate_series(-1, 3) AS r;
SELECT '01'::bincode <@ '(01,2147483647)' AS all_of_them, ''::bincode <@ '(,0)' AS empty,
	'01'::bincode <@ NULL::hamming_ball AS "null", hamming_within('01', '01', NULL);
\set seed 0.625
\echo seed :seed
SELECT setseed(:seed);
CREATE TABLE codes AS
SELECT i AS id, (floor(random() * 4096)::int::bit(12) || floor(random() * 4096)::int::bit(12)
	|| floor(random() * 256)::int::bit(8))::bincode(32) AS c
FROM generate_series(1, 4000) AS i;
ANALYZE codes;
SELECT count(*) AS pairs, count(*) FILTER (WHERE
	hamming_within(a.c, b.c, r) <> (a.c <~> b.c <= r) OR
	a.c <@ hamming_ball(b.c, r) <> (a.c <~> b.c <= r) OR
	hamming_ball(b.c, r) @> a.c <> (a.c <~> b.c <= r)) AS wrong
FROM codes AS a, codes AS b, generate_series(-1, 32, 3) AS r
WHERE a.id <= 60 AND b.id > 3940;

-- estimates come from the column's statistics: within a factor of 3 where the
-- sample sees the ball, never more than 1 % of the rows where it sees none
CREATE FUNCTION estimate(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
	RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::float8;
END $$;
CREATE FUNCTION fits(query text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	found bigint;
	expected float8 := estimate(query);
	rows float8 := (SELECT count(*) FROM codes);
BEGIN
	EXECUTE 'SELECT count(*) FROM (' || query || ') AS q' INTO found;
	IF found > rows / 20 THEN
		RETURN expected BETWEEN found / 3.0 AND found * 3.0;
	END IF;
	RETURN expected <= greatest(found * 3, rows / 100);
END $$;
SELECT r, fits(format($$SELECT FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, %s)$$, r)) AS within,
	fits(format($$SELECT FROM codes WHERE hamming_within(repeat('01', 16)::bincode, c, %s)$$, r)) AS swapped,
	fits(format($$SELECT FROM codes WHERE c <@ hamming_ball(repeat('01', 16)::bincode, %s)$$, r)) AS contained,
	fits(format($$SELECT FROM codes WHERE hamming_ball(repeat('01', 16)::bincode, %s) @> c$$, r)) AS contains,
	estimate(format($$SELECT FROM codes WHERE c <@ hamming_ball(repeat('01', 16)::bincode, %s)$$, r)) =
	estimate(format($$SELECT FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, %s)$$, r)) AS same
FROM unnest(ARRAY[-1, 0, 3, 8, 12, 14, 16, 20, 32]) AS r;
-- no statistics, NULLs, another length, a column of bit
SELECT estimate($$SELECT FROM codes WHERE c <@ '(0101,2)'$$) <= 40 AS other_length,
	estimate($$SELECT FROM codes WHERE c <@ NULL::hamming_ball$$) <= 40 AS null_ball,
	estimate($$SELECT FROM codes WHERE hamming_within(c, c, 1)$$) <= 4000 AS itself;
CREATE TABLE sparse AS SELECT CASE WHEN id % 2 = 0 THEN c END AS c, c::bit(32) AS f FROM codes;
SELECT estimate($$SELECT FROM sparse WHERE hamming_within(c, repeat('01', 16)::bincode, 3)$$) <= 400 AS no_statistics;
ANALYZE sparse;
SELECT estimate($$SELECT FROM sparse WHERE hamming_within(c, repeat('01', 16)::bincode, 32)$$)
	BETWEEN 1500 AND 2500 AS half_null,
	estimate($$SELECT FROM sparse WHERE hamming_within(f::bincode(32), repeat('01', 16)::bincode, 32)$$) > 3000 AS bits;
-- joins: of 16 million pairs about 1,000 are within 5 bits by chance
SELECT estimate($$SELECT FROM codes AS a, codes AS b WHERE hamming_within(a.c, b.c, 5)$$) BETWEEN 1000 AND 100000 AS within,
	estimate($$SELECT FROM codes AS a, codes AS b WHERE a.c <@ hamming_ball(b.c, 5)$$) BETWEEN 1000 AND 100000 AS contained,
	estimate($$SELECT FROM codes AS a, codes AS b WHERE hamming_ball(b.c, 5) @> a.c$$) BETWEEN 1000 AND 100000 AS contains,
	estimate($$SELECT FROM codes AS a, codes AS b WHERE hamming_within(a.c, b.c, 16)$$) BETWEEN 5e6 AND 13e6 AS half;
SELECT estimate($$SELECT FROM codes AS a WHERE EXISTS (SELECT FROM codes AS b WHERE hamming_within(a.c, b.c, 20))$$) > 3000 AS semi;
-- whose rows a policy chooses learns nothing from statistics over all rows
SELECT estimate($$SELECT FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, 32)$$) > 3000 AS within,
	estimate($$SELECT FROM codes WHERE c <@ hamming_ball(repeat('01', 16)::bincode, 32)$$) > 3000 AS contained;
CREATE ROLE regress_hashemb_reader;
GRANT SELECT ON codes TO regress_hashemb_reader;
ALTER TABLE codes ENABLE ROW LEVEL SECURITY;
CREATE POLICY some_rows ON codes USING (id > 0);
SET ROLE regress_hashemb_reader;
SELECT estimate($$SELECT FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, 32)$$) < 400 AS within,
	estimate($$SELECT FROM codes WHERE c <@ hamming_ball(repeat('01', 16)::bincode, 32)$$) < 400 AS contained;
RESET ROLE;
ALTER TABLE codes DISABLE ROW LEVEL SECURITY;
DROP POLICY some_rows ON codes;
REVOKE SELECT ON codes FROM regress_hashemb_reader;
DROP ROLE regress_hashemb_reader;

-- the call becomes a condition of an index that has the operator at strategy
-- 12; minmax cannot search it, so plans are looked at and not run
CREATE OPERATOR FAMILY within_ops USING brin;
CREATE OPERATOR CLASS within_ops FOR TYPE bincode USING brin FAMILY within_ops AS
	OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >,
	OPERATOR 12 <@ (bincode, hamming_ball),
	FUNCTION 1 brin_minmax_opcinfo(internal),
	FUNCTION 2 brin_minmax_add_value(internal, internal, internal, internal),
	FUNCTION 3 brin_minmax_consistent(internal, internal, internal),
	FUNCTION 4 brin_minmax_union(internal, internal, internal);
CREATE INDEX codes_within ON codes USING brin (c within_ops);
SET enable_seqscan = off;
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, 3)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_within(repeat('01', 16)::bincode, c, 3)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_ball(repeat('01', 16)::bincode, 3) @> c$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_within(c, c, 3)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, id)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM codes WHERE hamming_within(c, repeat('01', 16)::bincode, floor(random())::int)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM sparse AS s, codes WHERE hamming_within(codes.c, s.c, 3)$$);
SELECT * FROM pg_temp.plan($$SELECT * FROM sparse AS s, codes WHERE hamming_within(s.c, codes.c, 3)$$);
RESET enable_seqscan;
DROP INDEX codes_within;
DROP OPERATOR FAMILY within_ops USING brin;

DROP TABLE codes, sparse;
DROP FUNCTION fits, estimate;
