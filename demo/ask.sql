-- ask: show a query, its rows, its time, and how far they are from exact.
--
-- The query's columns are distance, word, lexname and definition, in this
-- order. The exact answer is the same query over every row, without the index.

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

CREATE FUNCTION spell(ms float8) RETURNS text LANGUAGE sql AS $$
	SELECT CASE WHEN ms < 10 THEN round(ms::numeric, 2)
		ELSE round(ms::numeric) END || ' ms'
$$;

CREATE FUNCTION ask(question text, query text, runs int DEFAULT 3)
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
BEGIN
	found := measure(query, runs);
	PERFORM set_config('enable_indexscan', 'off', true),
		set_config('enable_bitmapscan', 'off', true);
	exact := measure(query, (runs + 1) / 2);
	PERFORM set_config('enable_indexscan', 'on', true),
		set_config('enable_bitmapscan', 'on', true);
	SELECT least(max(length(r ->> 'word')), 32) INTO width
	FROM json_array_elements(found.rows) r;

	SELECT max((r ->> 'distance')::float8), count(*) INTO kth, wanted
	FROM json_array_elements(exact.rows) r;
	SELECT count(*) FILTER (WHERE (r ->> 'distance')::float8 <= kth) INTO good
	FROM json_array_elements(found.rows) r;

	RETURN NEXT '';
	RETURN NEXT '* ' || question;
	RETURN NEXT '';
	RETURN QUERY SELECT '    ' || l
		FROM regexp_split_to_table(trim(E'\n' FROM query), E'\n') l;
	RETURN NEXT '';
	FOR line IN
		SELECT r ->> 'distance' AS distance, r ->> 'word' AS word,
			r ->> 'lexname' AS lexname, r ->> 'definition' AS definition
		FROM json_array_elements(found.rows) r
	LOOP
		RETURN NEXT rtrim(format('  %s  %s  %s  %s',
			lpad(left(line.distance, 5), 5), rpad(line.word, width),
			rpad(line.lexname, 13),
			CASE WHEN length(line.definition) > 50
				THEN left(line.definition, 47) || '...'
				ELSE line.definition END));
	END LOOP;
	IF wanted = 0 THEN
		RETURN NEXT '  (nothing)';
	END IF;
	RETURN NEXT '';
	RETURN NEXT format(
		'  %s with the index, %s over every row; recall %s (%s of %s)',
		spell(found.ms), spell(exact.ms),
		round(good / greatest(wanted, 1)::numeric, 2), good, wanted);
END $$;

-- The plan of a query as EXPLAIN shows it
CREATE FUNCTION plan(query text) RETURNS SETOF text
LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	RETURN NEXT '';
	RETURN NEXT '  PostgreSQL''s plan (EXPLAIN):';
	RETURN NEXT '';
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		RETURN NEXT '    ' || line;
	END LOOP;
END $$;
