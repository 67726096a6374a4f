--
-- Method pvdbow: codes of documents from their words
--
SET jit = off;
-- a reproducible number from 0 to below 1
CREATE FUNCTION unit(VARIADIC key int[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$ SELECT (hash_slots(key::text, 'test', 1, 1000000000))[1] / 1e9 $$;
-- 2,000 documents of 60 words about one of 20 topics: three words in four are the topic's, of 200, the rest any of 2,000, frequent ones first
CREATE TABLE doc AS SELECT id, id % 20 AS topic, array_agg(CASE WHEN unit(1, id, w) < 0.75 THEN (100 * (id % 20) + 200 * unit(2, id, w) ^ 2)::int % 2000 ELSE (1999 * unit(3, id, w) ^ 2)::int END ORDER BY w) AS words
	FROM generate_series(1, 2000) id, generate_series(1, 60) w GROUP BY id;
ALTER TABLE doc ADD text tsvector, ADD code bincode(32), ADD lsa bincode(32);
UPDATE doc SET text = array_to_tsvector(ARRAY(SELECT DISTINCT 'w' || w FROM unnest(words) w));
CREATE TABLE model AS SELECT hashemb_train('{"method": "pvdbow", "bits": 32}', words ORDER BY id) AS m FROM doc WHERE id <= 1700;
SELECT (hashemb_info(m)).family, (hashemb_info(m)).method, (hashemb_info(m)).output, (hashemb_info(m)).dims, (hashemb_info(m)).bits, (hashemb_info(m)).rows FROM model;
UPDATE doc SET code = hashemb_encode(m, words) FROM model;
-- mean average precision of documents that were not learnt from among all others, chance .05; a document's own words are all that is known of them
CREATE FUNCTION map(col text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	r float8;
BEGIN
	EXECUTE format('SELECT avg(p) FROM (SELECT q.id, average_precision(q.topic = d.topic, q.%1$I <~> d.%1$I) AS p FROM doc q, doc d WHERE q.id > 1700 AND d.id <= 1700 GROUP BY q.id) s', col) INTO r;
	RETURN r;
END $$;
SELECT map('code') > 0.87 AS pvdbow;
-- latent semantics, codes by itq of the words as a vector, find no less here
CREATE TABLE bag AS SELECT id, svec(array_agg(w + 1 ORDER BY w), array_agg(n::real ORDER BY w), 2000) AS x FROM (SELECT id, w, count(*) AS n FROM doc, unnest(words) w GROUP BY id, w) s GROUP BY id;
UPDATE doc SET lsa = hashemb_encode(i, x) FROM bag, (SELECT hashemb_train('{"method": "itq", "bits": 32, "features": 512, "normalize": true}', x ORDER BY id) AS i FROM bag WHERE id <= 1700) t WHERE bag.id = doc.id;
SELECT map('lsa') > map('code') - 0.1 AS lsa;

-- the same rows in the same order give the same model; encoding is repeatable, and the order of words plays no part
SELECT hashemb_train('{"method": "pvdbow", "bits": 32}', words ORDER BY id) = m AS same FROM doc, model WHERE id <= 1700 GROUP BY m;
SELECT count(*) FILTER (WHERE code <> hashemb_encode(m, ARRAY(SELECT w FROM unnest(words) w ORDER BY unit(9, w)))) AS different FROM doc, model WHERE id <= 100;
-- codes are the signs of what is projected
SELECT count(*) FILTER (WHERE binarize(hashemb_project(m, words)) <> code) AS different FROM doc, model WHERE id <= 100;
-- code of a document that stays: on every machine
SELECT hashemb_import(hashemb_export(m)) = m AS json, m::text::hashemb_model = m AS text FROM model;

-- lexemes; each kind of argument
CREATE TABLE text_model AS SELECT hashemb_train('{"method": "pvdbow", "bits": 32, "least": 5}', text ORDER BY id) AS m FROM doc WHERE id <= 1700;
UPDATE doc SET code = hashemb_encode(m, text) FROM text_model;
SELECT map('code') > 0.8 AS lexemes;
SELECT hashemb_encode(m, 'w1 w2 w3 w4 w5'::tsvector) = hashemb_encode(m, 'w1 w2 w3 w4 w5') AS untyped FROM text_model;
SELECT hashemb_encode(m, '{1,2,3,4,5,6,7,8,9,10}'::int[]) = hashemb_encode(m, '{1,2,3,4,5,6,7,8,9,10}') AS untyped FROM model;
-- words count as often as they are there
SELECT hashemb_project(m, 'w1:1 w2:2 w3:3 w4:4 w5:5'::tsvector) = hashemb_project(m, 'w1 w2 w3 w4 w5'::tsvector) AS once,
	hashemb_project(m, 'w1:1,6,7,8 w2:2 w3:3 w4:4 w5:5'::tsvector) = hashemb_project(m, 'w1 w2 w3 w4 w5'::tsvector) AS more FROM text_model;
-- documents of too few known words have no code
SELECT hashemb_encode(m, 'w1 w2 w3 w4'::tsvector) AS short, hashemb_encode(m, 'a b c d e f g'::tsvector) AS unknown, hashemb_encode(m, ''::tsvector) AS empty, hashemb_project(m, 'w1'::tsvector) AS vector FROM text_model;
-- a frozen encoder
SELECT hashemb_freeze('code_of', m, 'tsvector') AS statement FROM text_model \gset
:statement;
SELECT count(*) FILTER (WHERE code_of(text) <> code) AS different FROM doc WHERE id <= 50;
DROP FUNCTION code_of;

-- real numbers beside: the code finds, they rank
CREATE TABLE real_model AS SELECT hashemb_train('{"method": "pvdbow", "bits": 32, "real": 24, "iterations": 20}', words ORDER BY id) AS m FROM doc WHERE id <= 1700;
ALTER TABLE doc ADD r real[];
UPDATE doc SET code = hashemb_encode(m, words), r = hashemb_project(m, words) FROM real_model;
SELECT cardinality(r) AS dims FROM doc LIMIT 1;
SELECT map('code') > 0.6 AS code, avg(p) > 0.7 AS real, avg(p) > map('code') AS better FROM (SELECT q.id, average_precision(q.topic = d.topic, cosine_distance(q.r, d.r)) AS p FROM doc q, doc d WHERE q.id > 1700 AND d.id <= 1700 GROUP BY q.id) s;

-- short texts are warned of, shorter ones refused
SELECT hashemb_train('{"method": "pvdbow", "bits": 16}', words[:12] ORDER BY id) IS NULL AS none FROM doc;
SELECT hashemb_train('{"method": "pvdbow", "bits": 16}', words[:6] ORDER BY id) IS NULL AS none FROM doc;
SELECT hashemb_train('{"method": "pvdbow", "bits": 16}', ARRAY[id, id + 10000, id + 20000], NULL) FROM doc;
SELECT hashemb_train('{"method": "pvdbow", "bits": 16, "least": 1}', ARRAY[id]) FROM doc;
SELECT hashemb_train('{"method": "pvdbow", "bits": 2000}', words) FROM doc;
SELECT hashemb_train('{"method": "pvdbow", "dims": 16, "bits": 2}', words) FROM doc;
SELECT hashemb_train('{"method": "pvdbow"}', words::real[]) FROM doc;
SELECT hashemb_train('{"method": "pvdbow"}', text::text) FROM doc;
SELECT hashemb_train('{"method": "pvdbow"}', words || NULL::int) FROM doc;
SELECT hashemb_train('{"method": "pvdbow"}', ARRAY[words, words]) FROM doc;
SELECT hashemb_encode(m, '{1,2}'::real[]) FROM model;
SELECT hashemb_encode(m, text) FROM model, doc LIMIT 1;
SELECT hashemb_encode(m, words) FROM text_model, doc LIMIT 1;
SELECT hashemb_encode(m, '{1:1}/5'::svec) FROM model;
SELECT hashemb_encode(m, '{1,2}'::int[], 2) FROM model;
SELECT hashemb_encode(m, '{1,2}'::int[], 'query') FROM model;
SELECT hashemb_decode(m, code) FROM model, doc LIMIT 1;
SELECT hashemb_bucket(m, 1) FROM model;
SELECT hashemb_encode(hashemb_train('{"method": "random", "bits": 2}', ARRAY[1, id]), 'a'::tsvector) FROM doc;

DROP TABLE doc, bag, model, text_model, real_model;
DROP FUNCTION unit, map;
