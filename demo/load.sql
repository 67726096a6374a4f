-- WordNet as a table with a binary code a row.
--
-- Expects the psql variables synset and parent: commands that print the rows.
-- Progress lines come from \echo, so that each says what is being done.

\set ON_ERROR_STOP on
\set QUIET on
SET client_min_messages = warning;

CREATE EXTENSION hashemb;

\echo '  reading WordNet'
CREATE TABLE synset (
	id int PRIMARY KEY,
	pos text NOT NULL,
	lexname text NOT NULL,
	words text[] NOT NULL,
	definition text NOT NULL,
	n_relations int NOT NULL,
	seen int NOT NULL);
CREATE TEMP TABLE parent (id int, parent int);
COPY synset FROM PROGRAM :'synset_command';
COPY parent FROM PROGRAM :'parent_command';
ANALYZE synset;
ANALYZE parent;

\echo '  finding what each is a kind of'
CREATE TEMP TABLE kind AS
WITH RECURSIVE above(id, kind, steps) AS (
	SELECT id, parent, 1 FROM parent JOIN synset USING (id)
	WHERE pos IN ('noun', 'verb')
	UNION
	SELECT above.id, parent.parent, steps + 1
	FROM above JOIN parent ON parent.id = above.kind
	WHERE steps < 20)
SELECT id, array_agg(DISTINCT lower(words[1])) AS tags
FROM (SELECT above.id, words FROM above JOIN synset ON synset.id = kind) a
GROUP BY id;

\echo '  splitting words and definitions into terms'
CREATE TEMP TABLE lexeme AS
SELECT s.id, lexeme, sum(part.weight * cardinality(positions)) AS weight
FROM synset s,
	LATERAL (VALUES (0.7::float8, array_to_string(words, ' ')),
		(1.0, definition)) AS part(weight, body),
	unnest(to_tsvector('english', part.body))
GROUP BY s.id, lexeme;

\echo '  weighing terms: a rare one says more than a common one'
CREATE TABLE term AS
SELECT row_number() OVER (ORDER BY lexeme)::int AS id, lexeme,
	ln((SELECT count(*) FROM synset) / greatest(count(*), 10)::float8) AS weight
FROM lexeme GROUP BY lexeme;
ALTER TABLE term ADD PRIMARY KEY (lexeme);
ANALYZE term;
CREATE TEMP TABLE weighed AS
SELECT lexeme.id, term.id AS term, lexeme.weight * term.weight AS weight
FROM lexeme JOIN term USING (lexeme);
ANALYZE weighed;

-- A definition alone is short; what a thing is a kind of says more about it,
-- the less the further up.
\echo '  adding the terms of what each is a kind of'
CREATE TEMP TABLE document AS
SELECT id, id AS source, 1.0::float8 AS share FROM synset
UNION ALL
SELECT id, parent, 0.5 FROM parent
UNION ALL
SELECT DISTINCT parent.id, above.parent, 0.25
FROM parent JOIN parent above ON above.id = parent.parent;

\echo '  making a sparse vector and a code of 512 bits a row'
CREATE TABLE entry AS
SELECT s.id, pos, lexname, words, definition, n_relations, seen,
	coalesce(tags, '{}') AS tags,
	vector::svec(100000) AS vector,
	simhash(vector, 512, 1)::bincode(512) AS code
FROM synset s LEFT JOIN kind USING (id) JOIN (
	SELECT document.id, svec_agg(term::bigint, share * weight, 100000)
			AS vector
	FROM document JOIN weighed ON weighed.id = source
	GROUP BY document.id) v ON v.id = s.id
ORDER BY s.id;
DROP TABLE synset;
ALTER TABLE entry ADD PRIMARY KEY (id);
ANALYZE entry;

CREATE TABLE word AS
SELECT lower(word) AS word, id, pos, seen
FROM entry, unnest(words) AS word;
CREATE INDEX ON word (word);
ANALYZE word;

-- The entry of a word in its most frequent sense
CREATE FUNCTION id_of(sought text, part text DEFAULT NULL) RETURNS int
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
	result int;
BEGIN
	SELECT id INTO result FROM word
	WHERE word.word = lower(sought) AND (part IS NULL OR pos = part)
	ORDER BY seen DESC, id LIMIT 1;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'the dictionary has no % "%"',
			coalesce(part, 'word'), sought
			USING ERRCODE = 'no_data_found',
			HINT = format('SELECT DISTINCT word, pos FROM word'
				' WHERE word LIKE %L LIMIT 20;', left(lower(sought), 3) || '%');
	END IF;
	RETURN result;
END $$;

-- Its code and its vector
CREATE FUNCTION code_of(sought text, part text DEFAULT NULL) RETURNS bincode
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT code FROM entry WHERE id = id_of(sought, part)
$$;
CREATE FUNCTION vector_of(sought text, part text DEFAULT NULL) RETURNS svec
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT vector FROM entry WHERE id = id_of(sought, part)
$$;

-- The vector and the code of any text
CREATE FUNCTION vector_of_text(body text) RETURNS svec
LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
	result svec;
BEGIN
	SELECT svec_agg(term.id::bigint, term.weight, 100000) INTO result
	FROM unnest(to_tsvector('english', body)) JOIN term USING (lexeme);
	IF result IS NULL THEN
		RAISE EXCEPTION 'the dictionary has no word of "%"', body
			USING ERRCODE = 'no_data_found';
	END IF;
	RETURN result;
END $$;
CREATE FUNCTION code_of_text(body text) RETURNS bincode
LANGUAGE sql STABLE PARALLEL SAFE AS $$
	SELECT simhash(vector_of_text(body), 512, 1)
$$;
