# Many sessions at once: what a search finds at recall 1 is what its snapshot
# holds, while others insert, update, delete, vacuum and rebuild.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seconds = $ENV{HASHEMB_SECONDS} || 15;
my $node = new_node('concurrent', conf => 'max_connections = 30');
install_functions($node);
note 'seed 42';

# Long codes, so that blocks are chains of many pages: one index has many
# blocks, the other one block whose pages come and go
$node->safe_psql('postgres', q{
	CREATE FUNCTION long_code(i int) RETURNS bincode LANGUAGE sql IMMUTABLE AS $$
		SELECT (string_agg(code(i + d * 1000, 37, 'p1')::text, '' ORDER BY d))::bincode FROM generate_series(1, 4) d $$;
	CREATE TABLE built (id int, c bincode(1024), a int);
	CREATE TABLE filled (id int, c bincode(1024), a int);
	CREATE INDEX filled_idx ON filled USING hashemb (c, a);
	INSERT INTO built SELECT i, long_code(i), i % 10 FROM generate_series(1, 1000) i;
	INSERT INTO filled SELECT i, long_code(i), i % 10 FROM generate_series(1, 1000) i;
	CREATE INDEX built_idx ON built USING hashemb (c, a) WITH (block_rows = 40)});

my %scripts = (
	insert => q{\set id random(1001, 1000000)
INSERT INTO THIS SELECT i, CASE WHEN i % 40 > 0 THEN long_code(i) END, i % 10 FROM generate_series(:id, :id + 9) i;
},
	update => q{\set part random(0, 300)
UPDATE THIS SET c = long_code(id + 1), a = (a + 1) % 10 WHERE id > 1000 AND id % 301 = :part;
},
	delete => q{\set part random(0, 20)
DELETE FROM THIS WHERE id > 1000 AND id % 21 = :part;
},
	search => q{\set q random(1, 1000)
\set a random(0, 14)
\set k random(1, 400)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL hashemb.recall = 1;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT hashtext(string_agg(d::text, ',')) AS found, count(*) AS count FROM
	(SELECT c <~> long_code(:q) AS d FROM THIS WHERE :a > 9 OR a = :a ORDER BY c <~> long_code(:q) LIMIT :k) s \gset
SET LOCAL enable_seqscan = on;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = on;
SELECT hashtext(string_agg(d::text, ',')) AS expected FROM
	(SELECT c <~> long_code(:q) AS d FROM THIS WHERE :a > 9 OR a = :a ORDER BY c <~> long_code(:q) LIMIT :k) s \gset
COMMIT;
SELECT 1 / (coalesce(:found, 0) = coalesce(:expected, 0))::int AS "search finds what a sequential scan finds";
},
	# rows that nobody touches: with a filter, unordered, and within a radius
	count => q{\set a random(0, 9)
SET enable_seqscan = off;
SELECT 1 / (count(*) = 100)::int FROM THIS WHERE a = :a AND id <= 1000;
SELECT 1 / (count(*) >= 1000)::int FROM THIS WHERE hamming_within(c, long_code(1), 1024);
RESET enable_seqscan;
},
	vacuum => "VACUUM THIS;\n",
	reindex => "REINDEX INDEX CONCURRENTLY THIS_idx;\n",
	calibrate => "SELECT hashemb_calibrate('THIS_idx');\n");

# Start pgbench with scripts by weight
sub bench
{
	my ($table, $clients, %weights) = @_;
	my @command = ('pgbench', '-n', '--random-seed=42', '-c', $clients, '-T', $seconds, '-h', $node->host, '-p', $node->port);

	foreach my $script (sort keys %weights)
	{
		my $file = $node->basedir . "/$table-$script.sql";

		append_to_file($file, $scripts{$script} =~ s/THIS/$table/gr) unless -e $file;
		push @command, '-f', "$file\@$weights{$script}";
	}
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ @command, 'postgres' ], '<', \'', '>', \$out, '2>', \$err);
	return { run => $run, out => \$out, err => \$err, name => "$table: " . join(', ', sort keys %weights) };
}

# An index must be what answers
like($node->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_sort = off;
	EXPLAIN SELECT c <~> long_code(1) AS d FROM filled WHERE 3 > 9 OR a = 3 ORDER BY c <~> long_code(1) LIMIT 5}),
	qr/Custom Scan \(hashemb\) on filled/, 'searches use the index');

my @benches = (bench('built', 3, insert => 5, update => 3, delete => 1, search => 4, count => 2),
	bench('filled', 3, insert => 5, update => 3, delete => 1, search => 4, count => 2),
	bench('built', 1, vacuum => 9, reindex => 1, calibrate => 1), bench('filled', 1, vacuum => 1));
foreach my $bench (@benches)
{
	$bench->{run}->finish;
	is(${ $bench->{err} } =~ s/^pgbench: setting random seed.*\n//r, '', "$bench->{name}: no errors");
	note ${ $bench->{out} };
}

foreach my $table ('built', 'filled')
{
	my $check = sub {
		same_rows($node, "${table}_idx", $table,
			q{ARRAY(SELECT format('c <~> %L', long_code(i)) FROM generate_series(1, 3) i)}, q{'{true,a = 3,c IS NULL,id > 1000}'},
			"$table @_");
	};
	$check->('afterwards');
	$node->safe_psql('postgres', "VACUUM $table");
	$check->('after vacuum');
	is($node->safe_psql('postgres', "SELECT rows - (SELECT count(*) FROM $table), null_rows - (SELECT count(*) FROM $table WHERE c IS NULL)
		FROM hashemb_index_info('${table}_idx')"), '0|0', "$table: the index counts its rows right");
	$node->safe_psql('postgres', "DELETE FROM $table WHERE id > 1000");
	$node->safe_psql('postgres', "VACUUM $table");
	same_rows($node, "${table}_idx", $table, q{ARRAY[format('c <~> %L', long_code(1))]}, q{'{true,a = 3}'}, "$table after deletion");
}

# A search that would take very long can be cancelled
$node->safe_psql('postgres', 'CREATE TABLE queries AS SELECT array_agg(c) AS codes FROM built, generate_series(1, 300) WHERE c IS NOT NULL');
my $long = $node->background_psql('postgres', on_error_stop => 0);
$long->query_until(qr/started/, q{\echo started
	SELECT measured FROM hashemb_measure_recall('built_idx', 1000, (SELECT codes FROM queries));
});
my $running = q{FROM pg_locks WHERE relation = 'built_idx'::regclass};
$node->poll_query_until('postgres', "SELECT count(*) = 1 $running") or die 'not started';
is($node->safe_psql('postgres', "SELECT pg_cancel_backend(pid) $running"), 't', 'a long search is running');
ok($node->poll_query_until('postgres', "SELECT count(*) = 0 $running"), 'and can be cancelled');
$long->quit;
$node->stop;
done_testing();
