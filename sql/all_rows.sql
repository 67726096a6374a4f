-- Searches that want all rows, or more than is told, give all of them, in the order of
-- a sequential scan: each kind of index, whose estimates are refined and whose are not.
\set VERBOSITY terse
SET max_parallel_workers_per_gather = 0;
SET hashemb.recall = 1;
CREATE TABLE all_one (id int, p real[], v real[], w real[], s svec(200), c bincode(64), x int);
CREATE TABLE all_parts (LIKE all_one) PARTITION BY HASH (id);
CREATE TABLE all_parts_0 PARTITION OF all_parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE all_parts_1 PARTITION OF all_parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE FUNCTION pg_temp.vec(i int, dims int, length real DEFAULT 1) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg((length * (hashint4(i % 17 * 100 + d) % 100 + hashint4(i * 100 + d) % 40))::real ORDER BY d) FROM generate_series(1, dims) d $$;
CREATE FUNCTION pg_temp.list(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
	SELECT array_agg(pg_temp.vec(i * 10 + t, 8, CASE i WHEN 5 THEN 4 ELSE 1 END) ORDER BY t) FROM generate_series(1, 1 + i % 3) t $$;
CREATE FUNCTION pg_temp.words(i int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$
	SELECT svec(array_agg(d), array_agg((1 + d * i % 9)::real), 200) FROM (SELECT DISTINCT 1 + abs(hashint4(i * 100 + j)) % 200 AS d FROM generate_series(1, 8) j) t $$;
-- some NULL, some without a distance, a thousand that are all the same
INSERT INTO all_one SELECT i, CASE WHEN i % 47 = 0 THEN NULL WHEN i % 53 = 0 THEN '{}' ELSE pg_temp.list(n) END,
		CASE WHEN i % 43 > 0 THEN pg_temp.vec(n, 12) END, CASE WHEN i % 61 = 0 THEN array_fill(0::real, ARRAY[12]) ELSE pg_temp.vec(n + 1, 12) END,
		CASE WHEN i % 37 > 0 THEN pg_temp.words(n) END, CASE WHEN i % 41 > 0 THEN hashint8extended(n % 500, 3)::bit(64)::bincode END, i % 100
	FROM generate_series(1, 4000) i, LATERAL (SELECT CASE WHEN i % 4 = 1 THEN 5 ELSE i END AS n) n;
INSERT INTO all_parts SELECT * FROM all_one;
DO $$
DECLARE
	tab text;
BEGIN
	FOREACH tab IN ARRAY '{all_one,all_parts}'::text[] LOOP
		EXECUTE format('CREATE INDEX ON %I USING hashemb (p maxsim_ops) WITH (dims = 8)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (v real_l2_ops) WITH (dims = 12)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (w real_cosine_ops) WITH (dims = 12)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (s svec_l2_ops)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (s svec_cosine_ops)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (c)', tab);
	END LOOP;
END $$;
ANALYZE all_one, all_parts;
CREATE TEMP TABLE orders (kind text, name text, distance text);
INSERT INTO orders VALUES ('lists', 'p', format('p @# %L', pg_temp.list(5))), ('lists', 'p', format('p @# %L', pg_temp.list(77))),
	('dense', 'v', format('v <-> %L', pg_temp.vec(5, 12))), ('dense', 'v', format('v <-> %L', pg_temp.vec(77, 12))),
	('dense', 'w', format('w <=> %L', pg_temp.vec(6, 12))), ('dense', 'w', format('w <=> %L', pg_temp.vec(77, 12))),
	('sparse', 's', format('s <-> %L', pg_temp.words(5))), ('sparse', 's', format('s <-> %L', pg_temp.words(77))),
	('sparse', 's', format('s <=> %L', pg_temp.words(5))), ('codes', 'c', format('c <~> %L', hashint8extended(5, 3)::bit(64)::bincode));
CREATE FUNCTION pg_temp.by_index(yes bool) RETURNS void LANGUAGE sql AS $$
	SELECT set_config('enable_seqscan', CASE WHEN yes THEN 'off' ELSE 'on' END, true), set_config('enable_sort', CASE WHEN yes THEN 'off' ELSE 'on' END, true),
		set_config('enable_indexscan', CASE WHEN yes THEN 'on' ELSE 'off' END, true), set_config('hashemb.enable_scan', CASE WHEN yes THEN 'on' ELSE 'off' END, true) $$;
-- what a cursor gives, some rows at a time; its scan is of the node, or, for the index
-- scan that the server knows, not
CREATE FUNCTION pg_temp.fetched(query text, OUT rows text[], OUT plan text) LANGUAGE plpgsql AS $$
DECLARE
	cur refcursor;
	line text;
	step int;
	more text[] := NULL;
BEGIN
	plan := '';
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		plan := plan || coalesce(substring(line from 'Custom Scan \(hashemb\)|Index Scan|Seq Scan'), '');
	END LOOP;
	rows := '{}';
	OPEN cur FOR EXECUTE query;
	FOREACH step IN ARRAY '{1,9,90,28,1,71,824,1,7000}'::int[] LOOP
		FOR i IN 1..step LOOP
			FETCH cur INTO line;
			EXIT WHEN NOT FOUND;
			rows := rows || line;
		END LOOP;
	END LOOP;
	CLOSE cur;
END $$;
-- queries of a form, $d and $t for distance and table: rows that miss, come twice or
-- have another distance than at their place in a sequential scan
CREATE FUNCTION pg_temp.same(form text, planned text DEFAULT 'Custom Scan (hashemb)') RETURNS TABLE (kind text, searches int, rows bigint, planned_so bool, wrong text) LANGUAGE plpgsql AS $$
DECLARE
	kinds text[] := '{lists,dense,sparse,codes}';
	query text;
	got text[];
	want text[];
	plan text;
	o record;
	tab text;
BEGIN
	FOREACH kind IN ARRAY kinds LOOP
		searches := 0;
		rows := 0;
		planned_so := true;
		wrong := NULL;
		FOR o IN SELECT * FROM orders WHERE orders.kind = same.kind LOOP
			FOREACH tab IN ARRAY '{all_one,all_parts}'::text[] LOOP
				query := format('SELECT coalesce(d::text, ''NULL'') || '' '' || id AS r FROM (%s) q', replace(replace(replace(form, '$d', o.distance), '$t', tab), '$n', o.name));
				PERFORM pg_temp.by_index(true), set_config('hashemb.enable_scan', CASE WHEN planned LIKE 'Custom%' THEN 'on' ELSE 'off' END, true);
				SELECT * INTO got, plan FROM pg_temp.fetched(query);
				PERFORM pg_temp.by_index(false);
				EXECUTE format('SELECT array_agg(r) FROM (%s) q', query) INTO want;
				PERFORM pg_temp.by_index(true);
				searches := searches + 1;
				rows := rows + cardinality(got);
				planned_so := planned_so AND position(planned in plan) > 0 AND position('Seq' in plan) = 0;
				IF cardinality(got) <> cardinality(want) THEN
					wrong := format('%s of %s rows of %s by %s', cardinality(got), cardinality(want), tab, left(o.distance, 10));
				ELSIF (SELECT count(DISTINCT g) FROM unnest(got) g) <> cardinality(got) THEN
					wrong := format('rows of %s come twice by %s', tab, left(o.distance, 10));
				ELSIF ARRAY(SELECT split_part(g, ' ', 1) FROM unnest(got) g) <> ARRAY(SELECT split_part(w, ' ', 1) FROM unnest(want) w) THEN
					wrong := format('other distances in %s by %s', tab, left(o.distance, 10));
				END IF;
			END LOOP;
		END LOOP;
		RETURN NEXT;
	END LOOP;
END $$;
-- are nine in ten of all ties of the nearest row found?
CREATE FUNCTION pg_temp.most_ties(tab text, distance text) RETURNS bool LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT count(*) FROM (SELECT %1$s AS d FROM %2$I ORDER BY %1$s FETCH FIRST 3 ROWS WITH TIES) t', distance, tab);
	found int;
	all_of_them int;
BEGIN
	PERFORM pg_temp.by_index(true);
	EXECUTE query INTO found;
	PERFORM pg_temp.by_index(false);
	EXECUTE query INTO all_of_them;
	PERFORM pg_temp.by_index(true);
	RETURN all_of_them > 900 AND found BETWEEN 0.9 * all_of_them AND all_of_them;
END $$;
-- all rows: nothing says how many, or what does is no number of rows
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d OFFSET 5');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT current_setting(''all_rows.limit'', true)::bigint');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT current_setting(''all_rows.limit'', true)::bigint OFFSET 5');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT 9223372036854775807 OFFSET 5');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t WHERE x % 7 < 5 ORDER BY $d LIMIT current_setting(''all_rows.limit'', true)::bigint OFFSET 5');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t WHERE x > 20 ORDER BY $d NULLS FIRST LIMIT 9223372036854775807 OFFSET 700');
-- more rows than half of what work_mem holds
SET work_mem = '64kB';
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT 3500');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT current_setting(''all_rows.limit'', true)::bigint OFFSET 1');
RESET work_mem;
-- more ties than there is room for at first
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d FETCH FIRST 3 ROWS WITH TIES');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d OFFSET 100 FETCH FIRST 30 ROWS WITH TIES');
SET work_mem = '64kB';
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d FETCH FIRST 3 ROWS WITH TIES');
RESET work_mem;
-- below recall 1, a part of them may be missed
SET hashemb.recall = 0.9;
SELECT kind, good FROM (VALUES ('lists', 'p', (SELECT distance FROM orders WHERE name = 'p' LIMIT 1)), ('dense', 'v', (SELECT distance FROM orders WHERE name = 'v' LIMIT 1)),
	('dense', 'w', (SELECT distance FROM orders WHERE name = 'w' LIMIT 1))) o (kind, name, distance), LATERAL pg_temp.most_ties('all_one', distance) good;
