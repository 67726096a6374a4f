# Encoders of real embeddings: the share of the ten nearest rows by cosine that
# is found among the nearest codes, and labels that were not seen in training.
# HASHEMB_WORDNET names a folder with embeddings of WordNet; since it takes many
# minutes, HASHEMB_LONG must be set as well.
use strict;
use warnings;
use FindBin;
use lib $FindBin::RealBin;
use HashembTest;
use PostgreSQL::Test::Utils;
use Test::More;

my $folder = $ENV{HASHEMB_WORDNET};

plan skip_all => 'HASHEMB_WORDNET names no folder with embeddings' unless $folder;
plan skip_all => 'HASHEMB_LONG is not set' unless $ENV{HASHEMB_LONG};
my $dims = 512;
my $queries = $ENV{HASHEMB_QUERIES} || 300;
my $paired = 1000;
my $node = new_node('encoder_wordnet', conf => "shared_buffers = 256MB\nmax_wal_size = 4GB\nwork_mem = 64MB");

# Rows are signed bytes, whose scale "normalize" undoes
my @docs = `zstd -dcq '$folder/docs.tsv.zst'`;
my $copy = $node->basedir . '/items.tsv';
open(my $vectors, '<:raw', "$folder/dense.i8") or die "dense.i8: $!";
open(my $out, '>', $copy) or die "$copy: $!";
shift @docs;
foreach my $row (0 .. $#docs)
{
	my ($id, $key, $pos, $lexname) = split /\t/, $docs[$row];

	read($vectors, my $bytes, $dims) == $dims or die 'dense.i8 is too short';
	print $out join("\t", $row, $lexname, '{' . join(',', unpack('c*', $bytes)) . '}'), "\n";
}
close $out;
my $floats = slurp_file("$folder/queries.f32");
my @near = unpack('l<*', slurp_file("$folder/gt_cos.ids.i32"));
open($out, '>', $node->basedir . '/queries.tsv') or die $!;
foreach my $q (0 .. $paired - 1)
{
	print $out join("\t", $q, '{' . join(',', map { sprintf '%.9g', $_ } unpack("f<$dims", substr($floats, 4 * $dims * $q, 4 * $dims))) . '}',
		'{' . join(',', @near[ 100 * $q .. 100 * $q + 9 ]) . '}'), "\n";
}
close $out;
$node->safe_psql('postgres', qq{
	CREATE UNLOGGED TABLE item (id int, lexname text, x real[]);
	COPY item FROM '$copy';
	CREATE UNLOGGED TABLE query (q int, x real[], near int[]);
	COPY query FROM '@{[$node->basedir]}/queries.tsv'});

# Floors of the share found among the k nearest, for k = 10, 20, 50, 100, of which queries are better than the centred
# ones of the prototype that they come from. "asked" and "view" are the view of queries, which takes less than the mean
# away: that must reach the floors. What is centred must not be below by more than two standard errors.
my @floors = (
	[ '"dims": 512', 'float', .600, .808, .949, .986 ],
	[ '"dims": 512', 'view', .600, .808, .949, .986 ],
	[ '"dims": 256, "bits": 2', 'code', .622, .818, .951, .987 ],
	[ '"dims": 256, "bits": 2', 'asked', .622, .818, .951, .987 ],
	[ '"dims": 256, "bits": 2', 'float', .682, .872, .977, .997 ],
	[ '"dims": 256, "bits": 2', 'view', .682, .872, .977, .997 ],
	[ '"dims": 128, "bits": 4', 'code', .711, .916, .989, .999 ],
	[ '"dims": 128, "bits": 4', 'asked', .711, .916, .989, .999 ],
	[ '"dims": 128, "bits": 4', 'float', .718, .924, .990, .999 ],
	[ '"dims": 128, "bits": 4', 'view', .718, .924, .990, .999 ]);
my %by = (
	code => [ 'hashemb_encode(m, x)', '<=>' ],
	float => [ 'hashemb_project(m, x)', '<=>' ],
	asked => [ q{hashemb_encode(m, x, 'query')}, '<=>' ],
	view => [ q{hashemb_project(m, x, 'query')}, '<=>' ]);
my $trained = '';
foreach (@floors)
{
	my ($shape, $kind, @floor) = @$_;
	my ($query, $operator) = @{ $by{$kind} };

	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS model, code;
		CREATE TABLE model AS SELECT hashemb_train('{"method": "pca", $shape, "normalize": true}', x ORDER BY id) AS m FROM item;
		CREATE UNLOGGED TABLE code AS SELECT id, hashemb_encode(m, x) AS c FROM item, model}) if $shape ne $trained;
	$trained = $shape;
	# queries are encoded first: inside the search it would be done for each row
	my ($shares, $errors) = split /\|/, $node->safe_psql('postgres', qq{
		WITH asked AS MATERIALIZED (SELECT near, $query AS c FROM query, model WHERE q < $queries),
		found AS MATERIALIZED (SELECT near, ARRAY(SELECT id FROM code ORDER BY code.c $operator asked.c, id LIMIT 100) AS ids FROM asked)
		SELECT string_agg(round(share, 3)::text, ' ' ORDER BY k), string_agg(round(error, 4)::text, ' ' ORDER BY k) FROM (SELECT k, avg(hits) / 10 AS share,
			stddev(hits) / 10 / sqrt(count(*)::numeric) AS error FROM (SELECT k, (SELECT count(*) FROM unnest(ids[:k]) i WHERE i = ANY (near)) AS hits
			FROM found, unnest('{10,20,50,100}'::int[]) k) h GROUP BY k) t});
	my @share = split ' ', $shares;
	my @error = split ' ', $errors;

	note "$shape, $kind: $shares, standard errors $errors";
	ok(!(grep { $share[$_] + 2 * $error[$_] < $floor[$_] } 0 .. 3), "$shape, $kind: not below @floor");
	ok(!(grep { $share[$_] < $floor[$_] } 0 .. 3), "$shape, $kind: at least @floor") if $kind eq 'asked' || $kind eq 'view';
}

