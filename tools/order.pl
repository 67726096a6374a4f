#!/usr/bin/perl
# Check the order of the sources, which is that of the Makefile's objects, and
# that nobody outside of a kind of vectors knows the kind.  Prints what is wrong.
#
#   tools/order.pl OBJECT...    in that order, built
#
# An object may use what objects before it define.  A header belongs to the
# object of its name; else to its folder, which begins with its first object.
# A header of a folder that has no object itself comes with the last header that
# it includes.  A file of another folder that stands before it must not include
# it.  Within a folder the symbols decide: its files may share a header, and its
# headers may include each other, but not in a circle.  Of some folders others may
# include no more than a few headers.
#
# A kind is a folder of src/index where an HxKind is defined.  Its words are the
# folder's name, the types in the names of its operator classes' functions, and
# those that the comment above the HxKind names: "Words of its own: a, b."
use strict;
use warnings;
use File::Find;

my @objects = @ARGV;
die "no objects\n" unless @objects;
my %position;
@position{@objects} = 0 .. $#objects;

# -- (a) symbols

my (%defines, %uses);
for my $object (@objects)
{
	open(my $nm, '-|', 'nm', $object) or die "nm: $!\n";
	while (<$nm>)
	{
		if (/^\s+U (\S+)/) { push @{ $uses{$object} }, $1; }
		elsif (/^\S+ [TDBRVCSG] (\S+)/) { $defines{$1} = $object; }
	}
	close($nm) or die "nm $object failed\n";
}
for my $object (@objects)
{
	for my $symbol (@{ $uses{$object} })
	{
		my $other = $defines{$symbol} // next;

		print "$object uses $symbol of $other, which comes later\n"
		  if $position{$other} > $position{$object};
	}
}

# -- (b) includes

my (%text, %includes);
find({ no_chdir => 1, wanted => sub { read_source($_) if /\.[ch]$/; } }, 'src');

sub read_source
{
	my ($file) = @_;

	open(my $in, '<', $file) or die "$file: $!\n";
	$text{$file} = do { local $/; <$in> };
	close($in);
	while ($text{$file} =~ /^#include "([^"]+)"/mg)
	{
		push @{ $includes{$file} }, "src/$1" if -e "src/$1";
	}
}

sub folder_of { my ($file) = @_; return $file =~ s|/[^/]*$||r; }

# Place of a file in the order
my (%place, %open);

sub place_of
{
	my ($file) = @_;
	my $object = $file =~ s/\.[ch]$/.o/r;
	my $folder = folder_of($file);
	my $last = 0;

	return $place{$file} if defined $place{$file};
	return $place{$file} = $position{$object} if exists $position{$object};
	for my $other (@objects)
	{
		return $place{$file} = $position{$other}
		  if folder_of($other) eq $folder && $folder ne 'src';
	}
	return 0 if $open{$file};    # a circle, told of below
	local $open{$file} = 1;
	for my $header (@{ $includes{$file} })
	{
		$last = place_of($header) if place_of($header) > $last;
	}
	return $place{$file} = $last;
}

for my $file (sort keys %includes)
{
	for my $header (@{ $includes{$file} })
	{
		next if folder_of($file) eq folder_of($header) && $file !~ m{^src/[^/]*$};
		print "$file includes $header, which comes later\n"
		  if place_of($header) > place_of($file);
	}
}

# What a folder may include of another one, at most
my %allowed = ('src/plan' => [ 'src/index', qw(index.h cost_units.h am/cost.h am/scan.h) ]);

for my $file (sort keys %includes)
{
	my ($other, @headers) = @{ $allowed{ folder_of($file) } // next };

	for my $header (grep { index($_, "$other/") == 0 } @{ $includes{$file} })
	{
		print "$file includes $header, but of $other it may only @headers\n"
		  unless grep { $header eq "$other/$_" } @headers;
	}
}

# Follow includes from a header, and tell of a path that comes back
my %done;

sub follow
{
	my ($header, @path) = @_;

	if (grep { $_ eq $header } @path)
	{
		print join(' includes ', @path, $header), ": a circle\n";
		return;
	}
	return if $done{$header};
	follow($_, @path, $header) for @{ $includes{$header} };
	$done{$header} = 1;
}

follow($_) for sort grep { /\.h$/ } keys %includes;

# -- (c) kinds of vectors

# A text without its comments and strings, line by line
sub bare
{
	my ($text) = @_;

	$text =~ s{/\*.*?\*/|"(?:\\.|[^"\\\n])*"}
		{ my $cut = $&; $cut =~ /^"/ ? '""' : $cut =~ s/[^\n]//gr }gse;
	return $text;
}

my %kinds;    # folder => its words
for my $file (sort keys %text)
{
	next unless $text{$file} =~ m{^(.*?)^(?:static )?const HxKind \w+ = \{}ms;
	my $before = $1;
	my ($folder) = $file =~ m{^(src/index/[^/]+)/} or next;
	my $words = $kinds{$folder} //= {};

	$words->{ $folder =~ s|.*/||r } = 1;
	$words->{$1} = 1
	  while $text{$file} =~ /^HX_VECTOR_CLASS\(hx_vector_([a-z]+)_/mg;
	while ($before =~ /Words of its own: ([^.]*)\./g)
	{
		$words->{$_} = 1 for grep { $_ ne '*' } split /[\s,]+/, $1;
	}
}
print "no kind of vectors is defined in a folder of src/index\n" unless %kinds;

# Words of a name, in the singular: HxReadWindows, HX_PAGE_WINDOWS, read_window.
# Names in camel case that begin with a small letter are the server's, and so are
# those of its statistics, and MultiExecProcNode.
sub words_of
{
	my ($name) = @_;

	return () if $name =~ /^[a-z]+[A-Z]|^pgstat_|^MultiExec/;
	return map { lc =~ s/s$//r } $name =~ /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g;
}

# Questions that only blocks may ask: which payload, and if there are groups
my @questions = (
	[qr/\bvector->payload\b/, qr{^src/index/blocks/}],
	[qr/\bdesc(?:->|\.)group\b|\bgroup [>!=]=? 0/,
		qr{^src/index/(?:blocks/|page/describe\.c)}],
	[qr/\bHxKindOf\(\w+\) *[!=]=|[!=]= *HxKindOf\(/, qr{^$}],);

for my $file (sort grep { m{^src/(?:index|plan)/} } keys %text)
{
	my ($own) = grep { index($file, "$_/") == 0 } keys %kinds;
	my $number = 0;

	for my $folder (sort keys %kinds)
	{
		next if defined $own && $own eq $folder;
		print "$file includes $_, which is a kind's own\n"
		  for grep { index($_, "$folder/") == 0 } @{ $includes{$file} };
	}
	for my $line (split /\n/, bare($text{$file}))
	{
		$number++;
		for my $name ($line =~ /[A-Za-z_]\w*/g)
		{
			my @words = words_of($name);

			for my $folder (sort keys %kinds)
			{
				next if defined $own && $own eq $folder;
				print "$file:$number: $name names what is $folder\'s own\n"
				  if grep { $kinds{$folder}{$_} } @words;
			}
		}
		next if defined $own;
		for my $question (@questions)
		{
			print "$file:$number: asks which kind it is: $&\n"
			  if $line =~ $question->[0] && $file !~ $question->[1];
		}
	}
}
