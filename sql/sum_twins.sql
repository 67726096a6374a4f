-- Two terms of one distance, which may be negative, one of them with a weight of 0: the other's search tells how
-- far it is
CREATE TABLE st (id int, c bincode(64), d bincode(64));
INSERT INTO st SELECT i, (hashint4(i)::bit(32)::text || hashint4(-i)::bit(32))::bincode(64), (hashint4(i + 7)::bit(32)::text || hashint4(11 - i)::bit(32))::bincode(64) FROM generate_series(1, 3000) i;
CREATE INDEX st_c ON st USING hashemb (c bincode_ip_ops);
CREATE INDEX st_d ON st USING hashemb (d);
ANALYZE st;
SET enable_sort = off;
SET enable_seqscan = off;
SET plan_cache_mode = force_generic_plan;
CREATE FUNCTION st_check(weight float8, last float8, rest text) RETURNS TABLE (node bool, same bool) LANGUAGE plpgsql AS $$
DECLARE
	sum text := '$1 * (c <#> repeat(''01'', 32)::bincode) + (d <~> repeat(''0'', 64)::bincode) + $2 * (c <#> repeat(''01'', 32)::bincode)';
	line text;
	found float8[];
	truth float8[];
BEGIN
	node := false;
	EXECUTE format('PREPARE stq (float8, float8) AS SELECT array_agg(s) FROM (SELECT %1$s AS s FROM st ORDER BY %1$s %2$s) x', sum, rest);
	FOR line IN EXECUTE format('EXPLAIN EXECUTE stq (%s, %s)', weight, last) LOOP
		node := node OR line ~ 'hashemb sum';
	END LOOP;
	EXECUTE format('EXECUTE stq (%s, %s)', weight, last) INTO found;
	DEALLOCATE stq;
	EXECUTE format('SELECT array_agg(s) FROM (SELECT s FROM (SELECT %s AS s FROM st OFFSET 0) y ORDER BY s %s) x', sum, rest) INTO truth USING weight, last;
	same := found = truth;
	RETURN NEXT;
END $$;
SET hashemb.recall = 1;
SELECT weight, last, rest, c.* FROM (VALUES (0, 0.25), (0, 1), (0.25, 0), (0.5, 0.5), (0, 0)) w (weight, last), unnest('{"",LIMIT 20}'::text[]) rest, st_check(weight, last, rest) c ORDER BY 3, 1, 2;
DROP TABLE st;
DROP FUNCTION st_check;
RESET hashemb.recall;
