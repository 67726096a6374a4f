# A damaged index: whatever its file holds, statements succeed or raise an error
# that says so; no backend crashes, hangs or blames itself. Damage that a search
# could notice is found by hashemb_check.
#
# Random damage prints its seed: HASHEMB_SEED=n repeats a run, HASHEMB_ROUNDS=n
# makes it longer.
use strict;
use warnings;
use File::Copy ();
use File::Path ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || int(rand(1_000_000));
my $rounds = $ENV{HASHEMB_ROUNDS} || 6;
my $copies = 9; # indexes of each kind
srand($seed);

use constant PAGE => 8192;
use constant CONTENTS => 24; # page header
use constant LOWER => 12;    # pd_lower in it
use constant SPECIAL => PAGE - 24;
use constant HEADER => 32; # of a directory page
use constant ENTRY => 48; # bytes of a directory entry

# Offsets within the special space, an entry, the metapage
my %special = (owner => 0, next => 8, parent => 12, slot => 16);
my %entry = (
	owner => 0, rows => 8, pages => 12, first => 16, append => 20,
	zones => 24, radius => 28, min_weight => 32, max_weight => 36,
	zone => 40, flags => 42, split_above => 43, changes => 44);
my %meta = (payload => 16, words => 20, directory => 28,
	directory_end => 32, table => 36, next_owner => 40, ring => 88, upper => 120,
	group => 124);

# Sparse vectors: a directory's head and entries, kinds of pages
use constant WINDOWS => 72;
use constant WINDOW => 48;
my %window = (
	owner => 0, postings => 8, min_norm => 16, rows => 24, dead => 28,
	nulls => 32, dims => 36, pages => 40, map => 44);
my %kind = (rows => 4, map => 17, fences => 18, dims => 19, postings => 20,
	pending => 21);

my $node = PostgreSQL::Test::Cluster->new('corruption');
$node->init(no_data_checksums => 1, extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', q{
	autovacuum = off
	shared_buffers = 16MB
	max_parallel_workers_per_gather = 0
	jit = off
	restart_after_crash = off});
$node->start;

# ---- indexes of all kinds ----

# Kind: columns of the index, distance operator, query, condition on attributes
my $q1 = '01' x 30;
my $q2 = join('', map { $_ % 4 } 1 .. 37) . '/2';
my $q4 = join('', map { sprintf('%x', $_ * 7 % 16) } 1 .. 33) . '/4';
my @kinds = (
	{ columns => 'c1, a, s, l', op => '<~>', column => 'c1', query => $q1,
		where => q{a BETWEEN 10 AND 60 AND s <> 's1' AND l && '{2}'} },
	{ columns => 'c1 bincode_jaccard_ops, d, m', op => '<%>', column => 'c1',
		query => $q1, where => q{d > '2020-01-20' AND m = 'sad'} },
	{ columns => 'c4 bincode_ip_ops, x', op => '<#>', column => 'c4',
		query => $q4, where => 'x < 50' },
	{ columns => 'c2 bincode_cosine_ops', op => '<=>', column => 'c2',
		query => $q2, where => 'a = 7' },
	{ columns => 'c1, a', op => '<~>', column => 'c1', query => $q1,
		where => 'a IN (3, 50, 99)', late => 1, options => 'fillfactor = 50' },
	{ columns => '((~ c1)::bincode(60))', op => '<~>',
		column => '((~ c1)::bincode(60))', query => $q1, where => 'a > 20',
		partial => 'WHERE a > 20', options => 'block_rows = 200' },
	{ columns => 'v, a, s', op => '<#>', column => 'v',
		query => '{1:1,7:2,30:-1,77:1.5}/500', where => q{a < 50 AND s <> 's1'} },
	{ columns => 'x, v svec_cosine_ops', op => '<=>', column => 'v',
		query => '{1:0.5,8:2,31:1}/500', where => 'x < 50', late => 1 });

$node->safe_psql('postgres', q{
	CREATE EXTENSION hashemb;
	CREATE TYPE mood AS ENUM ('sad', 'so', 'happy');
	SELECT setseed(0.5);
	CREATE TABLE base AS
	SELECT i AS id, (SELECT string_agg((random() < .5)::int::text, '')
			FROM generate_series(1, 60) WHERE i > 0)::bincode(60) AS c1,
		((SELECT string_agg(floor(random() * 4)::text, '')
			FROM generate_series(1, 37) WHERE i > 0) || '/2')::bincode(37, 2)
			AS c2,
		((SELECT string_agg(to_hex(floor(random() * 16)::int), '')
			FROM generate_series(1, 33) WHERE i > 0) || '/4')::bincode(33, 4)
			AS c4,
		i % 100 AS a, 's' || i % 9 AS s, ARRAY[i % 4, i % 7] AS l,
		date '2020-01-01' + i % 60 AS d,
		(enum_range(NULL::mood))[1 + i % 3] AS m, (i % 77)::numeric AS x
	FROM generate_series(1, 1300) i;
	ALTER TABLE base ADD v svec(500);
	UPDATE base SET v = (SELECT svec_agg(d, w, 500) FROM (SELECT 1 AS d, 0.25 AS w
			UNION ALL SELECT 2 + (hashint4(id * 50 + j) & 255), max(hashint4(id - 99 * j) % 16 / 8.0)
			FROM generate_series(1, 20) j GROUP BY 1) x WHERE w <> 0);
	UPDATE base SET c1 = NULL, c2 = NULL, c4 = NULL, v = NULL WHERE id % 71 = 0;
	UPDATE base SET a = NULL, s = NULL, l = NULL, d = NULL, m = NULL, x = NULL
	WHERE id % 43 = 0;});

