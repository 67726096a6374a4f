-- Ranking rows reads their vectors: out of line that takes ten times as long, so that as many
-- rows as are ranked where vectors are in the rows are searched for
SET jit = off;
CREATE TABLE scan_outside (id int, a int, v real[]);
ALTER TABLE scan_outside ALTER v SET STORAGE external;
INSERT INTO scan_outside SELECT i, i % 100, array(SELECT sin(i * d)::real FROM generate_series(1, 600) d) FROM generate_series(1, 6000) i;
CREATE TABLE scan_inside (LIKE scan_outside);
ALTER TABLE scan_inside ALTER v SET STORAGE plain;
INSERT INTO scan_inside SELECT id, a, v[1:600] FROM scan_outside;
CREATE INDEX scan_outside_v ON scan_outside USING hashemb (v real_cosine_ops, a) WITH (dims = 600);
CREATE INDEX scan_inside_v ON scan_inside USING hashemb (v real_cosine_ops, a) WITH (dims = 600);
VACUUM ANALYZE scan_outside, scan_inside;
SELECT tablename, avg_width FROM pg_stats WHERE tablename ~ '^scan_(out|in)side$' AND attname = 'v' ORDER BY tablename;
CREATE FUNCTION pg_temp.strategy(name text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE format('EXPLAIN SELECT id FROM %1$I WHERE a = 3 ORDER BY v <=> (SELECT v FROM %1$I WHERE id = 5) LIMIT 10', name) LOOP
		IF line ~ 'Strategy' THEN
			RETURN substring(line, 'Strategy: (.*)');
		END IF;
	END LOOP;
END $$;
SELECT name, pg_temp.strategy(name) FROM unnest('{scan_outside,scan_inside}'::text[]) name;
DROP TABLE scan_outside, scan_inside;
