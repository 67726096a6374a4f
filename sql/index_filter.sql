--
-- Conditions on attribute columns: every form on every type gives the rows
-- that a sequential scan gives.
--
SET client_min_messages = warning;
SET hashemb.recall = 1;
SET jit = off;

CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy', 'wild');
CREATE DOMAIN small AS int CHECK (value < 1000000);
CREATE DOMAIN intlist AS int[];

-- a collation that takes letters of either case for equal, where there is ICU
DO $$
BEGIN
	CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2',
		deterministic = false);
EXCEPTION WHEN others THEN
	CREATE COLLATION nocase FROM "C";
END
$$;

-- every column with its type and the values that its rows are drawn from
CREATE TABLE filter_columns (
	ord int GENERATED ALWAYS AS IDENTITY,
	col name,
	type text,
	collation_name text,
	vals text[]);
INSERT INTO filter_columns (col, type, vals) VALUES
('b', 'boolean', '{t,f}'),
('i2', 'smallint', '{0,1,-1,2,3,77,78,32767,-32768}'),
('i4', 'integer', '{0,1,-1,2,3,77,78,32768,2147483647,-2147483648}'),
('i8', 'bigint',
 '{0,1,-1,2,77,2147483648,9223372036854775807,-9223372036854775808}'),
('f4', 'real', '{0,-0,1,-1,0.1,3.4e38,1e-40,-1e-40,NaN,Infinity,-Infinity}'),
('f8', 'double precision',
 '{0,-0,1,-1,0.1,0.10000000149011612,1.7e308,-1.7e308,1e-310,NaN,Infinity,-Infinity}'),
('nu', 'numeric',
 '{0,0.00,1,-1,9007199254740992,9007199254740993,9007199254740994,1e-400,-1e-400,1e400,-1e400,1e401,NaN,Infinity,-Infinity}'),
('iv', 'interval',
 '{0,1 mon,30 days,720:00:00,-1 mon 30 days,1 mon -1 day,29 days 24:00:00,29 days 23:59:59.999999,178000000 years,-178000000 years,106751991 days,106751992 days -00:00:01,-106751992 days,-106751993 days 23:59:59,2147483647 days,-2147483647 days -2562047788:00:54}'),
('d', 'date',
 '{2000-01-01,1999-12-31,2024-02-29,4713-01-01 BC,5874897-12-31,infinity,-infinity}'),
('t', 'time', '{00:00,24:00,12:00,12:00:00.000001,23:59:59.999999}'),
('ts', 'timestamp',
 '{2000-01-01,1999-12-31 23:59:59.999999,2024-02-29 12:00,infinity,-infinity,294276-12-31,4713-01-01 BC}'),
('tz', 'timestamptz',
 '{2000-01-01 00:00+00,2000-01-01 01:00+01,1999-12-31 23:59:59.999999+00,infinity,-infinity}'),
