# Orders by random sums of distances, through the node for sums, equal those of
# sequential scans at recall 1: one to four terms of all kinds, weights from 0 to
# 100, constants and parameters, some negative at run time, terms that are the same
# for all rows, NULL and NaN, filters inside the indexes and beside them, LIMIT and
# OFFSET, partitions, LATERAL, while rows come, change and go.
#
# HASHEMB_SUMS: number of queries (500); HASHEMB_SEED: the seed.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $queries = $ENV{HASHEMB_SUMS} || 500;
my $seed = $ENV{HASHEMB_SEED} || time;
my $node = new_node('sums', conf => "shared_buffers = 64MB");

note "seed $seed, $queries queries";
srand($seed);

$node->safe_psql('postgres', q{
	CREATE FUNCTION bits(i int, salt int) RETURNS bit(64) LANGUAGE sql IMMUTABLE AS $$
		SELECT hashint8extended(i % 11, salt)::bit(64) # (hashint8extended(i, salt + 1) & hashint8extended(i, salt + 2) & hashint8extended(i, salt + 3))::bit(64) $$;
	CREATE FUNCTION floats(i int, salt int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
		SELECT array_agg((hashint8extended(i % 13 * 100 + d, salt) % 100 + hashint8extended(i * 100 + d, salt) % 40)::real) FROM generate_series(1, 12) d $$;
	CREATE FUNCTION words(i int, salt int) RETURNS svec LANGUAGE sql IMMUTABLE AS $$
		SELECT svec(array_agg(d), array_agg(w), 500) FROM (SELECT (1 + abs(hashint8extended(i * 100 + j, salt)) % CASE j % 3 WHEN 0 THEN 500 ELSE 30 END)::int AS d,
			(max(1 + abs(hashint8extended(i * 100 + j, salt + 1)) % 100) / 8.0)::real AS w FROM generate_series(1, 8) j GROUP BY 1) t $$;
	CREATE FUNCTION tokens(i int, salt int) RETURNS real[] LANGUAGE sql IMMUTABLE AS $$
		SELECT CASE WHEN i % 53 = 0 THEN '{}' ELSE ARRAY(SELECT ARRAY(SELECT (hashint8extended((i % 17 * 10 + t) * 100 + d, salt) % 100 + hashint8extended((i * 10 + t) * 100 + d, salt) % 50)::real
			FROM generate_series(1, 8) d) FROM generate_series(1, 1 + i % 4) t) END $$;
	CREATE TABLE items (id int, c bincode(64), u bincode(64), m bincode(32, 2), s svec(500), t svec(500), v real[], w real[], p real[], same bincode(8), a int, b text, x int) PARTITION BY HASH (id);
	CREATE TABLE items_0 PARTITION OF items FOR VALUES WITH (MODULUS 3, REMAINDER 0);
	CREATE TABLE items_1 PARTITION OF items FOR VALUES WITH (MODULUS 3, REMAINDER 1);
	CREATE TABLE items_2 PARTITION OF items FOR VALUES WITH (MODULUS 3, REMAINDER 2);
	CREATE TABLE one (LIKE items);
	CREATE FUNCTION add(tab regclass, first int, count int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('INSERT INTO %s SELECT i, CASE WHEN i %% 41 > 0 THEN bits(i, 1)::bincode END,
			CASE WHEN i %% 97 = 0 THEN repeat(''0'', 64)::bincode WHEN i %% 50 > 0 THEN bits(i, 20)::bincode END,
			(SELECT string_agg(to_hex(abs(hashint8extended(i * 50 + d, 5)) %% 4), '''') || ''/2'' FROM generate_series(1, 32) d)::bincode(32, 2),
			CASE WHEN i %% 37 > 0 THEN words(i, 7) END, CASE WHEN i %% 61 = 0 THEN ''{}/500''::svec ELSE words(i, 9) END,
			CASE WHEN i %% 43 > 0 THEN floats(i, 11) END, CASE WHEN i %% 71 = 0 THEN array_fill(0::real, ARRAY[12]) ELSE floats(i, 13) END,
			CASE WHEN i %% 47 > 0 THEN tokens(i, 15) END,
			''01100110'', CASE WHEN i %% 9 > 0 THEN hashint4(i) %% 50 END, CASE WHEN i %% 10 > 0 THEN ''b'' || i %% 30 END, i %% 100
			FROM generate_series(%s, %s) i', tab, first, first + count - 1);
	END $$;
	CREATE FUNCTION index(tab text) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		EXECUTE format('CREATE INDEX ON %I USING hashemb (c, a, b)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (u bincode_cosine_ops, a)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (u bincode_jaccard_ops)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (m bincode_ip_ops, b)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (s, a)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (t svec_cosine_ops, b, a)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (v real_l2_ops, a) WITH (dims = 12)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (w real_cosine_ops) WITH (dims = 12)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (p maxsim_ops, a) WITH (dims = 8)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (same, a)', tab);
		EXECUTE format('CREATE INDEX ON %I USING hashemb (c bincode_ip_ops, b) WHERE a > 10', tab);
		EXECUTE format('CREATE INDEX ON %I (x)', tab);
	END $$;
	SELECT add('one', 1, 3000), add('items', 1, 5000);
	SELECT index(tab) FROM unnest('{one,items_0,items_1,items_2}'::text[]) tab;
	ANALYZE one, items;

	CREATE TABLE results (query text, rows int, wrong text, plan text);
	-- Run a query as it is, and by a scan of the table with a sort of all sums: the
	-- same sums at the same places, and each row a different one of that sum.
	CREATE FUNCTION compare(query text, everything text, k bigint, skip bigint, p float8, mode text, memory text) RETURNS void LANGUAGE plpgsql AS $$
	DECLARE
		run text := format('EXECUTE q(%L, %s, %s)', p, coalesce(k::text, 'NULL'), coalesce(skip::text, 'NULL'));
		truth text[];
		got text[];
		want text[];
		wrong text;
		line text;
		plan text := '';
	BEGIN
		EXECUTE format('PREPARE q (float8, bigint, bigint) AS %s', query);
		PERFORM set_config('plan_cache_mode', 'force_' || mode || '_plan', true), set_config('work_mem', memory, true), set_config('enable_seqscan', 'off', true), set_config('enable_sort', 'off', true);
		FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || run LOOP
			plan := plan || coalesce(substring(line from '(Custom Scan \(.*\) |Seq Scan|[0-9.]+ searches|Table Sweeps|Merge Append|Index Cond|Sort Key)'), '') || ' ';
		END LOOP;
		EXECUTE run INTO got;
		DEALLOCATE q;
		PERFORM set_config('enable_seqscan', 'on', true), set_config('enable_sort', 'on', true), set_config('hashemb.enable_scan', 'off', true),
			set_config('enable_indexscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('plan_cache_mode', 'auto', true);
		EXECUTE everything INTO truth USING p;
		PERFORM set_config('enable_indexscan', 'on', true), set_config('enable_bitmapscan', 'on', true), set_config('hashemb.enable_scan', 'on', true);
		truth := coalesce(truth, '{}');
		got := coalesce(got, '{}');
		want := truth[1 + coalesce(skip, 0):least(coalesce(skip, 0) + coalesce(k, 1000000), 1000000)];
		IF cardinality(got) <> cardinality(want) THEN
			wrong := format('%s rows instead of %s', cardinality(got), cardinality(want));
		ELSIF ARRAY(SELECT split_part(g, ' ', 1) FROM unnest(got) g) <> ARRAY(SELECT split_part(w, ' ', 1) FROM unnest(want) w) THEN
			wrong := format('other sums: %s instead of %s', got[1:20], want[1:20]);
		ELSIF NOT got <@ truth THEN
			wrong := 'rows that do not match';
		ELSIF (SELECT count(DISTINCT g) FROM unnest(got) g) <> cardinality(got) THEN
			wrong := 'rows that come twice';
		END IF;
		INSERT INTO results VALUES (query || ' -- ' || run, cardinality(got), wrong, plan);
	END $$;
});

sub pick
{
	return $_[ rand @_ ];
}

# A query vector of a term, and the distances that it has
my @terms = (
	sub { 'c <~> ' . query_code(1) },
	sub { 'c <~> ' . query_code(1) },
	sub { 'u <=> ' . query_code(20) },
	sub { 'u <%> ' . query_code(20) },
	sub { sprintf q{m <#> (SELECT string_agg(to_hex(abs(hashint8extended(%d * 50 + d, 5)) %% 4), '') || '/2' FROM generate_series(1, 32) d)::bincode(32, 2)}, rand 5000 },
	sub { 's <#> ' . query_words(7) },
	sub { 't <=> ' . query_words(9) },
	sub { 'v <-> ' . query_floats(11) },
	sub { 'w <=> ' . query_floats(13) },
	sub { sprintf 'p @# tokens(%d, 15)', 1 + 53 * int(rand 100) + rand 50 },
	sub { q{same <~> '00110011'} },
	sub { 'c <#> ' . query_code(1) });

sub query_code { return pick(sprintf(q{bits(%d, %d)::bincode}, rand 6000, $_[0])) }
sub query_words { return pick(sprintf(q{words(%d, %d)}, rand 6000, $_[0]), sprintf(q{words(%d, %d)}, rand 6000, $_[0]), q{'{1:1}/500'::svec}) }
sub query_floats { return pick(sprintf(q{floats(%d, %d)}, rand 6000, $_[0])) }

# $tab is the table's name; $1 is a parameter.
sub weight
{
	return pick(0, 1, 100, 0.5, sprintf('%.3f', rand), sprintf('%.2f', rand 100), '$1', '$1', '$1 / 3', "'0.25'::float4", '$1::float4');
}

sub term
{
	my $distance = '(' . pick(@terms)->() . ')';
	$distance = "($2 $1 c)" if $distance =~ /^\(c (\S+) (.*)\)$/ && rand() < 0.3;
	my $form = int rand 6;

	return $distance if $form == 0;
	return $distance . ' * ' . weight() if $form == 1;
	return $distance . ' / ' . pick(2, 64, '8::float4', '(abs($1) + 1)') if $form == 2;
	return weight() . " * ($distance + " . pick(0.5, '$1') . ')' if $form == 3;
	return weight() . " * $distance\::float4" if $form == 4;
	return weight() . " * $distance";
}

sub sum
{
	my $count = pick(1, 2, 2, 2, 2, 3, 3, 4);
	my $sum = term();

	for (2 .. $count)
	{
		my $term = term();
		$sum = pick("$sum + $term", "$sum + $term", "$term + ($sum)", weight() . " * ($sum) + $term");
	}
	$sum .= pick(' + 1', ' - 0.5', ' + $1', ' - $1 * 2') if rand() < 0.2;
	return $sum;
}

sub condition
{
	my @conditions;

	push @conditions, pick('a < 25', 'a = 7', 'a IS NULL', 'a > 10', 'a BETWEEN 12 AND 20', 'a > 48', "b = 'b7'", "b IN ('b1', 'b2', 'b3')", 'x < 50', 'x = 3', 'x < 2 OR a = 1', 'x % 7 = 2',
		'c IS NOT NULL', 's IS NULL', 'false', 'c <~> ' . query_code(1) . ' < 26', "b = 'b9' AND a < 20")
		for 1 .. pick(0, 0, 1, 1, 1, 2);
	return @conditions ? join(' AND ', @conditions) : 'true';
}

my $next_id = 6000;

sub change
{
	my $tab = pick('one', 'items');
	my $low = int rand 4000;

	return pick(
		sprintf("SELECT add('%s', %d, 40)", $tab, $next_id += 40),
		sprintf("UPDATE %s SET x = (x + 1) %% 100 WHERE id BETWEEN %d AND %d", $tab, $low, $low + 50),
		sprintf("UPDATE %s SET a = a + 1, c = bits(id, 1)::bincode WHERE id BETWEEN %d AND %d", $tab, $low, $low + 50),
		sprintf("UPDATE %s SET s = words(id + 1, 7) WHERE id BETWEEN %d AND %d", $tab, $low, $low + 50),
		sprintf("DELETE FROM %s WHERE id BETWEEN %d AND %d", $tab, $low, $low + 20),
		"VACUUM $tab");
}

sub literal
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

my $script = "SET hashemb.recall = 1;\nSET client_min_messages = warning;\n";
for my $number (1 .. $queries)
{
	my $tab = pick('one', 'one', 'items');
	my $sum = sum();
	my $where = condition();
	my $k = pick('NULL', 1, 5, 10, 10, 10, 50, 200, 1000);
	my $skip = pick('NULL', 'NULL', 'NULL', 0, 5, 30);
	my $p = pick(0, 1, 1, 2.5, 100, -1, 0.01, "'NaN'::float8", "'infinity'::float8", 'NULL');
	my $inner = "SELECT $sum AS d, id FROM $tab WHERE $where ORDER BY $sum LIMIT \$2 OFFSET \$3";
	my $lateral = rand() < 0.1;
	my $query = "SELECT array_agg(coalesce((s.d + 0)::text, 'NULL') || ' ' || s.id) FROM ($inner) s";
	$query = "SELECT array_agg(coalesce((s.d + 0)::text, 'NULL') || ' ' || s.id) FROM (SELECT max(o.y) AS y FROM (VALUES (1), (2)) o (y)) o, LATERAL ($inner) s" if $lateral;
	my $everything = "SELECT array_agg(coalesce((s.d + 0)::text, 'NULL') || ' ' || s.id ORDER BY s.d) FROM (SELECT $sum AS d, id FROM $tab WHERE $where OFFSET 0) s";

	$script .= sprintf "SELECT compare(%s, %s, %s, %s, %s, %s, %s);\n", literal($query), literal($everything), $k, $skip, $p, literal(pick('generic', 'custom')), literal(pick('4MB', '4MB', '64kB'));
	$script .= change() . ";\n" if $number % 10 == 0;
}

my ($status, $out, $err) = $node->psql('postgres', $script, on_error_stop => 0, timeout => 3600);
my @errors = grep { /ERROR/ } split /\n/, $err;
is(scalar @errors, 0, 'no query fails') or diag(join("\n", @errors[0 .. ($#errors > 9 ? 9 : $#errors)]));
is($node->safe_psql('postgres', 'SELECT count(*) FROM results'), $queries, 'all queries were run');
is($node->safe_psql('postgres', q{SELECT wrong || ': ' || query || E'\n' || plan FROM results WHERE wrong IS NOT NULL LIMIT 5}), '', 'queries equal sequential scans');
my ($by_node, $sweeps, $searches, $merged, $found) = split /\|/, $node->safe_psql('postgres', q{
	SELECT count(*) FILTER (WHERE plan LIKE '%hashemb sum%'), count(*) FILTER (WHERE plan LIKE '%Table Sweeps%'), count(*) FILTER (WHERE plan LIKE '% searches%' AND plan NOT LIKE '%Table Sweeps%'),
		count(*) FILTER (WHERE plan LIKE '%Merge Append%hashemb sum%'), count(*) FILTER (WHERE rows > 0) FROM results});
note "$by_node by the node for sums, $sweeps with a sweep, $searches without, $merged of partitions, $found with rows";
cmp_ok($by_node, '>', $queries / 2, 'most queries are answered by the node');
cmp_ok($searches, '>', $queries / 10, 'many by searches alone');
cmp_ok($sweeps, '>', 0, 'some with a sweep');
cmp_ok($merged, '>', 0, 'some of partitions');

$node->stop;
done_testing();
