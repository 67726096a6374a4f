-- What methods of training reach on rows that they did not see; bench/held.sh
-- runs it.  Rows with a number that 10 divides ask, and are not learnt from.
SET client_min_messages = warning;
\set held 'id % 10 = 0'
CREATE FUNCTION pg_temp.line(what text, numbers float8[], more text DEFAULT '') RETURNS text LANGUAGE sql AS $$
	SELECT rpad(what, 74) || to_char(avg(v), '0.999') || ' +-' || to_char(stddev(v) / sqrt(count(*)), 'FM0.0000') || more FROM unnest(numbers) AS v $$;
CREATE TABLE item AS
SELECT row_number() OVER (ORDER BY d.id) - 1 AS id, lexname, hashtext(lexname)::bigint AS label, l2_normalize(embedding) AS x,
	coalesce((SELECT svec_agg(1 + (hashtext(lexeme) & 2147483647) % 30000, w, 30000) FROM (SELECT lexeme, 1::real AS w FROM unnest(to_tsvector('english', replace(words, '_', ' ')))) AS t), '{}/30000') AS words,
	coalesce((SELECT svec_agg(1 + (hashtext(lexeme) & 2147483647) % 30000, w, 30000) FROM (SELECT lexeme, 1::real AS w FROM unnest(to_tsvector('english', gloss))) AS t), '{}/30000') AS gloss
FROM hashemb JOIN entry d USING (id) WHERE abs(hashint4(d.id)) % 100000 < :rows * 100000.0 / (SELECT count(*) FROM hashemb);
ALTER TABLE item ADD PRIMARY KEY (id);
ANALYZE item;
SELECT count(*) || ' rows, of which ' || count(*) FILTER (WHERE :held) || ' are held out' FROM item;

CREATE TABLE asked AS
SELECT id, x, ARRAY(SELECT i.id FROM item i WHERE i.id % 10 <> 0 ORDER BY cosine_distance(i.x, q.x), i.id LIMIT 10) AS near FROM item q WHERE :held AND id < 2000;

\if :levels
\echo
\echo Codes of several bits: share of the ten nearest by cosine, between codes and by float, of 200 rows held out
CREATE FUNCTION pg_temp.levels(spec jsonb, m hashemb_model) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	way text;
	query text;
	found float8[];
