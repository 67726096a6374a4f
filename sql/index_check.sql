-- hashemb_check(): what sound indexes of every kind look like, and who may ask

SELECT setseed(0.25);

-- A condition that holds while an index is sound: no orphans, and as many rows
-- as the table has, all of them found
CREATE FUNCTION is_sound(index regclass, expected bigint) RETURNS boolean
LANGUAGE sql AS $$
	SELECT c.orphan_pages = 0 AND c.heap_rows = expected
		AND c.rows - c.dead >= expected AND p.rows = c.rows
		AND p.heap_rows IS NULL
		AND c.pages = 1 + c.directory_pages + c.zone_pages + c.ring_pages
			+ c.rows_pages + c.free_pages + (i.calibrations > 0)::integer
		AND c.rows = i.rows AND c.null_rows = i.null_rows
		AND c.blocks = i.blocks
	FROM hashemb_check(index, true) c, hashemb_check(index) p,
		hashemb_index_info(index) i
$$;

CREATE TYPE check_mood AS ENUM ('sad', 'so', 'happy');
CREATE TABLE kinds (
	id integer,
	code bincode(75),
	deep bincode(21, 3),
	truth boolean, small smallint, big bigint, real4 real, real8 float8,
	exact numeric, day date, at_time time, stamp timestamp, span interval,
	key uuid, word text COLLATE "C", fixed char(5), host inet, feeling check_mood,
	tags text[]);

CREATE FUNCTION fill(first integer, last integer) RETURNS void
LANGUAGE sql AS $$
	INSERT INTO kinds
	SELECT i, (SELECT string_agg((random() < 0.5)::integer::text, '')
			FROM generate_series(1, 75) WHERE i > 0)::bincode(75),
		((SELECT string_agg(floor(random() * 8)::text, '')
			FROM generate_series(1, 21) WHERE i > 0) || '/3')::bincode(21, 3),
		i % 2 = 0, i % 50, i * 10000000000, i / 7.0, i / 3.0,
		i / 9.0, date '2020-01-01' + i, time '00:00' + i * interval '1 s',
		timestamp '2020-01-01' + i * interval '1 h', i * interval '1 day',
		md5(i::text)::uuid, 'word' || i % 100, 'f' || i % 10,
		('10.0.0.' || i % 200)::inet, (enum_range(NULL::check_mood))[1 + i % 3],
		ARRAY['t' || i % 5, 'u' || i % 11]
	FROM generate_series(first, last) i
$$;
SELECT fill(1, 1500);
UPDATE kinds SET code = NULL, deep = NULL WHERE id % 50 = 0;
UPDATE kinds SET truth = NULL, small = NULL, big = NULL, real4 = NULL,
	real8 = NULL, exact = NULL, day = NULL, at_time = NULL, stamp = NULL,
	span = NULL, key = NULL, word = NULL, fixed = NULL, host = NULL,
	feeling = NULL, tags = NULL
WHERE id % 30 = 0;

CREATE INDEX of_all ON kinds USING hashemb (code, truth, small, big, real4,
	real8, exact, day, at_time, stamp, span, key, word, fixed, host, feeling,
	tags);
CREATE INDEX of_hamming ON kinds USING hashemb (code bincode_hamming_ops);
CREATE INDEX of_jaccard ON kinds USING hashemb (small, code bincode_jaccard_ops)
	WITH (fillfactor = 40);
CREATE INDEX of_ip ON kinds USING hashemb (deep bincode_ip_ops, tags)
	WITH (block_rows = 10);
CREATE INDEX of_cosine ON kinds USING hashemb (deep bincode_cosine_ops, word);
CREATE INDEX of_flat_ip ON kinds USING hashemb (code bincode_ip_ops);
CREATE INDEX of_part ON kinds USING hashemb (code, exact) WHERE small < 25;
CREATE INDEX of_expression ON kinds USING hashemb
	((subcode(code, 5, 40)::bincode(40)), (upper(word)), (small + 1));

CREATE VIEW soundness AS
SELECT c.relname, is_sound(c.oid, CASE WHEN i.indpred IS NULL THEN count(id)
	ELSE count(id) FILTER (WHERE small < 25) END) AS sound
FROM pg_index i JOIN pg_class c ON c.oid = indexrelid LEFT JOIN kinds ON true
WHERE indrelid = 'kinds'::regclass
GROUP BY c.relname, c.oid, indpred::text, i.indpred IS NULL ORDER BY 1;

-- built; grown; changed, with HOT updates; deleted from; vacuumed; refilled
SELECT * FROM soundness;
SELECT fill(2001, 2500);
INSERT INTO kinds (id) SELECT generate_series(3001, 3100);
SELECT bool_and(sound) FROM soundness;
UPDATE kinds SET id = -id WHERE id % 4 = 0;
UPDATE kinds SET small = small + 1000, code = ~ code WHERE id % 7 = 0;
SELECT bool_and(sound) FROM soundness;
DELETE FROM kinds WHERE id % 3 = 1 OR id BETWEEN 100 AND 900;
SELECT bool_and(sound) FROM soundness;
VACUUM kinds;
SELECT bool_and(sound) FROM soundness;
SELECT fill(4001, 4300);
SELECT bool_and(sound) FROM soundness;
SELECT bool_and(hashemb_calibrate(oid)) FROM pg_class
WHERE relname LIKE 'of\_%' AND relname <> 'of_part';
REINDEX INDEX CONCURRENTLY of_cosine;
SELECT bool_and(sound) FROM soundness;
DELETE FROM kinds;
SELECT bool_and(sound) FROM soundness;
VACUUM kinds;
SELECT * FROM soundness;
SELECT fill(1, 50);
SELECT bool_and(sound) FROM soundness;