# Learnt by gradients, 256 x 2 between codes: against what is not learnt, on the same queries, of which nothing was
# chosen by those after the first 300. A loss is one if it is above twice its standard error.
$node->safe_psql('postgres', 'CREATE TABLE hits (name text, q int, share float8)');
foreach ([ 'pca', 'pca', 1 ], [ 'rbin', 'rbin', 1 ], [ 'rbin of another seed', 'rbin', 2 ])
{
	my ($name, $method, $seed) = @$_;

	$node->safe_psql('postgres', qq{
		SET maintenance_work_mem = '256MB';
		DROP TABLE IF EXISTS model, code;
		CREATE TABLE model AS SELECT hashemb_train('{"method": "$method", "dims": 256, "bits": 2, "normalize": true, "seed": $seed}', x ORDER BY id) AS m FROM item;
		CREATE UNLOGGED TABLE code AS SELECT id, hashemb_encode(m, x) AS c FROM item, model;
		INSERT INTO hits WITH asked AS MATERIALIZED (SELECT q, near, hashemb_encode(m, x) AS c FROM query, model)
		SELECT '$name', q, (SELECT count(*) FROM unnest(near) i WHERE i = ANY (ARRAY(SELECT id FROM code ORDER BY code.c <=> asked.c, id LIMIT 10))) / 10.0 FROM asked});
	next if $method eq 'pca';
	foreach my $first (0, 300)
	{
		my $gain = $node->safe_psql('postgres', qq{
			SELECT round(avg(a.share)::numeric, 3) || ' ' || round(avg(b.share)::numeric, 3) || ' ' || round(avg(b.share - a.share)::numeric, 4) || ' ' ||
				round((stddev(b.share - a.share) / sqrt(count(*)))::numeric, 4)
			FROM hits a JOIN hits b USING (q) WHERE a.name = 'pca' AND b.name = '$name' AND q >= $first});
		my @number = split ' ', $gain;
		note "$name, queries from $first: $gain";
		cmp_ok($number[2], '>', -2 * $number[3], "$name finds no less than pca, queries from $first");
		cmp_ok($number[1], '>', 0.622 + 2 * $number[3], "$name finds more than a share of .622, queries from $first");
	}
}

# Labels: one row in twenty was not trained on, and a few of these ask
my $map = q{SELECT round(avg(ap)::numeric, 3) FROM (SELECT q.id, sum((hits::float8) / place) / count(*) AS ap FROM held q, LATERAL
	(SELECT same, row_number() OVER w AS place, sum(same::int) OVER w AS hits
	FROM (SELECT item.lexname = q.lexname AS same, item.c <~> q.c AS distance, hashint4(id) AS h FROM stored item) d WINDOW w AS (ORDER BY distance, h)) p
	WHERE same GROUP BY q.id) s};
my %map;
foreach my $method ('class', 'itq')
{
	my $y = $method eq 'class' ? ', hashtext(lexname)' : '';
	my $spec = $method eq 'class' ? '' : ', "iterations": 20';

	$node->safe_psql('postgres', qq{
		DROP TABLE IF EXISTS model, held, stored;
		CREATE TABLE model AS SELECT hashemb_train('{"method": "$method", "bits": 64, "normalize": true$spec}', x$y ORDER BY id) AS m FROM item WHERE id % 20 <> 0;
		CREATE TABLE held AS SELECT id, lexname, hashemb_encode(m, x) AS c FROM item, model WHERE id % 1200 = 0;
		CREATE TABLE stored AS SELECT id, lexname, hashemb_encode(m, x) AS c FROM item, model WHERE id % 6 = 1 AND id % 20 <> 0});
	$map{$method} = $node->safe_psql('postgres', $map);
	note "mean average precision, $method: $map{$method}";
}
cmp_ok($map{class}, '>=', 0.28, 'codes learnt from labels put rows of one label together');
cmp_ok($map{itq}, '<', $map{class} - 0.1, 'and others do so less');
$node->stop;
done_testing();
