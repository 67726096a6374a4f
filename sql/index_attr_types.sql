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
			FROM generate_series(1, 60) i WHERE i %% 2 = %s', regexp_replace(type, ' COLLATE .*', ''), part) USING vals;
	END LOOP;
END $$;

-- The conditions of a list that the node leaves to the heap row
CREATE FUNCTION pg_temp.undecided(tab text, conditions text[]) RETURNS text LANGUAGE plpgsql AS $$
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
		FOR line IN EXECUTE format('EXPLAIN (COSTS OFF) SELECT * FROM %s WHERE %s ORDER BY code <~> pg_temp.code(7, 5, ''q'')::bincode(256) LIMIT 5', tab, condition) LOOP
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
-- values, BARE for one without its type, LIST for an array of both, NULLS for
-- one of VALUE and NULL, and ELEMENT for the first element of VALUE
CREATE FUNCTION pg_temp.try_type(type text, vals text[], conditions text[], opclass text DEFAULT '')
	RETURNS TABLE (matches bigint, different bigint, example text, undecided text) LANGUAGE plpgsql AS $$
DECLARE
	cast_to text := regexp_replace(type, ' COLLATE .*', '');
	in_collation text := coalesce(substring(type FROM ' COLLATE .*'), '');
	all_conditions text[];
BEGIN
	PERFORM pg_temp.make_table(type, opclass, vals);
	SELECT array_agg(DISTINCT c) INTO all_conditions FROM unnest(conditions) AS p(p), generate_series(1, cardinality(vals)) i,
		LATERAL (SELECT replace(replace(replace(replace(replace(replace(p, 'LIST', format('(ARRAY[%L, %L]::%s[])%s', vals[i], vals[1 + i % cardinality(vals)], cast_to, in_collation)),
			'NULLS', format('(ARRAY[%L, NULL]::%s[])%s', vals[i], cast_to, in_collation)),
			'VALUE', format('(%L::%s%s)', vals[i], cast_to, in_collation)), 'OTHER', format('(%L::%s%s)', vals[1 + i % cardinality(vals)], cast_to, in_collation)),
			'ELEMENT', format('((%L::%s)[1]%s)', vals[i], cast_to, in_collation)), 'BARE', format(CASE WHEN type ~ '^name.*COLLATE' THEN '%L::%s%s' ELSE '%L' END, vals[i], cast_to, in_collation)) AS c) x;
	SELECT d.matches, d.different, d.example INTO matches, different, example
		FROM pg_temp.differences('typed_idx', 'typed', ARRAY['code <~> pg_temp.code(7, 5, ''q'')::bincode(256)'], all_conditions, '{1000}') d;
	undecided := pg_temp.undecided('typed', all_conditions);
	RETURN NEXT;
END $$;

-- The same for a table of its own
CREATE FUNCTION pg_temp.try_made(conditions text[]) RETURNS TABLE (matches bigint, different bigint, example text) LANGUAGE sql AS $$
	SELECT matches, different, example FROM pg_temp.differences('made_idx', 'made', ARRAY['code <~> pg_temp.code(7, 5, ''q'')::bincode(256)'], conditions, '{1000}') $$;

CREATE TABLE tries (ord int GENERATED ALWAYS AS IDENTITY, type text, opclass text DEFAULT '', vals text[]);

-- Scalars: order where the type has it in an operator class
\set equality '{a = VALUE,a = BARE,a <> VALUE,"a IN (VALUE, OTHER)","a = ANY (NULLS)","a <> ALL (LIST)",a IS NULL,a IS NOT NULL,"NOT a = VALUE OR a IS NULL","VALUE = a"}'
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
	= CASE WHEN 'ABC' COLLATE ci = 'abc' THEN 80 ELSE 40 END AS right FROM tries WHERE type ~ 'ci$' ORDER BY ord;
TRUNCATE tries;

-- Arrays of every type that elements can have: fixed lengths from 1 to 64, by
-- value and by reference, varying, domains, composites, and what has no hash
\set arrays '{a = VALUE,a && BARE,a && VALUE,a @> VALUE,a <@ VALUE,NOT a && VALUE,"ELEMENT = ANY (a)","ELEMENT <> ALL (a)","NOT ELEMENT = ANY (a) OR a IS NULL",a IS NULL,"VALUE <@ a AND a IS NOT NULL"}'
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
DROP TABLE tries, typed;

