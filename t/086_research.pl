# What the documents give as evidence is there: every test and kept run that they
# name; every paper's line has some; and every promise of README's chapter "Trust"
# has a command: tests whose heads say how they were seen to fail, targets of make,
# last results of this version.
#
# Seen to fail: with a target misspelt; with a kept result of version 0.1.0; with
# "Seen to fail" taken from the head of t/098_scale.pl.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Utils;
use Test::More;

my $root = dirname(__FILE__) . '/..';

foreach my $file (map { "docs/$_" } map { basename($_) } glob("$root/docs/*.md"))
{
	my %named = map { $_ => 1 } slurp_file("$root/$file") =~ m{`((?:sql|t|bench/results)/\w[\w.-]*)`}g;

	ok(-e "$root/$_", "$file: $_ is there") foreach sort keys %named;
}

my @lines = slurp_file("$root/docs/research.md") =~ /^(\| (?!paper|\|).*\|)$/mg;
cmp_ok(scalar @lines, '>=', 30, 'papers have lines');
foreach my $line (@lines)
{
	my @cells = split /\s*\|\s*/, $line =~ s/^\|\s*//r;
	my ($name) = $cells[0] =~ /^(.{1,40})/;

	is(scalar @cells, 4, "$name: paper, here, not here, shown by");
	like($cells[3] // '', qr{`(?:sql|t|bench/results)/|\bblocks? of recipes\.md}, "$name: something shows it");
}

# ---- the chapter Trust ----

my ($trust) = slurp_file("$root/README.md") =~ /^## Trust\n(.*?)^## /ms;
my ($version) = slurp_file("$root/hashemb.control") =~ /^default_version = '(.*)'/m;
my $makefile = slurp_file("$root/Makefile");
my @promises = $trust =~ /^(\| (?!promise|--).*\|)$/mg;

cmp_ok(scalar @promises, '>=', 10, 'promises have lines');
foreach my $line (@promises)
{
	my ($promise) = $line =~ /^\| (.{1,40})/;
	my @files = map { glob("$root/$_") } $line =~ m{`(t/\w+\.pl)`}g;
	my @targets = $line =~ /`make ([a-z-]+)/g;

	while ($line =~ m{`t/(\d+)\w*\.pl` to `t/(\d+)}g)
	{
		my ($first, $last) = ($1, $2);

		@files = (@files, grep { my ($n) = m{/(\d+)_}; $n > $first && $n < $last } glob("$root/t/*.pl"));
	}
	ok(@files + @targets > 0, "$promise: has a command");
	foreach my $file (@files)
	{
		my ($head) = slurp_file($file) =~ /\A((?:#.*\n)+)/;

		like($head =~ s/\n# ?/ /gr, qr/Seen to fail/, "$promise: " . basename($file) . ' says how it was seen to fail');
	}
	like($makefile, qr/^$_:/m, "$promise: make $_ is a target") foreach @targets;
	foreach my $kept ($line =~ m{\]\((test/kept/[\w.-]+)\)}g)
	{
		my ($first) = -e "$root/$kept" ? slurp_file("$root/$kept") =~ /\A(.*)/ : ('no such file');

		like($first, qr{^(?:KINDS="?[a-z ]+"? )?(?:tools/|make )}, "$promise: $kept begins with the command");
		like($first, qr/\bhashemb \Q$version\E\b.*\bcommit [0-9a-f]{7}/, "$promise: $kept is of this version");
	}
}

done_testing();
