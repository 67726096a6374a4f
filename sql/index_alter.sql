--
-- What ALTER does to the columns of an index: searches give what a sequential
-- scan gives after it, with rows of before and after, or the statement is
-- refused.
--
\i sql/include/same.sql
SET client_min_messages = warning;
SET hashemb.recall = 1;
CREATE COLLATION other (locale = 'C');
CREATE DOMAIN code_d AS bincode(256);
CREATE DOMAIN text_d AS text;
CREATE DOMAIN varchar_d AS varchar(30);
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE TYPE pair AS (a int, b text);

-- A table with an index, which a statement then changes; rows are added after
-- it. `kept` tells that the index kept its file.
CREATE FUNCTION pg_temp.try_alter(columns text, vals text, statement text, conditions text[], distance text DEFAULT '')
	RETURNS TABLE (outcome text, kept bool, matches bigint, different bigint, example text) LANGUAGE plpgsql AS $$
DECLARE
	file oid;
BEGIN
	DROP TABLE IF EXISTS altered;
	EXECUTE format('CREATE TABLE altered (%s)', columns);
	EXECUTE format('INSERT INTO altered SELECT pg_temp.code(i, 5, ''t'')::bincode(256), %s FROM generate_series(1, 90) i', vals);
	INSERT INTO altered VALUES (NULL);
	CREATE INDEX altered_idx ON altered USING hashemb (code, a);
	file := pg_relation_filenode('altered_idx');
	BEGIN
		EXECUTE statement;
		outcome := 'done';
	EXCEPTION WHEN others THEN
		outcome := sqlerrm;
	END;
	kept := file = pg_relation_filenode('altered_idx');
	EXECUTE format('INSERT INTO altered SELECT pg_temp.code(i, 5, ''t'')::bincode(256), %s FROM generate_series(91, 180) i', vals);
	DELETE FROM altered WHERE code <~> pg_temp.code(9, 5, 'd')::bincode(256) < 40;
	SELECT d.matches, d.different, d.example INTO matches, different, example FROM pg_temp.differences('altered_idx', 'altered',
		ARRAY[CASE distance WHEN '' THEN 'code <~> pg_temp.code(7, 5, ''q'')::bincode(256)' ELSE distance END], conditions, '{7,1000}') d;
	RETURN NEXT;
END $$;

