-- svec: text and binary input and output, length, malformed input
SELECT '{1:0.5,30:1.25}/30522'::svec;
SELECT '{30:1.25,1:0.5}/30522'::svec AS sorted;
SELECT E' \t{ 3 : 1 , 1 : -2e0 }\n/ 5 '::svec AS spaced;
SELECT '{}/3'::svec AS empty, '{1:0,2:-0,3:0.0}/3'::svec AS zeros;
SELECT '{1:1}/1'::svec AS smallest, '{1000000000:1}/1000000000'::svec AS widest;
SELECT '{1:3.4028235e38,2:-3.4028235e38,3:1e-45,4:1.17549435e-38}/4'::svec
	AS extremes;
SELECT '{+2:+1.5,007:.25}/+8'::svec AS signs;
SELECT '{1:16777217,2:0.1,3:123456.789}/3'::svec AS rounded;

-- length
SELECT '{1:1}/3'::svec(3);
SELECT '{1:1}/3'::svec(4);
SELECT '{1:1}/3'::svec::svec(4);
SELECT '{1:1}/3'::svec(0);
SELECT '{1:1}/3'::svec(-1);
SELECT '{1:1}/3'::svec(1000000001);
SELECT '{1:1}/3'::svec(3, 4);
SELECT '{1:1}/3'::svec('a');
CREATE TABLE svec_io (id int, v svec(3));
INSERT INTO svec_io VALUES (1, '{1:1}/3'), (2, '{}/3'), (3, NULL);
INSERT INTO svec_io VALUES (4, '{1:1}/4');
INSERT INTO svec_io VALUES (4, svec('{1}'::int[], '{1}'::real[], 2));
SELECT * FROM svec_io ORDER BY id;
SELECT format_type(atttypid, atttypmod) FROM pg_attribute
	WHERE attrelid = 'svec_io'::regclass AND attname = 'v';

-- the length check is planned away where it cannot fail, and only there
EXPLAIN (VERBOSE, COSTS OFF) SELECT v::svec(3), v::svec FROM svec_io;
EXPLAIN (VERBOSE, COSTS OFF) SELECT v::svec::svec(4), v::svec(5) FROM svec_io;
ALTER TABLE svec_io ADD free svec;
SELECT pg_relation_filenode('svec_io') AS before \gset
ALTER TABLE svec_io ALTER v TYPE svec;
SELECT pg_relation_filenode('svec_io') = :before AS kept;
ALTER TABLE svec_io ALTER v TYPE svec(3);
SELECT pg_relation_filenode('svec_io') = :before AS kept;
ALTER TABLE svec_io ALTER v TYPE svec(4);

