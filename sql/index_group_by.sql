-- Blocks formed within one value of an attribute
SET client_min_messages = warning;

-- Codes in 64 clusters; tenants of 1 to some 2,000 rows, some rows without one
CREATE FUNCTION grouped_code(cluster int, seed int) RETURNS bincode LANGUAGE sql IMMUTABLE AS $$
	SELECT (('x' || md5((cluster % 64)::text))::bit(128) # (('x' || md5(seed || 'a'))::bit(128) & ('x' || md5(seed || 'b'))::bit(128)))::bincode $$;
CREATE TABLE grouped (id int PRIMARY KEY, code bincode(128), tenant_id int, kind int);
INSERT INTO grouped SELECT i, grouped_code((i * 7919) % 64, i),
	CASE WHEN i % 50 = 0 THEN NULL ELSE 10 * (2000 / (1 + i % 997))::int END, i % 5
	FROM generate_series(1, 8000) i;
INSERT INTO grouped VALUES (9001, NULL, 10, 1), (9002, NULL, NULL, 1), (9003, NULL, 7, 1);
CREATE INDEX grouped_idx ON grouped USING hashemb (code, tenant_id, kind)
	WITH (group_by = 'tenant_id', block_rows = 64);
SELECT group_column FROM hashemb_index_info('grouped_idx');

-- Blocks share values with others only if they have no other value
CREATE FUNCTION grouped_overlaps(index regclass) RETURNS bigint LANGUAGE sql AS $$
	WITH b AS (SELECT block, coalesce(group_low, 1e18::bigint) AS low,
			CASE WHEN group_nulls THEN 1e18::bigint ELSE group_high END AS high
		FROM hashemb_block_info(index) WHERE NOT holds_nulls AND rows > 0)
	SELECT count(*) FROM b x, b y
	WHERE x.block <> y.block AND x.low < y.high AND y.low < x.high $$;
SELECT grouped_overlaps('grouped_idx') AS overlaps, count(*) FILTER (WHERE group_low = group_high) > 40 AS of_one_value,
	count(*) FILTER (WHERE group_low < group_high) > 5 AS of_several,
	count(*) FILTER (WHERE group_nulls AND group_low IS NOT NULL) AS with_nulls
	FROM hashemb_block_info('grouped_idx') WHERE NOT holds_nulls;
SELECT orphan_pages, heap_rows FROM hashemb_check('grouped_idx', true);

-- The same rows as a sequential scan, for conditions of every kind
CREATE TABLE grouped_condition (n int, condition text);
INSERT INTO grouped_condition VALUES (1, 'true'), (2, 'tenant_id = 20000'), (3, 'tenant_id = 20'),
	(4, 'tenant_id = 15'), (5, 'tenant_id BETWEEN 15 AND 100'), (6, 'tenant_id IN (20, 30, 20000, 77)'),
	(7, 'tenant_id IS NULL'), (8, 'tenant_id IS NOT NULL AND kind = 2'), (9, 'tenant_id = 30 AND kind = 3'),
	(10, 'tenant_id = 20 OR kind = 1'), (11, 'NOT tenant_id = 20'), (12, 'tenant_id > 19999'),
	(13, 'tenant_id < 1000 AND tenant_id IS NOT NULL'), (14, 'kind = 4'), (15, 'tenant_id IS NULL OR tenant_id = 150'),
	(16, 'tenant_id <> 20 AND tenant_id < 40'), (17, 'tenant_id = 7'), (18, 'tenant_id > 20001');
CREATE FUNCTION grouped_differences(recall float8) RETURNS TABLE (wrong bigint) LANGUAGE plpgsql AS $$
DECLARE
	c record;
	q bincode;
	limited int;
	found float8[];
	expected float8[];
BEGIN
	wrong := 0;
	PERFORM set_config('hashemb.recall', recall::text, true);
	FOR c IN SELECT * FROM grouped_condition ORDER BY n LOOP
		FOR s IN 1..4 LOOP
			q := grouped_code(c.n + 13 * s, -s);
			limited := (ARRAY[1, 10, 300, 9000])[s];
			PERFORM set_config('enable_seqscan', 'off', true);
			EXECUTE format('SELECT array_agg(d) FROM (SELECT code <~> $1 AS d FROM grouped WHERE %s ORDER BY code <~> $1 LIMIT $2) x', c.condition)
				INTO found USING q, limited;
			PERFORM set_config('enable_seqscan', 'on', true);
			PERFORM set_config('enable_indexscan', 'off', true);
			PERFORM set_config('hashemb.enable_scan', 'off', true);
			EXECUTE format('SELECT array_agg(d) FROM (SELECT code <~> $1 AS d FROM grouped WHERE %s ORDER BY code <~> $1 LIMIT $2) x', c.condition)
				INTO expected USING q, limited;
			PERFORM set_config('enable_indexscan', 'on', true);
			PERFORM set_config('hashemb.enable_scan', 'on', true);
			IF found IS DISTINCT FROM expected THEN
				wrong := wrong + 1;
				RAISE WARNING 'condition % differs at limit %', c.condition, limited;
			END IF;
		END LOOP;
	END LOOP;
	RETURN NEXT;
END $$;
SELECT * FROM grouped_differences(1);

-- A row of a value that no block has yet, too few for a split: the ranges of
-- block and directory page grow with it
INSERT INTO grouped SELECT 9100 + i, grouped_code(i * 5, -i), (ARRAY[-5, 33, 20500, NULL])[i], i % 5 FROM generate_series(1, 4) i;
SELECT orphan_pages, heap_rows FROM hashemb_check('grouped_idx', true);
SET enable_seqscan = off;
SELECT id, tenant_id FROM grouped WHERE tenant_id IN (-5, 33, 20500) ORDER BY code <~> grouped_code(1, -1), id LIMIT 4;
RESET enable_seqscan;
DELETE FROM grouped WHERE id BETWEEN 9101 AND 9104;
VACUUM grouped;

-- New values: beside the smallest, between others, above all; enough to split
INSERT INTO grouped SELECT 10000 + i, grouped_code(i % 64, 10000 + i), (ARRAY[1, 15, 25, 77, 20001, 30000])[1 + i % 6] + i / 600, i % 5
	FROM generate_series(1, 2400) i;
SELECT splits > 10 AS split FROM hashemb_index_info('grouped_idx');
SELECT grouped_overlaps('grouped_idx') AS overlaps;
SELECT orphan_pages, heap_rows FROM hashemb_check('grouped_idx', true);
SELECT * FROM grouped_differences(1);

-- Old values grow
INSERT INTO grouped SELECT 20000 + i, grouped_code(i % 64, 20000 + i), (ARRAY[NULL, 20, 20000, 10, 15])[1 + i % 5], i % 5
	FROM generate_series(1, 2000) i;
SELECT grouped_overlaps('grouped_idx') AS overlaps;
SELECT * FROM grouped_differences(1);

-- What is few is found exactly whatever the target
DELETE FROM grouped_condition WHERE n IN (1, 8, 14);
SELECT * FROM grouped_differences(0.5);
INSERT INTO grouped_condition VALUES (1, 'true'), (14, 'kind = 4');

-- Deletes, and vacuum, which merges only neighbours
DELETE FROM grouped WHERE id % 8 <> 0;
VACUUM grouped;
SELECT merges > 10 AS merged FROM hashemb_index_info('grouped_idx');
SELECT grouped_overlaps('grouped_idx') AS overlaps;
SELECT orphan_pages, heap_rows FROM hashemb_check('grouped_idx', true);
SELECT * FROM grouped_differences(1);

-- Renaming the column, and building anew
ALTER TABLE grouped RENAME tenant_id TO customer;
REINDEX INDEX grouped_idx;
SELECT group_column FROM hashemb_index_info('grouped_idx');
ALTER INDEX grouped_idx SET (group_by = 'customer');
REINDEX INDEX CONCURRENTLY grouped_idx;
SELECT group_column FROM hashemb_index_info('grouped_idx');
-- An option that has changed counts from the next build on
ALTER INDEX grouped_idx SET (group_by = 'kind');
SELECT group_column FROM hashemb_index_info('grouped_idx');
REINDEX INDEX grouped_idx;
SELECT group_column FROM hashemb_index_info('grouped_idx');
SELECT grouped_overlaps('grouped_idx') AS overlaps;
ALTER INDEX grouped_idx RESET (group_by);
ALTER TABLE grouped RENAME customer TO tenant_id;
SELECT group_column, orphan_pages FROM hashemb_index_info('grouped_idx'), hashemb_check('grouped_idx', true);

-- Grown from nothing, by other types; a name of several words
CREATE TABLE grouped_grown (code bincode(128), "the Tenant" text, code_id uuid, amount numeric);
CREATE INDEX grouped_text ON grouped_grown USING hashemb ("the Tenant", code) WITH (group_by = 'the Tenant', block_rows = 20);
CREATE INDEX grouped_uuid ON grouped_grown USING hashemb (code_id, code, amount) WITH (group_by = 'code_id', block_rows = 20);
CREATE INDEX grouped_numeric ON grouped_grown USING hashemb (code, amount) WITH (group_by = 'amount', block_rows = 20);
CREATE INDEX grouped_expression ON grouped_grown USING hashemb (code, lower("the Tenant")) WITH (group_by = 'lower', block_rows = 20);
INSERT INTO grouped_grown SELECT grouped_code(i % 64, i), 'Tenant ' || t, md5(t::text)::uuid, CASE WHEN t % 7 > 0 THEN t / 3.0 END
	FROM (SELECT i, (300 / (1 + i % 157))::int AS t FROM generate_series(1, 4000) i) x;
SELECT i::regclass, grouped_overlaps(i) AS overlaps, (hashemb_check(i::regclass, true)).orphan_pages, (hashemb_index_info(i::regclass)).splits > 10 AS split
	FROM unnest(ARRAY['grouped_text', 'grouped_uuid', 'grouped_numeric', 'grouped_expression']::regclass[]) i;
SET enable_seqscan = off;
SET hashemb.recall = 1;
SELECT count(*) FROM (SELECT FROM grouped_grown WHERE "the Tenant" = 'Tenant 300' ORDER BY code <~> grouped_code(1, -1) LIMIT 1000) x;
SELECT count(*) FROM (SELECT FROM grouped_grown WHERE code_id = md5('300')::uuid ORDER BY code <~> grouped_code(1, -1) LIMIT 1000) x;
SELECT count(*) FROM (SELECT FROM grouped_grown WHERE amount = 300 / 3.0 ORDER BY code <~> grouped_code(1, -1) LIMIT 1000) x;
SELECT count(*) FROM (SELECT FROM grouped_grown WHERE lower("the Tenant") = 'tenant 300' ORDER BY code <~> grouped_code(1, -1) LIMIT 1000) x;
SELECT count(*) FROM grouped_grown WHERE "the Tenant" = 'Tenant 300';
RESET enable_seqscan;
RESET hashemb.recall;

-- Values with fewer rows than a block has: none is ever cut in two
CREATE TABLE grouped_small (code bincode(128), t int);
CREATE INDEX grouped_small_idx ON grouped_small USING hashemb (code, t) WITH (group_by = 't', block_rows = 30);
INSERT INTO grouped_small SELECT grouped_code(i % 64, i), abs(hashint4(i)) % 97 FROM generate_series(1, 2500) i;
SELECT count(*) > 20 AS many_blocks FROM hashemb_block_info('grouped_small_idx');
SELECT count(*) AS cut FROM hashemb_block_info('grouped_small_idx') x, hashemb_block_info('grouped_small_idx') y
	WHERE x.block < y.block AND x.group_low <= y.group_high AND y.group_low <= x.group_high;
DROP TABLE grouped_small;

-- Directory pages are divided by value, so that a search for one value reads few
CREATE TABLE grouped_pages (code bincode(128), t int);
CREATE INDEX grouped_pages_idx ON grouped_pages USING hashemb (code, t) WITH (group_by = 't', block_rows = 4);
INSERT INTO grouped_pages SELECT grouped_code(i % 64, i), abs(hashint4(i)) % 400 FROM generate_series(1, 4000) i;
CREATE FUNCTION grouped_pages_read(wanted int) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true);
	FOR line IN EXECUTE format('EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT FROM grouped_pages WHERE t = %s ORDER BY code <~> grouped_code(1, -1) LIMIT 1', wanted) LOOP
		IF line ~ 'Buffers: ' THEN RETURN coalesce(substring(line, 'hit=(\d+)')::int, 0) + coalesce(substring(line, 'read=(\d+)')::int, 0); END IF;
	END LOOP;
