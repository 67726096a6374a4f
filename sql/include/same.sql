-- Comparing searches through an index with sequential scans, for other tests

-- Compiling each query would take longer than running it
SET jit = off;

-- Codes of clusters: row i is the code of cluster i % clusters with one bit
-- in eight flipped; `salt` is the seed
CREATE FUNCTION pg_temp.bits(text) RETURNS bit(256) LANGUAGE sql AS
	$$SELECT ('x' || md5($1) || md5($1 || '.'))::bit(256)$$;
CREATE FUNCTION pg_temp.code(i int, clusters int, salt text) RETURNS bit(256) LANGUAGE sql AS
	$$SELECT pg_temp.bits(salt || 'c' || i % clusters) #
		(pg_temp.bits(salt || i) & pg_temp.bits(salt || 'a' || i) & pg_temp.bits(salt || 'b' || i))$$;

-- Rows of "SELECT distance, ctid FROM tab WHERE condition" in the order of
-- (distance, ctid), found by a sequential scan
CREATE FUNCTION pg_temp.sequential(tab text, distance text, condition text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true),
		set_config('enable_bitmapscan', 'off', true);
	EXECUTE format('SELECT array_agg(coalesce(d::text, ''NULL'') || '' '' || c::text ORDER BY d, c) FROM
		(SELECT %s AS d, ctid AS c FROM %s WHERE %s OFFSET 0) s', distance, tab, condition) INTO result;
	RETURN coalesce(result, '{}');
END $$;

-- The first k rows by distance as the index gives them, through the scan node
-- or a plain index scan; fails unless the plan is that without a sort, or the
-- condition is plainly false
CREATE FUNCTION pg_temp.by_index(index text, tab text, distance text, condition text, k int, node bool) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT %s AS d, ctid AS c FROM %s WHERE %s ORDER BY %s LIMIT %s',
		distance, tab, condition, distance, k);
	plan text := '';
	line text;
	result text[];
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true),
		set_config('enable_bitmapscan', 'off', true), set_config('enable_sort', 'off', true),
		set_config('hashemb.enable_scan', node::text, true);
	FOR line IN EXECUTE 'EXPLAIN (VERBOSE, COSTS OFF) ' || query LOOP
		plan := plan || line || E' \n';
	END LOOP;
	IF (strpos(plan, ' ' || index || ' ') = 0 OR plan ~ 'Sort' OR plan !~ CASE WHEN node THEN 'hashemb' ELSE 'Index Scan' END) AND plan !~ 'One-Time Filter: false' THEN
		RAISE EXCEPTION 'index % is not used for %:%', index, query, E'\n' || plan;
	END IF;
	EXECUTE format('SELECT array_agg(coalesce(d::text, ''NULL'') || '' '' || c::text) FROM (%s) s', query) INTO result;
	RETURN coalesce(result, '{}');
END $$;

-- Compare every distance with every condition at several k; returns the rows
-- that sequential scans found, or what differs
CREATE FUNCTION pg_temp.differences(index text, tab text, distances text[], conditions text[],
	ks int[] DEFAULT '{1,10,100,100000}') RETURNS TABLE (searches bigint, matches bigint, different bigint, example text)
	LANGUAGE plpgsql AS $$
DECLARE
	distance text;
	condition text;
	k int;
	expected text[];
	got text[];
BEGIN
	searches := 0; matches := 0; different := 0;
	FOREACH distance IN ARRAY distances LOOP
		FOREACH condition IN ARRAY conditions LOOP
			expected := pg_temp.sequential(tab, distance, condition);
			matches := matches + cardinality(expected);
			FOREACH k IN ARRAY ks LOOP
				got := pg_temp.by_index(index, tab, distance, condition, k, false);
				IF got = expected[1:k] THEN
					got := pg_temp.by_index(index, tab, distance, condition, k, true);
				END IF;
				searches := searches + 1;
				IF got IS DISTINCT FROM expected[1:k] THEN
					different := different + 1;
					example := coalesce(example, format('%s where %s limit %s: %s rows %s, expected %s rows %s', distance, condition, k,
						cardinality(got), got[1:5], cardinality(expected[1:k]), expected[1:least(k, 5)]));
				END IF;
			END LOOP;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;

-- The same through bitmaps of other indexes: how many searches there were, how
-- many went by a bitmap, and the first that gave other rows
CREATE FUNCTION pg_temp.with_bitmaps(tab text, distance text, conditions text[], ks int[] DEFAULT '{1,10,10000}')
	RETURNS TABLE (searches int, matches bigint, bitmaps int, different text) LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	query text;
	line text;
	expected text[];
	got text[];
	k int;
BEGIN
	searches := 0; matches := 0; bitmaps := 0;
	FOREACH condition IN ARRAY conditions LOOP
		expected := pg_temp.sequential(tab, distance, condition);
		matches := matches + cardinality(expected);
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
		FOREACH k IN ARRAY ks LOOP
			query := format('SELECT %1$s AS d, ctid AS c FROM %2$s WHERE %3$s ORDER BY %1$s LIMIT %4$s', distance, tab, condition, k);
			EXECUTE format('SELECT array_agg(coalesce(d::text, ''NULL'') || '' '' || c::text) FROM (%s) s', query) INTO got;
			searches := searches + 1;
			FOR line IN EXECUTE 'EXPLAIN (ANALYZE) ' || query LOOP
				bitmaps := bitmaps + (line ~ 'Strategy: (bitmap|exact)')::int;
			END LOOP;
			IF coalesce(got, '{}') <> expected[1:k] THEN
				different := coalesce(different, condition || ' limit ' || k);
			END IF;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;
