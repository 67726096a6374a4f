package DamagedIndexes;

# Indexes of all kinds, their files to be damaged, and what to ask of them then.
# One server for a test, which runs only while the damage is looked at.
use strict;
use warnings;
use Exporter 'import';
use File::Path ();
use HashembPage;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::RecursiveCopy;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(make_indexes restore an_index read_file write_file check_aims
	statements errors_of_indexes no_crash);

my $copies = 9; # indexes of each kind
my $node;
my $data;  # its folder
my $sound; # a copy of it, with sound indexes
my @indexes;

# Kind: columns of the index, distance operator, query, condition on attributes
my $q1 = '01' x 30;
my $q2 = join('', map { $_ % 4 } 1 .. 37) . '/2';
my $q4 = join('', map { sprintf('%x', $_ * 7 % 16) } 1 .. 33) . '/4';
my $qf = '{' . join(',', map { sprintf('%.3f', sin($_ * $_)) } 1 .. 80) . '}';
my $qw = '{' . join(',', map { my $t = $_;
		'{' . join(',', map { sprintf('%.3f', cos($t * $_ * $_)) } 1 .. 16) . '}' } 1 .. 3) . '}';
my $qb = "{$q1," . '0011' x 15 . '}';
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
		query => '{1:0.5,8:2,31:1}/500', where => 'x < 50', late => 1 },
	{ columns => 'f real_cosine_ops, a, s', op => '<=>', column => 'f',
		query => $qf, where => q{a < 50 AND s <> 's1'},
		options => 'dims = 80, code_bytes = 16, block_rows = 50' },
	{ columns => 'x, f real_l2_ops', op => '<->', column => 'f',
		query => $qf, where => 'x < 50', late => 1, options => 'dims = 80' },
	{ columns => 'w maxsim_ops, a, s', op => '@#', column => 'w',
		query => $qw, where => q{a < 50 AND s <> 's1'}, options => 'dims = 16' },
	{ columns => 'x, w maxsim_ops', op => '@#', column => 'w', query => $qw,
		where => 'x < 50', late => 1, options => 'dims = 16' },
	{ columns => 'b bincode_maxsim_ops, d', op => '@#', column => 'b',
		query => $qb, where => q{d > '2020-01-20'} },
	{ columns => 'v svec_l2_ops, a', op => '<->', column => 'v',
		query => '{1:1,7:2,30:-1,77:1.5}/500', where => 'a < 50' },
	{ columns => 'f real_ip_ops, x', op => '<#>', column => 'f',
		query => $qf, where => 'x < 50', options => 'dims = 80' });

# The rows that every table is filled with
sub make_base
{
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
		ALTER TABLE base ADD f real[];
		UPDATE base SET f = (SELECT array_agg((sin(id % 59 * j) + hashint4(id * 80 + j) / 2.0 ^ 33)::real ORDER BY j)
				FROM generate_series(1, 80) j);
		ALTER TABLE base ADD w real[], ADD b bincode(60)[];
		UPDATE base SET w = (SELECT l2_normalize(array_agg(token)) FROM (
				SELECT array_agg((cos((id * 3 + t) % 47 * j) + hashint4(id * 99 + t * 20 + j) / 2.0 ^ 33)::real ORDER BY j) AS token
				FROM generate_series(1, 16) j, generate_series(1, 1 + id % 6) t GROUP BY t) x),
			b = ARRAY(SELECT (~ c1)::bincode(60) FROM generate_series(1, id % 2) UNION ALL SELECT c1);
		UPDATE base SET w = '{}', b = '{}' WHERE id % 67 = 0;
		UPDATE base SET c1 = NULL, c2 = NULL, c4 = NULL, v = NULL, f = NULL, w = NULL, b = NULL WHERE id % 71 = 0;
		UPDATE base SET a = NULL, s = NULL, l = NULL, d = NULL, m = NULL, x = NULL
		WHERE id % 43 = 0;});
}

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

