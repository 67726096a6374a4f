-- bincode: text form, type modifiers, containers; all that must be refused
CREATE FUNCTION complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || message || coalesce(' | ' || nullif(detail, ''), '');
END $$;

-- what is accepted, and how it comes back
SELECT input, input::bincode AS output, dims(input::bincode),
	pg_column_size(input::bincode) AS size
FROM unnest(ARRAY['', '0', '1', '0101', '01010101', '010101011', '0101/1', '/1',
	'/2', '0123/2', '01234567/3', '0123456789abcdef/4', 'ABCDEF/4', '3/2',
	'77777777/3', '777777777/3', 'x', 'x1f', 'XfF0', 'x0123456789abcdef']) AS input;

-- the longest code of each width
SELECT b, n, dims((repeat('1', n) || '/' || b)::bincode),
	(repeat('1', n) || '/' || b)::bincode::text =
		repeat('1', n) || CASE b WHEN 1 THEN '' ELSE '/' || b END AS same
FROM (VALUES (1, 65535), (2, 32767), (3, 21845), (4, 16383)) AS v(b, n);

-- text that is no code
SELECT input, complaint(format('SELECT %L::bincode', input))
FROM unnest(ARRAY['2', '0x1', '01x1', ' 01', '01 ', '0 1', E'01\n', '0b01', 'b01',
	'bx1f', 'x1g', 'x1f/4', 'x 1', 'x1f ', 'xé', 'x' || repeat('0', 40) || 'q', '-1', '+1', '1.0', '01,1', '{01}', '[1,0]', 'null', '/', '/0', '/5',
	'/9', '/a', '/-1', '/10', '/ 1', '01/', '01/0', '01/5', '01/22', '01/2 ',
	'01/2/2', '//2', '4/2', '0124/2', '8/3', '01238/3', 'f/3', 'g/4', 'G/4',
	'012g/4', ':/4', '@/4', '`/4', '1é1', 'é/4', '0１', E'0\u00a01',
	repeat('0', 40) || 'q', '0/' || repeat('é', 40), '1/2é']) AS input;
SELECT b, n, complaint(format('SELECT (repeat(%L, %s) || %L)::bincode', 0, n,
	'/' || b))
FROM (VALUES (1, 65536), (1, 1000000), (2, 32768), (3, 21846), (4, 16384))
	AS v(b, n);
SELECT n, complaint(format('SELECT (%L || repeat(%L, %s))::bincode', 'x', 'f', n))
FROM unnest(ARRAY[16383, 16384, 1000000]) AS n;
-- an array or a vector without a type is taken for a code beside one, and told so
SELECT '01'::bincode <#> '{0.1,0.2}';
SELECT '{0.1,0.2}' <=> '01'::bincode;
SELECT '01'::bincode <#> '[0.1,0.2]';
SELECT '01'::bincode <#> (SELECT format('{%s}', string_agg('0.123456789012345678', ','))
	FROM generate_series(1, 4096))::bincode IS NULL;
PREPARE query AS SELECT '01'::bincode <#> $1;
EXECUTE query ('{0.1,0.2}');
DEALLOCATE query;

-- type modifiers
CREATE TABLE modifiers (
	a bincode(1),
	b bincode(65535),
	c bincode(8, 1),
	d bincode(8, 2),
	e bincode(16383, 4),
	f bincode,
	g bincode(8)[]
);
SELECT attname, format_type(atttypid, atttypmod), atttypmod
FROM pg_attribute
WHERE attrelid = 'modifiers'::regclass AND attnum > 0
ORDER BY attnum;
SELECT modifier, complaint(format('SELECT NULL::bincode(%s)', modifier))
FROM unnest(ARRAY['0', '-1', '65536', '2147483647', '2147483648', '''x''',
	'''''', '8, 0', '8, -1', '8, 5', '8, 2147483647', '0, 2', '32768, 2',
	'21846, 3', '16384, 4', '65535, 2', '8, 2, 1', 'NULL', '1.5', '8, 1.5'])
	AS modifier;

