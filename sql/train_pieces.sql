-- pieces of id sequences: items with ids of four levels, of which some are frequent and most are rare
\set seed 0.4
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION pc_normal() RETURNS float8 LANGUAGE sql AS $$ SELECT sqrt(-2 * ln(1 - random())) * cos(2 * pi() * random()) $$;
CREATE TABLE pc_item AS SELECT i AS item, ARRAY[floor(16 * random() ^ 2), floor(16 * random() ^ 2), floor(16 * random() ^ 2), floor(16 * random())]::int[] AS sid,
	random() < 0.2 AS cold FROM generate_series(1, 6000) AS i;
-- what is to be predicted: a part for every prefix of an id, and noise; some rows of each item are held out, cold items have all of theirs out
CREATE TABLE pc_part AS SELECT prefix, pc_normal() * (ARRAY[0.6, 1, 0.6, 0.3])[cardinality(prefix)] AS part
	FROM (SELECT DISTINCT sid[:n] AS prefix FROM pc_item, generate_series(1, 4) AS n ORDER BY 1) AS s;
ALTER TABLE pc_part ADD PRIMARY KEY (prefix);
CREATE TABLE pc_row AS SELECT item, sid, cold, NOT cold AND r % 4 = 0 AS held, y + pc_normal() AS y
	FROM (SELECT item, sid, cold, (SELECT sum(part) FROM pc_part, generate_series(1, 4) AS n WHERE prefix = sid[:n]) AS y FROM pc_item) AS s,
		LATERAL generate_series(1, 2 + (20 / sqrt(1 + item % 100))::int) AS r;
CREATE TABLE pc_model AS SELECT pieces, hashemb_train(jsonb_build_object('method', 'pieces', 'size', 1000, 'pieces', pieces), sid) AS m
	FROM pc_row, unnest('{bpe,unigram}'::text[]) AS pieces WHERE NOT cold AND NOT held GROUP BY pieces;
SELECT pieces, family, method, output, inputs, dims, bits, views, rows = (SELECT count(*) FROM pc_row WHERE NOT cold AND NOT held) AS rows FROM pc_model, hashemb_info(m) ORDER BY pieces;
-- tables of 1,000 means: by piece, by n-gram, by a hash of the item. A row is predicted by the mean of its means
CREATE TABLE pc_key AS SELECT by, item, key FROM pc_item, LATERAL (
	SELECT pieces AS by, sid_pieces(m, sid) AS key FROM pc_model
	UNION ALL SELECT n || '-grams', sid_ngrams(sid, n, 1000) FROM generate_series(1, 4) AS n
	UNION ALL SELECT 'random', sid_ngrams(ARRAY[item], 1, 1000)) AS k;
CREATE TABLE pc_mean AS SELECT by, slot, avg(y) AS mean FROM pc_row JOIN pc_key USING (item), unnest(key) AS slot WHERE NOT cold AND NOT held GROUP BY by, slot;
CREATE TABLE pc_error AS SELECT by, item, cold, avg((y - p) ^ 2) AS error FROM pc_row JOIN (
	SELECT by, item, coalesce(avg(mean), 0) AS p FROM (SELECT by, item, unnest(key) AS slot FROM pc_key) AS s LEFT JOIN pc_mean USING (by, slot) GROUP BY by, item) AS s USING (item)
	WHERE cold OR held GROUP BY by, item, cold;
-- paired by item: is the error less, beyond what chance does one time in twenty?
SELECT a.by, a.cold, count(DISTINCT b.by) AS others, bool_and(gain > 0) AS less, bool_and(gain > 1.96 * spread) AS surely FROM (VALUES ('bpe', false), ('bpe', true), ('unigram', false), ('unigram', true)) AS a(by, cold),
	LATERAL (SELECT o.by, avg(o.error - e.error) AS gain, stddev(o.error - e.error) / sqrt(count(*)) AS spread
		FROM pc_error e JOIN pc_error o USING (item, cold) WHERE e.by = a.by AND e.cold = a.cold AND o.by NOT IN ('bpe', 'unigram') GROUP BY o.by) AS b
GROUP BY a.by, a.cold ORDER BY a.by, a.cold;
-- the order of rows does not matter; forms give the model back
SELECT hashemb_train('{"method":"pieces","size":1000,"pieces":"unigram"}', sid ORDER BY sid DESC, y) = (SELECT m FROM pc_model WHERE pieces = 'unigram') AS unigram,
	hashemb_train('{"method":"pieces","size":1000}', sid ORDER BY item % 77, y) = (SELECT m FROM pc_model WHERE pieces = 'bpe') AS bpe FROM pc_row WHERE NOT cold AND NOT held;