# Make copies of indexes of some kinds, by their numbers, and a server that is
# stopped; returns the server and the indexes.
sub make_indexes
{
	my (@numbers) = @_;

	$node = PostgreSQL::Test::Cluster->new('damage');
	$node->init(no_data_checksums => 1, extra => ['--wal-segsize=1']);
	$node->append_conf('postgresql.conf', q{
		autovacuum = off
		shared_buffers = 16MB
		max_parallel_workers_per_gather = 0
		jit = off
		restart_after_crash = off});
	$node->start;

	make_base();

	foreach my $k (@numbers)
	{
		push @indexes, { name => "t${k}_$_", number => $k, kind => $kinds[$k] }
		  for 1 .. $copies;
	}
	$node->safe_psql('postgres',
		join("\n", map { create($_->{name}, $_->{kind}) } @indexes));
	$node->safe_psql('postgres', 'VACUUM (TRUNCATE false)');
	# Of sparse vectors, rows that are pending
	$node->safe_psql('postgres', join("\n",
		map { "INSERT INTO $_->{name} SELECT * FROM base WHERE id < 60;" }
		grep { $_->{number} == 7 } @indexes));
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
		WHERE relname ~ '^t[479].*_i' AND c.free_pages > 0}),
		scalar(grep { $_->{number} =~ /^[479]$/ } @indexes),
		'free pages are counted');
	$node->stop;

	$data = $node->data_dir;
	$sound = "$data.sound";
	copy_folder($data, $sound);
	return ($node, @indexes);
}

# Copy a folder, a file at a time.
sub copy_folder
{
	my ($from, $to) = @_;

	PostgreSQL::Test::RecursiveCopy::copypath($from, $to);
	chmod 0700, $to;
}

# Put everything back as it was.
sub restore
{
	File::Path::remove_tree($data);
	copy_folder($sound, $data);
}

# The first index of a kind that is not among the names taken
sub an_index
{
	my ($k, $taken) = @_;
	my ($index) =
	  grep { $_->{number} == $k && !$taken->{ $_->{name} } } @indexes;

	return $index;
}

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

# Damage indexes as aims say, each of them another, and see what hashemb_check
# says. An aim is a title, the number of a kind, what is done to the file, what
# the plain and the full check say (no full one: the same; neither: they say
# nothing), and the number of pages of nobody if they say nothing.
sub check_aims
{
	my (@aims) = @_;
	my (@batches, %used);

	foreach my $aim (@aims)
	{
		my $index = an_index($aim->[1], \%used);

		# More aims than copies: another restart
		push @batches, [] if !@batches || !$index;
		if (!$index)
		{
			%used = ();
			$index = an_index($aim->[1], \%used);
		}
		$used{ $index->{name} } = 1;
		push @{ $batches[-1] }, [ $index, @$aim ];
	}
	check_batch(@$_) foreach @batches;
}

# Damage the indexes of one batch and check them.
sub check_batch
{
	my (@batch) = @_;

	restore();
	foreach my $case (@batch)
	{
		my ($index, $title, $k, $damage) = @$case;
		my $content = read_file($index);

		$damage->(\$content);
		write_file($index, $content);
	}
	$node->start;
	foreach my $case (@batch)
	{
		my ($index, $title, $k, $damage, $plain, $full, $orphans) = @$case;

		$full = $plain if !defined $full;
		foreach my $form ([ 'false', $plain ], [ 'true', $full ])
		{
			my ($all, $expected) = @$form;
			my ($code, $out, $err) = $node->psql('postgres',
				"SELECT orphan_pages FROM "
				  . "hashemb_check('$index->{name}_i', $all)");

			if (defined $expected)
			{
				like($err, $expected, "$title ($all)");
			}
			else
			{
				is($err, '', "$title ($all)");
			}
			is($out, $orphans, "$title ($all): orphans are counted")
			  if defined $orphans;
		}
	}
	$node->stop('immediate');
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

# What psql wrote to standard error, by the name of the index
sub errors_of_indexes
{
	my ($err) = @_;

	return map { /^(\S+)\n(.*)/s ? ($1, $2) : () } split(/== /, $err);
}

# The end of a test: nothing in the server's log of a process that crashed
sub no_crash
{
	my ($seed) = @_;

	unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/,
		'no process crashed')
	  or diag($seed || '');
	File::Path::remove_tree($sound);
	done_testing();
}

1;
