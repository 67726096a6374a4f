-- A query's plan as all versions show it: 18 marks the disabled nodes
CREATE FUNCTION pg_temp.plan(query text) RETURNS TABLE ("QUERY PLAN" text) LANGUAGE plpgsql AS $$
BEGIN
	FOR "QUERY PLAN" IN EXECUTE 'EXPLAIN (COSTS OFF) ' || query LOOP
		IF "QUERY PLAN" !~ '^ *Disabled: true$' THEN
			RETURN NEXT;
		END IF;
	END LOOP;
END $$;
