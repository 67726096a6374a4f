package HashembPage;

# The pages of an index as bytes: where its fields are, for tests that damage
# them. It says again, by hand, what the format's headers say, so that a test of
# damage does not believe the code that it tests. A file is a string, passed by
# reference.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(PAGE CONTENTS LOWER SPECIAL ENTRY
	%special %entry %meta %window %kind
	get put add entry_at entry_of put_count rows_at lists_at model_at
	unseal window_at contents_of);

use constant PAGE => 8192;
use constant CONTENTS => 24; # page header
use constant LOWER => 12;    # pd_lower in it
use constant SPECIAL => PAGE - 24;
use constant HEADER => 32; # of a directory page
use constant ENTRY => 48; # bytes of a directory entry

# Offsets within the special space, an entry, the metapage
our %special = (owner => 0, next => 8, parent => 12, slot => 16);
our %entry = (
	owner => 0, rows => 8, pages => 12, first => 16, append => 20,
	zones => 24, radius => 28, min_weight => 32, max_weight => 36,
	zone => 40, flags => 42, split_above => 43, changes => 44);
our %meta = (payload => 16, words => 20, directory => 28,
	directory_end => 32, table => 36, next_owner => 40, ring => 88, upper => 120,
	group => 124, model => 132);

# Sparse vectors: a directory's head and entries, kinds of pages
use constant WINDOWS => 72;
use constant WINDOW => 48;
our %window = (
	owner => 0, postings => 8, min_norm => 16, rows => 24, dead => 28,
	nulls => 32, dims => 36, pages => 40, map => 44);
our %kind = (rows => 4, model => 8, map => 17, fences => 18, dims => 19, postings => 20,
	pending => 21, lists => 24);

# A number of 1, 2, 4 or 8 bytes at a place
my %formats = (1 => 'C', 2 => 'S', 4 => 'L', 8 => 'Q');

sub get
{
	my ($content, $at, $bytes) = @_;
	return unpack($formats{$bytes}, substr($$content, $at, $bytes));
}

sub put
{
	my ($content, $at, $bytes, $value) = @_;
	substr($$content, $at, $bytes) = pack($formats{$bytes}, $value);
}

# Where field f of entry e of the first directory page is
sub entry_at
{
	my ($e, $field) = @_;
	return PAGE + CONTENTS + HEADER + $e * ENTRY + $entry{$field};
}

sub entry_of
{
	my ($content, $e, $field) = @_;
	my $bytes = { owner => 8, zone => 2, flags => 1, split_above => 1 }->{$field} || 4;
	return get($content, entry_at($e, $field), $bytes);
}

# Set a rows page's count, and with it where its hole begins
sub put_count
{
	my ($content, $page, $count) = @_;
	my $rows = rows_at($content, $page);
	my $lower = $rows->{payloads} + $count * $rows->{payload} - $page * PAGE;

	put($content, $rows->{count_at}, 2, $count);
	put($content, $page * PAGE + LOWER, 2, $lower);
}

# Where the arrays of a rows page begin
sub rows_at
{
	my ($content, $page) = @_;
	my $at = $page * PAGE + CONTENTS;
	my %rows = (
		count_at => $at,
		count => get($content, $at, 2),
		capacity => get($content, $at + 2, 2),
		payload => get($content, CONTENTS + $meta{payload}, 4),
		nwords => get($content, CONTENTS + $meta{words}, 4),
		nattrs => get($content, CONTENTS + $meta{words} + 4, 4));
	my $bitmap = 8 * int(($rows{capacity} + 63) / 64);

	$rows{payloads} = $at + 8;
	$rows{dead} = $rows{payloads} + $rows{capacity} * $rows{payload};
	$rows{words} = $rows{dead} + $bitmap;
	$rows{nulls} = $rows{words} + $rows{capacity} * $rows{nwords} * 8;
	$rows{tids} = $rows{nulls} + $rows{nattrs} * $bitmap;
	return \%rows;
}

# Where the arrays of the first page of lists of tokens begin, or of one behind it
sub lists_at
{
	my ($content, $behind) = @_;
	my $at = contents_of($content, 'lists', $behind);
	my %lists = (
		count_at => $at,
		count => get($content, $at, 2),
		capacity => get($content, $at + 2, 2),
		used_at => $at + 4,
		length_at => $at + 6,
		nwords => get($content, CONTENTS + $meta{words}, 4),
		nattrs => get($content, CONTENTS + $meta{words} + 4, 4));

	$lists{words} = $at + 8;
	$lists{nulls} = $lists{words} + $lists{capacity} * $lists{nwords} * 8;
	$lists{tids} = $lists{nulls} + $lists{nattrs} * 8 * int(($lists{capacity} + 63) / 64);
	$lists{heads} = $lists{tids} + $lists{capacity} * 6;
	$lists{codes} = $at + 4 * int(($lists{heads} + $lists{capacity} * 6 - $at + 3) / 4);
	return \%lists;
}

# Where the bytes of a model are, on its page of a number, from 0 on
sub model_at
{
	my ($content, $page) = @_;
	my $block = get($content, CONTENTS + $meta{model}, 4);

	$block = get($content, $block * PAGE + SPECIAL + $special{next}, 4) foreach 1 .. $page;
	return $block * PAGE + CONTENTS;
}

# Take the checksums from the pages of a model, as versions left them that had none
sub unseal
{
	my ($content) = @_;

	foreach my $page (1 .. length($$content) / PAGE - 1)
	{
		next if get($content, $page * PAGE + SPECIAL + 18, 2) != $kind{model};
		put($content, $page * PAGE + SPECIAL + $special{owner}, 8, 0);
		put($content, $page * PAGE + SPECIAL + $special{slot}, 2, 0);
	}
}

# Sparse vectors: where field f of the first window is
sub window_at
{
	my ($field) = @_;
	return PAGE + CONTENTS + WINDOWS + $window{$field};
}

# Where the contents of the first page of a kind begin
sub contents_of
{
	my ($content, $name, $behind) = @_;

	foreach my $page (2 .. length($$content) / PAGE - 1)
	{
		return $page * PAGE + CONTENTS
		  if get($content, $page * PAGE + SPECIAL + 18, 2) == $kind{$name} && !$behind--;
	}
	die "no page of $name";
}

# Add to a number
sub add
{
	my ($content, $at, $bytes, $value) = @_;
	put($content, $at, $bytes, get($content, $at, $bytes) + $value);
}

1;