-- a modifier is enforced wherever a value gets a type, and never cuts or pads
SELECT command, complaint(command)
FROM unnest(ARRAY[
	$$SELECT '010'::bincode(4)$$,
	$$SELECT '01010'::bincode(4)$$,
	$$SELECT ''::bincode(4)$$,
	$$SELECT '0101/2'::bincode(4)$$,
	$$SELECT '0101'::bincode(4, 2)$$,
	$$SELECT '0101/2'::bincode(4, 3)$$,
	$$SELECT '010/2'::bincode(4, 2)$$,
	$$SELECT '010'::bincode::bincode(4)$$,
	$$SELECT '0101'::bincode(4)::bincode(5)$$,
	$$SELECT bincode '010' :: bincode(2, 2)$$,
	$$INSERT INTO modifiers (c) VALUES ('0101')$$,
	$$INSERT INTO modifiers (c) SELECT '0101'::bincode$$,
	$$INSERT INTO modifiers (d) VALUES ('01010101')$$,
	$$INSERT INTO modifiers (d) SELECT '0101/2'::bincode$$,
	$$INSERT INTO modifiers (c) VALUES (B'010')$$,
	$$INSERT INTO modifiers (a) VALUES ('')$$,
	$$INSERT INTO modifiers (g) VALUES ('{01010101,0101}')$$,
	$$UPDATE modifiers SET c = '1'$$]) AS command;
INSERT INTO modifiers VALUES ('1', repeat('10', 32767)::bincode || '1',
	'01010101', '01230123/2', (repeat('f', 16383) || '/4')::bincode, '/3',
	'{01010101,11111111,NULL}');
SELECT a, dims(b), c, d, dims(e), f, g, g[2] FROM modifiers;

-- values kept compressed, out of line, and packed come back the same
CREATE TABLE stored (id int, c bincode);
ALTER TABLE stored ALTER c SET STORAGE external;
INSERT INTO stored VALUES (1, repeat('1', 65535)::bincode);
ALTER TABLE stored ALTER c SET STORAGE extended;
INSERT INTO stored VALUES (2, repeat('1', 65535)::bincode), (3, '1');
SELECT id, dims(c), pg_column_size(c) < 1000 AS short,
	c = repeat('1', dims(c))::bincode AS same
FROM stored
ORDER BY id;

-- arrays, domains, composites
SELECT '{0101,0123/2,NULL}'::bincode[], ARRAY['1', '0']::bincode(1)[];
CREATE DOMAIN short_code AS bincode(4) CHECK (VALUE <> '0000'::bincode);
SELECT '0101'::short_code, '0101'::short_code <~> '0111' AS distance;
SELECT complaint('SELECT ''0000''::short_code');
SELECT complaint('SELECT ''000''::short_code');
CREATE TYPE pair AS (a bincode(2), b bincode(2, 2));
SELECT '(01,23/2)'::pair, ROW('01', '23/2')::pair;
SELECT complaint('SELECT ''(01,23)''::pair');

-- no cast lets a bit string pass that is too long for a code; should one be met
-- on disk, every function refuses it
CREATE FUNCTION bits_as_code(bit varying, int, boolean) RETURNS bincode
	LANGUAGE internal IMMUTABLE STRICT AS 'varbit';
CREATE TABLE long_bits AS SELECT bits_as_code(repeat('1', 70000)::bit varying, -1, false) AS c;
SELECT command, complaint('SELECT ' || command || ' FROM long_bits')
FROM unnest(ARRAY['c::text', 'bincode_send(c)', 'dims(c)', 'c = c', 'c < c',
	'bincode_cmp(c, c)', 'bincode_hash(c)', 'bincode_hash_extended(c, 1)',
	'c <~> c', 'c <%> c', 'c <#> c', 'c <=> c', 'c <#> ARRAY[1]',
	'ARRAY[1] <=> c', 'c & c', 'c | c', 'c # c', '~ c', 'c || c',
	'subcode(c, 1, 1)', 'bit_count(c)', 'c::bytea', 'c::bigint', 'bincode_smaller(c, c)', 'bincode_larger(c, c)', 'bit_majority(c)', 'bit_majority(c, 1)',
	'hamming_ball(c, 1)', 'hamming_within(c, c, 1)', 'c::bincode(4)']) AS command;
SELECT n, complaint(format('SELECT repeat(%L, %s)::bit varying::bincode::text',
	1, n)) AS "cast",
	complaint(format('SELECT bits_as_code(repeat(%L, %s)::bit varying, -1, false)::text', 1, n)) AS read
FROM unnest(ARRAY[65535, 65536, 65537, 65600, 131071, 131072, 131080, 196608,
	262144, 10000000]) AS n;
-- such a value may leave as the bit string it is
SELECT length(c::bit varying) FROM long_bits;

DROP TABLE modifiers, stored, long_bits;
DROP TYPE pair;
DROP DOMAIN short_code;
DROP FUNCTION complaint, bits_as_code;
