# Cancelling what may take long in vacuum, hashemb_check() and what else reads a
# whole index: a loop is left in the round after a cancel, in every kind of index,
# and the index is sound and complete then. Loops are those marked HX_INJECT_LOOP
# in the sources, and some other points; the statement is cancelled where one is
# reached, and an error says so if it goes on to the next round.
#
# Seen to fail: with CHECK_FOR_INTERRUPTS behind the lock of a page, where it does
# nothing (lost-models, multi-each, count-dead); without it (multi-count,
# multi-train, sparse-reach, tidy-upper, vacuum-orphans); with a chain unlinked, or
# checked under a lock, to its end whatever waits (vacuum-unlink, check-rows).
use strict;
use warnings;
use File::Find;
use FindBin;
use lib $FindBin::RealBin;
use HashembPage;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = new_node('cancel', no_data_checksums => 1, conf => "fsync = off\nmax_parallel_maintenance_workers = 0");
my ($known) = $node->psql('postgres', q{LOAD 'hashemb'; SHOW hashemb.inject});
plan skip_all => 'this build has no injection points' if $known != 0;

$node->safe_psql('postgres', q{
	CREATE FUNCTION vec(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$SELECT array_agg((sin(i % 40 * j) + sin(i * j) / 4)::real ORDER BY j) FROM generate_series(1, 12) j$$;
	CREATE TABLE t (id int, c bincode(64), a int);
	CREATE INDEX t_idx ON t USING hashemb (c, a) WITH (block_rows = 10);
	CREATE TABLE s (id int, v svec(400), a int);
	CREATE INDEX s_idx ON s USING hashemb (v, a);
	CREATE TABLE d (id int, v real[], a int);
	CREATE INDEX d_idx ON d USING hashemb (v real_l2_ops, a) WITH (dims = 12, block_rows = 10);
	CREATE TABLE m (id int, v real[], a int);
	CREATE INDEX m_idx ON m USING hashemb (v maxsim_ops, a) WITH (dims = 12);
	CREATE FUNCTION more(first int, last int) RETURNS void LANGUAGE sql AS $$INSERT INTO t SELECT i, CASE WHEN i % 2 = 0 THEN substr(md5(i % 300 || 'x'), 1, 8)::bytea::bincode # (1::bigint << i % 63)::bincode(64) END, i % 20 FROM generate_series(first, last) i$$;
	CREATE FUNCTION more_sparse(first int, last int) RETURNS void LANGUAGE sql AS $$INSERT INTO s SELECT i, (SELECT svec_agg(1 + j * 40 + abs(hashint4(i * 50 + j)) % 40, 1 + (i + j) % 5, 400) FROM generate_series(0, 9) j), i % 20 FROM generate_series(first, last) i$$;
	CREATE FUNCTION more_dense(first int, last int) RETURNS void LANGUAGE sql AS $$INSERT INTO d SELECT i, vec(i), i % 20 FROM generate_series(first, last) i$$;
	CREATE FUNCTION more_lists(first int, last int) RETURNS void LANGUAGE sql AS $$INSERT INTO m SELECT i, (SELECT array_agg(vec(i * 3 + t)) FROM generate_series(1, 1 + i % 3) t), i % 20 FROM generate_series(first, last) i$$});

# What comes before, the statement, and at which time its loop is cancelled
my $thin = 'TRUNCATE t; SELECT more(1, 9000); DELETE FROM t WHERE id % 16 > 2';
my $sparse = 'TRUNCATE s; SELECT more_sparse(1, 9000); DELETE FROM s WHERE id % 3 = 0';
my $lists = 'TRUNCATE m; SELECT more_lists(1, 2000); DELETE FROM m WHERE id % 3 = 0';
my %ways = (
	# vacuum
	'vacuum-visit' => [ t => $thin, 'VACUUM t', 3 ],
	'vacuum-unlink' => [ t => "$thin OR c IS NULL", 'VACUUM t', 2 ],
	'vacuum-orphans' => [ t => $thin, 'VACUUM t', 1 ],
	'tidy' => [ t => $thin, 'VACUUM t', 2 ],
	'tidy-upper' => [ t => $thin, 'VACUUM t', 1 ],
	'sparse-walk' => [ s => $sparse, 'VACUUM s', 2 ],
	'sparse-walk-pending' => [ s => 'TRUNCATE s; SELECT more_sparse(1, 600); DELETE FROM s WHERE id % 3 = 0', 'VACUUM s', 2 ],
	'sparse-reach' => [ s => $sparse, 'VACUUM s', 1 ],
	'sparse-reclaim' => [ s => $sparse, 'VACUUM s', 1 ],
	'multi-walk' => [ m => $lists, 'VACUUM m', 2 ],
	'multi-show' => [ m => $lists, 'VACUUM m', 2 ],
	# learning, by an insert or a vacuum, whoever comes first
	'multi-count' => [ m => 'TRUNCATE m; INSERT INTO m SELECT i, NULL, i % 20 FROM generate_series(1, 3000) i; DELETE FROM m WHERE id % 3 = 0', 'VACUUM m', 2 ],
	'multi-sample' => [ m => 'TRUNCATE m', 'SELECT more_lists(1, 2000)', 2 ],
	'multi-train' => [ m => 'TRUNCATE m', 'SELECT more_lists(1, 2000)', 2 ],
	'multi-marks' => [ m => 'TRUNCATE m', 'SELECT more_lists(1, 2000)', 2 ],
	'lost-models' => [ d => 'TRUNCATE d', 'SELECT more_dense(1, 2000)', 2 ],
	# checks, and what else looks at all
	'check-chain' => [ t => $thin, q{SELECT * FROM hashemb_check('t_idx')}, 1 ],
	'check-rows' => [ t => '', q{SELECT * FROM hashemb_check('t_idx', true)}, 3 ],
	'check-others' => [ t => '', q{SELECT * FROM hashemb_check('t_idx', true)}, 2 ],
	'check-tids' => [ t => '', q{SELECT * FROM hashemb_check('t_idx', true)}, 2 ],
	'check-heap' => [ d => 'TRUNCATE d; SELECT more_dense(1, 2000)', q{SELECT * FROM hashemb_check('d_idx', true)}, 2 ],
	'count-dead' => [ d => '', q{SELECT * FROM hashemb_index_info('d_idx')}, 2 ],
	'sparse-check' => [ s => $sparse, q{SELECT * FROM hashemb_check('s_idx', true)}, 2 ],
	'sparse-check-pending' => [ s => 'TRUNCATE s; SELECT more_sparse(1, 600)', q{SELECT * FROM hashemb_check('s_idx')}, 1 ],
	'multi-check' => [ m => $lists, q{SELECT * FROM hashemb_check('m_idx', true)}, 2 ],
	'multi-each' => [ m => '', q{SELECT * FROM hashemb_index_info('m_idx')}, 2 ]);

# Run a statement that is cancelled; its error
sub cancelled
{
	my ($point, $statement, $at) = @_;
	my ($code, $out, $err) = $node->psql('postgres', $statement, connstr => $node->connstr('postgres') . " options='-c hashemb.inject=$point:cancel\@$at'");

	return $err;
}

my %points;
find(
	sub {
		return if !/\.c$/ || $_ eq 'inject.c';
		$points{$_} = 1 foreach slurp_file($_) =~ /HX_INJECT_LOOP\("([^"]+)"\)/g;
	},
	"$FindBin::RealBin/../src");
