-- Sparse vectors at their limits: as many weights as there may be, dimensions up
-- to the last, a dimension that every row has, weights of both signs.
\set ECHO none
\i sql/include/same.sql
\set ECHO all
CREATE TABLE long (id int, v svec(1000000000), a int);
CREATE INDEX long_idx ON long USING hashemb (v, a);
CREATE FUNCTION pg_temp.long_doc(i int, terms int) RETURNS svec LANGUAGE sql AS $$
	SELECT svec(array_agg(1 + (j * 7 + i) * 1500 ORDER BY j), array_agg(CASE WHEN (i + j) % 5 = 0 THEN -1.5 ELSE 0.5 + j % 7 END ORDER BY j), 1000000000)
	FROM generate_series(1, terms) j $$;
-- pending rows of many pages among short ones, which become a window
INSERT INTO long SELECT i, pg_temp.long_doc(i, CASE WHEN i IN (3, 900) THEN 65535 WHEN i % 100 = 0 THEN 3000 ELSE 5 END), i % 10 FROM generate_series(1, 1500) i;
INSERT INTO long VALUES (0, '{1:1,1000000000:2}/1000000000', 0), (-1, NULL, 0), (-2, '{}/1000000000', 0);
SELECT searches, matches > 0 AS found, different, example FROM pg_temp.differences('long_idx', 'long',
	ARRAY(SELECT format('v <#> %L', pg_temp.long_doc(i, n)) FROM (VALUES (3, 40), (900, 5), (17, 65535)) q(i, n)) || ARRAY[$$v <#> '{1000000000:-1}/1000000000'$$],
	'{true,a = 0,id < 4}');
SELECT pending > 0 AS pending, blocks FROM hashemb_index_info('long_idx');
SELECT heap_rows, null_rows, orphan_pages FROM hashemb_check('long_idx', true);
-- removed, made windows, merged
DELETE FROM long WHERE id % 3 = 1;
VACUUM long;
SELECT searches, matches > 0 AS found, different, example FROM pg_temp.differences('long_idx', 'long',
	ARRAY(SELECT format('v <#> %L', pg_temp.long_doc(i, n)) FROM (VALUES (3, 40), (900, 5)) q(i, n)), '{true,a = 0}');
SELECT pending, dead, blocks FROM hashemb_index_info('long_idx');
-- built, with hardly any memory
SET maintenance_work_mem = '1MB';
REINDEX INDEX long_idx;
RESET maintenance_work_mem;
SELECT searches, matches > 0 AS found, different, example FROM pg_temp.differences('long_idx', 'long',
	ARRAY(SELECT format('v <#> %L', pg_temp.long_doc(i, n)) FROM (VALUES (3, 40), (900, 5)) q(i, n)), '{true,a = 0}');
SELECT heap_rows, null_rows, orphan_pages FROM hashemb_check('long_idx', true);
DROP TABLE long;

-- A dimension that 70,000 rows have, more than a window holds; every third row
-- has a negative weight there
CREATE TABLE common (id int, v svec(1000), a int);
INSERT INTO common SELECT i, svec(ARRAY[500, 501 + i % 499], ARRAY[CASE WHEN i % 3 = 0 THEN -1 ELSE 1 END * (1 + i % 64 / 64.0), 0.5], 1000), i % 100 FROM generate_series(1, 70000) i;
CREATE INDEX common_idx ON common USING hashemb (v, a);
SELECT blocks > 1 AS windows FROM hashemb_index_info('common_idx');
SELECT searches, matches > 0 AS found, different, example FROM pg_temp.differences('common_idx', 'common',
	ARRAY['v <#> ''{500:1}/1000''', 'v <#> ''{500:-2,700:1}/1000''', 'v <#> ''{3:1,501:1}/1000'''], '{true,a = 7,id % 1000 = 3}', '{1,10,1000}');
SELECT heap_rows, orphan_pages FROM hashemb_check('common_idx', true);
DROP TABLE common;

-- An index filled row by row takes pages again that windows have left, without
-- a vacuum; its rows are put in order again, and all are there
CREATE TABLE grown (id int, v svec(300), a int);
CREATE INDEX grown_idx ON grown USING hashemb (v, a);
INSERT INTO grown SELECT i, (SELECT svec_agg(d, w, 300) FROM (SELECT CASE WHEN j % 3 = 0 THEN abs(hashint4(i * 40 + j) % 300) ELSE i % 30 * 10 + j % 10 END + 1 AS d, max(1 + j / 8.0) AS w
	FROM generate_series(1, 25) j GROUP BY 1) x), i % 9 FROM generate_series(1, 9000) i;
SELECT blocks BETWEEN 1 AND 8 AS windows, merges > 0 AS merged, pages AS grown_pages, pages_freed, pages_reused FROM hashemb_index_info('grown_idx') \gset
SELECT :'windows' AS windows, :'merged' AS merged, :'pages_freed' AS pages_freed, :'pages_reused' AS pages_reused;
SELECT searches, matches > 0 AS found, different, example FROM pg_temp.differences('grown_idx', 'grown',
	ARRAY(SELECT format('v <#> %L', v) FROM grown WHERE id IN (77, 4000)), '{true,a = 7}');
SELECT heap_rows, orphan_pages FROM hashemb_check('grown_idx', true);
REINDEX INDEX grown_idx;
SELECT :grown_pages < 2 * pages AS few_pages FROM hashemb_index_info('grown_idx');
DROP TABLE grown;