('o', 'oid', '{0,1,2147483647,2147483648,4294967295}'),
('u', 'uuid',
 '{00000000-0000-0000-0000-000000000000,00000000-0000-0000-0000-000000000001,7fffffff-ffff-ffff-ffff-ffffffffffff,80000000-0000-0000-0000-000000000000,80000000-0000-0000-7fff-ffffffffffff,80000000-0000-0000-8000-000000000000,ffffffff-ffff-ffff-ffff-fffffffffffe,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
('tx', 'text', '{"",a,A,b,"a ",prefix00,prefix00a,prefix00b,prefix0,é,zz}'),
('vc', 'varchar(20)', '{"",a,A,"a ",prefix00a,prefix00b}'),
('bp', 'char(12)', '{"",a,"a ",A,prefix00,prefix00a,"prefix00 "}'),
('n', 'name', '{"",a,A,prefix00,prefix00a,prefix00b}'),
('ip', 'inet',
 '{0.0.0.0/0,10.0.0.0/8,10.0.0.1/8,10.0.0.1,10.0.0.0/24,10.128.0.0/9,255.255.255.255,::/0,::1,fe80::/10,fe80::1/10,2001:db8::/63,2001:db8::/64,2001:db8::1/64,2001:db8:0:1::/64,2001:db8::1,2001:db8::2}'),
('ci', 'cidr', '{10.0.0.0/8,10.0.0.0/16,10.1.0.0/16,::/0,2001:db8::/64}'),
('en', 'mood', '{sad,ok,happy,wild}'),
('dm', 'small', '{0,1,-1,77,999999}'),
('ai', 'integer[]',
 '{"{}","{1}","{2}","{1,2}","{2,1}","{1,1,2}","{NULL}","{1,NULL}","{NULL,1,2}","[2:3]={1,2}","{{1,2},{3,4}}","{3,4,5,6,7,8,9}"}'),
('ax', 'text[]',
 '{"{}","{a}","{A}","{a,b}","{\"\"}","{NULL}","{a,NULL}","{prefix00a}"}'),
('av', 'tsvector[]', '{"{}","{a}","{a,b}","{NULL}","{b,NULL}","{a:1}"}'),
('da', 'intlist', '{"{}","{1}","{1,2}","{2,3}","{NULL,2}"}');
INSERT INTO filter_columns (col, type, collation_name, vals) VALUES
('tc', 'text', '"C"',
 E'{"",a,A,b,"a ","a\x01",prefix00,prefix00a,prefix00b,prefix0,é}'),
('bc', 'char(12)', '"C"', E'{"",a,"a ",A,"a\x01",prefix00,prefix00a,prefix00b}'),
('nc', 'text', 'nocase',
 '{"",a,A,b,B,prefix00a,PREFIX00A,Prefix00b,prefix00}'),
('nn', 'name', 'nocase', '{"",a,A,b,B,prefix00a,PREFIX00A,prefix00}');

-- a number from 0 to n - 1 that id and salt decide
CREATE FUNCTION pick(id int, salt int, n int) RETURNS int
	LANGUAGE sql IMMUTABLE AS
$$
	SELECT ((hashint8(id * 1000::bigint + salt)::bigint + 2147483648) % n)::int
$$;

CREATE TABLE filter_rows (id int, code bincode(64));
SELECT format('ALTER TABLE filter_rows ADD %I %s%s', col, type,
	' COLLATE ' || collation_name)
FROM filter_columns ORDER BY ord \gexec

-- neighbours share values, so that some blocks lack some; a tenth is NULL
SELECT format('INSERT INTO filter_rows SELECT id, repeat((id * 2654435761)::bit(32)::text, 2)::bincode(64), %s FROM generate_series(1, 1200) id',
	string_agg(format(
		'CASE WHEN pick(id, %s, 10) > 0 THEN (%L::text[])[1 + (id / 60 + pick(id, %s, %s)) %% %s] END::%s',
		ord, vals, ord + 100, 1 + cardinality(vals) / 2, cardinality(vals), type),
		', ' ORDER BY ord))
FROM filter_columns \gexec

SELECT format('CREATE INDEX filter_index ON filter_rows USING hashemb (code, %s)',
	string_agg(quote_ident(col), ', ' ORDER BY ord))
FROM filter_columns \gexec
ANALYZE filter_rows;

--
-- One condition by the index, without and with an order, against the table.
-- Says what is wrong, or 'ok', or 'ok, none' where no row passes.  must_use is
-- in how many of the two queries the condition must be an index condition.
--
CREATE FUNCTION check_condition(condition text, must_use int DEFAULT 2)
RETURNS text LANGUAGE plpgsql AS
$$
DECLARE
	query text := 'SELECT id FROM filter_rows WHERE ' || condition;
	summary text := 'SELECT count(*) || '' '' || coalesce(md5(string_agg(id::text, '','' ORDER BY id)), '''') FROM (%s) s';
	ordering text := ' ORDER BY code <~> ' || quote_literal(repeat('10', 32));
	line text;
	plan text;
	wanted text;
	found text;
BEGIN
	SET LOCAL enable_seqscan = on;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	EXECUTE format(summary, query) INTO wanted;

	SET LOCAL enable_seqscan = off;
	SET LOCAL enable_sort = off;
	SET LOCAL enable_indexscan = on;
	SET LOCAL enable_bitmapscan = on;
	FOR i IN 1..2 LOOP
		plan := '';
		FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
			plan := plan || line || E'\n';
		END LOOP;
		-- since 17 the planner itself sees that some conditions exclude each other
		IF i <= must_use AND (plan ~ 'Seq Scan on filter_rows' OR plan !~ 'Index Cond|One-Time Filter: false') THEN
			RETURN E'index not used:\n' || plan;
		END IF;
		EXECUTE format(summary, query) INTO found;
		IF found <> wanted THEN
			RETURN format('wrong in query %s: %s, not %s', i, found, wanted);
		END IF;
		query := query || ordering;
	END LOOP;
	RETURN CASE WHEN wanted LIKE '0 %' THEN 'ok, none' ELSE 'ok' END;
END
$$;

CREATE TABLE conditions (what text, condition text, must_use int DEFAULT 2);

-- values of scalar columns, with some that no row has
CREATE TABLE scalar_values AS
SELECT ord, col, type, val FROM filter_columns, unnest(vals) val
WHERE type !~ '\[\]|intlist' AND col <> 'nn';
INSERT INTO scalar_values
SELECT ord, col, type, val FROM filter_columns JOIN (VALUES
	('i2', '5'), ('i4', '-77'), ('i8', '1000'), ('f4', '2.5'), ('f8', '-2.5'),
	('nu', '0.5'), ('nu', '9007199254740992.5'), ('nu', '2e400'),
	('iv', '1 day'), ('iv', '1 year'), ('d', '2001-01-01'), ('t', '01:00'),
	('ts', '2001-01-01'), ('tz', '2001-01-01'), ('o', '77'),
	('u', '80000000-0000-0000-0000-000000000001'), ('tx', 'c'),
	('tx', 'prefix00c'), ('tc', 'c'), ('tc', 'prefix00c'), ('nc', 'PREFIX00C'),
	('nc', 'pREFIX00b'), ('vc', 'c'), ('bp', 'c'),
	('bc', 'prefix00c'), ('n', 'c'), ('ip', '10.0.0.0/9'),
	('ip', '2001:db8::3'), ('ci', '10.0.0.0/24'), ('dm', '5')) e (col, val)
	USING (col);

-- column op constant; "boolean = constant" becomes the bare column, see below
INSERT INTO conditions
SELECT 'constant', format('%I %s %L::%s', col, op, val, type)
FROM scalar_values, unnest('{<,<=,=,>=,>}'::text[]) op
WHERE col <> 'b' OR op <> '=';
INSERT INTO conditions
SELECT 'constant', format('nn %s %L COLLATE nocase', op, val)
FROM unnest('{<,<=,=,>=,>}'::text[]) op,
	unnest('{a,B,Prefix00,prefix00A}'::text[]) val;

-- constants of another type of the family, and on the other side
INSERT INTO conditions
SELECT 'cross-type', format('%I %s %L::%s', x.col, op, val, other)
FROM unnest('{<,<=,=,>=,>}'::text[]) op,
	(VALUES ('i2', 'i4', 'integer'), ('i2', 'i8', 'bigint'),
		('i4', 'i2', 'smallint'), ('i4', 'i8', 'bigint'),
		('i8', 'i2', 'smallint'), ('i8', 'i4', 'integer'),
		('dm', 'i8', 'bigint'), ('f4', 'f8', 'double precision'),
		('f8', 'f4', 'real')) x (col, source, other)
	JOIN scalar_values v ON v.col = source;
INSERT INTO conditions
SELECT 'commuted', format('%L::%s %s %I', val, type, op, col)
FROM scalar_values, unnest('{<,<=,=,>=,>}'::text[]) op
WHERE val IN ('1', 'a', 'ok', '2000-01-01', '10.0.0.0/8');

-- ANY: few values, most, with duplicates and NULLs; long lists
INSERT INTO conditions
SELECT 'any', format('%I %s ANY (%L::%s[])', col, op,
	coalesce(array_agg(val ORDER BY val)
		FILTER (WHERE pick(ord, length(val) + ascii(val), 4) >= part), '{}') ||
		CASE part WHEN 0 THEN ARRAY[NULL, min(val), min(val)] END, type), 1
FROM scalar_values, generate_series(0, 3) part,
	unnest('{<,<=,=,>=,>}'::text[]) op
GROUP BY ord, col, type, part, op;
INSERT INTO conditions
SELECT 'any', format('%I = ANY (ARRAY(SELECT (i * 7 - 76)::%s FROM generate_series(1, %s) i))',
	col, type, many), 1
FROM (VALUES ('i2', 'int4'), ('i4', 'int8'), ('i8', 'int2'), ('i4', 'int4'),
		('f8', 'float4'), ('nu', 'numeric')) x (col, type),
	unnest('{1,7,8,9,11,100,3000}'::int[]) many;
INSERT INTO conditions
SELECT 'any', format('%I = ANY (ARRAY(SELECT vals[i]::%s FROM filter_columns, generate_series(1, cardinality(vals), %s) i WHERE col = %L))',
	col, type, step, col), 1
FROM filter_columns, generate_series(1, 4) step
WHERE type !~ '\[\]|intlist' AND col <> 'nn';

-- nothing passes
INSERT INTO conditions
SELECT 'never', format('%I ' || c, col, type), CASE WHEN c ~ 'ANY' THEN 1 ELSE 2 END
FROM filter_columns, unnest(ARRAY['= ANY (''{}''::%s[])',
	'< ANY (''{}''::%s[])', '= ANY (''{NULL}''::%s[])',
	'= (SELECT NULL::%s)', '< (SELECT NULL::%s)',
	'= ANY ((SELECT NULL::%s[])::%2$s[])']) c
WHERE type !~ '\[\]|intlist' AND col <> 'nn';
INSERT INTO conditions
SELECT 'never', format('%1$I IS NULL AND %1$I >= %2$L::%3$s', col, val, type)
FROM scalar_values;

INSERT INTO conditions
SELECT 'null', format('%I IS %s NULL', col, negation)
FROM filter_columns, unnest('{"",NOT}'::text[]) negation;

INSERT INTO conditions
SELECT 'array', format('%I %s %L::%s', col, op, val, type)
FROM filter_columns, unnest('{&&,@>,<@,=}'::text[]) op,
	unnest(vals || '{"{NULL,NULL}"}'::text[]) val
WHERE type ~ '\[\]|intlist';
INSERT INTO conditions VALUES
('array', 'ai && ''{7,11}'''),
('array', 'ai && (SELECT array_agg(i) FROM generate_series(5, 500) i)'),
('array', 'ai <@ (SELECT array_agg(i) FROM generate_series(1, 9) i)'),
('array', 'ai <@ (SELECT array_agg(i) FROM generate_series(1, 999) i)'),
('array', 'ai @> (SELECT array_agg(i) FROM generate_series(3, 8) i)'),
('array', '''{1}'' <@ ai'),
('array', '''{1,2,3}'' @> ai'),
('array', 'ai @> (SELECT NULL::int[])'),
('array', 'ai && (SELECT NULL::int[])');

-- of each form, which is a condition without its constants, a third is checked,
-- and one at least; another seed checks others
\set seed f1
\echo seed :seed
DELETE FROM conditions c USING
	(SELECT ctid AS row, count(*) OVER form AS many, row_number() OVER
		(form ORDER BY md5(:'seed' || condition)) AS place
	FROM conditions WINDOW form AS (PARTITION BY what,
		regexp_replace(condition, '''[^'']*''|[0-9]+\)', '?', 'g'))) s
WHERE c.ctid = s.row AND place > greatest(many / 3, 1);

-- two conditions, on one column and on two
INSERT INTO conditions
WITH numbered AS
	(SELECT *, row_number() OVER (ORDER BY condition COLLATE "C") AS r,
		count(*) OVER () AS many FROM conditions WHERE what <> 'never')
SELECT 'and', a.condition || ' AND ' || b.condition, least(a.must_use, b.must_use)
FROM numbered a, numbered b
WHERE a.r % 8 = 0 AND b.r IN ((a.r * 7919) % a.many, a.r + 3);

CREATE VIEW report AS
SELECT what, count(*) > 10 AS many,
	count(*) FILTER (WHERE result = 'ok') > 0.2 * count(*) AS some_pass,
	coalesce(string_agg(condition || ': ' || result, E'\n' ORDER BY condition)
		FILTER (WHERE result !~ '^ok'), 'all equal') AS wrong
FROM (SELECT what, condition, check_condition(condition, must_use) AS result
	FROM conditions) r
GROUP BY what ORDER BY what;

SELECT * FROM report;

-- servers before 16 know bare boolean columns only in their own indexes
SELECT condition, check_condition(condition, 0)
FROM unnest('{b,NOT b,b IS TRUE,b IS NOT FALSE,b IS UNKNOWN}'::text[]) condition;

-- labels that the index has never seen, out of the order of their OIDs
ALTER TYPE mood ADD VALUE 'angry' BEFORE 'sad';
ALTER TYPE mood ADD VALUE 'fine' BEFORE 'happy';
INSERT INTO filter_rows (id, code, en)
SELECT 3000 + i, repeat('01', 32)::bincode(64),
	(enum_range(NULL::mood))[1 + i % 6]
FROM generate_series(1, 60) i;
SELECT op, label, check_condition(format('en %s %L', op, label))
FROM unnest('{<,<=,=,>=,>}'::text[]) WITH ORDINALITY o (op, n),
	unnest(enum_range(NULL::mood)) label
ORDER BY n, label;
SELECT op, check_condition(format('en %s ANY (''{fine,sad}'')', op), 1)
FROM unnest('{<,<=,=,>=,>}'::text[]) WITH ORDINALITY o (op, n)
ORDER BY n;

-- after deletions, vacuum and new rows
DELETE FROM filter_rows WHERE id % 3 = 0;
VACUUM filter_rows;
INSERT INTO filter_rows
SELECT (r).* FROM (SELECT r FROM filter_rows r WHERE id % 7 = 0) s;
DELETE FROM conditions WHERE hashtext(condition) % 5 <> 0;
SELECT what, wrong FROM report;

DROP VIEW report;
DROP TABLE filter_rows, filter_columns, scalar_values, conditions;
DROP FUNCTION check_condition, pick;
DROP DOMAIN small, intlist;
DROP TYPE mood;
DROP COLLATION nocase;
