-- Codes of dense vectors are of the kind that the vectors ask for: few directions
-- finely where the spectrum is steep, more of them coarsely, told from landmarks,
-- where it is flat; with dimensions that are a multiple of nothing
\set ECHO none
\i sql/include/same.sql
\i sql/include/dense.sql
\set ECHO all
\echo seed d7
CREATE FUNCTION pg_temp.noise(i bigint, d int, salt text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT hashtextextended('d7' || salt || i || 'x' || d, 0) / 2 ^ 63 $$;
-- Vector i of 83 dimensions: nearly all of it in five, or one of 31 clusters in all of them
CREATE FUNCTION pg_temp.steep(i bigint) RETURNS real[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array_agg((pg_temp.noise(i, d, 's') * CASE WHEN d <= 5 THEN 1 ELSE 0.01 END)::real ORDER BY d) FROM generate_series(1, 83) d $$;
CREATE FUNCTION pg_temp.flat(i bigint) RETURNS real[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array_agg((pg_temp.noise(i % 31, d, 'c') + 0.5 * pg_temp.noise(i, d, 'f'))::real ORDER BY d) FROM generate_series(1, 83) d $$;
-- Some are zero
CREATE TABLE vectors AS SELECT kind, i, CASE WHEN i % 97 = 5 THEN array_fill(0::real, '{83}') WHEN kind = 'steep' THEN pg_temp.steep(i) ELSE pg_temp.flat(i) END AS v
	FROM unnest('{steep,flat}'::text[]) kind, generate_series(1, 1510) i;
CREATE UNIQUE INDEX ON vectors (kind, i);
-- What the codes of an index are, and whether it finds what a sequential scan does
CREATE FUNCTION pg_temp.look(kind text, op text) RETURNS TABLE (codes text, searches bigint, different bigint, example text, sound bool) LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('hashemb.recall', '1', true);
	RETURN QUERY SELECT (SELECT CASE WHEN bits IS NULL THEN 'none' WHEN landmarks > 1 THEN format('%s directions, %s bits, landmarks', directions, bits)
			ELSE format('%s directions, %s bits', directions, bits) END FROM hashemb_code_info('codes_idx')),
		s.searches, s.different, s.example, (SELECT h.rows >= (SELECT count(*) FROM index_codes) FROM hashemb_check('codes_idx', true) h)
		FROM pg_temp.differences('codes_idx', 'index_codes', ARRAY(SELECT format('v %s %L::real[]', op, x.v) FROM vectors x WHERE x.kind = look.kind AND i IN (5, 7, 1507)),
			'{true,a = 3}', '{1,10,100000}') s;
END $$;
-- Built of rows, after changes, and grown from none
CREATE FUNCTION pg_temp.codes(kind text, op text, bytes int) RETURNS TABLE (made text, codes text, searches bigint, different bigint, example text, sound bool) LANGUAGE plpgsql AS $$
DECLARE
	index text := format('CREATE INDEX codes_idx ON index_codes USING hashemb (v %s, a) WITH (dims = 83, block_rows = 40, code_bytes = %s)', pg_temp.class(op), bytes);
	rows text := format('INSERT INTO index_codes SELECT i, v, i %% 4 FROM vectors WHERE kind = %L AND i BETWEEN $1 AND $2', kind);
BEGIN
	CREATE TABLE index_codes (id int, v real[], a int);
	EXECUTE rows USING 1, 1200;
	EXECUTE index;
	RETURN QUERY SELECT 'built', * FROM pg_temp.look(kind, op);
	EXECUTE rows USING 1201, 1400;
	UPDATE index_codes SET v = (SELECT x.v FROM vectors x WHERE x.kind = codes.kind AND x.i = id + 7) WHERE id % 9 = 2;
	RETURN QUERY SELECT 'changed', * FROM pg_temp.look(kind, op);
	DROP TABLE index_codes;
	CREATE TABLE index_codes (id int, v real[], a int);
	EXECUTE index;
	EXECUTE rows USING 1, 900;
	RETURN QUERY SELECT 'begun', * FROM pg_temp.look(kind, op);
	EXECUTE rows USING 901, 1500;
	RETURN QUERY SELECT 'grown', * FROM pg_temp.look(kind, op);
	DROP TABLE index_codes;
END $$;
SELECT * FROM pg_temp.codes('steep', '<=>', 16);
SELECT * FROM pg_temp.codes('flat', '<=>', 16);
SELECT * FROM pg_temp.codes('flat', '<->', 16);
SELECT * FROM pg_temp.codes('flat', '<#>', 16);
-- bytes for all directions at 2 bits; at 4 bits
SELECT * FROM pg_temp.codes('flat', '<->', 24);
SELECT * FROM pg_temp.codes('flat', '<#>', 48);
DROP TABLE vectors;
-- of indexes that are none of dense vectors
CREATE TABLE index_codes (code bincode(64));
CREATE INDEX codes_idx ON index_codes USING hashemb (code);
SELECT * FROM hashemb_code_info('codes_idx');
DROP TABLE index_codes;