-- the vector's type: without a length, of a domain, of another shape, of bits
\set number '{a = 3,a > 5,"a IN (1, 7)",NOT a = 3,a IS NULL}'
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bincode', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE code_d', :'number');
SELECT * FROM pg_temp.try_alter('code code_d, a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bincode', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bincode(128)', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bincode(256, 2)', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bit(256)', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER code TYPE bincode; ALTER TABLE altered ALTER code TYPE bincode(256)', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered RENAME code TO vector; ALTER TABLE altered RENAME vector TO code', :'number');

-- attributes
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER a TYPE bigint', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ALTER a TYPE oid', '{a = 3,a > 5,"a IN (1, 7)",NOT a = 3}');
SELECT * FROM pg_temp.try_alter('code bincode(256), a numeric(10,2)', 'i % 9', 'ALTER TABLE altered ALTER a TYPE numeric', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a numeric', 'i % 9 + 0.5', 'ALTER TABLE altered ALTER a TYPE numeric(10,0)', :'number');
SELECT * FROM pg_temp.try_alter('code bincode(256), a timestamp', '''2020-01-01''::timestamp + i % 9 * interval ''1 day''', 'SET timezone = ''UTC''; ALTER TABLE altered ALTER a TYPE timestamptz',
	ARRAY[$$a = '2020-01-03 00:00:00+00'$$, $$a > '2020-01-05 00:00:00+02'$$]);
\set string '{a = ''x3'',a > ''x5'',"a IN (''x1'', ''x7'')",a <> ''x3''}'
SELECT * FROM pg_temp.try_alter('code bincode(256), a varchar(10)', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE varchar(20)', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a varchar(10)', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE text', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a varchar(10)', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE char(10)', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a char(10)', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE text', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE name', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE text_d', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text_d', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE varchar_d', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a varchar_d', '''x'' || i % 9', 'ALTER DOMAIN varchar_d ADD CHECK (value <> ''''); ALTER DOMAIN varchar_d RENAME TO varchar_e; ALTER DOMAIN varchar_e RENAME TO varchar_d', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE text COLLATE "C"', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text COLLATE other', '''x'' || i % 9', 'ALTER TABLE altered ALTER a TYPE text COLLATE "C"', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a text COLLATE "C"', '''x'' || i % 9', 'ALTER TABLE altered RENAME a TO b; ALTER TABLE altered RENAME b TO a', :'string');
SELECT * FROM pg_temp.try_alter('code bincode(256), a cidr', '(''10.'' || i % 9 || ''.0.0/16'')::cidr', 'ALTER TABLE altered ALTER a TYPE inet', ARRAY[$$a = '10.3.0.0/16'$$, $$a > '10.5.0.0'$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a bit(8)', 'i::bit(8)', 'ALTER TABLE altered ALTER a TYPE varbit', ARRAY[$$a = B'00000011'$$, $$a > B'1'$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a jsonb', 'to_jsonb(i % 9)', 'ALTER TABLE altered ALTER a TYPE jsonb USING to_jsonb(a::int + 1)', '{a = ''3'',a IS NULL}');
SELECT * FROM pg_temp.try_alter('code bincode(256), a varchar(10)[]', 'ARRAY[''x'' || i % 9, ''x'' || i % 7]', 'ALTER TABLE altered ALTER a TYPE text[]', ARRAY[$$a && '{x3}'$$, $$a @> '{x3}'$$, $$'x3' = ANY (a)$$, $$a <@ '{x3,x4}'$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a int[]', 'ARRAY[i % 9, i % 7]', 'ALTER TABLE altered ALTER a TYPE bigint[]', ARRAY[$$a && '{3}'$$, $$a @> '{3}'$$, $$3 = ANY (a)$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a colour', '(ARRAY[''red'', ''blue''])[1 + i % 2]::colour', 'ALTER TYPE colour RENAME VALUE ''blue'' TO ''azure''; ALTER TYPE colour RENAME VALUE ''azure'' TO ''blue''', ARRAY[$$a = 'red'$$, $$a > 'red'$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a pair[]', 'ARRAY[jsonb_populate_record(NULL::pair, jsonb_build_object(''a'', i % 9, ''b'', ''x''))]', 'ALTER TYPE pair ADD ATTRIBUTE c int', ARRAY[$$a && ARRAY['(3,x,)'::pair]$$, $$a <@ ARRAY['(3,x,)'::pair]$$]);
SELECT * FROM pg_temp.try_alter('code bincode(256), a int', 'i % 9', 'ALTER TABLE altered ADD b int DEFAULT 7; ALTER TABLE altered ALTER b TYPE bigint; ALTER TABLE altered DROP b', :'number');

-- An index whose column has lost its length: what goes on, and what needs the
-- length again
CREATE TABLE pic (id int, hash bincode(16), a int);
INSERT INTO pic SELECT i, i::bit(16)::bincode(16), i % 3 FROM generate_series(1, 500) i;
CREATE INDEX pic_idx ON pic USING hashemb (hash, a);
ALTER TABLE pic ALTER hash TYPE bincode;
INSERT INTO pic VALUES (501, '0000000000001111', 1);
INSERT INTO pic VALUES (502, '00001111', 1);
SET enable_seqscan = off;
SELECT id FROM pic WHERE a = 1 ORDER BY hash <~> '0000000000000111' LIMIT 3;
SELECT id FROM pic WHERE a = 1 ORDER BY hash <~> '00000111' LIMIT 3;
DELETE FROM pic WHERE id <= 100;
VACUUM pic;
SELECT count(*) FROM hashemb_check('pic_idx', true);
SELECT rows FROM hashemb_index_info('pic_idx');
REINDEX INDEX pic_idx;
TRUNCATE pic;
CREATE INDEX ON pic USING hashemb (hash);
SELECT id FROM pic WHERE a = 1 ORDER BY hash <~> '0000000000000111' LIMIT 3;
ALTER TABLE pic ALTER hash TYPE bincode(16);
REINDEX INDEX pic_idx;
SELECT id FROM pic WHERE a = 1 ORDER BY hash <~> '0000000000000111' LIMIT 3;
DROP TABLE pic;
-- indexes of partitions are built anew, so there it is refused
CREATE TABLE pic (id int, hash bincode(16), a int) PARTITION BY RANGE (id);
CREATE TABLE pic_1 PARTITION OF pic FOR VALUES FROM (0) TO (100);
INSERT INTO pic VALUES (1, '0000000000001111', 1);
CREATE INDEX ON pic USING hashemb (hash, a);
ALTER TABLE pic ALTER hash TYPE bincode;
INSERT INTO pic VALUES (2, '0000000000000111', 1);
SELECT id FROM pic WHERE a = 1 ORDER BY hash <~> '0000000000000111' LIMIT 3;
DROP TABLE pic;
-- several bits a dimension, and sparse vectors
CREATE TABLE pic (id int, hash bincode(16, 2));
INSERT INTO pic SELECT i, (lpad(to_hex((i * 7919) & 858993459), 16, '3') || '/2')::bincode FROM generate_series(1, 100) i;
CREATE INDEX pic_idx ON pic USING hashemb (hash bincode_ip_ops);
ALTER TABLE pic ALTER hash TYPE bincode;
INSERT INTO pic SELECT 101, '3333333333333333/2';
SELECT id FROM pic ORDER BY hash <#> '3333333333333333/2' LIMIT 1;
SELECT id FROM pic ORDER BY hash <#> array_fill(1::real, ARRAY[16]) LIMIT 1;
SELECT id FROM pic ORDER BY hash <#> array_fill(1::real, ARRAY[15]) LIMIT 1;
DROP TABLE pic;
CREATE TABLE doc (id int, terms svec(1000), a int);
INSERT INTO doc SELECT i, format('{%s:1,%s:0.5}/1000', i, i + 1)::svec, i % 3 FROM generate_series(1, 300) i;
CREATE INDEX doc_idx ON doc USING hashemb (terms, a);
ALTER TABLE doc ALTER terms TYPE svec;
INSERT INTO doc VALUES (301, '{7:9}/1000', 1);
INSERT INTO doc VALUES (302, '{7:9}/1001', 1);
SELECT id FROM doc WHERE a = 1 ORDER BY terms <#> '{7:1}/1000' LIMIT 2;
SELECT id FROM doc WHERE a = 1 ORDER BY terms <#> '{7:1}/1001' LIMIT 2;
DELETE FROM doc WHERE id = 301;
VACUUM doc;
SELECT id FROM doc WHERE a = 1 ORDER BY terms <#> '{7:1}/1000' LIMIT 2;
REINDEX INDEX doc_idx;
ALTER TABLE doc ALTER terms TYPE svec(1000);
SELECT id FROM doc WHERE a = 1 ORDER BY terms <#> '{7:1}/1000' LIMIT 2;
DROP TABLE doc;
DROP TABLE altered;
DROP DOMAIN code_d, text_d, varchar_d;
DROP TYPE colour, pair;
DROP COLLATION other;
