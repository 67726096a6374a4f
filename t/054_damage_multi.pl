# Damage of an index of lists of tokens, a field at a time: hashemb_check finds
# what a search could notice, and names the place. Codes cannot be told from
# others of centres that there are; rows cannot be missed for that at recall 1,
# since the distances that count are the table's.
#
# Seen to fail: without the comparison of a page's last list with its codes; with TIDs
# that were read from the table without a look at them.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use DamagedIndexes;
use HashembPage;
use Test::More;

my ($node) = make_indexes(10, 12);

# Where the hash, error and end of the first list of some tokens are
sub head_at
{
	my ($c) = @_;

	for (my $page = 0;; $page++)
	{
		my $lists = lists_at($c, $page);
		my $before = 0;

		foreach my $row (0 .. $lists->{count} - 1)
		{
			my $at = $lists->{heads} + 6 * $row;
			my $end = get($c, $at + 4, 2);

			return $at if $end > $before + 1;
			$before = $end;
		}
	}
}

# The arrays of a page whose lists have one length, of tokens
sub alike_at
{
	my ($c) = @_;

	for (my $page = 0;; $page++)
	{
		my $lists = lists_at($c, $page);

		return $lists if get($c, $lists->{length_at}, 2) > 0;
	}
}

check_aims(
	[ 'codebooks that are a page of lists', 10,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, int(lists_at($c)->{count_at} / PAGE)) },
		qr/page of kind 24 where kind 8 was expected/ ],
	[ 'codebooks that begin with their second page', 10,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, int(model_at($c, 1) / PAGE)) },
		qr/model page of another model|codebooks of other tokens/ ],
	[ 'codebooks that end too early', 12,
		sub { my $c = shift; put($c, model_at($c, 0) - CONTENTS + SPECIAL + $special{next}, 4, 0xFFFFFFFF) },
		qr/model page that is not where its model ends/ ],
	[ 'codebooks of other dimensions', 10,
		sub { my $c = shift; unseal($c); add($c, model_at($c, 0) + 8, 4, 1) },
		qr/codebooks of other tokens/ ],
	[ 'a spread that is no number', 12,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 12, 4, 0x7FC00000) },
		qr/codebooks of other tokens/ ],
	[ 'a codebook of no centre', 10,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 16, 4, 0) },
		qr/codebooks of other tokens/ ],
	[ 'a codebook of more groups than centres', 12,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 28, 4, 2049) },
		qr/codebooks of other tokens/ ],
	[ 'a centre without a length', 10,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 8 + 32, 4, 0x7F800000) },
		qr/codebooks with a number out of range/ ],
	[ 'a group that ends before it begins', 12,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 8 + 32 + 4 * get($c, model_at($c, 0) + 16, 4), 2, 0xFFFF) },
		qr/codebooks with a number out of range/ ],
	[ 'a centre that is another', 10,
		sub { my $c = shift; put($c, model_at($c, 1) + 400, 1, 7 + get($c, model_at($c, 1) + 400, 1) & 255) },
		qr/model page whose checksum is wrong/ ],
	[ 'a page without room', 10,
		sub { my $c = shift; put($c, lists_at($c)->{count_at} + 2, 2, 0) },
		qr/page of lists with more room than a page has/ ],
	[ 'a page with more room than there is', 12,
		sub { my $c = shift; put($c, lists_at($c)->{count_at} + 2, 2, 0xFFFF) },
		qr/page of lists with more room than a page has/ ],
	[ 'more codes than fit', 12,
		sub { my $c = shift; put($c, lists_at($c)->{used_at}, 2, 0xFFFF) },
		qr/page of lists with more room than a page has/ ],
	[ 'more rows than fit', 10,
		sub { my $c = shift; my $at = lists_at($c); put($c, $at->{count_at}, 2, $at->{capacity} + 1) },
		qr/page of lists with more rows than fit/ ],
	[ 'a row that is left out', 10,
		sub { my $c = shift; add($c, lists_at($c)->{count_at}, 2, -1) },
		qr/page of lists with codes of no row/ ],
	[ 'a list that ends before it begins', 12,
		sub { my $c = shift; my $at = lists_at($c); put($c, $at->{heads} + 6 * ($at->{count} - 1) + 4, 2, 0) },
		qr/page of lists of which one ends before it begins|a list of another length/ ],
	[ 'lists of another length', 10,
		sub { my $c = shift; put($c, lists_at($c)->{length_at}, 2, 1700) },
		qr/page of lists with codes of no row/ ],
	[ 'a list of another length', 12,
		sub { my $c = shift; add($c, alike_at($c)->{heads} + 4, 2, -1) },
		qr/a list of another length than its page has/ ],
	[ 'a code of no centre', 12,
		sub { my $c = shift; put($c, lists_at($c)->{codes}, 4, 0x1FFFFFFF) },
		qr/a code of no centre/ ],
	[ 'codes of a list that has none', 10,
		sub { my $c = shift; put($c, head_at($c) + 2, 2, 0xFFFF) },
		qr/codes of a list that has none/ ],
	[ 'a list with an error out of range', 12,
		sub { my $c = shift; put($c, head_at($c) + 2, 2, 0xFFFE) },
		qr/a list with an error out of range/ ],
	[ 'codes without codebooks', 12,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, 0) },
		qr/codes without codebooks/ ],
	[ 'the hash of another list', 10,
		sub { my $c = shift; add($c, head_at($c), 2, 1) },
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t10_\d+"/ ],
	[ 'the list of another row', 12,
		sub { my $c = shift; my $at = lists_at($c); substr($$c, $at->{tids}, 6) = substr($$c, $at->{tids} + 6, 6) },
		undef, qr/it has row \(\d+,\d+\) of table "t12_\d+" twice/ ],
	[ 'a code of another centre, which no exact search relies on', 10,
		sub { my $c = shift; my $at = lists_at($c)->{codes}; put($c, $at, 4, get($c, $at, 4) & ~0x7FF) },
		undef, undef, 0 ]);

# Whatever reads the table's lists looks at TIDs first: here the rows drawn as queries
restore();
my $index = an_index(12, {});
my $content = read_file($index);
put(\$content, lists_at(\$content)->{tids}, 4, 0x00050002);
write_file($index, $content);
$node->start;
my ($code, $out, $err) = $node->psql('postgres', "SELECT * FROM hashemb_measure_recall('$index->{name}_i', 1, 100000)");
like($err, qr/index "t12_\d+_i" is corrupted: it refers to row \(131077,\d+\)/, 'a row drawn as a query that the table cannot have');
$node->stop('immediate');
no_crash();
