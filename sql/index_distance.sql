-- Conditions on distances through indexes: for every operator of every operator
-- class the rows of a sequential scan, to the last bit
\set ECHO none
\i sql/include/same.sql
\i sql/include/unordered.sql
\set ECHO all
\echo seed d1
SET hashemb.recall = 1;

-- Conditions on a distance: every comparison, either way round, with values that
-- rows have, and with those that are none
CREATE FUNCTION pg_temp.conditions(distance text, bounds float8[]) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(c) || format('%s BETWEEN %L::float8 AND %L::float8', distance, bounds[1], bounds[2])
		|| format('%s > %L AND %L::float8 >= %s', distance, bounds[1], bounds[2], distance)
		|| format('%s < %L AND a < 3', distance, bounds[3]) || format('%s < %L OR a = 4 AND %s <= %L', distance, bounds[1], distance, bounds[2])
	FROM (SELECT format('%s %s %L::float8', distance, op, b) AS c FROM unnest(bounds || '{NaN,Infinity,-Infinity,-1e300}') b, unnest('{<,<=,=,>,>=}'::text[]) op
		UNION ALL SELECT format('%L::float8 %s %s', b, op, distance) FROM unnest(bounds) b, unnest('{>,>=}'::text[]) op
		UNION ALL SELECT format('1 - %s %s %L::float8', distance, op, 1 - b) FROM unnest(bounds || '{NaN,Infinity,-Infinity}') b, unnest('{<,>,>=,=}'::text[]) op
		UNION ALL SELECT format('-(%s) >= %L::float8', distance, -b) FROM unnest(bounds) b
		UNION ALL SELECT format('%s <= %L::real', distance, b) FROM unnest(bounds) b) s $$;

