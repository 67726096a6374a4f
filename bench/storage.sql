-- Ways to keep embedding tables in fewer bytes, communities of a large graph, and
-- codes of documents; bench/storage.sh runs it.
SET client_min_messages = warning;
SET max_parallel_workers_per_gather = 0;
SET jit = off;
SET work_mem = '256MB';
-- Seconds that the session has spent on a processor
CREATE FUNCTION pg_temp.processor() RETURNS float8 LANGUAGE sql VOLATILE AS $$ SELECT split_part(pg_read_file('/proc/self/schedstat'), ' ', 1)::float8 / 1e9 $$;
CREATE FUNCTION pg_temp.noise() RETURNS float8 LANGUAGE sql VOLATILE AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;

SELECT :'zipf_rows' = 'on' OR :'wordnet' = 'on' AS storage \gset
\if :storage
-- what is measured: a row, how often it is asked for, its vector
CREATE TABLE item (id int, f float8, x real[], v svec);
-- what is put in its place, by the method measured
CREATE TABLE instead (id int, y real[]);
CREATE TABLE query AS SELECT id, x, NULL::int[] AS near FROM item;

-- Compare: bytes of all numbers kept, the error weighed by f, and the share of the ten nearest by cosine that is found among what is put in their place, by the
-- vector as it was
CREATE FUNCTION pg_temp.compare(method text, bytes float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	error float8;
	found float8;
	spread float8;
	every float8;
BEGIN
	ANALYZE instead;
	SELECT sum(f * l2_distance(x, y) ^ 2) / sum(f * l2_norm(x) ^ 2) INTO error FROM item JOIN instead USING (id);
	SELECT avg(r), stddev(r) / sqrt(count(*)) INTO found, spread FROM (SELECT (SELECT count(*) FROM unnest(near) n WHERE n = ANY (ARRAY(SELECT id FROM instead ORDER BY cosine_distance(q.x, y), hash_slots(id, 'tie', 1, 1000000) LIMIT 10))) / 10.0 AS r FROM query q) s;
	SELECT sum(4.0 * cardinality(x)) INTO every FROM item;
	TRUNCATE instead;
	RETURN rpad(method, 44) || to_char(100 * bytes / every, '990.99') || ' %' || to_char(error, '0.9999') || to_char(found, '0.999') || ' +-' || to_char(spread, 'FM0.000');
END $$;
-- Rows that share: the mean of all that have one slot, weighed by f
CREATE FUNCTION pg_temp.share(slot text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	EXECUTE format('CREATE TEMP TABLE slot AS SELECT id, %s AS s FROM item', slot);
	CREATE TEMP TABLE mean AS SELECT s, (sum(v * f::real) * (1 / sum(f))::real)::real[] AS y FROM item JOIN slot USING (id) GROUP BY s;
	INSERT INTO instead SELECT id, y FROM slot JOIN mean USING (s);
	SELECT count(*) INTO n FROM mean;
	DROP TABLE slot, mean;
	RETURN n;
END $$;
-- Quotient and remainder: a row is the sum of two, found by turns
CREATE FUNCTION pg_temp.split(m int) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	n bigint;
BEGIN
	CREATE TEMP TABLE quotient AS SELECT id / m AS q, (sum(v * f::real) * (1 / sum(f))::real) AS y FROM item GROUP BY id / m;
	FOR turn IN 1 .. 2 LOOP
		DROP TABLE IF EXISTS remainder;
		CREATE TEMP TABLE remainder AS SELECT id % m AS r, (sum((v - y) * f::real) * (1 / sum(f))::real) AS y FROM item JOIN quotient ON q = id / m GROUP BY id % m;
		DROP TABLE quotient;
		CREATE TEMP TABLE quotient AS SELECT id / m AS q, (sum((v - y) * f::real) * (1 / sum(f))::real) AS y FROM item JOIN remainder ON r = id % m GROUP BY id / m;
	END LOOP;
	INSERT INTO instead SELECT id, (quotient.y + remainder.y)::real[] FROM item JOIN quotient ON q = id / m JOIN remainder ON r = id % m;
	SELECT (SELECT count(*) FROM quotient) + (SELECT count(*) FROM remainder) INTO n;
	DROP TABLE quotient, remainder;
	RETURN n;
END $$;
-- The rows that ask, and their nearest; what rows of fewer bits lose
CREATE FUNCTION pg_temp.begin_table(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n int := (SELECT count(*) FROM item);
	d int := (SELECT cardinality(x) FROM item LIMIT 1);
BEGIN
	UPDATE item SET v = x::svec;
	ANALYZE item;
	TRUNCATE query;
	INSERT INTO query SELECT id, x FROM item ORDER BY -ln(1 - (hash_slots(id, 'asked', 1, 1000000000))[1] / 1e9) / f LIMIT (SELECT current_setting('bench.queries')::int);
	UPDATE query q SET near = ARRAY(SELECT id FROM item i ORDER BY cosine_distance(q.x, i.x), id LIMIT 10);
	RETURN NEXT E'\n' || what || ': ' || n || ' rows of ' || d || ' dimensions, ' || (SELECT count(*) FROM query) || E' queries\n'
		|| rpad('method', 44) || '    bytes  error  found';
	FOR bits IN REVERSE 4 .. 2 LOOP
		INSERT INTO instead SELECT id, dequantize(quantize(x, 1 << bits)) FROM item;
		RETURN NEXT pg_temp.compare('quantize, ' || (1 << bits) || ' bits', n * (5 + d * (1 << bits) / 8.0));
	END LOOP;
END $$;
-- Every method within a budget, a share of the bytes of floats
CREATE FUNCTION pg_temp.spend(budget float8) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	n int := (SELECT count(*) FROM item);
	d int := (SELECT cardinality(x) FROM item LIMIT 1);
	kept bigint;
	m hashemb_model;
	levels int;
	own int;
	shared int := greatest(1, floor(0.1 * budget * n)::int);
BEGIN
	RETURN NEXT '-- at most ' || 100 * budget || ' %';
	-- numbers of least size left out, at least one kept: 8 bytes each
	kept := greatest(1, floor(budget * d / 2)::int);
	INSERT INTO instead SELECT id, top(v, kept::int)::real[] FROM item;
	RETURN NEXT pg_temp.compare('pruned svec, ' || kept || ' numbers', n * 8.0 * kept);
	-- directions of variance, codes of 4 bits
	kept := least(floor(budget * 8 * d * n / (n + 2.0 * d))::int, d);
	IF kept >= 1 THEN
		SELECT hashemb_train(jsonb_build_object('method', 'pca', 'dims', kept, 'bits', 4), x ORDER BY id) INTO m FROM item;
		INSERT INTO instead SELECT id, hashemb_decode(m, hashemb_encode(m, x)) FROM item;
		RETURN NEXT pg_temp.compare('pca, codes of ' || kept || ' x 4 bits', n * kept / 2.0 + (hashemb_info(m)).size);
	END IF;
	-- residual codes: a byte a level, and 256 words of each
	levels := least(floor(budget * 4 * d * n / (n + 1024.0 * d))::int, 16);
	IF levels >= 1 THEN
		SELECT hashemb_train(jsonb_build_object('method', 'rq', 'levels', levels, 'codes', 256, 'sample', 5000, 'iterations', 5), x ORDER BY id) INTO m FROM item;
		INSERT INTO instead SELECT id, sid_decode(m, semantic_id(m, x)) FROM item;
		RETURN NEXT pg_temp.compare('rq, ' || levels || ' levels of 256', n * levels + (hashemb_info(m)).size);
	END IF;
	-- own rows for the frequent ones, a tenth of the room shared by the others
	own := floor(0.9 * budget * n * 4 * d / (4 * d + 12))::int;
	SELECT hashemb_train(jsonb_build_object('method', 'freq', 'own', own, 'shared', shared, 'feature', 'freq'), id ORDER BY id) INTO m FROM item, generate_series(1, least(f, 100)::int);
	CREATE TEMP TABLE frequent AS SELECT id, bucket FROM hashemb_buckets(m);
	CREATE INDEX ON frequent (id);
	kept := pg_temp.share(format('coalesce((SELECT bucket FROM frequent r WHERE r.id = item.id), %s + (hash_slots(id, ''freq'', 1, %s))[1])', own, shared));
	DROP TABLE frequent;
	RETURN NEXT pg_temp.compare('freq, ' || own || ' own rows', kept * 4.0 * d + (hashemb_info(m)).size);
	kept := pg_temp.share(format('(hash_slots(id, ''item'', 1, %s))[1]', floor(budget * n)));
	RETURN NEXT pg_temp.compare('hash_slots, shared rows', kept * 4.0 * d);
	kept := pg_temp.split(greatest(floor(budget * n)::int - ceil(1 / budget)::int - 1, ceil(sqrt(n))::int));
	RETURN NEXT pg_temp.compare('quotient and remainder', kept * 4.0 * d);
END $$;
-- Near vectors share a row
CREATE FUNCTION pg_temp.deduplicate(threshold float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	d int := (SELECT cardinality(x) FROM item LIMIT 1);
	kept bigint;
	m hashemb_model;
BEGIN
	SELECT hashemb_train(jsonb_build_object('method', 'dedup', 'threshold', threshold), x, id ORDER BY f DESC, id) INTO m FROM item;
	CREATE TEMP TABLE near AS SELECT id, bucket FROM hashemb_buckets(m);
	CREATE INDEX ON near (id);
	kept := pg_temp.share('(SELECT bucket FROM near r WHERE r.id = item.id)');
	DROP TABLE near;
	RETURN pg_temp.compare('dedup, threshold ' || threshold, kept * 4.0 * d + (hashemb_info(m)).size);
END $$;
SET bench.queries = :queries;

\endif
\if :zipf_rows
SELECT setseed(0.25);
CREATE TABLE centre AS SELECT c, array_agg(pg_temp.noise() ORDER BY d) AS x FROM generate_series(1, 500) c, generate_series(1, 32) d GROUP BY c;
INSERT INTO item SELECT id, 1e5 / id, array_agg((x[d] + 0.6 * pg_temp.noise())::real ORDER BY d) FROM generate_series(1, :zipf) id JOIN centre ON c = 1 + (hash_slots(id, 'centre', 1, 500))[1], generate_series(1, 32) d GROUP BY id;
SELECT pg_temp.begin_table('Zipf: vectors about 500 centres, the n-th asked for 1/n as often as the first');
SELECT pg_temp.spend(0.5);
SELECT pg_temp.spend(0.1);
SELECT pg_temp.spend(0.01);
SELECT '-- near vectors share a row';
SELECT pg_temp.deduplicate(0.5);
\endif
\if :wordnet
TRUNCATE item;
INSERT INTO item SELECT id, 1, l2_normalize(embedding) FROM hashemb ORDER BY hash_slots(id, 'sample', 1, 1000000000), id LIMIT :rows;
SELECT pg_temp.begin_table('Embeddings of WordNet');
SELECT pg_temp.spend(0.5);
SELECT pg_temp.spend(0.1);
SELECT pg_temp.spend(0.01);
SELECT '-- near vectors share a row';
SELECT pg_temp.deduplicate(0.5);
\endif

\if :graph
\echo
\echo Method louvain: :edges edges
SELECT setseed(0.5);
CREATE UNLOGGED TABLE edge AS SELECT u, CASE WHEN random() < 0.8 THEN 1 + (u % 1000) + 1000 * (random() ^ 2 * 99)::int ELSE 1 + (random() ^ 2 * 99999)::int END AS i
	FROM (SELECT 1 + (random() ^ 2 * 499999)::int AS u FROM generate_series(1, :edges)) s;
SELECT count(*) || ' rows, ' || count(DISTINCT u) || ' users, ' || count(DISTINCT i) || ' items' FROM edge;
SET maintenance_work_mem = '1GB';
SELECT pg_temp.processor() AS before \gset
\timing on
CREATE TABLE graph AS SELECT hashemb_train('{"method": "louvain", "resolution": 5}', u, i) AS m FROM edge;
\timing off
SELECT 'processor time of training: ' || round((pg_temp.processor() - :before)::numeric, 1) || ' s';
SELECT (hashemb_info(m)).dims || ' buckets, modularity ' || round((1 - (hashemb_info(m)).loss)::numeric, 4) || ', ' || (hashemb_info(m)).size || ' bytes' FROM graph;
WITH b AS (SELECT b.bucket, (CASE side WHEN 1 THEN id ELSE id - 1 END) % 1000 AS planted FROM graph, hashemb_buckets(m) b),
	n AS (SELECT bucket AS a, planted AS b, count(*)::float8 AS n FROM b GROUP BY 1, 2), t AS (SELECT sum(n) AS t FROM n),
	pa AS (SELECT a, sum(n) AS n FROM n GROUP BY a), pb AS (SELECT b, sum(n) AS n FROM n GROUP BY b)
SELECT 'normalized mutual information with the planted groups: ' || round(((SELECT sum(n.n / t * ln(n.n * t / (pa.n * pb.n))) FROM n JOIN pa USING (a) JOIN pb USING (b), t)
	/ (((SELECT -sum(n / t * ln(n / t)) FROM pa, t) + (SELECT -sum(n / t * ln(n / t)) FROM pb, t)) / 2))::numeric, 4);
\endif

\if :documents
\echo
\echo Codes of documents, 32 bits: mean average precision of documents held out
CREATE TABLE doc (id int, topic int, words int[]);
CREATE FUNCTION pg_temp.precision_of(spec jsonb, as_words bool) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m hashemb_model;
	r float8;
	training float8 := pg_temp.processor();
BEGIN
	CREATE TEMP TABLE bag AS SELECT id, svec(array_agg(w + 1 ORDER BY w), array_agg((ln(1 + n) * idf)::real ORDER BY w), 30000) AS x
		FROM (SELECT id, w, count(*) AS n FROM doc, unnest(words) w GROUP BY id, w) s JOIN (SELECT w, ln((SELECT count(*) FROM doc)::float8 / count(DISTINCT id)) AS idf FROM doc, unnest(words) w GROUP BY w) i USING (w)
		WHERE idf > 0 GROUP BY id;
	IF as_words THEN
		SELECT hashemb_train(spec, words ORDER BY id) INTO m FROM doc WHERE id % 7 <> 0;
		CREATE TEMP TABLE coded AS SELECT id, topic, hashemb_encode(m, words) AS c FROM doc;
	ELSE
		SELECT hashemb_train(spec, x ORDER BY id) INTO m FROM bag WHERE id % 7 <> 0;
		CREATE TEMP TABLE coded AS SELECT id, topic, hashemb_encode(m, x) AS c FROM doc JOIN bag USING (id);
	END IF;
	training := pg_temp.processor() - training;
	SELECT avg(p) INTO r FROM (SELECT average_precision(q.topic = d.topic, q.c <~> d.c) AS p FROM coded q, coded d WHERE q.id % 7 = 0 AND q.id <= 1400 AND d.id % 7 <> 0 GROUP BY q.id) s;
	DROP TABLE bag, coded;
	RETURN rpad(spec ->> 'method', 10) || round(r::numeric, 3) || to_char(training, '9990.0') || ' s of training and encoding';
END $$;
CREATE FUNCTION pg_temp.documents(what text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
	RETURN NEXT what || ': ' || (SELECT count(*) || ' documents, ' || round(avg(cardinality(words)), 1) || ' words, chance ' || (SELECT round(sum((n / t) ^ 2), 3) FROM (SELECT count(*) AS n, sum(count(*)) OVER () AS t FROM doc GROUP BY topic) s) FROM doc);
	RETURN NEXT pg_temp.precision_of('{"method": "pvdbow", "bits": 32, "least": 1}', true);
	RETURN NEXT pg_temp.precision_of('{"method": "pca", "bits": 32, "features": 2048, "normalize": true}', false);
	RETURN NEXT pg_temp.precision_of('{"method": "itq", "bits": 32, "features": 2048, "normalize": true}', false);
END $$;
SELECT setseed(0.75);
-- each topic has an order of its own of 2,000 words, the first ones far more frequent
CREATE TABLE topic AS SELECT t, array_agg(w ORDER BY random()) AS word FROM generate_series(0, 19) t, generate_series(0, 1999) w GROUP BY t;
\set length 60
TRUNCATE doc;
INSERT INTO doc SELECT id, s.t, array_agg(word[1 + floor(2000 * random() ^ 4)::int]) FROM (SELECT id, id % 20 AS t, CASE WHEN random() < 0.7 THEN id % 20 ELSE floor(20 * random())::int END AS from_topic FROM generate_series(1, 4000) id, generate_series(1, :length)) s JOIN topic ON topic.t = from_topic GROUP BY id, s.t;
SELECT pg_temp.documents('topics');
\set length 20
TRUNCATE doc;
INSERT INTO doc SELECT id, s.t, array_agg(word[1 + floor(2000 * random() ^ 4)::int]) FROM (SELECT id, id % 20 AS t, CASE WHEN random() < 0.7 THEN id % 20 ELSE floor(20 * random())::int END AS from_topic FROM generate_series(1, 4000) id, generate_series(1, :length)) s JOIN topic ON topic.t = from_topic GROUP BY id, s.t;
SELECT pg_temp.documents('topics');
\set length 6
TRUNCATE doc;
INSERT INTO doc SELECT id, s.t, array_agg(word[1 + floor(2000 * random() ^ 4)::int]) FROM (SELECT id, id % 20 AS t, CASE WHEN random() < 0.7 THEN id % 20 ELSE floor(20 * random())::int END AS from_topic FROM generate_series(1, 4000) id, generate_series(1, :length)) s JOIN topic ON topic.t = from_topic GROUP BY id, s.t;
SELECT pg_temp.documents('topics');
TRUNCATE doc;
INSERT INTO doc SELECT row_number() OVER (ORDER BY hash_slots(id, 'sample', 1, 1000000000), id), (hash_slots(lexname, 'topic', 1, 1000000000))[1], ARRAY(SELECT (hash_slots(lexeme, 'word', 1, 29999))[1] FROM unnest(to_tsvector('english', gloss)) t, unnest(t.positions) p)
	FROM entry WHERE gloss <> '' LIMIT 5000;
DELETE FROM doc WHERE cardinality(words) = 0;
SELECT pg_temp.documents('glosses of WordNet by lexname');
\endif
