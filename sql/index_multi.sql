-- Index of lists of tokens: at recall 1 the rows of a sequential scan, whatever the
-- index has learnt; below, as many rows as asked for, by exact distances.
\set VERBOSITY terse
\echo seed m1
SET max_parallel_workers_per_gather = 0;
-- a token near one of 40 points, a list of 1 to 9 of them
CREATE FUNCTION pg_temp.token(i int, dims int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(((hashint8(i % 40 * 1000 + c) % 1000) / 1000.0 + (hashint8(i * 7919::bigint + c) % 1000) / 4000.0)::real ORDER BY c)
	FROM generate_series(1, dims) AS c $$;
CREATE FUNCTION pg_temp.list(i int, dims int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT l2_normalize(array_agg(pg_temp.token(i * 31 + t * 17, dims) ORDER BY t)) FROM generate_series(1, 1 + abs(hashint4(i)) % 9) AS t $$;
CREATE FUNCTION pg_temp.lists(first int, last int) RETURNS TABLE (id int, tokens real[], a int, tags int[]) LANGUAGE sql AS $$
	SELECT i, CASE WHEN i % 50 = 7 THEN NULL WHEN i % 40 = 3 THEN '{}' WHEN i % 13 = 5 THEN pg_temp.list(i % 23, 20)
		ELSE pg_temp.list(i, 20) END, CASE WHEN i % 9 > 0 THEN i % 7 END, ARRAY[i % 3, 10 + i % 4] FROM generate_series(first, last) AS i $$;

-- rows by the index and by a sequential scan; which rows are tied does not matter
CREATE FUNCTION pg_temp.differences(tab text) RETURNS TABLE (searches int, matches bigint, different int, example text) LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	k int;
	query text;
	order_by text;
	found text;
	expected text;
	count int;
BEGIN
	searches := 0;
	different := 0;
	matches := 0;
	FOREACH condition IN ARRAY '{true,a = 3,a IS NULL,a < 4,"tags && ''{2,11}''",id % 11 = 5,tokens IS NULL,tokens IS NOT NULL AND a > 1,a = 99}'::text[] LOOP
		FOREACH k IN ARRAY '{1,10,100000}'::int[] LOOP
			FOR q IN 1..4 LOOP
				order_by := CASE q WHEN 3 THEN format('tokens @# %L::real[]', pg_temp.list(5, 20)) WHEN 4 THEN 'tokens @# ''{}'''
					ELSE format('tokens @# %L::float8[]', pg_temp.list(100000 + q, 20)) END;
				query := format('SELECT md5(string_agg(d::text, '' '' ORDER BY n)), count(*) FROM (SELECT row_number() OVER () AS n, d FROM (SELECT %1$s AS d FROM %2$I WHERE %3$s ORDER BY %1$s LIMIT %4$s) s) s',
					order_by, tab, condition, k);
				PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_indexscan', 'on', true);
				EXECUTE query INTO found, count;
				PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('hashemb.enable_scan', 'off', true);
				EXECUTE query INTO expected;
				PERFORM set_config('enable_bitmapscan', 'on', true), set_config('hashemb.enable_scan', 'on', true);
				searches := searches + 1;
				matches := matches + count;
				IF found IS DISTINCT FROM expected THEN
					different := different + 1;
					example := left(query, 300);
				END IF;
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;
-- below recall 1: rows by exact distances in order, as many as there are, and few missed
CREATE FUNCTION pg_temp.quality(tab text, k int) RETURNS TABLE (condition text, short int, disordered int, good bool) LANGUAGE plpgsql AS $$
DECLARE
	w text;
	found float8[];
	expected float8[];
	hits int;
	wanted int;
BEGIN
	FOREACH condition IN ARRAY '{true,a = 3,"tags && ''{2,11}''",id % 11 = 5}'::text[] LOOP
		short := 0;
		disordered := 0;
		hits := 0;
		wanted := 0;
		FOR q IN 1..25 LOOP
			w := pg_temp.list(200000 + q, 20)::text;
			PERFORM set_config('hashemb.recall', '0.95', true), set_config('enable_seqscan', 'off', true);
			EXECUTE format('SELECT array(SELECT tokens @# %1$L FROM %2$I WHERE %3$s ORDER BY tokens @# %1$L LIMIT %4$s)', w, tab, condition, k) INTO found;
			PERFORM set_config('hashemb.recall', '1', true), set_config('enable_seqscan', 'on', true);
			EXECUTE format('SELECT array(SELECT tokens @# %L FROM %I WHERE %s ORDER BY 1 LIMIT %s)', w, tab, condition, k) INTO expected;
			short := short + (cardinality(found) < cardinality(expected))::int;
			disordered := disordered + (found <> (SELECT array_agg(f ORDER BY f) FROM unnest(found) AS f))::int;
			hits := hits + (SELECT count(*) FROM unnest(found) AS f WHERE f <= expected[cardinality(expected)]);
			wanted := wanted + cardinality(expected);
		END LOOP;
		good := hits >= 0.93 * wanted;
		RETURN NEXT;
	END LOOP;
END $$;

SET hashemb.recall = 1;
CREATE TABLE index_multi (id int, tokens real[], a int, tags int[]);
INSERT INTO index_multi SELECT * FROM pg_temp.lists(1, 2500);
CREATE INDEX index_multi_idx ON index_multi USING hashemb (a, tokens maxsim_ops, tags) WITH (dims = 20);
ANALYZE index_multi;
SELECT rows, null_rows, pending FROM hashemb_index_info('index_multi_idx');
SELECT * FROM pg_temp.differences('index_multi');
SELECT * FROM pg_temp.quality('index_multi', 10);
-- what changes is found
INSERT INTO index_multi SELECT * FROM pg_temp.lists(2501, 3200);
DELETE FROM index_multi WHERE id % 6 = 1;
UPDATE index_multi SET a = nullif(a + 1, 4), tokens = pg_temp.list(id + 7, 20) WHERE id % 9 = 2;
SELECT * FROM pg_temp.differences('index_multi');
VACUUM index_multi;
SELECT * FROM pg_temp.differences('index_multi');
SELECT rows, null_rows, free_pages, orphan_pages, heap_rows FROM hashemb_check('index_multi_idx', true);
-- rows that are deleted leave room for others
SELECT pg_relation_size('index_multi_idx') AS size \gset
DELETE FROM index_multi WHERE id <= 2000;
VACUUM index_multi;
INSERT INTO index_multi SELECT * FROM pg_temp.lists(1, 1500);
SELECT pg_relation_size('index_multi_idx') <= :size + 8192 AS reused;
SELECT * FROM pg_temp.differences('index_multi');
SELECT rows > 0 AS rows, orphan_pages FROM hashemb_check('index_multi_idx', true);

-- an index that was there before its rows learns when there are a thousand
CREATE TABLE index_multi_late (LIKE index_multi);
CREATE INDEX index_multi_late_idx ON index_multi_late USING hashemb (tokens maxsim_ops, a, tags) WITH (dims = 20);
INSERT INTO index_multi_late SELECT * FROM pg_temp.lists(1, 900);
SELECT pending > 800 AS bare FROM hashemb_index_info('index_multi_late_idx');
SELECT * FROM pg_temp.differences('index_multi_late');
INSERT INTO index_multi_late SELECT * FROM pg_temp.lists(901, 2600);
VACUUM index_multi_late;
SELECT rows, null_rows, pending FROM hashemb_index_info('index_multi_late_idx');
SELECT * FROM pg_temp.differences('index_multi_late');
SELECT * FROM pg_temp.quality('index_multi_late', 10);
SELECT rows, null_rows, orphan_pages, heap_rows FROM hashemb_check('index_multi_late_idx', true);
SELECT recall >= 0.9 AS recall FROM hashemb_measure_recall('index_multi_late_idx', 10, 20);

-- the plan, ties, an order without LIMIT, a cursor
SELECT pg_temp.list(5, 20) AS w \gset
SET hashemb.recall = 0.95;
EXPLAIN (COSTS OFF) SELECT id FROM index_multi WHERE a = 3 AND id > 0 ORDER BY tokens @# '{{1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20}}' LIMIT 5;
SELECT count(*) FROM (SELECT id FROM index_multi ORDER BY tokens @# :'w' FETCH FIRST 3 ROWS WITH TIES) AS s;
SET enable_seqscan = off;
SELECT count(*), count(*) = (SELECT count(*) FROM index_multi) AS all FROM (SELECT id FROM index_multi ORDER BY tokens @# :'w') AS s;
RESET enable_seqscan;
-- codes as tokens, queries of codes and of floats
CREATE TABLE index_multi_codes AS SELECT id, CASE WHEN tokens <> '{}' THEN (SELECT array_agg(binarize((SELECT array_agg(x) FROM unnest(tokens[t:t]) AS x))
	ORDER BY t) FROM generate_subscripts(tokens, 1) AS t) END AS tokens, a, tags FROM index_multi;
CREATE INDEX index_multi_codes_idx ON index_multi_codes USING hashemb (tokens bincode_maxsim_ops, a) WITH (dims = 20);
SET hashemb.recall = 1;
SELECT count(*) AS queries, count(*) FILTER (WHERE found IS DISTINCT FROM expected) AS different
FROM (SELECT q, array(SELECT (tokens @# w)::text FROM index_multi_codes ORDER BY tokens @# w LIMIT 5) AS found,
	array(SELECT (tokens @# w)::text FROM index_multi_codes ORDER BY (tokens @# w) + 0 LIMIT 5) AS expected
	FROM (SELECT q, pg_temp.list(300000 + q, 20) AS w FROM generate_series(1, 5) AS q) AS s) AS s;
SET hashemb.recall = 0.95;
SELECT count(*) FROM (SELECT id FROM index_multi_codes ORDER BY tokens @# '{11110000111100001111,00001111000011110000}'::bincode[] LIMIT 7) AS s;

-- what is refused
CREATE INDEX ON index_multi USING hashemb (tokens maxsim_ops) WITH (dims = 21);
CREATE INDEX ON index_multi USING hashemb (tokens maxsim_ops, a) WITH (dims = 20, group_by = a);
INSERT INTO index_multi VALUES (1, '{{1,2}}');
INSERT INTO index_multi VALUES (1, '{1,2}');
INSERT INTO index_multi VALUES (1, array_fill('NaN'::real, ARRAY[1, 20]));
INSERT INTO index_multi VALUES (1, array_fill(1::real, ARRAY[1801, 20]));
SELECT id FROM index_multi ORDER BY tokens @# '{{1,2}}' LIMIT 1;
SELECT id FROM index_multi ORDER BY tokens @# NULL::real[], id LIMIT 2;
-- numbers too large to be estimated, and a list as long as may be
INSERT INTO index_multi VALUES (-1, array_fill(1e18::real, ARRAY[2, 20])), (-2, array_fill(0.001::real, ARRAY[1800, 20]));
SELECT id FROM index_multi ORDER BY tokens @# array_fill(1::real, ARRAY[1, 20]) LIMIT 1;
SELECT orphan_pages FROM hashemb_check('index_multi_idx', true);
DROP TABLE index_multi, index_multi_late, index_multi_codes;
