# Damage of an index of sparse vectors, a field at a time: hashemb_check finds
# what a search could notice, and names the place.
#
# Seen to fail: without the comparison of a dimension's greatest weight.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use DamagedIndexes;
use HashembPage;
use Test::More;

make_indexes(6, 7);

check_aims(
	# Sparse vectors, built
	[ 'a window whose owner was never given out', 6,
		sub { my $c = shift; put($c, window_at('owner'), 8, 1 << 40) },
		qr/a window whose owner is another's, or nobody's/ ],
	[ 'the owner of pending rows', 6,
		sub {
			my $c = shift;
			put($c, window_at('owner'), 8, get($c, PAGE + CONTENTS + 8, 8));
		},
		qr/a window whose owner is another's, or nobody's/ ],
	[ 'a window of too many rows', 6,
		sub { my $c = shift; add($c, window_at('rows'), 4, 1) },
		qr/page of a window with another number of rows|lacks pages of rows/ ],
	[ 'a window with a row not removed', 6,
		sub { my $c = shift; add($c, window_at('dead'), 4, 1) },
		undef, qr/a window has 0 removed rows, but tells of 1/ ],
	[ 'a window of other postings', 6,
		sub { my $c = shift; add($c, window_at('postings'), 8, 1) },
		qr/other dimensions or postings than it tells/ ],
	[ 'a window of many more dimensions', 6,
		sub { my $c = shift; add($c, window_at('dims'), 4, 1000) },
		qr/other pages of dimensions than it tells/ ],
	[ 'a window of no dimensions', 6,
		sub { my $c = shift; put($c, window_at('dims'), 4, 0) },
		qr/other pages of dimensions than it tells/ ],
	[ 'a window of fewer pages', 6,
		sub { my $c = shift; add($c, window_at('pages'), 4, -1) },
		qr/another number of pages than it tells/ ],
	[ 'a window without a map', 6,
		sub { my $c = shift; put($c, window_at('map'), 4, 2) },
		qr/at block 2: not the page of a window that it is/ ],
	[ 'a least length too great', 6,
		sub {
			my $c = shift;
			substr($$c, window_at('min_norm'), 8) = pack('d', 1e30);
		},
		qr/row \d+: it is shorter than its window says/ ],
	[ 'a map that names a page of another kind', 6,
		sub {
			my $c = shift;
			my $map = contents_of($c, 'map');
			my $nwords = get($c, CONTENTS + $meta{words}, 4);
			put($c, $map + 8 + 8 + 24 * $nwords, 4, int($map / PAGE));
		},
		qr/not the page of a window that it is/ ],
	[ 'a map in a circle', 6,
		sub {
			my $c = shift;
			my $map = get($c, window_at('map'), 4);
			put($c, $map * PAGE + SPECIAL + $special{next}, 4, $map);
		},
		qr/chain of pages runs in a circle|map is out of order/ ],
	[ 'a zone map of a window too narrow', 6,
		sub {
			my $c = shift;
			put($c, contents_of($c, 'map') + 8 + 8 + 8, 8, 5);
		},
		qr/row \d+: the block's zone map does not cover it/ ],
	[ 'a removed row that nobody counted', 6,
		sub {
			my $c = shift;
			substr($$c, contents_of($c, 'rows') + 8, 8) = pack('d', -2);
		},
		undef, qr/a window has 1 removed rows, but tells of 0/ ],
	[ 'another length of a row', 6,
		sub {
			my $c = shift;
			substr($$c, contents_of($c, 'rows') + 8, 8) = pack('d', 1e9);
		},
		qr/row 0: its postings do not add up to its length/ ],
	[ 'a fence elsewhere', 6,
		sub { my $c = shift; add($c, contents_of($c, 'fences'), 4, 1) },
		qr/fence 0 leads to dimension 1, not 2/ ],
	[ 'dimensions out of order', 6,
		sub { my $c = shift; put($c, contents_of($c, 'dims') + 16, 4, 0) },
		qr/dimensions that are out of order/ ],
	[ 'a list of no postings', 6,
		sub { my $c = shift; put($c, contents_of($c, 'dims') + 10, 2, 0) },
		qr/dimension 1: a dimension with impossible numbers/ ],
	[ 'another greatest weight', 6,
		sub {
			my $c = shift;
			substr($$c, contents_of($c, 'dims') + 12, 4) = pack('f', 7);
		},
		qr/dimension 1: a greatest weight that is not its postings'/ ],
	[ 'a bound too low', 6,
		sub { my $c = shift; put($c, contents_of($c, 'postings') + 4, 2, 0) },
		qr/dimension 1: a weight beyond its block's bound/ ],
	[ 'a bound of another block', 6,
		sub { my $c = shift; put($c, contents_of($c, 'postings'), 2, 1) },
		qr/dimension 1: bounds of blocks that are not its postings'/ ],
	[ 'a posting of another row', 6,
		sub {
			my $c = shift;
			my $bounds = get($c, contents_of($c, 'dims') + 8, 2);
			put($c, contents_of($c, 'postings') + 6 * ($bounds + 1), 2, 0);
		},
		qr/dimension 1: postings that are out of order/ ],
	[ 'a posting of no row', 6,
		sub {
			my $c = shift;
			my $bounds = get($c, contents_of($c, 'dims') + 8, 2);
			put($c, contents_of($c, 'postings') + 6 * $bounds, 2, 60000);
		},
		qr/dimension 1: postings that are out of order/ ],
	[ 'a weight that is no number', 6,
		sub {
			my $c = shift;
			my $bounds = get($c, contents_of($c, 'dims') + 8, 2);
			put($c, contents_of($c, 'postings') + 6 * $bounds + 4, 2, 0x7FC0);
		},
		qr/dimension 1: a weight that no vector can have/ ],
	[ 'a weight of zero', 6,
		sub {
			my $c = shift;
			my $bounds = get($c, contents_of($c, 'dims') + 8, 2);
			put($c, contents_of($c, 'postings') + 6 * $bounds + 2, 4, 0);
		},
		qr/dimension 1: a weight that no vector can have/ ],
	# Sparse vectors, some of them pending
	[ 'a pending row of no size', 7,
		sub { my $c = shift; put($c, contents_of($c, 'pending') + 8, 4, 0) },
		qr/a pending row of impossible size/ ],
	[ 'a pending row of too many weights', 7,
		sub { my $c = shift; put($c, contents_of($c, 'pending') + 12, 4, 90000) },
		qr/a pending row of impossible size/ ],
	[ 'a pending page that is too full', 7,
		sub { my $c = shift; put($c, contents_of($c, 'pending'), 4, 9000) },
		qr/pending page with impossible numbers/ ],
	[ 'a pending page that continues nothing', 7,
		sub { my $c = shift; put($c, contents_of($c, 'pending') + 4, 4, 64) },
		qr/a part of a pending row that has no rest/ ],
	[ 'pending rows in a circle', 7,
		sub {
			my $c = shift;
			my $page = int(contents_of($c, 'pending') / PAGE);
			put($c, $page * PAGE + SPECIAL + $special{next}, 4, $page);
		},
		qr/chain of pages runs in a circle/ ],
	[ 'a number of pending rows', 7,
		sub { my $c = shift; add($c, PAGE + CONTENTS + 8 + 16, 4, 1) },
		undef, qr/\d+ pending rows where \d+ were told of/ ],
	[ 'a pending row of another length', 7,
		sub {
			my $c = shift;
			substr($$c, contents_of($c, 'pending') + 8 + 8, 8) = pack('d', 3);
		},
		qr/a pending row of another length than it tells/ ]);

no_crash();