is(join(' ', grep { !$ways{$_} } sort keys %points), '', 'a way to every loop is known');
foreach my $point (sort { $ways{$a}[0] cmp $ways{$b}[0] || length $ways{$b}[1] <=> length $ways{$a}[1] } keys %ways)
{
	my ($t, $before, $statement, $at) = @{ $ways{$point} };

	$node->safe_psql('postgres', $before);
	like(cancelled($point, $statement, $at), qr/^psql:<stdin>:\d+: ERROR:  canceling statement due to user request$/m, "$point: $statement is left");
	is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM $t) FROM hashemb_check('${t}_idx', true)"), 't', "$point: the index is sound and complete");
	$node->safe_psql('postgres', "VACUUM $t");
	is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM $t) FROM hashemb_check('${t}_idx', true)"), 't', "$point: and after a vacuum");
}

# A block that looks wrong is looked at again with its directory page locked: a
# cancel is answered there, too. The chain of rows without a code is long, and its
# entry is made to tell of another number of rows, which is seen at the end.
$node->safe_psql('postgres', 'TRUNCATE t; SELECT more(1, 9000); CHECKPOINT');
my $pages = $node->safe_psql('postgres', q{SELECT pages FROM hashemb_block_info('t_idx') WHERE holds_nulls});
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('t_idx')});
cmp_ok($pages, '>', 5, "a chain of $pages pages");
$node->stop;
my $content = slurp_file($file);
put(\$content, entry_at(0, 'rows'), 4, entry_of(\$content, 0, 'rows') + 1);
open(my $out, '>:raw', $file) or die $!;
print $out $content;
close $out;
$node->start;
like(cancelled('check-rows', q{SELECT * FROM hashemb_check('t_idx')}, $pages + 2), qr/canceling statement due to user request/, 'a block that is locked meanwhile');
my ($code, undef, $err) = $node->psql('postgres', q{SELECT * FROM hashemb_check('t_idx')});
like($err, qr/entry 0 says \d+ rows, but its pages have \d+/, 'which is damaged');
unlike(slurp_file($node->logfile), qr/was not answered|TRAP:|PANIC/, 'every cancel was answered');

$node->stop;
done_testing();
