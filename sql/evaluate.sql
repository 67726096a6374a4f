-- evaluation: against brute force over all orders, and formulas over the bits

-- average precision without ties is the mean of precisions at relevant rows
SELECT average_precision(r, d) AS plain, (1.0 + 2.0 / 3 + 3.0 / 5) / 3 AS formula
FROM (VALUES (true, 1), (false, 2), (true, 3), (false, 4), (true, 5)) AS v(r, d);
-- two rows at one distance: half of the orders each
SELECT average_precision(r, d), (1.0 + 0.5) / 2 AS formula FROM (VALUES (true, 1), (false, 1)) AS v(r, d);
SELECT average_precision(true, 1) AS alone, average_precision(false, 1) AS none_relevant, average_precision(NULL, 1) AS unknown,
	average_precision(true, NULL) AS not_found, average_precision(true, 1) FILTER (WHERE false) AS no_rows;
SELECT average_precision(r, d) AS half_found FROM (VALUES (true, 1.0), (true, NULL), (false, NULL), (NULL, 0.5)) AS v(r, d);
SELECT average_precision(r, d) AS nan_is_last, 1.0 / 3 AS formula
FROM (VALUES (true, 'NaN'::float8), (false, 'Infinity'), (false, '-Infinity')) AS v(r, d);

-- ties: the mean over all orders of seven rows within their distances
WITH RECURSIVE list(i, r, d) AS (
	VALUES (1, true, 1), (2, false, 1), (3, true, 2), (4, true, 2), (5, false, 2), (6, true, 3), (7, false, 3)
), orders(path) AS (
	SELECT ARRAY[]::int[]
	UNION ALL
	SELECT path || i FROM orders, list
	WHERE i <> ALL (path) AND d = (SELECT min(d) FROM list WHERE i <> ALL (path))
), precisions AS (
	SELECT path, (SELECT avg(p) FROM (
		SELECT r, count(*) FILTER (WHERE r) OVER (ORDER BY place) / place::float8 AS p
		FROM unnest(path) WITH ORDINALITY AS u(i, place) JOIN list USING (i)) AS s WHERE r) AS ap
	FROM orders WHERE cardinality(path) = 7
)
SELECT count(*) AS orders, abs(avg(ap) - (SELECT average_precision(r, d) FROM list)) < 1e-12 AS same FROM precisions;

-- recall
SELECT recall_at(got, truth) FROM (VALUES ('{1,2,3}'::int[], '{3,4}'::int[]), ('{5,5,6}', '{5,5}'), ('{}', '{1}'), (NULL, '{1}')) AS v(got, truth);
SELECT recall_at(got, truth, 2) AS first_two FROM (VALUES ('{1,2,3}'::int[], '{3,4}'::int[]), ('{5,5,6}', '{5,5}')) AS v(got, truth);
SELECT recall_at(got, truth) AS no_truth FROM (VALUES ('{1}'::int[], '{}'::int[]), ('{1}', NULL), (NULL, '{}'), (NULL, NULL), ('{1}', '{NULL}')) AS v(got, truth);
SELECT recall_at(ARRAY['a', 'B'], ARRAY['b', 'a']) AS texts, recall_at('{1.0,2}'::numeric[], '{1,2.00}') AS numerics;
SELECT recall_at('{1}'::int[], '{1}', 0);
SELECT recall_at('{1}'::int[], '{1}', NULL);
SELECT recall_at(ARRAY['(1,2)'::point], ARRAY['(1,2)'::point]);
SELECT recall_at_add('{0,0,0}', '{1}'::int[], '{1}');

-- votes: as the aggregate counts
SELECT bit_vote('{0110,0011,0101}') AS plain, bit_vote('{01,10}') AS tie, bit_vote('{01,NULL}') AS one, bit_vote('{}') AS none,
	bit_vote('{NULL}') AS nulls;
SELECT bit_vote('{0110,0011}', '{1,2}') AS weighted, bit_vote('{01,10}', '{1,NULL}') AS no_weight, bit_vote('{01,10}', '{0,0}') AS zero;
SELECT bit_vote('{01,011}');
SELECT bit_vote('{01/2}');
SELECT bit_vote('{01,10}', '{1}');
SELECT bit_vote('{01}', '{-1}');
SELECT bit_vote('{01}', '{NaN}');
SELECT bit_vote('{01,01}', '{1e308,1e308}');
SELECT bit_vote('{{01},{10}}');
-- many long codes can be cancelled before the last, which is refused
SET statement_timeout = '20ms';
SELECT bit_vote(array_fill(repeat('1', 65535)::bincode, ARRAY[6000]) || '1'::bincode) IS NULL;
RESET statement_timeout;

