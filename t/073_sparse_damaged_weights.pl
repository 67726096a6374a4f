# Weights and lengths that a flipped bit has made infinite or no number: a search ends,
# with rows or with an error.
#
# Seen to fail: a search for more blocks than are wanted at first, with a sum that is
# infinite among those of the others (the server crashed); one for more rows than there
# are with a length, by L2 distance (it went on for ever).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembPage;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('weights', no_data_checksums => 1);

# Weights of 1, which one bit makes infinite
$node->safe_psql('postgres', q{
	CREATE TABLE t AS SELECT g AS id, g % 3 AS a, svec(ARRAY[1 + g % 7, 10 + g % 31, 50 + g % 3], ARRAY[1, 1, 1]::real[], 60)::svec(60) AS v
		FROM generate_series(1, 20000) g;
	CREATE INDEX t_v ON t USING hashemb (v, a);
	CREATE INDEX t_c ON t USING hashemb (v svec_cosine_ops, a);
	CREATE INDEX t_l ON t USING hashemb (v svec_l2_ops, a);
	CHECKPOINT;});

# Change every nth posting of weight 1 to another weight; how many were changed
sub damage_weights
{
	my ($content, $every, $weight) = @_;
	my $changed = 0;

	for (my $page = 1; $page < length($$content) / PAGE; $page++)
	{
		next if get($content, $page * PAGE + SPECIAL + 18, 2) != $kind{postings};
		for (my $unit = 0; $unit < int((SPECIAL - CONTENTS) / 6); $unit++)
		{
			my $at = $page * PAGE + CONTENTS + 6 * $unit + 2;

			next if get($content, $at, 2) != 0 || get($content, $at + 2, 2) != 0x3F80;
			put($content, $at + 2, 2, $weight) if $changed++ % $every == 0;
		}
	}
	return $changed;
}

# Change every nth squared length of a row, which is 3; how many were changed
sub damage_lengths
{
	my ($content, $every, $length) = @_;
	my $changed = 0;

	for (my $page = 1; $page < length($$content) / PAGE; $page++)
	{
		next if get($content, $page * PAGE + SPECIAL + 18, 2) != $kind{rows};
		for (my $at = $page * PAGE + CONTENTS; $at < $page * PAGE + SPECIAL; $at += 8)
		{
			next if substr($$content, $at, 8) ne pack('d', 3);
			substr($$content, $at, 8) = pack('d', $length) if $changed++ % $every == 0;
		}
	}
	return $changed;
}

my %op = (t_v => '<#>', t_c => '<=>', t_l => '<->');
my (%file, %sound);
for my $index (keys %op)
{
	$file{$index} = $node->data_dir . '/'
	  . $node->safe_psql('postgres', "SELECT pg_relation_filepath('$index')");
	$sound{$index} = slurp_file($file{$index});
}

# Give all indexes numbers of one kind in the place of one of so many
sub damage_all
{
	my ($damage, $every, $number) = @_;

	$node->stop;
	for my $index (sort keys %op)
	{
		my $content = $sound{$index};

		ok($damage->(\$content, $every, $number) > $every, "$index has such numbers");
		open(my $handle, '>:raw', $file{$index}) or die "$file{$index}: $!";
		print $handle $content;
		close($handle);
	}
	$node->start;
}

# Searches of an index end with rows, or with an error that tells of damage.
sub search
{
	my ($index, $name) = @_;

	for my $where ('true', 'a = 1')
	{
		for my $k (1, 10, 300)
		{
			my ($code, $out, $err) = $node->psql('postgres', qq{
				SET statement_timeout = '${PostgreSQL::Test::Utils::timeout_default}s';
				SET enable_seqscan = off;
				SET enable_sort = off;
				SELECT id FROM t WHERE $where ORDER BY v $op{$index} '{1:1,10:2,50:0.5}/60' LIMIT $k;},
				extra_params => [ '-v', 'ON_ERROR_STOP=1' ]);

			ok($code == 0 || ($code == 3 && $err =~ /corrupted/),
				"$index, $name, $where, $k rows: $code $err");
		}
	}
}

my %weights = (infinite => 0x7F80, 'less than all numbers' => 0xFF80, 'no number' => 0x7FC0);
for my $name (sort keys %weights)
{
	for my $every (1, 50)
	{
		damage_all(\&damage_weights, $every, $weights{$name});
		search($_, "one weight of $every is $name") for sort keys %op;
	}
}
my %lengths = (infinite => 9**9**9, 'no number' => -sin(9**9**9));
for my $name (sort keys %lengths)
{
	for my $every (1, 2)
	{
		damage_all(\&damage_lengths, $every, $lengths{$name});
		search($_, "one length of $every is $name") for sort keys %op;
	}
}
is($node->safe_psql('postgres', 'SELECT 1'), 1, 'the server goes on');
$node->stop;
done_testing();
