-- Codes learnt from the vectors and from a label, beside random ones.
\echo
\echo '  An encoder learns from half of the entries which of them are the same kind of'
\echo '  thing (lexname: an animal, a plant, a verb of motion and so on, 45 in all).'
\echo
\echo '    CREATE TABLE IF NOT EXISTS encoder AS'
\echo '    SELECT hashemb_train(''{"method": "class", "bits": 64, "features": 2048}'','
\echo '        vector, hashtext(lexname) ORDER BY id) AS model'
\echo '    FROM entry WHERE id % 2 = 0;'
\echo '    CREATE TABLE IF NOT EXISTS learnt AS'
\echo '    SELECT id, words, lexname, definition, hashemb_encode(model, vector)::bincode(64) AS code'
\echo '    FROM entry, encoder;'
\echo '    CREATE INDEX IF NOT EXISTS learnt_code ON learnt USING hashemb (code, lexname);'
\echo
SELECT clock_timestamp() AS started \gset
CREATE TABLE encoder AS
SELECT hashemb_train('{"method": "class", "bits": 64, "features": 2048}',
	vector, hashtext(lexname) ORDER BY id) AS model
FROM entry WHERE id % 2 = 0;
SELECT format('  the encoder in %s s',
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1));
SELECT clock_timestamp() AS started \gset
CREATE TABLE learnt AS
SELECT id, words, lexname, definition,
	hashemb_encode(model, vector)::bincode(64) AS code,
	subcode(entry.code, 1, 64)::bincode(64) AS random
FROM entry, encoder ORDER BY id;
CREATE INDEX learnt_code ON learnt USING hashemb (code, lexname);
CREATE INDEX learnt_random ON learnt USING hashemb (random, lexname);
SELECT format('  %s codes and their index in %s s, %s',
	to_char(count(*), 'FM999,999'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('learnt_code')))
FROM learnt;
VACUUM ANALYZE learnt;

-- Of the ten rows nearest to an entry that was not trained on, how many are the
-- same kind of thing?
CREATE FUNCTION same_kind(tab regclass, distance text) RETURNS numeric
LANGUAGE plpgsql AS $$
DECLARE
	result numeric;
BEGIN
	EXECUTE format('SELECT round(avg((SELECT count(*) FILTER (WHERE n.lexname = q.lexname)
		FROM (SELECT lexname FROM %1$s t WHERE t.id <> q.id ORDER BY t.%2$s q.%3$s
			LIMIT 10) n)), 1) FROM %1$s q WHERE id %% 1000 = 1', tab, distance,
		split_part(distance, ' ', 1)) INTO result;
	RETURN result;
END $$;

\echo
\echo '* Of the 10 entries nearest to one that it did not learn from, how many are the'
\echo '  same kind of thing?'
\echo
SELECT format('  %s %s', rpad(what, 44), lpad(same_kind(tab, distance)::text, 4))
FROM (VALUES ('random codes of 8 bytes', 'learnt', 'random <~>'),
	('random codes of 64 bytes', 'entry', 'code <~>'),
	('whole vectors, 186 bytes on average', 'entry', 'vector <=>'),
	('learnt codes of 8 bytes', 'learnt', 'code <~>'))
	AS line(what, tab, distance);
\echo
\echo '  A code that has learnt what likeness is for does with 8 bytes what takes 64 at'
\echo '  random, and its index is as much smaller. docs/encoders.md says what else there'
\echo '  is to learn.'
