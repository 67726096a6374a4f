# A million rows through a cursor with the least work_mem: every row comes once
# and in order, although the search keeps only a few thousand at a time.
#
# Seen to fail: with exact searches that stop at half of the distance that they
# must go to (not each row once).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use Test::More;

my $rows = 1_000_000;
my $node = new_node('drain', conf => "shared_buffers = 256MB\nmaintenance_work_mem = 128MB\nmax_wal_size = 4GB");

# Half of the rows in 50,000 clusters, half anywhere, some equal, some NULL.
# With 64 bits there are a few dozen distances, so that ties decide most.
$node->safe_psql('postgres', qq{
	SELECT setseed(0.5);
	CREATE UNLOGGED TABLE drain AS SELECT i AS id, CASE WHEN i % 1000 = 0 THEN NULL WHEN i % 100 = 1 THEN repeat('01', 32)::bincode ELSE
		((CASE WHEN i % 2 = 0 THEN hashint8extended(i % 50000, 1) ELSE 0 END # (hashint8extended(i, 2) & hashint8extended(i, 3)))::bit(64)::bincode) END::bincode(64) AS c
		FROM generate_series(1, $rows) i;
	CREATE INDEX drain_idx ON drain USING hashemb (c)});
$node->safe_psql('postgres', q{
	CREATE FUNCTION drain(q bincode, most bigint, OUT rows bigint, OUT ids numeric, OUT disordered bigint) LANGUAGE plpgsql AS $$
	DECLARE
		row record;
		last float8 := -1;
		last_tid tid := '(0,0)';
	BEGIN
		rows := 0; ids := 0; disordered := 0;
		FOR row IN SELECT id, ctid AS t, c <~> q AS d FROM drain ORDER BY c <~> q LIMIT most LOOP
			rows := rows + 1;
			ids := ids + row.id;
			IF coalesce(row.d, 'Infinity') < last OR coalesce(row.d, 'Infinity') = last AND row.t <= last_tid THEN
				disordered := disordered + 1;
			END IF;
			last := coalesce(row.d, 'Infinity');
			last_tid := row.t;
		END LOOP;
	END $$});

my $settings = q{SET hashemb.enable_scan = off; SET work_mem = '64kB'; SET enable_seqscan = off; SET enable_sort = off;};
like($node->safe_psql('postgres', "$settings EXPLAIN SELECT id FROM drain ORDER BY c <~> repeat('0011', 16)::bincode"),
	qr/Index Scan using drain_idx/, 'the index is used');
my ($count, $ids, $disordered) = split /\|/,
	$node->safe_psql('postgres', "$settings SET hashemb.recall = 1; SELECT * FROM drain(repeat('0011', 16)::bincode, $rows)");
is($count, $rows, 'all rows come');
is($ids, $rows * ($rows + 1) / 2, 'each of them once');
is($disordered, 0, 'by distance, then place');

# below recall 1 some stay out, but those that come are in order
($count, $ids, $disordered) = split /\|/,
	$node->safe_psql('postgres', "$settings SET hashemb.recall = 0.9; SELECT * FROM drain(repeat('0011', 16)::bincode, 60000)");
is($count, 60000, 'recall .9: as many rows as asked for');
is($disordered, 0, 'recall .9: by distance, then place');

# A cursor in steps
my $steps = $node->safe_psql('postgres', "$settings SET hashemb.recall = 1; BEGIN;
	DECLARE c CURSOR FOR SELECT c <~> repeat('01', 32)::bincode FROM drain ORDER BY c <~> repeat('01', 32)::bincode;
	MOVE 5000 FROM c; FETCH 1 FROM c; MOVE 4999 FROM c; FETCH 1 FROM c; MOVE 200000 FROM c; FETCH 1 FROM c; COMMIT");
my $expected = $node->safe_psql('postgres', q{SET enable_indexscan = off;
	SELECT d[5001], d[10001], d[210002] FROM (SELECT array_agg(d ORDER BY d) AS d FROM
		(SELECT c <~> repeat('01', 32)::bincode AS d FROM drain) s) s});
is($steps =~ s/\n/|/gr, $expected, 'a cursor moved in steps stands where it should');
$node->stop;
done_testing();