-- Distances that rows have: the least, and those of some ranks
CREATE FUNCTION pg_temp.bounds(tab text, distance text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE
	result float8[];
BEGIN
	EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (SELECT d, row_number() OVER (ORDER BY d) AS n FROM (SELECT %s AS d FROM %s OFFSET 0) s WHERE d IS NOT NULL) r
		WHERE n IN (1, 30, 500)', distance, tab) INTO result;
	RETURN result;
END $$;

-- Compare conditions without an order: all must be conditions of the index
CREATE FUNCTION pg_temp.bounded(index text, tab text, conditions text[]) RETURNS TABLE (searches bigint, matches bigint, different bigint, example text)
	LANGUAGE sql AS $$SELECT * FROM pg_temp.unordered(index, tab, conditions, 'Index Cond: \(+[a-z]+ @< (distance_bound|ANY \(ARRAY\[distance_bound)', true)$$;

-- All of it for one operator and some queries: without an order, in the order of
-- the same distance, and in that of another query
CREATE FUNCTION pg_temp.check_operator(index text, tab text, col text, operator text, queries text[]) RETURNS TABLE (query int, way text, searches bigint, matches bigint, different bigint, example text)
	LANGUAGE plpgsql AS $$
DECLARE
	distance text;
	conditions text[];
BEGIN
	FOR query IN 1..cardinality(queries) LOOP
		distance := format('(%s %s %s)', col, operator, queries[query]);
		conditions := pg_temp.conditions(distance, pg_temp.bounds(tab, distance));
		RETURN QUERY SELECT query, 'none', u.* FROM pg_temp.bounded(index, tab, conditions) u;
		-- an order by what is equal to a constant is none
		conditions := ARRAY(SELECT c FROM unnest(conditions) c WHERE c !~ ' = [^ ]*$');
		RETURN QUERY SELECT query, 'same', d.* FROM pg_temp.differences(index, tab, ARRAY[distance], conditions, '{1,10,100000}') d;
		RETURN QUERY SELECT query, 'other', d.* FROM pg_temp.differences(index, tab,
			ARRAY[format('(%s %s %s)', col, operator, queries[1 + query % cardinality(queries)])], conditions[1:40], '{10}') d;
	END LOOP;
END $$;

-- codes of one bit a dimension, some of them NULL, zero or equal
CREATE TABLE index_distance (id int, c bincode(256), a int);
INSERT INTO index_distance SELECT i, CASE WHEN i % 50 = 9 THEN repeat('0', 256)::bincode WHEN i % 40 <> 3 THEN pg_temp.code(CASE WHEN i % 100 = 11 THEN 11 ELSE i END, 31, 'd1')::bincode END, i % 10
	FROM generate_series(1, 1200) i;
CREATE INDEX index_distance_hamming ON index_distance USING hashemb (c, a) WITH (block_rows = 20);
ANALYZE index_distance;
INSERT INTO index_distance SELECT i, CASE WHEN i % 40 <> 3 THEN pg_temp.code(i, 31, 'd1')::bincode END, i % 10 FROM generate_series(1201, 1500) i;
DELETE FROM index_distance WHERE id % 7 = 1;
SELECT ARRAY[quote_literal(c) || '::bincode', quote_literal(repeat('0', 256)) || '::bincode'] AS codes FROM index_distance WHERE id = 12 \gset
SELECT * FROM pg_temp.check_operator('index_distance_hamming', 'index_distance', 'c', '<~>', :'codes');
DROP INDEX index_distance_hamming;
CREATE INDEX index_distance_jaccard ON index_distance USING hashemb (c bincode_jaccard_ops, a) WITH (block_rows = 20);
SELECT * FROM pg_temp.check_operator('index_distance_jaccard', 'index_distance', 'c', '<%>', :'codes');
DROP INDEX index_distance_jaccard;
SELECT format('%L::real[]', array_agg((sin(i * 1.7) * 3)::numeric(8,3) ORDER BY i)) AS floats, format('%L::int[]', array_fill(0, '{256}')) AS zeros FROM generate_series(1, 256) i \gset
CREATE INDEX index_distance_ip ON index_distance USING hashemb (c bincode_ip_ops, a) WITH (block_rows = 20);
SELECT * FROM pg_temp.check_operator('index_distance_ip', 'index_distance', 'c', '<#>', :'codes'::text[] || :'floats'::text);
-- queries of other types, the query on the left, and a query of zeros
SELECT t, d.* FROM unnest('{real[],float8[],numeric[],int[]}'::text[]) t, format('(c <#> %L::%s)', array_fill(2, '{256}'), t) distance,
	pg_temp.bounded('index_distance_ip', 'index_distance', ARRAY[distance || ' < -100', distance || ' <= -60', '100 < - ' || distance]) d;
SELECT * FROM pg_temp.bounded('index_distance_ip', 'index_distance', ARRAY[format('(%s <#> c) < -20', :'floats'), format('-10 >= (%s <#> c)', :'floats'), format('(c <#> %s) <= 0', :'zeros')]);
DROP INDEX index_distance_ip;
CREATE INDEX index_distance_cosine ON index_distance USING hashemb (c bincode_cosine_ops, a) WITH (block_rows = 20);
SELECT * FROM pg_temp.check_operator('index_distance_cosine', 'index_distance', 'c', '<=>', :'codes'::text[] || :'floats'::text);
-- the query of zeros has NaN for a distance from all: not below, not at most infinity, but above all numbers
SELECT c, d.* FROM unnest('{"(c <=> %s) < 1","(c <=> %s) <= ''Infinity''","(c <=> %s) <= ''NaN''","(c <=> %s) > 1","1 - (c <=> %s) > 0.5","1 - (c <=> %s) < 0.5"}'::text[]) c,
	pg_temp.bounded('index_distance_cosine', 'index_distance', ARRAY[format(c, :'zeros')]) d;
DROP INDEX index_distance_cosine;

-- codes of several bits
CREATE FUNCTION pg_temp.check_planes(planes int) RETURNS TABLE (operator text, query int, way text, searches bigint, matches bigint, different bigint, example text) LANGUAGE plpgsql AS $$
DECLARE
	queries text[];
BEGIN
	EXECUTE format('CREATE TABLE index_distance_planes (id int, c bincode(64, %s), a int)', planes);
	INSERT INTO index_distance_planes SELECT i, CASE WHEN i % 40 <> 3 THEN
		(SELECT (string_agg(to_hex(least((1 << planes) - 1, greatest(0, abs(hashtext('c' || i % 17 || '.' || j)) % (1 << planes) + abs(hashtext(i || '.' || j)) % 3 - 1))), '' ORDER BY j) || '/' || planes)::bincode
			FROM generate_series(1, 64) j) END, i % 10 FROM generate_series(1, 600) i;
	SELECT ARRAY[quote_literal(c) || '::bincode', quote_literal((SELECT array_agg(sin(i * 1.7)::real ORDER BY i) FROM generate_series(1, 64) i)) || '::real[]'] INTO queries FROM index_distance_planes WHERE id = 12;
	CREATE INDEX index_distance_planes_ip ON index_distance_planes USING hashemb (c bincode_ip_ops, a) WITH (block_rows = 20);
	RETURN QUERY SELECT '<#>', r.* FROM pg_temp.check_operator('index_distance_planes_ip', 'index_distance_planes', 'c', '<#>', queries) r;
	DROP INDEX index_distance_planes_ip;
	CREATE INDEX index_distance_planes_cosine ON index_distance_planes USING hashemb (c bincode_cosine_ops, a) WITH (block_rows = 20);
	RETURN QUERY SELECT '<=>', r.* FROM pg_temp.check_operator('index_distance_planes_cosine', 'index_distance_planes', 'c', '<=>', queries) r;
	DROP TABLE index_distance_planes;
END $$;
SELECT planes, r.* FROM generate_series(2, 4) planes, pg_temp.check_planes(planes) r;

-- sparse vectors, some of them NULL, zero or equal, in windows and pending
CREATE FUNCTION pg_temp.vector(i int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(d ORDER BY d), array_agg(w::float8 ORDER BY d), 1000) FROM (
		SELECT DISTINCT ON (d) (i % 29) * 30 + abs(hashtext(i || 'd' || j)) % 60 + 1 AS d,
			((abs(hashtext(i || 'w' || j)) % 1000 + 1) / 300.0 * CASE WHEN i % 4 = 1 AND j % 3 = 0 THEN -1 ELSE 1 END)::float4 AS w
		FROM generate_series(1, 20) j ORDER BY d, w) y $$;
CREATE TABLE index_distance_sparse (id int, v svec(1000), a int);
INSERT INTO index_distance_sparse SELECT i, CASE WHEN i % 50 = 9 THEN '{}/1000'::svec WHEN i % 40 <> 3 THEN pg_temp.vector(CASE WHEN i % 100 = 11 THEN 11 ELSE i END) END, i % 10
	FROM generate_series(1, 4000) i;
CREATE INDEX index_distance_sparse_ip ON index_distance_sparse USING hashemb (v, a);
ANALYZE index_distance_sparse;
INSERT INTO index_distance_sparse SELECT i, CASE WHEN i % 40 <> 3 THEN pg_temp.vector(i) END, i % 10 FROM generate_series(4001, 4300) i;
DELETE FROM index_distance_sparse WHERE id % 7 = 1;
SELECT ARRAY[quote_literal(v) || '::svec', quote_literal(pg_temp.vector(70)) || '::svec'] AS vectors FROM index_distance_sparse WHERE id = 12 \gset
SELECT * FROM pg_temp.check_operator('index_distance_sparse_ip', 'index_distance_sparse', 'v', '<#>', :'vectors');
DROP INDEX index_distance_sparse_ip;
CREATE INDEX index_distance_sparse_cosine ON index_distance_sparse USING hashemb (v svec_cosine_ops, a);
SELECT * FROM pg_temp.check_operator('index_distance_sparse_cosine', 'index_distance_sparse', 'v', '<=>', :'vectors');
SELECT c, d.* FROM unnest('{"(v <=> %s) < 1","(v <=> %s) <= ''NaN''","(v <=> %s) > 1","1 - (v <=> %s) > 0.5"}'::text[]) c,
	pg_temp.bounded('index_distance_sparse_cosine', 'index_distance_sparse', ARRAY[format(c, '''{}/1000''')]) d;

-- conditions of two queries at once, and with a bitmap of another index
CREATE INDEX index_distance_sparse_id ON index_distance_sparse (id);
SELECT format('(v <=> %s) < 0.9 AND (v <=> %s) < 0.999', q[1], q[2]) AS two, format('(v <=> %s) < 0.9 OR (v <=> %s) < 0.8', q[1], q[2]) AS either,
	format('(v <=> %s) < 0.9 AND id BETWEEN 100 AND 3000', q[1]) AS beside, format('v <=> %s', q[1]) AS distance FROM (SELECT :'vectors'::text[] AS q) s \gset
SELECT * FROM pg_temp.bounded('index_distance_sparse_cosine', 'index_distance_sparse', ARRAY[:'two', :'either']);
SELECT * FROM pg_temp.differences('index_distance_sparse_cosine', 'index_distance_sparse', ARRAY[:'distance'], ARRAY[:'two', :'either', :'beside']);
SET enable_sort = off;
SELECT searches, matches > 0 AS some, bitmaps > 0 AS bitmaps, different FROM pg_temp.with_bitmaps('index_distance_sparse', :'distance', ARRAY[:'beside', format('(%s) < 0.95 AND id < 60', :'distance')]);
RESET enable_sort;
DROP TABLE index_distance_sparse;
-- more rows than memory holds become pages, whose rows are looked at again
CREATE TABLE index_distance_sparse (id int, v svec(1000), a int) WITH (fillfactor = 10);
INSERT INTO index_distance_sparse SELECT i, pg_temp.vector(i), i % 10 FROM generate_series(1, 8000) i;
CREATE INDEX index_distance_lossy ON index_distance_sparse USING hashemb (v, a);
ANALYZE index_distance_sparse;
SET work_mem = '64kB';
SELECT format('(v <#> %s)', v[2]) AS distance, format('(v <#> %s) <= 0 AND a < 9', v[1]) AS condition FROM (SELECT :'vectors'::text[] AS v) s \gset
SELECT * FROM pg_temp.differences('index_distance_lossy', 'index_distance_sparse', ARRAY[:'distance'], ARRAY[:'condition'], '{10,100000}');
CREATE FUNCTION pg_temp.lossy_pages(query text) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	plan jsonb;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
	RETURN jsonb_path_query_first(plan, 'strict $.**."Lossy Pages"');
END $$;
SELECT pg_temp.lossy_pages(format('SELECT id FROM index_distance_sparse WHERE %s ORDER BY %s LIMIT 10', :'condition', :'distance')) > 0 AS lossy;
RESET work_mem;
DROP TABLE index_distance_sparse;

-- the plans: the condition ends a search, is a condition of bitmap scans beside
-- others, and sequential scans win where nearly all rows pass
RESET ALL;
SET jit = off;
CREATE TABLE index_distance_plan (id int, c bincode(256), a int) WITH (fillfactor = 10);
INSERT INTO index_distance_plan SELECT i, pg_temp.code(i, 31, 'd2')::bincode, abs(hashtext('a' || i)) % 50 FROM generate_series(1, 20000) i;
CREATE INDEX index_distance_plan_c ON index_distance_plan USING hashemb (c);
CREATE INDEX index_distance_plan_a ON index_distance_plan (a);
ALTER TABLE index_distance_plan ALTER c SET STATISTICS 1000;
ANALYZE index_distance_plan;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT regexp_replace(line, '''[01]+''', 'q', 'g');
	END LOOP;
END $$;
SELECT format('c <~> %L', c) AS d, c AS q FROM index_distance_plan WHERE id = 12 \gset
SELECT pg_temp.plan(format('SELECT id FROM index_distance_plan WHERE %s < 60 ORDER BY %s LIMIT 10', :'d', :'d'));
SELECT pg_temp.plan(format('SELECT id FROM index_distance_plan WHERE %s < 40', :'d'));
SELECT pg_temp.plan(format('SELECT id FROM index_distance_plan WHERE %s < 60 AND a = 7', :'d'));
SELECT array_agg(id ORDER BY id) AS by_index FROM index_distance_plan WHERE :d < 60 AND a = 7 \gset
SELECT array_agg(id ORDER BY id) = :'by_index' AS same, count(*) FROM (SELECT * FROM index_distance_plan OFFSET 0) s WHERE :d < 60 AND a = 7;
-- no rows are expected beyond the nearest ones that the condition leaves: all are found, although the target is less
SELECT count(*) FROM (SELECT id FROM index_distance_plan WHERE :d < 60 ORDER BY :d LIMIT 5000) s;
SELECT count(*) FROM (SELECT * FROM index_distance_plan OFFSET 0) s WHERE :d < 60;
SELECT pg_temp.plan(format('SELECT id FROM index_distance_plan WHERE %s < 250', :'d'));
-- rows are estimated from samples
CREATE FUNCTION pg_temp.rows(query text, OUT estimated float8, OUT actual float8) LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (ANALYZE, FORMAT json) ' || query INTO plan;
	estimated := plan->0->'Plan'->>'Plan Rows';
	actual := plan->0->'Plan'->>'Actual Rows';
END $$;
SELECT condition, abs(ln(estimated / greatest(actual, 1))) < ln(3) AS near
	FROM unnest('{"%s < 80","%s < 110","%s <= 128","%s BETWEEN 100 AND 128","128 < %s"}'::text[]) condition,
		pg_temp.rows(format('SELECT id FROM index_distance_plan WHERE ' || condition, :'d'));
-- parameters: a generic plan knows neither query nor value
PREPARE bounded(bincode, float8) AS SELECT count(*) FROM index_distance_plan WHERE c <~> $1 < $2;
SET plan_cache_mode = force_generic_plan;
EXPLAIN (COSTS OFF) EXECUTE bounded(NULL, NULL);
EXECUTE bounded(:'q', 80);
SELECT count(*) FROM (SELECT c FROM index_distance_plan OFFSET 0) s WHERE c <~> :'q' < 80;
EXECUTE bounded(:'q', NULL);
EXECUTE bounded(NULL, 80);
EXECUTE bounded(:'q', 'NaN');
DEALLOCATE bounded;
RESET plan_cache_mode;
-- a query that is none fails as in a sequential scan
SELECT count(*) FROM index_distance_plan WHERE c <~> '0101' < 80;
DROP TABLE index_distance_plan;

-- a bound by itself
SELECT distance_bound('<~>', '0101'::bincode, '<', 2, NULL), distance_bound('<=>', '{0.5,1}'::real[], '<=', 0.25, NULL), distance_bound('<#>', '{1:1}/5'::svec, '>', 0.5, 1);
SELECT c, c @< distance_bound('<~>', '0101'::bincode, '<', 2, NULL) AS inside FROM unnest('{0101,0111,1111,0010}'::bincode[]) c;
SELECT distance_bound('<~>', NULL::bincode, '<', 2, NULL) IS NULL AS query, distance_bound('<~>', '0101'::bincode, '<', NULL, NULL) IS NULL AS value;
SELECT distance_bound('<->', '0101'::bincode, '<', 2, NULL);
SELECT distance_bound('<~>', '0101'::bincode, '<>', 2, NULL);
SELECT distance_bound('<~>', '{0.5,1}'::real[], '<', 2, NULL);
SELECT distance_bound('<%>', '{1:1}/5'::svec, '<', 2, NULL);
SELECT distance_bound('<~>', '0123/2'::bincode, '<', 2, NULL);
SELECT '0101'::bincode @< distance_bound('<#>', '{1:1}/5'::svec, '<', 2, NULL);
SELECT '{1:1}/5'::svec @< distance_bound('<#>', '0101'::bincode, '<', 2, NULL);
SELECT 'c < 5'::distance_bound;
