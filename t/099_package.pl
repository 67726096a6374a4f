# What packages are made from: META.json as PGXN wants it, the archive of a
# release, debian/, the Dockerfile; and that the report is that of the kept runs. That a package and an archive can be built,
# installed and used is tried by "make fresh SCENARIOS=bookworm-package-root".
#
# Seen to fail: with a target of the Dockerfile misspelt; with a file that
# META.json names renamed; with debian/control of another version than control.in; with a figure in
# docs/benchmarks.md that is another.
use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use IO::Uncompress::Unzip;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path("$FindBin::RealBin/..");
my $folder = PostgreSQL::Test::Utils::tempdir();

sub text_of
{
	return slurp_file("$source/$_[0]");
}

my ($version) = text_of('hashemb.control') =~ /^default_version = '(.*)'/m;

# ---- PGXN ----

my $meta = decode_json(text_of('META.json'));
ok(defined $meta->{$_} && $meta->{$_} ne '', "META.json has $_") foreach qw(name abstract version maintainer license provides meta-spec);
is($meta->{'meta-spec'}{version}, '1.0.0', 'of a known specification');
like($version, qr/^\d+\.\d+\.\d+$/, 'a semantic version');
is($meta->{version}, $version, 'which is the default version');
is($meta->{license}, 'postgresql', 'a licence that PGXN knows');
foreach my $extension (sort keys %{ $meta->{provides} })
{
	my $of = $meta->{provides}{$extension};

	ok(-e "$source/$of->{file}", "$extension: $of->{file} is there");
	ok(-e "$source/$of->{docfile}", "$extension: $of->{docfile} is there");
	like(text_of("$extension.control"), qr/^default_version = '\Q$of->{version}\E'$/m, "$extension: its version");
}
is(join(' ', sort keys %{ $meta->{provides} }), join(' ', sort map { /(\w+)\.control$/ } glob("$source/*.control")), 'every extension is provided');

# ---- the archive ----

chomp(my $archive = `cd '$source' && tools/dist.sh '$folder' 2>&1`);
is($?, 0, 'an archive is made') or diag($archive);
like($archive, qr/hashemb-\Q$version\E\.zip$/, 'named by the version');
my %in;
my $zip = IO::Uncompress::Unzip->new($archive) or die "$archive";
for (my $status = 1; $status > 0; $status = $zip->nextStream())
{
	$in{ $zip->getHeaderInfo()->{Name} =~ s{^hashemb-\Q$version\E/}{}r } = 1;
}
ok(!(grep { /\.(?:o|so|bc|d)$|^(?:tmp_check|results|\.git)\// } keys %in), 'without what is built');
my @needed = ('Makefile', 'META.json', 'README.md', 'LICENSE', 'hashemb.control', map { s{^\Q$source\E/}{}r } glob("$source/hashemb*--*.sql"), split(/\n/, `find '$source/src' -name '*.[ch]'`));
is(join(' ', grep { !$in{$_} } map { s{^\Q$source\E/}{}r } @needed), '', 'with all that a build needs');

# ---- the report ----

is(system('sh', "$source/bench/report.sh", '--no-plots', $folder), 0, 'a report is written from kept runs');
is(slurp_file("$folder/benchmarks.md"), text_of('docs/benchmarks.md'), 'docs/benchmarks.md is what "make bench-report" writes');
foreach my $plot (text_of('docs/benchmarks.md') =~ /\]\((benchmarks\/[^)]*\.svg)\)/g)
{
	my $svg = text_of("docs/$plot");

	like($svg, qr/<svg.*<\/svg>\s*\z/s, "$plot is a picture");
	like($svg, qr/>[^<]*\b(?:ms|MB|seconds)\b/, 'whose axis has a unit');
}

# ---- debian/ ----

my $control = text_of('debian/control');
my ($server) = $control =~ /^Package: postgresql-(\d+)-hashemb$/m;
is($control, text_of('debian/control.in') =~ s/PGVERSION/$server/gr, 'debian/control is made from control.in');
like(text_of('debian/changelog'), qr/\Ahashemb \(\Q$version\E\) /, 'the newest package is of the version');
like(text_of('debian/pgversions'), qr/^14\+$/m, 'packages from PostgreSQL 14 on');
foreach my $test (map { split / / } text_of('debian/tests/control') =~ /^Tests: (.*)$/mg)
{
	ok(-x "$source/debian/tests/$test", "debian/tests/$test is a program");
	is(system('sh', '-n', "$source/debian/tests/$test"), 0, 'and parses');
}
is(system('make', '-s', '-n', '-f', "$source/debian/rules", 'override_dh_pgxs_test'), 0, 'debian/rules parses');

# ---- the Dockerfile ----

my @lines = grep { !/^#/ } split /\n/, text_of('Dockerfile');
cmp_ok(scalar @lines, '<=', 10, 'ten lines');
my %stages;
my $build = '';
foreach my $line (@lines)
{
	my ($word, $rest) = split ' ', $line, 2;

	like($word, qr/^(?:ARG|FROM|RUN|COPY)$/, "an instruction: $word");
	$stages{$1} = 1 if $word eq 'FROM' && $rest =~ /AS (\w+)$/;
	if ($word eq 'COPY' && $rest =~ /^--from=(\w+)/)
	{
		ok($stages{$1}, "copies from a stage that is there: $1");
	}
	while ($word eq 'RUN' && $rest =~ /\bmake -C \/src( (?:[a-z]+ )?)([^&]*)/g)
	{
		my ($target, $settings) = ($1, $2);

		$target =~ s/\s//g;
		$settings =~ s/PG_CONFIG=\S+//;
		ok($target eq '' || text_of('Makefile') =~ /^$target:/m || $target eq 'install', "a target of make: $target");
		is(system("make -s -n -C '$source' $target PG_CONFIG=" . ($ENV{PG_CONFIG} || 'pg_config') . " $settings >/dev/null 2>&1"), 0, 'which make knows') if $ENV{PG_CONFIG} || `pg_config --pgxs` ne '';
		$build .= " $target";
	}
	unlike($rest, qr/apt-get install(?!.* -y)/, 'no question is asked') if $word eq 'RUN';
}
is($build, '  install', 'it builds and installs');
my ($out) = text_of('Dockerfile') =~ /DESTDIR=(\S+)/;
like(text_of('Dockerfile'), qr/^COPY --from=build \Q$out\E \/$/m, 'and takes what was installed');

done_testing();
