-- For tests of codes: one by chance, and what a command says that may fail
CREATE FUNCTION pg_temp.random_code(n int, b int) RETURNS bincode LANGUAGE sql AS $$
	SELECT (coalesce(string_agg(to_hex(floor(random() * (1 << b))::int), ''), '') ||
		CASE b WHEN 1 THEN '' ELSE '/' || b END)::bincode
	FROM generate_series(1, n)
$$;
CREATE FUNCTION pg_temp.complaint(command text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	EXECUTE command;
	RETURN 'accepted';
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
