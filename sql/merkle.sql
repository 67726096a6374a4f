-- merkle_root, merkle_proof, merkle_verify: trees of RFC 6962
CREATE FUNCTION pg_temp.hash_of(root bytea) RETURNS text LANGUAGE sql RETURN encode(substr(root, 1, 32), 'hex');
-- the vectors of certificate transparency
SELECT n, pg_temp.hash_of(merkle_root(leaf ORDER BY i) FILTER (WHERE i <= n)) AS root
FROM generate_series(0, 8) AS n, unnest('{"\\x","\\x00","\\x10","\\x2021","\\x3031","\\x40414243","\\x5051525354555657","\\x606162636465666768696a6b6c6d6e6f"}'::bytea[]) WITH ORDINALITY AS l(leaf, i)
GROUP BY n ORDER BY n;
SELECT merkle_root(x::bytea ORDER BY x) AS abc FROM unnest('{a,b,c}'::text[]) AS x;
-- by the RFC's own definition, which divides from above, and so are paths
CREATE FUNCTION pg_temp.half(n int) RETURNS int LANGUAGE sql RETURN (1 << floor(log(2.0, n - 0.5))::int);
CREATE FUNCTION pg_temp.mth(d bytea[]) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE n int := cardinality(d); k int;
BEGIN
	IF n <= 1 THEN RETURN CASE WHEN n = 0 THEN sha256('') ELSE sha256('\x00' || d[1]) END; END IF;
	k := pg_temp.half(n);
	RETURN sha256('\x01'::bytea || pg_temp.mth(d[1:k]) || pg_temp.mth(d[k + 1:]));
END $$;
CREATE FUNCTION pg_temp.path(m int, d bytea[]) RETURNS bytea[] LANGUAGE plpgsql AS $$
DECLARE n int := cardinality(d); k int;
BEGIN
	IF n = 1 THEN RETURN '{}'; END IF;
	k := pg_temp.half(n);
	RETURN CASE WHEN m <= k THEN pg_temp.path(m, d[1:k]) || pg_temp.mth(d[k + 1:]) ELSE pg_temp.path(m - k, d[k + 1:]) || pg_temp.mth(d[1:k]) END;
END $$;
CREATE TEMP TABLE list AS SELECT n, coalesce(array_agg(sha256(int4send(n * 100 + i)) ORDER BY i) FILTER (WHERE i <= n), '{}') AS leaves,
	merkle_root(sha256(int4send(n * 100 + i)) ORDER BY i) FILTER (WHERE i <= n) AS root FROM generate_series(0, 40) AS n, generate_series(1, greatest(n, 1)) AS i GROUP BY n;
SELECT count(*), bool_and(substr(root, 1, 32) = pg_temp.mth(leaves)) AS roots, bool_and(substr(root, 33, 8) = int8send(n)) AS sizes,
	bool_and(substr(root, 41) = sha256('\x02'::bytea || int8send(n) || substr(root, 1, 32))) AS seals FROM list;
SELECT count(*), bool_and(merkle_proof(leaves, i) = pg_temp.path(i, leaves)) AS paths, bool_and(merkle_verify(root, leaves[i], i, merkle_proof(leaves, i))) AS verified
FROM list, generate_series(1, n) AS i;

-- 10,000 forgeries: of leaf, place, proof, root, number of leaves; a node as a leaf; leaves twice
\set seed 0.5
\echo seed :seed
SELECT setseed(:seed);
CREATE FUNCTION pg_temp.flip(b bytea) RETURNS bytea LANGUAGE plpgsql AS $$
DECLARE at int := floor(random() * 8 * length(b));
BEGIN
	RETURN set_bit(b, at, 1 - get_bit(b, at));
END $$;
-- a root that says another number of leaves, sealed or not
CREATE FUNCTION pg_temp.resize(root bytea, n bigint, sealed bool) RETURNS bytea LANGUAGE sql
	RETURN substr(root, 1, 32) || int8send(n) || CASE WHEN sealed THEN sha256('\x02'::bytea || int8send(n) || substr(root, 1, 32)) ELSE substr(root, 41) END;
CREATE FUNCTION pg_temp.forge(kind text, l list) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	i int := 1 + floor(random() * l.n);
	j int;
	p bytea[] := merkle_proof(l.leaves, i);
	k int := 1 + floor(random() * cardinality(p));
	taken bool;
