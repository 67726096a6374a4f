# A server that lacks something: disk, memory, time. A statement fails with an
# error that says so, the server goes on, indexes are sound and complete, and the
# statement succeeds when there is enough.
#
# Disk: the largest size of a file is limited for one session (prlimit), for which
# the server does what it does when a disk is full; it fails in the middle of a
# build, an insert, a split, a vacuum. With HASHEMB_SMALL_FS, a folder of the
# server's user on a small file system (a tmpfs of 3 MB), an index is built there
# until it is full, too. Memory: the least work_mem and maintenance_work_mem, and 2 GB
# of address space. Time: statements that would take hours if the loops that they
# are in could not be interrupted.
#
# Seen to fail: with CHECK_FOR_INTERRUPTS taken out of itq's iterations (the session
# could not be ended); with a limit too large to be reached (no error).
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('faults');
$node->init(extra => ['--wal-segsize=1']);
$node->append_conf('postgresql.conf', "autovacuum = off\njit = off\nfsync = off\nshared_buffers = 4MB\nmax_parallel_maintenance_workers = 0\nmax_wal_size = 64MB\nrestart_after_crash = off");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION hashemb');
install_functions($node);

plan skip_all => 'no prlimit (Debian: util-linux)' if system('prlimit --version >/dev/null 2>&1');

# Limit a session's resource: 'fsize=1000000'. Returns false if that is not allowed.
sub limit
{
	my ($session, $what) = @_;
	my $pid = $session->query_safe('SELECT pg_backend_pid()');

	chomp $pid;
	return system('prlimit', '--pid', $pid, "--$what:unlimited") == 0;
}

# A session that the test talks to, by a process of psql; PostgreSQL 15 has none
# that goes on after an error
{
	package Session;
	use IPC::Run;

	sub new
	{
		my ($class, $node) = @_;
		my $self = bless { in => '', out => '', err => '', n => 0 }, $class;

		$self->{run} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres') ], '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err}, $self->{timeout} = IPC::Run::timer(300));
		return $self;
	}

	# Output, and errors, of statements
	sub query
	{
		my ($self, $sql) = @_;
		my $mark = 'done ' . $self->{n}++;

		$self->{out} = $self->{err} = '';
		$self->{timeout}->start(300);
		$self->{in} .= "$sql;\n\\echo $mark\n\\warn $mark\n";
		$self->{run}->pump while ($self->{out} !~ /$mark\n/ || $self->{err} !~ /$mark\n/) && !$self->{timeout}->is_expired;
		return ($self->{out} =~ s/$mark\n.*//sr, $self->{err} =~ s/$mark\n.*//sr);
	}

	sub query_safe
	{
		my ($self, $sql) = @_;
		my ($out, $err) = $self->query($sql);

		die "$sql: $err" if $err =~ /ERROR/;
		return $out;
	}

	sub end
	{
		my ($self) = @_;

		$self->{in} .= "\\q\n";
		$self->{run}->finish;
	}
}

# Vectors are functions of the id, so that an index is larger than its table
$node->safe_psql('postgres', q{
	CREATE FUNCTION bits(i int) RETURNS bincode LANGUAGE sql IMMUTABLE RETURN (SELECT string_agg(decode(md5(i % 97 || 'x' || j % 8 || CASE WHEN j < 6 THEN '' ELSE i::text END), 'hex'), '' ORDER BY j)::bincode(1024) FROM generate_series(1, 8) j);
	CREATE FUNCTION sparse(i int) RETURNS svec LANGUAGE sql IMMUTABLE RETURN (SELECT svec_agg(1 + j * 20 + abs(hashint4(i * 50 + j)) % 20, 1 + (i + j) % 5, 2000) FROM generate_series(1, 60) j);
	CREATE FUNCTION dense(i int) RETURNS real[] LANGUAGE sql IMMUTABLE RETURN (SELECT array_agg(((hashint4(i % 50 * 64 + j) + hashint4(i * 64 + j) / 4.0) / 2147483648.0)::real) FROM generate_series(1, 64) j);});
my @kinds = (
	{ name => 'code', columns => '((bits(id))::bincode(1024)), a', by => '(bits(id))::bincode(1024) <~> %s', q => 'bits(5)', rows => 9000 },
	{ name => 'sparse', columns => '((sparse(id))::svec(2000)), a', by => '(sparse(id))::svec(2000) <#> %s', q => q{'{25:1,44:1,70:2,95:1}/2000'}, rows => 5000 },
	{ name => 'dense', columns => '(dense(id)) real_l2_ops, a', by => 'dense(id) <-> %s', q => 'dense(5)', rows => 14000, with => 'WITH (dims = 64, code_bytes = 64)' });

