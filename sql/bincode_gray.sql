-- gray_rank: an order in which neighbours differ in one bit
SELECT code, gray_rank(code) FROM unnest('{"",0,1,11,1011,10000000,111111111}'::bincode[]) AS code;
-- for all codes of k bits; the place in the order is a formula of its own: the code of rank r is r # (r >> 1)
SELECT k, count(*) AS codes, max(code <~> before) AS farthest, min(code <~> before) AS nearest,
	bool_and(substr((r # (r >> 1))::bit(32)::text, 33 - k) = code::text) AS by_formula
FROM (SELECT k, code, lag(code) OVER w AS before, (row_number() OVER w - 1)::int AS r
	FROM generate_series(1, 16) AS k, generate_series(0, (1 << k) - 1) AS i, LATERAL (SELECT substr(i::bit(32)::text, 33 - k)::bincode AS code) AS c
	WINDOW w AS (PARTITION BY k ORDER BY gray_rank(code))) AS s
GROUP BY k ORDER BY k;
-- beyond a byte: each bit of the rank is the parity of the code's bits up to it
\set seed 0.25
\echo seed :seed
SELECT setseed(:seed);
CREATE TEMP TABLE gray AS SELECT n, string_agg((random() < 0.5)::int::text, '' ORDER BY i)::bincode AS code FROM unnest('{7,8,9,63,64,65,511,1000}'::int[]) AS n, generate_series(1, n) AS i GROUP BY n;
SELECT n, length(gray_rank(code)) AS bytes, bool_and(get_byte(gray_rank(code), (i - 1) / 8) >> (7 - (i - 1) % 8) & 1 = bit_count(subcode(code, 1, i)) % 2) AS parities,
	(get_byte(gray_rank(code), length(gray_rank(code)) - 1) & (255 >> (1 + (n - 1) % 8))) = 0 AS rest_is_zero
FROM gray, generate_series(1, n) AS i GROUP BY n, code ORDER BY n;
-- a table in this order, by a B-tree
CREATE TABLE clustered AS SELECT i AS id, (i * 40503)::bit(16)::bincode AS code FROM generate_series(1, 2000) AS i;
CREATE INDEX clustered_rank ON clustered (gray_rank(code));
CLUSTER clustered USING clustered_rank;
SELECT bool_and(gray_rank(code) > before) AS in_order FROM (SELECT code, lag(gray_rank(code)) OVER (ORDER BY ctid) AS before FROM clustered) AS s;
SELECT gray_rank('31f0/4');
DROP TABLE clustered;