BEGIN
	CASE kind
	WHEN 'leaf' THEN taken := merkle_verify(l.root, pg_temp.flip(l.leaves[i]), i, p);
	WHEN 'place' THEN
		j := 1 + (i + floor(random() * (l.n - 1))::int) % l.n;
		taken := merkle_verify(l.root, l.leaves[i], j, p);
	WHEN 'place and its proof' THEN
		j := 1 + (i + floor(random() * (l.n - 1))::int) % l.n;
		taken := merkle_verify(l.root, l.leaves[i], j, merkle_proof(l.leaves, j));
	WHEN 'hash of proof' THEN
		p[k] := pg_temp.flip(p[k]);
		taken := merkle_verify(l.root, l.leaves[i], i, p);
	WHEN 'root' THEN taken := merkle_verify(pg_temp.flip(l.root), l.leaves[i], i, p);
	WHEN 'proof cut' THEN taken := merkle_verify(l.root, l.leaves[i], i, p[2:]);
	WHEN 'proof longer' THEN taken := merkle_verify(l.root, l.leaves[i], i, p || p[k]);
	WHEN 'node as leaf' THEN -- of a tree of half the leaves
		taken := merkle_verify(pg_temp.resize(l.root, (l.n + 1) / 2, true), sha256('\x00' || l.leaves[i - 1 + i % 2]) || sha256('\x00' || l.leaves[least(i + i % 2, l.n)]), (i + 1) / 2, p[2:]);
	WHEN 'another number' THEN taken := merkle_verify(pg_temp.resize(l.root, l.n + 1, false), l.leaves[i], i, p);
	WHEN 'last leaf twice' THEN
		taken := (SELECT merkle_root(x ORDER BY o) = l.root OR substr(merkle_root(x ORDER BY o), 1, 32) = substr(l.root, 1, 32) FROM unnest(l.leaves || l.leaves[l.n]) WITH ORDINALITY AS u(x, o));
	END CASE;
	RETURN CASE WHEN taken THEN 'taken' ELSE 'false' END;
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN 'error';
END $$;
CREATE TEMP TABLE forged AS SELECT kind, pg_temp.forge(kind, list) AS result
FROM unnest('{leaf,place,"place and its proof","hash of proof",root,"proof cut","proof longer","node as leaf","another number","last leaf twice"}'::text[]) AS kind, list, generate_series(1, 27) WHERE n > 1;
SELECT kind, count(*), count(*) FILTER (WHERE result = 'taken') AS taken, count(*) FILTER (WHERE result = 'false') > 0 AS some_false, count(*) FILTER (WHERE result = 'error') > 0 AS some_errors FROM forged GROUP BY kind ORDER BY kind COLLATE "C";
SELECT count(*) >= 10000 AS ten_thousand, count(*) FILTER (WHERE result = 'taken') AS taken FROM forged;

-- who says more leaves than there are cannot open as many places as are missing: each place is another path to a leaf
CREATE FUNCTION pg_temp.opens(root bytea, leaf bytea, i int, proof bytea[]) RETURNS bool LANGUAGE plpgsql AS $$
BEGIN
	RETURN merkle_verify(root, leaf, i, proof);
EXCEPTION WHEN invalid_parameter_value THEN
	RETURN false;
END $$;
SELECT n, array_agg(opened ORDER BY said) AS opened_of_more, bool_and(opened <= n) AS no_more FROM (
	SELECT n, said, count(DISTINCT i) FILTER (WHERE pg_temp.opens(pg_temp.resize(root, said, true), leaves[j], i, proof)) AS opened
	FROM (SELECT list.*, j, merkle_proof(leaves, j) AS proof FROM list, generate_series(1, n) AS j WHERE n IN (5, 6, 7, 8, 11)) AS l, LATERAL generate_series(n, 2 * n) AS said, LATERAL generate_series(1, said) AS i
	GROUP BY n, said) AS s GROUP BY n ORDER BY n;

