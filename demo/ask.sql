-- ask: show a query, its rows, its time, and how near to exact they are.
--
-- The query's columns are distance, word and others, in this order. What it
-- looks for is written as a subquery, (SELECT code_of('lemonade')): shown as it
-- is, but computed once before the time is taken. SET and RESET may stand before
-- and after the query. The exact answer is the same query, or another if one is
-- given, over every row, without the index.

-- The query with what it looks for in place of the subqueries that make it
CREATE FUNCTION made(asked text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	part text[];
	value text;
BEGIN
	LOOP
		part := regexp_match(asked,
			'(\(SELECT ((code|vector)_of\w*\([^()]*\))(::\w+\(\d+\))?\))');
		EXIT WHEN part IS NULL;
		EXECUTE 'SELECT (' || part[2] || ')::text' INTO value;
		asked := replace(asked, part[1], quote_literal(value)
			|| coalesce(part[4],
				CASE part[3] WHEN 'code' THEN '::bincode' ELSE '::svec' END));
	END LOOP;
	RETURN asked;
END $$;

-- Shortest of several runs, in milliseconds, and the rows as JSON
CREATE FUNCTION measure(query text, runs int, OUT ms float8, OUT rows json)
LANGUAGE plpgsql AS $$
DECLARE
	started timestamptz;
	took float8;
BEGIN
	FOR run IN 1 .. runs LOOP
		started := clock_timestamp();
		EXECUTE 'SELECT json_agg(q) FROM (' || query || ') q' INTO rows;
		took := extract(epoch FROM clock_timestamp() - started) * 1000;
		ms := least(ms, took);
	END LOOP;
	rows := coalesce(rows, '[]');
END $$;

-- The same over every row
CREATE FUNCTION measure_without_index(query text, runs int, OUT ms float8,
	OUT rows json)
LANGUAGE plpgsql SET enable_indexscan = off SET enable_bitmapscan = off AS $$
BEGIN
	SELECT m.ms, m.rows INTO ms, rows FROM measure(query, runs) m;
END $$;

CREATE FUNCTION spell(ms float8) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN ms < 10 THEN round(ms::numeric, 1)
		ELSE round(ms::numeric) END || ' ms'
$$;

-- A query as it may be pasted
CREATE FUNCTION shown(query text) RETURNS SETOF text LANGUAGE sql AS $$
	SELECT ''
	UNION ALL
	SELECT '    ' || line
	FROM regexp_split_to_table(trim(E'\n' FROM query) || ';', E'\n') line
	UNION ALL
	SELECT ''
$$;

CREATE FUNCTION ask(question text, query text, exact_query text DEFAULT NULL)
RETURNS SETOF text
LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
	found record;
	exact record;
	line record;
	kth float8;
	good int;
	width int;
	wanted int;
	missing text;
	parts text[] := regexp_match(query, '^\s*(SET [^;]*;)?(.*?)(;\s*RESET [^;]*)?$');
BEGIN
	IF parts[1] IS NOT NULL THEN
		EXECUTE parts[1];
	END IF;
	found := measure(made(parts[2]), 3);
	IF parts[3] IS NOT NULL THEN
		EXECUTE ltrim(parts[3], ';');
	END IF;
	exact := measure_without_index(made(coalesce(exact_query, parts[2])), 3);
	SELECT least(max(length(r ->> 'word')), 36) INTO width
	FROM json_array_elements(found.rows) r;

	SELECT max((r ->> 'distance')::float8), count(*) INTO kth, wanted
	FROM json_array_elements(exact.rows) r;
	SELECT count(*) FILTER (WHERE (r ->> 'distance')::float8 <= kth) INTO good
	FROM json_array_elements(found.rows) r;

	SELECT ' (not: ' || string_agg(word, ', ') || ')' INTO missing FROM (
		SELECT r ->> 'word' AS word FROM json_array_elements(exact.rows) r
		WHERE NOT EXISTS (SELECT FROM json_array_elements(found.rows) f
			WHERE f ->> 'word' = r ->> 'word'
				AND f ->> 'distance' = r ->> 'distance')
		LIMIT wanted - good) m;

	RETURN NEXT '';
	RETURN NEXT '* ' || question;
	RETURN QUERY SELECT * FROM shown(query);
	FOR line IN
		SELECT r ->> 'distance' AS distance, r ->> 'word' AS word,
			r ->> 'definition' AS definition
		FROM json_array_elements(found.rows) r
	LOOP
		RETURN NEXT rtrim(format('  %s  %s  %s',
			lpad(left(line.distance, 5), 5), rpad(line.word, width),
			line.definition));
	END LOOP;
	RETURN NEXT '';
	RETURN NEXT format(
		'  %s with the index, %s over every row; %s of the %s nearest found%s',
		spell(found.ms), spell(exact.ms), good, wanted, missing);
END $$;

-- A query's plan with what it did, as it may be pasted
CREATE FUNCTION explained(query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	command text := E'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF)\n'
		|| trim(E'\n' FROM query);
	line text;
BEGIN
	RETURN QUERY SELECT * FROM shown(command);
	FOR line IN EXECUTE command LOOP
		RETURN NEXT '  ' || line;
	END LOOP;
END $$;
