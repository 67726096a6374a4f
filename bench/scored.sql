-- What a row costs that a search scores; bench/scored.sh runs it.  Processor time
-- of the session, planning and all else included.
SET client_min_messages = warning;
SET enable_seqscan = off;
CREATE TABLE model AS SELECT hashemb_train('{"method":"pca","dims":128,"bits":4,"center":true}', embedding) AS m FROM hashemb WHERE id % 6 = 0;
CREATE TABLE item AS SELECT id, code AS bits, hashemb_encode(m, embedding)::bincode(128, 4) AS levels FROM hashemb, model;
CREATE TABLE query AS SELECT row_number() OVER () AS i, code AS bits, hashemb_project(m, embedding)::real[] AS floats
FROM (SELECT * FROM hashemb ORDER BY hashint4(id) LIMIT :queries) AS s, model;
CREATE INDEX item_levels ON item USING hashemb (levels bincode_ip_ops);
CREATE INDEX item_bits ON item USING hashemb (bits bincode_hamming_ops);
VACUUM ANALYZE item;
CREATE TABLE kind (place int, name text, statement text);
INSERT INTO kind VALUES
	(1, '512 x 1 bits, <~>, LIMIT 10', 'SELECT id FROM item ORDER BY bits <~> (SELECT bits FROM query WHERE i = $1) LIMIT 10'),
	(2, '128 x 4 bits, <#> of floats, LIMIT 20', 'SELECT id FROM item ORDER BY levels <#> (SELECT floats FROM query WHERE i = $1) LIMIT 20');

-- Rows that the searches score, a search
CREATE FUNCTION pg_temp.scored(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE plan json; total float8 := 0; n int := 0;
BEGIN
	FOR n IN 1 .. (SELECT count(*) FROM query) LOOP
		EXECUTE 'EXPLAIN (ANALYZE, FORMAT json, TIMING off) ' || replace(statement, '$1', n::text) INTO plan;
		total := total + (regexp_match(plan::text, '"Rows Scored": (\d+)'))[1]::float8;
	END LOOP;
	RETURN total / (SELECT count(*) FROM query);
END $$;

-- Nanoseconds of the processor that a round of searches takes
CREATE FUNCTION pg_temp.round(statement text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE before float8; n int; file text := format('/proc/%s/schedstat', pg_backend_pid());
BEGIN
	before := split_part(pg_read_file(file), ' ', 1)::float8;
	FOR n IN 1 .. (SELECT count(*) FROM query) LOOP
		EXECUTE statement USING n;
	END LOOP;
	RETURN split_part(pg_read_file(file), ' ', 1)::float8 - before;
END $$;

CREATE TABLE taken (place int, recall text, level text, round int, ns float8);
CREATE FUNCTION pg_temp.measure(rounds int) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE k kind; r text; l text; n int; rows float8; levels text[] := '{}';
BEGIN
	FOREACH l IN ARRAY '{scalar,avx2,avx512,neon}'::text[] LOOP
		BEGIN
			PERFORM set_config('hashemb.simd', l, false);
			levels := levels || l;
		EXCEPTION WHEN invalid_parameter_value THEN NULL;
		END;
	END LOOP;
	FOR k IN SELECT * FROM kind ORDER BY place LOOP
		FOREACH r IN ARRAY '{1,0.95}'::text[] LOOP
			PERFORM set_config('hashemb.recall', r, false);
			rows := pg_temp.scored(k.statement);
			FOR n IN 0 .. rounds LOOP
				FOREACH l IN ARRAY levels LOOP
					PERFORM set_config('hashemb.simd', l, false);
					INSERT INTO taken VALUES (k.place, r, l, n, pg_temp.round(k.statement));
				END LOOP;
			END LOOP;
			RETURN QUERY SELECT format('%s %s %s %s %s %s %s', rpad(k.name, 40), lpad(r, 6), lpad(level, 8), to_char(rows, '9999999'), to_char(min(ns) / 1000 / q, '99990.0'),
				to_char(percentile_cont(0.5) WITHIN GROUP (ORDER BY ns) / 1000 / q, '99990.0'), to_char(min(ns) / q / rows, '9990.0'))
				FROM taken, (SELECT count(*) AS q FROM query) AS c WHERE taken.place = k.place AND recall = r AND round > 0 GROUP BY level, q, array_position(levels, level) ORDER BY array_position(levels, level);
		END LOOP;
	END LOOP;
END $$;
\echo processor time of a search; levels take turns, the best and the median of :rounds rounds
\echo searches                                  recall    level   rows scored  us, best   median  ns a row scored, at best
SELECT * FROM pg_temp.measure(:rounds);
