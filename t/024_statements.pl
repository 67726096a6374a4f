# Generated statements give the rows of a sequential scan: every type of
# attribute, operators on it, shapes of query and settings, with the planner free
# and forced.
#
# Each statement runs twice in one session: as it is, and with all but sequential
# scans turned off. Where ties leave a choice, distances must be the same, and
# each row one of those that have that distance.
#
# HASHEMB_STATEMENTS: number of statements (2,000); HASHEMB_SEED: the seed;
# HASHEMB_FAILURES: how many differences are shown (10).
#
# Seen to fail: with exact searches that stop at half of the distance that they
# must go to.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Statements;
use Test::More;

my $statements = $ENV{HASHEMB_STATEMENTS} || 2_000;
my $seed = $ENV{HASHEMB_SEED} || time;
# rows that differ in their attributes
my $rows = 1_200;
my $node = new_node('statements', conf => "shared_buffers = 64MB\nmax_parallel_workers = 2");

note "seed $seed, $statements statements";
srand($seed);

my $icu = $node->safe_psql('postgres', q{SELECT count(*) FROM pg_collation WHERE collname = 'und-x-icu'});
my $nocase = $icu ? q{provider = icu, locale = 'und-u-ks-level2', deterministic = false} : q{locale = 'C'};
$node->safe_psql('postgres', qq{
	CREATE COLLATION nocase ($nocase);
	CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
	CREATE DOMAIN small_int AS int CHECK (VALUE BETWEEN -100 AND 100);
	CREATE DOMAIN short_text AS text CHECK (length(VALUE) < 100);
	CREATE DOMAIN some_ints AS int[];
	-- a number below m that follows from i and k
	CREATE FUNCTION h(i int, k int, m int) RETURNS int LANGUAGE sql IMMUTABLE AS \$\$ SELECT ((hashint8extended(i, k) & 1073741823) % m)::int \$\$;
	-- codes and sparse vectors in seven clusters
	CREATE FUNCTION code_of(i int, dims int, bits int) RETURNS bincode LANGUAGE sql IMMUTABLE AS \$\$
		SELECT (string_agg(to_hex(h(CASE h(i, d, 6) WHEN 0 THEN i ELSE i % 7 - 10 END, 100 + d, 1 << bits)), '' ORDER BY d) || '/' || bits)::bincode FROM generate_series(1, dims) d \$\$;
	CREATE FUNCTION sparse_of(i int) RETURNS svec LANGUAGE sql AS \$\$
		SELECT ('{' || string_agg(d || ':' || h(CASE h(i, d, 3) WHEN 0 THEN i ELSE i % 7 - 10 END, 300 + d, 40) / 8.0, ',' ORDER BY d) || '}/200')::svec
		FROM generate_series(1, 200) d WHERE h(CASE h(i, d, 4) WHEN 0 THEN i ELSE i % 7 - 10 END, 600 + d, 10) = 0 \$\$;
	-- what PL/pgSQL's loops fetch
	CREATE FUNCTION looped(query text, most int) RETURNS TABLE (d float8, id int) LANGUAGE plpgsql AS \$\$
	DECLARE
		n int := 0;
	BEGIN
		FOR d, id IN EXECUTE query LOOP
			EXIT WHEN n >= most;
			n := n + 1;
			RETURN NEXT;
		END LOOP;
	END \$\$;
	CREATE TABLE pal (x int, y int, tc text);
	INSERT INTO pal SELECT i, i % 13, chr(97 + i % 4) FROM generate_series(0, 99) i;
	ANALYZE pal;
});

