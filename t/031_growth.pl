# Indexes that grow from nothing, by many sessions at once: blocks are split
# while others insert, search and vacuum, or while nobody vacuums.  Afterwards
# they are sound, searched as one built at once, and not much larger.  Rounds of
# deletes and inserts leave neither splits nor holes behind.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

# HASHEMB_ROWS=200000 is the long form
my $rows = $ENV{HASHEMB_ROWS} || 30_000;
my $seed = 44;
my $clients = 4;
my $node = new_node('growth', conf => "shared_buffers = 128MB\nmax_connections = 30");
install_functions($node);
note "seed $seed, $rows rows";

# Rows in 500 clusters
$node->safe_psql('postgres', q{
	CREATE FUNCTION grown_code(i int) RETURNS bincode LANGUAGE sql IMMUTABLE AS $$
		SELECT code(i, 500, 'g4')::bincode $$;
	CREATE TABLE source AS SELECT i AS id, CASE WHEN i % 100 > 0 THEN grown_code(i) END::bincode(256) AS c, i % 20 AS a
		FROM generate_series(1, } . $rows . q{) i;
	CREATE UNIQUE INDEX ON source (id);
	CREATE TABLE queries AS SELECT array_agg(c) FILTER (WHERE n <= 1000) AS codes, array_agg(c) FILTER (WHERE n > 1000) AS others
		FROM (SELECT c, row_number() OVER (ORDER BY hashint4(id)) AS n FROM source WHERE c IS NOT NULL ORDER BY 2 LIMIT 2000) s;
	CREATE TABLE built AS TABLE source;
	CREATE INDEX built_idx ON built USING hashemb (c, a);
	CREATE TABLE quiet (LIKE source);
	CREATE INDEX quiet_idx ON quiet USING hashemb (c, a);
	CREATE TABLE busy (LIKE source);
	CREATE INDEX busy_idx ON busy USING hashemb (c, a);
	CREATE SEQUENCE quiet_ids; CREATE SEQUENCE busy_ids});

# Fill a table by single rows from several clients; %others runs meanwhile
sub fill
{
	my ($table, %others) = @_;
	my $file = $node->basedir . "/$table.sql";
	my @runs;

	append_to_file($file, "INSERT INTO $table SELECT s.* FROM (SELECT nextval('${table}_ids') AS id OFFSET 0) n JOIN source s USING (id);\n");
	push @runs, start($table, '-c', $clients, '-t', $rows / $clients, '-f', $file);
	foreach my $name (sort keys %others)
	{
		append_to_file("$file.$name", $others{$name});
		push @runs, start("$table: $name", '-c', 1, '-T', 100000, '-f', "$file.$name");
	}
	finish(shift @runs);
	foreach my $run (@runs)
	{
		$run->{run}->signal('TERM');
		$run->{run}->finish;
		unlike(${ $run->{err} }, qr/ERROR|FATAL|aborted/, "$run->{name}: no errors");
	}
}

sub start
{
	my ($name, @options) = @_;
	my ($out, $err) = ('', '');
	my $run = IPC::Run::start([ 'pgbench', '-n', "--random-seed=$seed", '-h', $node->host, '-p', $node->port, @options, 'postgres' ],
		'<', \'', '>', \$out, '2>', \$err);
	return { run => $run, out => \$out, err => \$err, name => $name };
}

