-- Searches that run at the same time, and one that is given up: each has the arrays
-- of blocks to itself, which go from search to search.
CREATE TABLE nested (id int, c bincode(64), a int);
INSERT INTO nested SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 10 FROM generate_series(1, 6000) i;
CREATE INDEX nested_idx ON nested USING hashemb (c, a) WITH (block_rows = 20);
SET enable_seqscan = off;
SET enable_sort = off;
SET hashemb.recall = 1;
CREATE FUNCTION pg_temp.query(i int) RETURNS bincode LANGUAGE sql AS $$ SELECT hashint8extended(i, 7)::bit(64)::bincode $$;
-- rows by the index, `many` searches open at once and read in turns, against the table
CREATE FUNCTION pg_temp.in_turns(many int, condition text) RETURNS TABLE (rows bigint, same bool) LANGUAGE plpgsql AS $$
DECLARE
	cursors refcursor[] := '{}';
	one refcursor;
	d float8;
BEGIN
	CREATE TEMP TABLE found (q int, d float8);
	FOR q IN 1 .. many LOOP
		one := NULL;
		OPEN one FOR EXECUTE format('SELECT c <~> %L FROM nested WHERE %s ORDER BY c <~> %1$L', pg_temp.query(q), condition);
		cursors := cursors || one;
	END LOOP;
	FOR n IN 1 .. 300 LOOP
		FOR q IN 1 .. many LOOP
			one := cursors[q];
			FETCH one INTO d;
			INSERT INTO found VALUES (q, d);
		END LOOP;
		IF n = 5 THEN -- a search that is given up before it ends, and one that fails
			PERFORM c <~> pg_temp.query(77) FROM nested ORDER BY c <~> pg_temp.query(77) LIMIT 1;
			BEGIN
				PERFORM 1 / (id - id) FROM nested ORDER BY c <~> pg_temp.query(n) LIMIT 3;
			EXCEPTION WHEN division_by_zero THEN NULL;
			END;
		END IF;
	END LOOP;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_sort = on;
	RETURN QUERY EXECUTE format('SELECT count(*), bool_and(f = w) FROM (SELECT q, array_agg(d ORDER BY d) AS f FROM found GROUP BY q) AS f
		JOIN (SELECT q, (SELECT array_agg(d) FROM (SELECT c <~> pg_temp.query(q) AS d FROM nested WHERE %s ORDER BY 1 LIMIT 300) s) AS w
			FROM generate_series(1, %s) q) AS w USING (q)', condition, many);
	DROP TABLE found;
END $$;
SELECT * FROM pg_temp.in_turns(1, 'true');
SELECT * FROM pg_temp.in_turns(5, 'true');
SELECT * FROM pg_temp.in_turns(5, 'a < 3');
SELECT * FROM pg_temp.in_turns(5, 'a = 3 AND c <@ hamming_ball(repeat(''01'', 32)::bincode, 40)');
-- the list of blocks grows while it is kept
INSERT INTO nested SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 10 FROM generate_series(6001, 20000) i;
SELECT * FROM pg_temp.in_turns(3, 'a < 3');
RESET hashemb.recall;
-- joins of searches within searches
SELECT count(*), count(DISTINCT (o.id, i.id)) FROM (SELECT * FROM nested ORDER BY c <~> pg_temp.query(1) LIMIT 4) o,
	LATERAL (SELECT * FROM nested n WHERE n.a = o.a ORDER BY n.c <~> o.c LIMIT 5) i;
DROP TABLE nested;