# Tables: a kind of vector each, and what else there is about them. `columns`
# are those of all, `inside` those that the index has.
my @columns = columns();
my @kinds = kinds();
for my $kind (@kinds)
{
	$kind->{literals} = [ split /\n/, $node->safe_psql('postgres', 'SELECT ' . sprintf($kind->{row}, 'i') . '::text FROM generate_series(1, 60) i') ];
}
$node->safe_psql('postgres', 'CREATE TABLE probe (c bincode(8), ' . join(', ', map { "$_->{name} $_->{type}" } @columns) . ')');
my ($indexable, $other) = ([], []);
for my $column (@columns)
{
	my $result = $node->psql('postgres', "CREATE INDEX ON probe USING hashemb (c, $column->{name})");
	push @{ $result == 0 ? $indexable : $other }, $column;
}
note 'not in indexes: ' . join(', ', map { $_->{type} } @$other);

# The rows' attributes, so that tables share them; some say much of the vector
sub values_of
{
	my ($column, $number) = @_;
	my @values = map { value($column) } 1 .. 12;

	return "CASE WHEN h(i, $number, 12) > 0 THEN (ARRAY[" . join(', ', @values) . "])[1 + CASE h(i, 50 + $number, 3) WHEN 0 THEN h(i % 7, $number, 12) ELSE h(i, 90 + $number, 12) END]::"
	  . ($column->{type} =~ s/ COLLATE .*//r) . ' END';
}
my $attributes = join(', ', map { "$_->{name} $_->{type}" } @columns);
my $names = join(', ', map { $_->{name} } @columns);
$node->safe_psql('postgres', "CREATE TABLE base (i int PRIMARY KEY, $attributes);\nINSERT INTO base SELECT i, " . join(",\n", map { values_of($columns[$_], $_) } 0 .. $#columns)
	  . " FROM generate_series(0, $rows - 1) i; ANALYZE base");

# Every column that can be is in some index
my @deal = (sort { rand() <=> 0.5 } @$indexable) x 5;
my @tables;

sub add_rows
{
	my ($table, $first, $count) = @_;

	my $zero = $table->{kind}{type} =~ /svec/ ? "'{}/200'::svec" : "(repeat('0', $table->{kind}{dims}) || '/$table->{kind}{bits}')::bincode";

	return "INSERT INTO $table->{name} SELECT n, CASE WHEN n % 43 = 5 THEN $zero WHEN n % 41 > 0 THEN " . sprintf($table->{kind}{row}, 'n') . " END, h(n, 1, 100), h(n, 2, 13), jsonb_build_object('k', n % 20), $names\n"
	  . "	FROM generate_series($first, " . ($first + $count - 1) . ") n JOIN base ON i = n % $rows;\n";
}

sub make_table
{
	my ($kind, $what, $n) = @_;
	my $name = "t_$kind->{name}_$what";
	my $of = $what eq 'temp' ? 'TEMP TABLE' : $what eq 'unlogged' ? 'UNLOGGED TABLE' : 'TABLE';
	my %table = (name => $name, kind => $kind, what => $what, columns => \@columns, next => $n + 1);
	my @inside = splice(@deal, 0, $what eq 'plain' ? 9 : 5);
	my %seen;

	@inside = grep { !$seen{ $_->{name} }++ } @inside;
	@inside = (@inside, grep { $_->{name} =~ /^(i4|bo|ai)$/ && !$seen{ $_->{name} }++ } @$indexable) if $what ne 'plain';
	$table{inside} = \@inside;
	my @keys = ("c $kind->{class}", map { $_->{name} } @inside);
	push @keys, pick('((i4::int8 + y))', '(lower(te))', '(abs(y - 6))', '((i4 IS NULL))', 'y', 'x');
	my $options = "block_rows = " . pick(20, 50);
	$options .= ", group_by = '" . pick(map { $_->{name} } grep { $_->{kind} ne 'array' } @inside) . "'" if $what eq 'grouped';
	my $script = "CREATE $of $name (id int, c $kind->{type}, x int, y int, j jsonb, $attributes)" . ($what eq 'partitioned' ? ' PARTITION BY HASH (id)' : '') . ";\n";
	if ($what eq 'partitioned')
	{
		$script .= "CREATE TABLE ${name}_$_ PARTITION OF $name FOR VALUES WITH (MODULUS 3, REMAINDER $_);\n" for 0 .. 2;
	}
	$script .= add_rows(\%table, 1, int($n / 2));
	@keys = sort { rand() <=> 0.5 } @keys;
	$script .= "CREATE INDEX ${name}_idx ON $name USING hashemb (" . join(', ', @keys) . ")" . ($kind->{type} =~ /svec/ ? '' : " WITH ($options)") . ($what eq 'partial' ? ' WHERE y < 10' : '') . ";\n";
	$script .= add_rows(\%table, int($n / 2) + 1, $n - int($n / 2));
	$script .= "CREATE INDEX ON $name (x); CREATE INDEX ON $name USING gin (j);\n";
	$script .= "UPDATE $name SET y = (y + 1) % 13 WHERE id % 9 = 0;\nDELETE FROM $name WHERE id % 23 = 0;\n";
	$script .= pick("VACUUM $name;\n", '') . "ANALYZE $name;\n";
	push @tables, \%table;
	return $script;
}

my $script = "\\set ON_ERROR_STOP 1\n";
my ($hamming) = grep { $_->{name} eq 'hamming_1' } @kinds;
# so many that a search need not see them all
$script .= make_table($_, 'plain', $_ == $hamming ? 4000 : 700) for @kinds;
# The same rows through views: one that hides what its condition rejects, and two
# tables in one
$script .= "CREATE VIEW v_barrier WITH (security_barrier) AS SELECT * FROM $tables[0]{name} WHERE bo;\n";
my @views = ({ %{ $tables[0] }, name => 'v_barrier', what => 'view', from => $tables[0] });
$script .= make_table($hamming, $_, 700) for qw(partitioned temp grouped partial unlogged);
$script .= make_table(pick(@kinds[ 1 .. $#kinds ]), 'partitioned', 500) . make_table(pick(grep { $_->{type} !~ /svec/ } @kinds[ 1 .. $#kinds ]), 'grouped', 500);
$script .= "CREATE VIEW v_both AS SELECT * FROM t_hamming_1_grouped UNION ALL SELECT * FROM t_hamming_1_unlogged;\nCREATE TABLE heir () INHERITS (t_hamming_1_unlogged);\n"
  . "INSERT INTO heir SELECT * FROM t_hamming_1_grouped WHERE id % 3 = 0;\nCREATE INDEX heir_idx ON heir USING hashemb (c, i4);\n";
push @views, { %{ $tables[-1] }, name => 'v_both', what => 'union', kind => $hamming, inside => [ grep { $_->{name} =~ /^(i4|bo|ai)$/ } @columns ] };

# A distance from a row of the table: its SQL, and the query's
sub distance
{
	my ($with, $table, $q) = @_;
	my $operator = $table->{kind}{operator};

	return "$q $operator $with->{alias}c" if $q !~ /\[\]/ && chance(0.1);
	return "$with->{alias}c $operator $q";
}

# A condition that a partial index needs, mostly
sub where
{
	my ($with, $table, $depth) = @_;
	my @conditions = chance(0.12) ? () : condition($with, $table, $depth // pick(0, 0, 1, 2, 3));

	push @conditions, "$with->{alias}y < 10" if $table->{what} eq 'partial' && chance(0.8);
	return @conditions ? 'WHERE ' . join(' AND ', map { "($_)" } @conditions) : '';
}

# A query as a literal, a parameter, or what a row has
sub asked
{
	my ($with, $table) = @_;
	my $q = query($table->{kind});

	return "(SELECT c FROM $table->{name} WHERE id = " . int(1 + rand(300)) . ' LIMIT 1)' if chance(0.12);
	return 'NULL::' . ($table->{kind}{type} =~ s/\(.*//r) if chance(0.02);
	return $q unless $with->{types} && chance(0.7);
	my ($literal, $type) = $q =~ /^(.*)::([^']*)$/;
	push @{ $with->{types} }, $type =~ s/\(.*//r;
	push @{ $with->{values} }, "$literal\::$type";
	return '$' . scalar @{ $with->{types} };
}

sub number
{
	my ($with, $value) = @_;

	return $value unless $with->{types} && chance(0.5);
	push @{ $with->{types} }, 'bigint';
	push @{ $with->{values} }, $value;
	return '$' . scalar @{ $with->{types} };
}

# LIMIT and OFFSET: the SQL, and how many rows they are
sub limit
{
	my ($with) = @_;
	my ($k, $skip) = (pick(0, 1, 1, 3, 10, 10, 10, 10, 40, 100, 130, 500), pick(0, 0, 0, 0, 0, 1, 5, 40, 900));

	return ('LIMIT 9223372036854775807 OFFSET ' . number($with, 1), 1_000_000, 1) if chance(0.02);
	return ('LIMIT ' . pick('ALL', 'NULL', number($with, 'NULL')), 1_000_000, 0) if chance(0.03);
	return ('LIMIT ' . number($with, $k) . ($skip ? ' OFFSET ' . number($with, $skip) : ''), $k, $skip);
}

# Shapes of query: each returns what is to be run, the same without what leaves
# a choice, and how to compare.
my %shapes = (
	nearest => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit, $k, $skip) = limit($with);
		my $query = "SELECT $d AS d, $with->{id} FROM $table->{name} $where ORDER BY " . pick($d, 'd', '1') . ($with->{recall} == 1 && chance(0.05) ? ' NULLS FIRST' : '');

		return ("$query $limit", $query, 'limit', $k, $skip);
	},
	then_id => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit, $k, $skip) = limit($with);
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d, id";

		return ("$query $limit", $query, $with->{recall} < 1 ? 'limit' : 'list', $k, $skip);
	},
	with_ties => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $k = pick(1, 2, 10, 50);
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d";

		return ("$query FETCH FIRST " . number($with, $k) =~ s/^\$.*/$k/r . ' ROWS WITH TIES', $query, 'ties', $k, 0);
	},
	all_ordered => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d";

		return ($query, $query, 'sorted');
	},
	unordered => sub {
		my ($with, $table) = @_;
		my $query = "SELECT id, y FROM $table->{name} " . where($with, $table);

		return ($query, $query, 'set');
	},
	cursor => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d";
		my $first = pick(1, 5, 10, 30, 200);
		my $rest = chance(0.7);

		return ("BEGIN;\nDECLARE c " . pick('', '', 'SCROLL ', 'NO SCROLL ') . 'CURSOR ' . pick('', 'WITH HOLD ') . "FOR $query;\nFETCH $first FROM c;\n"
			  . ($rest ? "FETCH " . pick(3, 20, 150) . " FROM c;\nFETCH ALL FROM c;\n" : '') . "CLOSE c;\nCOMMIT", $query, $rest ? 'sorted' : 'limit', $first, 0);
	},
	loop => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d";
		my $first = pick(3, 60, 100000);

		return ('SELECT * FROM looped(' . quote($query) . ", $first)", $query, 'limit', $first, 0);
	},
	aggregate => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit) = limit($with);
		my $query = "SELECT count(*), count(d), min(d), max(d), round(sum(d)::numeric, 6) FROM (SELECT $d AS d FROM $table->{name} $where ORDER BY $d $limit) s";

		return ($query, $query, 'list');
	},
	common_table => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit) = limit($with);
		my $query = 'WITH near AS ' . pick('', 'MATERIALIZED ', 'NOT MATERIALIZED ') . "(SELECT $d AS d, y FROM $table->{name} $where ORDER BY $d $limit) SELECT d FROM near"
		  . pick('', ' WHERE d < 5', ' WHERE d IS NOT NULL ORDER BY d DESC', ' UNION ALL SELECT -1 - d FROM near');

		return ($query, $query, 'set');
	},
	lateral => sub {
		my ($with, $table) = @_;
		my $kind = $table->{kind};
		my $where = condition({ %$with, alias => 't.', q => 'q.c' }, $table, 1);
		my $same = pick('true', 't.y = q.y', 't.i4 = q.i4', 't.id <> q.id', 't.ai && q.ai', 't.te = q.te', 't.x BETWEEN q.x - 10 AND q.x + 10');
		my $query = "SELECT q.id, s.d FROM $table->{name} q " . pick('', 'LEFT ') . "JOIN LATERAL (SELECT t.c $kind->{operator} q.c AS d FROM $table->{name} t WHERE ($where) AND $same ORDER BY t.c $kind->{operator} q.c "
		  . 'LIMIT ' . pick(1, 3, 20) . ') s ON true WHERE q.id % 101 = ' . int(rand(101));

		return ($query, $query, 'set');
	},
	correlated => sub {
		my ($with, $table) = @_;
		my $kind = $table->{kind};
		my $query = "SELECT q.id, (SELECT t.c $kind->{operator} q.c FROM $table->{name} t WHERE t.id <> q.id AND (" . condition({ %$with, alias => 't.', q => 'q.c' }, $table, 1)
		  . ") ORDER BY t.c $kind->{operator} q.c LIMIT 1) FROM $table->{name} q WHERE q.id % 101 = " . int(rand(101));

		return ($query, $query, 'set');
	},
	join => sub {
		my ($with, $table) = @_;
		$with->{alias} = 't.';
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table, 2));
		my ($limit, $k, $skip) = limit($with);
		my $query = "SELECT $d AS d, t.id, p.x FROM $table->{name} t " . pick('', 'LEFT ') . 'JOIN pal p ON ' . pick('p.x = t.x', 'p.x = t.i4', 'p.x = t.y AND p.y < 5', 'p.y = t.y') . " $where ORDER BY $d";

		return ("$query $limit", $query, 'limit', $k, $skip);
	},
	exists => sub {
		my ($with, $table) = @_;
		$with->{alias} = 't.';
		my $query = 'SELECT p.x FROM pal p WHERE ' . pick('', 'NOT ') . "EXISTS (SELECT FROM $table->{name} t " . (where($with, $table, 2) || 'WHERE true') . ' AND ' . pick('t.x = p.x', 't.y = p.y', 't.i4 = p.x') . ')';

		return ($query, $query, 'set');
	},
	distinct => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit, $k, $skip) = limit($with);
		my $query = pick("SELECT DISTINCT $d AS d FROM $table->{name} $where ORDER BY $d $limit", "SELECT DISTINCT ON ($d) $d AS d FROM $table->{name} $where ORDER BY $d $limit",
			"SELECT DISTINCT y, bo FROM $table->{name} $where");

		return ($query, $query, 'set');
	},
	grouped => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $query = pick("SELECT y, count(*), min($d), max(id) FROM $table->{name} $where GROUP BY y", "SELECT $d, count(*) FROM $table->{name} $where GROUP BY $d ORDER BY $d LIMIT 10",
			"SELECT d, rank FROM (SELECT $d AS d, rank() OVER (ORDER BY $d) FROM $table->{name} $where) s WHERE rank <= 12", "SELECT min($d), count(*) FROM $table->{name} $where");

		return ($query, $query, 'set');
	},
	union => sub {
		my ($with, $table) = @_;
		my $d = distance($with, $table, $with->{q});
		my ($one) = limit($with);
		my ($two) = limit($with);
		my $query = "(SELECT $d AS d FROM $table->{name} " . where($with, $table, 2) . " ORDER BY $d $one) " . pick('UNION ALL', 'UNION ALL', 'UNION', 'EXCEPT') . " (SELECT $d FROM $table->{name} "
		  . where($with, $table, 2) . " ORDER BY $d $two)";

		return ($query, $query, 'set');
	},
	locked => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my ($limit, $k, $skip) = limit($with);
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $d";

		return ("BEGIN;\n$query $limit FOR " . pick('UPDATE', 'SHARE', 'NO KEY UPDATE SKIP LOCKED') . ";\nROLLBACK", $query, 'limit', $k, $skip);
	},
	turned => sub {
		my ($with, $table) = @_;
		my $operator = $table->{kind}{operator};
		my $d = "$with->{alias}c $operator $with->{q}";
		my $where = where($with, $table);
		my ($limit, $k, $skip) = limit($with);
		my $order = $operator eq '<#>' ? pick("-($d)", "0 - ($d)", "($d) * -1") : pick("1 - ($d)", "1 - ($d)", "-($d)");
		my $query = "SELECT $d AS d, id FROM $table->{name} $where ORDER BY $order DESC " . ($with->{recall} < 1 ? 'NULLS LAST' : pick('NULLS LAST', 'NULLS LAST', ''));

		return ("$query $limit", $query, 'limit', $k, $skip);
	},
	semi => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $inner = "SELECT id FROM $table->{name} $where ORDER BY $d, id LIMIT " . pick(1, 10, 60);
		my $query = "SELECT id, y FROM $table->{name} WHERE id " . pick('IN', 'NOT IN') . " ($inner)";

		return ($query, $query, 'set');
	},
	changed => sub {
		my ($with, $table) = @_;
		my ($d, $where) = (distance($with, $table, $with->{q}), where($with, $table));
		my $inner = "SELECT id FROM $table->{name} $where ORDER BY $d, id LIMIT " . pick(1, 10, 60);
		my $query = pick("UPDATE $table->{name} SET y = y + 1", "DELETE FROM $table->{name}") . " WHERE id IN ($inner) RETURNING id, y";

		return ("BEGIN;\n$query;\nROLLBACK", "BEGIN;\n$query;\nROLLBACK", 'set');
	},
	one_row => sub {
		my ($with, $table) = @_;
		my $kind = $table->{kind};
		my $id = int(1 + rand(300));
		my $from = pick("(SELECT c FROM $table->{name} WHERE id = $id LIMIT 1) q", '(VALUES (' . code($kind) . ')) q(c)', "(SELECT max(id) AS id, " . code($kind) . " AS c FROM $table->{name}) q");
		my $where = condition({ %$with, alias => 't.', q => 'q.c' }, $table, 2);
		my ($limit, $k, $skip) = limit($with);
		my $query = "SELECT t.c $kind->{operator} q.c AS d, t.id FROM $table->{name} t, $from WHERE $where ORDER BY t.c $kind->{operator} q.c";

		return ("$query $limit", $query, 'limit', $k, $skip);
	});
