-- Orders of codes, second queries, hash trees, hashes of functions; bench/proofs.sh
-- runs it.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET work_mem = '256MB';
CREATE FUNCTION pg_temp.processor() RETURNS numeric LANGUAGE sql VOLATILE AS $$SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::numeric / 1e9$$;

\if :order
\echo
\echo A table in several orders, its rows with the embedding (two kB) or without; searches of the rows nearest by sign codes, <~>: pages of the table that
\echo hold the 10, 100 and 1,000 nearest; pages read from outside of the shared buffers for a search of 100
CREATE TABLE asked AS SELECT q, binarize(query.x, mean.x) AS code FROM query, (SELECT x FROM query WHERE kind = 'mean') AS mean WHERE kind = 'example' AND q < :queries;
CREATE TABLE orders AS SELECT hashemb_train('{"method":"pca","bits":64}', x ORDER BY id) AS rotated, hashemb_train('{"method":"pca","bits":64,"rotate":false}', x ORDER BY id) AS plain FROM item WHERE id % 6 = 0;
CREATE FUNCTION pg_temp.count_pages(what text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	one record;
	held float8[] := '{}';
	before bigint;
	read bigint := 0;
	found bigint;
	searches int := 0;
BEGIN
	FOR one IN SELECT code FROM asked ORDER BY q LOOP
		before := pg_stat_get_xact_blocks_fetched('laid'::regclass) - pg_stat_get_xact_blocks_hit('laid'::regclass);
		SELECT count(id) INTO found FROM (SELECT id FROM laid ORDER BY code <~> one.code LIMIT 100) AS s;
		read := read + pg_stat_get_xact_blocks_fetched('laid'::regclass) - pg_stat_get_xact_blocks_hit('laid'::regclass) - before;
		searches := searches + 1;
		held := held || ARRAY[(SELECT array_agg(n::float8 ORDER BY k) FROM (SELECT k, count(DISTINCT page) AS n FROM unnest('{10,100,1000}'::int[]) AS k JOIN
			(SELECT row_number() OVER () AS place, page FROM (SELECT (ctid::text::point)[0] AS page FROM laid ORDER BY code <~> one.code LIMIT 1000) AS s) AS t ON place <= k GROUP BY k) AS r)];
	END LOOP;
	RETURN rpad(what, 58) || (SELECT string_agg(to_char(mean, '9990.0'), ' ' ORDER BY k) FROM (SELECT k, avg(held[i][k]) AS mean FROM generate_series(1, searches) AS i, generate_series(1, 3) AS k GROUP BY k) AS s) || '  ' || to_char(read / searches::float8, '9990.0');
END $$;
SELECT format('CREATE TABLE laid AS SELECT %s FROM item, orders ORDER BY %s, item.id; CREATE INDEX ON laid USING hashemb (code); ANALYZE laid', columns, key),
	format('SELECT pg_temp.count_pages(%L)', rows || what), 'DROP TABLE laid'
FROM (VALUES ('with embeddings, ', 'item.*'), ('codes, ', 'item.id, code')) AS w(rows, columns), (VALUES (1, 'at random', 'hashint4(id)'), (2, 'of the dictionary''s files', 'id'), (3, 'sign codes, as they are', 'code'), (4, 'sign codes, gray_rank', 'gray_rank(code)'),
	(5, '64 bits of pca, rotated, as they are', 'hashemb_encode(rotated, x)'), (6, '64 bits of pca, rotated, gray_rank', 'gray_rank(hashemb_encode(rotated, x))'),
	(7, '64 bits of pca, not rotated, as they are', 'hashemb_encode(plain, x)'), (8, '64 bits of pca, not rotated, gray_rank', 'gray_rank(hashemb_encode(plain, x))')) AS v(o, what, key) ORDER BY rows DESC, o \gexec
\endif

\if :feedback
\echo
\echo Known-item queries: nDCG at 10 of the row asked for, and the share of the first ten rows that have its lexname; first pass of 100 candidates by float query,
\echo and what becomes of it by a second query over the stored codes: of the candidates alone, or as a search of its own. Weights were chosen on the first
\echo 200 queries of each kind; these are the others. Differences from the first pass with their standard errors, queries that gain and lose
CREATE TABLE feedback_model AS SELECT hashemb_train('{"method":"pca","dims":128,"bits":4}', x ORDER BY id) AS four, hashemb_train('{"method":"pca","bits":512}', x ORDER BY id) AS one FROM item WHERE id % 6 = 0;
CREATE UNLOGGED TABLE coded AS SELECT id, hashemb_encode(four, x)::bincode(128, 4) AS four, hashemb_encode(one, x)::bincode(512) AS one, code AS sign FROM item, feedback_model;
CREATE INDEX ON coded USING hashemb (four bincode_cosine_ops);
CREATE INDEX ON coded USING hashemb (one bincode_cosine_ops);
CREATE INDEX ON coded USING hashemb (sign bincode_cosine_ops);
ANALYZE coded;
CREATE TABLE posed AS SELECT kind, q, row, name, CASE name WHEN 'four' THEN hashemb_project(four, x, 'query') WHEN 'one' THEN hashemb_project(one, x, 'query') ELSE x END AS x FROM query, feedback_model, unnest('{four,one,sign}'::text[]) AS name WHERE kind <> 'mean';
CREATE TABLE ways (way text PRIMARY KEY, again bool, candidates int, weight float8, falling bool);
INSERT INTO ways VALUES ('less what 100 have in common, .4; candidates', false, 100, -0.4, false), ('less what 100 have in common, .4; new search', true, 100, -0.4, false), ('less what 100 have in common, .2; candidates', false, 100, -0.2, false),
	('and 10, by 1/rank, .3; candidates', false, 10, 0.3, true), ('and 10, by 1/rank, .3; new search', true, 10, 0.3, true), ('and 10 alike, .6; new search', true, 10, 0.6, false);
CREATE TABLE answered (kind text, name text, q int, way text, ndcg float8, alike float8);
CREATE FUNCTION pg_temp.judge(ids int[], asked int, OUT ndcg float8, OUT alike float8) LANGUAGE sql AS $$
	SELECT coalesce(sum(1 / log(2.0, (o + 1)::numeric)) FILTER (WHERE f = asked), 0)::float8, avg((e.lexname = a.lexname)::int)::float8 FROM unnest(ids[:10]) WITH ORDINALITY AS u(f, o) JOIN entry e ON e.id = f, entry a WHERE a.id = asked $$;
CREATE FUNCTION pg_temp.answer(name text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	p record;
	w ways;
	ids int[];
	codes bincode[];
	again int[];
	second real[];
	search text := format('SELECT array_agg(id ORDER BY o), array_agg(code ORDER BY o) FROM (SELECT id, code, row_number() OVER () AS o FROM (SELECT id, %1$I AS code FROM coded ORDER BY %1$I <=> $1 LIMIT 100) AS s) AS t', name);
BEGIN
	FOR p IN SELECT * FROM posed WHERE posed.name = answer.name AND q >= 200 LOOP
		EXECUTE search INTO ids, codes USING p.x;
		INSERT INTO answered SELECT p.kind, p.name, p.q, 'first pass', j.* FROM pg_temp.judge(ids, p.row) AS j;
		FOR w IN SELECT * FROM ways LOOP
			second := query_feedback(p.x, codes[:w.candidates], (SELECT array_agg(w.weight * v / s) FROM (SELECT v, sum(v) OVER () AS s FROM (SELECT CASE WHEN w.falling THEN 1.0 / i ELSE 1 END AS v FROM generate_series(1, w.candidates) AS i) AS t) AS u));
			IF w.again THEN
				EXECUTE search INTO again USING second;
			ELSE
				SELECT array_agg(i ORDER BY c <=> second, i) INTO again FROM unnest(ids, codes) AS u(i, c);
			END IF;
			INSERT INTO answered SELECT p.kind, p.name, p.q, w.way, j.* FROM pg_temp.judge(again, p.row) AS j;
		END LOOP;
	END LOOP;
END $$;
SET hashemb.recall = 0.99;
CREATE INDEX ON entry (id);
SELECT pg_temp.answer(name) FROM unnest('{four,one,sign}'::text[]) AS name \g /dev/null
SELECT rpad(CASE name WHEN 'four' THEN 'pca, 128 x 4' WHEN 'one' THEN 'pca, 512 x 1' ELSE 'signs, 512 x 1' END || ', ' || kind || 's, ' || way, 74) || to_char(avg(a.ndcg), '0.0000') ||
	CASE WHEN way = 'first pass' THEN repeat(' ', 42) ELSE to_char(avg(a.ndcg - f.ndcg), 'S0.0000') || ' +-' || to_char(stddev(a.ndcg - f.ndcg) / sqrt(count(*)), 'FM0.0000') || to_char(count(*) FILTER (WHERE a.ndcg > f.ndcg), '999') || ' gain' || to_char(count(*) FILTER (WHERE a.ndcg < f.ndcg), '999') || ' lose' END ||
	'   lexname' || to_char(avg(a.alike), '0.000') || CASE WHEN way = 'first pass' THEN '' ELSE to_char(avg(a.alike - f.alike), 'S0.000') || ' +-' || to_char(stddev(a.alike - f.alike) / sqrt(count(*)), 'FM0.000') END
FROM answered a JOIN (SELECT kind, name, q, ndcg, alike FROM answered WHERE way = 'first pass') AS f USING (kind, name, q) GROUP BY kind, name, way ORDER BY kind, name, way <> 'first pass', way DESC;
\endif

\if :merkle
\echo
\echo Hash trees: seconds of the processor, and of the clock
CREATE UNLOGGED TABLE leaf AS SELECT i AS id, ARRAY(SELECT sin(i * d)::real FROM generate_series(1, 16) AS d) AS x, (i * 2654435761 % 4294967296)::bigint::bincode(64) AS code FROM generate_series(1, 1000000) AS i;
CREATE FUNCTION pg_temp.timed(what text, query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	start numeric := pg_temp.processor();
	clock timestamptz := clock_timestamp();
	result text;
BEGIN
	EXECUTE query INTO result;
	RETURN rpad(what, 74) || to_char(pg_temp.processor() - start, '990.00') || to_char(extract(epoch FROM clock_timestamp() - clock), '990.00') || '   ' || left(result, 16);
END $$;
SELECT pg_temp.timed(what, query) FROM generate_series(1, 3), (VALUES
	(1, 'a million rows, read and counted', 'SELECT count(code) FROM leaf'),
	(2, 'merkle_root(fingerprint(code)), rows as they lie', 'SELECT encode(merkle_root(fingerprint(code)), ''hex'') FROM leaf'),
	(3, 'merkle_root(fingerprint(code) ORDER BY id)', 'SELECT encode(merkle_root(fingerprint(code) ORDER BY id), ''hex'') FROM leaf'),
	(4, 'merkle_root(fingerprint(x)), 16 dimensions, rows as they lie', 'SELECT encode(merkle_root(fingerprint(x)), ''hex'') FROM leaf'),
	(5, 'merkle_proof(array_agg(fingerprint(code) ORDER BY id), 777777)', 'SELECT cardinality(merkle_proof(array_agg(fingerprint(code) ORDER BY id), 777777)) FROM leaf')) AS v(o, what, query)
ORDER BY o;
CREATE TABLE opened AS SELECT merkle_root(fingerprint(code) ORDER BY id) AS root, merkle_proof(array_agg(fingerprint(code) ORDER BY id), 777777) AS proof FROM leaf;
SELECT pg_temp.timed('merkle_verify of a proof of 20 hashes, a hundred thousand times', 'SELECT count(*) FROM opened, leaf WHERE id > 700000 AND id <= 800000 AND merkle_verify(root, fingerprint(code), 777777, proof)') FROM generate_series(1, 3);
\endif

\if :functional
\echo
\echo Shares of 20,000 programs of ten probes that get one hash, by bits of the mantissa
CREATE FUNCTION pg_temp.draw(n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN (hashint8extended(n, 7) & (1::bigint << 52) - 1) / 2.0::float8 ^ 52;
CREATE FUNCTION pg_temp.normal(n bigint) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN sqrt(-2 * ln(1 - pg_temp.draw(2 * n))) * cos(2 * pi() * pg_temp.draw(2 * n + 1));
CREATE TABLE probe AS SELECT program, i, pg_temp.normal(n) AS a, pg_temp.normal(n + 1) AS b, pg_temp.normal(n + 2) AS c FROM generate_series(1, 20000) AS program, generate_series(1, 10) AS i, LATERAL (SELECT 3 * (10 * program + i) AS n) AS at;
SELECT rpad('(a + b) c and a c + b c; with 1e-4 a more; ' || mantissa || ' bits', 74) || to_char(avg((h = same)::int), '0.0000') || to_char(avg((h = other)::int), '0.0000')
FROM (SELECT mantissa, program, functional_hash((a + b) * c, mantissa ORDER BY i) AS h, functional_hash(a * c + b * c, mantissa ORDER BY i) AS same, functional_hash((a + b) * c + 1e-4 * a, mantissa ORDER BY i) AS other
	FROM probe, unnest('{52,44,36,24,10}'::int[]) AS mantissa GROUP BY mantissa, program) AS s GROUP BY mantissa ORDER BY mantissa DESC;
\endif
