-- Orders that a distance decides: 1 - distance DESC and the like
\set ECHO none
\i sql/include/same.sql
\i sql/include/plan.sql
\set ECHO all
CREATE TABLE pic (id int, code bincode(64), a int);
INSERT INTO pic SELECT i, substring(pg_temp.code(i, 100, 'order'), 1, 64)::bincode, i % 10 FROM generate_series(1, 3000) i;
INSERT INTO pic SELECT i, NULL, i % 10 FROM generate_series(3001, 3010) i;
INSERT INTO pic SELECT i, repeat('0', 64)::bincode, i % 10 FROM generate_series(3011, 3020) i;
CREATE INDEX pic_hamming ON pic USING hashemb (code, a);
CREATE INDEX pic_jaccard ON pic USING hashemb (code bincode_jaccard_ops, a);
CREATE INDEX pic_ip ON pic USING hashemb (code bincode_ip_ops, a);
CREATE INDEX pic_cosine ON pic USING hashemb (code bincode_cosine_ops, a);
CREATE TABLE doc (id int, v svec(100), a int);
INSERT INTO doc SELECT i, svec(ARRAY[1 + i % 7, 8 + i % 11, 30 + i % 60], ARRAY[1 + sin(i), 2 + cos(i), 1 + i % 5], 100), i % 10 FROM generate_series(1, 3000) i;
INSERT INTO doc SELECT i, NULL, i % 10 FROM generate_series(3001, 3010) i;
INSERT INTO doc SELECT i, '{}/100', i % 10 FROM generate_series(3011, 3050) i;
CREATE INDEX doc_ip ON doc USING hashemb (v, a);
CREATE INDEX doc_cosine ON doc USING hashemb (v svec_cosine_ops, a);
-- rows without vectors of length zero, and some that are not in blocks yet
CREATE TABLE fresh (LIKE doc);
INSERT INTO fresh SELECT * FROM doc WHERE id <= 3000;
CREATE INDEX fresh_cosine ON fresh USING hashemb (v svec_cosine_ops, a);
INSERT INTO fresh SELECT * FROM doc WHERE id > 3005 ORDER BY id LIMIT 20;
ANALYZE pic;
ANALYZE doc;
ANALYZE fresh;
SET hashemb.recall = 1;

-- Whether a query has the node and no sort, and gives a sequential scan's rows.
-- Rows are the value ordered by, and whether there are NULLs and NaNs among them.
CREATE FUNCTION pg_temp.ordered(tab text, value text, direction text, condition text, k int) RETURNS TABLE (used boolean, same boolean) LANGUAGE plpgsql AS $$
DECLARE
	query text := format('SELECT %s AS value FROM %s WHERE %s ORDER BY value %s LIMIT %s', value, tab, condition, direction, k);
	line text;
	by_node float8[];
	by_scan float8[];
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_indexscan', 'on', true);
	used := false;
	FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
		used := used OR line ~ 'Custom Scan \(hashemb\)';
	END LOOP;
	EXECUTE format('SELECT array_agg(value) FROM (%s) s', query) INTO by_node;
	PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true);
	EXECUTE format('SELECT array_agg(value) FROM (%s) s', query) INTO by_scan;
	PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true);
	same := by_node IS NOT DISTINCT FROM by_scan;
	RETURN NEXT;
END $$;
-- All values in all directions with conditions and numbers of rows: how many there
-- are, how many are by the node, and which differ
CREATE FUNCTION pg_temp.orders(tab text, vals text[], directions text[], conditions text[] DEFAULT '{true,a = 3,a = 1 AND id % 2 = 1,id > 2990}') RETURNS TABLE (searches bigint, by_node bigint, different bigint, example text) LANGUAGE sql AS $$
	SELECT count(*), count(*) FILTER (WHERE used), count(*) FILTER (WHERE NOT same), min(value || ' ' || direction || ' where ' || condition || ' limit ' || k) FILTER (WHERE NOT same)
		FROM unnest(vals) value, unnest(directions) direction, unnest(conditions) condition, unnest('{1,5,15,100,10000}'::int[]) k,
		LATERAL pg_temp.ordered(tab, value, direction, condition, k) $$;