-- lists of few different tokens, of which codes leave out nothing
CREATE TABLE all_few (id int, p real[]);
INSERT INTO all_few SELECT i, CASE WHEN i % 3 > 0 THEN '{{100,200,300,4}}' ELSE ARRAY[ARRAY(SELECT (hashint4(i * 10 + d) % 100)::real FROM generate_series(1, 4) d)] END FROM generate_series(1, 3000) i;
CREATE INDEX ON all_few USING hashemb (p maxsim_ops) WITH (dims = 4);
ANALYZE all_few;
SELECT q, good FROM unnest('{"{{1,2,3,4}}","{{1,2,3,4},{7,1,9,0.3}}","{{0.1,0.7,0.3,0.3},{1,2,3,0.3},{0.2,0.1,0.3,0.9}}"}'::text[]) q, LATERAL pg_temp.most_ties('all_few', format('p @# %L', q)) good;
DROP TABLE all_few;
SET hashemb.recall = 1;
-- a limit of rows that stand for others: nobody knows how many of these are wanted
SELECT * FROM pg_temp.same('SELECT min(d) AS d, max(id) AS id FROM (SELECT $d AS d, id FROM $t ORDER BY $d LIMIT current_setting(''all_rows.limit'', true)::bigint) AS s GROUP BY id % 1000 ORDER BY 1, 2');
SELECT * FROM pg_temp.same('SELECT $d AS d, t.id FROM $t t JOIN (SELECT generate_series(1, 4000, 2) AS id) i ON i.id = t.id ORDER BY $d LIMIT 1900');
-- the scan that the server knows
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d', 'Index Scan');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t WHERE x % 7 < 5 ORDER BY $d OFFSET 5', 'Index Scan');
SELECT * FROM pg_temp.same('SELECT $d AS d, id FROM $t ORDER BY $d LIMIT 9223372036854775807 OFFSET 5', 'Index Scan');
DROP TABLE all_one, all_parts;
