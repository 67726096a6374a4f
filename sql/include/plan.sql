-- A query's plan as all versions show it: 18 marks the disabled nodes, 15 and 16
-- tell the parameters of subqueries
CREATE FUNCTION pg_temp.plan(query text) RETURNS TABLE ("QUERY PLAN" text) LANGUAGE plpgsql AS $$
BEGIN
	FOR "QUERY PLAN" IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF "QUERY PLAN" !~ '^ *Disabled: true$' THEN
			"QUERY PLAN" := regexp_replace("QUERY PLAN", ' \(returns \$\d+\)$', '');
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
-- The lines of a plan that a pattern matches
CREATE FUNCTION pg_temp.plan_lines(query text, pattern text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
	line text;
BEGIN
	FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF line ~ pattern THEN
			RETURN NEXT trim(line, ' ->');
		END IF;
	END LOOP;
END $$;