-- statistics of codes: against the bits, in parallel too
\set seed 0.625
\echo seed :seed
SELECT setseed(:seed);
CREATE TABLE evaluate_codes AS
SELECT i AS id, CASE WHEN i % 10 <> 0 THEN (substr(((random() ^ 2 * 2000000000)::int::bit(32))::text, 3, 13) || '1')::bincode END AS c
FROM generate_series(1, 5000) AS i;
ALTER TABLE evaluate_codes SET (parallel_workers = 2);
ANALYZE evaluate_codes;
CREATE VIEW evaluate_formula AS
WITH bits AS (
	SELECT id, p, substr(c::text, p, 1)::int AS bit FROM evaluate_codes, generate_series(1, 14) AS p WHERE c IS NOT NULL
), shares AS (
	SELECT p, avg(bit)::float8 AS share FROM bits GROUP BY p
), pairs AS (
	SELECT abs(corr(a.bit, b.bit)) AS r FROM bits a JOIN bits b ON a.id = b.id AND a.p < b.p GROUP BY a.p, b.p
)
SELECT (SELECT count(c) FROM evaluate_codes) AS codes, 14 AS bits, (SELECT count(DISTINCT c) FROM evaluate_codes) AS distinct_codes,
	1 - (SELECT count(DISTINCT c) / count(c)::float8 FROM evaluate_codes) AS collisions, avg(abs(share - 0.5)) AS mean_bias,
	max(abs(share - 0.5)) AS max_bias, (SELECT avg(r) FROM pairs) AS mean_correlation,
	avg(CASE WHEN share IN (0, 1) THEN 0 ELSE -(share * ln(share) + (1 - share) * ln(1 - share)) / ln(2::float8) END) AS entropy
FROM shares;
CREATE FUNCTION evaluate_same(a code_statistics, b evaluate_formula) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN (a.codes, a.bits, a.distinct_codes) = (b.codes, b.bits, b.distinct_codes) AND abs(a.collisions - b.collisions) < 1e-12
		AND abs(a.mean_bias - b.mean_bias) < 1e-12 AND abs(a.max_bias - b.max_bias) < 1e-12
		AND abs(a.mean_correlation - b.mean_correlation) < 1e-9 AND abs(a.entropy - b.entropy) < 1e-12 THEN 'same' ELSE a::text || b::text END $$;
SET max_parallel_workers_per_gather = 0;
SELECT evaluate_same(code_stats(c), (SELECT f FROM evaluate_formula f)) FROM evaluate_codes;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS OFF) SELECT code_stats(c) FROM evaluate_codes;
SELECT evaluate_same(code_stats(c), (SELECT f FROM evaluate_formula f)) FROM evaluate_codes;
SELECT abs(average_precision(id % 3 = 0, id % 50) - (SELECT average_precision(id % 3 = 0, id % 50) FROM (TABLE evaluate_codes OFFSET 0) AS s)) < 1e-12 AS same
FROM evaluate_codes;
SELECT abs(recall_at(ARRAY[id % 5, 7], ARRAY[id % 7, 7]) - (SELECT recall_at(ARRAY[id % 5, 7], ARRAY[id % 7, 7]) FROM (TABLE evaluate_codes OFFSET 0) AS s)) < 1e-12 AS same
FROM evaluate_codes;
RESET max_parallel_workers_per_gather;
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
-- several bits a dimension, one code, no bit that changes, none at all
SELECT (code_stats(c)).* FROM (VALUES ('01/2'::bincode), ('23/2')) AS v(c);
SELECT (code_stats(c)).* FROM (VALUES ('1'::bincode)) AS v(c);
SELECT code_stats(c) AS nothing, code_stats(c) FILTER (WHERE false) AS no_rows FROM (VALUES (NULL::bincode)) AS v(c);
SELECT (code_stats(''::bincode)).codes;
SELECT code_stats(c) FROM (VALUES ('01'::bincode), ('011')) AS v(c);
SELECT code_stats(c) FROM (VALUES ('01'::bincode), ('01/2')) AS v(c);
-- more codes than fit: an estimate
SET work_mem = '64kB';
SELECT abs((code_stats(i::bit(32)::bincode)).distinct_codes / 60000.0 - 1) < 0.1 AS about FROM generate_series(1, 60000) AS i;
RESET work_mem;
-- wide codes: pairs of some bits only
SELECT (code_stats(repeat(CASE WHEN i % 2 = 0 THEN '01' ELSE '10' END, 2000)::bincode)).mean_correlation FROM generate_series(1, 100) AS i;
DROP FUNCTION evaluate_same;
DROP VIEW evaluate_formula;
DROP TABLE evaluate_codes;
