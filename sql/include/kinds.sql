-- Rows with values of every type that a column may have, and indexes of every
-- operator class on them, for tests of servers that exchange them

CREATE FUNCTION pg_temp.kind_bits(i int, salt text) RETURNS bit(128) LANGUAGE sql IMMUTABLE AS
	$$SELECT ('x' || md5(salt || i % 40))::bit(128) # (('x' || md5(salt || i))::bit(128) & ('x' || md5(salt || '.' || i))::bit(128) & ('x' || md5(salt || ':' || i))::bit(128))$$;
CREATE FUNCTION pg_temp.kind_floats(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS
	$$SELECT array_agg((sin(i % 40 * j) + sin(i * j) / 4)::real ORDER BY j) FROM generate_series(1, 12) j$$;
CREATE FUNCTION pg_temp.kind_sparse(i int) RETURNS svec LANGUAGE sql IMMUTABLE AS
	$$SELECT svec_agg(1 + j * 5 + abs(hashint4(i * 50 + j)) % 5, 1 + (i + j) % 5 / 4.0, 60 ORDER BY j) FROM generate_series(0, 10) j$$;
CREATE FUNCTION pg_temp.kind_tokens(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS
	$$SELECT array_agg(pg_temp.kind_floats(i * 3 + t) ORDER BY t) FROM generate_series(1, 1 + i % 3) t$$;

CREATE FUNCTION pg_temp.make_kinds(name text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format('CREATE TABLE %I (id int, one bincode(128), two bincode(6, 2), three bincode(5, 3), odd bincode, sparse svec(60), dense real[],
		tokens real[], coded bincode[], ball hamming_ball, encoder hashemb_model, a int, s text)', name);
END $$;

CREATE FUNCTION pg_temp.fill_kinds(name text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE format($q$INSERT INTO %I SELECT i, CASE WHEN i %% 61 <> 0 THEN pg_temp.kind_bits(i, 'k')::bincode END,
		((SELECT string_agg((i * j %% 4)::text, '' ORDER BY j) FROM generate_series(1, 6) j) || '/2')::bincode,
		((SELECT string_agg((i * j %% 8)::text, '' ORDER BY j) FROM generate_series(1, 5) j) || '/3')::bincode,
		CASE i %% 3 WHEN 0 THEN '' WHEN 1 THEN 'f3/4' ELSE repeat('1', i) END::bincode, pg_temp.kind_sparse(i)::svec(60), pg_temp.kind_floats(i),
		CASE WHEN i %% 50 = 7 THEN '{}' ELSE pg_temp.kind_tokens(i) END, ARRAY[pg_temp.kind_bits(i, 'l')::bincode, pg_temp.kind_bits(i + 1, 'l')::bincode],
		hamming_ball(pg_temp.kind_bits(i, 'm')::bincode, i %% 5 - 1),
		CASE WHEN i %% 100 = 0 THEN (SELECT hashemb_train('{"method": "random", "bits": 4}', ARRAY[j, i, 1]::real[]) FROM generate_series(1, 9) j) END,
		i %% 7, 's' || i %% 5 FROM generate_series($1, $2) i$q$, name) USING first, last;
END $$;

-- Indexes NAME_1 and so on; hashemb's come first, as many as index_kinds says
CREATE FUNCTION pg_temp.index_kinds(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	columns text;
	number int := 0;
BEGIN
	FOREACH columns IN ARRAY ARRAY['hashemb (one, a, s)', 'hashemb (one bincode_jaccard_ops, a) WITH (group_by = ''a'')', 'hashemb (three bincode_ip_ops, a)',
		'hashemb (two bincode_cosine_ops) WHERE a < 5', 'hashemb (sparse, a, s)', 'hashemb (sparse svec_l2_ops)', 'hashemb (sparse svec_cosine_ops, a)',
		'hashemb (dense real_l2_ops, s) WITH (dims = 12)', 'hashemb (dense real_ip_ops) WITH (dims = 12)', 'hashemb (a, dense real_cosine_ops) WITH (dims = 12)',
		'hashemb (tokens maxsim_ops, a) WITH (dims = 12)', 'hashemb (coded bincode_maxsim_ops, a) WITH (dims = 128)', 'hashemb ((simhash(sparse, 64, 1)::bincode(64)), a)',
		'btree (one)', 'hash (three)', 'btree (sparse)', 'hash (sparse)', 'btree (ball, id)', 'hash (ball)', 'btree (encoder)', 'hash (encoder)', 'btree (gray_rank(one))'] LOOP
		number := number + 1;
		EXECUTE format('CREATE INDEX %I ON %I USING %s', name || '_' || number, name, columns);
	END LOOP;
END $$;

-- A search by every index that has distances: index, distance, condition
CREATE FUNCTION pg_temp.kind_searches(name text) RETURNS TABLE (index text, distance text, condition text) LANGUAGE sql AS $$
	SELECT name || '_' || n, d, c FROM (VALUES
		(1, format('one <~> %L', pg_temp.kind_bits(7, 'k')), 'a = 3'), (2, format('one <%%> %L::bincode(128)', pg_temp.kind_bits(8, 'k')), 'a IN (1, 2)'), (3, 'three <#> ''01234/3''', 'a < 4'),
		(4, 'two <=> ''013201/2''', 'a < 5'), (5, format('sparse <#> %L', pg_temp.kind_sparse(9)), 's = ''s2'''), (6, format('sparse <-> %L', pg_temp.kind_sparse(10)), 'true'),
		(7, format('sparse <=> %L', pg_temp.kind_sparse(11)), 'a > 2'), (8, format('dense <-> %L::real[]', pg_temp.kind_floats(3)), 's <> ''s1'''), (9, format('dense <#> %L::real[]', pg_temp.kind_floats(4)), 'true'),
		(10, format('dense <=> %L::real[]', pg_temp.kind_floats(5)), 'a = 6'), (11, format('tokens @# %L::real[]', pg_temp.kind_tokens(6)), 'a = 2'),
		(12, format('coded @# %L::bincode[]', ARRAY[pg_temp.kind_bits(9, 'l')::bincode]), 'a = 1'), (13, format('simhash(sparse, 64, 1)::bincode(64) <~> %L', simhash(pg_temp.kind_sparse(5), 64, 1)), 'a = 4')) v (n, d, c) $$;

-- What differs between those searches at recall 1 and sequential scans; empty if
-- nothing does. Each must go by its index and find rows.
CREATE FUNCTION pg_temp.kind_differences(name text) RETURNS text LANGUAGE plpgsql SET hashemb.recall = 1 AS $$
DECLARE
	search record;
	line text;
	plan text;
	query text;
	found text[];
	expected text[];
	result text := '';
BEGIN
	FOR search IN SELECT * FROM pg_temp.kind_searches(name) LOOP
		EXECUTE format('SELECT array_agg(d::text ORDER BY d) FROM (SELECT d FROM (SELECT %s AS d FROM %I WHERE %s OFFSET 0) x ORDER BY d LIMIT 60) y',
			search.distance, name, search.condition) INTO expected;
		query := format('SELECT %s AS d FROM %I WHERE %s ORDER BY %1$s LIMIT 60', search.distance, name, search.condition);
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true);
		plan := '';
		FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
			plan := plan || line || E' \n';
		END LOOP;
		EXECUTE format('SELECT array_agg(d::text) FROM (%s) x', query) INTO found;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_bitmapscan', 'on', true);
		IF plan NOT LIKE format('%%%s %%', search.index) THEN
			result := result || format(E'%s is not used for %s:\n%s', search.index, query, plan);
		ELSIF expected IS NULL OR found IS DISTINCT FROM expected THEN
			result := result || format(E'%s: %s\nfound %s\nexpected %s\n', search.index, query, found[1:5], expected[1:5]);
		END IF;
	END LOOP;
	RETURN result;
END $$;

-- Is every hashemb index of a table sound, with all rows that it shall have?
CREATE FUNCTION pg_temp.kinds_are_whole(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
	indexes regclass[] := ARRAY(SELECT i.indexrelid FROM pg_index i JOIN pg_class c ON c.oid = indexrelid JOIN pg_am m ON m.oid = relam WHERE indrelid = name::regclass AND amname = 'hashemb');
	wanted bigint;
	part bigint;
	total bigint;
BEGIN
	EXECUTE format('SELECT count(*), count(*) FILTER (WHERE a < 5) FROM %I', name) INTO wanted, part;
	SELECT sum(heap_rows) INTO total FROM unnest(indexes) i, hashemb_check(i, true);
	RETURN cardinality(indexes) = 13 AND total = 12 * wanted + part;
END $$;

-- All of a table, in few bytes
CREATE FUNCTION pg_temp.contents(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	result text;
BEGIN
	EXECUTE format('SELECT count(*) || '' rows, '' || md5(string_agg(t::text, chr(10) ORDER BY t::text COLLATE "C")) FROM %I t', name) INTO result;
	RETURN result;
END $$;
