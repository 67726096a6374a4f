--
-- Rows that span few directions exactly: an encoder, always, by every method
-- that looks for directions or solves for them. Where rows have few elements,
-- what is left beside the directions is rounding of rounding.
--
-- a join of generate_series() is planned as if it had so many rows that compiling
-- each would pay
SET jit = off;
-- `n` rows of `rank` directions in `dims` dimensions, of which one in `step` is
-- not constant
CREATE FUNCTION spanned(rank int, dims int, step int, n int, factor float8) RETURNS TABLE (i int, x real[]) LANGUAGE sql AS $$
	SELECT i, array_agg(x ORDER BY d) FROM (
		SELECT i, d, (factor * sum(CASE WHEN rank > 0 AND d % step = 0 THEN hashint8extended(i, k) % 1000 / 100.0 * (hashint8extended(d, k) % 4) ELSE 1 END))::real AS x
		FROM generate_series(1, n) i, generate_series(1, dims) d, generate_series(1, greatest(rank, 1)) k GROUP BY i, d) s GROUP BY i $$;
-- 'codes' if there is an encoder and it encodes each row
CREATE FUNCTION trained(spec text, rank int, dims int, step int, n int, factor float8) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	m hashemb_model;
	codes bigint;
BEGIN
	IF spec ~ 'cross' THEN
		SELECT hashemb_train(spec::jsonb, x, x[:dims - 1] ORDER BY i) INTO m FROM spanned(rank, dims, step, n, factor);
	ELSIF spec ~ 'fit' THEN
		SELECT hashemb_train(spec::jsonb, x, hashint8extended(i, 9)::bit(64)::bincode ORDER BY i) INTO m FROM spanned(rank, dims, step, n, factor);
	ELSE
		SELECT hashemb_train(spec::jsonb, x ORDER BY i) INTO m FROM spanned(rank, dims, step, n, factor);
	END IF;
	SELECT count(hashemb_encode(m, x)) INTO codes FROM spanned(rank, dims, step, n, factor);
	RETURN CASE codes WHEN n THEN 'codes' ELSE 'codes are missing' END;
EXCEPTION WHEN OTHERS THEN
	RETURN SQLERRM;
END $$;

-- all numbers of dimensions
SELECT rank, result, count(*) FROM (SELECT rank, trained('{"method": "pca", "bits": 16}', rank, dims, step, 20, 1) AS result
	FROM generate_series(1, 2) rank, generate_series(33, 129) dims, unnest('{5,7}'::int[]) step) s GROUP BY rank, result ORDER BY rank, result;
-- other methods, ranks, scales
SELECT spec, result, count(*) FROM (SELECT spec, trained(spec, rank, 24, step, 64, factor) AS result
	FROM unnest(ARRAY['{"method": "itq", "bits": 16}', '{"method": "itq", "bits": 24, "prefixes": [9, 24]}', '{"method": "rbin", "bits": 16, "iterations": 2}', '{"method": "cross", "bits": 16}', '{"method": "fit"}']) spec,
		unnest('{0,1,2,3,23}'::int[]) rank, unnest('{1,5}'::int[]) step, unnest('{1,1e-25,1e20}'::float8[]) factor) s
	GROUP BY spec, result ORDER BY spec, result;
-- so many dimensions that a few vectors are found by iteration
SELECT rank, trained('{"method": "pca", "bits": 16}', rank, 1030, 300, 10, 1) FROM generate_series(0, 3) rank;
DROP FUNCTION trained, spanned;
