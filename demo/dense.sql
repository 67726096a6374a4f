-- Vectors of floats, as a model of texts makes them; here the words of an entry,
-- thrown together at random into 128 numbers. One table, one query; an HNSW
-- index, where pgvector is installed, and one of hashemb in its place.
SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')
	AS has_pgvector \gset
SET client_min_messages = warning;
\if :has_pgvector
CREATE EXTENSION IF NOT EXISTS hashemb_pgvector CASCADE;
\set type vector(128)
\set class vector_cosine_ops
\else
\set type real[]
\set class real_cosine_ops
\endif
RESET client_min_messages;

\echo
\echo '    CREATE TABLE IF NOT EXISTS entry_dense AS'
\echo '    SELECT id, words, pos, lexname, n_relations, (SELECT svec_agg('
\echo '            1 + (hashint4(2 * d + part) & 127),'
\echo '            CASE WHEN hashint4(-2 * d - part) > 0 THEN w ELSE -w END, 128)::real[]'
\echo '        FROM unnest(indices(vector), weights(vector)) AS u(d, w),'
\echo '            generate_series(0, 1) AS part)::':type' AS meaning'
\echo '    FROM entry;'
\echo
CREATE TABLE entry_dense AS
SELECT id, words, pos, lexname, n_relations, (SELECT svec_agg(
		1 + (hashint4(2 * d + part) & 127),
		CASE WHEN hashint4(-2 * d - part) > 0 THEN w ELSE -w END, 128)::real[]
	FROM unnest(indices(vector), weights(vector)) AS u(d, w),
		generate_series(0, 1) AS part):::type AS meaning
FROM entry;
VACUUM ANALYZE entry_dense;

-- What every row tells, for 59 entries: the distance of the tenth, among all and
-- among verbs
CREATE TABLE dense_truth (filter text, id int, tenth float8);
CREATE FUNCTION dense_query(filter text) RETURNS text LANGUAGE sql AS $$
	SELECT 'SELECT array_agg(d) FROM (SELECT meaning <=> $1 AS d FROM entry_dense
		WHERE ' || filter || ' ORDER BY meaning <=> $1 LIMIT 10) q'
$$;
CREATE FUNCTION find_dense_truth() RETURNS void LANGUAGE plpgsql
	SET enable_indexscan = off SET enable_bitmapscan = off AS $$
DECLARE
	filter text;
	asked record;
	found float8[];
BEGIN
	FOREACH filter IN ARRAY '{true,pos = ''verb'',n_relations > 40}'::text[] LOOP
		FOR asked IN SELECT id, meaning FROM entry_dense WHERE id % 2000 = 7 LOOP
			EXECUTE dense_query(filter) INTO found USING asked.meaning;
			INSERT INTO dense_truth VALUES (filter, asked.id, (SELECT max(d) FROM unnest(found) d));
		END LOOP;
	END LOOP;
END $$;
SELECT find_dense_truth();

-- The share of these that an index finds, and its mean time
CREATE FUNCTION dense_line(what text, filter text) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
	asked record;
	found float8[];
	good int := 0;
	number int := 0;
	total float8 := 0;
	started timestamptz;
BEGIN
	FOR asked IN SELECT meaning, tenth FROM entry_dense JOIN dense_truth t USING (id)
		WHERE t.filter = dense_line.filter ORDER BY id
	LOOP
		EXECUTE dense_query(filter) INTO found USING asked.meaning;
		started := clock_timestamp();
		EXECUTE dense_query(filter) INTO found USING asked.meaning;
		total := total + extract(epoch FROM clock_timestamp() - started) * 1000;
		good := good + (SELECT count(*) FROM unnest(found) d WHERE d <= asked.tenth);
		number := number + 1;
	END LOOP;
	RETURN format('  %s %s %s %s', rpad(what, 12),
		rpad(CASE filter WHEN 'true' THEN 'no filter' ELSE filter END, 18),
		lpad(round(good / (10.0 * number), 2)::text, 6), lpad(spell(total / number), 8));
END $$;

\echo '* One column, one query, 59 entries to ask for: the share of the 10 nearest that is'
\echo '  found, and the mean time. A filter comes with the query, as a WHERE clause.'
SELECT shown('SELECT words[1] AS word FROM entry_dense WHERE pos = ''verb''
ORDER BY meaning <=> (SELECT meaning FROM entry_dense WHERE id = 7) LIMIT 10');
\if :has_pgvector
SET hnsw.iterative_scan = 'relaxed_order';
SET maintenance_work_mem = '256MB';
SELECT clock_timestamp() AS started \gset
CREATE INDEX entry_meaning ON entry_dense USING hnsw (meaning vector_cosine_ops);
SELECT format(E'  CREATE INDEX entry_meaning ON entry_dense USING hnsw (meaning vector_cosine_ops);\n'
	'  %s s, %s', round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('entry_meaning')));
SELECT dense_line('hnsw', filter) FROM unnest('{true,pos = ''verb'',n_relations > 40}'::text[]) filter;
DROP INDEX entry_meaning;
\echo
\endif
SELECT clock_timestamp() AS started \gset
CREATE INDEX entry_meaning ON entry_dense
	USING hashemb (meaning :class, pos, lexname, n_relations);
SELECT format(E'  CREATE INDEX entry_meaning ON entry_dense\n'
	'      USING hashemb (meaning %s, pos, lexname, n_relations);\n'
	'  %s s, %s', :'class',
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('entry_meaning')));
SELECT dense_line('hashemb', filter) FROM unnest('{true,pos = ''verb'',n_relations > 40}'::text[]) filter;
\echo
\echo '  The table keeps the floats; the index keeps a code of each, and the columns to'
\echo '  filter by. docs/dense.md says more.'
