# What README.md and docs/ say is true: every SQL statement of a document runs,
# in order, in one session, and gives the output that is shown; links lead
# somewhere; messages that are quoted are messages of the code; and whatever SQL
# can name of the extension, the documents name.
#
# A block of SQL may be followed by a plain block, its output. A block below a
# line "<!-- needs pgvector" runs where the server has pgvector.
#
# Seen to fail: with a number in an output of docs/operate.md that is another.
use strict;
use warnings;
use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(__FILE__) . '/..';
my @documents = ('README.md',
	map { 'docs/' . basename($_) } sort glob("$root/docs/*.md"));
my %text = map { $_ => slurp_file("$root/$_") }
  @documents, 'CHANGELOG.md', 'CONTRIBUTING.md', 'bench/README.md';
my $node = PostgreSQL::Test::Cluster->new('readme');

# Text without what does not matter: trailing blanks, psql's count of rows
sub plain
{
	my ($table) = @_;

	$table =~ s/[ \t]+$//gm;
	$table =~ s/^\(\d+ rows?\)$//gm;
	$table =~ s/^psql:<stdin>:\d+: //gm;
	$table =~ s/\n+$//;
	return $table;
}

# Blocks of SQL with the output that is shown, as a list of hashes
sub blocks_of
{
	my ($document) = @_;
	my (@blocks, $last);

	while ($text{$document} =~ /(^<!-- needs .*\n)?^```(\w*)\n((?s:.*?))^```$/gm)
	{
		my ($needs, $language, $body) = ($1, $2, $3);

		if ($language eq '' && $last)
		{
			$last->{shown} = $body;
		}
		fail("$document: a plain block that is no output: $body")
		  if $language eq '' && !$last;
		$last = $language eq 'sql' ? { sql => $body, needs => $needs } : undef;
		push @blocks, $last if $last;
	}
	return @blocks;
}