-- what input makes of malformed text; every line must be an error
CREATE FUNCTION svec_error(input text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	message text;
	detail text;
BEGIN
	RETURN 'accepted: ' || input::svec::text;
EXCEPTION WHEN others THEN
	GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
	RETURN SQLSTATE || ' ' || message || ' ' || detail;
END
$$;
CREATE TABLE svec_bad (id int GENERATED ALWAYS AS IDENTITY, input text);
INSERT INTO svec_bad (input) VALUES
	(''), (' '), ('{'), ('}'), ('/'), ('{}'), ('{}/'), ('{}/ '), ('/3'), ('3'),
	('{1'), ('{1:'), ('{1:}/3'), ('{1:1'), ('{1:1,'), ('{1:1,}/3'),
	('{,1:1}/3'), ('{1:1,,2:1}/3'), ('{1:1}'), ('{1:1}3'), ('{1:1}/'),
	('{1:1}/x'), ('{1:1}/3x'), ('{1:1}/3 4'), ('{1:1}/3.5'), ('{1:1}/3/3'),
	('{1:1}}/3'), ('{{1:1}/3'), ('[1:1]/3'), ('(1:1)/3'), ('{1;1}/3'),
	('{1=1}/3'), ('{1 1}/3'), ('{1:1 2:1}/3'), ('{1:1;2:1}/3'), ('{:1}/3'),
	('{a:1}/3'), ('{1:a}/3'), ('{1:1a}/3'), ('{1.5:1}/3'), ('{1e0:1}/3'),
	('{0x1:1}/3'), ('{"1":1}/3'), ('{1:"1"}/3'), ('{1:1:1}/3'), ('{- 1:1}/3'),
	('{--1:1}/3'), ('{+:1}/3'), ('{1:+}/3'), ('{1:-}/3'), ('{1:.}/3'),
	('{1:e5}/3'), ('{1:1e}/3'), ('{1:nan}/3'), ('{1:NaN}/3'), ('{1:-nan}/3'),
	('{1:inf}/3'), ('{1:Infinity}/3'), ('{1:-infinity}/3'), ('{1:1e39}/3'),
	('{1:-1e39}/3'), ('{1:3.5e38}/3'), ('{1:1e-46}/3'), ('{1:-1e-60}/3'),
	('{1:1e400}/3'), ('{1:1e-400}/3'), ('{0:1}/3'), ('{4:1}/3'), ('{-1:1}/3'),
	('{0:0}/3'), ('{4:0}/3'), ('{2147483648:1}/3'), ('{4294967297:1}/3'),
	('{99999999999999999999:1}/3'), ('{-99999999999999999999:1}/3'),
	('{1:1,1:1}/3'), ('{1:1,2:1,1:0}/3'), ('{1:0,1:0}/3'), ('{1:1}/0'),
	('{}/0'), ('{}/-1'), ('{}/1000000001'), ('{}/2147483648'),
	('{}/4294967297'), ('{}/99999999999999999999'), ('{1:1,2:1}/1'),
	('null'), ('NULL'), ('{NULL}/3'), ('{1:NULL}/3'), ('1:1,2:1/3'),
	('{1:1}' || repeat(' ', 100) || 'x'), (repeat('{', 1000)),
	('{1:' || repeat('9', 1000) || '}/3'),
	('{' || repeat('1', 1000) || ':1}/3'),
	('{1:1}/3' || repeat('a', 100));
SELECT id, svec_error(input) FROM svec_bad ORDER BY id;
SELECT count(*) AS inputs FROM svec_bad;

-- 65,535 weights are the most
SELECT nnz(v), dims(v), v = v::text::svec AS same FROM
	(SELECT ('{' || string_agg(i || ':' || i, ',') || '}/70000')::svec AS v
	 FROM generate_series(1, 65535) i) s;
SELECT left(svec_error('{' || string_agg(i || ':' || i, ',') || '}/70000'), 80)
	FROM generate_series(1, 65536) i;

-- binary form: written by hand, then read back by COPY
CREATE FUNCTION svec_binary(dims int, nnz int, unused int, indices int[],
	weights real[]) RETURNS bytea LANGUAGE sql IMMUTABLE AS $$
	SELECT int4send(dims) || int4send(nnz) || int4send(unused) ||
		coalesce((SELECT string_agg(int4send(i), '' ORDER BY o)
			FROM unnest(indices) WITH ORDINALITY u(i, o)), '') ||
		coalesce((SELECT string_agg(float4send(w), '' ORDER BY o)
			FROM unnest(weights) WITH ORDINALITY u(w, o)), '')
$$;
SELECT svec_send('{2:-1.5,7:3}/9') =
	svec_binary(9, 2, 0, '{1,6}', '{-1.5,3}') AS as_documented;
SELECT svec_send('{}/1') = svec_binary(1, 0, 0, '{}', '{}') AS as_documented;

CREATE FUNCTION svec_random(dims int, nnz int) RETURNS svec
	LANGUAGE sql VOLATILE AS $$
	SELECT svec(array_agg(i), array_agg(w), $1)
	FROM (SELECT DISTINCT ON (i) i, w FROM
		(SELECT 1 + floor(random() * $1)::int AS i,
			((random() - 0.5) * 10 ^ (random() * 20 - 10))::real AS w
		 FROM generate_series(1, $2)) r ORDER BY i, w) d
$$;
\echo seed 0.25
SELECT setseed(0.25);
CREATE TABLE svec_copy AS
	SELECT i AS id, svec_random(1 + i * i, i) AS v FROM generate_series(1, 200) i;
INSERT INTO svec_copy VALUES (201, NULL), (202, '{}/5'),
	(203, (SELECT svec(array_agg(i), array_agg(i::real), 70000)
		FROM generate_series(1, 65535) i));
SELECT count(*) FILTER (WHERE v::text::svec IS DISTINCT FROM v) AS text_differs
	FROM svec_copy;
CREATE TABLE svec_back (LIKE svec_copy);
\copy svec_copy TO 'results/svec_io.bin' (FORMAT binary)
\copy svec_back FROM 'results/svec_io.bin' (FORMAT binary)
SELECT count(*) AS binary_differs FROM svec_copy c FULL JOIN svec_back b USING (id)
	WHERE c.v IS DISTINCT FROM b.v;

-- a COPY file around one hand-made value
CREATE FUNCTION svec_copy_file(value bytea) RETURNS bytea LANGUAGE sql AS $$
	SELECT '\x5047434f50590aff0d0a000000000000000000'::bytea || int2send(1::int2) ||
		int4send(length(value)) || value || int2send((-1)::int2)
$$;
CREATE TABLE svec_received (v svec);
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{0,2}', '{1,-1}'))) AS file \gset
\echo good
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(0, 0, 0, '{}', '{}'))) AS file \gset
\echo no dimensions
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(-5, 0, 0, '{}', '{}'))) AS file \gset
\echo negative dimensions
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(1000000001, 0, 0, '{}', '{}'))) AS file \gset
\echo too many dimensions
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, -1, 0, '{}', '{}'))) AS file \gset
\echo negative count
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(1, 2, 0, '{0,1}', '{1,1}'))) AS file \gset
\echo more weights than dimensions
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(100000, 65536, 0, '{}', '{}'))) AS file \gset
\echo too many weights
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 7, '{0}', '{1}'))) AS file \gset
\echo unused is not 0
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{-1}', '{1}'))) AS file \gset
\echo index below 0
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{3}', '{1}'))) AS file \gset
\echo index beyond dimensions
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{1,0}', '{1,1}'))) AS file \gset
\echo descending
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{1,1}', '{1,1}'))) AS file \gset
\echo repeated
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{0,1}', '{1,0}'))) AS file \gset
\echo zero
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{0}', '{-0}'))) AS file \gset
\echo negative zero
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{0}', '{NaN}'))) AS file \gset
\echo NaN
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{0}', '{-Infinity}'))) AS file \gset
\echo infinity
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{0}', '{}'))) AS file \gset
\echo indices missing
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 2, 0, '{0,1}', '{1}'))) AS file \gset
\echo weights missing
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT lo_from_bytea(0, svec_copy_file(svec_binary(3, 1, 0, '{0}', '{1,1}'))) AS file \gset
\echo something left
\lo_export :file results/svec_io.bin
\copy svec_received FROM 'results/svec_io.bin' (FORMAT binary)
SELECT * FROM svec_received;
SELECT count(lo_unlink(oid)) FROM pg_largeobject_metadata;

-- arrays, domains, composite values
SELECT ARRAY['{1:1}/2', '{2:3}/2']::svec[];
SELECT ('{"{1:1,2:-2}/2",NULL,"{}/7"}'::svec[])[1];
CREATE DOMAIN svec_pair AS svec(2) CHECK (nnz(VALUE) > 0);
SELECT '{1:1}/2'::svec_pair;
SELECT '{}/2'::svec_pair;
SELECT '{1:1}/3'::svec_pair;
SELECT ROW('{1:1}/2'::svec, 1);

DROP TABLE svec_io, svec_bad, svec_copy, svec_back, svec_received;
DROP FUNCTION svec_error, svec_binary, svec_random, svec_copy_file;
DROP DOMAIN svec_pair;
