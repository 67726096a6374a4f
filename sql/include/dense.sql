-- Functions of many sorts are called for each row: servers from 16 on would compile each
SET jit = off;
-- Vectors in clusters, and all that a search may be asked by

-- Vector i of clusters: mostly that of i % 23
CREATE FUNCTION pg_temp.vec(i bigint, dims int, scale float8 DEFAULT 1, salt text DEFAULT 'd1') RETURNS real[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT array_agg((scale * (hashtextextended(salt || i % 23 || 'x' || d, 0) + 0.4 * hashtextextended(salt || i || 'x' || d, 1)) / 2 ^ 63)::real ORDER BY d)
	FROM generate_series(1, dims) d $$;
-- A query of every type, near a row and far from all, zero and NULL
CREATE FUNCTION pg_temp.distances(op text, dims int) RETURNS text[] LANGUAGE sql AS $$
	SELECT ARRAY[format('v %s %L::real[]', op, pg_temp.vec(5, dims)), format('%L::real[] %s v', pg_temp.vec(5, dims), op),
		format('v %s %L::real[]', op, pg_temp.vec(7, dims, 1000)), format('v %s %L::real[]', op, array_fill(0::real, ARRAY[dims])),
		format('v %s %L::float8[]', op, pg_temp.vec(11, dims)::float8[]), format('%L::float8[] %s v', pg_temp.vec(11, dims)::float8[], op),
		format('v %s %L::float8[]', op, (SELECT array_agg(x / 3::float8) FROM unnest(pg_temp.vec(12, dims)) x)),
		format('v %s %L::float8[]', op, array_fill(1e30::float8, ARRAY[dims])), format('v %s %L::float8[]', op, array_fill(1e-50::float8, ARRAY[dims])),
		format('v %s %L::numeric[]', op, pg_temp.vec(13, dims)::numeric[]), format('%L::numeric[] %s v', pg_temp.vec(13, dims)::numeric[], op),
		format('v %s %L::int[]', op, pg_temp.vec(14, dims, 100)::int[]), format('%L::int[] %s v', pg_temp.vec(14, dims, 100)::int[], op),
		format('v %s (SELECT NULL::real[])', op)] $$;
CREATE FUNCTION pg_temp.class(op text) RETURNS text LANGUAGE sql AS $$
	SELECT CASE op WHEN '<->' THEN 'real_l2_ops' WHEN '<#>' THEN 'real_ip_ops' ELSE 'real_cosine_ops' END $$;