# Where fewer rows than all are good enough, their number is not
my %approximate = map { $_ => 1 } qw(nearest then_id with_ties all_ordered unordered cursor loop locked turned grouped exists);
my @weighted = (('nearest') x 12, 'then_id', ('with_ties') x 2, ('unordered') x 6, ('cursor') x 3, keys %shapes);
@weighted = sort @weighted;

sub settings
{
	my ($recall) = @_;
	my @settings = ($recall < 1 ? () : 'hashemb.recall = 1');

	push @settings, 'enable_seqscan = off', chance(0.7) ? 'enable_sort = off' : () if chance(0.6);
	push @settings, pick('enable_indexscan = off', 'hashemb.enable_scan = off', 'enable_bitmapscan = off', 'enable_hashjoin = off', 'enable_nestloop = off', 'enable_material = off', 'enable_memoize = off') if chance(0.3);
	push @settings, 'hashemb.simd = ' . pick('scalar', 'auto') if chance(0.2);
	push @settings, q(work_mem = '64kB') if chance(0.2);
	push @settings, 'jit = on', 'jit_above_cost = 0' if chance(0.02);
	push @settings, 'max_parallel_workers_per_gather = 2', 'parallel_setup_cost = 0', 'parallel_tuple_cost = 0', 'min_parallel_table_scan_size = 0' if chance(0.1);
	push @settings, 'enable_partitionwise_join = on', 'enable_partitionwise_aggregate = on' if chance(0.1);
	push @settings, 'cursor_tuple_fraction = ' . pick('0.001', '1') if chance(0.1);
	return map { "SET $_;" } @settings;
}

