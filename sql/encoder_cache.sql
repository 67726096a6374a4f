--
-- Encoders that a session keeps for later statements: each call gets its own,
-- however statements, rows, errors and settings change between them.
--
CREATE TABLE cache_vector AS SELECT id, array_agg(sin(id * d)::real ORDER BY d) AS x
	FROM generate_series(1, 40) id, generate_series(1, 300) d GROUP BY id;
CREATE TABLE cache_encoder (seed int PRIMARY KEY, model hashemb_model);
INSERT INTO cache_encoder SELECT seed, hashemb_train(jsonb_build_object('method', 'random', 'dims', 256, 'seed', seed), x ORDER BY id)
	FROM cache_vector, generate_series(1, 4) seed GROUP BY seed;
-- out of line, so that places of values are compared; large enough to be told from others below
SELECT count(*), min(pg_column_size(model)) > 75000 AS large FROM cache_encoder;
-- encoders in memory
CREATE FUNCTION kept() RETURNS bigint LANGUAGE sql AS
	$$SELECT count(*) FROM pg_backend_memory_contexts WHERE name = 'hashemb encoder' AND total_bytes > 75000$$;
-- an expression that is prepared anew for each row, as in a trigger's function
CREATE FUNCTION code_of(wanted int, x real[]) RETURNS bincode LANGUAGE plpgsql AS $$
DECLARE
	code bincode;
BEGIN
	code := hashemb_encode((SELECT model FROM cache_encoder WHERE seed = wanted), x);
	RETURN code;
END $$;
SELECT kept();

-- the codes, by text: encoders that never were in the table
CREATE TABLE cache_truth AS SELECT seed, id, hashemb_encode(model::text::hashemb_model, x) AS code
	FROM cache_encoder, cache_vector;
SELECT count(*), count(DISTINCT code) > 150 AS several FROM cache_truth;
CREATE FUNCTION wrong() RETURNS TABLE (by_row bigint, by_encoder bigint, in_turns bigint) LANGUAGE sql AS $$
	SELECT (SELECT count(*) FROM cache_truth JOIN cache_vector USING (id) WHERE code_of(seed, x) IS DISTINCT FROM code),
		(SELECT count(*) FROM cache_truth JOIN cache_vector USING (id) JOIN cache_encoder USING (seed)
			WHERE hashemb_encode(model, x) IS DISTINCT FROM code),
		(SELECT count(*) FROM (SELECT t.code, model, x FROM cache_truth t JOIN cache_vector USING (id) JOIN cache_encoder USING (seed)
			ORDER BY id, seed OFFSET 0) s WHERE hashemb_encode(model, x) IS DISTINCT FROM code)
$$;
SELECT * FROM wrong();
SELECT kept();

-- no more is kept than fits, and what is used meanwhile stays
SET work_mem = '64kB';
SELECT * FROM wrong();
SELECT kept();
SET work_mem = '200kB';
SELECT * FROM wrong();
SELECT kept();
RESET work_mem;

-- errors amid calls
DO $$
BEGIN
	FOR i IN 1 .. 3 LOOP
		BEGIN
			PERFORM hashemb_encode(model, CASE WHEN id = 20 THEN x[2:] ELSE x END) FROM cache_encoder, cache_vector;
		EXCEPTION WHEN data_exception THEN
			RAISE NOTICE '%', SQLERRM;
		END;
	END LOOP;
END $$;
SELECT * FROM wrong();
SELECT kept();

-- another encoder under the same name
UPDATE cache_encoder SET model = (SELECT model FROM cache_encoder WHERE seed = 2) WHERE seed = 1;
SELECT count(*) AS still_the_first FROM cache_truth JOIN cache_vector USING (id)
	WHERE seed = 1 AND code_of(1, x) = code;
SELECT count(*) AS now_the_second FROM cache_truth JOIN cache_vector USING (id)
	WHERE seed = 2 AND code_of(1, x) = code;

DROP TABLE cache_vector, cache_encoder, cache_truth;
DROP FUNCTION kept, code_of, wrong;
