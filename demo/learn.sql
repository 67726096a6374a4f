-- An encoder, learnt from the sparse vectors that the codes were made from.
\echo '  SELECT hashemb_train(''{"method": "class", "bits": 256}'', vector, lexname...)'
\echo '      from half of the entries: near means of the same kind of thing'
SELECT clock_timestamp() AS started \gset
CREATE TABLE encoder AS
SELECT hashemb_train('{"method": "class", "bits": 256, "features": 1024}', vector, hashtext(lexname) ORDER BY id)
	FILTER (WHERE id % 2 = 0) AS model,
	hashemb_train('{"method": "pca", "dims": 128, "bits": 4, "features": 512}', vector ORDER BY id) AS levels
FROM entry;
CREATE TABLE learnt AS
SELECT id, words, lexname, definition, hashemb_encode(model, vector)::bincode(256) AS code,
	hashemb_encode(levels, vector)::bincode(128, 4) AS levels
FROM entry, encoder;
CREATE INDEX learnt_code ON learnt USING hashemb (code, lexname);
CREATE INDEX learnt_levels ON learnt USING hashemb (levels bincode_ip_ops, lexname);
SELECT format('  two encoders, 2 x %s codes and two indexes in %s s', to_char(count(*), 'FM999,999'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1))
FROM learnt \g (format=unaligned tuples_only=on)
VACUUM ANALYZE learnt;

\echo
-- Of the ten nearest codes of entries that were not trained on, how many are
-- of the same kind of thing?
\echo '  Of the ten nearest codes, how many are of the same lexicographer''s file?'
WITH asked AS (SELECT id, lexname, code, levels FROM learnt WHERE id % 1000 = 1)
SELECT round(avg((SELECT count(*) FILTER (WHERE n.lexname = asked.lexname) FROM
	(SELECT lexname FROM entry WHERE entry.id <> asked.id ORDER BY code <~> (SELECT code FROM entry e WHERE e.id = asked.id) LIMIT 10) n)), 1) AS "random projections, 64 bytes",
	round(avg((SELECT count(*) FILTER (WHERE n.lexname = asked.lexname) FROM
	(SELECT lexname FROM learnt WHERE learnt.id <> asked.id ORDER BY learnt.levels <#> asked.levels LIMIT 10) n)), 1) AS "pca, 64 bytes",
	round(avg((SELECT count(*) FILTER (WHERE n.lexname = asked.lexname) FROM
	(SELECT lexname FROM learnt WHERE learnt.id <> asked.id ORDER BY learnt.code <~> asked.code LIMIT 10) n)), 1) AS "class, 32 bytes"
FROM asked;
\echo '  Words alone leave pca little to find. Labels do more: 32 bytes that learnt from'
\echo '  half of the entries come close to 64 bytes of random projections, on the others.'