-- HOT chains: the index names the first version, the table holds the last
CREATE TABLE versions (id integer, code bincode(8), note text)
	WITH (fillfactor = 50);
INSERT INTO versions SELECT i, (i % 256)::bit(8)::bincode(8), ''
FROM generate_series(1, 100) i;
CREATE INDEX of_versions ON versions USING hashemb (code);
UPDATE versions SET note = 'a';
UPDATE versions SET note = 'b' WHERE id % 2 = 0;
SELECT is_sound('of_versions', 100);
BEGIN;
DELETE FROM versions WHERE id > 90;
INSERT INTO versions VALUES (200, '10101010', 'mine');
SELECT is_sound('of_versions', 91);
SAVEPOINT before;
DELETE FROM versions;
ROLLBACK TO before;
SELECT is_sound('of_versions', 91);
ROLLBACK;
SELECT is_sound('of_versions', 100);

-- empty, then grown from nothing: one block
CREATE TABLE late (code bincode(16), n integer);
CREATE INDEX of_late ON late USING hashemb (code, n);
SELECT * FROM hashemb_check('of_late', true);
INSERT INTO late SELECT i::bit(16)::bincode(16), i FROM generate_series(1, 3000) i;
SELECT blocks, rows, rows_pages, heap_rows FROM hashemb_check('of_late', true);
INSERT INTO late SELECT NULL, i FROM generate_series(1, 3000) i;
SELECT is_sound('of_late', 6000);
DELETE FROM late WHERE n < 2500;
VACUUM late;
SELECT is_sound('of_late', 1002), free_pages > 0 AS has_free
FROM hashemb_check('of_late');
INSERT INTO late SELECT i::bit(16)::bincode(16), i FROM generate_series(1, 2499) i;
SELECT is_sound('of_late', 3501), free_pages FROM hashemb_check('of_late');
INSERT INTO late SELECT NULL, i FROM generate_series(1, 2499) i;
SELECT is_sound('of_late', 6000);

-- temporary and unlogged ones, and a table of a partition
CREATE TEMPORARY TABLE brief (code bincode(16), n integer);
INSERT INTO brief SELECT * FROM late;
CREATE INDEX of_brief ON brief USING hashemb (code, n);
DELETE FROM brief WHERE n % 2 = 0;
VACUUM brief;
SELECT is_sound('of_brief', 3000);
CREATE UNLOGGED TABLE unlogged (code bincode(16), n integer);
CREATE INDEX of_unlogged ON unlogged USING hashemb (code, n);
INSERT INTO unlogged SELECT * FROM late;
SELECT is_sound('of_unlogged', 6000);
CREATE TABLE parted (code bincode(16), n integer) PARTITION BY RANGE (n);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (1000);
CREATE INDEX of_parted ON parted USING hashemb (code, n);
INSERT INTO parted SELECT * FROM late WHERE n < 1000;
SELECT is_sound('parted_low_code_n_idx', 1998);

-- what cannot be checked
SELECT hashemb_check('of_parted');
SELECT hashemb_check('kinds');
CREATE INDEX of_ids ON kinds (id);
SELECT hashemb_check('of_ids');
SELECT hashemb_check(0);
SELECT hashemb_check(NULL) IS NULL, hashemb_check('of_late', NULL) IS NULL;

-- an entry that does not match its row is found: a function that is not as
-- immutable as it says
CREATE FUNCTION shift() RETURNS integer LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION shifted(n integer) RETURNS integer IMMUTABLE
LANGUAGE plpgsql AS 'BEGIN RETURN n + public.shift(); END';
CREATE TABLE shifts (code bincode(4), n integer);
INSERT INTO shifts VALUES ('0001', 1);
CREATE INDEX of_shifts ON shifts USING hashemb (code, shifted(n));
SELECT is_sound('of_shifts', 1);
CREATE OR REPLACE FUNCTION shift() RETURNS integer LANGUAGE sql AS 'SELECT 2';
SELECT hashemb_check('of_shifts');
SELECT hashemb_check('of_shifts', true);

-- privileges: SELECT on the table for the plain form, ownership for the other;
-- expressions are evaluated with the rights of the table's owner
CREATE ROLE regress_hashemb_check;
SET ROLE regress_hashemb_check;
SELECT hashemb_check('of_late');
SELECT hashemb_check('of_late', true);
RESET ROLE;
GRANT SELECT ON late TO regress_hashemb_check;
SET ROLE regress_hashemb_check;
SELECT rows FROM hashemb_check('of_late');
SELECT hashemb_check('of_late', true);
RESET ROLE;
CREATE FUNCTION who(n integer) RETURNS text IMMUTABLE
LANGUAGE plpgsql AS 'BEGIN RETURN current_user; END';
GRANT CREATE ON SCHEMA public TO regress_hashemb_check;
SET ROLE regress_hashemb_check;
CREATE TABLE theirs (code bincode(4), n integer);
INSERT INTO theirs VALUES ('0001', 1);
CREATE INDEX of_theirs ON theirs USING hashemb (code, who(n));
RESET ROLE;
SELECT is_sound('of_theirs', 1);
DROP TABLE theirs;
REVOKE ALL ON SCHEMA public FROM regress_hashemb_check;
REVOKE ALL ON late FROM regress_hashemb_check;
DROP ROLE regress_hashemb_check;

-- not while CREATE INDEX CONCURRENTLY has not finished it
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'of_late'::regclass;
SELECT hashemb_check('of_late');
UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'of_late'::regclass;

DROP TABLE kinds, versions, late, unlogged, parted, shifts CASCADE;
