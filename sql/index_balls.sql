-- Arrays of balls and of bounds: a code within any of them
\set ECHO none
\i sql/include/same.sql
\i sql/include/unordered.sql
\set ECHO all
\echo seed b1
SET hashemb.recall = 1;
CREATE TABLE index_balls (id int, c bincode(256), a int);
INSERT INTO index_balls SELECT i, CASE WHEN i % 40 <> 3 THEN pg_temp.code(i, 31, 'b1')::bincode END, i % 10 FROM generate_series(1, 1500) i;
CREATE INDEX index_balls_idx ON index_balls USING hashemb (c, a) WITH (block_rows = 20);
ANALYZE index_balls;
SELECT (SELECT c FROM index_balls WHERE id = 12) AS q1, (SELECT c FROM index_balls WHERE id = 44) AS q2, (SELECT c FROM index_balls WHERE id = 100) AS q3 \gset

SELECT ARRAY[format('c <@ ANY (ARRAY[hamming_ball(%L, 60)])', :'q1'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 0), hamming_ball(%L, 64)])', :'q1', :'q2', :'q3'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)])', :'q1', :'q1'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), NULL, hamming_ball(%L, -1)])', :'q1', :'q2'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 256), hamming_ball(%L, 3)])', :'q1', :'q2'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)]) AND c <@ hamming_ball(%L, 120)', :'q1', :'q2', :'q3'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)]) AND a = 2', :'q1', :'q2'),
	format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)]) AND c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)])', :'q1', :'q2', :'q2', :'q3'),
	format('c <@ ANY (ARRAY[[hamming_ball(%L, 60)], [hamming_ball(%L, 60)]])', :'q1', :'q2'),
	format('c @< ANY (ARRAY[distance_bound(''<%%>'', %L::bincode, ''<'', 0.3, NULL), distance_bound(''<~>'', %L::bincode, ''<='', 50, NULL)])', :'q1', :'q2')]
	AS conditions, ARRAY['c <@ ANY (''{}''::hamming_ball[])', 'c <@ ANY (''{NULL}''::hamming_ball[])', 'c <@ ANY (NULL::hamming_ball[])'] AS nothing,
	ARRAY[format('c <@ ALL (ARRAY[hamming_ball(%L, 120), hamming_ball(%L, 130)])', :'q1', :'q2'), format('c <@ ALL (ARRAY[hamming_ball(%L, 120), NULL])', :'q1'),
		'c <@ ALL (''{}''::hamming_ball[])', format('NOT c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)])', :'q1', :'q2'),
		format('c <@ ANY (ARRAY[hamming_ball(%L, 60), hamming_ball(%L, 60)]) OR a = 1', :'q1', :'q2')] AS others \gset
-- with an order, by the index scan and the node
SELECT * FROM pg_temp.differences('index_balls_idx', 'index_balls', ARRAY[format('c <~> %L', :'q1'), format('c <~> %L', :'q2')],
	:'conditions'::text[] || :'nothing'::text[] || :'others'::text[]);
-- decided in the mask of the node
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION pg_temp.deciders(condition text, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM index_balls WHERE %s ORDER BY c <~> %L LIMIT 5', condition, query) LOOP
		IF line ~ 'Index Cond|Filter' THEN
			RETURN NEXT split_part(btrim(line), ':', 1);
		END IF;
	END LOOP;
END $$;
SELECT DISTINCT d FROM unnest(:'conditions'::text[]) c, pg_temp.deciders(c, :'q1') d;
-- without one, by index scan and by bitmap scan
SELECT * FROM pg_temp.unordered('index_balls_idx', 'index_balls', :'conditions'::text[] || :'nothing'::text[]);
-- arrays in parameters
RESET enable_bitmapscan;
PREPARE near(hamming_ball[]) AS SELECT count(*) FROM index_balls WHERE c <@ ANY ($1);
PREPARE nearest(hamming_ball[]) AS SELECT count(*) FROM (SELECT FROM index_balls WHERE c <@ ANY ($1) ORDER BY c <~> :'q1' LIMIT 10000) s;
SET plan_cache_mode = force_generic_plan;
SELECT format('{"(%s,60)","(%s,60)"}', :'q1', :'q2') AS balls \gset
SELECT count(*) FROM (SELECT * FROM index_balls OFFSET 0) s WHERE c <@ ANY (:'balls'::hamming_ball[]);
EXECUTE near(:'balls');
EXECUTE nearest(:'balls');
EXECUTE near('{}');
EXECUTE nearest('{}');
EXECUTE near('{NULL}');
EXECUTE nearest('{NULL}');
EXECUTE near(NULL);
EXECUTE nearest(NULL);
-- a ball of codes of another length is an error, wherever it stands
EXECUTE near('{"(0101,3)"}');
EXECUTE nearest(ARRAY[hamming_ball(:'q1', 60), '(0101,3)']);
DEALLOCATE ALL;
DROP TABLE index_balls;
