-- The whole vectors, one weight a word, found through an index of their own.
-- Answers of codes and vectors stand side by side, and the words that two
-- vectors share say why they are alike.
\echo
\echo '    CREATE INDEX IF NOT EXISTS entry_vector ON entry'
\echo '        USING hashemb (vector svec_cosine_ops, pos, lexname, n_relations, tags);'
\echo
SELECT clock_timestamp() AS started \gset
CREATE INDEX entry_vector ON entry
	USING hashemb (vector svec_cosine_ops, pos, lexname, n_relations, tags);
SELECT format('  %s weights of %s words in %s s, %s', to_char(sum(nnz(vector)), 'FM999,999,999'),
	to_char((SELECT count(*) FROM term), 'FM999,999'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('entry_vector')))
FROM entry;
VACUUM ANALYZE entry;

-- Eight answers of codes beside eight of vectors. What to look for is SQL, and
-- so is the filter.
CREATE FUNCTION beside(question text, code text, vector text, filter text)
RETURNS SETOF text
LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
	query text := E'SELECT %s AS distance,\n    words[1] AS word\nFROM entry WHERE '
		|| filter || E'\nORDER BY distance LIMIT 8';
	by_vector text := format(query, 'vector <=> (SELECT ' || vector || ')');
	code_rows json;
	vector_rows json;
	width int;
BEGIN
	SELECT rows INTO code_rows
	FROM measure(format(query, 'code <~> (SELECT ' || code || ')'), 1);
	SELECT rows INTO vector_rows FROM measure(by_vector, 1);
	SELECT greatest(max(length(r ->> 'word')), 24) + 4 INTO width
	FROM json_array_elements(code_rows) r;

	RETURN NEXT '';
	RETURN NEXT '* ' || question;
	RETURN QUERY SELECT * FROM shown(by_vector);
	RETURN NEXT '  ' || rpad('by code', width) || 'by vector';
	RETURN NEXT '  ' || rpad('-------', width) || '---------';
	FOR i IN 0 .. 7 LOOP
		RETURN NEXT '  ' || rpad(coalesce(code_rows -> i ->> 'word', ''), width)
			|| coalesce(vector_rows -> i ->> 'word', '');
	END LOOP;
END $$;

SELECT beside('Free text: an irrational fear of spiders, as a state of mind.',
	$$code_of_text('an irrational fear of spiders')$$,
	$$vector_of_text('an irrational fear of spiders')$$, $$lexname = 'noun.state'$$);
SELECT beside('A filter far from the query: like lemonade, but only verbs of weather.',
	$$code_of('lemonade')$$, $$vector_of('lemonade')$$, $$lexname = 'verb.weather'$$);

-- score_terms() tells which dimensions make a score; term has their names
SELECT E'\n* Why? The words that the state of mind nearest to "an irrational fear of\n'
	'  spiders" shares with it, and what each adds to the product of both vectors.';
\set why 'SELECT word, lexeme, round(contribution::numeric, 1) AS contribution\nFROM (SELECT words[1] AS word, vector FROM entry WHERE lexname = ''noun.state''\n    ORDER BY vector <=> (SELECT vector_of_text(''an irrational fear of spiders''))\n    LIMIT 1) AS nearest,\n    score_terms(vector, vector_of_text(''an irrational fear of spiders'')) AS score\n    JOIN term ON term.id = score.dim\nORDER BY contribution DESC'
SELECT shown(:'why');
SELECT format('  %s  %s %s', rpad(word, 16), rpad(lexeme, 12),
	lpad(contribution::text, 6))
FROM (:why) AS q;

-- What the ways to search find and cost, on average, over entries that are far
-- apart: the 10 nearest by the whole vectors, of the same part of speech
CREATE FUNCTION compare(OUT way text, OUT size text, OUT share numeric,
	OUT ms float8)
RETURNS SETOF record LANGUAGE plpgsql AS $$
DECLARE
	-- $1 is a vector, $2 its code, $3 a part of speech
	every text := 'SELECT array_agg(d) FROM (SELECT vector <=> $1 AS d FROM entry
		WHERE pos = $3 ORDER BY vector <=> $1 LIMIT 10) q';
	coded text := 'SELECT array_agg(vector <=> $1) FROM (SELECT vector FROM entry
		WHERE pos = $3 ORDER BY code <~> $2 LIMIT 10) q';
	ranked text := 'SELECT array_agg(d) FROM (SELECT vector <=> $1 AS d FROM
		(SELECT vector FROM entry WHERE pos = $3 ORDER BY code <~> $2 LIMIT 100) c
		ORDER BY d LIMIT 10) q';
	queries text[] := ARRAY[every, every, coded, ranked];
	total float8[] := '{0, 0, 0, 0}';
	good int[] := '{0, 0, 0, 0}';
	number int := 0;
	asked record;
	kth float8;
	started timestamptz;
	got float8[];
BEGIN
	FOR asked IN SELECT vector, code, pos FROM entry WHERE id % 2000 = 7 ORDER BY id
	LOOP
		number := number + 1;
		FOR i IN 1 .. 4 LOOP
			PERFORM set_config('enable_indexscan', (i > 1)::text, true),
				set_config('enable_bitmapscan', (i > 1)::text, true);
			started := clock_timestamp();
			EXECUTE queries[i] INTO got USING asked.vector, asked.code, asked.pos;
			total[i] := total[i]
				+ extract(epoch FROM clock_timestamp() - started) * 1000;
			IF i = 1 THEN
				SELECT max(d) INTO kth FROM unnest(got) d;
			END IF;
			good[i] := good[i] + (SELECT count(*) FROM unnest(got) d WHERE d <= kth);
		END LOOP;
	END LOOP;
	FOR i IN 1 .. 4 LOOP
		way := (ARRAY['every row, by vector', 'the index of vectors',
			'the index of codes', 'the same, the best 10 of 100 by vector'])[i];
		size := CASE WHEN i > 1 THEN pg_size_pretty(pg_relation_size(
			CASE i WHEN 2 THEN 'entry_vector' ELSE 'entry_code' END)) ELSE '-' END;
		share := round(good[i] / (10.0 * number), 2);
		ms := total[i] / number;
		RETURN NEXT;
	END LOOP;
END $$;

\echo
\echo '* Which is better? The 10 nearest by whole vectors, of the same part of speech,'
\echo '  for 59 entries: the share that each way finds, and its mean time.'
SELECT shown('SELECT * FROM compare()');
SELECT format('  %s %s %s %s', rpad(way, 40), lpad(size, 6), lpad(share::text, 6),
	lpad(spell(ms), 8))
FROM compare();
\echo
\echo '  The index of vectors wins here, and it is exact. An entry has but 23 words of'
\echo '  76,000, so a vector is short, and few entries share a word with it. Use it'
\echo '  where vectors are like these: words, or what SPLADE and its like make.'
\echo '  Embeddings are not: each of 768 numbers counts for each row, which is 3,072'
\echo '  bytes. A code of one bit for each has 96. Then codes find and floats decide,'
\echo '  as in the last line. And codes can be learnt, for what you look for:'