\set q '\'\'\'0011001100110011010101010101010100001111000011110110011001100110\'\'::bincode\''
SELECT pg_temp.plan('SELECT id FROM pic ORDER BY 1 - (code <=> repeat(''01'', 32)::bincode) DESC LIMIT 3');
SELECT pg_temp.plan('SELECT id FROM pic ORDER BY (code <#> repeat(''01'', 32)::bincode) * -1 DESC NULLS LAST, id LIMIT 3');
SELECT pg_temp.plan('SELECT id FROM pic ORDER BY 1 - (code <~> repeat(''01'', 32)::bincode) / 64 DESC, id LIMIT 3');
-- similarities, from the greatest on
SELECT * FROM pg_temp.orders('pic', ARRAY[
	format('1 - (code <=> %s)', :q), format('-(code <#> %s)', :q), format('1 - (code <%%> %s)', :q), format('1.0 - (code <~> %s) / 64', :q),
	format('(code <#> %s) * -1', :q), format('(code <#> %s) / (-64)', :q), format('-1::float8 * (%s <#> code)', :q), format('100 * (1 - (%s <=> code))', :q),
	format('-(-(0.5 - (code <=> %s)) + 1) * 2', :q), '1 - (code <=> array_fill(0::real, ARRAY[64]))', '1 - (code <=> NULL::bincode)'],
	'{DESC,DESC NULLS LAST}');
-- what rises with the distance, from the least on; and NULL first
SELECT * FROM pg_temp.orders('pic', ARRAY[
	format('code <=> %s', :q), format('(code <~> %s) / 64', :q), format('(code <=> %s) - 1', :q), format('-(1 - (code <=> %s))', :q), format('+(code <~> %s) * 3', :q),
	'code <=> array_fill(0::real, ARRAY[64])', 'code <=> NULL::bincode'], '{ASC,ASC NULLS FIRST}');
