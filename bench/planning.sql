-- Planning time with hashemb's index and without it; bench/planning.sh sets :rows
-- and :rounds. Tables are named after the number of other indexes and of
-- partitions (0: not partitioned), and whether they have hashemb's index.
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS hashemb;
DROP SCHEMA IF EXISTS planning CASCADE;
CREATE SCHEMA planning;
SET search_path = planning, public;

CREATE TABLE source AS
SELECT i AS id, (hashint8extended(i % 997, 1)::bit(64) || hashint8extended(i, 2)::bit(64))::bit(128)::bincode(128) AS code,
	(hashint8extended(i, 3) & 255)::int AS a, (hashint8extended(i, 4) & 1048575)::int AS b,
	ARRAY[(hashint8extended(i, 5) & 63)::int, (hashint8extended(i, 6) & 1023)::int] AS arr,
	'label ' || (hashint8extended(i, 7) & 31) AS label, timestamptz '2026-01-01' + (i % 100000) * interval '1 minute' AS made,
	CASE WHEN i % 20 = 0 THEN i % 7 END AS nul, i % 5 = 0 AS flag, (hashint8extended(i, 8) & 4095)::int AS d,
	ARRAY['t' || (hashint8extended(i, 9) & 255), 't' || (hashint8extended(i, 10) & 15)] AS tags
	FROM generate_series(1, :rows) i;

-- The first :others of these
CREATE FUNCTION make(name text, others int, partitions int, ours bool) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
	columns text[] := '{a,arr,b,label,made,nul,tags,d,flag}';
BEGIN
	EXECUTE format('CREATE TABLE %I (LIKE source) %s', name, CASE WHEN partitions > 0 THEN 'PARTITION BY HASH (id)' END);
	FOR p IN 0 .. partitions - 1 LOOP
		EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES WITH (MODULUS %s, REMAINDER %s)', name || '_' || p, name, partitions, p);
	END LOOP;
	EXECUTE format('INSERT INTO %I SELECT * FROM source', name);
	FOR i IN 1 .. others LOOP
		EXECUTE format('CREATE INDEX ON %I USING %s (%s)', name, CASE WHEN columns[i] IN ('arr', 'tags') THEN 'gin' ELSE 'btree' END, columns[i]);
	END LOOP;
	IF ours THEN
		EXECUTE format('CREATE INDEX ON %I USING hashemb (code, a, arr, b, label, made, nul, flag, d, tags)', name);
	END IF;
	EXECUTE format('ANALYZE %I', name);
END $$;

CREATE TABLE tables AS SELECT others, partitions, format('t%s_%s', others, partitions) AS name
	FROM (VALUES (0, 0), (1, 0), (3, 0), (9, 0), (0, 8), (3, 8), (9, 8), (0, 64), (3, 64), (9, 64)) v (others, partitions);
SELECT count(make(name || CASE WHEN ours THEN '_with' ELSE '_without' END, others, partitions, ours))
	FROM tables, (VALUES (false), (true)) o (ours);

CREATE TABLE conditions (number int, kind text, condition text);
INSERT INTO conditions VALUES
	(0, 'none', 'true'),
	(1, 'equality .4 %', 'a = 7'),
	(1, 'range .1 %', 'b < 1000'),
	(1, 'range 10 %', 'b < 100000'),
	(1, 'array && .2 %', 'arr && ''{900,901}'''),
	(1, 'array && 3 %', 'arr && ''{7,8}'''),
	(1, 'array @> of two', 'arr @> ''{7,800}'''),
	(1, 'IN of three', 'a IN (7, 8, 9)'),
	(1, 'NULL', 'nul IS NULL'),
	(1, 'OR of two', '(a = 7 OR b < 1000)'),
	(3, 'equality, range, NULL', 'a = 7 AND b < 500000 AND nul IS NULL'),
	(3, 'two arrays, flag', 'arr && ''{7,8}'' AND tags @> ''{t7}'' AND flag'),
	(3, 'wide', 'b < 900000 AND a < 200 AND made > ''2026-01-10'''),
	(6, 'six', 'a < 100 AND b < 500000 AND arr && ''{7,8}'' AND label <> ''label 3'' AND made > ''2026-01-10'' AND nul IS NULL'),
	(6, 'six, few', 'a = 7 AND b < 500000 AND arr && ''{7,8}'' AND label = ''label 3'' AND flag AND tags && ''{t7,t8}''');

