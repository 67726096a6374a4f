-- The same questions asked of the sparse vectors themselves: one weight a term,
-- found through an index of their own. Answers of codes and vectors stand side
-- by side, and the terms that two vectors share say why they are alike.
\echo '  CREATE INDEX entry_vector ON entry'
\echo '      USING hashemb (vector svec_cosine_ops, pos, lexname, n_relations, tags);'
SELECT clock_timestamp() AS started \gset
CREATE INDEX entry_vector ON entry
	USING hashemb (vector svec_cosine_ops, pos, lexname, n_relations, tags);
SELECT format('  %s weights of %s terms in %s s, %s', to_char(sum(nnz(vector)), 'FM999,999,999'),
	to_char((SELECT count(*) FROM term), 'FM999,999'),
	round(extract(epoch FROM clock_timestamp() - :'started')::numeric, 1),
	pg_size_pretty(pg_relation_size('entry_vector')))
FROM entry;
VACUUM ANALYZE entry;

-- The vector of a word in its most frequent sense
CREATE FUNCTION vector_of(word text, pos text DEFAULT NULL) RETURNS svec
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT vector FROM word JOIN entry USING (id)
	WHERE word.word = $1 AND ($2 IS NULL OR word.pos = $2)
	ORDER BY word.seen DESC, id LIMIT 1
$$;

CREATE FUNCTION distances_of(rows json) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(r ->> 'distance', ' ' ORDER BY n)
	FROM json_array_elements(rows) WITH ORDINALITY AS row(r, n)
$$;

-- Eight answers of codes, eight of vectors, and how long both took. The code
-- and the vector to look for are SQL, and so is the filter.
CREATE FUNCTION beside(question text, code text, vector text, filter text)
RETURNS SETOF text
LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
	query text := 'SELECT %s AS distance, words[1] AS word FROM entry WHERE '
		|| filter || ' ORDER BY distance LIMIT 8';
	by_code record;
	by_vector record;
	exact record;
	width int;
BEGIN
	by_code := measure(format(query, 'code <~> (SELECT ' || code || ')'), 3);
	by_vector := measure(format(query, 'vector <=> (SELECT ' || vector || ')'), 3);
	PERFORM set_config('enable_indexscan', 'off', true),
		set_config('enable_bitmapscan', 'off', true);
	exact := measure(format(query, 'vector <=> (SELECT ' || vector || ')'), 1);
	PERFORM set_config('enable_indexscan', 'on', true),
		set_config('enable_bitmapscan', 'on', true);
	SELECT greatest(max(length(r ->> 'word')), 24) + 4 INTO width
	FROM json_array_elements(by_code.rows) r;

	RETURN NEXT '';
	RETURN NEXT '* ' || question;
	RETURN NEXT '';
	RETURN NEXT '    ... ORDER BY vector <=> ' || vector;
	RETURN NEXT '';
	RETURN NEXT '  ' || rpad('by code', width) || 'by sparse vector';
	RETURN NEXT '  ' || rpad('-------', width) || '----------------';
	FOR i IN 0 .. 7 LOOP
		RETURN NEXT '  ' || rpad(coalesce(by_code.rows -> i ->> 'word', ''), width)
			|| coalesce(by_vector.rows -> i ->> 'word', '');
	END LOOP;
	RETURN NEXT '';
	RETURN NEXT '  ' || rpad(spell(by_code.ms), width) || spell(by_vector.ms)
		|| ', ' || spell(exact.ms) || ' over every row: '
		|| CASE WHEN distances_of(by_vector.rows) = distances_of(exact.rows)
			THEN 'the same distances' ELSE 'other distances' END;
END $$;

SELECT beside('Things like lemonade, only food.',
	$$code_of('lemonade')$$, $$vector_of('lemonade')$$, $$lexname = 'noun.food'$$);
SELECT beside('A filter far from the query: like lemonade, but only verbs of weather.',
	$$code_of('lemonade')$$, $$vector_of('lemonade')$$, $$lexname = 'verb.weather'$$);
SELECT beside('Like a guitar, but with a keyboard, and not the general kinds.',
	$$code_of('guitar')$$, $$vector_of('guitar')$$,
	$$tags && '{keyboard instrument}' AND n_relations <= 4$$);
SELECT beside('Free text: an irrational fear of spiders, as a state of mind.',
	$$code_of_text('an irrational fear of spiders')$$,
	$$vector_of_text('an irrational fear of spiders')$$, $$lexname = 'noun.state'$$);

-- score_terms() tells which dimensions make a score; term has their names
SELECT E'\n* Why? The terms that the nearest state of mind shares with "an irrational\n'
	'  fear of spiders", and what each adds to the product of both vectors.\n';
\echo '    SELECT lexeme, contribution'
\echo '    FROM nearest, score_terms(vector, vector_of_text(...)) JOIN term ON id = dim'
\echo ''
WITH nearest AS (
	SELECT words[1] AS word, vector FROM entry WHERE lexname = 'noun.state'
	ORDER BY vector <=> (SELECT vector_of_text('an irrational fear of spiders'))
	LIMIT 1)
SELECT format('  %s  %s %s', rpad(word, 16), rpad(lexeme, 12),
	lpad(round(contribution::numeric, 2)::text, 6))
FROM nearest, score_terms(vector, vector_of_text('an irrational fear of spiders'))
JOIN term ON term.id = dim
ORDER BY contribution DESC;
