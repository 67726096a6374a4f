# Hostile input by SQL: text and binary input of every type that the extension
# has, every function that SQL can call with values, specifications of encoders,
# and bitmaps of rows from other indexes. Whatever is sent, a statement succeeds
# or raises an error of the user's; no backend crashes, hangs, or blames itself
# (SQLSTATE XX...). What a type accepts it prints and reads again, and what a
# search finds through a bitmap is what a sequential scan finds.
#
# Functions and types come from the catalogs, so new ones are asked, too.
# HASHEMB_SEED=n repeats a run, HASHEMB_FUZZ_SECONDS=n makes it longer ("make
# fuzz"). Seen to fail: without the check of a code's shape in HxReceiveBincode
# (XX001 from a value that was stored), with lossy pages of a bitmap taken as
# empty in plan/bitmap_read.c (other rows than a scan's), and when steps of
# aggregates said XX000 of being called by themselves.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $seed = $ENV{HASHEMB_SEED} || int(rand(1_000_000));
my $seconds = $ENV{HASHEMB_FUZZ_SECONDS} || 6;
srand($seed);
note "seed $seed";

my $node = new_node('fuzz', conf => "restart_after_crash = off\nfsync = off\nstatement_timeout = '3s'\nmaintenance_work_mem = '16MB'");
my $folder = PostgreSQL::Test::Utils::tempdir();

# One of a list
sub pick
{
	return $_[ rand @_ ];
}

# ---- values that are almost right ----

my @odd = ('', '0', '-0', '1', '-1', '1e308', '-1e-320', 'NaN', 'inf', '-Infinity', '2147483647', '2147483648', '-2147483648',
	'9223372036854775807', '4294967296', '16000', '16001', '1000000000', '1e10', '/', '/2', '/4', '/5', '/0', '{', '}', '{}', '[', ':', ',', ' ',
	"\\x", "\x{7f}", 'é', 'null', 'true', '"', "\t");
my %seeds = (
	bincode => [ '01', '0110100111', '1' x 64, '0' x 65, '31f0/4', '0123/2', '07/3', 'f' x 33 . '/4' ],
	svec => [ '{1:0.5,30:1.25}/30522', '{}/5', '{1:1}/1', '{2:-1e30,3:1e-30}/1000000', '{5:0.25,7:2,900:1}/1000' ],
	hamming_ball => [ '(0101,3)', '(,0)', '(1,-5)', '(31f0/4,7)' ],
	hashemb_model => ['x'],
	text => [ '<~>', '<', 'euclidean', 'query', 'hamming', 'a b c' ],
	jsonb => [ '{"a": 1, "b": [1, 2.5]}', '[0.5, 0, 2]', '{"1": 0.5, "7": 2}', '{"indices": [1, 4], "values": [0.5, 2]}' ],
	json => ['{"a": 1}'],
	bytea => [ '\\x00ff10', '\\x', '\\x0123456789abcdef' ],
	bit => [ '0101', '1' x 70 ],
	varbit => [ '0101', '' ],
	int4 => [ 1, 2, 8, 64 ], int8 => [ 1, 5, 100 ], int2 => [ 1, 2 ],
	float8 => [ 0.5, 1, -3.25 ], float4 => [ 0.5, 2 ], numeric => [ 1.5, 7 ], bool => [ 't', 'f' ],
	regtype => [ 'real[]', 'svec', 'bincode' ], regclass => [ 'f_code', 'f_sparse', 'f_dense', 'f_lists', 'f', 'pg_class', 'f_a' ]);
my %known = map { $_ => 1 } keys %seeds;

