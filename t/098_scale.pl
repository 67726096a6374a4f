# Beyond one table and one server: searches over partitions are ordered merges,
# pruned where the condition says so, and their recall is measured as a whole;
# over foreign servers (postgres_fdw) operators, conditions, ORDER BY and LIMIT are
# sent, and what each shard of a distributed table is asked uses its index.
# Answers are those of one table with all rows.
#
# Seen to fail: without use_remote_estimate nor fdw_tuple_cost, as PostgreSQL 16
# and older have it (LIMIT is not sent).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('scale', conf => "fsync = off\nmax_connections = 40");
install_functions($node);
my $vectors = q{
	CREATE FUNCTION vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$SELECT array_agg((sin(i % 40 * j) + sin(i * j) / 4)::real) FROM generate_series(1, 24) j$$;
	CREATE FUNCTION doc(i int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$SELECT svec_agg(1 + j * 20 + abs(hashint4(i * 50 + j)) % 20, 1 + (i + j) % 5, 400) FROM generate_series(0, 15) j$$;};
$node->safe_psql('postgres', $vectors . q{
	CREATE TABLE whole AS SELECT i AS id, i % 16 AS a, i % 7 AS b, code(i, 37, 's1')::bincode(256) AS c, doc(i)::svec(400) AS v, vec(i) AS f FROM generate_series(1, 6000) i;
	ANALYZE whole});
my %by = (c => [ '<~>', q{'%s'}, 'bincode(256)' ], v => [ '<#>', q{'%s'}, 'svec(400)' ], f => [ '<->', q{'%s'}, 'real[]' ]);
my %query = (c => $node->safe_psql('postgres', q{SELECT code(7, 37, 's1')::bincode}), v => $node->safe_psql('postgres', 'SELECT doc(7)'), f => $node->safe_psql('postgres', 'SELECT vec(7)'));

# The ten nearest of a table; a literal, as a client sends it
sub search
{
	my ($table, $column, $where, $k) = @_;
	my ($op, undef, $type) = @{ $by{$column} };

	$k //= 10;
	return "SELECT id, $column $op '$query{$column}'::$type AS d FROM $table WHERE $where ORDER BY d LIMIT $k";
}

# Distances of a search, and by a scan of the whole table
sub same
{
	my ($database, $table, $column, $where, $name, $settings) = @_;
	my $of = sub { "SELECT string_agg(round(d::numeric, 4)::text, ' ' ORDER BY d) FROM (" . search($_[0], $column, $where) . ') x' };

	is($node->safe_psql($database, 'SET hashemb.recall = 1; ' . ($settings // '') . $of->($table)), $node->safe_psql('postgres', 'SET enable_indexscan = off; SET hashemb.enable_scan = off; ' . $of->('whole')), $name);
}

# ---- partitions ----

foreach my $case ([ 'hashed', 'HASH (id)', map { "FOR VALUES WITH (MODULUS 8, REMAINDER $_)" } 0 .. 7 ], [ 'many', 'HASH (id)', map { "FOR VALUES WITH (MODULUS 64, REMAINDER $_)" } 0 .. 63 ], [ 'ranged', 'RANGE (a)', map { 'FOR VALUES FROM (' . 4 * $_ . ') TO (' . (4 * $_ + 4) . ')' } 0 .. 3 ])
{
	my ($table, $how, @bounds) = @$case;

	$node->safe_psql('postgres', join(';', "CREATE TABLE $table (LIKE whole) PARTITION BY $how", (map { "CREATE TABLE ${table}_$_ PARTITION OF $table $bounds[$_]" } 0 .. $#bounds),
		"INSERT INTO $table SELECT * FROM whole", "CREATE INDEX ${table}_c ON $table USING hashemb (c, a, b)", "CREATE INDEX ${table}_v ON $table USING hashemb (v, a)", "CREATE INDEX ${table}_f ON $table USING hashemb (f real_l2_ops, a) WITH (dims = 24)", "ANALYZE $table"));
	foreach my $column (sort keys %by)
	{
		my $plan = $node->safe_psql('postgres', 'SET enable_seqscan = off; EXPLAIN ' . search($table, $column, 'true'));

		like($plan, qr/Merge Append/, "$table, $column: an ordered merge");
		unlike($plan, qr/\bSort\b.*->/s, "$table, $column: without a sort") if $plan !~ /Sort Key/;
		is(scalar(() = $plan =~ /Custom Scan \(hashemb\)|Index Scan using/g), scalar @bounds, "$table, $column: of all partitions");
		same('postgres', $table, $column, 'true', "$table, $column: the nearest of all", 'SET enable_seqscan = off;');
		same('postgres', $table, $column, 'a = 5 AND b < 4', "$table, $column: with a condition", 'SET enable_seqscan = off;');
	}
}
my $plan = $node->safe_psql('postgres', 'SET enable_seqscan = off; EXPLAIN ' . search('ranged', 'c', 'a = 5'));
is(join(' ', $plan =~ /\bon (ranged\w+)/g), 'ranged_1', 'partitions are pruned');
$plan = $node->safe_psql('postgres', "SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan; PREPARE p(int) AS " . search('ranged', 'c', 'a = $1') . '; EXPLAIN (ANALYZE, COSTS OFF) EXECUTE p(5)');
like($plan, qr/Subplans Removed: 3|never executed/, 'when the plan is run, too');
is($node->safe_psql('postgres', "SET hashemb.recall = 1; SELECT measured, recall FROM hashemb_measure_recall('${_}_c', 10, 24)"), '24|1', "$_: recall of all partitions") foreach 'hashed', 'many', 'ranged';

# Without an order partitions are searched side by side; in order, one process merges
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0; SET max_parallel_workers_per_gather = 2; SET enable_seqscan = off; ';
my $near = "WHERE c <@ hamming_ball('$query{c}', 60)";
like($node->safe_psql('postgres', "${parallel}EXPLAIN SELECT count(*) FROM many $near"), qr/Parallel Append.*(?:Bitmap Heap|Index) Scan/s, 'codes within a distance by parallel workers');
is($node->safe_psql('postgres', "${parallel}SELECT count(*) FROM many $near"), $node->safe_psql('postgres', "SET enable_indexscan = off; SET enable_bitmapscan = off; SELECT count(*) FROM whole $near"), 'all of them');
unlike($node->safe_psql('postgres', $parallel . 'EXPLAIN ' . search('many', 'c', 'true')), qr/Gather/, 'the nearest by one process');

# ---- three servers ----

my $fdw = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_available_extensions WHERE name = 'postgres_fdw'});
SKIP:
{
	skip 'no postgres_fdw', 1 if !$fdw;
	my ($host, $port) = ($node->host, $node->port);

	foreach my $n (0 .. 2)
	{
		$node->safe_psql('postgres', "CREATE DATABASE shard$n");
		$node->safe_psql("shard$n", 'CREATE EXTENSION hashemb; CREATE TABLE item (id int, a int, b int, c bincode(256), v svec(400), f real[])');
		system_or_bail('sh', '-c', "psql -X -q -d \"" . $node->connstr('postgres') . "\" -c 'COPY (SELECT * FROM whole WHERE id % 3 = $n) TO STDOUT' | psql -X -q -d \"" . $node->connstr("shard$n") . "\" -c 'COPY item FROM STDIN'");
		$node->safe_psql("shard$n", 'CREATE INDEX item_c ON item USING hashemb (c, a, b); CREATE INDEX item_v ON item USING hashemb (v, a); CREATE INDEX item_f ON item USING hashemb (f real_l2_ops, a) WITH (dims = 24); ANALYZE');
	}
	$node->safe_psql('postgres', "CREATE DATABASE front");
	$node->safe_psql('front', 'CREATE EXTENSION hashemb; CREATE EXTENSION postgres_fdw; CREATE TABLE item (id int, a int, b int, c bincode(256), v svec(400), f real[], shard int) PARTITION BY LIST (shard)');
	foreach my $n (0 .. 2)
	{
		$node->safe_psql('front', "CREATE SERVER s$n FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '$host', port '$port', dbname 'shard$n', extensions 'hashemb', options '-c hashemb.recall=1 -c enable_seqscan=off', use_remote_estimate 'true', async_capable 'true');
			CREATE USER MAPPING FOR PUBLIC SERVER s$n; CREATE FOREIGN TABLE part$n (id int, a int, b int, c bincode(256), v svec(400), f real[]) SERVER s$n OPTIONS (table_name 'item')");
	}
	$node->safe_psql('front', 'ANALYZE part0; ANALYZE part1; ANALYZE part2');
	my $sent = sub { join("\n", $node->safe_psql('front', "EXPLAIN (VERBOSE, COSTS OFF) $_[0]") =~ /Remote SQL: (.*)/g) };

	# that sequential scans are off hides from PostgreSQL 18 what a sort there would cost
	$node->safe_psql('front', "ALTER SERVER s0 OPTIONS (SET options '-c hashemb.recall=1')");
	foreach my $column (sort keys %by)
	{
		my $sql = $sent->(search('part0', $column, 'a = 5 AND b < 4'));

		like($sql, qr/WHERE (?=.*\(\(a = 5\)\).*ORDER)(?=.*\(\(b < 4\)\).*ORDER).* ORDER BY \($column OPERATOR\(public\.$by{$column}[0]\) .*\) ASC NULLS LAST LIMIT 10/, "$column: WHERE, ORDER BY and LIMIT are sent");
		like($sent->(search('part0', $column, 'true')), qr/LIMIT 10/, "$column: without WHERE, too")
		  or diag($node->safe_psql('front', 'EXPLAIN ' . search('part0', $column, 'true')), $node->safe_psql('shard0', 'SET hashemb.recall = 1; SET enable_seqscan = off; EXPLAIN ' . search('item', $column, 'true') . '; EXPLAIN SELECT id, f FROM item'));
	}
	like($sent->(q{SELECT id FROM part0 WHERE c <@ hamming_ball('} . $query{c} . q{', 60)}), qr/WHERE .*hamming_ball|WHERE \(\(c OPERATOR\(public\.<@\)/, 'conditions of the extension are sent');

	# the same where the local server only guesses, as from PostgreSQL 17 on by itself
	$node->safe_psql('front', "ALTER SERVER s0 OPTIONS (SET use_remote_estimate 'false', ADD fdw_tuple_cost '0.2')");
	like($sent->(search('part0', $_, 'true')), qr/LIMIT 10/, "$_: sent by what a row costs") foreach 'c', 'f';
	$node->safe_psql('front', "ALTER SERVER s0 OPTIONS (SET use_remote_estimate 'true', DROP fdw_tuple_cost, SET options '-c hashemb.recall=1 -c enable_seqscan=off')");

	# each server's nearest, merged: docs/scale.md's function
	$node->safe_psql('front', q{
		CREATE FUNCTION nearest(query bincode, tenant int, k int) RETURNS TABLE (id int, d float8) LANGUAGE sql STABLE AS $$
			SELECT * FROM ((SELECT id, c <~> query AS d FROM part0 WHERE a = tenant ORDER BY c <~> query LIMIT k) UNION ALL
				(SELECT id, c <~> query FROM part1 WHERE a = tenant ORDER BY c <~> query LIMIT k) UNION ALL
				(SELECT id, c <~> query FROM part2 WHERE a = tenant ORDER BY c <~> query LIMIT k)) x ORDER BY 2 LIMIT k $$;});
	is($node->safe_psql('front', "SELECT string_agg(d::text, ' ' ORDER BY d) FROM nearest('$query{c}', 5, 10)"), $node->safe_psql('postgres', "SELECT string_agg(d::text, ' ' ORDER BY d) FROM (" . search('whole', 'c', 'a = 5') . ') x'), 'the nearest of three servers');
	my $union = join(' UNION ALL ', map { "(SELECT id, c <~> '$query{c}'::bincode(256) AS d FROM part$_ ORDER BY c <~> '$query{c}'::bincode(256) LIMIT 10)" } 0 .. 2);
	is(scalar(() = $sent->("SELECT * FROM ($union) x ORDER BY d LIMIT 10") =~ /LIMIT 10/g), 3, 'each server is sent its LIMIT');
	note $node->safe_psql('front', "EXPLAIN (COSTS OFF) SELECT * FROM ($union) x ORDER BY d LIMIT 10") =~ /Async/ ? 'at the same time' : 'one after another';

	# under a partitioned table the order is sent, and rows are fetched as far as they are wanted
	$node->safe_psql('front', "DROP TABLE item; CREATE TABLE item (id int, a int, b int, c bincode(256), v svec(400), f real[]) PARTITION BY LIST (a)");
	$node->safe_psql('front', "CREATE FOREIGN TABLE item$_ PARTITION OF item FOR VALUES IN ($_) SERVER s$_ OPTIONS (table_name 'item')") foreach 0 .. 2;
	is(scalar(() = $sent->(search('item', 'c', 'true')) =~ /ORDER BY \(c OPERATOR/g), 3, 'of partitions the order is sent');

	# ---- what a coordinator sends to each shard: the query with the shard's name, LIMIT and all, in text, and merges
	my @rows;
	foreach my $n (0 .. 2)
	{
		$node->safe_psql("shard$n", "ALTER TABLE item RENAME TO item_10200$n");
		my $shard = "SELECT id, (c OPERATOR(public.<~>) '$query{c}'::public.bincode(256)) AS d FROM public.item_10200$n item WHERE ((a OPERATOR(pg_catalog.=) 5) AND (b OPERATOR(pg_catalog.<) 4)) ORDER BY (c OPERATOR(public.<~>) '$query{c}'::public.bincode(256)) LIMIT '10'::bigint";

		like($node->safe_psql("shard$n", "SET enable_seqscan = off; EXPLAIN $shard"), qr/Custom Scan \(hashemb\)|Index Scan using item_c/, "shard $n uses its index");
		push @rows, map { [ split /\|/ ] } split /\n/, $node->safe_psql("shard$n", "SET hashemb.recall = 1; SET enable_seqscan = off; $shard");
	}
	@rows = sort { $a->[1] <=> $b->[1] } @rows;
	is(join(' ', map { $_->[1] } @rows[ 0 .. 9 ]), $node->safe_psql('postgres', "SELECT string_agg(d::text, ' ' ORDER BY d) FROM (" . search('whole', 'c', 'a = 5 AND b < 4') . ') x'), 'and the nearest of all shards are the nearest of all rows');
}

$node->stop;
done_testing();
