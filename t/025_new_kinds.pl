# Rows of a new kind in an index that has just learnt what to expect: the nearest
# ones lie nearer than any that it has measured, and in blocks that promise little.
# At every target, k and filter, also one that cuts between the kinds, the mean
# recall of queries of the new kind reaches the target (within two standard errors)
# before any vacuum: for codes, float queries on codes, and dense vectors; in
# indexes that grew row by row, and in built ones.
#
# HASHEMB_QUERIES: queries of the new kind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $queries = $ENV{HASHEMB_QUERIES} || 150;
my $node = new_node('new_kinds', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB");
install_functions($node);
note 'seed n1';

# The usual kind: clusters of 50 rows, one bit in eight flipped.  The new one: 20
# groups of 15 rows, one bit in 128 flipped; likewise dense vectors.
$node->safe_psql('postgres', qq{
	CREATE FUNCTION new_code(i int) RETURNS bit(256) LANGUAGE sql AS \$\$
		SELECT bits('n1R' || i % 20) # (SELECT bit_and(bits('n1' || c || i)) FROM unnest('{a,b,c,d,e,f,g}'::text[]) c) \$\$;
	CREATE FUNCTION floats(c bit(256), salt text) RETURNS real[] LANGUAGE sql AS \$\$
		SELECT array_agg((CASE get_bit(c, i) WHEN 1 THEN 1 ELSE -1 END * (0.3 + (hashtext(salt || i) & 1023) / 1024.0))::real ORDER BY i) FROM generate_series(0, 255) i \$\$;
	CREATE FUNCTION vec(centre text, salt text, noise float8) RETURNS real[] LANGUAGE sql AS \$\$
		SELECT array_agg((hashtext(centre || d) / 2147483648.0 + noise * hashtext(salt || d) / 2147483648.0)::real ORDER BY d) FROM generate_series(1, 64) d \$\$;
	CREATE TABLE codes AS SELECT i AS id, code(i, 400, 'n1')::bincode(256) AS c, 0 AS kind, i % 10 AS r FROM generate_series(1, 20000) i;
	INSERT INTO codes SELECT i, new_code(i)::bincode(256), 1, i % 10 FROM generate_series(20001, 20300) i;
	CREATE TABLE dense AS SELECT i AS id, vec('n1c' || i % 400, 'n1i' || i, 0.6) AS c, 0 AS kind, i % 10 AS r FROM generate_series(1, 20000) i;
	INSERT INTO dense SELECT i, vec('n1R' || i % 20, 'n1i' || i, 0.02), 1, i % 10 FROM generate_series(20001, 20300) i;
	CREATE TABLE queries (kind text, q int, operator text, query text);
	INSERT INTO queries SELECT 'codes', i, '<~>', quote_literal(new_code(100000 + i)) || '::bincode(256)' FROM generate_series(1, $queries) i
		UNION ALL SELECT 'floats', i, '<#>', quote_literal(floats(new_code(100000 + i), 'n1f' || i)) || '::real[]' FROM generate_series(1, $queries) i
		UNION ALL SELECT 'dense', i, '<->', quote_literal(vec('n1R' || i % 20, 'n1q' || i, 0.02)) || '::real[]' FROM generate_series(1, $queries) i;
	CREATE TABLE cells (cell text, condition text);
	INSERT INTO cells VALUES ('none', 'true'), ('own kind', 'kind = 1'), ('half', 'r < 5'), ('a tenth', 'r = 3');
	CREATE TABLE truth (kind text, cell text, q int, distances float8[]);
	CREATE TABLE results (kind text, cell text, target float8, k int, recall float8);
	CREATE FUNCTION search(name text, cell cells, x queries, k int) RETURNS text LANGUAGE sql AS \$\$
		SELECT format('SELECT c %1\$s %2\$s AS d FROM %3\$I WHERE %4\$s ORDER BY c %1\$s %2\$s LIMIT %5\$s', (x).operator, (x).query, name, (cell).condition, k) \$\$;
	CREATE FUNCTION nearest(name text, cell cells, x queries, k int) RETURNS float8[] LANGUAGE plpgsql AS \$\$
	DECLARE
		result float8[];
	BEGIN
		EXECUTE 'SELECT array_agg(d) FROM (' || search(name, cell, x, k) || ') s' INTO result;
		RETURN result;
	END \$\$;
	CREATE FUNCTION plan(name text, cell cells, x queries) RETURNS text LANGUAGE plpgsql AS \$\$
	DECLARE
		line text;
		result text := '';
	BEGIN
		FOR line IN EXECUTE 'EXPLAIN ' || search(name, cell, x, 10) LOOP
			result := result || line;
		END LOOP;
		RETURN result;
	END \$\$;
});
my %kinds = (codes => [ 'codes', 'bincode_hamming_ops' ], floats => [ 'codes', 'bincode_ip_ops' ], dense => [ 'dense', 'real_l2_ops' ]);
my $by_index = q{SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off;};

foreach my $kind (sort keys %kinds)
{
	my ($source, $class) = @{ $kinds{$kind} };
	my $options = $source eq 'dense' ? 'WITH (dims = 64)' : '';

	$node->safe_psql('postgres', qq{INSERT INTO truth SELECT kind, cell, q, nearest('$source', cells, queries, 10) FROM queries, cells WHERE kind = '$kind';
		CREATE TABLE ${kind}_grown (LIKE $source);
		CREATE INDEX ON ${kind}_grown USING hashemb (c $class, kind, r) $options;
		DO \$\$
		DECLARE
			row $source;
		BEGIN
			FOR row IN SELECT * FROM $source ORDER BY id LOOP
				INSERT INTO ${kind}_grown SELECT row.*;
			END LOOP;
		END \$\$;
		CREATE TABLE ${kind}_built AS TABLE $source;
		CREATE INDEX ON ${kind}_built USING hashemb (c $class, kind, r) $options});
	foreach my $name ("${kind}_grown", "${kind}_built")
	{
		is($node->safe_psql('postgres', qq{$by_index SELECT string_agg(cell, ', ') FROM cells, queries WHERE kind = '$kind' AND q = 1 AND plan('$name', cells, queries) !~ 'Custom Scan .hashemb'}),
			'', "$name: the scan node is used for every filter");
		foreach my $target (0.9, 0.95, 0.99)
		{
			$node->safe_psql('postgres', qq{$by_index SET hashemb.recall = $target; INSERT INTO results
				SELECT '$name', cell, $target, k, (SELECT count(*) FROM unnest(found) f WHERE f <= distances[k]) / k::float8
				FROM (SELECT t.cell, k, t.distances, nearest('$name', c, x, k) AS found FROM truth t JOIN cells c USING (cell) JOIN queries x USING (kind, q), unnest('{1,10}'::int[]) k
					WHERE kind = '$kind' AND cardinality(t.distances) = 10 OFFSET 0) s});
		}
	}
}
my $summary = q{SELECT kind, cell, target, k, avg(recall) AS mean, coalesce(stddev(recall), 0) / sqrt(count(*)) AS error, count(*) AS queries FROM results GROUP BY 1, 2, 3, 4};
note 'index|cell|target|k|mean recall|standard error';
note $node->safe_psql('postgres', qq{SELECT kind, cell, target, k, round(mean::numeric, 3), round(error::numeric, 4) FROM ($summary) s ORDER BY 1, 2, 4, 3});
is($node->safe_psql('postgres', "SELECT min(queries) = $queries, count(*) FROM ($summary) s"), 't|144', 'all cells were measured');
foreach my $target (0.9, 0.95, 0.99)
{
	is($node->safe_psql('postgres', qq{SELECT kind, cell, k, round(mean::numeric, 3) FROM ($summary) s WHERE target = $target AND mean + 2 * error < target ORDER BY 1, 2, 3}),
		'', "mean recall at $target");
}
$node->stop;
done_testing();
