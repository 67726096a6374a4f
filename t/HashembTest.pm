package HashembTest;

# What several tests need: codes in clusters, documents, and comparing searches
# through an index with sequential scans.
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node wait_until_up install_functions install_documents same_rows);

# A server with the extension. Options: allows_streaming, conf, and
# no_data_checksums for tests that damage pages (PostgreSQL 18 has checksums).
# older: the server of HASHEMB_OLD_SERVER, if that is set.
sub new_node
{
	my ($name, %options) = @_;
	my $path = $options{older} && $ENV{HASHEMB_OLD_SERVER};
	my $node = PostgreSQL::Test::Cluster->new($name, $path ? (install_path => $path) : ());

	$node->init(allows_streaming => $options{allows_streaming} || 0,
		$options{no_data_checksums} ? (no_data_checksums => 1) : ());
	# PostgreSQL 18's module sets what no older server knows
	$node->adjust_conf('postgresql.conf', 'autovacuum_worker_slots', undef) if $path;
	# A standby must find the WAL of a primary that crashed meanwhile
	$node->append_conf('postgresql.conf', 'wal_keep_size = 4GB') if $options{allows_streaming};
	$node->append_conf('postgresql.conf', $options{conf} || '');
	$node->append_conf('postgresql.conf', "jit = off\nautovacuum = off");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION hashemb');
	return $node;
}

# Wait until a server that crashed answers again. poll_query_until() gives psql its
# query as input, and dies if psql has gone before it reads that.
sub wait_until_up
{
	my ($node) = @_;
	my @ask = ('psql', '-XAt', '-d', $node->connstr('postgres'), '-c', 'SELECT 1');

	foreach (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return if IPC::Run::run(\@ask, '<', \undef, '>', \my $out, '2>', \my $err);
		select(undef, undef, undef, 0.1);
	}
	die 'the server does not come back';
}

# Make the functions of sql/include/same.sql, and of other files there, for good
sub install_functions
{
	my ($node, @others) = @_;

	foreach my $name ('same', @others)
	{
		my $functions = slurp_file("$FindBin::RealBin/../sql/include/$name.sql");

		$functions =~ s/pg_temp\.//g;
		$node->safe_psql('postgres', $functions);
	}
}

# Make doc(salt, terms): a document has terms of its two topics and of the whole
# vocabulary, with frequent terms in front (Zipf): term number 30000 ^ random
sub install_documents
{
	my ($node) = @_;

	$node->safe_psql('postgres', q{
	CREATE FUNCTION draw(salt text) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$SELECT (hashtext(salt)::int8 + 2147483648) / 4294967296.0$$;
	CREATE FUNCTION topic_of(salt text) RETURNS int LANGUAGE sql IMMUTABLE AS $$SELECT (draw(salt || 'topic') * 300)::int$$;
	CREATE FUNCTION doc(salt text, terms int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$
		SELECT svec(array_agg(d), array_agg(w), 30000) FROM (SELECT d, max(w) AS w FROM
			(SELECT CASE WHEN u < 0.6 THEN (hashtext('t1' || topic || 'x' || floor(40 ^ v)) & 16383) + 1 ELSE floor(30000 ^ v)::int END AS d,
				(exp(w - 0.5) * CASE WHEN u < 0.6 THEN 1.5 ELSE 0.5 END)::float4::float8 AS w
				FROM (SELECT draw(salt || 'u' || j) AS u, draw(salt || 'v' || j) AS v, draw(salt || 'w' || j) AS w,
						topic_of(salt) + j % 5 / 4 AS topic FROM generate_series(1, terms) j) x) y GROUP BY d) z $$;});
}

# Do searches at recall 1 equal sequential scans? Distances and conditions are
# SQL; the search must find rows, or the test tests nothing.
sub same_rows
{
	my ($node, $index, $table, $distances, $conditions, $name) = @_;
	my $result = $node->safe_psql('postgres', "
		SET hashemb.recall = 1;
		SELECT matches > 0, different, example FROM differences('$index', '$table', $distances, $conditions)");

	is($result, 't|0|', $name);
}

1;