-- What cannot be used is refused, and what to do is said
CREATE TABLE refused (code bincode(8), p point, ps point[], j json[], v tsvector, k pair, floats real[], doubles float8[], terms text[]);
CREATE INDEX ON refused USING hashemb (code, p);
CREATE INDEX ON refused USING hashemb (code, p equality_ops);
CREATE INDEX ON refused USING hashemb (code, ps);
CREATE INDEX ON refused USING hashemb (code, j);
CREATE INDEX ON refused USING hashemb (code, v equality_ops);
-- 17 and later make an index with pg_catalog alone in the search path
DO $$
BEGIN
	CREATE INDEX ON refused USING hashemb (code, k equality_ops);
EXCEPTION WHEN feature_not_supported THEN
	RAISE WARNING '%', replace(sqlerrm, 'public.', '');
END $$;
CREATE INDEX ON refused USING hashemb (floats);
CREATE INDEX ON refused USING hashemb (doubles, terms);
CREATE INDEX ON refused USING hashemb (terms);
DROP TABLE refused;
-- elements whose length the server does not know to be an array's
CREATE TABLE refused (a cstring[]);

-- A type made by its user, which gets a hash, of 32 bits, when an index of its
-- arrays is there already: rows of before and after are found
CREATE TYPE cents;
CREATE FUNCTION cents_in(cstring) RETURNS cents LANGUAGE internal IMMUTABLE STRICT AS 'int8in';
CREATE FUNCTION cents_out(cents) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int8out';
CREATE TYPE cents (INPUT = cents_in, OUTPUT = cents_out, LIKE = bigint);
CREATE FUNCTION cents_eq(cents, cents) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int8eq';
CREATE FUNCTION cents_hash(cents) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'hashint8';
CREATE FUNCTION cents_lt(cents, cents) RETURNS bool LANGUAGE internal IMMUTABLE STRICT AS 'int8lt';
CREATE FUNCTION cents_cmp(cents, cents) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint8cmp';
CREATE OPERATOR = (LEFTARG = cents, RIGHTARG = cents, FUNCTION = cents_eq, COMMUTATOR = =, RESTRICT = eqsel, HASHES);
CREATE OPERATOR < (LEFTARG = cents, RIGHTARG = cents, FUNCTION = cents_lt);
CREATE OPERATOR CLASS cents_ops DEFAULT FOR TYPE cents USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 cents_cmp(cents, cents);
CREATE TABLE made (code bincode(256), a cents[], b cents);
INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), ARRAY[i % 4, i % 7]::text[]::cents[], (i % 5)::text::cents FROM generate_series(1, 100) i;
CREATE INDEX made_idx ON made USING hashemb (code, a);
CREATE OPERATOR CLASS cents_hash_ops DEFAULT FOR TYPE cents USING hash AS OPERATOR 1 =, FUNCTION 1 cents_hash(cents);
ALTER TABLE made ADD extra int; -- forget what was known of the index
INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), ARRAY[i % 4, i % 7]::text[]::cents[], (i % 5)::text::cents FROM generate_series(101, 150) i;
SELECT * FROM pg_temp.try_made(ARRAY[$$a = '{3,6}'$$, $$a && '{3}'$$, $$a <@ '{3,6,2}'$$, $$a @> '{2}'$$, $$'2'::cents = ANY (a)$$]);
DROP INDEX made_idx;
CREATE INDEX made_idx ON made USING hashemb (code, a, b equality_ops);
INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), ARRAY[i % 4, i % 7]::text[]::cents[], (i % 5)::text::cents FROM generate_series(151, 200) i;
SELECT * FROM pg_temp.try_made(ARRAY[$$a = '{3,6}'$$, $$a && '{3}'$$, $$a <@ '{3,6,2}'$$, $$a @> '{2}'$$, $$'2'::cents = ANY (a)$$, $$b = '3'$$, $$b = '9' OR b IS NULL$$, $$a && '{6}' AND b = '1'$$]);

-- value = ANY (column), as written by hand and by drivers that bind a value of
-- another type; NULLs, empty arrays, OR and NOT
DROP TABLE made;
CREATE TABLE made (code bincode(256), tags text[], names varchar(9)[], ids int[], big bigint[], f float8[], doms uuid_d[], gone timestamptz, price numeric, stock int, open bool);
INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256),
	CASE WHEN i % 10 = 0 THEN NULL WHEN i % 10 = 1 THEN '{}' WHEN i % 10 = 2 THEN ARRAY['t3', NULL] ELSE ARRAY['t' || i % 7, 't' || i % 5] END,
	ARRAY['n' || i % 7, 'n' || i % 5], ARRAY[i % 7, i % 5], ARRAY[i % 7, i % 5], ARRAY[i % 7, i % 5], ARRAY[uuid_in(lpad(to_hex(i % 7), 32, '0')::cstring)]::uuid_d[],
	CASE WHEN i % 3 = 0 THEN '2020-01-01'::timestamptz END, nullif(i % 40, 7), i % 11, i % 2 = 0
	FROM generate_series(1, 200) i;
