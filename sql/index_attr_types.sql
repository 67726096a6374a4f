--
-- Attribute columns of every type, and arrays of every type: rows are built
-- into an index and inserted after, and each operator finds what a sequential
-- scan finds, in a plain index scan and in the scan node. The node decides
-- inside the index what it says it does.
--
\i sql/include/same.sql
SET client_min_messages = warning;
SET hashemb.recall = 1;

-- a collation that takes letters of either case for equal, where there is ICU
DO $$
BEGIN
	CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
EXCEPTION WHEN others THEN
	CREATE COLLATION ci FROM "C";
END $$;

CREATE TYPE colour AS ENUM ('red', 'green', 'blue');
CREATE TYPE pair AS (a int, b text);
CREATE TYPE textrange2 AS RANGE (subtype = text, collation = "C");
CREATE DOMAIN uuid_d AS uuid;
CREATE DOMAIN name_d AS name;
CREATE DOMAIN bpchar_d AS char(8) COLLATE ci;
CREATE DOMAIN jsonb_d AS jsonb;
CREATE DOMAIN range_d AS int4range;
CREATE DOMAIN list_d AS uuid[];

-- Rows of a type: NULL, and the values in turn; every other row is inserted
-- when the index is there already
CREATE FUNCTION pg_temp.make_table(type text, opclass text, vals text[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	part int;
BEGIN
	DROP TABLE IF EXISTS typed;
	EXECUTE format('CREATE TABLE typed (code bincode(256), a %s)', type);
	FOR part IN 0..1 LOOP
		IF part = 1 THEN
			EXECUTE 'CREATE INDEX typed_idx ON typed USING hashemb (code, a ' || opclass || ')';
		END IF;
		EXECUTE format('INSERT INTO typed SELECT pg_temp.code(i, 5, ''t'')::bincode(256), ($1)[1 + i %% (cardinality($1) + 1)]::%s
			FROM generate_series(1, 120) i WHERE i %% 2 = %s', regexp_replace(type, ' COLLATE .*', ''), part) USING vals;
	END LOOP;
END $$;

-- The conditions of a list that the node leaves to the heap row
CREATE FUNCTION pg_temp.undecided(conditions text[]) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	condition text;
	line text;
	found bool;
	result text;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true),
		set_config('enable_bitmapscan', 'off', true), set_config('hashemb.enable_scan', 'on', true);
	FOREACH condition IN ARRAY conditions LOOP
		found := false;
		FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT * FROM typed WHERE %s ORDER BY code <~> pg_temp.code(7, 5, ''q'')::bincode(256) LIMIT 5', condition) LOOP
			IF line ~ 'Heap Filter' THEN
				result := concat_ws('; ', result, condition);
			END IF;
			found := found OR line ~ 'Index Cond';
		END LOOP;
		IF NOT found AND condition !~ 'NULL' THEN
			result := concat_ws('; ', result, 'not found: ' || condition);
		END IF;
	END LOOP;
	RETURN result;
END $$;

-- Try a type: conditions are patterns in which VALUE and OTHER stand for
-- values, LIST for an array of both, NULLS for one of VALUE and NULL, and
-- ELEMENT for the first element of VALUE
CREATE FUNCTION pg_temp.try_type(type text, vals text[], conditions text[], opclass text DEFAULT '')
	RETURNS TABLE (matches bigint, different bigint, example text, undecided text) LANGUAGE plpgsql AS $$
DECLARE
	cast_to text := regexp_replace(type, ' COLLATE .*', '');
	in_collation text := coalesce(substring(type FROM ' COLLATE .*'), '');
	all_conditions text[];
BEGIN
	PERFORM pg_temp.make_table(type, opclass, vals);
	SELECT array_agg(DISTINCT c) INTO all_conditions FROM unnest(conditions) AS p(p), generate_series(1, cardinality(vals)) i,
		LATERAL (SELECT replace(replace(replace(replace(replace(p, 'LIST', format('(ARRAY[%L, %L]::%s[])%s', vals[i], vals[1 + i % cardinality(vals)], cast_to, in_collation)),
			'NULLS', format('(ARRAY[%L, NULL]::%s[])%s', vals[i], cast_to, in_collation)),
			'VALUE', format('(%L::%s%s)', vals[i], cast_to, in_collation)), 'OTHER', format('(%L::%s%s)', vals[1 + i % cardinality(vals)], cast_to, in_collation)),
			'ELEMENT', format('((%L::%s)[1]%s)', vals[i], cast_to, in_collation)) AS c) x;
	SELECT d.matches, d.different, d.example INTO matches, different, example
		FROM pg_temp.differences('typed_idx', 'typed', ARRAY['code <~> pg_temp.code(7, 5, ''q'')::bincode(256)'], all_conditions, '{7,1000}') d;
	undecided := pg_temp.undecided(all_conditions);
	RETURN NEXT;
END $$;

CREATE TABLE tries (ord int GENERATED ALWAYS AS IDENTITY, type text, opclass text DEFAULT '', vals text[]);

-- Scalars: order where the type has it in an operator class
\set equality '{a = VALUE,a <> VALUE,"a IN (VALUE, OTHER)","a = ANY (NULLS)","a <> ALL (LIST)",a IS NULL,a IS NOT NULL,"NOT a = VALUE OR a IS NULL","VALUE = a"}'
\set order '{a < VALUE,a <= VALUE,a >= VALUE,a > VALUE,a BETWEEN VALUE AND OTHER}'
INSERT INTO tries (type, vals) VALUES
('"char"', '{a,b,"\\377",""}'),
('money', '{0,1.50,-3,92233720368547758.07}'),
('macaddr', '{08:00:2b:01:02:03,00:00:00:00:00:00,ff:ff:ff:ff:ff:ff,80:00:00:00:00:00}'),
('macaddr8', '{08:00:2b:01:02:03:04:05,00:00:00:00:00:00:00:00,ff:ff:ff:ff:ff:ff:ff:ff,80:00:00:00:00:00:00:00}'),
('xid8', '{0,5,18446744073709551615}'),
('pg_lsn', '{0/0,1/5,FFFFFFFF/FFFFFFFF}'),
('timetz', '{12:00+00,13:00+01,12:00+01,23:59:59-15:59,00:00+15:59}'),
('bytea', '{"","\\x00","\\x0000","\\xff","\\x0102030405060708","\\x010203040506070809"}'),
('bit(9)', '{000000000,100000000,111111111,000000001}'),
('varbit', '{"",0,00,1,10,100000001,1000000010}'),
('uuid', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff,80000000-0000-0000-0000-000000000001}'),
('uuid_d', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
('colour', '{red,blue}'),
('name', '{"",department,sales}'),
('name_d', '{"",department,sales}');
SELECT type, (pg_temp.try_type(type, vals, (:'equality'::text[] || :'order'::text[]), opclass)).* FROM tries ORDER BY ord;
TRUNCATE tries;

INSERT INTO tries (type, opclass, vals) VALUES
('xid', '', '{3,4,4294967295}'),
('jsonb', '', '{1,1.0,null,"{\"a\": 1}","{\"b\": [1, 2], \"a\": 1.00}","[]","\"x\""}'),
('jsonb_d', '', '{1,null,"{\"a\": 1}"}'),
('int4range', '', '{empty,"[1,3)","[1,2]","(,5)","[5,)","(,)"}'),
('range_d', '', '{empty,"[1,3)","[1,2]"}'),
('numrange', '', '{empty,"[1.0,3)","[1,3.00)","[1,3]"}'),
('tstzrange', '', '{"[2020-01-01,2021-01-01)","[2020-01-01,)"}'),
('textrange2', '', '{"[a,b)","[a,)"}'),
('int4multirange', '', '{"{}","{[1,3)}","{[1,2],[5,9)}"}'),
('uuid', 'equality_ops', '{00000000-0000-0000-0000-000000000000,ffffffff-ffff-ffff-ffff-ffffffffffff}'),
('varchar(5)', 'equality_ops', '{a,A,""}'),
('name', 'equality_ops', '{a,A,""}'),
('colour', 'equality_ops', '{red,green}'),
('int[]', 'equality_ops', '{"{}","{1,2}","{1,NULL}"}'),
('int4range', 'equality_ops', '{empty,"[1,3)"}'),
('jsonb_d', 'equality_ops', '{1,"{}"}'),
('tid', 'equality_ops', '{"(0,1)","(7,2)"}'),
('cid', 'equality_ops', '{1,2}');
SELECT type, opclass, (pg_temp.try_type(type, vals, CASE WHEN type IN ('xid', 'cid', 'int[]') THEN '{a = VALUE,"a IN (VALUE, OTHER)",a IS NULL}' ELSE :'equality'::text[] END, opclass)).*
	FROM tries ORDER BY ord;
TRUNCATE tries;

-- Text of every kind and collation; equality of letters' case is the collation's
INSERT INTO tries (type, vals)
SELECT type || coll, '{a,A,b,"b ","",department,Department,"a longer text","A longer text"}'
FROM unnest('{text,varchar(20),char(14),name}'::text[]) WITH ORDINALITY AS t(type, o),
	unnest('{""," COLLATE \"C\""," COLLATE ci"}'::text[]) WITH ORDINALITY AS c(coll, p) ORDER BY o, p;
INSERT INTO tries (type, vals) VALUES ('bpchar_d', '{a,A,b,"b ",""}');
SELECT type, (pg_temp.try_type(type, vals, (:'equality'::text[] || :'order'::text[]))).different FROM tries ORDER BY ord;
-- as many as the collation says: asked of values alone
SELECT type, (SELECT d.matches FROM pg_temp.try_type(type, '{abc,ABC}', '{"a = VALUE"}') d)
	= CASE WHEN 'ABC' COLLATE ci = 'abc' THEN 160 ELSE 80 END AS right FROM tries WHERE type ~ 'ci$' ORDER BY ord;
TRUNCATE tries;

-- Arrays of every type that elements can have: fixed lengths from 1 to 64, by
-- value and by reference, varying, domains, composites, and what has no hash
\set arrays '{a = VALUE,a && VALUE,a @> VALUE,a <@ VALUE,NOT a && VALUE,"ELEMENT = ANY (a)","ELEMENT <> ALL (a)","NOT ELEMENT = ANY (a) OR a IS NULL",a IS NULL,"VALUE <@ a AND a IS NOT NULL"}'
INSERT INTO tries (type, vals) VALUES
('"char"[]', '{"{}","{a}","{a,b}","{b,NULL}","{NULL}"}'),
('bool[]', '{"{}","{t}","{t,f}","{f,NULL}"}'),
('int2[]', '{"{}","{1}","{1,2}","{2,NULL}"}'),
('int4[]', '{"{}","{1}","{1,2}","{2,NULL}","{{1,2},{3,4}}"}'),
('int8[]', '{"{}","{1}","{1,2}","{2,NULL}"}'),
('float4[]', '{"{}","{1}","{1,NaN}","{-0,NULL}","{0}"}'),
('float8[]', '{"{}","{1}","{1,NaN}","{-0,NULL}","{0}"}'),
('oid[]', '{"{}","{1}","{1,2}","{2,NULL}"}'),
('date[]', '{"{}","{2020-01-01}","{2020-01-01,infinity}"}'),
('time[]', '{"{}","{12:00}","{12:00,13:00}"}'),
('timestamptz[]', '{"{}","{2020-01-01}","{2020-01-01,infinity}"}'),
('money[]', '{"{}","{1}","{1,2}"}'),
('pg_lsn[]', '{"{}","{0/1}","{0/1,0/2}"}'),
('xid8[]', '{"{}","{1}","{1,2}"}'),
('macaddr[]', '{"{}","{08:00:2b:01:02:03}","{08:00:2b:01:02:03,08:00:2b:01:02:04}"}'),
('macaddr8[]', '{"{}","{08:00:2b:01:02:03:04:05}","{08:00:2b:01:02:03:04:05,08:00:2b:01:02:03:04:06}"}'),
('timetz[]', '{"{}","{12:00+00}","{13:00+01,12:00+00,NULL}"}'),
('interval[]', '{"{}","{1 day}","{24:00,1 mon}","{30 days}"}'),
('uuid[]', '{"{}","{00000000-0000-0000-0000-000000000000}","{ffffffff-ffff-ffff-ffff-ffffffffffff,00000000-0000-0000-0000-000000000000}"}'),
('list_d', '{"{}","{00000000-0000-0000-0000-000000000000}","{ffffffff-ffff-ffff-ffff-ffffffffffff,NULL}"}'),
('uuid_d[]', '{"{}","{00000000-0000-0000-0000-000000000000}","{ffffffff-ffff-ffff-ffff-ffffffffffff,NULL}"}'),
('name[]', '{"{}","{department}","{department,sales}","{sales,NULL}","{\"\"}"}'),
('name_d[]', '{"{}","{department}","{department,sales}","{sales,NULL}"}'),
('tid[]', '{"{}","{\"(0,1)\"}","{\"(0,1)\",\"(7,2)\"}"}'),
('inet[]', '{"{}","{10.0.0.1}","{10.0.0.1,::1}","{10.0.0.1/8}"}'),
('cidr[]', '{"{}","{10.0.0.0/8}","{10.0.0.0/8,::1/128}"}'),
('numeric[]', '{"{}","{1}","{1.0,2}","{NaN,NULL}"}'),
('bytea[]', '{"{}","{\"\\\\\\\\x00\"}","{\"\\\\\\\\x00\",\"\"}"}'),
('bit(9)[]', '{"{}","{100000000}","{100000000,000000001}"}'),
('varbit[]', '{"{}","{1}","{1,10,NULL}","{10}"}'),
('jsonb[]', '{"{}","{1}","{1.0,null,NULL}"}'),
('int4range[]', '{"{}","{empty}","{\"[1,3)\",\"[1,2]\"}"}'),
('int4multirange[]', '{"{}","{\"{}\"}","{\"{[1,3)}\",NULL}"}'),
('colour[]', '{"{}","{red}","{red,blue,NULL}"}'),
('pair[]', '{"{}","{\"(1,a)\"}","{\"(1,a)\",\"(2,)\"}"}'),
('tsvector[]', '{"{}","{a}","{\"a b\",b}"}'),
('text[]', '{"{}","{a}","{A,b}","{b,NULL}","{NULL}"}'),
('text[] COLLATE ci', '{"{}","{a}","{A,b}","{b,NULL}"}'),
('varchar(9)[]', '{"{}","{a}","{A,b}","{b,NULL}"}'),
('char(9)[]', '{"{}","{a}","{A,b}","{b,NULL}"}'),
('char(9)[] COLLATE ci', '{"{}","{a}","{A,b}","{b,NULL}","{B,A}"}'),
('bpchar_d[]', '{"{}","{a}","{A,b}","{b,NULL}"}'),
('name[] COLLATE ci', '{"{}","{a}","{A,b}","{b,NULL}"}'),
('int2vector', '{"","1","1 2"}'),
('oidvector', '{"","1","1 2"}'),
('bincode(4)[]', '{"{}","{0101}","{0101,1111}"}');
SELECT type, (pg_temp.try_type(type, vals, :'arrays')).* FROM tries ORDER BY ord;
TRUNCATE tries;