BEGIN
	CREATE TEMP TABLE coded AS SELECT id, hashemb_encode(m, x) AS code FROM item WHERE id % 10 <> 0;
	FOREACH way IN ARRAY '{code <=>,code <#>,float <=>,query <=>,query <#>}'::text[] LOOP
		CONTINUE WHEN way ~ 'query' AND hashemb_export(m) #> '{views,0,query}' IS NULL;
		query := CASE split_part(way, ' ', 1) WHEN 'code' THEN 'hashemb_encode($1, x)' WHEN 'float' THEN 'hashemb_project($1, x)' ELSE 'hashemb_project($1, x, ''query'')' END;
		EXECUTE format('WITH q AS MATERIALIZED (SELECT near, %s AS c FROM asked)
			SELECT array_agg((SELECT count(*) FROM unnest(near) n WHERE n = ANY (ARRAY(SELECT id FROM coded ORDER BY code %s c, id LIMIT 10))) / 10.0) FROM q', query, split_part(way, ' ', 2))
		INTO found USING m;
		RETURN NEXT pg_temp.line(spec::text || ' ' || way, found);
	END LOOP;
	DROP TABLE coded;
END $$;
SELECT pg_temp.levels(spec, m) FROM (
	SELECT spec, hashemb_train(spec, x ORDER BY id) AS m FROM item, unnest(ARRAY['{"method":"pca","dims":128,"bits":4}', '{"method":"pca","dims":128,"bits":4,"center":true}',
		'{"method":"pca","dims":256,"bits":2}', '{"method":"pca","dims":256,"bits":2,"center":true}', '{"method":"rbin","dims":256,"bits":2}']::jsonb[]) AS spec
	WHERE NOT :held GROUP BY spec) AS s;

\endif
\if :blocking
\echo
\echo Blocking: an entry by its words, by its gloss; share of the matches held out among the nearest of all pairs of codes, by what share of these are taken
CREATE TABLE blockers AS
SELECT 'pairs, 128 bits' AS method, hashemb_train('{"method":"pairs","bits":128}', words, gloss ORDER BY id) AS m FROM item WHERE NOT :held UNION ALL
SELECT method || ', 128 bits', hashemb_train(jsonb_build_object('method', method, 'bits', 128), v ORDER BY id, side)
FROM (SELECT id, 1 AS side, words AS v FROM item UNION ALL SELECT id, 2, gloss FROM item) AS s, unnest('{pca,itq,random}'::text[]) AS method WHERE NOT :held GROUP BY method;
CREATE TABLE blocked AS
SELECT method, id, hashemb_encode(m, words) AS a, hashemb_encode(m, gloss, (hashemb_info(m)).views) AS b FROM blockers, item WHERE :held AND id < 30000;
CREATE TABLE ranked AS
SELECT method, far, count(*) AS pairs, count(*) FILTER (WHERE matches) AS matches FROM (
	SELECT l.method, l.a <~> r.b AS far, l.id = r.id AS matches FROM blocked l JOIN blocked r USING (method)) AS s GROUP BY method, far;
SELECT rpad(method || ', by <~>, share of pairs ' || share, 74) || to_char(c, '0.999') || ' +-' || to_char(sqrt(c * (1 - c) / n), 'FM0.0000') FROM (
	SELECT method, share, sum(matches * greatest(least((share * total - before) / pairs, 1), 0)) / sum(matches) AS c, sum(matches) AS n FROM (
		SELECT *, sum(pairs) OVER (PARTITION BY method) AS total, sum(pairs) OVER (PARTITION BY method ORDER BY far) - pairs AS before FROM ranked) AS r, unnest('{0.0005,0.005,0.05}'::float8[]) AS share
	GROUP BY method, share) AS s ORDER BY share, method;
SELECT rpad(method || format(', %s keys of %s bits', n, k), 74) || to_char(c, '0.999') || ' +-' || to_char(sqrt(c * (1 - c) / asked), 'FM0.0000') || ' of a share ' || to_char(share, '0.9999')
FROM (SELECT method, n, k, (SELECT count(*) FROM blocked WHERE method = s.method) AS asked, count(*) FILTER (WHERE l = r) / (SELECT count(*) FROM blocked WHERE method = s.method)::float8 AS c, count(*) / (SELECT count(*) FROM blocked WHERE method = s.method) ^ 2::float8 AS share FROM (
	SELECT DISTINCT x.method, n, k, x.id AS l, y.id AS r FROM (VALUES (16, 8), (12, 10), (9, 14)) AS v(n, k),
		LATERAL (SELECT method, id, key FROM blocked, unnest(block_keys(a, n, k)) AS key WHERE method ~ 'pairs|pca') AS x JOIN LATERAL (SELECT method, id, key FROM blocked, unnest(block_keys(b, n, k)) AS key) AS y USING (method, key)) AS s
	GROUP BY method, n, k) AS t ORDER BY k, method;

\endif
\if :cross
\echo
\echo Two views, dense and sparse, 3 % of the rows in pairs: the partner among the nearest hundredth, there and back, of rows held out
CREATE TABLE crossed AS SELECT id, x, gloss, id % 33 = 1 AS pair FROM item;
CREATE FUNCTION pg_temp.partners(a text, b text, operator text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE found float8[];
BEGIN
	EXECUTE format('CREATE TEMP TABLE sides AS SELECT id, %s AS a, %s AS b FROM crossed, cross_models WHERE id %% 10 = 0', a, b);
	EXECUTE format('SELECT array_agg((place <= (SELECT count(*) FROM sides) / 100.0)::int) FROM (
		SELECT (SELECT 1 + count(*) FILTER (WHERE q.a %1$s d.b < q.a %1$s q.b) + count(*) FILTER (WHERE q.a %1$s d.b = q.a %1$s q.b AND d.id <> q.id) / 2.0 FROM sides d) AS place FROM sides q WHERE id %% 20 = 0
		UNION ALL SELECT (SELECT 1 + count(*) FILTER (WHERE d.a %1$s q.b < q.a %1$s q.b) + count(*) FILTER (WHERE d.a %1$s q.b = q.a %1$s q.b AND d.id <> q.id) / 2.0 FROM sides d) FROM sides q WHERE id %% 20 = 0) AS s', operator) INTO found;
	DROP TABLE sides;
	RETURN found;
END $$;
CREATE FUNCTION pg_temp.cosine(a real[], b real[]) RETURNS float8 LANGUAGE sql IMMUTABLE RETURN cosine_distance(a, b);
CREATE OPERATOR pg_temp.<==> (LEFTARG = real[], RIGHTARG = real[], FUNCTION = pg_temp.cosine);
CREATE TABLE cross_models AS
SELECT hashemb_train('{"method":"cross","bits":128}', x, gloss ORDER BY id) FILTER (WHERE pair) AS alone,
	hashemb_train('{"method":"cross","bits":128}', CASE WHEN pair OR id % 2 = 0 THEN x END, CASE WHEN pair OR id % 2 = 1 THEN gloss END ORDER BY id) AS helped,
	hashemb_train('{"method":"cross","bits":128,"alpha":0.3,"lambda":0.01}', CASE WHEN pair OR id % 2 = 0 THEN x END, CASE WHEN pair OR id % 2 = 1 THEN gloss END ORDER BY id) AS given,
	hashemb_train('{"method":"fit","out":"float"}', gloss, x ORDER BY id) FILTER (WHERE pair) AS fit
FROM crossed WHERE NOT :held;
SELECT pg_temp.line('cross, 128 bits, pairs alone', pg_temp.partners('hashemb_encode(alone, x)', 'hashemb_encode(alone, gloss, 2)', '<~>'));
SELECT pg_temp.line('the same, floats by cosine', pg_temp.partners('hashemb_project(alone, x)', 'hashemb_project(alone, gloss, 2)', 'OPERATOR(pg_temp.<==>)'));
SELECT pg_temp.line('cross, 128 bits, and single rows', pg_temp.partners('hashemb_encode(helped, x)', 'hashemb_encode(helped, gloss, 2)', '<~>'));
SELECT pg_temp.line('cross, 128 bits, single rows counted .3, lambda .01', pg_temp.partners('hashemb_encode(given, x)', 'hashemb_encode(given, gloss, 2)', '<~>'));
SELECT pg_temp.line('fit of the pairs, sparse to dense, floats by cosine', pg_temp.partners('x', 'hashemb_project(fit, gloss)', 'OPERATOR(pg_temp.<==>)'));

\endif
\if :fit
\echo
\echo fit, sparse to dense, of 2,000 pairs: share of the ten nearest of the dense vectors, 200 rows held out
CREATE FUNCTION pg_temp.fitted(m hashemb_model) RETURNS float8[] LANGUAGE sql AS $$
	SELECT array_agg((SELECT count(*) FROM unnest(near) n WHERE n = ANY (ARRAY(SELECT id FROM item WHERE id % 10 <> 0 ORDER BY cosine_distance(item.x, y), id LIMIT 10))) / 10.0)
	FROM (SELECT near, hashemb_project(m, gloss) AS y FROM asked JOIN item USING (id) OFFSET 0) AS s $$;
SELECT pg_temp.line(spec::text, pg_temp.fitted(m)) FROM (
	SELECT spec, hashemb_train(spec, gloss, x ORDER BY id) AS m FROM (SELECT * FROM item WHERE NOT :held ORDER BY hashint8(id) LIMIT 2000) AS s,
		unnest(ARRAY['{"method":"fit","out":"float"}', '{"method":"fit","out":"float","features":512,"lambda":0.01}', '{"method":"fit","out":"float","features":1024,"lambda":0.3}']::jsonb[]) AS spec GROUP BY spec) AS s;

\endif
\if :old
\echo
\echo A new embedding model, old codes stay: its queries among codes of the old one (the first 256 dimensions), share of the ten nearest by the new vectors
CREATE TABLE old_model AS SELECT hashemb_train('{"method":"pca","dims":128,"bits":2}', x[:256] ORDER BY id) AS m FROM item WHERE NOT :held;
CREATE TABLE old_code AS SELECT id, hashemb_encode(m, x[:256]) AS code FROM item, old_model WHERE NOT :held;
CREATE TABLE new_models AS
SELECT hashemb_train('{"method":"fit"}', x, code, m ORDER BY id) AS fit, hashemb_train('{"method":"rbin"}', x, code, m ORDER BY id) AS rbin
FROM item JOIN old_code USING (id), old_model;
CREATE FUNCTION pg_temp.old_found(query text) RETURNS float8[] LANGUAGE plpgsql AS $$
DECLARE found float8[];
BEGIN
	EXECUTE format('WITH q AS MATERIALIZED (SELECT near, %s AS c FROM asked, old_model o, new_models n)
		SELECT array_agg((SELECT count(*) FROM unnest(near) n WHERE n = ANY (ARRAY(SELECT id FROM old_code ORDER BY code <=> c, id LIMIT 10))) / 10.0) FROM q', query) INTO found;
	RETURN found;
END $$;
SELECT pg_temp.line(name, pg_temp.old_found(query)) FROM (VALUES ('the old model''s own queries', 'hashemb_encode(o.m, x[:256])'), ('fit, codes', 'hashemb_encode(fit, x)'), ('fit, floats', 'hashemb_project(fit, x)'),
	('rbin, codes', 'hashemb_encode(rbin, x)'), ('rbin, floats', 'hashemb_project(rbin, x)')) AS v(name, query);

\endif
\if :votes
\echo
\echo Votes of three views, of 45 labels: mean average precision of 300 rows held out
CREATE TABLE viewed AS
SELECT id, label, hashemb_encode(a, x) AS dense, hashemb_encode(b, gloss) AS gloss, hashemb_encode(c, words) AS words
FROM item, (SELECT hashemb_train('{"method":"class","bits":64}', x, label ORDER BY id) AS a, hashemb_train('{"method":"class","bits":64}', gloss, label ORDER BY id) AS b,
	hashemb_train('{"method":"class","bits":64}', words, label ORDER BY id) AS c FROM item WHERE NOT :held AND id % 2 = 0) AS s WHERE id % 10 = 0 OR id % 5 = 1;
CREATE TABLE voted AS
SELECT id, label, dense, gloss, words, bit_vote(ARRAY[dense, gloss, words]) AS equal, bit_vote(ARRAY[dense, gloss, words], w) AS weighted, bit_vote(ARRAY[dense, gloss, words], wl) AS labelled
FROM viewed, (SELECT hashemb_view_weights(ARRAY[dense, gloss, words] ORDER BY id) AS w, hashemb_view_weights(ARRAY[dense, gloss, words], label ORDER BY id) AS wl FROM viewed WHERE id % 5 = 1 AND id % 2 = 1) AS t;
SELECT 'weights ' || (SELECT array_agg(round(w::numeric, 3)) FROM unnest(hashemb_view_weights(ARRAY[dense, gloss, words] ORDER BY id)) w)::text || ', by labels ' ||
	(SELECT array_agg(round(w::numeric, 3)) FROM unnest(hashemb_view_weights(ARRAY[dense, gloss, words], label ORDER BY id)) w)::text FROM viewed WHERE id % 5 = 1 AND id % 2 = 1;
SELECT pg_temp.line(name, array_agg(ap)) FROM (
	SELECT name, q.id, average_precision(d.label = q.label, CASE name WHEN 'dense' THEN q.dense <~> d.dense WHEN 'gloss' THEN q.gloss <~> d.gloss WHEN 'words' THEN q.words <~> d.words
		WHEN 'equal votes' THEN q.equal <~> d.equal WHEN 'weighted votes' THEN q.weighted <~> d.weighted ELSE q.labelled <~> d.labelled END) AS ap
	FROM voted q, voted d, unnest('{dense,gloss,words,equal votes,weighted votes,"weighted votes, by labels"}'::text[]) AS name WHERE q.id % 10 = 0 AND q.id % 100 = 0 AND d.id % 5 = 1 GROUP BY name, q.id) AS s GROUP BY name ORDER BY name;
\endif