CREATE INDEX made_idx ON made USING hashemb (code, tags, names, ids, big, f, doms);
\set any_conditions 'ARRAY[$$''t3'' = ANY (tags)$$, $$NOT ''t3'' = ANY (tags)$$, $$''t3'' <> ALL (tags)$$, $$NULL = ANY (tags) OR ''t1'' = ANY (tags)$$, $$NOT (NULL::text = ANY (tags)) OR ''t1'' = ANY (tags)$$, $$''t3'' = ANY (tags) AND ''n3'' = ANY (names)$$, $$''n3''::text = ANY (names)$$, $$names && ''{n3}''::varchar[]$$, $$3::smallint = ANY (ids)$$, $$3::bigint = ANY (ids)$$, $$3::int = ANY (big)$$, $$3::smallint = ANY (big) OR 4::bigint = ANY (ids)$$, $$3::float4 = ANY (f)$$, $$''00000000-0000-0000-0000-000000000003''::uuid = ANY (doms)$$, $$(SELECT ''t3'') = ANY (tags)$$]'
SELECT * FROM pg_temp.try_made(:any_conditions);
SELECT pg_temp.undecided('made', :any_conditions);
PREPARE any_of(text) AS SELECT count(*) FROM (SELECT FROM made WHERE $1 = ANY (tags) ORDER BY code <~> pg_temp.code(7, 5, 'q')::bincode(256) LIMIT 1000) s;
SET plan_cache_mode = force_generic_plan;
EXECUTE any_of('t3');
EXECUTE any_of(NULL);
EXECUTE any_of('none');
RESET plan_cache_mode;
-- what else is written of elements is decided on the row
SELECT * FROM pg_temp.try_made(ARRAY[$$3 < ANY (ids)$$, $$'t3' = ALL (tags)$$, $$'t3' LIKE ANY (tags)$$, $$stock = ANY (ids)$$, $$3::numeric = ANY (ids)$$]);

-- Columns that are boolean expressions: the condition as written, its
-- opposite, turned around, as a truth test, within AND, OR and NOT
DROP INDEX made_idx;
CREATE INDEX made_idx ON made USING hashemb (code, (gone IS NULL), (price > 20), (gone IS NULL AND stock < 5), (stock = 3 OR price < 10), (lower(tags[1]) = 't3'), (tags IS NOT NULL));
\set boolean_conditions 'ARRAY[$$gone IS NULL$$, $$gone IS NOT NULL$$, $$NOT gone IS NULL$$, $$(gone IS NULL) IS TRUE$$, $$(gone IS NULL) IS NOT TRUE$$, $$(gone IS NOT NULL) IS FALSE$$, $$(gone IS NULL) = false$$, $$price > 20$$, $$20 < price$$, $$price <= 20$$, $$NOT price > 20$$, $$20 >= price$$, $$(price > 20) IS UNKNOWN$$, $$(price > 20) IS NOT TRUE$$, $$(20 < price) IS NOT FALSE$$, $$(price <= 20) IS TRUE$$, $$gone IS NULL AND stock < 5$$, $$gone IS NULL AND stock < 5 AND price > 20$$, $$NOT (gone IS NULL AND stock < 5)$$, $$stock = 3 OR price < 10$$, $$NOT (stock = 3 OR price < 10)$$, $$price > 20 OR gone IS NOT NULL$$, $$lower(tags[1]) = ''t3''$$, $$lower(tags[1]) <> ''t3''$$, $$tags IS NULL$$, $$price > 20 AND tags IS NOT NULL$$]'
SELECT * FROM pg_temp.try_made(:boolean_conditions);
SELECT pg_temp.undecided('made', :boolean_conditions);
-- a member alone, or with others, is decided on the row
SELECT * FROM pg_temp.try_made(ARRAY[$$stock < 5$$, $$stock < 5 AND gone IS NOT NULL$$, $$stock < 5 OR gone IS NULL$$, $$price > 21$$, $$(stock < 5) IS TRUE$$]);
SELECT pg_temp.undecided('made', ARRAY[$$stock < 5$$, $$gone IS NULL AND stock < 4$$]);
DROP TABLE made;

