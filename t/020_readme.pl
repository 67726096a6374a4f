# Every SQL statement of README.md runs, in order, in one session, and gives
# the output that is shown: a block of SQL may be followed by a plain block.
use strict;
use warnings;
use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file(dirname(__FILE__) . '/../README.md');
my $node = PostgreSQL::Test::Cluster->new('readme');
my (@blocks, $script, $output);

while ($text =~ /^```sql\n(.*?)^```\n(?:```\n(.*?)^```\n)?/gms)
{
	push @blocks, { sql => $1, shown => $2 };
	$script .= "\\echo -- block $#blocks\n$1";
}
cmp_ok(scalar @blocks, '>', 10, 'README.md has blocks of SQL');

# Text without what does not matter: trailing blanks, psql's count of rows
sub plain
{
	my ($table) = @_;

	$table =~ s/[ \t]+$//gm;
	$table =~ s/^\(\d+ rows?\)$//gm;
	$table =~ s/^psql:<stdin>:\d+: //gm;
	$table =~ s/\n+$//;
	return $table;
}

$node->init;
$node->start;
IPC::Run::run(
	[ 'psql', '-X', '-q', '-d', $node->connstr('postgres') ],
	'<', \$script, '>&', \$output);
$output = "\n$output";
my @results = split(/^-- block \d+\n/m, $output);
shift @results;

foreach my $block (@blocks)
{
	my $result = shift(@results) // 'ERROR: was not run';
	my ($first) = $block->{sql} =~ /^(.{1,60})/;

	unlike($result, qr/(ERROR|FATAL|WARNING):/, "runs: $first");
	is(plain($result), plain($block->{shown}), "shows: $first")
		if defined $block->{shown};
}

$node->stop;
done_testing();
