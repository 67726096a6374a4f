# Damage of an index of dense vectors, a field at a time: hashemb_check finds
# what a search could notice, and names the place. A model has checksums; sketches
# are compared with those of the table's vectors, by the full check.
#
# Seen to fail: without the check that a model's last page is where it ends; without
# checksums; with rows known by the hash of their vector alone.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use DamagedIndexes;
use HashembPage;
use Test::More;

make_indexes(8, 9);

# Where the payload of the first row of the block of entry 2 is
sub payload_at
{
	my ($c) = @_;

	return rows_at($c, entry_of($c, 2, 'first'))->{payloads};
}

check_aims(
	[ 'a model that is a page of rows', 8,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, entry_of($c, 2, 'first')) },
		qr/page of kind \d+ where kind 8 was expected/ ],
	[ 'a model that begins with its second page', 8,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, get($c, model_at($c, 0) - CONTENTS + SPECIAL + $special{next}, 4)) },
		qr/model page of another model/ ],
	[ 'a model that ends too early', 9,
		sub { my $c = shift; put($c, model_at($c, 0) - CONTENTS + SPECIAL + $special{next}, 4, 0xFFFFFFFF) },
		qr/model page that is not where its model ends/ ],
	[ 'a model that goes round', 9,
		sub { my $c = shift; put($c, model_at($c, 1) - CONTENTS + SPECIAL + $special{next}, 4, int(model_at($c, 0) / PAGE)) },
		qr/model page of another model/ ],
	[ 'a model page of more bytes than fit', 8,
		sub { my $c = shift; add($c, model_at($c, 0), 4, 5000) },
		qr/model page with more bytes than fit/ ],
	[ 'a model of other dimensions', 8,
		sub { my $c = shift; unseal($c); add($c, model_at($c, 0) + 8, 4, 1) },
		qr/a model of other vectors/ ],
	[ 'a model that keeps other directions', 8,
		sub { my $c = shift; unseal($c); add($c, model_at($c, 0) + 12, 4, 1) },
		qr/a model of other vectors/ ],
	[ 'a spread below zero', 8,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 20, 4, 0xBF800000) },
		qr/a model of other vectors/ ],
	[ 'a direction that is no number', 8,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 1) + 400, 4, 0x7FC00000) },
		qr/a model with a number out of range/ ],
	[ 'a scale that is infinite', 8,
		sub { my $c = shift; put($c, payload_at($c), 4, 0x7F800000) },
		qr/row \d+: a sketch with a number out of range/ ],
	[ 'an error that is none', 8,
		sub { my $c = shift; put($c, payload_at($c) + 8, 2, 0xFFFF) },
		qr/row \d+: a sketch with a number out of range/ ],
	[ 'a level that is another', 8,
		sub { my $c = shift; substr($$c, payload_at($c) + 16, 1) ^= "\x07" },
		qr/row \d+: a sketch whose sum of squares is wrong/ ],
	[ 'a coarse level that is another', 8,
		sub { my $c = shift; substr($$c, payload_at($c) + 16, 1) ^= "\x01" },
		qr/row \d+: a sketch whose sum of squares is wrong/ ],
	[ 'a landmark that there is not', 8,
		sub { my $c = shift; put($c, payload_at($c) + 15, 1, 0xC8) },
		qr/row \d+: a sketch from a landmark that there is not/ ],
	[ 'a model of levels of 3 bits', 9,
		sub { my $c = shift; unseal($c); put($c, model_at($c, 0) + 14, 1, 3) },
		qr/model page of another model/ ],
	[ 'levels that stand for nothing', 8,
		sub { my $c = shift; put($c, payload_at($c), 4, 0) },
		qr/row \d+: a sketch with levels that stand for nothing/ ],
	[ 'the hash of another vector', 8,
		sub { my $c = shift; add($c, payload_at($c) + 12, 4, 1) },
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t8_\d+"/ ],
	[ 'a radius too small, which no search relies on', 8,
		sub { my $c = shift; put($c, entry_at(2, 'radius'), 4, 3) },
		undef, undef, 0 ],
	[ 'a direction that is another', 8,
		sub { my $c = shift; put($c, model_at($c, 1) + 400, 1, 7 + get($c, model_at($c, 1) + 400, 1) & 255) },
		qr/model page whose checksum is wrong/ ],
	[ 'a spread that is another', 9,
		sub { my $c = shift; put($c, model_at($c, 0) + 20, 4, 0x3F000000) },
		qr/model page whose checksum is wrong/ ],
	[ 'a model without checksums', 8, sub { unseal(shift) }, undef, undef, 0 ],
	[ 'what a row knows besides its sketch', 8,
		sub { my $c = shift; put($c, payload_at($c) + 4, 4, 0x40000000) },
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t8_\d+"/ ],
	[ 'the same, of versions whose sketches may be others', 8,
		sub { my $c = shift; unseal($c); put($c, payload_at($c) + 4, 4, 0x40000000) },
		undef, undef, 0 ],
	[ 'an error that is too small', 8,
		sub { my $c = shift; put($c, payload_at($c) + 8, 2, get($c, payload_at($c) + 8, 2) >> 1) },
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t8_\d+"/ ],
	[ 'a model that nobody knows', 8,
		sub { my $c = shift; put($c, CONTENTS + $meta{model}, 4, 0) },
		undef, undef, 5 ]);
no_crash();