# Create table and index `name` of a kind.
sub create
{
	my ($name, $kind) = @_;
	my $with = $kind->{options} ? "WITH ($kind->{options})" : '';
	my $partial = $kind->{partial} || '';
	my $index = "CREATE INDEX ${name}_i ON $name USING hashemb "
	  . "($kind->{columns}) $with $partial;";
	my $fill = "INSERT INTO $name SELECT * FROM base;";

	# Filled after it was created, an index is one long block; deletion leaves
	# free pages and pages with room
	return "CREATE TABLE $name (LIKE base);"
	  . ($kind->{late}
		? "$index $fill DELETE FROM $name WHERE id BETWEEN 200 AND 900;"
		: "$fill $index");
}

my @indexes;
foreach my $k (0 .. $#kinds)
{
	push @indexes, { name => "t${k}_$_", kind => $kinds[$k] } for 1 .. $copies;
}
$node->safe_psql('postgres',
	join("\n", map { create($_->{name}, $_->{kind}) } @indexes));
$node->safe_psql('postgres', 'VACUUM (TRUNCATE false)');
# Of sparse vectors, rows that are pending
$node->safe_psql('postgres', join("\n",
	map { "INSERT INTO $_->{name} SELECT * FROM base WHERE id < 60;" }
	grep { $_->{kind} == $kinds[7] } @indexes));
$_->{file} = $node->safe_psql('postgres',
	"SELECT pg_relation_filepath('$_->{name}_i')") for @indexes;
is( $node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_class,
		hashemb_check(oid, true) c
	WHERE relname LIKE 't%\_i' AND relkind = 'i' AND c.orphan_pages = 0}),
	scalar @indexes,
	'sound indexes pass');
is( $node->safe_psql('postgres', q{
	SELECT count(*) FROM pg_class, hashemb_check(oid) c
	WHERE relname ~ '^t[47].*_i' AND c.free_pages > 0}),
	2 * $copies,
	'free pages are counted');
$node->stop;

my $data = $node->data_dir;
my $sound = "$data.sound";

# Copy a folder, a file at a time.
sub copy_folder
{
	my ($from, $to) = @_;

	PostgreSQL::Test::RecursiveCopy::copypath($from, $to);
	chmod 0700, $to;
}
copy_folder($data, $sound);

# Put everything back as it was.
sub restore
{
	File::Path::remove_tree($data);
	copy_folder($sound, $data);
}

# ---- access to a file's pages ----

sub read_file
{
	my ($index) = @_;
	open(my $in, '<:raw', "$data/$index->{file}") or die $!;
	local $/;
	return scalar <$in>;
}

sub write_file
{
	my ($index, $content) = @_;
	open(my $out, '>:raw', "$data/$index->{file}") or die $!;
	print $out $content;
	close $out or die $!;
}

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

# Sparse vectors: where field f of the first window is
sub window_at
{
	my ($field) = @_;
	return PAGE + CONTENTS + WINDOWS + $window{$field};
}

# Where the contents of the first page of a kind begin
sub contents_of
{
	my ($content, $name) = @_;

	foreach my $page (2 .. length($$content) / PAGE - 1)
	{
		return $page * PAGE + CONTENTS
		  if get($content, $page * PAGE + SPECIAL + 18, 2) == $kind{$name};
	}
	die "no page of $name";
}

# Add to a number
sub add
{
	my ($content, $at, $bytes, $value) = @_;
	put($content, $at, $bytes, get($content, $at, $bytes) + $value);
}

# ---- damage that is aimed ----

# What is done to an index of which kind, and what the plain and the full check
# say; undef: they say nothing
my @aims = (
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
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t0_1"/ ],
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
		undef, qr/no entry that matches row \(\d+,\d+\) of table "t5_1"/ ],
	[ 'a row that is there twice', 3,
		sub {
			my $c = shift;
			my $rows = rows_at($c, entry_of($c, 2, 'first'));
			substr($$c, $rows->{tids}, 6) = substr($$c, $rows->{tids} + 6, 6);
		},
		undef, qr/it has row \(\d+,\d+\) of table "t3_1" twice/ ],
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
		qr/"t0_1_i" is corrupted at block 5000: .* the index has \d+ blocks/ ],
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
		qr/a pending row of another length than it tells/ ],
	[ 'a page of zeros at the end', 0,
		sub { my $c = shift; $$c .= "\0" x PAGE },
		undef, undef ]);

