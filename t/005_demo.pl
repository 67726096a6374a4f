# The demonstration on WordNet, where its files are: every statement that it
# shows can be pasted, unknown words are errors, what a query looks for is made
# before its time is taken, and a second index gives the same answers.
use strict;
use warnings;
use File::Basename;
use File::Spec;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $demo = File::Spec->rel2abs(dirname(__FILE__) . '/../demo');
my $wordnet = $ENV{WORDNET} // '/usr/share/wordnet';
plan skip_all => "no WordNet in $wordnet" if !-r "$wordnet/data.noun";

my $node = PostgreSQL::Test::Cluster->new('demo');
my ($conf) = slurp_file("$demo/run.sh") =~ /<<-CONF\n(.*?)^CONF$/ms
  or die 'run.sh has no settings';
$node->init;
# The settings of the demonstration that decide what is found
$node->append_conf('postgresql.conf', $_)
  foreach grep { /work_mem|max_parallel_workers|synchronize/ } split /\n\t?/, $conf;
$node->start;

# psql as the demonstration calls it: whether it succeeds, and what it prints
sub psql
{
	my ($input, @arguments) = @_;
	my $output = '';
	my $ok = IPC::Run::run(
		[ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d',
			$node->connstr('postgres'), @arguments ],
		'<', \$input, '>&', \$output);
	return ($ok, $output);
}

sub part
{
	my ($name, @arguments) = @_;
	my ($ok, $output) = psql('', '-A', '-t', '-f', "$demo/$name.sql", @arguments);

	ok($ok, "$name.sql runs") or diag($output);
	return $output;
}

my $perl = "$^X '$demo/wordnet.pl' '$wordnet'";
part('load', '-v', "synset_command=$perl synset", '-v',
	"parent_command=$perl parent");
my %shown = map { $_ => part($_) } qw(index questions sparse both learn);

# Statements stand four blanks to the right
foreach my $name (sort keys %shown)
{
	my @statements = $shown{$name} =~ /^\n(    [A-Z].*\n(?:    .*\n)*)$/gm;

	cmp_ok(scalar @statements, '>', 0, "$name shows statements");
	foreach my $statement (@statements)
	{
		my ($first) = $statement =~ /^ *(.{1,60})/;
		my ($ok, $output) = psql($statement);

		ok($ok, "$name: can be pasted: $first") or diag($output);
		like($output, $first =~ /^(CREATE)/ ? qr/already exists/ : qr/\([1-9]\d* rows?\)/,
			"$name: has a result: $first");
	}
}

# Most of the nearest rows are found
my ($good, $wanted, $questions) = (0, 0, 0);
while ($shown{questions} =~ /(\d+) of the (\d+) nearest found/g)
{
	$good += $1;
	$wanted += $2;
	$questions++;
}
cmp_ok($questions, '>=', 9, 'questions tell how many rows they found');
cmp_ok($good / $wanted, '>=', 0.9, 'and found most');

# The end says that codes which are learnt do with less
my %same_kind = $shown{learn} =~ /^  (\w+ codes of \d+ bytes) +([\d.]+)$/gm;
cmp_ok($same_kind{'learnt codes of 8 bytes'}, '>=',
	$same_kind{'random codes of 64 bytes'}, 'eight learnt bytes win');
cmp_ok($same_kind{'random codes of 64 bytes'}, '>',
	$same_kind{'random codes of 8 bytes'}, 'eight random bytes lose');

# What is not in the dictionary has no nearest rows
foreach my $asked (
	[ "code <~> (SELECT code_of('lemonaid'))", 'word "lemonaid"' ],
	[ "code <~> (SELECT code_of('lemonade', 'verb'))", 'verb "lemonade"' ],
	[ "vector <=> (SELECT vector_of('lemonaid'))", 'word "lemonaid"' ],
	[ "code <~> (SELECT code_of_text('xyzzyq'))", 'word of "xyzzyq"' ])
{
	my ($order, $what) = @$asked;
	my ($ok, $output) = psql("SELECT words FROM entry ORDER BY $order LIMIT 3");

	ok(!$ok, "$order is an error");
	like($output, qr/ERROR:  the dictionary has no \Q$what\E/,
		"$order says what is missing");
}

# A query's time has no part in it that makes what it looks for
my $made = $node->safe_psql('postgres', <<'SQL');
SELECT made('SELECT id FROM entry ORDER BY code <~> (SELECT code_of(''lemonade'')),
	vector <=> (SELECT vector_of_text(''a sour drink'')), code <~> (SELECT code_of(''swim'', ''verb''))')
SQL
unlike($made, qr/_of/, 'codes and vectors are made first');
like($made, qr/<~> '[01]{512}'::bincode,\s+vector <=> '\{.*\}\/100000'::svec,/,
	'they stand in the query as values');

# Answers are the same after another build of the index
my $answers = <<'SQL';
SELECT string_agg(rows::text, ' ') FROM (VALUES ('noun', 'bicycle'), ('verb', 'swim'),
	('noun', 'lemonade'), ('verb', 'whisper')) q(p, w), LATERAL (SELECT array_agg(id) AS rows
	FROM (SELECT id FROM entry WHERE pos = p ORDER BY code <~> code_of(w, p) LIMIT 8) n) a
SQL
my $before = $node->safe_psql('postgres', $answers);
$node->safe_psql('postgres', 'REINDEX INDEX entry_code');
is($node->safe_psql('postgres', $answers), $before, 'another build, the same answers');

$node->stop;
done_testing();
