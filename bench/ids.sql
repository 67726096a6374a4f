-- Ids and codes by codebooks on real rows; bench/ids.sh runs it.
SET client_min_messages = warning;
CREATE TABLE item (id int, lexname text, x real[]);
ALTER TABLE item ALTER x SET STORAGE plain;
INSERT INTO item SELECT d.id, lexname, l2_normalize(embedding) FROM hashemb JOIN entry d USING (id)
	WHERE abs(hashint4(d.id)) % 100000 < :rows * 100000.0 / (SELECT count(*) FROM hashemb) OR d.id IN (SELECT doc FROM query);
ALTER TABLE item ADD PRIMARY KEY (id);
ANALYZE item;
CREATE TABLE asked AS SELECT row_number() OVER () - 1 AS q, doc, l2_normalize(x) AS x FROM query;
SELECT count(*) || ' rows, ' || (SELECT count(*) FROM asked) || ' queries' FROM item;

\echo
\echo Method rq, 64 codes a level: variance left, and mutual information with the 45 lexnames, normalized; of rows, by level
CREATE FUNCTION pg_temp.nmi(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	nmi float8;
BEGIN
	EXECUTE format($q$
		WITH pairs AS (SELECT a, b, count(*)::float8 / sum(count(*)) OVER () AS p FROM (%s) AS s(a, b) GROUP BY a, b),
			one AS (SELECT a, sum(p) AS p FROM pairs GROUP BY a), other AS (SELECT b, sum(p) AS p FROM pairs GROUP BY b)
		SELECT 2 * (SELECT sum(pairs.p * ln(pairs.p / (one.p * other.p))) FROM pairs JOIN one USING (a) JOIN other USING (b))
			/ -((SELECT sum(p * ln(p)) FROM one) + (SELECT sum(p * ln(p)) FROM other))$q$, query) INTO nmi;
	RETURN nmi;
END $$;
CREATE TABLE rq AS SELECT levels, hashemb_train(jsonb_build_object('method', 'rq', 'levels', levels, 'codes', 64), x ORDER BY id) AS m FROM item, generate_series(1, 3) AS levels GROUP BY levels;
SELECT 'levels ' || levels || ': variance left ' || round(loss::numeric, 3) FROM rq, hashemb_info(m) ORDER BY levels;
CREATE TABLE ids AS SELECT id, lexname, semantic_id(m, x) AS sid FROM item, rq WHERE levels = 3;
SELECT 'prefix of ' || n || ': ' || round(pg_temp.nmi(format('SELECT sid_prefix(sid, %s), lexname FROM ids', n))::numeric, 3) || ', ' || (SELECT count(DISTINCT sid_prefix(sid, n)) FROM ids) || ' ids; as many at random ' ||
	round(pg_temp.nmi(format('SELECT abs(hashint4(id)) %% %s, lexname FROM ids', (SELECT count(DISTINCT sid_prefix(sid, n)) FROM ids)))::numeric, 3) FROM generate_series(1, 3) AS n;
-- k-means in SQL: from 64 rows, six rounds
CREATE TABLE center (c bigint, x real[]);
ALTER TABLE center ALTER x SET STORAGE plain;
INSERT INTO center SELECT row_number() OVER (), x FROM (SELECT x FROM item ORDER BY hashint4(id) LIMIT 64) AS s;
CREATE TABLE near (id int, c bigint);
DO $$ BEGIN
	FOR round IN 1..6 LOOP
		TRUNCATE near;
		INSERT INTO near SELECT id, (SELECT c FROM center ORDER BY l2_distance(center.x, item.x) LIMIT 1) FROM item;
		TRUNCATE center;
		INSERT INTO center SELECT c, array_agg(v ORDER BY i) FROM (SELECT c, i, avg(v)::real AS v FROM near JOIN item USING (id), unnest(x) WITH ORDINALITY AS u(v, i) GROUP BY c, i) AS s GROUP BY c;
	END LOOP;
END $$;
SELECT 'k-means in SQL, 64 groups: ' || round(pg_temp.nmi('SELECT c, lexname FROM near JOIN item USING (id)')::numeric, 3);

\echo
\echo 128 dimensions or parts of 4 bits: share of the ten nearest by cosine, of 300 queries
CREATE TABLE truth AS SELECT q, ARRAY(SELECT id FROM item ORDER BY cosine_distance(item.x, asked.x), id LIMIT 10) AS near FROM asked WHERE q < 300;
CREATE FUNCTION pg_temp.share(what text, spec jsonb, ask text, op text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m hashemb_model;
	line text;
BEGIN
	SELECT hashemb_train(spec, x ORDER BY id) INTO m FROM item;
	CREATE TEMP TABLE coded AS SELECT id, hashemb_encode(m, x) AS code FROM item;
	EXECUTE format('WITH a AS MATERIALIZED (SELECT near, %s AS t FROM truth JOIN asked USING (q))
		SELECT rpad($2, 50) || to_char(avg(s), ''0.999'') || '' +-'' || to_char(stddev(s) / sqrt(count(*)), ''FM0.0000'')
		FROM (SELECT (SELECT count(*) FROM unnest(near) n WHERE n = ANY (ARRAY(SELECT id FROM coded ORDER BY code %s t, id LIMIT 10))) / 10.0 AS s FROM a) AS b', ask, op)
	INTO line USING m, what;
	DROP TABLE coded;
	RETURN line;
END $$;
SELECT pg_temp.share('pq, turned', '{"method":"pq","dims":128}', 'hashemb_query($1, x)', '<#>');
SELECT pg_temp.share('pq, as given', '{"method":"pq","dims":128,"rotate":false}', 'hashemb_query($1, x)', '<#>');
SELECT pg_temp.share('pca, float query', '{"method":"pca","dims":128,"bits":4}', 'hashemb_project($1, x, ''query'')', '<#>');
SELECT pg_temp.share('pca, float query by cosine', '{"method":"pca","dims":128,"bits":4}', 'hashemb_project($1, x, ''query'')', '<=>');

\echo
\echo Words refined for example sentences: 500 learnt from, 500 ask for the entry that they were taken from
CREATE TABLE model AS SELECT 'pq' AS name, hashemb_train('{"method":"pq","dims":128}', x ORDER BY id) AS m FROM item;
CREATE TABLE coded AS SELECT id, hashemb_encode(m, x) AS code FROM item, model;
INSERT INTO model SELECT 'refined', hashemb_train('{"method":"pq"}', a.x, code, m ORDER BY q) FROM asked a JOIN coded ON id = doc, model WHERE q % 2 = 0;
-- a search by index prepares a query once; such searches are exact. Places beyond 100 count as none
CREATE TABLE stored AS SELECT id, code::bincode(128, 4) AS code FROM coded;
CREATE INDEX ON stored USING hashemb (code bincode_ip_ops);
SET enable_seqscan = off;
CREATE TABLE place AS SELECT name, q, array_position(ARRAY(SELECT id FROM stored ORDER BY code <#> t LIMIT 100), doc) AS place
	FROM (SELECT name, q, doc, hashemb_query(m, x) AS t FROM asked, model WHERE q % 2 = 1 OFFSET 0) AS a;
RESET enable_seqscan;
SELECT rpad(name, 10) || 'reciprocal place ' || to_char(avg(coalesce(1.0 / place, 0)), '0.999') || ', among ten ' || to_char(avg(coalesce((place <= 10)::int, 0)), '0.999') FROM place GROUP BY name ORDER BY name;
SELECT 'refined - pq, reciprocal place: ' || to_char(avg(b - a), 'S0.0000') || ' +-' || to_char(stddev(b - a) / sqrt(count(*)), 'FM0.0000')
	FROM (SELECT coalesce(1.0 / a.place, 0) AS a, coalesce(1.0 / b.place, 0) AS b FROM place a JOIN place b USING (q) WHERE a.name = 'pq' AND b.name = 'refined') AS s;

\echo
\echo rbin, learnt by gradients
SELECT pg_temp.share('rbin, float query by cosine', '{"method":"rbin","dims":128,"bits":4}', 'hashemb_project($1, x)', '<=>');
SELECT pg_temp.share('rbin, float query', '{"method":"rbin","dims":128,"bits":4}', 'hashemb_project($1, x)', '<#>');
