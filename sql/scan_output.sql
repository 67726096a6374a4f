-- Distances in the output are those that the search has computed: executor and search
-- agree to the last bit, and the operator is not asked again.
CREATE TABLE item (id integer, v real[], list real[]);
INSERT INTO item SELECT i, CASE WHEN i % 100 = 7 THEN NULL
		WHEN i % 100 = 8 THEN array_fill(0::real, '{8}')
		ELSE array(SELECT sin(i * j)::real FROM generate_series(1, 8) j) END,
	array(SELECT array[sin(i * j)::real, cos(i + j)::real]
		FROM generate_series(1, 1 + i % 4) j)
	FROM generate_series(1, 3000) i;
CREATE INDEX item_v ON item USING hashemb (v real_cosine_ops) WITH (dims = 8);
CREATE INDEX item_list ON item USING hashemb (list maxsim_ops) WITH (dims = 2);
VACUUM ANALYZE item;

-- How often the executor calls a function, in a statement
CREATE FUNCTION calls_of(statement text, called regprocedure) RETURNS bigint
	LANGUAGE plpgsql SET track_functions = 'all' AS $$
DECLARE
	before bigint := coalesce(pg_stat_get_xact_function_calls(called), 0);
BEGIN
	EXECUTE statement;
	RETURN coalesce(pg_stat_get_xact_function_calls(called), 0) - before;
END $$;
SELECT oprcode::regprocedure AS cosine FROM pg_operator
	WHERE oprname = '<=>' AND oprleft = 'real[]'::regtype
	AND oprright = 'real[]'::regtype \gset
SELECT oprcode::regprocedure AS maxsim FROM pg_operator
	WHERE oprname = '@#' AND oprleft = 'real[]'::regtype
	AND oprright = 'real[]'::regtype \gset

SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT id, v <=> '{1,2,3,4,5,6,7,8}' AS distance FROM item
	ORDER BY v <=> '{1,2,3,4,5,6,7,8}' LIMIT 5;
SELECT name, calls_of(statement, called::regprocedure) FROM (VALUES
	('sort key', 'SELECT id FROM item ORDER BY v <=> ''{1,2,3,4,5,6,7,8}'' LIMIT 5', :'cosine'),
	('shown', 'SELECT id, v <=> ''{1,2,3,4,5,6,7,8}'' FROM item
		ORDER BY v <=> ''{1,2,3,4,5,6,7,8}'' LIMIT 5', :'cosine'),
	('in an expression', 'SELECT id, 1 - (v <=> ''{1,2,3,4,5,6,7,8}'') FROM item
		ORDER BY 1 - (v <=> ''{1,2,3,4,5,6,7,8}'') DESC LIMIT 5', :'cosine'),
	('a list', 'SELECT id FROM item ORDER BY list @# ''{{1,2},{2,1}}'' LIMIT 5', :'maxsim'),
	('another vector', 'SELECT id, v <=> ''{1,2,3,4,5,6,7,9}'' FROM item
		ORDER BY v <=> ''{1,2,3,4,5,6,7,8}'' LIMIT 5', :'cosine'),
	('within CASE', 'SELECT id, CASE v <=> ''{1,2,3,4,5,6,7,8}'' WHEN 0 THEN 1 END
		FROM item ORDER BY v <=> ''{1,2,3,4,5,6,7,8}'' LIMIT 5', :'cosine'))
	c (name, statement, called);

-- Of a sum the distance of the search that has found a row is known: the executor asks for
-- the other one, once for each row completed
CREATE FUNCTION asked(statement text, OUT completed bigint, OUT calls bigint)
	LANGUAGE plpgsql SET track_functions = 'all' AS $$
DECLARE
	line text;
	called regprocedure[] := array(SELECT oprcode FROM pg_operator WHERE oprname IN ('<=>', '@#')
		AND oprleft = 'real[]'::regtype AND oprright = 'real[]'::regtype);
BEGIN
	calls := -(SELECT sum(coalesce(pg_stat_get_xact_function_calls(c), 0)) FROM unnest(called) c);
	FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || statement LOOP
		completed := coalesce(substring(line, 'Rows Completed: (\d+)')::int, completed);
	END LOOP;
	calls := calls + (SELECT sum(coalesce(pg_stat_get_xact_function_calls(c), 0)) FROM unnest(called) c);
END $$;
SELECT completed >= 5 AS some, calls = completed AS once FROM asked('SELECT id,
	(v <=> ''{1,2,3,4,5,6,7,8}'') + 0.01 * (list @# ''{{1,2},{2,1}}'') AS sum FROM item
	ORDER BY (v <=> ''{1,2,3,4,5,6,7,8}'') + 0.01 * (list @# ''{{1,2},{2,1}}'') LIMIT 5');
RESET enable_seqscan;

-- The same rows and bits as a sequential scan, NaN and NULL at either end
SET hashemb.recall = 1;
CREATE FUNCTION answers(arrangement text, node boolean)
	RETURNS TABLE (n bigint, answer text) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('enable_seqscan', CASE WHEN node THEN 'off' ELSE 'on' END, true),
		set_config('enable_indexscan', CASE WHEN node THEN 'on' ELSE 'off' END, true);
	RETURN QUERY EXECUTE format('SELECT row_number() OVER (), t::text FROM (
		SELECT id, v <=> $1 AS d, 1 - (v <=> $1) AS s, abs((v <=> $1) - 1),
			CASE v <=> $1 WHEN (v <=> $1) + 0 THEN (v <=> $1) * 2 ELSE -1 END AS c,
			ARRAY[v <=> $1]::text[] AS a,
			(v <=> $1) + 0.5 * (list @# $2) AS sum, ctid, item
		FROM item ORDER BY %s LIMIT 2985) t', arrangement)
		USING '{1,2,3,4,5,6,7,8}'::real[], '{{1,2},{2,1}}'::real[];
END $$;
SELECT arrangement, count(*) AS lines, count(*) FILTER (WHERE a.answer IS DISTINCT FROM b.answer)
	AS differ FROM unnest('{v <=> $1 NULLS FIRST, v <=> $1 NULLS LAST, 1 - (v <=> $1) DESC NULLS FIRST,
	1 - (v <=> $1) DESC NULLS LAST, (v <=> $1) + 0.5 * (list @# $2)}'::text[]) arrangement
	CROSS JOIN LATERAL answers(arrangement || ', id', false) a
	JOIN LATERAL answers(arrangement || ', id', true) b USING (n)
	GROUP BY arrangement ORDER BY arrangement;
DROP FUNCTION answers, asked, calls_of;
DROP TABLE item;