-- an audit: a list of 400 leaves, a share of them others than they should be; s places opened find one with probability 1 - (1 - f) ^ s
CREATE TEMP TABLE audit AS SELECT fakes, array_agg(sha256(int4send(i))) AS truth, array_agg(sha256(int4send(CASE WHEN i <= fakes THEN -i ELSE i END))) AS claimed FROM generate_series(1, 400) AS i, unnest('{8,20}'::int[]) AS fakes GROUP BY fakes;
CREATE TEMP TABLE opened AS
SELECT fakes, i, NOT merkle_verify(root, truth[i], i, merkle_proof(claimed, i)) AS caught FROM (SELECT audit.*, (SELECT merkle_root(x ORDER BY o) FROM unnest(claimed) WITH ORDINALITY AS u(x, o)) AS root FROM audit OFFSET 0) AS a, generate_series(1, 400) AS i;
SELECT fakes, count(*) FILTER (WHERE caught) AS caught FROM opened GROUP BY fakes ORDER BY fakes;
SELECT fakes, s, abs(avg(found::int) - p) < 3 * sqrt(p * (1 - p) / count(*)) AS within_3_sigma FROM (
	SELECT d.fakes, s, trial, bool_or(caught) AS found, 1 - (1 - d.fakes / 400.0) ^ s AS p
	FROM (SELECT fakes, s, trial, 1 + (hashint8extended(fakes * 10000000 + s * 100000 + trial * 50 + o, 5) & 1073741823)::int % 400 AS i FROM unnest('{8,20}'::int[]) AS fakes, unnest('{5,20,50}'::int[]) AS s, generate_series(1, 2000) AS trial, generate_series(1, s) AS o) AS d JOIN opened USING (fakes, i)
	GROUP BY d.fakes, s, trial) AS t GROUP BY fakes, s, p ORDER BY fakes, s;

-- fingerprint: formulas of the bytes
SELECT fingerprint('1011'::bincode), fingerprint('31f0/4'::bincode), fingerprint(''::bincode);
SELECT fingerprint('{1,-0.5,0.003}'::real[]), fingerprint('{3,4,5}'::int[], 4), fingerprint('{0,0}'::real[]), fingerprint('{-1e-45,0}'::real[], 15), fingerprint('{1e308,-1e308}'::float8[], 2);
SELECT fingerprint(array_agg(v)) = fingerprint(array_agg(v * (1 + 1e-9))) AS noise_is_lost, fingerprint(array_agg(v)) = fingerprint(array_agg(v * 2)) AS scale_is_lost FROM unnest('{0.3,0.2,-0.7}'::float8[]) AS v;
-- bytes behind the head: a step is 2 ^ (exponent - bits + 1)
SELECT bool_and((get_byte(f, 8 + 2 * i) + 256 * get_byte(f, 9 + 2 * i) + 32768) % 65536 - 32768 = round(v[i + 1] * 2 ^ (bits - 1))) AS steps
FROM (SELECT v, bits, fingerprint(v, bits) AS f FROM (SELECT array_agg(CASE WHEN i = 7 THEN 0.9 ELSE random() * 1.8 - 0.9 END) AS v FROM generate_series(1, 100) AS i) AS r, generate_series(2, 15) AS bits) AS s, generate_series(0, 99) AS i;

-- what is refused
SELECT merkle_root(x) FROM (VALUES ('a'::bytea), (NULL)) AS v(x);
SELECT merkle_proof('{}', 1);
SELECT merkle_proof('{a,b}', 0);
SELECT merkle_proof('{a,b}', 3);
SELECT merkle_proof('{a,NULL}', 1);
SELECT merkle_proof('{{a,b}}', 1);
CREATE TEMP TABLE one AS SELECT merkle_root(x ORDER BY x) AS root FROM unnest('{a,b,c}'::bytea[]) AS x;
SELECT merkle_verify(root, 'a', 0, merkle_proof('{a,b,c}', 1)) FROM one;
SELECT merkle_verify(root, 'a', 4, merkle_proof('{a,b,c}', 1)) FROM one;
SELECT merkle_verify(root, 'a', 1, '{}') FROM one;
SELECT merkle_verify(root, 'c', 3, merkle_proof('{a,b,c}', 1)) FROM one;
SELECT merkle_verify(root, 'a', 1, '{a,b}') FROM one;
SELECT merkle_verify(root, 'a', 1, '{a,NULL}') FROM one;
SELECT merkle_verify(substr(root, 1, 32), 'a', 1, merkle_proof('{a,b,c}', 1)) FROM one;
SELECT merkle_verify('', 'a', 1, '{}');
SELECT merkle_verify(root, NULL, 1, '{}') IS NULL AS none FROM one;
SELECT fingerprint('{}'::real[]);
SELECT fingerprint('{1,NaN}'::real[]);
SELECT fingerprint('{1,NULL}'::real[]);
SELECT fingerprint('{1}'::real[], 1);
SELECT fingerprint('{1}'::real[], 16);
