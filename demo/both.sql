-- The same question by code, by words, and by both: a sum of two distances in one
-- plan, each with its index. shown(), made(), measure() and spell() are those of
-- the steps before.

-- Eight answers of each of three orders, side by side, and their times
CREATE FUNCTION three_ways(question text, body text, filter text)
RETURNS SETOF text
LANGUAGE plpgsql SET client_min_messages = warning AS $$
DECLARE
	part text := E'SELECT %s AS distance,\n    words[1] AS word\nFROM entry WHERE '
		|| filter || E'\nORDER BY distance LIMIT 8';
	by_code text := format('code <~> (SELECT code_of_text(%L))', body);
	by_words text := format('vector <=> (SELECT vector_of_text(%L))', body);
	distances text[] := ARRAY[by_code, by_words,
		format(E'(%s) / 512\n    + (%s)', by_code, by_words)];
	found record;
	ranked json[];
	ms float8[];
	width int[];
	every float8;
BEGIN
	FOR way IN 1 .. 3 LOOP
		found := measure(made(format(part, distances[way])), 3);
		ranked[way] := found.rows;
		ms[way] := found.ms;
		width[way] := (SELECT greatest(max(length(r ->> 'word')), 8) + 3
			FROM json_array_elements(found.rows) r);
	END LOOP;
	found := measure_without_index(made(format(part, distances[3])), 1);
	every := found.ms;

	RETURN NEXT '';
	RETURN NEXT '* ' || question;
	RETURN QUERY SELECT * FROM shown(format(part, distances[3]));
	RETURN NEXT '  ' || rpad('by code', width[1]) || rpad('by words', width[2])
		|| 'by both';
	RETURN NEXT '  ' || rpad('-------', width[1]) || rpad('--------', width[2])
		|| '-------';
	FOR i IN 0 .. 7 LOOP
		RETURN NEXT '  ' || rpad(coalesce(ranked[1] -> i ->> 'word', ''), width[1])
			|| rpad(coalesce(ranked[2] -> i ->> 'word', ''), width[2])
			|| coalesce(ranked[3] -> i ->> 'word', '');
	END LOOP;
	RETURN NEXT '';
	RETURN NEXT format('  %s by code, %s by words, %s by both; %s over every row',
		spell(ms[1]), spell(ms[2]), spell(ms[3]), spell(every));
END $$;

SELECT three_ways('Free text: a small boat that is rowed, among things made by man.',
	'a small boat that is moved by oars', $$lexname = 'noun.artifact'$$);
SELECT three_ways('Free text: to talk nonsense at length, only verbs.',
	'talk foolishly and at great length', $$pos = 'verb'$$);

\echo
\echo '  What the plan did: rows that came from each index, and the distance of the last'
\echo '  of them. No row that neither has shown can have a smaller sum than both together.'
SELECT explained($$
SELECT (code <~> (SELECT code_of_text('talk foolishly and at great length'))) / 512
    + (vector <=> (SELECT vector_of_text('talk foolishly and at great length'))) AS distance,
    words[1] AS word
FROM entry WHERE pos = 'verb'
ORDER BY distance LIMIT 8$$);
