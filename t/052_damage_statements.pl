# Statements on a damaged index: whatever its file holds, they succeed or raise an
# error that says so; no backend crashes, hangs or blames itself. Every number of
# a page is damaged, and places at random.
#
# Random damage prints its seed: HASHEMB_SEED=n repeats a run, HASHEMB_ROUNDS=n
# makes it longer.
#
# Seen to fail: with pages of rows taken as they are in page/fault.c (a backend
# crashed).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use DamagedIndexes;
use HashembPage;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || int(rand(1_000_000));
my $rounds = $ENV{HASHEMB_ROUNDS} || 6;
srand($seed);

my ($node, @indexes) = make_indexes(0 .. 14);

# ---- numbers of pages beyond the end ----

# Every place that holds the number of a page which is followed, with the kind
# of index it is damaged in
my @numbers = (
	[ 'the directory', 0, sub { CONTENTS + $meta{directory} } ],
	[ 'the table', 0, sub { CONTENTS + $meta{table} } ],
	[ 'the ring', 4, sub { CONTENTS + $meta{ring} } ],
	[ 'the upper level', 0, sub { CONTENTS + $meta{upper} } ],
	[ 'the next directory page', 0, sub { PAGE + SPECIAL + $special{next} } ],
	[ 'the block of NULLs', 0, sub { entry_at(0, 'first') } ],
	[ 'a page to append NULLs to', 0, sub { entry_at(0, 'append') } ],
	[ 'zones of NULLs', 0, sub { entry_at(0, 'zones') } ],
	[ 'a first page', 2, sub { entry_at(2, 'first') } ],
	[ 'a page to append to', 4, sub { entry_at(1, 'append') } ],
	[ 'zones', 3, sub { entry_at(1, 'zones') } ],
	[ 'a next page', 4,
		sub { entry_of(shift, 1, 'first') * PAGE + SPECIAL + $special{next} } ],
	[ 'a parent', 4,
		sub { entry_of(shift, 1, 'first') * PAGE + SPECIAL + $special{parent} } ],
	[ 'a row', 1,
		sub { my $c = shift; rows_at($c, entry_of($c, 2, 'first'))->{tids} } ],
	[ 'a row of an expression', 5,
		sub { my $c = shift; rows_at($c, entry_of($c, 2, 'first'))->{tids} } ],
	[ 'the directory of windows', 6, sub { CONTENTS + $meta{directory} } ],
	[ 'the next page of windows', 6, sub { PAGE + SPECIAL + $special{next} } ],
	[ 'a map', 6, sub { window_at('map') } ],
	[ 'the next page of a map', 6,
		sub { get(shift, window_at('map'), 4) * PAGE + SPECIAL + $special{next} } ],
	[ 'a page of a window', 6,
		sub {
			my $c = shift;
			contents_of($c, 'map') + 16 + 24 * get($c, CONTENTS + $meta{words}, 4);
		} ],
	[ 'a row of a window', 6,
		sub {
			my $c = shift;
			rows_at($c, int(contents_of($c, 'rows') / PAGE))->{tids};
		} ],
	[ 'the model', 8, sub { CONTENTS + $meta{model} } ],
	[ 'the next page of the model', 8,
		sub {
			my $c = shift;
			get($c, CONTENTS + $meta{model}, 4) * PAGE + SPECIAL + $special{next};
		} ],
	[ 'a row of a vector', 8,
		sub { my $c = shift; rows_at($c, entry_of($c, 2, 'first'))->{tids} } ],
	[ 'the codebooks', 10, sub { CONTENTS + $meta{model} } ],
	[ 'the next page of the codebooks', 10,
		sub { model_at(shift, 0) - CONTENTS + SPECIAL + $special{next} } ],
	[ 'a row of a list', 10, sub { lists_at(shift)->{tids} } ],
	[ 'a row of a list of codes', 12, sub { lists_at(shift)->{tids} } ],
	[ 'the first pending page', 7, sub { PAGE + CONTENTS + 16 } ],
	[ 'the last pending page', 7, sub { PAGE + CONTENTS + 20 } ],
	[ 'the next pending page', 7,
		sub {
			my $page = int(contents_of(shift, 'pending') / PAGE);
			$page * PAGE + SPECIAL + $special{next};
		} ]);

# A few pages beyond, so many that it would be another file, and the last one
# that there can be. TIDs store the two halves of a number the other way round.
foreach my $number (5000, 0x20005, 0xFFFFFFFE)
{
	my $script = '';
	my %taken;

	restore();
	foreach my $case (@numbers)
	{
		my ($title, $k, $place) = @$case;
		my $index = an_index($k, \%taken);
		my $content = read_file($index);
		my $swapped = ($number & 0xFFFF) << 16 | $number >> 16;

		$taken{ $index->{name} } = 1;
		$index->{round} = 1;
		put(\$content, $place->(\$content), 4,
			$title =~ /row/ ? $swapped : $number);
		write_file($index, $content);
		$case->[3] = $index;
		$script .= "\\warn == $index->{name}\n"
		  . "RESET ALL; SET statement_timeout = '60s';\n"
		  . statements($index);
	}
	$node->start;
	my $err = '';
	$node->psql('postgres', "\\set VERBOSITY verbose\n$script",
		stderr => \$err, on_error_stop => 0);
	$node->stop('immediate');

	my %errors = errors_of_indexes($err);
	foreach my $case (@numbers)
	{
		my ($title, $k, $place, $index) = @$case;
		my $errors = $errors{ $index->{name} } || '';
		my @messages = $errors =~ /ERROR:\s+(\w{5}: .*)/g;
		my $said = qr/^XX002: index "$index->{name}_i" is corrupted/;

		is(join("\n", grep { $_ !~ $said } @messages), '',
			"$title is $number: errors say that the index is corrupted");
		like($errors, $title =~ /row/ ? qr/it refers to row \($number,\d+\)/
			: qr/at block $number: it is referred to, but the index has \d+ blocks/,
			"$title is $number: they say where");
	}
}

