package HashembTest;

# What several tests need: codes in clusters, and comparing searches through an
# index with sequential scans.
use strict;
use warnings;
use Exporter 'import';
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(new_node install_functions same_rows);

# A server with the extension. Options: allows_streaming, conf.
sub new_node
{
	my ($name, %options) = @_;
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(allows_streaming => $options{allows_streaming} || 0);
	$node->append_conf('postgresql.conf', $options{conf} || '');
	$node->append_conf('postgresql.conf', "jit = off\nautovacuum = off");
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION hashemb');
	return $node;
}

# Make the functions of sql/include/same.sql, for good
sub install_functions
{
	my ($node) = @_;
	my $functions = slurp_file("$FindBin::RealBin/../sql/include/same.sql");

	$functions =~ s/pg_temp\.//g;
	$node->safe_psql('postgres', $functions);
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