# Is an index sound, complete, and right?
sub whole
{
	my ($kind, $what) = @_;
	my $t = $kind->{name};
	my $by = sprintf($kind->{by}, $kind->{q});

	is($node->safe_psql('postgres', "SELECT heap_rows = (SELECT count(*) FROM $t) FROM hashemb_check('${t}_idx', true)"), 't', "$t, $what: sound and complete");
	is($node->safe_psql('postgres', "SET hashemb.recall = 1; SET enable_seqscan = off; SELECT md5(string_agg(round(d::numeric, 5)::text, ',')) FROM (SELECT $by AS d FROM $t WHERE a < 5 ORDER BY d LIMIT 30) x"),
		$node->safe_psql('postgres', "SET enable_indexscan = off; SET hashemb.enable_scan = off; SELECT md5(string_agg(round(d::numeric, 5)::text, ',')) FROM (SELECT $by AS d FROM $t WHERE a < 5 ORDER BY d LIMIT 30) x"), "$t, $what: answers as a scan does");
}

# ---- disk ----

my $full = qr/ERROR:  could not (?:extend|write)/;
foreach my $kind (@kinds)
{
	my $t = $kind->{name};
	my $create = "CREATE INDEX ${t}_idx ON $t USING hashemb ($kind->{columns}) " . ($kind->{with} // '');

	$node->safe_psql('postgres', "CREATE TABLE $t AS SELECT i AS id, i % 10 AS a FROM generate_series(1, $kind->{rows}) i; $create");
	my $size = $node->safe_psql('postgres', "SELECT pg_relation_size('${t}_idx')");
	cmp_ok($size, '>', 1_100_000, "$t: an index of $size bytes") or next;
	my $half = int($size / 2) > 1_050_000 ? int($size / 2) : 1_050_000; # of a WAL segment at least

	$node->safe_psql('postgres', "DROP INDEX ${t}_idx; CHECKPOINT");
	my $files = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) f});
	my $session = Session->new($node);
	ok(limit($session, "fsize=$half"), "$t: a session with little disk") or next;
	my ($out, $err) = $session->query($create);
	like($err, $full, "$t: no build without room");
	($out, $err) = $session->query("SET maintenance_work_mem = '1MB'; $create");
	like($err, $full, "$t: nor where it spills");
	$session->end;
	$node->safe_psql('postgres', 'CHECKPOINT');
	is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_ls_dir('base/' || (SELECT oid FROM pg_database WHERE datname = 'postgres')) f}), $files, "$t: which leaves no file");

	# row by row: splits, merges of windows, until it is full
	$node->safe_psql('postgres', "DELETE FROM $t; VACUUM $t; $create");
	$session = Session->new($node);
	limit($session, "fsize=$half");
	my $inserted = 0;
	for (my $i = 1; $i < $kind->{rows} * 2; $i += 250)
	{
		($out, $err) = $session->query("INSERT INTO $t SELECT i, i % 10 FROM generate_series($i, $i + 249) i");
		last if $err =~ /ERROR/;
		$inserted = $i + 249;
	}
	like($err, $full, "$t: rows are inserted until there is no more room, $inserted");
	$session->end;
	whole($kind, 'full');
	$node->safe_psql('postgres', "INSERT INTO $t SELECT i, i % 10 FROM generate_series($inserted + 1, $inserted + 700) i");
	whole($kind, 'with room again');

	# a vacuum that cannot write what it has to
	$node->safe_psql('postgres', "DELETE FROM $t WHERE id % 4 > 0; CHECKPOINT");
	$session = Session->new($node);
	limit($session, 'fsize=1050000');
	($out, $err) = $session->query("VACUUM (TRUNCATE false) $t");
	note "$t: vacuum without room: ", $err =~ $full ? 'refused' : 'succeeded';
	$session->end;
	whole($kind, 'after a vacuum without room');
	$node->safe_psql('postgres', "VACUUM $t; INSERT INTO $t SELECT i, i % 10 FROM generate_series(1, 900) i");
	whole($kind, 'after a vacuum');
}

