-- Does the planner take the fastest plan? bench/plans.sh fills plans_rows and
-- plans_queries (id, v) first, and sets :operator, :rounds, :ks and :groups.
--
-- Each column is there three times: a_ is an attribute of hashemb's index, o_ has
-- another index, b_ both.
SET client_min_messages = warning;
SET search_path = plans, public;

-- ---- the table ----

-- 0 .. 1, the same for a row and a stream every time
CREATE FUNCTION draw(id int, stream int) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT (hashint8extended(id, stream) & 1048575) / 1048576.0$$;
-- A share of the rows each: 90 %, then 9 %, .9 %, .09 %, .01 %
CREATE FUNCTION level(x float8) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT CASE WHEN x < 0.9 THEN 1 WHEN x < 0.99 THEN 2 WHEN x < 0.999 THEN 3 WHEN x < 0.9999 THEN 4 ELSE 5 END$$;
-- 1 in all rows, 2 in 10 %, 3 in 1 %, 4 in .1 %, 5 in .01 %; 10 and 11 in 10 %, 12 and 13 in 3 %; two of a thousand others
CREATE FUNCTION tags(id int) RETURNS int[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
	$$SELECT ARRAY[1] || array_remove(ARRAY[CASE WHEN draw(id, 12) < 0.1 THEN 2 END, CASE WHEN draw(id, 13) < 0.01 THEN 3 END,
		CASE WHEN draw(id, 14) < 0.001 THEN 4 END, CASE WHEN draw(id, 15) < 0.0001 THEN 5 END,
		CASE WHEN draw(id, 16) < 0.1 THEN 10 END, CASE WHEN draw(id, 17) < 0.1 THEN 11 END,
		CASE WHEN draw(id, 18) < 0.03 THEN 12 END, CASE WHEN draw(id, 19) < 0.03 THEN 13 END,
		1000 + floor(draw(id, 20) * 1000)::int, 1000 + floor(draw(id, 21) * 1000)::int], NULL)$$;

-- The nearest of 64 rows, and within its rows a 64th by the distance
CREATE TABLE pivots AS SELECT row_number() OVER () - 1 AS pivot, v FROM (SELECT v FROM plans_rows WHERE v IS NOT NULL ORDER BY draw(id, 1), id LIMIT 64) p;
CREATE TABLE near AS SELECT id, pivot * 64 + ntile(64) OVER (PARTITION BY pivot ORDER BY distance, id) - 1 AS near
	FROM plans_rows r, LATERAL (SELECT pivot, p.v OPERATOR(public.:operator) r.v AS distance FROM pivots p ORDER BY 2, 1 LIMIT 1) n;
CREATE TABLE queries AS SELECT id, q.v::text AS v,
	(SELECT pivot FROM pivots p ORDER BY p.v OPERATOR(public.:operator) q.v, pivot LIMIT 1) AS own,
	(SELECT pivot FROM pivots p ORDER BY p.v OPERATOR(public.:operator) q.v DESC, pivot LIMIT 1) AS opposite
	FROM plans_queries q ORDER BY id LIMIT 200;

CREATE TABLE docs AS
SELECT r.id, v, lev AS a_lev, lev AS o_lev, lev AS b_lev, rng AS a_rng, rng AS o_rng, rng AS b_rng, val AS a_val, val AS o_val, val AS b_val,
	nul AS a_nul, nul AS o_nul, nul AS b_nul, near AS a_near, near AS o_near, near AS b_near, arr AS a_arr, arr AS o_arr, arr AS b_arr
	FROM plans_rows r JOIN near USING (id), LATERAL (SELECT level(draw(id, 2)) AS lev, floor(draw(id, 3) * 1000000)::int AS rng,
		floor(draw(id, 4) * 1000)::int AS val, CASE WHEN draw(id, 5) > 0.1 THEN floor(draw(id, 6) * 50)::int END AS nul, tags(id) AS arr) c ORDER BY r.id;
CREATE INDEX docs_search ON docs USING hashemb (v, a_lev, b_lev, a_rng, b_rng, a_val, b_val, a_nul, b_nul, a_near, b_near, a_arr, b_arr);
SELECT format('CREATE INDEX docs_%s ON docs USING %s (%s)', c, CASE WHEN c ~ 'arr' THEN 'gin' ELSE 'btree' END, c)
	FROM unnest('{o_lev,b_lev,o_rng,b_rng,o_val,b_val,o_nul,b_nul,o_near,b_near,o_arr,b_arr}'::text[]) c \gexec
VACUUM ANALYZE docs;

-- ---- the cells ----

CREATE TABLE cells (cell int GENERATED ALWAYS AS IDENTITY, kind text, columns text, condition text, k int);
-- # stands for the columns' prefix; {own}, {opposite} for the query's
CREATE TABLE kinds (number int GENERATED ALWAYS AS IDENTITY, kind text, condition text);
INSERT INTO kinds (kind, condition) VALUES
	('range 1', '#rng >= 0'), ('range .1', '#rng < 100000'), ('range .01', '#rng < 10000'), ('range .001', '#rng < 1000'), ('range .0001', '#rng < 100'),
	('= .9', '#lev = 1'), ('= .09', '#lev = 2'), ('= .009', '#lev = 3'), ('= .0009', '#lev = 4'), ('= .0001', '#lev = 5'),
	('IN .1', '#lev IN (2, 3)'), ('IN .01', '#val IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)'), ('IN .003', '#val IN (1, 2, 3)'), ('IN .001', '#lev IN (4, 5)'), ('IN .0001', '#lev IN (5, 6, 7)'),
	('&& 1', '#arr && ''{1,2}'''), ('&& .1', '#arr && ''{2,3}'''), ('&& .01', '#arr && ''{3,4}'''), ('&& .001', '#arr && ''{4,5}'''), ('&& .0001', '#arr && ''{5,99}'''),
	('@> .1', '#arr @> ''{1,2}'''), ('@> .01', '#arr @> ''{10,11}'''), ('@> .001', '#arr @> ''{12,13}'''), ('@> .0001', '#arr @> ''{2,4}'''),
	('OR .1', '(#rng < 10000 OR #lev = 2)'), ('OR .01', '(#rng < 1000 OR #lev = 3)'), ('OR .001', '(#rng < 100 OR #lev = 4)'), ('OR .0002', '(#rng < 100 OR #lev = 5)'),
	('AND .01', '#rng < 100000 AND #lev = 2'), ('AND .001', '#rng < 10000 AND #lev = 2'), ('AND array .001', '#rng < 100000 AND #arr && ''{3,4}'''),
	('= and NULL .01', '#lev = 2 AND #nul IS NULL'), ('= and NULL .002', '#nul IS NULL AND #val IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20)'),
	('NULL .1', '#nul IS NULL'), ('not NULL .9', '#nul IS NOT NULL'), ('NOT .99', 'NOT #rng < 10000'), ('NOT array .9', 'NOT #arr @> ''{2}'''),
	('own 1/64', '#near BETWEEN {own} * 64 AND {own} * 64 + 63'), ('own 1/4096', '#near = {own} * 64'),
	('opposite 1/64', '#near BETWEEN {opposite} * 64 AND {opposite} * 64 + 63'), ('opposite 1/4096', '#near = {opposite} * 64');
INSERT INTO cells (kind, columns, condition, k)
SELECT kind, CASE prefix WHEN 'a' THEN 'attribute' WHEN 'o' THEN 'other index' ELSE 'both' END, replace(condition, '#', prefix || '_'), k FROM kinds,
	unnest(string_to_array(:'groups', ' ')) prefix, unnest(string_to_array(:'ks', ' ')::int[]) k ORDER BY number, prefix, k;
INSERT INTO cells (kind, columns, condition, k) SELECT kind, 'of two kinds', condition, k
	FROM (VALUES ('attribute, other .01', 'a_rng < 100000 AND o_lev = 2'), ('attribute, other .001', 'a_rng < 10000 AND o_lev = 2'),
		('attribute, array .001', 'a_lev = 2 AND o_arr && ''{3,4}'''), ('attribute OR other .002', '(a_rng < 1000 OR o_lev = 4)')) v (kind, condition),
	unnest(string_to_array(:'ks', ' ')::int[]) k
UNION ALL SELECT 'none', '', 'true', k FROM unnest(string_to_array(:'ks', ' ')::int[]) k;
INSERT INTO cells (kind, columns, condition, k) SELECT kind, 'no index', condition, k
	FROM (VALUES ('function .5', 'id % 2 = 0'), ('function .01', 'id % 100 = 7'), ('function .001', 'id % 1000 = 7')) v (kind, condition), unnest(string_to_array(:'ks', ' ')::int[]) k;
INSERT INTO cells (kind, columns, condition, k) VALUES ('none, no LIMIT', '', 'true', NULL), ('= .09, no LIMIT', 'both', 'b_lev = 2', NULL),
	('= .009, no LIMIT', 'both', 'b_lev = 3', NULL), ('= .0009, no LIMIT', 'both', 'b_lev = 4', NULL);

-- ---- the plans ----

-- Without the operator that hashemb's index orders by, only other indexes are left, and a sort
CREATE TABLE variants (number int GENERATED ALWAYS AS IDENTITY, variant text, ordered bool, commands text);
INSERT INTO variants (variant, ordered, commands)
SELECT variant, ordered, string_agg(format('SET %s = %s', s, CASE WHEN s = ANY (string_to_array(off, ' ')) THEN 'off' ELSE 'on' END), '; ')
	FROM (VALUES (1, 'default', true, ''), (2, 'node', true, 'enable_seqscan enable_sort'), (3, 'node alone', true, 'enable_seqscan enable_sort enable_bitmapscan'),
		(4, 'other', false, ''), (5, 'index', false, 'enable_seqscan enable_bitmapscan'), (6, 'bitmap', false, 'enable_seqscan enable_indexscan'),
		(7, 'sequential', false, 'enable_indexscan enable_bitmapscan')) v (number, variant, ordered, off),
	unnest('{enable_seqscan,enable_indexscan,enable_bitmapscan,enable_sort}'::text[]) s GROUP BY number, variant, ordered ORDER BY number;

CREATE VIEW statements AS SELECT cell, CASE WHEN k IS NULL THEN 3 END AS rounds,
	format('SELECT id FROM docs WHERE %s ORDER BY v OPERATOR(public.%s) ''{v}''%s', condition, :'operator', ' LIMIT ' || k) AS ordered,
	format('SELECT id FROM docs WHERE %s ORDER BY public.%s(v, ''{v}'')%s', condition, :'function', ' LIMIT ' || k) AS unordered FROM cells;

-- A plan without its numbers and constants
CREATE FUNCTION plan_of(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
	plan text := '';
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ 'Scan|Bitmap|Sort|->|Strategy' AND line !~ 'Sort Key' THEN
			plan := plan || CASE plan WHEN '' THEN '' ELSE ' < ' END || regexp_replace(btrim(line, ' ->'), ' on docs$| using|Strategy: ', '');
		END IF;
	END LOOP;
	RETURN plan;
END $$;
CREATE TABLE plans (cell int, variant text, plan text);
CREATE TABLE measured (cell int, variant text, round int, ms float8);

-- ---- the result: bench/plans ask the cells before ----

CREATE VIEW medians AS SELECT cell, variant, percentile_cont(0.5) WITHIN GROUP (ORDER BY ms) AS ms
	FROM measured GROUP BY 1, 2;
-- A choice that is the fastest plan is right: what the two differ by is noise, and planning, which bench/planning.sh measures
CREATE VIEW result AS
SELECT c.cell, c.kind, c.columns, c.k, d.ms, b.ms AS best, b.variant, n.ms AS node, p.plan, d.ms / b.ms AS ratio, b.plan = p.plan AS same,
	b.plan = p.plan OR d.ms <= 1.3 * b.ms OR d.ms <= b.ms + 0.05 AS near, b.plan <> p.plan AND d.ms > 2 * b.ms AND d.ms > b.ms + 0.05 AS far
	FROM cells c JOIN medians d ON d.cell = c.cell AND d.variant = 'default' JOIN plans p ON p.cell = c.cell AND p.variant = 'default'
	JOIN LATERAL (SELECT m.variant, ms, plan FROM medians m JOIN plans USING (cell, variant) WHERE m.cell = c.cell AND m.variant <> 'default' ORDER BY ms LIMIT 1) b ON true
	LEFT JOIN LATERAL (SELECT ms FROM medians m WHERE m.cell = c.cell AND m.variant LIKE 'node%' ORDER BY ms LIMIT 1) n ON true;