# A statement that changes rows
sub change
{
	my ($table) = @_;
	my $some = int(rand(20));

	if (chance(0.4))
	{
		$table->{next} += 40;
		return add_rows($table, $table->{next} - 40, 40);
	}
	return pick("DELETE FROM $table->{name} WHERE id % 67 = $some;\n", "UPDATE $table->{name} SET y = (y + 1) % 13 WHERE id % 31 = $some;\n", "UPDATE $table->{name} SET x = x - 1, i4 = y WHERE id % 43 = $some;\n",
		"UPDATE $table->{name} SET c = NULL WHERE id % 301 = $some;\n", "VACUUM $table->{name};\n", "ANALYZE $table->{name};\n",
		"BEGIN;\nDELETE FROM $table->{name} WHERE id % 5 = 0;\n" . add_rows($table, 100_000, 30) . "ROLLBACK;\n");
}

# After each of several statements, what went wrong
sub watched
{
	my ($sql) = @_;

	return join('', map { "$_;\n\\if :ERROR\n\\echo !ERROR :LAST_ERROR_SQLSTATE :LAST_ERROR_MESSAGE\n\\endif\n" } split /;\n/, $sql);
}

my @runs;
$script .= "\\set ON_ERROR_STOP 0\n";
for my $number (1 .. $statements)
{
	my $table = pick(@tables, @views, $tables[0], $tables[0], $tables[0]);
	my $shape = pick(@weighted);
	$shape = 'nearest' if $table->{what} eq 'union' && $shape =~ /changed|locked/;
	my $prepared = chance(0.25) && $shape !~ /cursor|loop|changed|locked|with_ties/;
	my $recall = $approximate{$shape} && chance(0.25) ? 0.95 : 1;
	my %with = (alias => '', id => 'id', recall => $recall, $prepared ? (types => [], values => []) : ());

	$with{q} = asked(\%with, $table);
	my ($search, $truth, $compare, $k, $skip) = $shapes{$shape}->(\%with, $table);
	my @settings = settings($recall);
	if ($prepared)
	{
		my $types = @{ $with{types} } ? '(' . join(', ', @{ $with{types} }) . ')' : '';
		my $values = @{ $with{values} } ? '(' . join(', ', @{ $with{values} }) . ')' : '';
		push @settings, 'SET plan_cache_mode = ' . pick('force_generic_plan', 'force_custom_plan', 'auto') . ';';
		my $before = chance(0.2) ? "\\o /dev/null\n" . "EXECUTE s$values;\n" x 6 . "\\o\n" : '';
		$search = "PREPARE s$types AS $search;\n${before}EXECUTE s$values;\nDEALLOCATE s";
		$truth = "PREPARE s$types AS $truth;\nEXECUTE s$values;\nDEALLOCATE s";
	}
	$script .= change(pick(@tables)) if $number % 10 == 0;
	# what the transaction itself has changed
	my $own = chance(0.06) && $search !~ /^BEGIN/;
	my $changed = $own ? change($table->{from} // $table->{what} eq 'union' ? $tables[0] : $table) : '';
	$own &&= $changed !~ /VACUUM|BEGIN/;
	$script .= "BEGIN;\n$changed" if $own;
	$script .= "\\set ON_ERROR_STOP 1\n" . join("\n", @settings) . "\n\\set ON_ERROR_STOP 0\n";
	$script .= "\\echo \@$number plan\nEXPLAIN (COSTS OFF) $search;\n" if $search !~ /;/ && $shape !~ /loop/;
	$script .= "\\echo \@$number search\n" . watched($search);
	$script .= "RESET ALL;\nSET enable_indexscan = off; SET enable_indexonlyscan = off; SET enable_bitmapscan = off; SET hashemb.enable_scan = off;\n\\echo \@$number truth\n" . watched($truth) . "\\echo \@0\nRESET ALL;\n" . ($own ? "ROLLBACK;\n" : '');
	push @runs, { number => $number, table => $table->{name}, shape => $shape, settings => "@settings", search => $search, compare => $compare, k => $k, skip => $skip, recall => $recall };
}
$script .= "\\set ON_ERROR_STOP 1\nSELECT 'check', count(*) FROM hashemb_check('$_->{name}_idx', true);\n" for grep { $_->{what} ne 'partitioned' } @tables;
$script .= "\\echo \@end\n";

# Run it all in one session; rows by statement and by whether it is the search
my $file = "$PostgreSQL::Test::Utils::tmp_check/statements.sql";
open(my $handle, '>:raw', $file) or die $!;
print $handle $script;
close $handle;
my ($out, $err) = ('', '');
IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-P', 'null=NULL', '-f', $file, '-d', $node->connstr('postgres') ], '>', \$out, '2>', \$err);
like($out, qr/^\@end$/m, 'the session ran to its end') or diag(substr($err, -2000));
my %rows;
my $to;
for my $line (split /\n/, $out)
{
	if ($line =~ /^\@(\d+) (plan|search|truth)$/)
	{
		$to = $rows{$1}{$2} = [];
	}
	elsif ($line =~ /^\@/)
	{
		$to = undef;
	}
	elsif ($to)
	{
		push @$to, $line;
	}
}

my ($compared, $empty, $errors, %failed) = (0, 0, 0);
my ($plans, %plans) = (0);
for my $run (@runs)
{
	my @plan = @{ $rows{ $run->{number} }{plan} // [] };

	$plans += @plan > 0;
	for my $node ('Custom Scan', 'Index Scan using', 'Bitmap Index Scan', 'Index Cond')
	{
		$plans{$node}++ if grep { /$node.*(_idx| Cond|hashemb)/ } @plan;
	}
}
for my $run (@runs)
{
	my ($got, $truth) = @{ $rows{ $run->{number} } }{qw(search truth)};

	next unless $got && $truth;
	$compared++;
	$empty++ if !@$truth;
	$errors++ if grep { /^!ERROR/ } @$truth;
	note "error: $run->{search}: @$truth" if grep { /^!ERROR/ } @$truth;
	my $wrong = difference($run, $got, $truth);
	next if $wrong eq '';
	push @{ $failed{ $run->{shape} } }, $run->{number};
	diag("statement $run->{number} ($run->{shape}, $run->{table}): $wrong\n$run->{settings}\n$run->{search};") if scalar(map { @$_ } values %failed) <= ($ENV{HASHEMB_FAILURES} || 10);
}
is($compared, $statements, 'all statements were compared');
is(join('; ', map { "$_ @{$failed{$_}}" } sort keys %failed), '', 'every statement gave the rows of a sequential scan');
note "of $plans plans: " . join(', ', map { "$plans{$_} $_" } sort keys %plans);
cmp_ok($plans{'Custom Scan'} // 0, '>', 0.3 * $plans, 'the scan node ran many of them');
cmp_ok($plans{'Bitmap Index Scan'} // 0, '>', 0.03 * $plans, 'and bitmaps some');
note "$empty without rows, $errors with errors";
cmp_ok($empty, '<', 0.4 * $statements, 'most found rows');
cmp_ok($errors, '<', 0.01 * $statements + 1, 'nearly all could be run');

$node->stop;
done_testing();