SKIP:
{
	my $small = $ENV{HASHEMB_SMALL_FS};

	skip 'no small file system (HASHEMB_SMALL_FS)', 3 if !$small || !-d $small;
	$node->safe_psql('postgres', "CREATE TABLESPACE small LOCATION '$small'");
	foreach my $kind (@kinds)
	{
		my $t = $kind->{name};
		my ($code, $out, $err) = $node->psql('postgres', "INSERT INTO $t SELECT i, 1 FROM generate_series(1, 60000) i; CREATE INDEX ${t}_small ON $t USING hashemb ($kind->{columns}) " . ($kind->{with} // '') . ' TABLESPACE small');

		like($err, qr/No space left on device/, "$t: a disk that is full");
		$node->safe_psql('postgres', "DELETE FROM $t WHERE id > 9000; VACUUM $t");
		whole($kind, 'then');
	}
}

# ---- memory ----

foreach my $kind (@kinds)
{
	my $t = $kind->{name};
	my $by = sprintf($kind->{by}, $kind->{q});

	$node->safe_psql('postgres', "SET maintenance_work_mem = '1MB'; REINDEX INDEX ${t}_idx; CREATE INDEX IF NOT EXISTS ${t}_a ON $t (id)");
	whole($kind, 'built in 1 MB');
	is($node->safe_psql('postgres', "SET work_mem = '64kB'; SET hashemb.recall = 1; SET enable_seqscan = off; SELECT count(*) FROM (SELECT $by AS d FROM $t WHERE id > 10 AND id % 3 = 0 ORDER BY d LIMIT 500) x"), 500, "$t: searched in 64 kB");
}
my $session = Session->new($node);
ok(limit($session, 'as=2147483648'), 'a session with 2 GB of addresses');
my @greedy = (
	q{SET maintenance_work_mem = '2047MB'; SET work_mem = '2047MB'},
	map({ "REINDEX INDEX $_->{name}_idx" } @kinds),
	map({ "SELECT recall FROM hashemb_measure_recall('$_->{name}_idx', 10, 5)" } @kinds),
	q{SELECT length(hashemb_train('{"method": "pca", "bits": 512, "sample": 2000000000}', dense(id))::text) FROM code},
	q{SELECT length(hashemb_train('{"method": "pca", "bits": 16000}', array_fill(random()::real, ARRAY[16000]))::text) FROM generate_series(1, 40) i},
	q{SELECT length(hashemb_train('{"method": "fit", "bits": 8, "features": 16384}', sparse(id), a) ::text) FROM sparse},
	q{SELECT length(svec_agg(i, 1.5, 1000000000)::text) FROM generate_series(1, 16000) i},
	q{SELECT count(*) FROM code x, LATERAL (SELECT FROM dense y ORDER BY dense(y.id) <-> dense(x.id) LIMIT 500) z WHERE x.id < 20});
my ($refused, $done) = (0, 0);
foreach my $statement (@greedy)
{
	my ($out, $err) = $session->query("\\set VERBOSITY verbose\n$statement");

	$err =~ /ERROR:  (\w+)/ ? $refused++ : $done++;
	unlike($err, qr/ERROR:  (?!53200|54000|22023|22000)|FATAL|server closed/, 'succeeds or lacks memory: ' . substr($statement, 0, 70));
}
note "$done succeeded, $refused were refused";
$session->end;

# ---- time ----

# What would take hours: none ends within the minute that it is given
$node->safe_psql('postgres', q{CREATE TABLE many AS SELECT i AS id, bits(i)::bincode(1024) AS c, dense(i) AS f, i % 7 AS y FROM generate_series(1, 3000) i});
my @long = (
	[ 'iterations of itq', q{SELECT hashemb_train('{"method": "itq", "bits": 64, "iterations": 1000000}', f) FROM many} ],
	[ 'steps of rbin', q{SELECT hashemb_train('{"method": "rbin", "bits": 64, "iterations": 1000000}', f, f) FROM many} ],
	[ 'turns of pairs', q{SELECT hashemb_train('{"method": "pairs", "bits": 64, "iterations": 1000000}', f, f) FROM many} ],
	[ 'turns of cross', q{SELECT hashemb_train('{"method": "cross", "bits": 32, "iterations": 1000000}', f, f) FROM many} ],
	[ 'queries of a measurement', q{SELECT hashemb_measure_recall('code_idx', 1000, 2000000)} ],
	[ 'queries of a calibration', q{SELECT hashemb_calibrate('code_idx', (SELECT array_agg(bits(i)) FROM (SELECT bits(i % 100)  AS b, i FROM generate_series(1, 40000000) i) x))} ],
	[ 'searches of a join', q{SELECT count(*) FROM generate_series(1, 100000000) i, LATERAL (SELECT FROM code ORDER BY (bits(id))::bincode(1024) <~> bits(i) LIMIT 10) x} ],
	[ 'distances', q{SELECT sum(a.c <~> b.c) FROM many a, many b, many d} ],
	[ 'an aggregate', q{SELECT sum(sparse(1)) FROM generate_series(1, 2000000000) i} ],
	[ 'a majority', q{SELECT bit_majority(a.c) FROM many a, many b, many d} ]);
foreach my $case (@long)
{
	my ($what, $statement) = @$case;
	my ($code, $out, $err) = $node->psql('postgres', "SET statement_timeout = '300ms'; $statement", timeout => 60, timed_out => \my $late);

	like($err, qr/canceling statement due to statement timeout/, "$what can be interrupted");
}
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/, 'no process crashed');

$node->stop;
done_testing();