END $$;
SELECT avg(grouped_pages_read(t)) < 28 AS few_pages, (SELECT directory_pages > 8 FROM hashemb_check('grouped_pages_idx')) AS several FROM generate_series(5, 395, 30) t;
DROP TABLE grouped_pages;

-- The planner knows that little is read for few rows of one value, by both plans
CREATE TABLE grouped_costs AS SELECT * FROM grouped, generate_series(1, 4);
CREATE FUNCTION grouped_cost(node bool) RETURNS float8 LANGUAGE plpgsql AS $$
DECLARE
	plan json;
BEGIN
	PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true), set_config('enable_bitmapscan', 'off', true),
		set_config('hashemb.enable_scan', node::text, true);
	EXECUTE 'EXPLAIN (FORMAT JSON) SELECT id FROM grouped_costs WHERE tenant_id = 20000 ORDER BY code <~> grouped_code(1, -1) LIMIT 1' INTO plan;
	IF coalesce(plan #>> '{0,Plan,Plans,0,Custom Plan Provider}', '') <> (CASE WHEN node THEN 'hashemb' ELSE '' END) THEN
		RAISE EXCEPTION 'another plan: %', plan;
	END IF;
	RETURN plan #>> '{0,Plan,Plans,0,Startup Cost}';
END $$;
CREATE INDEX grouped_costs_idx ON grouped_costs USING hashemb (code, tenant_id) WITH (block_rows = 64);
ANALYZE grouped_costs;
SELECT grouped_cost(true) AS node, grouped_cost(false) AS scan \gset not_grouped_
DROP INDEX grouped_costs_idx;
CREATE INDEX grouped_costs_idx ON grouped_costs USING hashemb (code, tenant_id) WITH (block_rows = 64, group_by = 'tenant_id');
SELECT grouped_cost(true) < 0.8 * :not_grouped_node AS node_is_cheaper, grouped_cost(false) < 0.8 * :not_grouped_scan AS scan_is_cheaper;
DROP TABLE grouped_costs;
DROP FUNCTION grouped_cost;

-- Empty tables, no vectors, and an init fork
CREATE UNLOGGED TABLE grouped_unlogged (code bincode(64), t int);
CREATE INDEX grouped_unlogged_idx ON grouped_unlogged USING hashemb (code, t) WITH (group_by = 't');
INSERT INTO grouped_unlogged VALUES (NULL, 1), (NULL, NULL);
REINDEX INDEX grouped_unlogged_idx;
SELECT rows, null_rows, group_column FROM hashemb_index_info('grouped_unlogged_idx');

-- Options that cannot be
CREATE TABLE grouped_bad (code bincode(8), tags int[], s svec(10), t int);
CREATE INDEX ON grouped_bad USING hashemb (code, t) WITH (group_by = 'tenant');
CREATE INDEX ON grouped_bad USING hashemb (code) WITH (group_by = 't');
CREATE INDEX ON grouped_bad USING hashemb (code, t) WITH (group_by = 'code');
CREATE INDEX ON grouped_bad USING hashemb (code, tags) WITH (group_by = 'tags');
CREATE INDEX ON grouped_bad USING hashemb (s, t) WITH (group_by = 't');
CREATE INDEX grouped_none ON grouped_bad USING hashemb (code, t) WITH (group_by = '');
SELECT group_column FROM hashemb_index_info('grouped_none');

-- The option follows its column: kept by number, whatever is renamed, and
-- whatever makes the index anew from its definition
CREATE TABLE grouped_renamed (gone int, code bincode(8), tags int[], tenant int, kind int);
ALTER TABLE grouped_renamed DROP gone;
INSERT INTO grouped_renamed SELECT i::bit(8)::bincode, NULL, i, i % 7 FROM generate_series(1, 200) i;
CREATE INDEX grouped_renamed_idx ON grouped_renamed USING hashemb (code, tenant, kind, tags) WITH (group_by = 'tenant');
CREATE FUNCTION grouped_as(index regclass) RETURNS text LANGUAGE sql AS $$
	SELECT format('%s: %s', group_column, substring(pg_get_indexdef(index) from 'USING .*')) FROM hashemb_index_info(index) $$;
SELECT grouped_as('grouped_renamed_idx');
ALTER TABLE grouped_renamed RENAME tenant TO customer;
SELECT grouped_as('grouped_renamed_idx');
ALTER TABLE grouped_renamed RENAME kind TO tenant;
SELECT grouped_as('grouped_renamed_idx');
REINDEX INDEX grouped_renamed_idx;
SELECT grouped_as('grouped_renamed_idx');
REINDEX INDEX CONCURRENTLY grouped_renamed_idx;
SELECT grouped_as('grouped_renamed_idx');
ALTER TABLE grouped_renamed ALTER customer TYPE bigint;
SELECT grouped_as('grouped_renamed_idx');
ALTER TABLE grouped_renamed ALTER code TYPE bincode(16) USING (code || code)::bincode(16);
SELECT grouped_as('grouped_renamed_idx');
ALTER TABLE grouped_renamed ALTER tenant TYPE text;
SELECT grouped_as('grouped_renamed_idx');
TRUNCATE grouped_renamed;
SELECT grouped_as('grouped_renamed_idx');
CREATE TABLE grouped_like (LIKE grouped_renamed INCLUDING ALL);
SELECT grouped_as('grouped_like_code_customer_tenant_tags_idx');
-- a type that rows cannot be grouped by
ALTER TABLE grouped_renamed ALTER customer TYPE int[] USING ARRAY[customer];

-- Options that are given later are looked at like those of CREATE INDEX
ALTER INDEX grouped_renamed_idx SET (group_by = 'nonsense');
ALTER INDEX grouped_renamed_idx SET (group_by = 'tags');
ALTER INDEX grouped_renamed_idx SET (group_by = 'code');
ALTER INDEX grouped_renamed_idx SET (group_by = '5');
ALTER INDEX grouped_renamed_idx SET (group_by = '0');
ALTER INDEX grouped_renamed_idx SET (group_by = '99999999999999999999');
SELECT grouped_as('grouped_renamed_idx');
ALTER INDEX grouped_renamed_idx SET (group_by = 'tenant', fillfactor = 70);
SELECT grouped_as('grouped_renamed_idx');
REINDEX INDEX grouped_renamed_idx;
SELECT grouped_as('grouped_renamed_idx');
ALTER INDEX grouped_renamed_idx RESET (group_by);
SELECT grouped_as('grouped_renamed_idx');
ALTER INDEX grouped_renamed_idx SET (group_by = '2');
REINDEX INDEX grouped_renamed_idx;
SELECT grouped_as('grouped_renamed_idx');

-- Other changes of the index leave it alone
ALTER INDEX grouped_renamed_idx RENAME TO grouped_moved_idx;
CREATE SCHEMA grouped_schema;
ALTER TABLE grouped_renamed SET SCHEMA grouped_schema;
ALTER TABLE grouped_schema.grouped_renamed OWNER TO CURRENT_USER;
ALTER TABLE grouped_schema.grouped_renamed SET SCHEMA public;
DROP SCHEMA grouped_schema;
ALTER INDEX grouped_moved_idx RENAME TO grouped_renamed_idx;
ALTER INDEX grouped_renamed_idx SET (fillfactor = 80);
SELECT grouped_as('grouped_renamed_idx');

-- Partitions that number their columns otherwise; expressions
CREATE TABLE grouped_parted (kind int, code bincode(8), tenant int) PARTITION BY RANGE (kind);
CREATE INDEX ON grouped_parted USING hashemb (code, tenant) WITH (group_by = 'kind');
CREATE INDEX grouped_parted_idx ON grouped_parted USING hashemb (code, tenant, (kind % 5)) WITH (group_by = 'tenant');
ALTER TABLE grouped_parted RENAME tenant TO customer;
ALTER TABLE grouped_parted RENAME kind TO tenant;
CREATE TABLE grouped_part_1 (customer int, gone int, code bincode(8), tenant int);
ALTER TABLE grouped_part_1 DROP gone;
INSERT INTO grouped_part_1 SELECT i % 9, i::bit(8)::bincode, 1 FROM generate_series(1, 200) i;
ALTER TABLE grouped_parted ATTACH PARTITION grouped_part_1 FOR VALUES FROM (0) TO (10);
CREATE TABLE grouped_part_2 PARTITION OF grouped_parted FOR VALUES FROM (10) TO (20);
ALTER TABLE grouped_parted ALTER customer TYPE bigint;
SELECT relid, grouped_as(relid) FROM pg_partition_tree('grouped_parted_idx') WHERE isleaf ORDER BY 1::text;
CREATE INDEX grouped_parted_expression ON grouped_part_1 USING hashemb (code, (tenant % 5), customer) WITH (group_by = 'expr');
ALTER TABLE grouped_parted ALTER customer TYPE int;
SELECT grouped_as('grouped_parted_expression');

-- Sessions that have not met the library yet
\c -
ALTER INDEX grouped_renamed_idx SET (group_by = 'nonsense');
\c -
ALTER INDEX grouped_renamed_idx SET (group_by = 'tenant');
\c -
CREATE INDEX grouped_fresh ON grouped_renamed USING hashemb (code, customer) WITH (group_by = 'customer');
\c -
ALTER TABLE grouped_renamed RENAME customer TO tenant_id;
\c -
ALTER TABLE grouped_renamed ALTER tenant_id TYPE int;
SELECT grouped_as('grouped_fresh'), grouped_as('grouped_renamed_idx');
SET client_min_messages = warning;
DROP TABLE grouped_renamed, grouped_like, grouped_parted;
DROP FUNCTION grouped_as;
DROP TABLE grouped, grouped_condition, grouped_grown, grouped_unlogged, grouped_bad;
DROP FUNCTION grouped_code, grouped_overlaps, grouped_differences;
