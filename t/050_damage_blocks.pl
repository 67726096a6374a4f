# Damage of an index of codes, a field at a time: hashemb_check finds what a
# search could notice, and names the place. Damage of sparse vectors' indexes is
# t/051_damage_sparse.pl, that of any place t/052_damage_statements.pl.
#
# Seen to fail: without the comparison of chains with their entries in
# blocks/check/rows.c.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use DamagedIndexes;
use HashembPage;
use Test::More;

my ($node) = make_indexes(0 .. 5);

check_aims(
	[ 'an owner never given out', 0,
		sub { my $c = shift; put($c, entry_at(2, 'owner'), 8, 1 << 40) },
		qr/at block 1: entry 2: owner 1099511627776 was not given out/ ],
	[ 'the owner of another block', 0,
		sub {
			my $c = shift;
			put($c, entry_at(2, 'owner'), 8, entry_of($c, 3, 'owner'));
		},
		qr/page of owner 3 in the chain of block 4/ ],
	[ 'two entries of one block', 3,
		sub {
			my $c = shift;
			substr($$c, entry_at(2, 'owner'), ENTRY) =
			  substr($$c, entry_at(3, 'owner'), ENTRY);
		},
		qr/page of entry 3 of block 1 in the chain of entry 2/ ],
	[ 'a radius too small', 0,
		sub { my $c = shift; put($c, entry_at(2, 'radius'), 4, 3) },
		qr/row \d+: spread \d+ is beyond the block's radius 3/ ],
	[ 'a least weight too great', 1,
		sub { my $c = shift; put($c, entry_at(2, 'min_weight'), 4, 50) },
		qr/row \d+: weight \d+ is not from 50 to/ ],
	[ 'a greatest weight too small', 2,
		sub { my $c = shift; put($c, entry_at(1, 'max_weight'), 4, 5) },
		qr/row \d+: weight \d+ is not from \d+ to 5 / ],
	[ 'a zone map too narrow', 0,
		sub {
			my $c = shift;
			my $zone = entry_of($c, 2, 'zone');
			my $words = get($c, CONTENTS + $meta{words}, 4);
			put($c, entry_of($c, 2, 'zones') * PAGE + CONTENTS + 8
					+ $zone * (8 + 24 * $words) + 8 + 8, 8, 5);
		},
		qr/row \d+: the block's zone map does not cover it/ ],
	[ 'a zone map without NULLs', 0,
		sub {
			my $c = shift;
			my $size = 8 + 24 * get($c, CONTENTS + $meta{words}, 4);
			for my $e (1 .. 5)
			{
				put($c, entry_of($c, $e, 'zones') * PAGE + CONTENTS + 8
						+ entry_of($c, $e, 'zone') * $size, 4, 0);
			}
		},
		qr/row \d+: the block's zone map does not cover it/ ],
	[ 'a zone map that is not there', 0,
		sub { my $c = shift; put($c, entry_at(2, 'zone'), 2, 60000) },
		qr/zone map 60000 is referred to/ ],
	[ 'a count of rows too great', 0,
		sub {
			my $c = shift;
			put($c, entry_at(2, 'rows'), 4, entry_of($c, 2, 'rows') + 1);
		},
		qr/entry 2 says \d+ rows, but its pages have \d+/ ],
	[ 'a hole that is not where the rows end', 0,
		sub {
			my $c = shift;
			put($c, entry_of($c, 2, 'first') * PAGE + LOWER, 2, 64);
		},
		qr/rows page whose room is not where its rows end/ ],
	[ 'a page that lost a row', 0,
		sub {
			my $c = shift;
			my $first = entry_of($c, 2, 'first');
			put_count($c, $first, rows_at($c, $first)->{count} - 1);
		},
		qr/entry 2 says \d+ rows, but its pages have \d+/ ],
	[ 'a block that lost a row', 0,
		sub {
			my $c = shift;
			my $first = entry_of($c, 2, 'first');
			put_count($c, $first, rows_at($c, $first)->{count} - 1);
			put($c, entry_at(2, 'rows'), 4, entry_of($c, 2, 'rows') - 1);
		},
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t0_\d+"/ ],
	[ 'a block that lost all rows', 5,
		sub {
			my $c = shift;
			my $first = entry_of($c, 1, 'first');
			while ($first != 0xFFFFFFFF)
			{
				put_count($c, $first, 0);
				$first = get($c, $first * PAGE + SPECIAL + $special{next}, 4);
			}
			put($c, entry_at(1, 'rows'), 4, 0);
		},
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t5_\d+"/ ],
	[ 'a row that is there twice', 3,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			substr($$c, $rows->{tids}, 6) = substr($$c, $rows->{tids} + 6, 6);
		},
		undef, qr/it has row \(\d+,\d+\) of table "t3_\d+" twice/ ],
	[ 'an attribute of another row', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			my ($from, $to) = (1, 0);
			$from++ while get($c, $rows->{words} + 8 * $from, 8)
			  == get($c, $rows->{words}, 8)
			  || get($c, $rows->{words} + 8 * $from, 8) == 0;
			put($c, $rows->{words}, 8, get($c, $rows->{words} + 8 * $from, 8));
		},
		undef, qr/no entry that matches row|value where column \d is NULL/ ],
	[ 'a row marked as dead', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			put($c, $rows->{dead}, 8, 2);
		},
		undef, qr/no entry that matches row/ ],
	[ 'a TID of no row', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			put($c, $rows->{tids}, 4, 0xFFFFFFFF);
		},
		qr/row 0: no row of the table can have its TID/ ],
	[ 'a TID beyond the table', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			put($c, $rows->{tids} + 2, 2, 60000);
		},
		qr/row 0: no row of the table can have its TID/ ],
	[ 'bits beyond a code', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			substr($$c, $rows->{payloads} + 7, 1) |= "\x01";
		},
		qr/row 0: a code with bits beyond its last dimension/ ],
	[ 'padding of a code', 3,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			substr($$c, $rows->{payloads} + 15, 1) = "\x10";
		},
		qr/row 0: a code that is not padded with zeros/ ],
	[ 'a sum of levels', 2,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 1, 'first'));
			put($c, $rows->{payloads} + $rows->{payload} - 8, 4, 1);
		},
		qr/row 0: a code whose sums of levels are wrong/ ],
	[ 'a vector among rows without', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 0, 'first'));
			put($c, $rows->{payloads}, 4, 77);
		},
		qr/row 0: a vector among the rows without/ ],
	[ 'a chain in a circle', 4,
		sub {
			my $c = shift;
			my $first = entry_of($c, 1, 'first');
			my $second = get($c, $first * PAGE + SPECIAL + $special{next}, 4);
			put($c, $second * PAGE + SPECIAL + $special{next}, 4, $first);
		},
		qr/a chain of pages runs in a circle/ ],
	[ 'a chain cut off', 4,
		sub {
			my $c = shift;
			put($c, entry_of($c, 1, 'first') * PAGE + SPECIAL
					+ $special{next}, 4, 0xFFFFFFFF);
		},
		qr/entry 1 (appends to block \d+, which is not|says \d+ (rows|pages))/ ],
	[ 'a page to append to that is another block\'s', 0,
		sub {
			my $c = shift;
			put($c, entry_at(2, 'append'), 4, entry_of($c, 3, 'append'));
		},
		qr/entry 2 appends to block \d+, which is not in its chain/ ],
	[ 'no first page', 0,
		sub { my $c = shift; put($c, entry_at(2, 'first'), 4, 0xFFFFFFFF) },
		qr/entry 2: a first page and one to append to go together/ ],
	[ 'no zone page', 0,
		sub { my $c = shift; put($c, entry_at(2, 'zones'), 4, 0xFFFFFFFF) },
		qr/the number of a page is missing/ ],
	[ 'unknown flags', 0,
		sub { my $c = shift; put($c, entry_at(2, 'flags'), 1, 0x40) },
		qr/entry 2: unknown flags 40/ ],
	[ 'a second block of NULLs', 0,
		sub { my $c = shift; put($c, entry_at(2, 'flags'), 1, 1) },
		qr/entry 2: rows without a vector belong to the first entry/ ],
	[ 'the first page beyond the end', 0,
		sub { my $c = shift; put($c, entry_at(2, 'first'), 4, 5000) },
		qr/"t0_\d+_i" is corrupted at block 5000: .* the index has \d+ blocks/ ],
	[ 'pages of two blocks changed round', 0,
		sub {
			my $c = shift;
			my ($a, $b) = map { entry_of($c, $_, 'first') * PAGE } 2, 3;
			(substr($$c, $a, PAGE), substr($$c, $b, PAGE)) =
			  (substr($$c, $b, PAGE), substr($$c, $a, PAGE));
		},
		qr/page of owner 4 in the chain of block 3/ ],
	[ 'a directory in a circle', 0,
		sub { my $c = shift; put($c, PAGE + SPECIAL + $special{next}, 4, 1) },
		qr/chain of (directory )?pages runs in a circle/ ],
	[ 'the wrong last directory page', 0,
		sub {
			my $c = shift;
			put($c, CONTENTS + $meta{directory_end}, 4, 9);
		},
		undef, qr/the last directory page is 1, not 9/ ],
	[ 'a table of expected misses that is no number', 0,
		sub {
			my $c = shift;
			my $table = get($c, CONTENTS + $meta{table}, 4);
			substr($$c, $table * PAGE + CONTENTS + 8, 8) = pack('d', 'nan');
		},
		qr/table of expected misses with impossible numbers/ ],
	[ 'a table of expected misses lost', 0,
		sub { my $c = shift; put($c, CONTENTS + $meta{table}, 4, 0xFFFFFFFF) },
		qr/a calibration and its table go together/ ],
	[ 'a page of nobody', 0,
		sub { my $c = shift; put($c, PAGE + SPECIAL + 22, 2, 0) },
		qr/at block 1: not a sound hashemb page/ ],
	[ 'a directory page of another index', 0,
		sub { my $c = shift; add($c, PAGE + CONTENTS + 2, 2, 1) },
		qr/at block 1: directory page of another shape/ ],
	[ 'entries beyond the page', 0,
		sub { my $c = shift; put($c, PAGE + CONTENTS, 2, 60000) },
		qr/at block 1: directory page with more entries than fit/ ],
	[ 'a zone page of another index', 0,
		sub {
			my $c = shift;
			add($c, entry_of($c, 2, 'zones') * PAGE + CONTENTS + 2, 2, 1);
		},
		qr/zone page of another shape/ ],
	[ 'zone maps beyond the page', 0,
		sub {
			my $c = shift;
			put($c, entry_of($c, 2, 'zones') * PAGE + CONTENTS, 2, 60000);
		},
		qr/zone page with more zone maps than fit/ ],
	[ 'a rows page of another index', 0,
		sub {
			my $c = shift;
			add($c, entry_of($c, 2, 'first') * PAGE + CONTENTS + 2, 2, 1);
		},
		qr/rows page of another shape/ ],
	[ 'rows beyond the page', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			put($c, $rows->{count_at}, 2, $rows->{capacity} + 1);
		},
		qr/rows page with more rows than fit/ ],
	[ 'a free entry with a block', 0,
		sub { my $c = shift; put($c, entry_at(2, 'flags'), 1, 2) },
		qr/entry 2: a free entry that has a block/ ],
	[ 'rows without pages', 0,
		sub {
			my $c = shift;
			put($c, entry_at(2, $_), 4, 0xFFFFFFFF) foreach 'first', 'append';
		},
		qr/entry 2: rows, but no page/ ],
	[ 'the zone page of another directory page', 0,
		sub {
			my $c = shift;
			my $zones = entry_of($c, 2, 'zones');
			put($c, $zones * PAGE + SPECIAL + $special{parent}, 4, 7);
		},
		qr/zone page of block 7/ ],
	[ 'a directory without the block of NULLs', 0,
		sub { my $c = shift; put($c, entry_at(0, 'flags'), 1, 0) },
		qr/(no entry for|entry 0:) rows without a vector/ ],
	[ 'a word of a NULL', 0,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			put($c, $rows->{nulls}, 1, get($c, $rows->{nulls}, 1) | 1);
		},
		qr/row 0: a value where column \d is NULL/ ],
	[ 'another number of words', 0,
		sub { my $c = shift; add($c, CONTENTS + $meta{words}, 4, 1) },
		qr/its columns are not those of the index's definition/ ],
	[ 'a directory that is nowhere', 0,
		sub {
			my $c = shift;
			put($c, CONTENTS + $meta{directory}, 4, 0xFFFFFFFF);
		},
		qr/it names no directory page/ ],
	[ 'groups of a column that is not there', 0,
		sub { my $c = shift; put($c, CONTENTS + $meta{group}, 4, 77) },
		qr/it groups by no column of the index/ ],
	[ 'an upper level that is a page of rows', 0,
		sub {
			my $c = shift;
			put($c, CONTENTS + $meta{upper}, 4, entry_of($c, 2, 'first'));
		},
		qr/page of kind \d+ where kind \d+ was expected/ ],
	[ 'a page of zeros at the end', 0,
		sub { my $c = shift; $$c .= "\0" x PAGE },
		undef, undef, 1 ]);

# A directory without a block: a row that finds none is not tried for ever
restore();
{
	my $index = an_index(0);
	my $content = read_file($index);

	put(\$content, entry_at($_, 'flags'), 1, 2)
	  foreach 1 .. get(\$content, PAGE + CONTENTS, 2) - 1;
	write_file($index, $content);
	$node->start;
	my ($code, $out, $err) = $node->psql('postgres',
		"SET statement_timeout = '20s'; "
		  . "INSERT INTO $index->{name} SELECT * FROM base WHERE id = 5");
	like($err, qr/is corrupted .*: the directory has no block to insert into/,
		'no block to insert into');
	$node->stop('immediate');
}

no_crash();
