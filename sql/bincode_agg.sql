-- bit_majority: against counts per dimension; alone, grouped, in parallel
SELECT bit_majority(c) FROM (VALUES ('0110'::bincode), ('0011'), ('0101')) AS v(c);
SELECT bit_majority(c) AS tie FROM (VALUES ('01'::bincode), ('10')) AS v(c);
SELECT bit_majority(c) AS one, bit_majority(NULL::bincode) AS none,
	bit_majority(c) FILTER (WHERE false) AS no_rows
FROM (VALUES ('01'::bincode)) AS v(c);
SELECT bit_majority(c) AS nulls_skipped
FROM (VALUES (NULL), ('01'::bincode), (NULL), (NULL)) AS v(c);
SELECT bit_majority(c) AS empty FROM (VALUES (''::bincode), ('')) AS v(c);
SELECT bit_majority(c, w) AS weighted, bit_majority(c, 0) AS zero_weight,
	bit_majority(c, NULL) AS no_weight
FROM (VALUES ('01'::bincode, 1.5), ('10', 1), (NULL, 100), ('10', NULL), ('11', 0)) AS v(c, w);
SELECT bit_majority(c, w) AS ints FROM (VALUES ('01'::bincode, 1), ('10', 2)) AS v(c, w);
-- what is refused
SELECT bit_majority(c) FROM (VALUES ('01'::bincode), ('011')) AS v(c);
SELECT bit_majority(c) FROM (VALUES ('01/2'::bincode)) AS v(c);
SELECT bit_majority('01', -1);
SELECT bit_majority('01', 'NaN');
SELECT bit_majority('01', 'Infinity');
SELECT bit_majority('01', 1e308) FROM generate_series(1, 2);
-- its state cannot be made in SQL; servers say so in different words
DO $$
DECLARE
	call text;
BEGIN
	FOREACH call IN ARRAY ARRAY['bit_majority_final(NULL)', 'bit_majority_add(NULL, ''01'')'] LOOP
		BEGIN
			EXECUTE 'SELECT ' || call;
			RAISE NOTICE '%: taken', call;
		EXCEPTION WHEN undefined_function OR feature_not_supported THEN
			RAISE NOTICE '%: refused', call;
		END;
	END LOOP;
END $$;

\set seed 0.875
\echo seed :seed
SELECT setseed(:seed);
CREATE TABLE codes AS
SELECT i AS id, i % 7 AS g, floor(random() * 5)::int AS w,
	CASE WHEN i % 11 <> 0 THEN ((random() * 2000000000)::int::bit(32) ||
		(random() * 2000000000)::int::bit(5))::bincode(37) END AS c
FROM generate_series(1, 20000) AS i;
ALTER TABLE codes SET (parallel_workers = 2);
ANALYZE codes;
CREATE TABLE bits AS
SELECT g, string_agg(CASE WHEN ones * 2 > n THEN '1' ELSE '0' END, '' ORDER BY p) AS plain,
	string_agg(CASE WHEN weight * 2 > total THEN '1' ELSE '0' END, '' ORDER BY p) AS weighted
FROM (SELECT g, p, count(*) AS n, sum(w) AS total,
		count(*) FILTER (WHERE substr(c::text, p, 1) = '1') AS ones,
		coalesce(sum(w) FILTER (WHERE substr(c::text, p, 1) = '1'), 0) AS weight
	FROM codes, generate_series(1, 37) AS p
	WHERE c IS NOT NULL
	GROUP BY g, p) AS t
GROUP BY g;
SELECT count(*) AS groups, count(*) FILTER (WHERE m::text <> plain OR w::text <> weighted) AS wrong
FROM (SELECT g, bit_majority(c) AS m, bit_majority(c, w) AS w FROM codes GROUP BY g) AS t
	JOIN bits USING (g);
SELECT bit_majority(c) AS alone, bit_majority(c, w) AS alone_weighted, min(c) AS least, max(c) AS greatest FROM codes \gset
SELECT :'least' = (SELECT c::text FROM codes ORDER BY c LIMIT 1) AS least,
	:'greatest' = (SELECT c::text FROM codes WHERE c IS NOT NULL ORDER BY c DESC LIMIT 1) AS greatest;
SET max_parallel_workers_per_gather = 2;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
EXPLAIN (COSTS off) SELECT bit_majority(c), bit_majority(c, w) FROM codes;
SELECT bit_majority(c) = :'alone' AS plain, bit_majority(c, w) = :'alone_weighted' AS weighted
FROM codes;
SELECT count(*) AS groups, count(*) FILTER (WHERE m::text <> plain OR w::text <> weighted) AS wrong
FROM (SELECT g, bit_majority(c) AS m, bit_majority(c, w) AS w FROM codes GROUP BY g) AS t
	JOIN bits USING (g);
EXPLAIN (COSTS off) SELECT min(c), max(c) FROM codes;
SELECT min(c) = :'least' AS least, max(c) = :'greatest' AS greatest FROM codes;
-- lengths that differ between workers are refused too
ALTER TABLE codes ALTER c TYPE bincode;
UPDATE codes SET c = '01' WHERE id > 10000;
\set VERBOSITY sqlstate
SELECT bit_majority(c) IS NULL FROM codes;
\set VERBOSITY default
RESET ALL;

-- over a window
SELECT id, c, bit_majority(c) OVER (ORDER BY id ROWS 2 PRECEDING) AS majority
FROM (VALUES (1, '001'::bincode), (2, '011'), (3, '010'), (4, '100'), (5, '110')) AS v(id, c);

DROP TABLE codes, bits;