-- the other way round, or not monotone: not by the node
SELECT * FROM pg_temp.orders('pic', ARRAY[format('1 - (code <=> %s)', :q), format('-(code <#> %s)', :q)], '{ASC,ASC NULLS FIRST}');
SELECT * FROM pg_temp.orders('pic', ARRAY[format('code <=> %s', :q), format('1 + (code <=> %s)', :q), format('(code <~> %s) * 0', :q), format('1 / (1 + (code <~> %s))', :q),
	format('(code <~> %1$s) - (code <~> %1$s)', :q), format('a - (code <~> %s)', :q), format('1 - (code <~> %s) * ''NaN''::float8', :q), format('''Infinity'' - (code <~> %s)', :q)], '{DESC,DESC NULLS LAST}');
-- vectors of length zero have no angle: NaN, which is greater than all numbers
\set v '\'\'\'{1:1,9:2,40:3}/100\'\'::svec\''
SELECT * FROM pg_temp.orders('doc', ARRAY[format('1 - (v <=> %s)', :v), format('-(v <#> %s)', :v), format('1 - (%s <=> v)', :v), '1 - (v <=> ''{}/100'')'], '{DESC,DESC NULLS LAST}');
SELECT * FROM pg_temp.orders('doc', ARRAY[format('v <=> %s', :v), format('v <#> %s', :v), '(v <=> ''{}/100'') + 1'], '{ASC,ASC NULLS FIRST}');
SELECT * FROM pg_temp.orders('fresh', ARRAY[format('1 - (v <=> %s)', :v), '1 - (v <=> ''{}/100'')'], '{DESC,DESC NULLS LAST}');
SELECT * FROM pg_temp.orders('fresh', ARRAY[format('v <=> %s', :v)], '{ASC,ASC NULLS FIRST}');
-- with conditions on distances, the order's own and others, that NaN passes or not
SELECT ARRAY(SELECT format(form, :v, '''{2:1,10:2,41:3}/100''::svec') FROM unnest('{v <=> %s < 0.9,v <=> %s >= 0.5,v <=> %2$s < 0.9,v <=> %2$s > 0.5,v <=> %s < 0.9 AND v <=> %2$s < 0.8 AND a < 5,v <=> %s > 0.2 AND v <=> %2$s > 0.1}'::text[]) form) AS near \gset
SELECT * FROM pg_temp.orders('doc', ARRAY[format('1 - (v <=> %s)', :v), '1 - (v <=> ''{}/100'')'], '{DESC,DESC NULLS LAST}', :'near');
SELECT * FROM pg_temp.orders('doc', ARRAY[format('v <=> %s', :v)], '{ASC,ASC NULLS FIRST}', :'near');
SELECT * FROM pg_temp.orders('fresh', ARRAY[format('1 - (v <=> %s)', :v)], '{DESC,DESC NULLS LAST}', :'near');
-- conditions that no row can satisfy
SELECT * FROM pg_temp.orders('doc', ARRAY[format('v <=> %s', :v)], '{ASC}', ARRAY['v @< ANY (''{}''::distance_bound[])', 'v @< (SELECT NULL::distance_bound)', format('v <=> %s < 0.5 AND v IS NULL', :v)]);
-- in passes of little memory
SET work_mem = '64kB';
UPDATE doc SET v = '{}/100' WHERE id % 2 = 0;
SELECT * FROM pg_temp.orders('doc', ARRAY[format('1 - (v <=> %s)', :v)], '{DESC,DESC NULLS LAST}');
UPDATE pic SET code = NULL WHERE id % 2 = 0;
SELECT * FROM pg_temp.orders('pic', ARRAY[format('1 - (code <=> %s)', :q)], '{DESC,DESC NULLS LAST}');
RESET work_mem;
-- heap rows of few, ranked
SET enable_seqscan = off;
SET enable_sort = off;
CREATE INDEX pic_id ON pic (id);
CREATE INDEX doc_id ON doc (id);
SELECT pg_temp.plan(format('SELECT 1 - (v <=> %s) AS d FROM doc WHERE id > 2990 ORDER BY d DESC LIMIT 15', :v));
SELECT * FROM pg_temp.orders('doc', ARRAY[format('1 - (v <=> %s)', :v)], '{DESC,DESC NULLS LAST}');
SELECT * FROM pg_temp.orders('pic', ARRAY[format('1 - (code <=> %s)', :q)], '{DESC,DESC NULLS LAST}');
-- no LIMIT, further keys and ties, the greatest similarity, at the default of hashemb.recall
RESET hashemb.recall;
CREATE FUNCTION pg_temp.counts(queries text[]) RETURNS TABLE (by_node boolean, same boolean) LANGUAGE plpgsql AS $$
DECLARE
	query text;
	line text;
	n text;
	m text;
BEGIN
	FOREACH query IN ARRAY queries LOOP
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'on', true);
		by_node := false;
		FOR line IN EXECUTE 'EXPLAIN ' || query LOOP
			by_node := by_node OR line ~ 'Custom Scan \(hashemb\)';
		END LOOP;
		EXECUTE format('SELECT count(*) || '' '' || sum(s) FROM (%s) t(s)', query) INTO n;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_indexscan', 'off', true);
		EXECUTE format('SELECT count(*) || '' '' || sum(s) FROM (%s) t(s)', query) INTO m;
		same := n = m;
		RETURN NEXT;
	END LOOP;
END $$;
SELECT pg_temp.plan(format('SELECT max(1 - (code <=> %s)) FROM pic', :q));
SELECT * FROM pg_temp.counts(ARRAY[format('SELECT 1 - (code <=> %s) AS s FROM pic WHERE a = 3 ORDER BY s DESC', :q),
	format('SELECT 1 - (code <=> %s) AS s FROM pic WHERE a = 3 ORDER BY s DESC NULLS LAST LIMIT 1000', :q),
	format('SELECT s FROM (SELECT 1 - (code <=> %s) AS s, id FROM pic ORDER BY s DESC, id LIMIT 1550) t', :q),
	format('SELECT s FROM (SELECT -(code <#> %s) AS s, id FROM pic ORDER BY s DESC NULLS LAST, id LIMIT 1000) t', :q),
	format('SELECT 1 - (code <=> %s) AS s FROM pic ORDER BY s DESC NULLS LAST FETCH FIRST 5 ROWS WITH TIES', :q),
	format('SELECT 0.001 * (code <~> %s) + 1e15 AS s FROM pic ORDER BY s FETCH FIRST 1 ROW WITH TIES', :q),
	format('SELECT max(1 - (code <=> %s)) AS s FROM pic', :q)]);
DROP TABLE pic, doc, fresh;