sub finish
{
	my ($run) = @_;

	$run->{run}->finish;
	is(${ $run->{err} } =~ s/^pgbench: setting random seed.*\n//r, '', "$run->{name}: no errors");
}

sub sound
{
	my ($table, $name) = @_;

	is($node->safe_psql('postgres', "SELECT rows - heap_rows, heap_rows - (SELECT count(*) FROM $table), orphan_pages
		FROM hashemb_check('${table}_idx', true)"), '0|0|0', "$table $name: sound and complete");
	same_rows($node, "${table}_idx", $table,
		q{ARRAY(SELECT format('c <~> %L', grown_code(i)) FROM generate_series(1, 3) i)}, q{'{true,a = 3,c IS NULL,a > 25}'}, "$table $name: searches");
}

# Recall, queries below one half, and rows that a search scores; queries are
# rows of all clusters
sub measure
{
	my ($index, $recall, $k) = @_;

	return split /\|/, $node->safe_psql('postgres', "SET hashemb.recall = $recall;
		SELECT recall, below_half, rows_scored FROM hashemb_measure_recall('$index', $k, (SELECT codes FROM queries))");
}

fill('quiet');
# A search of everything finds each row that its snapshot holds, once
fill('busy', vacuum => "VACUUM busy;\n", search => q{\set q random(1, 1000)
BEGIN ISOLATION LEVEL REPEATABLE READ;
SET LOCAL hashemb.recall = 1;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = off;
SELECT count(*) AS all, count(*) FILTER (WHERE a < 10) AS part FROM busy \gset
SET LOCAL enable_indexscan = on;
SET LOCAL enable_seqscan = off;
SET LOCAL enable_sort = off;
SELECT 1 / (count(*) = :all AND count(DISTINCT id) = :all)::int FROM (SELECT id FROM busy ORDER BY c <~> grown_code(:q)) s;
SELECT 1 / (count(*) = :part AND count(DISTINCT id) = :part)::int FROM busy WHERE a < 10;
SET LOCAL enable_indexscan = off;
SET LOCAL enable_bitmapscan = on;
SELECT 1 / (count(*) = :part)::int FROM busy WHERE a < 10;
COMMIT;
});
$node->safe_psql('postgres', 'VACUUM ANALYZE built');
foreach my $table ('quiet', 'busy')
{
	my ($splits, $pages, $fresh) = split /\|/, $node->safe_psql('postgres', "SELECT g.splits, g.pages, b.pages
		FROM hashemb_index_info('${table}_idx') g, hashemb_index_info('built_idx') b");

	sound($table, 'grown');
	cmp_ok($splits, '>', 100, "$table: many splits");
	note "$table: $pages pages, $fresh of a built one";
	cmp_ok($pages, '<=', 1.35 * $fresh, "$table: not much larger than a built one");
	# Calibrated by rows of its own, as builds and vacuums do, an index has a standard error of some thousandths in its recall, as the promise
	# is of the mean over indexes, too. At .99 that is as much as what is above the target: there it is calibrated by more queries.
	foreach (['', 0.9, 0.95], [', (SELECT others FROM queries)', 0.99])
	{
		my ($queries, @targets) = @$_;

		is($node->safe_psql('postgres', "SELECT hashemb_calibrate('${table}_idx'$queries)"), 't', "$table: calibrated for @targets");
		foreach my $recall (@targets)
		{
			foreach my $k (1, 10, 100)
			{
				my ($got, $below, $scored) = measure("${table}_idx", $recall, $k);
				my (undef, undef, $built) = measure('built_idx', $recall, $k);

				note "$table: target $recall, k $k: recall $got, $scored rows scored, $built in the built one";
				cmp_ok($got, '>=', $recall, "$table: recall of $k at $recall");
			}
		}
	}
}

# Rounds of deleting half and inserting half: inserts find the room of rows that
# are dead, before a vacuum does.
$node->safe_psql('postgres', "CREATE TABLE rounds AS SELECT * FROM source WHERE id <= 12000;
	CREATE INDEX rounds_idx ON rounds USING hashemb (c, a)");
my $anew = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_index_info('rounds_idx')});
foreach my $round (1 .. 10)
{
	$node->safe_psql('postgres', "DELETE FROM rounds WHERE hashint4(id + $round) % 2 = 0");
	$node->safe_psql('postgres', 'INSERT INTO rounds SELECT * FROM source s WHERE id <= 12000 AND NOT EXISTS (SELECT FROM rounds r WHERE r.id = s.id)');
	$node->safe_psql('postgres', 'VACUUM rounds');
	sound('rounds', "after round $round") if $round % 3 == 1;
	my $pages = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_index_info('rounds_idx')});
	note "round $round: $pages pages, $anew when built";
	cmp_ok($pages, '<=', 1.2 * $anew, "size after round $round");
}

# Most rows go and come again: pages go from hand to hand
$node->safe_psql('postgres', 'DELETE FROM rounds WHERE hashint4(id) % 5 <> 0');
$node->safe_psql('postgres', 'VACUUM rounds');
sound('rounds', 'thinned');
$node->safe_psql('postgres', 'INSERT INTO rounds SELECT * FROM source s WHERE id <= 12000 AND NOT EXISTS (SELECT FROM rounds r WHERE r.id = s.id)');
sound('rounds', 'filled again');
is($node->safe_psql('postgres', q{SELECT merges > 20, pages_freed > 20, pages_reused > 20 FROM hashemb_index_info('rounds_idx')}),
	't|t|t', 'blocks were merged, pages freed and used again');

# Everything goes: one block is left, and rows find it again
$node->safe_psql('postgres', 'DELETE FROM rounds');
$node->safe_psql('postgres', 'VACUUM rounds');
is($node->safe_psql('postgres', q{SELECT rows, blocks FROM hashemb_index_info('rounds_idx')}), '0|1', 'one empty block is left');
$node->safe_psql('postgres', 'INSERT INTO rounds SELECT * FROM source WHERE id <= 3000');
sound('rounds', 'filled once more');

# More blocks than are all compared: rows go to a near one by way of the upper
# level, directory pages that fill are divided, and vacuum merges what is thin
$node->safe_psql('postgres', 'CREATE TABLE wide AS SELECT i AS id, grown_code(i)::bincode(256) AS c, i % 20 AS a FROM generate_series(1, 60000) i;
	CREATE INDEX wide_idx ON wide USING hashemb (c, a) WITH (block_rows = 4)');
my ($blocks, $splits) = split /\|/, $node->safe_psql('postgres', q{SELECT blocks, splits FROM hashemb_index_info('wide_idx')});
my $directory = $node->safe_psql('postgres', q{SELECT directory_pages FROM hashemb_check('wide_idx')});
cmp_ok($blocks, '>', 10000, 'wide: many blocks');
is($splits, 0, 'wide: built, not grown');
$node->safe_psql('postgres', 'INSERT INTO wide SELECT i, grown_code(i), i % 20 FROM generate_series(60001, 80000) i');
sound('wide', 'grown by a third');
cmp_ok($node->safe_psql('postgres', q{SELECT splits FROM hashemb_index_info('wide_idx')}), '>', 100, 'wide: blocks were split');
cmp_ok($node->safe_psql('postgres', q{SELECT directory_pages FROM hashemb_check('wide_idx')}), '>', $directory + 10, 'wide: directory pages were divided');
my ($got, undef, $scored) = measure('wide_idx', 0.95, 10);
$node->safe_psql('postgres', 'REINDEX INDEX wide_idx');
my (undef, undef, $again) = measure('wide_idx', 0.95, 10);
note "wide: recall $got, $scored rows scored, $again when built anew";
cmp_ok($got, '>=', 0.95, 'wide: recall');
cmp_ok($scored, '<=', 1.5 * $again, 'wide: rows scored');
$node->safe_psql('postgres', 'DELETE FROM wide WHERE id % 8 > 0');
$node->safe_psql('postgres', 'VACUUM wide');
sound('wide', 'thinned');
$node->safe_psql('postgres', 'INSERT INTO wide SELECT i, grown_code(i), i % 20 FROM generate_series(80001, 84000) i');
sound('wide', 'filled again');
$node->stop;
done_testing();
