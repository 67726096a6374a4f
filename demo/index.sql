-- The index, and how long it takes.
\echo
\echo '    CREATE INDEX IF NOT EXISTS entry_code ON entry'
\echo '        USING hashemb (code, pos, lexname, n_relations, tags);'
\echo
SELECT clock_timestamp() AS started \gset
CREATE INDEX entry_code ON entry
	USING hashemb (code, pos, lexname, n_relations, tags);
SELECT format('  %s rows in %s s, %s', to_char(count(*), 'FM999,999'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('entry_code')))
FROM entry;
VACUUM ANALYZE entry;
