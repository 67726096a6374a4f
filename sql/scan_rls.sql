-- The scan node and row-level security: a condition that might leak is never
-- evaluated on a row that a policy hides
CREATE TABLE scan_rls (id int, c bincode(64), a int, owner text, u int, n numeric);
INSERT INTO scan_rls SELECT i, hashint8extended(i, 1)::bit(64)::bincode, i % 10, CASE WHEN i % 5 = 0 THEN 'regress_rls' ELSE 'other' END, i % 20, i % 10 FROM generate_series(1, 1000) i;
CREATE INDEX scan_rls_idx ON scan_rls USING hashemb (c, a, owner, n);
CREATE INDEX scan_rls_u ON scan_rls (u);
ANALYZE scan_rls;
CREATE ROLE regress_rls;
GRANT SELECT ON scan_rls TO regress_rls;
ALTER TABLE scan_rls ENABLE ROW LEVEL SECURITY;
CREATE POLICY mine ON scan_rls USING (owner = current_user);
-- it tells what it has seen
CREATE FUNCTION leak(id int, owner text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
	IF owner <> 'regress_rls' THEN
		RAISE NOTICE 'row % of %', id, owner;
	END IF;
	RETURN true;
END $$ IMMUTABLE;
SET enable_seqscan = off;
SET enable_sort = off;
SET hashemb.recall = 1;
SET ROLE regress_rls;
EXPLAIN (COSTS OFF) SELECT id FROM scan_rls WHERE leak(id, owner) ORDER BY c <~> repeat('01', 32)::bincode LIMIT 5;
SELECT count(*), count(*) FILTER (WHERE owner = 'regress_rls') FROM (SELECT owner FROM scan_rls WHERE leak(id, owner) ORDER BY c <~> repeat('01', 32)::bincode LIMIT 50) s;
-- leakproof conditions may go first, into mask and bitmap; others keep their order
EXPLAIN (COSTS OFF) SELECT id FROM scan_rls WHERE a = 5 AND u = 15 AND leak(id, owner) AND a::text > '' ORDER BY c <~> repeat('01', 32)::bincode LIMIT 5;
SELECT count(*), count(*) FILTER (WHERE owner = 'regress_rls') FROM (SELECT owner FROM scan_rls WHERE a = 5 AND u = 15 AND leak(id, owner) ORDER BY c <~> repeat('01', 32)::bincode LIMIT 50) s;
-- a condition that would fit the mask, but whose operator is not leakproof
EXPLAIN (COSTS OFF) SELECT id FROM scan_rls WHERE a = ANY (ARRAY[5, 6]) AND (a = 5 OR n > 3) ORDER BY c <~> repeat('01', 32)::bincode LIMIT 5;
RESET ROLE;
DROP TABLE scan_rls;
DROP FUNCTION leak;
DROP ROLE regress_rls;
