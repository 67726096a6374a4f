-- encoders of prefixes, where nothing says how many bits: as many as the vectors have dimensions, which may be more than 512
CREATE TEMP TABLE nested AS SELECT id, ARRAY(SELECT sin(id * d) + cos(id * 7 + d * d) FROM generate_series(1, 600) d)::real[] AS x FROM generate_series(1, 40) id;
CREATE TEMP TABLE nested_model AS SELECT hashemb_train('{"method": "random", "prefixes": [64, 256, 600]}', x ORDER BY id) AS m FROM nested;
SELECT dims(hashemb_encode(m, x)) AS bits, n, bool_and(subcode(hashemb_encode(m, x), 1, n) = hashemb_encode(m, x[:n])) AS code_of_the_prefix FROM nested, nested_model, unnest('{64,256,600}'::int[]) n GROUP BY 1, n ORDER BY n;
-- other vectors are encoded in 512 at most
SELECT DISTINCT dims(hashemb_encode(m, x)) AS bits FROM (SELECT hashemb_train('{"method": "random"}', x ORDER BY id) AS m FROM nested) s, nested;
-- another number is an error
SELECT hashemb_train('{"method": "random", "prefixes": [64, 600], "bits": 512}', x ORDER BY id) FROM nested;