# Run a document's SQL in a database of its own
sub check_document
{
	my ($document, $pgvector) = @_;
	my $database = basename($document, '.md');
	my @blocks = blocks_of($document);
	my ($script, $output) = ('', '');

	$node->safe_psql('postgres', "CREATE DATABASE \"$database\"");
	$node->safe_psql($database, 'CREATE EXTENSION hashemb')
	  if $text{$document} !~ /^CREATE EXTENSION hashemb;/m;
	@blocks = grep { $pgvector || !$_->{needs} } @blocks;
	for my $i (0 .. $#blocks)
	{
		$script .= "\\echo -- block $i\n$blocks[$i]{sql}";
	}
	IPC::Run::run(
		[ 'psql', '-X', '-q', '-d', $node->connstr($database) ],
		'<', \$script, '>&', \$output);
	my @results = split(/^-- block \d+\n/m, "\n$output", -1); # the last may say nothing
	shift @results;

	foreach my $block (@blocks)
	{
		my $result = shift(@results) // 'ERROR: was not run';
		my ($first) = $block->{sql} =~ /^(.{1,60})/;
		my $shown = $block->{shown};

		unlike($result, qr/(ERROR|FATAL|WARNING):/, "$document runs: $first")
		  if ($shown // '') !~ /(ERROR|FATAL|WARNING):/;
		is(plain($result), plain($shown), "$document shows: $first")
		  if defined $shown;
	}
	return scalar @blocks;
}

# The name of a heading in a link to it
sub anchor
{
	my ($heading) = @_;

	$heading = lc $heading;
	$heading =~ s/[^\w\- ]//g;
	return $heading =~ tr/ /-/r;
}

sub check_links
{
	my ($document) = @_;
	my $folder = dirname($document);

	while ($text{$document} =~ /\]\(([^)#\s]*)(?:#([^)\s]*))?\)/g)
	{
		my ($file, $part) = ($1, $2);
		next if $file =~ /^\w+:/;
		my $target = $file eq '' ? $document : "$folder/$file";

		ok(-e "$root/$target", "$document: link to $target");
		next if !defined $part || !-e "$root/$target";
		my @anchors =
		  map { anchor($_) } slurp_file("$root/$target") =~ /^#+ (.*)$/gm;
		is(scalar(grep { $_ eq $part } @anchors),
			1, "$document: link to #$part of $target");
	}
}

# Every message that the code may emit, as patterns: literals of a call of
# errmsg, errdetail or errhint, with their conversions open
sub patterns_of_messages
{
	my @patterns;
	my $literal = qr/"(?:[^"\\]|\\.)*"/;

	foreach my $file (split /\n/, `find "$root/src" -name '*.c'`)
	{
		my $code = slurp_file($file);

		while ($code =~ /\berr(?:msg|detail|hint)\w*(\((?:[^()"]|$literal|(?1))*\))/g)
		{
			my $call = $1;
			while ($call =~ /($literal(?:\s*(?:$literal|PRI?\w+|[A-Z0-9_]+_FORMAT))*)/g)
			{
				my $message = join '', map { /^"(.*)"$/s ? $1 : '' } $1 =~ /($literal)/g;
				$message =~ s/\\(.)/$1/g;
				next if ($message =~ s/%[^a-zA-Z]*l*[a-zA-Z]?//gr) !~ /\w+ \w+/;
				push @patterns,
				  join '.+', map { quotemeta } split /%[-+ #0-9.*]*(?:l|z)*[a-zA-Z]?/,
				  $message, -1;
			}
		}
	}
	return @patterns;
}

# Messages are quoted as code spans that begin with the level
sub check_messages
{
	my ($document, @patterns) = @_;
	my $found = 0;

	while ($text{$document} =~ /`(?:ERROR|NOTICE|WARNING|HINT|DETAIL): +([^`]+)`/g)
	{
		my $message = $1;

		$found++;
		ok( (grep { $message =~ /^$_$/ } @patterns),
			"$document quotes a message of the code: $message");
	}
	return $found;
}

# What users write and the documents should name: types, operators, settings,
# functions and aggregates that are not the inside of something else
my $names = <<'SQL';
WITH part AS (
	SELECT d.classid, d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
	WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e' AND extname = 'hashemb'),
inside AS (
	SELECT unnest(ARRAY[oprcode, oprrest, oprjoin]::oid[]) AS oid FROM pg_operator
	UNION SELECT castfunc FROM pg_cast
	UNION SELECT unnest(ARRAY[typinput, typoutput, typreceive, typsend, typmodin, typmodout,
		typanalyze]::oid[]) FROM pg_type
	UNION SELECT amproc::oid FROM pg_amproc
	UNION SELECT amhandler::oid FROM pg_am
	UNION SELECT unnest(ARRAY[aggtransfn, aggfinalfn, aggcombinefn, aggserialfn,
		aggdeserialfn]::oid[]) FROM pg_aggregate
	UNION SELECT prosupport::oid FROM pg_proc)
SELECT DISTINCT proname FROM pg_proc p, part
WHERE classid = 'pg_proc'::regclass AND objid = p.oid AND p.oid NOT IN (SELECT oid FROM inside)
UNION SELECT typname FROM pg_type t, part
WHERE classid = 'pg_type'::regclass AND objid = t.oid AND typcategory <> 'A'
UNION SELECT oprname FROM pg_operator o, part
WHERE classid = 'pg_operator'::regclass AND objid = o.oid
UNION SELECT opcname FROM pg_opclass c, pg_am a, part
WHERE classid = 'pg_opclass'::regclass AND objid = c.oid AND a.oid = opcmethod AND amname = 'hashemb'
	AND opckeytype = 0 AND opcname ~ '^(bincode|svec)_'
UNION SELECT name FROM pg_settings WHERE name ~ '^hashemb\.' AND name <> 'hashemb.inject' -- of test builds
ORDER BY 1
SQL

$node->init;
$node->start;
my $pgvector = $node->safe_psql('postgres',
	"SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'");
note 'without pgvector, some blocks are not run' if !$pgvector;

my @patterns = patterns_of_messages();
cmp_ok(scalar @patterns, '>', 100, 'messages of the code are found');
my $quoted = 0;
foreach my $document (@documents)
{
	cmp_ok(check_document($document, $pgvector), '>', 0, "$document has SQL");
	$quoted += check_messages($document, @patterns);
}
cmp_ok($quoted, '>', 5, 'documents quote messages');
my @names = split /\n/, $node->safe_psql('README', "LOAD 'hashemb'; $names");
my $all = join '', map { $text{$_} } @documents;
cmp_ok(scalar @names, '>', 50, 'the extension has names');
foreach my $name (@names)
{
	my $written = $name =~ s/\|/\\|/gr;
	ok($all =~ /`[^`\n]*(?<!\w)\Q$name\E(?!\w)[^`\n]*`/
		  || $all =~ /`\Q$written\E`/, "documents name $name");
}
check_links($_) foreach sort keys %text;

$node->stop;
done_testing();
