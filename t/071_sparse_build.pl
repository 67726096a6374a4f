# Building an index of sparse vectors with workers: as many as are allowed, with
# little memory, concurrently, and when one is lost.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $rows = $ENV{HASHEMB_SPARSE_ROWS} || 12_000;
my $node = new_node('sparse_build', conf => q{
	max_worker_processes = 4
	max_parallel_workers = 4
	min_parallel_table_scan_size = 0
	shared_buffers = 128MB
	restart_after_crash = on});

install_functions($node);
install_documents($node);
note 'seed b63';
$node->safe_psql('postgres', qq{
	CREATE TABLE docs (id int, v svec(30000), a int);
	INSERT INTO docs SELECT i, CASE WHEN i % 200 <> 7 THEN doc('b63' || i, 60) END, i % 100 FROM generate_series(1, $rows) i;
	DELETE FROM docs WHERE id % 50 = 9;
	VACUUM ANALYZE docs;
	CREATE FUNCTION pause(id int) RETURNS bool LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS \$\$
	BEGIN
		IF id % 100 = 0 THEN
			PERFORM pg_sleep(0.01);
		END IF;
		RETURN true;
	END \$\$;});
my $kept = $node->safe_psql('postgres', 'SELECT count(*) FROM docs');

# Build with so many workers; returns how many there were
sub workers
{
	my ($statement, $workers, $memory) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "SET max_parallel_maintenance_workers = $workers; SET maintenance_work_mem = '$memory';
		SET client_min_messages = debug1; $statement");

	die "$statement: $err" if $code;
	return join ' ', $err =~ /building index "\w+" with (\d+) workers/g;
}

sub whole
{
	my ($name) = @_;

	is($node->safe_psql('postgres', q{SELECT heap_rows, orphan_pages FROM hashemb_check('docs_idx', true)}), "$kept|0", "$name: checked");
	same_rows($node, 'docs_idx', 'docs', q{ARRAY(SELECT format('v <#> %L', doc('b63' || i * 37, 15)) FROM generate_series(1, 5) i)},
		q{'{true,a = 7,id % 10 = 3}'}, "$name: finds what a sequential scan finds");
}

my $create = 'CREATE INDEX docs_idx ON docs USING hashemb (v, a)';
my %pages;

foreach my $case ([0, '128MB', ''], [1, '128MB', '1'], [3, '128MB', '3'], [3, '1MB', ''])
{
	my ($allowed, $memory, $expected) = @$case;
	my $name = "$allowed workers, $memory";

	is(workers($create, $allowed, $memory), $expected, "$name: built");
	whole($name);
	$pages{"$allowed $memory"} = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_check('docs_idx')});
	$node->safe_psql('postgres', 'DROP INDEX docs_idx');
}
# Rows that are alike share bounds: in bad order there would be more of them
cmp_ok($pages{'3 128MB'}, '<', 1.05 * $pages{'0 128MB'}, 'workers put rows in order as one process does')
	or diag("$pages{'3 128MB'} pages, $pages{'0 128MB'}");

is(workers($create =~ s/INDEX/INDEX CONCURRENTLY/r, 2, '128MB'), '2', 'concurrently: built');
whole('concurrently');
is(workers('REINDEX INDEX CONCURRENTLY docs_idx', 2, '128MB'), '2', 'concurrently again: built');
whole('concurrently again');
$node->safe_psql('postgres', 'DROP INDEX docs_idx');

# -- a worker is lost while rows are loaded
my ($out, $err) = ('', '');
my $build = IPC::Run::start(['psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres'), '-c',
		"SET max_parallel_maintenance_workers = 2; SET maintenance_work_mem = '128MB'; $create WHERE pause(id)"], '<', \'', '>', \$out, '2>', \$err);
{
	# A worker that is gone already would be warned of
	local $ENV{PGOPTIONS} = '-c client_min_messages=error';

	ok($node->poll_query_until('postgres', q{SELECT pg_terminate_backend(min(a.pid)) FROM pg_stat_activity a, pg_stat_progress_create_index p
		WHERE a.leader_pid = p.pid AND p.phase ~ 'loading'}), 'a worker is ended');
}
$build->finish;
like($err, qr/^ERROR:  terminating .* due to administrator command/m, 'and so is the build');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'parallel worker'}), 'no worker is left');
is(join(' ', glob($node->data_dir . '/base/pgsql_tmp/*')), '', 'nor a temporary file');
is(workers($create, 2, '128MB'), '2', 'built after all');
whole('after all');

done_testing();