# ---- damage at random ----

# Numbers that a damaged field may hold
sub odd_number
{
	my ($npages, $page) = @_;
	my @numbers = (0, 1, 2, 3, 0xFFFFFFFF, 0xFFFFFFFE, 0x7FFFFFFF, 0x80000000,
		0xFFFF, 0x10000, $npages, $npages - 1, $npages + 100, $page,
		int(rand($npages)), int(rand($npages)), int(rand(300)));

	return $numbers[ rand @numbers ];
}

# A place in a page. Half of them hold structure: contents' start, special
# space. The first bytes are the log position and checksum, the server's own.
sub random_place
{
	my ($page) = @_;
	my $in_page =
	    rand() < .25 ? SPECIAL + int(rand(24))
	  : rand() < .4 ? CONTENTS + int(rand($page < 4 ? 400 : 16))
	  : 10 + int(rand(PAGE - 10));

	return $page * PAGE + $in_page;
}

# Damage a file; says what was done.
sub damage
{
	my ($content) = @_;
	my $npages = length($$content) / PAGE;
	my $page = int(rand(rand() < .4 ? 5 : $npages));
	my $other = int(rand($npages));
	my $at = random_place($page);
	my $kind = rand();

	if ($kind < .35)
	{
		my $bit = int(rand(8));
		substr($$content, $at, 1) ^= chr(1 << $bit);
		return "bit $bit of byte " . $at % PAGE . " of page $page";
	}
	if ($kind < .75)
	{
		my $number = odd_number($npages, $page);
		my $bytes = rand() < .3 ? 2 : 4;
		$at -= $at % $bytes;
		put($content, $at, $bytes,
			$bytes == 2 ? $number & 0xFFFF : $number);
		return "$number in $bytes bytes at " . $at % PAGE . " of page $page";
	}
	if ($kind < .8)
	{
		my $length = 1 + int(rand(64));
		$length = PAGE - $at % PAGE if $at % PAGE + $length > PAGE;
		substr($$content, $at, $length) =
		  join('', map { chr(int(rand(256))) } 1 .. $length);
		return "$length random bytes at " . $at % PAGE . " of page $page";
	}
	if ($kind < .84)
	{
		substr($$content, $page * PAGE + 10, PAGE - 10) =
		  join('', map { chr(int(rand(256))) } 11 .. PAGE);
		return "page $page random";
	}
	if ($kind < .88)
	{
		substr($$content, $page * PAGE, PAGE) = "\0" x PAGE;
		return "page $page zero";
	}
	if ($kind < .93)
	{
		my $kept = substr($$content, $page * PAGE, PAGE);
		substr($$content, $page * PAGE, PAGE) =
		  substr($$content, $other * PAGE, PAGE);
		substr($$content, $other * PAGE, PAGE) = $kept;
		return "pages $page and $other changed round";
	}
	if ($kind < .97)
	{
		substr($$content, $page * PAGE, PAGE) =
		  substr($$content, $other * PAGE, PAGE);
		return "page $page a copy of page $other";
	}
	my $length = int(rand($npages)) * PAGE + (rand() < .2 ? 1000 : 0);
	$$content = substr($$content, 0, $length);
	return "cut off at byte $length";
}

# What damage may lead to: SQLSTATEs of what hashemb says of an index and of a
# version that it does not know; what the server says of a page's header
my %expected_state = (XX002 => 1, '0A000' => 1);
my $expected_message = qr/^invalid page in block \d+/;

my ($damaged, $noticed) = (0, 0);
my @surprises;
foreach my $round (1 .. $rounds)
{
	my $script = '';
	my %what;

	restore();
	foreach my $index (@indexes)
	{
		my $content = read_file($index);

		$index->{round} = $round;
		$what{ $index->{name} } = damage(\$content);
		write_file($index, $content);
		$script .= "\\echo == $index->{name}\n\\warn == $index->{name}\n"
		  . "RESET ALL; SET statement_timeout = '60s';\n"
		  . statements($index);
		$damaged++;
	}
	$node->start;
	my ($out, $err) = ('', '');
	my $code = $node->psql('postgres', "\\set VERBOSITY verbose\n$script",
		stdout => \$out, stderr => \$err, on_error_stop => 0,
		timeout => 600, timed_out => \my $late);
	is($code, 0, "round $round: no backend was lost")
	  or diag("seed $seed, last output: ", substr($out, -300),
		substr($err, -1000));
	$node->stop('immediate');

	my %errors = errors_of_indexes($err);
	foreach my $part (split(/== /, $out))
	{
		my ($name, $rest) = $part =~ /^(\S+)\n(.*)/s or next;
		my $errors = $errors{$name} || '';
		my @exact = $rest =~ /^exact\|(.*)$/mg;
		my @found = $rest =~ /^found\|(.*)$/mg;

		while ($errors =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5}): (.*)/g)
		{
			my ($state, $message) = ($1, $2);
			push @surprises, "$name ($what{$name}): $state $message"
			  if !$expected_state{$state} && $message !~ $expected_message;
		}
		$noticed++ if $errors =~ /ERROR/;
		next if $rest !~ /^sound/m;
		push @surprises, "$name ($what{$name}): checked, but wrong"
		  if "@exact" ne "@found";
	}
}
is(join("\n", @surprises), '', 'errors speak of damage, and what passes the '
	  . 'check answers as a sequential scan')
  or diag("seed $seed");

no_crash("seed $seed");