my @aimed;
my %used;
foreach my $aim (@aims)
{
	my ($title, $k, $damage, $plain, $full) = @$aim;
	my ($index) =
	  grep { $_->{kind} == $kinds[$k] && !$used{ $_->{name} } } @indexes;

	# More aims than copies: another restart
	push @aimed, [] if !@aimed || !$index || $used{all}++ % 1e9 < 0;
	if (!$index)
	{
		%used = ();
		($index) = grep { $_->{kind} == $kinds[$k] } @indexes;
	}
	$used{ $index->{name} } = 1;
	push @{ $aimed[-1] }, [ $index, @$aim ];
}
foreach my $batch (@aimed)
{
	restore();
	foreach my $case (@$batch)
	{
		my ($index, $title, $k, $damage) = @$case;
		my $content = read_file($index);

		$damage->(\$content);
		write_file($index, $content);
	}
	$node->start;
	foreach my $case (@$batch)
	{
		my ($index, $title, $k, $damage, $plain, $full) = @$case;

		$full = $plain if !defined $full;
		foreach my $form ([ 'false', $plain ], [ 'true', $full ])
		{
			my ($all, $expected) = @$form;
			my ($code, $out, $err) = $node->psql('postgres',
				"SELECT orphan_pages FROM "
				  . "hashemb_check('$index->{name}_i', $all)");

			if (defined $expected)
			{
				my $pattern = "$expected";
				$pattern =~ s/t(\d)_1/t$1_\\d+/g;
				like($err, qr/$pattern/s, "$title ($all)");
			}
			else
			{
				is($err, '', "$title ($all)");
			}
			is($out, 1, 'an orphan is counted')
			  if $title eq 'a page of zeros at the end';
		}
	}
	$node->stop('immediate');
}

# A directory without a block: a row that finds none is not tried for ever
restore();
{
	my ($index) = grep { $_->{kind} == $kinds[0] } @indexes;
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
		my ($index) =
		  grep { $_->{kind} == $kinds[$k] && !$taken{ $_->{name} } } @indexes;
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

	my %errors = map { /^(\S+)\n(.*)/s ? ($1, $2) : () } split(/== /, $err);
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

# Statements that use an index in every way; exact answers with and without it
sub statements
{
	my ($index) = @_;
	my ($t, $kind) = ($index->{name}, $index->{kind});
	my $order = "$kind->{column} $kind->{op} '$kind->{query}'";
	my $partial = $kind->{partial} || '';
	my $nearest = "SELECT string_agg(round(d::numeric, 9)::text, ' ') "
	  . "FROM (SELECT $order AS d FROM $t %s ORDER BY $order LIMIT 40) s";
	my @sql = (
		"SELECT 'sound' FROM hashemb_check('${t}_i', true)",
		'SET hashemb.recall = 1');

	foreach my $where ("WHERE $kind->{where}", $partial)
	{
		my $query = sprintf($nearest, $where);

		push @sql, 'SET enable_indexscan = off', 'SET enable_seqscan = on',
		  "SELECT 'exact', ($query)", 'SET enable_indexscan = on',
		  'SET enable_seqscan = off', "SELECT 'found', ($query)";
	}
	push @sql, 'SET hashemb.recall = 0.95',
	  (map { sprintf($nearest, $_) } "WHERE $kind->{where}", $partial),
	  "SELECT count(*) FROM (SELECT FROM $t $partial ORDER BY $order) s",
	  'SET enable_indexscan = off',
	  "SELECT count(*) FROM $t WHERE $kind->{where}",
	  'SET enable_indexscan = on',
	  "SELECT count(*) FROM hashemb_block_info('${t}_i')",
	  "SELECT count(*) FROM hashemb_index_info('${t}_i')",
	  "SELECT count(*) FROM hashemb_measure_recall('${t}_i', 5, 3)",
	  (map { "INSERT INTO $t SELECT * FROM base WHERE id = $_" }
		  5, 71, 86, 300 + $index->{round}),
	  "UPDATE $t SET id = -id WHERE id % 11 = 3",
	  "DELETE FROM $t WHERE id % 5 = 2", "VACUUM $t",
	  "INSERT INTO $t SELECT * FROM base WHERE id <= 60",
	  "DELETE FROM $t WHERE id % 3 > 0", "VACUUM $t",
	  "SELECT hashemb_calibrate('${t}_i')",
	  "SELECT count(*) FROM hashemb_check('${t}_i')";
	return join(";\n", @sql) . ";\n";
}

# What damage may lead to: SQLSTATEs of what hashemb says of an index and of a
# version that it does not know; what the server says of a page's header
my %expected_state = (XX002 => 1, '0A000' => 1);
my $expected_message = qr/^invalid page in block \d+/;

my ($damaged, $noticed, $wrong) = (0, 0, 0);
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

	my %errors = map { /^(\S+)\n(.*)/s ? ($1, $2) : () } split(/== /, $err);
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
note("seed $seed: $damaged indexes damaged, $noticed noticed");

my $log = slurp_file($node->logfile);
unlike($log, qr/terminated by signal|PANIC|TRAP:/, 'no process crashed')
  or diag("seed $seed");
File::Path::remove_tree($sound);

done_testing();