SELECT pieces, hashemb_import(hashemb_export(m)) = m AS json, m::text::hashemb_model = m AS text FROM pc_model ORDER BY pieces;
-- known merges: 7 8 comes most, then 7 8 9; symbols are 1 to 4, then merges as they were learnt
CREATE TABLE pc_known (sid int[], times int);
INSERT INTO pc_known VALUES ('{7,8,9}', 5), ('{7,8}', 3), ('{-1,9}', 2);
CREATE TABLE pc_bpe AS SELECT hashemb_train('{"method":"pieces","size":20,"places":false}', sid) AS m FROM pc_known, generate_series(1, times);
SELECT s, sid_pieces(m, s::int[]) FROM pc_bpe, unnest(ARRAY['{7,8}', '{7,8,9}', '{-1,9,7,8,9}', '{9,8,7}', '{7,8,7,8,9,7}', '{}', '{5}', '{7,5,7,8}']) AS s;
SELECT dims, jsonb_path_query_array(hashemb_export(m), '$.tables[1].key') AS merges FROM pc_bpe, hashemb_info(m);
-- with places an id is another one elsewhere
SELECT sid_pieces(hashemb_train('{"method":"pieces","size":20}', sid), '{7,8,9}'), sid_pieces(hashemb_train('{"method":"pieces","size":20}', sid), '{1,7,8}') FROM pc_known, generate_series(1, times);
-- the likeliest cut: of what comes often, few pieces; of what never came together, its parts; what is unknown is 0
CREATE TABLE pc_unigram AS SELECT hashemb_train('{"method":"pieces","size":7,"places":false,"pieces":"unigram"}', sid) AS m FROM pc_known, generate_series(1, times);
SELECT s, cardinality(sid_pieces(m, s::int[])) AS pieces, array_positions(sid_pieces(m, s::int[]), 0) AS unknown FROM pc_unigram, unnest(ARRAY['{7,8}', '{7,8,9}', '{9,8,7}', '{7,8,7,8}', '{}', '{5}', '{7,8,5,7,8}']) AS s;
-- no piece is longer than said; runs of one id
SELECT sid_pieces(hashemb_train('{"method":"pieces","size":30,"places":false,"longest":2}', array_fill(1, ARRAY[i])), array_fill(1, ARRAY[7])),
	sid_pieces(hashemb_train('{"method":"pieces","size":30,"places":false}', array_fill(1, ARRAY[i])), array_fill(1, ARRAY[7])) FROM generate_series(1, 9) AS i;
-- nothing to learn from
SELECT hashemb_train('{"method":"pieces"}', NULL::int[]) IS NULL AS null_ids, hashemb_train('{"method":"pieces"}', '{}'::int[]) IS NULL AS no_ids FROM generate_series(1, 2);
-- what is refused
SELECT hashemb_train('{"method":"pieces","size":4}', sid) FROM pc_known;
SELECT hashemb_train('{"method":"pieces","size":4,"places":false}', sid) FROM pc_known;
SELECT hashemb_train('{"method":"pieces","sise":4}', sid) FROM pc_known;
SELECT hashemb_train('{"method":"pieces","pieces":"words"}', sid) FROM pc_known;
SELECT hashemb_train('{"method":"pieces"}', sid::real[]) FROM pc_known;
SELECT hashemb_train('{"method":"pieces"}', sid, times) FROM pc_known;
SELECT hashemb_train('{"method":"pieces"}', '{1,NULL}'::int[]) FROM pc_known;
SELECT hashemb_train('{"method":"pieces"}', '{{1},{2}}'::int[]) FROM pc_known;
SELECT hashemb_train('{"method":"pieces"}', array_fill(1, ARRAY[10001])) FROM pc_known;
SELECT sid_pieces(m, array_fill(1, ARRAY[10001])) FROM pc_bpe;
SELECT sid_pieces(m, '{1,NULL}') FROM pc_bpe;
SELECT semantic_id(m, '{1,2}'::real[]) FROM pc_bpe;
SELECT hashemb_encode(m, '{1,2}'::real[]) FROM pc_bpe;
SELECT hashemb_decode(m, '11'::bincode) FROM pc_bpe;
SELECT sid_pieces(hashemb_train('{"method":"random","bits":4}', ARRAY[1, 2]::real[]), '{1}');
SELECT hashemb_train('{"method":"fit"}', ARRAY[1, 2]::real[], '11'::bincode, m) FROM pc_bpe;
SET maintenance_work_mem = '1MB';
SELECT hashemb_train('{"method":"pieces","size":100000}', ARRAY[i, i + 1, i + 2, i + 3]) FROM generate_series(1, 20000) AS i;
RESET maintenance_work_mem;
-- tables that are none
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{tables,0,key,0}', '5000000000')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{tables,0,number,0}', '9')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{tables,0,limit}', '2')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{tables}', '[]')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{constants}', '[1]')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{method}', '"rq"')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{family}', '"linear"')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{bits}', '1')) FROM pc_bpe;
SELECT hashemb_import(jsonb_set(hashemb_export(m), '{out}', '"float"')) FROM pc_bpe;
