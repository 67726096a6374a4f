# Not much more than was asked for: where 10 or 100 rows are wanted, with a filter that has
# nothing to do with the query and without, the mean recall reaches the target (within two
# standard errors); and for 100 rows with a filter at most six in ten of the misses that
# a target of .95 allows are left over (likewise). Without a filter, and for fewer rows,
# clusters have more: the first blocks hold all neighbours.
#
# HASHEMB_ROWS, HASHEMB_QUERIES: rows and queries; HASHEMB_SEED: the seed.
#
# Seen to fail: with the safety factor of one row, at least 0.8, for every search with a
# filter (.991 and .994 came).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{HASHEMB_ROWS} || 30_000;
my $queries = $ENV{HASHEMB_QUERIES} || 300;
my $seed = $ENV{HASHEMB_SEED} || time;
my $node = new_node('band', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB");
install_functions($node);
note "seed $seed";

# One bit in four is flipped: half as far from each other as codes of other clusters
$node->safe_psql('postgres', qq{
	CREATE FUNCTION wide(i int, salt text) RETURNS bincode LANGUAGE sql AS \$\$
		SELECT (bits('$seed c' || (hashtext('$seed' || salt || i) & 127)) # (bits('$seed' || salt || i || 'x') & bits('$seed' || salt || i || 'y')))::bincode \$\$;
	CREATE TABLE items AS SELECT i AS id, wide(i, 'i')::bincode(256) AS c, hashtext('$seed r' || i) & 1023 AS r FROM generate_series(1, $rows) i;
	CREATE INDEX items_idx ON items USING hashemb (c, r);
	VACUUM ANALYZE items;
	CREATE TABLE queries AS SELECT i AS q, wide(i, 'q') AS c FROM generate_series(1, $queries) i;
	CREATE TABLE cells (cell text, condition text);
	INSERT INTO cells VALUES ('none', 'true'), ('one row in two', 'r < 512'), ('one row in ten', 'r < 102');
	CREATE FUNCTION nearest(condition text, query bincode, k int) RETURNS float8[] LANGUAGE plpgsql AS \$\$
	DECLARE
		result float8[];
	BEGIN
		EXECUTE format('SELECT array_agg(d) FROM (SELECT c <~> %1\$L::bincode AS d FROM items WHERE %2\$s ORDER BY c <~> %1\$L::bincode LIMIT %3\$s) s', query, condition, k) INTO result;
		RETURN result;
	END \$\$;
	CREATE TABLE results (cell text, target float8, k int, recall float8);
	SET hashemb.recall = 1;
	CREATE TABLE truth AS SELECT cell, condition, q, c, nearest(condition, c, 100) AS distances FROM cells, queries;
});
foreach my $target (0.9, 0.95)
{
	$node->safe_psql('postgres', qq{SET enable_seqscan = off; SET enable_sort = off; SET enable_bitmapscan = off; SET hashemb.recall = $target;
		INSERT INTO results SELECT cell, $target, k, (SELECT count(*) FROM unnest(nearest(condition, c, k)) f WHERE f <= distances[k]) / k::float8
		FROM truth, unnest('{10,100}'::int[]) k});
}
my $summary = q{SELECT cell, target, k, least(avg(recall), 1) AS mean, stddev(recall) / sqrt(count(*)) AS error FROM results GROUP BY 1, 2, 3};
note 'cell|target|k|mean recall|standard error';
note $node->safe_psql('postgres', qq{SELECT cell, target, k, round(mean::numeric, 3), round(error::numeric, 4) FROM ($summary) s ORDER BY 1, 2, 3});
is($node->safe_psql('postgres', "SELECT count(*) FROM ($summary) s"), 12, 'all cells were measured');
is($node->safe_psql('postgres', qq{SELECT cell, target, k, round(mean::numeric, 3) FROM ($summary) s WHERE mean + 2 * error < target}),
	'', 'mean recall reaches the target');
is($node->safe_psql('postgres', qq{SELECT cell, target, k, round(mean::numeric, 3) FROM ($summary) s
	WHERE target = 0.95 AND k = 100 AND cell <> 'none' AND mean - 2 * error > target + 0.6 * (1 - target)}),
	'', 'and not much more for many rows with a filter');
$node->stop;
done_testing();
