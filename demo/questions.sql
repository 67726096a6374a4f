-- Questions that a person understands.
\ir ask.sql

SELECT ask('Things like a bicycle, only nouns.', $$
SELECT code <~> (SELECT code_of('bicycle')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE pos = 'noun'
ORDER BY distance LIMIT 8$$);

\echo
\echo '  What the index did: it read few of its blocks (Blocks), and computed the distance'
\echo '  of few of the 117,655 entries (Rows Scored).'
SELECT explained($$
SELECT code <~> (SELECT code_of('bicycle')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE pos = 'noun'
ORDER BY distance LIMIT 8$$);

SELECT ask('Things like lemonade, only food.', $$
SELECT code <~> (SELECT code_of('lemonade')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE lexname = 'noun.food'
ORDER BY distance LIMIT 8$$);

SELECT ask('The same, told to miss nothing.', $$
SET hashemb.recall = 1;
SELECT code <~> (SELECT code_of('lemonade')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE lexname = 'noun.food'
ORDER BY distance LIMIT 8;
RESET hashemb.recall$$);

SELECT ask('A filter far from the query: like lemonade, but only verbs of weather.
  Nothing there is like lemonade. The nearest are found all the same, as many as
  were asked for: a search knows when it has not seen enough yet.', $$
SELECT code <~> (SELECT code_of('lemonade')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE lexname = 'verb.weather'
ORDER BY distance LIMIT 8$$);

SELECT ask('A range: like a violin, and well connected to other entries.', $$
SELECT code <~> (SELECT code_of('violin')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE n_relations BETWEEN 5 AND 40
ORDER BY distance LIMIT 8$$);

SELECT ask('An array and a range: like a guitar, but with a keyboard, and not the
  general kinds (few relations).', $$
SELECT code <~> (SELECT code_of('guitar')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE tags && '{keyboard instrument}' AND n_relations <= 4
ORDER BY distance LIMIT 5$$);

SELECT ask('Free text: an irrational fear of spiders, as a state of mind.', $$
SELECT code <~> (SELECT code_of_text('an irrational fear of spiders')) AS distance,
    words[1] AS word, left(definition, 50) AS definition
FROM entry WHERE lexname = 'noun.state'
ORDER BY distance LIMIT 8$$);

SELECT ask('Codes find, vectors decide: the 100 nearest codes, ranked by the whole
  vectors. "Every row" ranks all rows by their vectors.', $$
SELECT vector <=> (SELECT vector_of_text('an instrument with strings and a bow')) AS distance,
    word, left(definition, 50) AS definition
FROM (
    SELECT vector, words[1] AS word, definition
    FROM entry WHERE lexname = 'noun.artifact'
    ORDER BY code <~> (SELECT code_of_text('an instrument with strings and a bow'))
    LIMIT 100) AS candidate
ORDER BY distance LIMIT 8$$, $$
SELECT vector <=> (SELECT vector_of_text('an instrument with strings and a bow')) AS distance,
    words[1] AS word
FROM entry WHERE lexname = 'noun.artifact'
ORDER BY distance LIMIT 8$$);

SELECT ask('A join: stringed instruments, and whatever in the dictionary has a code that
  differs in at most 80 of 512 bits. Each pair is found: a condition is exact.', $$
SELECT a.code <~> b.code AS distance,
    a.words[1] || ' / ' || b.words[1] AS word, left(b.definition, 50) AS definition
FROM entry a JOIN entry b ON hamming_within(a.code, b.code, 80)
WHERE a.tags && '{stringed instrument}' AND a.id < b.id
ORDER BY distance, a.id, b.id LIMIT 8$$);

\echo
\echo '* And on average? 200 entries of the dictionary, the 10 nearest to each: the share'
\echo '  that is found.'
SELECT shown('SELECT recall FROM hashemb_measure_recall(''entry_code'', 10, 200)');
SELECT '  recall ' || round(recall::numeric, 3)
FROM hashemb_measure_recall('entry_code', 10, 200);
