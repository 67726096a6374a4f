# What the documents give as evidence is there: every test and kept run that they
# name, and every paper's line has some.
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

done_testing();
