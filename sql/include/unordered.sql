-- Comparing searches without an order with sequential scans, for other tests: by
-- index scan and by bitmap scan, whose plans have a line that a pattern matches.
-- With `whole` all is decided in the index, but that OR is no condition of a scan.
CREATE FUNCTION pg_temp.unordered(index text, tab text, conditions text[], pattern text DEFAULT 'Index Cond', whole bool DEFAULT false)
	RETURNS TABLE (searches bigint, matches bigint, different bigint, example text) LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	bitmap bool;
	line text;
	plan text;
	expected int[];
	got int[];
BEGIN
	searches := 0; matches := 0; different := 0;
	FOREACH condition IN ARRAY conditions LOOP
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
		EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %s WHERE %s', tab, condition) INTO expected;
		FOREACH bitmap IN ARRAY '{f,t}'::bool[] LOOP
			CONTINUE WHEN whole AND NOT bitmap AND condition ~ ' OR ';
			PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', (NOT bitmap)::text, true),
				set_config('enable_bitmapscan', bitmap::text, true);
			plan := '';
			FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT id FROM %s WHERE %s', tab, condition) LOOP
				plan := plan || line || E'\n';
			END LOOP;
			IF (plan !~ (CASE WHEN bitmap THEN 'Bitmap Index Scan on ' ELSE 'Index Scan using ' END || index) OR plan !~ pattern OR
				(whole AND NOT bitmap AND plan ~ 'Filter')) AND plan !~ 'One-Time Filter: false' THEN
				RAISE EXCEPTION 'unexpected plan for %:%', condition, E'\n' || plan;
			END IF;
			EXECUTE format('SELECT array_agg(id ORDER BY id) FROM %s WHERE %s', tab, condition) INTO got;
			searches := searches + 1;
			matches := matches + coalesce(cardinality(got), 0);
			IF got IS DISTINCT FROM expected THEN
				different := different + 1;
				example := coalesce(example, format('%s, bitmap %s: %s rows, expected %s', condition, bitmap, cardinality(got), cardinality(expected)));
			END IF;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;