-- Types and operators of extensions, where these can be installed
CREATE FUNCTION pg_temp.try_citext() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found record;
BEGIN
	CREATE EXTENSION citext;
	CREATE TABLE made (code bincode(256), a citext, b citext[]);
	INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), CASE WHEN i % 2 = 0 THEN 'a' ELSE 'A' END || i % 9, ARRAY[CASE WHEN i % 2 = 0 THEN 'b' ELSE 'B' END || i % 9] FROM generate_series(1, 100) i;
	BEGIN
		CREATE INDEX made_idx ON made USING hashemb (code, a);
		RETURN 'citext was taken for text';
	EXCEPTION WHEN feature_not_supported THEN
		IF replace(sqlerrm, 'public.', '') <> 'column "a" of hashemb index "made_idx" has type citext, whose equality is not that of its operator class, which is for type text' THEN
			RETURN sqlerrm;
		END IF;
	END;
	CREATE INDEX made_idx ON made USING hashemb (code, a equality_ops, b);
	INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), 'a' || i % 9, ARRAY['b' || i % 9] FROM generate_series(101, 200) i;
	SELECT * INTO found FROM pg_temp.try_made(ARRAY[$c$a = 'A3'$c$, $c$a IN ('A3', 'a4')$c$, $c$a <> 'A3'$c$, $c$a::text = 'A3'$c$, $c$b && '{B3}'$c$, $c$'B3'::citext = ANY (b)$c$, $c$'B3'::text = ANY (b::text[])$c$]);
	RETURN CASE WHEN found.different = 0 AND found.matches > 200 THEN pg_temp.undecided('made', ARRAY[$c$a = 'A3'$c$, $c$a IN ('A3', 'a4')$c$, $c$a <> 'A3'$c$, $c$b && '{B3}'$c$, $c$'B3'::citext = ANY (b)$c$]) ELSE found::text END;
EXCEPTION WHEN undefined_file OR insufficient_privilege OR feature_not_supported THEN
	RETURN CASE WHEN sqlerrm LIKE '%extension%' THEN NULL ELSE sqlerrm END;
END $$;
SELECT pg_temp.try_citext();
DROP TABLE IF EXISTS made;

CREATE FUNCTION pg_temp.try_intarray() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	found record;
	conditions text[] := ARRAY[$c$ints && '{7}'$c$, $c$ints @> '{7}'$c$, $c$ints @> '{7,3}'$c$, $c$ints <@ '{7,3,1}'$c$, $c$ints && '{}'$c$, $c$ints @> '{}'$c$, $c$ints <@ '{}'$c$, $c$NOT ints && '{7}'$c$, $c$ints && '{7}' OR ints @> '{1}'$c$, $c$'{7,3}' <@ ints$c$];
BEGIN
	CREATE EXTENSION intarray;
	CREATE TABLE made (code bincode(256), ints int[]);
	INSERT INTO made SELECT pg_temp.code(i, 5, 't')::bincode(256), CASE WHEN i % 9 = 0 THEN NULL WHEN i % 9 = 1 THEN '{}' ELSE ARRAY[i % 11, i % 4] END FROM generate_series(1, 200) i;
	CREATE INDEX made_idx ON made USING hashemb (code, ints);
	SELECT * INTO found FROM pg_temp.try_made(conditions);
	IF found.different > 0 OR found.matches < 300 THEN
		RETURN found::text;
	END IF;
	BEGIN
		PERFORM FROM made WHERE ints && '{7,NULL}' ORDER BY code <~> pg_temp.code(7, 5, 'q')::bincode(256) LIMIT 5;
		RETURN 'a NULL element was taken';
	EXCEPTION WHEN null_value_not_allowed THEN
	END;
	RETURN pg_temp.undecided('made', conditions);
EXCEPTION WHEN undefined_file OR insufficient_privilege OR feature_not_supported THEN
	RETURN CASE WHEN sqlerrm LIKE '%extension%' THEN NULL ELSE sqlerrm END;
END $$;
SELECT pg_temp.try_intarray();
DROP TABLE IF EXISTS made;
DROP EXTENSION IF EXISTS citext;
DROP EXTENSION IF EXISTS intarray;
DROP TYPE cents, colour, pair, textrange2 CASCADE;
DROP DOMAIN uuid_d, name_d, bpchar_d, jsonb_d, range_d, list_d;
DROP COLLATION ci;
