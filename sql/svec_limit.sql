-- LIMIT (Weller et al. 2025, "On the Theoretical Limitations of Embedding-Based
-- Retrieval"), in its small form: 46 people who like 45 things each, 1,000 things
-- of which each is liked by another pair. "Who likes X?" has two answers. Sparse
-- vectors find both; codes of a few bits cannot tell all pairs apart.
CREATE TABLE pairs AS SELECT row_number() OVER (ORDER BY a, b)::int AS item, a, b
	FROM generate_series(1, 46) a, generate_series(1, 46) b WHERE a < b ORDER BY a, b LIMIT 1000;
CREATE TABLE likes AS SELECT a AS person, item FROM pairs UNION ALL SELECT b, item FROM pairs;
-- topped up with things that nobody asks for
INSERT INTO likes SELECT person, 1001 + (person * 31 + j * 17) % 850
	FROM (SELECT person, count(*) AS liked FROM likes GROUP BY person) p, generate_series(1, 45) j WHERE j <= 45 - liked;
SELECT count(*) AS people, min(n) AS least, max(n) AS most FROM (SELECT count(DISTINCT item) AS n FROM likes GROUP BY person) s;
-- tf-idf, with names for the dimensions
CREATE TABLE vocabulary AS SELECT item AS dim, 'thing ' || item AS name FROM generate_series(1, 1850) item;
CREATE TABLE people (person int, v svec(1850));
INSERT INTO people SELECT person, svec(array_agg(item), array_agg(ln(46.0 / n)), 1850)
	FROM likes JOIN (SELECT item, count(*) AS n FROM likes GROUP BY item) f USING (item) GROUP BY person;
CREATE INDEX people_idx ON people USING hashemb (v);
SET enable_seqscan = off;
SET enable_sort = off;
CREATE FUNCTION pg_temp.found(item int) RETURNS int[] LANGUAGE sql AS
	$$SELECT array_agg(person) FROM (SELECT person FROM people ORDER BY v <#> svec(ARRAY[item], ARRAY[1.0], 1850) LIMIT 2) s$$;
SELECT avg((SELECT count(*) FROM unnest(found) f WHERE f IN (a, b)) / 2.0)::numeric(4, 3) AS recall_at_2
	FROM (SELECT a, b, pg_temp.found(item) AS found FROM pairs) s;
-- which terms made the score
SELECT name, contribution::numeric(5, 3) FROM people, score_terms(v, '{7:1,8:1,1500:1}/1850') t JOIN vocabulary USING (dim) WHERE person = 1 ORDER BY dim;
RESET enable_seqscan;
RESET enable_sort;
-- sign codes of random projections, by their length
SELECT bits, avg((SELECT count(*) FROM unnest(found) f WHERE f IN (a, b)) / 2.0)::numeric(4, 3) AS recall_at_2
	FROM unnest('{64,256,1024,4096,16384}'::int[]) bits, LATERAL (SELECT a, b, ARRAY(SELECT person FROM
		(SELECT person, simhash(v, bits, 42) AS c FROM people OFFSET 0) x ORDER BY c <~> simhash(svec(ARRAY[item], ARRAY[1.0], 1850), bits, 42), person LIMIT 2) AS found
		FROM pairs WHERE item % 20 = 3) s GROUP BY bits ORDER BY bits;
DROP TABLE pairs, likes, vocabulary, people;
-- nothing is nearer than minus infinity, and a search for it ends, by a zero vector, too
CREATE TABLE svec_limit_zero (id int, v svec(100));
INSERT INTO svec_limit_zero SELECT i, CASE WHEN i = 3 THEN svec('{}'::int[], '{}'::real[], 100) ELSE svec(ARRAY[i % 100 + 1], ARRAY[1::real], 100) END FROM generate_series(1, 500) i;
CREATE INDEX ON svec_limit_zero USING hashemb (v svec_cosine_ops);
SET enable_seqscan = off;
SET enable_sort = off;
SET statement_timeout = '20s';
SELECT id FROM svec_limit_zero WHERE v <=> '{5:1}/100' < '-Infinity' ORDER BY v <=> '{5:1}/100' LIMIT 10;
SELECT id FROM svec_limit_zero WHERE v <=> '{}/100' < '-Infinity' ORDER BY v <=> '{}/100' LIMIT 10;
SELECT count(*) FROM (SELECT id FROM svec_limit_zero WHERE v <=> '{5:1}/100' < '-Infinity' ORDER BY v <=> '{5:1}/100' FETCH FIRST 10 ROWS WITH TIES) s;
SELECT count(*) FROM (SELECT id FROM svec_limit_zero WHERE v <=> '{}/100' < '-Infinity' ORDER BY v <=> '{}/100' FETCH FIRST 10 ROWS WITH TIES) s;
RESET statement_timeout;
DROP TABLE svec_limit_zero;