CREATE FUNCTION planning_ms(query text) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	EXECUTE 'EXPLAIN (SUMMARY, FORMAT JSON) ' || query INTO plan;
	RETURN plan -> 0 ->> 'Planning Time';
END $$;

-- of variants 0: without the index; 1: with it; 2: with it, but without the scan node, so what PostgreSQL takes for one index more
CREATE TABLE measured (others int, partitions int, number int, kind text, variant int, ms float8);

-- Variants take turns
CREATE PROCEDURE measure(rounds int) LANGUAGE plpgsql AS $$
DECLARE
	cell record;
	query text;
	n int;
BEGIN
	FOR cell IN SELECT t.*, c.* FROM tables t, conditions c ORDER BY partitions, others, number, kind LOOP
		n := CASE WHEN cell.partitions > 8 THEN greatest(rounds / 4, 1) ELSE rounds END;
		query := format('SELECT id FROM %%I WHERE %s ORDER BY code <~> %L LIMIT 10', replace(cell.condition, '%', '%%'), (SELECT code FROM source WHERE id = 5));
		FOR round IN -2 .. n LOOP
			FOR variant IN 0 .. 2 LOOP
				PERFORM set_config('hashemb.enable_scan', CASE variant WHEN 2 THEN 'off' ELSE 'on' END, false);
				-- once more, since the one before may have left other things in the caches
				PERFORM planning_ms(format(query, cell.name || CASE variant WHEN 0 THEN '_without' ELSE '_with' END));
				INSERT INTO measured SELECT cell.others, cell.partitions, cell.number, cell.kind, variant, ms
					FROM planning_ms(format(query, cell.name || CASE variant WHEN 0 THEN '_without' ELSE '_with' END)) ms WHERE round > 0;
			END LOOP;
		END LOOP;
		COMMIT;
	END LOOP;
END $$;
SET search_path = planning, public;
CALL measure(:rounds);

CREATE VIEW result AS
SELECT others, partitions, number, kind, without, with_it, bare, with_it / without AS ratio, bare / without AS bare_ratio,
	with_it <= 1.3 * without OR with_it <= without + 0.02 AS within
	FROM (SELECT others, partitions, number, kind, percentile_cont(0.1) WITHIN GROUP (ORDER BY ms) FILTER (WHERE variant = 0) AS without,
		percentile_cont(0.1) WITHIN GROUP (ORDER BY ms) FILTER (WHERE variant = 1) AS with_it,
		percentile_cont(0.1) WITHIN GROUP (ORDER BY ms) FILTER (WHERE variant = 2) AS bare FROM measured GROUP BY 1, 2, 3, 4) m;
\echo planning, milliseconds: without the hashemb index, with it; and with it but without the scan node
\pset format aligned
\pset tuples_only off
\pset border 1
SELECT partitions, others AS "other indexes", number AS conditions, kind, round(without::numeric, 3) AS without, round(with_it::numeric, 3) AS "with", round(bare::numeric, 3) AS "no node",
	round(ratio::numeric, 2) AS ratio, round(bare_ratio::numeric, 2) AS "no node's", CASE WHEN within THEN '' ELSE 'above' END AS "1.3 or .02"
	FROM result ORDER BY partitions, others, number, kind;
SELECT partitions, others AS "other indexes", count(*) AS cells, count(*) FILTER (WHERE within) AS within, round(avg(ratio)::numeric, 2) AS "mean ratio", round(max(ratio)::numeric, 2) AS greatest,
	round(avg(bare_ratio)::numeric, 2) AS "no node's mean", round(avg((with_it - without) * 1000 / greatest(partitions, 1))::numeric, 1) AS "us more a table" FROM result GROUP BY 1, 2 ORDER BY 1, 2;