# Harm a string a few times: cut, double, change, put in what is odd
sub harm
{
	my ($s) = @_;

	for (1 .. 1 + int(rand(3)))
	{
		my $at = int(rand(length($s) + 1));
		my $how = int(rand(7));

		$s = substr($s, 0, $at) if $how == 0;
		$s = substr($s, 0, $at) . pick(@odd) . substr($s, $at) if $how == 1;
		substr($s, $at, 1) = pick(@odd) if $how == 2 && $at < length $s;
		$s .= substr($s, $at) if $how == 3 && length $s < 3000;
		substr($s, $at, 1) = chr(33 + rand(90)) if $how == 4 && $at < length $s;
		$s =~ s/\d+(?:\.\d+)?/pick(@odd)/e if $how == 5;
		$s = substr($s, $at) . substr($s, 0, $at) if $how == 6;
	}
	return $s;
}

# A literal of a type, almost right; arrays have a few elements, some NULL
sub literal
{
	my ($type) = @_;
	my $text;

	return 'NULL' if rand() < .02;
	if ($type =~ /^_(.*)/)
	{
		my @elements = map {
			my $e = rand() < .05 ? harm(pick(@{ $seeds{$1} || ['1'] })) : pick(@{ $seeds{$1} || ['1'] });
			$e =~ s/(["\\])/\\$1/g;
			rand() < .01 ? 'NULL' : "\"$e\"";
		} 1 .. pick(0, 1, 3, 8, 8, 8);
		$text = '{' . join(',', @elements) . '}';
	}
	else
	{
		$text = pick(@{ $seeds{$type} || [ '1', 'x' ] });
		$text = harm($text) if rand() < .15;
	}
	$text =~ s/'/''/g;
	return "'$text'::$type";
}

# ---- statements ----

# Codes, sparse and dense vectors, lists of tokens, indexes of each, and models of
# each kind as seeds
$node->safe_psql('postgres', q{
	CREATE TABLE f AS SELECT i AS id, i % 50 AS a, i / 40 AS b, i / 25 AS e, ARRAY[i % 7, i % 11] AS g, repeat('x', 900) AS pad, binarize(v)::bincode(32) AS c, v,
			svec(ARRAY(SELECT j FROM generate_series(1, 12) j WHERE (i * j) % 5 > 1 OR j = 1), ARRAY(SELECT 1 + sin(i * j) / 2 FROM generate_series(1, 12) j WHERE (i * j) % 5 > 1 OR j = 1), 12)::svec(12) AS s
		FROM (SELECT i, ARRAY(SELECT sin(i * i * d)::real FROM generate_series(1, 32) d) AS v FROM generate_series(1, 2500) i) x;
	ALTER TABLE f ADD w real[];
	UPDATE f SET w = CASE WHEN id % 4 = 0 THEN ARRAY[v[1:8]] ELSE ARRAY[v[1:8], v[9:16], v[17:24]] END;
	DELETE FROM f WHERE id % 13 = 5;
	CREATE INDEX f_code ON f USING hashemb (c, b);
	CREATE INDEX f_sparse ON f USING hashemb (s, b);
	CREATE INDEX f_dense ON f USING hashemb (v real_l2_ops, b) WITH (dims = 32);
	CREATE INDEX f_lists ON f USING hashemb (w maxsim_ops, b) WITH (dims = 8);
	CREATE INDEX f_a ON f (a); CREATE INDEX f_g ON f USING gin (g); CREATE INDEX f_e ON f USING brin (e) WITH (pages_per_range = 4);
	VACUUM ANALYZE f;
	CREATE FUNCTION show(t anyelement, again text) RETURNS text LANGUAGE plpgsql AS $$
		BEGIN IF t::text IS DISTINCT FROM again THEN RAISE EXCEPTION 'DIFFERS %', left(again, 300); END IF; RETURN NULL; END $$;});
$seeds{hashemb_model} = [ split /\n/, $node->safe_psql('postgres', q{
	SELECT hashemb_train(s::jsonb, v[:4])::text FROM (SELECT v FROM f LIMIT 60) x, unnest(ARRAY['{"method": "pca", "bits": 4}', '{"method": "random", "dims": 3, "bits": 2}', '{"method": "itq", "bits": 3}',
		'{"method": "rq", "levels": 2, "codes": 4}', '{"method": "pq", "dims": 2}']) s GROUP BY s
	UNION ALL SELECT hashemb_train('{"method": "dedup", "threshold": 0.5}', v[:4], id)::text FROM f WHERE id < 60
	UNION ALL SELECT hashemb_train('{"method": "pieces", "size": 20}', g)::text FROM f UNION ALL SELECT hashemb_train('{"method": "freq", "own": 5}', a)::text FROM f
	UNION ALL SELECT hashemb_train('{"method": "louvain"}', a, e)::text FROM f UNION ALL SELECT hashemb_train('{"method": "pvdbow", "bits": 8, "least": 1}', g)::text FROM f}) ];
$seeds{jsonb} = [ @{ $seeds{jsonb} }, split /\n/, $node->safe_psql('postgres', join(' UNION ALL ', map { "SELECT hashemb_export('$_')::text" } @{ $seeds{hashemb_model} })) ];

# Is a type only made by functions?
sub takes_no_text
{
	my ($type) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "SELECT 'x'::$type");

	return $err =~ /cannot accept a value/;
}

my @types = split /\n/, $node->safe_psql('postgres', q{
	SELECT typname, typreceive <> 0 AND typsend <> 0 FROM pg_type t JOIN pg_depend d ON d.classid = 'pg_type'::regclass AND d.objid = t.oid AND d.deptype = 'e'
		JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'hashemb' WHERE typtype = 'b' AND typcategory <> 'A'});
@types = grep { !takes_no_text((split /\|/)[0]) } @types;
my @functions = map { [ split /\|/, $_, -1 ] } split /\n/, $node->safe_psql('postgres', q{
	SELECT p.proname, (SELECT string_agg(typname, ' ' ORDER BY n) FROM unnest(proargtypes) WITH ORDINALITY a(t, n) JOIN pg_type ON pg_type.oid = t)
	FROM pg_proc p JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e' JOIN pg_extension e ON e.oid = d.refobjid AND extname = 'hashemb'
	WHERE prokind = 'f' AND pronargs > 0 AND NOT proargtypes::oid[] && ARRAY['internal'::regtype, 'cstring'::regtype, '"any"'::regtype]::oid[] ORDER BY 1, 2});
cmp_ok(scalar @types, '>', 3, 'the extension has types');
cmp_ok(scalar @functions, '>', 100, 'the extension has functions');

my %concrete = (anyelement => 'int4', anyarray => '_int4', anycompatible => 'int4', anynonarray => 'int4');

sub call
{
	my ($name, $args) = @{ pick(@functions) };
	my @args = map { literal($concrete{$_} || $_) } split / /, $args;

	return "SELECT left($name(" . join(', ', @args) . ')::text, 1)';
}

# Text that is read, printed and read again
sub read_text
{
	my ($type) = split /\|/, pick(@types);
	my $value = pick(@{ $seeds{$type} || [ '1', 'x' ] });

	$value = harm($value) if rand() < .8;
	$value =~ s/'/''/g;

	return "SELECT show(t, (t::text)::${type}::text) FROM (SELECT '$value'::$type AS t OFFSET 0) x";
}

# What there is to specify, from hints of errors
sub hint
{
	my ($spec) = @_;
	my ($code, $out, $err) = $node->psql('postgres', "SELECT hashemb_train('$spec', v) FROM f WHERE id = 1");

	return [ ($err =~ /^HINT:(.*)/m ? $1 : '') =~ /"(\w+)"/g ];
}
my @methods = @{ hint('{"method": "x"}') };
my %keys = map { $_ => hint("{\"method\": \"$_\", \"x\": 1}") } @methods;
my @keys = map { @$_ } values %keys;
cmp_ok(scalar @methods, '>', 15, 'training has methods');
cmp_ok(scalar @keys, '>', 100, 'which have keys');

# A specification: known keys with values that are right, odd, or of another type
sub specification
{
	my $method = pick(@methods);
	my @parts = ("\"method\": \"$method\"");

	for (1 .. int(rand(4)))
	{
		my $value = pick(0, 1, 2, 3, 4, 8, 8, 0.5, -1, '1e300', 2147483648, '"int8"', '"code"', '"float"', 'true', 'null', '[]', '[1, 2]', '[8, 4]', '{}', '"x"', '"margin_mse"');
		push @parts, '"' . pick(rand() < .9 ? @{ $keys{$method} } : @keys) . "\": $value";
	}
	my $spec = '{' . join(', ', @parts) . '}';
	return rand() < .1 ? harm($spec) : $spec;
}

sub train
{
	my $spec = specification() =~ s/'/''/gr;
	my $y = pick('', '', ', c', ', a', ', v', ', v[2:9]', ', s', ', NULL::real[]', ', a::text', ', ARRAY[a, b]');
	my $x = pick('v', 'v[:8]', 's', 's', 'g', 'a', "to_tsvector('simple', 'w' || a || ' w' || b || ' w' || e)", 'v[:1 + a % 2]', q{'{NaN, 1}'::real[]}, q{'{}'::real[]}, "CASE WHEN a > 3 THEN v END");

	return "SELECT length(hashemb_encode(m, v[:8])::text) FROM (SELECT hashemb_train('$spec', $x$y) AS m FROM (SELECT * FROM f LIMIT " . pick(0, 1, 2, 40, 40) . ') r) x, f LIMIT 3';
}

# A search with conditions that other indexes decide, and without any index
sub bitmap
{
	my @conditions = map {
		pick('a = ' . int(rand(52)), 'a < ' . int(rand(55)), 'a IN (3, ' . int(rand(50)) . ', 70)', 'g && ARRAY[' . int(rand(12)) . ']',
			'g @> ARRAY[' . int(rand(7)) . ', ' . int(rand(11)) . ']', 'b < ' . int(rand(64)), 'e = ' . int(rand(100)), 'e BETWEEN ' . int(rand(90)) . ' AND ' . int(rand(100)), 'id % 3 = 1')
	} 1 .. 1 + rand(3);
	my $where = join(pick(' AND ', ' OR '), @conditions);
	my $order = pick("c <~> '" . join('', map { int(rand(2)) } 1 .. 32) . "'", "s <#> '{1:1," . (2 + int(rand(10))) . ":-0.5}/12'", "v <-> ARRAY(SELECT sin(" . $seed % 9973 . " * d)::real FROM generate_series(1, 32) d)",
		"w @# ARRAY(SELECT ARRAY(SELECT sin(t * d * d)::real FROM generate_series(1, 8) d) FROM generate_series(1, 3) t)");
	my $query = "SELECT md5(coalesce(string_agg(round(d::numeric, 6)::text, ' '), '')) FROM (SELECT $order AS d FROM f WHERE $where ORDER BY $order LIMIT " . pick(1, 10, 200) . ') x';

	return "\\unset by_indexmd5\n\\unset by_tablemd5\nSET hashemb.recall = 1; SET work_mem = '" . pick('64kB', '4MB') . "'; SET enable_seqscan = off; SET enable_sort = off;\n$query \\gset by_index\n"
	  . "RESET enable_seqscan; RESET enable_sort; SET enable_indexscan = off; SET enable_bitmapscan = off; SET hashemb.enable_scan = off;\n$query \\gset by_table\n"
	  . "RESET ALL;\n\\if :{?by_indexmd5}\n\\if :{?by_tablemd5}\nSELECT 1 / (:'by_indexmd5' = :'by_tablemd5')::int;\n\\endif\n\\endif\n";
}

# Bytes of a value, as its type sends them, harmed, in a file for COPY
my %sent;
foreach my $type (map { (split /\|/)[0] } grep { /\|t$/ } @types)
{
	my $send = $node->safe_psql('postgres', "SELECT typsend FROM pg_type WHERE typname = '$type'");
	my (undef, $out) = $node->psql('postgres', join(";\n", map { "SELECT encode($send('$_'::$type), 'hex')" } @{ $seeds{$type} || ['1'] }), on_error_stop => 0);

	push @{ $sent{$type} }, grep { $_ ne '' } split /\n/, $out // '';
	$node->safe_psql('postgres', "CREATE TABLE got_$type (x $type)");
	note scalar @{ $sent{$type} || [] }, " binary seeds of $type";
}
my $files = 0;

sub read_binary
{
	my $type = pick(sort keys %sent);
	my $bytes = pack('H*', pick(@{ $sent{$type} }, '00'));

	for (1 .. int(rand(3)))
	{
		my $at = int(rand(length($bytes) + 1));
		my $how = int(rand(4));

		substr($bytes, $at, 1) = chr(rand(256)) if $how == 0 && $at < length $bytes;
		$bytes = substr($bytes, 0, $at) if $how == 1;
		$bytes .= substr($bytes, $at) if $how == 2;
		substr($bytes, $at, 4) = pack('N', pick(0, 1, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, 16001, 0x7fc00000)) if $how == 3 && $at + 4 <= length $bytes;
	}
	my $file = "$folder/" . $files++ % 500;
	open(my $out, '>:raw', $file) or die $!;
	print $out "PGCOPY\n\377\r\n\0", pack('NN', 0, 0), pack('nN', 1, length $bytes), $bytes, pack('n', 0xFFFF);
	close $out;
	return "BEGIN; COPY got_$type FROM '$file' (FORMAT binary); SELECT show(x, (x::text)::${type}::text) FROM got_$type; ROLLBACK";
}

# ---- rounds ----

my $end = time() + $seconds;
my ($rounds, $statements, $errors, @surprises) = (0, 0, 0);
my %messages;
do
{
	my @batch = ((map { read_text() } 1 .. 120), (map { read_binary() } 1 .. 120), (map { call() } 1 .. 200), (map { train() } 1 .. 40), (map { bitmap() } 1 .. 30));
	my $script = "\\set VERBOSITY verbose\n" . join('', map { "\\warn == $_\n$batch[$_]\n;ROLLBACK;\n" } 0 .. $#batch);
	my ($out, $err) = ('', '');

	open(my $keep, '>:utf8', "$folder/batch.sql") or die $!;
	print $keep $script;
	close $keep;
	IPC::Run::run([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres'), '-f', "$folder/batch.sql" ], '>', \$out, '2>', \$err, IPC::Run::timeout(500));
	$rounds++;
	$statements += @batch;
	foreach my $part (split /== /, $err)
	{
		my ($number) = $part =~ /(\d+)$/m or next;
		while ($part =~ /(?:ERROR|FATAL|PANIC):\s+(\w{5}): (.*)/g)
		{
			my ($state, $message) = ($1, $2);
			next if $state eq '25P02'; # after another error
			$errors++;
			$messages{ ($batch[$number] =~ /(train|COPY|show|by_index)/)[0] // 'call' }{ "$state " . ($message =~ s/["'].*?["']|\d+|\(.*/_/gr) }++;
			push @surprises, "$state $message\n  " . substr($batch[$number], 0, 600) if $state =~ /^(XX|58|57P)/ || $message =~ /DIFFERS|division by zero/;
		}
		push @surprises, 'lost: ' . substr($batch[$number], 0, 600) if $part =~ /connection to server was lost|server closed/;
	}
} while (time() < $end && !@surprises);

is(join("\n", @surprises[ 0 .. ($#surprises > 9 ? 9 : $#surprises) ]), '', 'errors are of the user, and what is read is what was printed') or diag("seed $seed");
foreach my $what (sort keys %messages)
{
	my $of = $messages{$what};
	my @most = sort { $of->{$b} <=> $of->{$a} } keys %$of;

	note "$what: $of->{$_} $_" foreach @most[ 0 .. ($#most > 4 ? 4 : $#most) ];
}
note "$rounds rounds, $statements statements, $errors errors";
cmp_ok($errors, '>', 0.2 * $statements, 'much is refused');
cmp_ok($errors, '<', 0.9 * $statements, 'and something accepted');
unlike(slurp_file($node->logfile), qr/terminated by signal|PANIC|TRAP:/, 'no process crashed') or diag("seed $seed");

$node->stop;
done_testing();
