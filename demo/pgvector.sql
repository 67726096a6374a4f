-- The same codes with pgvector's HNSW index, which filters afterwards.
CREATE EXTENSION vector;
CREATE TABLE pgvector_entry AS
SELECT id, words, lexname, definition, pos, n_relations, tags,
	code::bit(512) AS code FROM entry;
SELECT clock_timestamp() AS started \gset
CREATE INDEX pgvector_code ON pgvector_entry
	USING hnsw (code bit_hamming_ops);
SELECT format('  pgvector %s: index built in %s s, %s',
	(SELECT extversion FROM pg_extension WHERE extname = 'vector'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('pgvector_code')));
VACUUM ANALYZE pgvector_entry;
-- go on when the filter leaves too few rows: since 0.8
SET hnsw.iterative_scan = 'relaxed_order';
\echo '  Before you paste: SET hnsw.iterative_scan = ''relaxed_order'';'

SELECT ask('Things like lemonade, only food.', $$
SELECT code <~> (SELECT code_of('lemonade')::bit(512)) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM pgvector_entry WHERE lexname = 'noun.food'
ORDER BY distance LIMIT 8$$);

SELECT ask('Like lemonade, but only verbs of weather.', $$
SELECT code <~> (SELECT code_of('lemonade')::bit(512)) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM pgvector_entry WHERE lexname = 'verb.weather'
ORDER BY distance LIMIT 8$$);
