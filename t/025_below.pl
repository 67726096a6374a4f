# Conditions on distances in indexes whose distances are estimates: random queries
# through the index equal the same queries without any index, at recall 1, with
# every operator, type and comparison, in every order, joined, prepared or not,
# while rows come and go. Below recall 1 what comes satisfies the conditions, in
# order, and as many of the rows that do come as are promised.
#
# HASHEMB_BELOW: number of queries (600); HASHEMB_SEED: the seed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $queries = $ENV{HASHEMB_BELOW} || 600;
my $seed = $ENV{HASHEMB_SEED} || time;
my $node = new_node('below', conf => 'shared_buffers = 64MB');
my $has_vector = $node->safe_psql('postgres', "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'");

note "seed $seed, $queries queries";
srand($seed);

# Rows in clusters, of which some are copies; zero vectors and NULLs
$node->safe_psql('postgres', q{
	CREATE FUNCTION draw(i int, j int) RETURNS float8 LANGUAGE sql IMMUTABLE AS $$SELECT hashint8extended(i * 1000003::bigint + j, 7) / 9.3e18$$;
	CREATE FUNCTION vec(i int, dims int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN i % 97 = 5 THEN array_fill(0::real, ARRAY[dims])
			ELSE array_agg((draw(i % 23, j) + 0.4 * draw(CASE WHEN i % 10 = 3 THEN i % 70 ELSE i END, 100 + j))::real ORDER BY j) END FROM generate_series(1, dims) j $$;
	CREATE FUNCTION list(i int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$SELECT CASE WHEN i % 89 = 4 THEN '{}' ELSE (SELECT array_agg(vec(i % 40 * 100 + i / 40 * 3 + t * 7, 16)) FROM generate_series(1, 2 + i % 3) t WHERE (i * 4 + t) % 97 <> 5) END $$;
	CREATE FUNCTION sparse(i int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN i % 97 = 5 THEN '{}/400'::svec ELSE svec(array_agg(d), array_agg(w), 400) END FROM (SELECT (i % 19) * 20 + abs(hashint4(i * 13 + j)) % 40 + 1 AS d,
			max(draw(CASE WHEN i % 10 = 3 THEN i % 70 ELSE i END, j)::real)::float8 AS w FROM generate_series(1, 8) j GROUP BY 1) s WHERE w <> 0 $$;
	CREATE TABLE arr (id int, v real[], a int, x int);
	CREATE TABLE whole (LIKE arr);
	CREATE TABLE few (LIKE arr);
	CREATE TABLE parts (LIKE arr) PARTITION BY HASH (id);
	CREATE TABLE part0 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 0);
	CREATE TABLE part1 PARTITION OF parts FOR VALUES WITH (MODULUS 2, REMAINDER 1);
	CREATE TABLE lists (LIKE arr);
	CREATE TABLE terms (id int, v svec(400), a int, x int);
	CREATE FUNCTION fill(name text, make text, first int, last int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %I SELECT i, CASE WHEN i %% 41 <> 7 THEN %s END, NULLIF(i %% 12, 5), i %% 50 FROM generate_series(%s, %s) i', name, make, first, last);
	END $$;
	SELECT fill('arr', 'vec(i, 80)', 1, 3000), fill('whole', 'vec(i, 24)', 1, 3000), fill('few', 'vec(i, 24)', 1, 500), fill('parts', 'vec(i, 24)', 1, 3600),
		fill('lists', 'list(i)', 1, 1500), fill('terms', 'sparse(i)', 1, 2500);
	CREATE INDEX ON arr USING hashemb (v real_l2_ops, a) WITH (dims = 80, block_rows = 40);
	CREATE INDEX ON arr USING hashemb (a, v real_ip_ops) WITH (dims = 80, block_rows = 40);
	CREATE INDEX ON arr USING hashemb (v real_cosine_ops, a) WITH (dims = 80, block_rows = 40);
	CREATE INDEX ON whole USING hashemb (v real_l2_ops) WHERE a < 9;
	CREATE INDEX ON whole USING hashemb (v real_ip_ops, a);
	CREATE INDEX ON whole USING hashemb (v real_cosine_ops, a);
	CREATE INDEX ON whole (x);
	CREATE INDEX ON few USING hashemb (v real_l2_ops, a);
	CREATE INDEX ON few USING hashemb (v real_cosine_ops, a);
	CREATE INDEX ON parts USING hashemb (v real_cosine_ops, a);
	CREATE INDEX ON parts USING hashemb (v real_l2_ops, a);
	CREATE INDEX ON lists USING hashemb (v maxsim_ops, a) WITH (dims = 16);
	CREATE INDEX ON terms USING hashemb (v svec_l2_ops, a);
	CREATE INDEX ON terms USING hashemb (v svec_cosine_ops, a);
	SELECT fill(t, 'vec(i, 80)', 3001, 3300) FROM unnest('{arr}'::text[]) t; SELECT fill('whole', 'vec(i, 24)', 3001, 3300), fill('terms', 'sparse(i)', 2501, 2800), fill('lists', 'list(i)', 1501, 1700);
	DELETE FROM arr WHERE id % 11 = 3; DELETE FROM whole WHERE id % 11 = 3; DELETE FROM terms WHERE id % 11 = 3; DELETE FROM lists WHERE id % 11 = 3;
	UPDATE whole SET v = vec(id + 1, 24) WHERE id % 13 = 2;
	ANALYZE;

	CREATE TABLE results (n int, query text, rows int, wrong text, plan text);
	-- Run a query that gives an array of text as it is planned, and as it is without
	-- any index; it must come to the same
	CREATE FUNCTION compare(n int, types text, query text, args text, truth text, mode text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		got text[];
		want text[];
		plan text := '';
		line text;
	BEGIN
		EXECUTE format('PREPARE q%s AS %s', types, query);
		PERFORM set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
		IF mode ~ 'generic' THEN PERFORM set_config('plan_cache_mode', 'force_generic_plan', true); END IF;
		IF mode ~ 'plain' THEN PERFORM set_config('hashemb.enable_scan', 'off', true); END IF;
		IF mode ~ 'nobitmap' THEN PERFORM set_config('enable_bitmapscan', 'off', true); END IF;
		FOR line IN EXECUTE 'EXPLAIN (COSTS OFF) EXECUTE q' || args LOOP
			plan := plan || coalesce(substring(line from '(Custom Scan|Index Scan using|Bitmap Index Scan|Index Cond: .*(?:<|>)|Strategy: .*|Recall Target: 1|Heap Filter|One-Time)'), '') || ' ';
		END LOOP;
		EXECUTE 'EXECUTE q' || args INTO got;
		DEALLOCATE q;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
			set_config('hashemb.enable_scan', 'off', true), set_config('plan_cache_mode', 'auto', true);
		EXECUTE truth INTO want;
		PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('hashemb.enable_scan', 'on', true);
		INSERT INTO results VALUES (n, query || ' ' || args, cardinality(want), CASE WHEN got IS DISTINCT FROM want THEN format('%s rows for %s, %s for %s', cardinality(got), cardinality(want), left(got::text, 300), left(want::text, 300)) END, plan);
	END $$;
	CREATE FUNCTION bound(tab text, distance text, share float8, off text) RETURNS text LANGUAGE plpgsql AS $$
	DECLARE
		c float8;
	BEGIN
		EXECUTE format('SELECT percentile_disc(%s) WITHIN GROUP (ORDER BY d) FROM (SELECT %s AS d FROM %s) s WHERE d < ''NaN''', share, distance, tab) INTO c;
		RETURN CASE off WHEN '' THEN c ELSE c + off::float8 END;
	END $$;});

# What is searched: table, operators, how a row's vector is made, types of queries
my @array_types = ('real[]', 'real[]', 'double precision[]', 'numeric[]');
my @searched = (
	{ table => 'arr', ops => [ '<->', '<#>', '<=>' ], make => 'vec(%s, 80)', types => \@array_types },
	{ table => 'whole', ops => [ '<->', '<#>', '<=>' ], make => 'vec(%s, 24)', types => \@array_types, partial => 1 },
	{ table => 'few', ops => [ '<->', '<=>' ], make => 'vec(%s, 24)', types => \@array_types },
	{ table => 'parts', ops => [ '<->', '<=>' ], make => 'vec(%s, 24)', types => \@array_types },
	{ table => 'lists', ops => ['@#'], make => 'list(%s)', types => [ 'real[]', 'double precision[]' ] },
	{ table => 'terms', ops => [ '<->', '<=>' ], make => 'sparse(%s)', types => ['svec'] });

if ($has_vector)
{
	$node->safe_psql('postgres', q{
		CREATE EXTENSION hashemb_pgvector CASCADE;
		CREATE TABLE vecs (id int, v vector(24), a int, x int);
		CREATE TABLE halves (id int, v halfvec(24), a int, x int);
		SELECT fill('vecs', 'vec(i, 24)::vector', 1, 2500), fill('halves', 'vec(i, 24)::vector::halfvec', 1, 2500);
		CREATE INDEX ON vecs USING hashemb (v vector_l2_ops, a); CREATE INDEX ON vecs USING hashemb (v vector_ip_ops, a); CREATE INDEX ON vecs USING hashemb (v vector_cosine_ops, a);
		CREATE INDEX ON halves USING hashemb (v halfvec_l2_ops, a); CREATE INDEX ON halves USING hashemb (v halfvec_ip_ops, a); CREATE INDEX ON halves USING hashemb (v halfvec_cosine_ops, a);
		ANALYZE vecs, halves});
	push @searched, { table => 'vecs', ops => [ '<->', '<#>', '<=>' ], make => 'vec(%s, 24)::vector', types => ['vector'] },
		{ table => 'halves', ops => [ '<->', '<#>', '<=>' ], make => 'vec(%s, 24)::vector::halfvec', types => ['halfvec'] };
}

sub pick { return $_[ int(rand(@_)) ]; }

# Texts of vectors of queries: of rows, near rows, and zero
foreach my $of (@searched)
{
	my @rows = (map({ 1 + int(rand(2500)) } 1 .. 40), map({ 3000 + int(rand(5000)) } 1 .. 20), map({ 5 + 97 * int(rand(20)) } 1 .. 3));

	$of->{vectors} = [ split /\n/, $node->safe_psql('postgres', 'SELECT ' . sprintf($of->{make}, 'i') . ' FROM unnest(ARRAY[' . join(', ', @rows) . ']) WITH ORDINALITY u(i, n) ORDER BY n') ];
}

sub query_vector
{
	my ($of) = @_;

	return rand() < 0.05 ? undef : pick(@{ $of->{vectors} });
}

sub literal
{
	my ($value, $type) = @_;

	return defined $value ? "'$value'::$type" : "NULL::$type";
}

# A comparison of a distance with a value, which stands for c
sub comparison
{
	my ($distance, $c) = @_;
	my $op = pick('<', '<', '<', '<=', '<=', '>', '>=', '=');
	my %turned = ('<' => '>', '<=' => '>=', '>' => '<', '>=' => '<=', '=' => '=');

	return pick("($distance) $op $c", "($distance) $op $c", "$c $turned{$op} ($distance)", "-($distance) $turned{$op} -($c)", "1 - ($distance) $turned{$op} 1 - ($c)");
}

my @bounds = map { "'$_'::float8" } ('NaN', 'Infinity', '-Infinity', '-1', '0', '1e300', '-1e300', '1e-300');
my $batch = '';
my @drawn;

for my $n (1 .. $queries)
{
	# Fifty at a time, with values that distances of rows have
	if (!@drawn)
	{
		for (1 .. 50)
		{
			my $of = pick(@searched);

			push @drawn, { of => $of, op => pick(@{ $of->{ops} }), type => pick(@{ $of->{types} }), vector => query_vector($of) };
		}
		my @values = split /\n/, $node->safe_psql('postgres', join('; ', map {
			"SELECT coalesce(bound('$_->{of}{table}', \$d\$v $_->{op} " . literal($_->{vector}, $_->{type}) . "\$d\$, " . pick('0', '0.001', '0.01', '0.03', '0.1', '0.5', '1') . ', ' . literal(pick('', '', '1e-9', '-1e-9'), 'text') . "), 'NULL')" } @drawn));

		$_->{c} = shift @values foreach @drawn;
	}
	my $draw = shift @drawn;
	my ($of, $op, $type, $vector) = @$draw{qw(of op type vector)};
	my $q = literal($vector, $type);
	my $other = literal(query_vector($of), pick(@{ $of->{types} }));
	my $c = rand() < 0.15 ? pick(@bounds, 'NULL::float8') : $draw->{c} eq 'NULL' ? 'NULL::float8' : "'$draw->{c}'::float8";
	my $k = pick('1', '3', '10', '10', '100', '1000', '0', 'NULL', 'ALL');
	my $skip = pick('0', '0', '0', '2', '20');
	# Text of the statement: parameters, or what they stand for
	my $make = sub {
		my ($qt, $ct, $kt, $ot) = @_;

		srand($seed * 10_000 + $n); # the same choices both times
		my $distance = rand() < 0.15 && $of->{table} ne 'lists' && $type !~ /\[\]/ ? "$qt $op v" : "v $op $qt";
		my @conditions = (comparison($distance, $ct));
		push @conditions, "(v $op $qt) BETWEEN ($ct) - 0.1 AND $ct" if rand() < 0.15;
		push @conditions, comparison($distance, pick("($ct) * 0.5", "($ct) + 0.05")) if rand() < 0.2;
		push @conditions, pick('a = 3', 'a < 6', 'a IS NULL', 'id % 7 = 1', 'x < 5', 'a IN (1, 2, 8)', 'v IS NOT NULL', "a = 2 AND id % 3 = 0") if rand() < 0.4;
		push @conditions, 'a < 9' if $of->{partial} && rand() < 0.5;
		push @conditions, "(v $op $other) < ($ct) + 0.1" if rand() < 0.15;
		push @conditions, '((' . pop(@conditions) . ') OR (' . comparison($distance, "($ct) * 0.9") . '))' if rand() < 0.1;
		my $where = join(' AND ', @conditions);
		my $order = pick('near', 'near', 'near', 'ties', 'none', 'none', 'other', 'far', 'join', 'with_ties');
		my $limit = $kt eq 'ALL' ? '' : "LIMIT $kt OFFSET $ot";

		return "SELECT array_agg(id::text ORDER BY id) FROM $of->{table} WHERE $where" if $order eq 'none';
		return "SELECT array_agg(s.d::text ORDER BY s.d) FROM (SELECT v $op $other AS d FROM $of->{table} WHERE $where ORDER BY v $op $other $limit) s" if $order eq 'other';
		return "SELECT array_agg(s.d::text || ' ' || s.id ORDER BY s.d, s.id) FROM (SELECT v $op $qt AS d, id FROM $of->{table} WHERE $where ORDER BY v $op $qt, id $limit) s" if $order eq 'ties';
		return "SELECT array_agg(s.d::text || ' ' || s.id ORDER BY s.d, s.id) FROM (SELECT v $op $qt AS d, id FROM $of->{table} WHERE $where ORDER BY v $op $qt FETCH FIRST 5 ROWS WITH TIES) s" if $order eq 'with_ties';
		return "SELECT array_agg(s.d::text) FROM (SELECT 1 - (v $op $qt) AS d FROM $of->{table} WHERE $where ORDER BY 1 - (v $op $qt) DESC $limit) s" if $order eq 'far';
		return "SELECT array_agg(o.i || ' ' || coalesce(s.d::text, '')) FROM generate_series(1, 3) o(i), LATERAL (SELECT " . sprintf($of->{make}, 'o.i * 7') . " AS q OFFSET 0) p,
			LATERAL (SELECT v $op p.q AS d FROM $of->{table} WHERE v $op p.q < $ct AND $where ORDER BY v $op p.q LIMIT 5) s" if $order eq 'join';
		return "SELECT array_agg(s.d::text) FROM (SELECT v $op $qt AS d FROM $of->{table} WHERE $where ORDER BY v $op $qt $limit) s";
	};
	my $truth = $make->($q, $c, $k, $skip);
	my $mode = pick('custom', 'generic', 'generic', 'literal', 'plain', 'plain nobitmap', 'nobitmap', 'literal nobitmap');
	my ($types, $query, $args) = ("($type, float8, bigint, bigint)", $make->('$1', '$2', $k eq 'ALL' ? $k : '$3', '$4'), "($q, $c, " . ($k eq 'ALL' ? 'NULL' : $k) . ", $skip)");

	($types, $query, $args) = ('', $truth, '') if $mode =~ /literal/ || $mode =~ /plain/;
	$types = '' if $query !~ /\$[1234]/;
	$batch .= "SELECT compare($n, \$T\$$types\$T\$, \$T\$$query\$T\$, \$T\$$args\$T\$, \$T\$$truth\$T\$, '$mode');\n";
	srand($seed * 10_000 + $n + 5_000);
	if ($n % 50 == 0 || $n == $queries)
	{
		$node->safe_psql('postgres', "SET hashemb.recall = 1; SET work_mem = '" . pick('64kB', '4MB') . "'; $batch");
		$batch = '';
		$node->safe_psql('postgres', 'DELETE FROM arr WHERE id % 53 = ' . int(rand(53)) . "; SELECT fill('arr', 'vec(i, 80)', 10000 + $n, 10010 + $n); VACUUM arr") if rand() < 0.2;
	}
}

is($node->safe_psql('postgres', 'SELECT count(*) FROM results'), $queries, 'all were run');
is($node->safe_psql('postgres', "SELECT string_agg(n || ': ' || query || E'\\n' || wrong || E'\\n' || plan, E'\\n\\n') FROM (SELECT * FROM results WHERE wrong IS NOT NULL ORDER BY n LIMIT 5) r"), '', 'as without an index');
foreach my $way ([ 'by the node', 'Custom Scan.*Index Cond: .*[<>]' ], [ 'by a bitmap', 'Bitmap Index Scan.*Index Cond: .*@<' ], [ 'by a plain scan', 'Index Scan using.*Index Cond: .*@<' ], [ 'for all rows', 'Recall Target: 1' ], [ 'beside heap rows', 'Index Cond.*Heap Filter' ])
{
	cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM results WHERE plan ~ '$way->[1]'"), '>', $queries / 100, "conditions are decided $way->[0]");
}
cmp_ok($node->safe_psql('postgres', 'SELECT count(*) FROM results WHERE rows BETWEEN 1 AND 50'), '>', $queries / 10, 'many have few rows');

# -- Below recall 1: of the rows that pass and are wanted, how many come?
$node->safe_psql('postgres', q{
	CREATE TABLE big (id int, v real[], a int);
	INSERT INTO big SELECT i, vec(i + 100000, 80), i % 10 FROM generate_series(1, 20000) i WHERE (i + 100000) % 97 <> 5;
	CREATE INDEX ON big USING hashemb (v real_cosine_ops, a) WITH (dims = 80);
	ANALYZE big;
	CREATE FUNCTION recall(i int, ranked int, k int, filter text) RETURNS TABLE (wanted int, found int, wrong int, fetched int) LANGUAGE plpgsql AS $$
	DECLARE
		q real[] := vec(i, 80);
		c float8;
		truth float8[];
		got float8[];
		wrong_order int;
		work json;
	BEGIN
		EXECUTE format('SELECT d FROM (SELECT v <=> $1 AS d FROM big) s ORDER BY d OFFSET %s LIMIT 1', ranked) INTO c USING q;
		EXECUTE format('SELECT array_agg(d ORDER BY d) FROM (SELECT d FROM (SELECT v <=> $1 AS d FROM big WHERE %s OFFSET 0) s WHERE d < $2 ORDER BY d LIMIT %s) s', filter, k) INTO truth USING q, c;
		EXECUTE format('SELECT array_agg(d), count(*) FILTER (WHERE NOT d < $2 OR d < before) FROM (SELECT d, lag(d) OVER () AS before FROM (SELECT v <=> $1 AS d FROM big WHERE v <=> $1 < $2 AND %s ORDER BY v <=> $1 LIMIT %s) s) s', filter, k)
			INTO got, wrong_order USING q, c;
		EXECUTE format('EXPLAIN (ANALYZE, FORMAT json) SELECT id FROM big WHERE v <=> $1 < $2 AND %s ORDER BY v <=> $1 LIMIT %s', filter, k) INTO work USING q, c;
		RETURN QUERY SELECT coalesce(cardinality(truth), 0), (SELECT count(*)::int FROM unnest(got) d WHERE d <= truth[cardinality(truth)]), wrong_order, (work #>> '{0,Plan,Plans,0,Heap Fetches}')::int;
	END $$;});
foreach my $target (0.8, 0.95)
{
	foreach my $case ([ 4, 10, 'true' ], [ 60, 100, 'true' ], [ 300, 20, 'a < 3' ], [ 40, 1000, 'a = 4' ])
	{
		my ($ranked, $k, $filter) = @$case;
		my ($mean, $error, $wrong, $fetched) = split /\|/, $node->safe_psql('postgres', "SET enable_seqscan = off; SET hashemb.recall = $target;
			SELECT avg(least(found, wanted) / wanted::float8), stddev(least(found, wanted) / wanted::float8) / sqrt(count(*)), sum(wrong), avg(fetched) FROM generate_series(1, 120) i, LATERAL recall(i * 31, $ranked, $k, \$\$$filter\$\$) WHERE wanted > 0");

		note "target $target, $ranked rows below, LIMIT $k, $filter: recall $mean, rows looked at $fetched";
		cmp_ok($mean + 2 * $error, '>=', $target, "recall $target, LIMIT $k of $ranked rows below, $filter");
		is($wrong, 0, 'in order, and all below');
		cmp_ok($fetched, '<', 3_000, 'not all rows are looked at');
	}
}

# A cursor without a LIMIT is exact at any recall
is($node->safe_psql('postgres', q{SET enable_seqscan = off; SET enable_sort = off; SET hashemb.recall = 0.8;
	CREATE FUNCTION drained(q real[], c float8) RETURNS bigint LANGUAGE plpgsql AS $$
	DECLARE
		cur CURSOR FOR SELECT id FROM big WHERE v <=> q < c ORDER BY v <=> q;
		n bigint := 0;
	BEGIN
		FOR r IN cur LOOP n := n + 1; END LOOP;
		RETURN n;
	END $$;
	SELECT drained(vec(31, 80), 0.2) = (SELECT count(*) FROM (SELECT v <=> vec(31, 80) AS d FROM big OFFSET 0) s WHERE d < 0.2), drained(vec(31, 80), 0.2) > 20}), 't|t', 'a cursor');

$node->stop;
done_testing();
