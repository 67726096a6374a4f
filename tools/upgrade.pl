# The upgrade script from one install script to another.
#
#   perl tools/upgrade.pl OLD.sql NEW.sql > hashemb--A--B.sql
#
# A statement of NEW that OLD lacks is copied, in order. One that OLD has too, by
# the object that it makes, is replaced where SQL can do so: functions, comments,
# and operators' support. New members of an operator class are added to its
# family. What is gone from OLD is dropped before, last first. Whatever else differs (a
# type's or an operator's own properties, a member taken out) must be written by
# hand: it is named on standard error, and the exit code is 1.
# t/008_upgrade.pl compares the catalogs of both ways.
use strict;
use warnings;

# Statements of a script, without comments; parts in quotes hold semicolons
sub statements
{
	my ($file) = @_;
	open(my $in, '<', $file) or die "$file: $!\n";
	my $text = do { local $/; <$in> };
	my @found;

	$text =~ s/^\\echo.*\n//m;
	while ($text =~ /\G(?:\s+|--[^\n]*|\/\*.*?\*\/)*((?:'(?:[^']|'')*'|\$(\w*)\$.*?\$\2\$|--[^\n]*|[^;'\$]|\$(?!\w*\$))+);/gsc)
	{
		push @found, $1 =~ s/\s+$//r;
	}
	$text =~ /\G(?:\s+|--[^\n]*|\/\*.*?\*\/)*(.?)/gs;
	die "$file: cannot read on from: $1\n" if $1 ne '';
	return @found;
}

# Types of arguments as DROP and COMMENT want them
sub signature
{
	my ($args) = @_;

	$args =~ s/\s+DEFAULT\s+(?:'[^']*'|[^,])*//gi;
	return $args;
}

# Which object a statement is about, and of what sort
sub object_of
{
	my ($s) = @_;

	return ('comment', $1 =~ s/\s+/ /gr) if $s =~ /^COMMENT ON (.*?) IS\b/s;
	return ('function', "$1(" . signature($2) . ')') if $s =~ /^CREATE FUNCTION (\S+?)\s*\((.*?)\)\s*(?:RETURNS|AS|LANGUAGE)\b/s;
	return ('aggregate', "$1(" . signature($2) . ')') if $s =~ /^CREATE AGGREGATE (\S+?)\s*\((.*?)\)\s*\(/s;
	if ($s =~ /^CREATE OPERATOR (\S+) \(/)
	{
		my $name = $1;
		my ($left) = $s =~ /LEFTARG = (.*?)\s*[,\n)]/;
		my ($right) = $s =~ /RIGHTARG = (.*?)\s*[,\n)]/;
		return ('operator', "$name (" . ($left // 'NONE') . ', ' . ($right // 'NONE') . ')');
	}
	return ('class', "$1 USING $2") if $s =~ /^CREATE OPERATOR CLASS (\S+)\s.*?USING (\w+)/s;
	return ('family', "$1 USING $2") if $s =~ /^CREATE OPERATOR FAMILY (\S+) USING (\w+)/;
	return ('cast', "$1") if $s =~ /^CREATE CAST (\(.*?\))/s;
	return ('type', $1 . ($2 ? '' : ' shell')) if $s =~ /^CREATE TYPE (\S+)\s*(\S)?/s;
	return ('access method', $1) if $s =~ /^CREATE ACCESS METHOD (\S+)/;
	return ('other', $s =~ s/\s+/ /gr);
}

# Members of an operator class: OPERATOR, FUNCTION, STORAGE
sub members_of
{
	my ($s) = @_;
	my ($list) = $s =~ /\bAS\s+(.*)$/s;
	my @members;

	push @members, $1 =~ s/\s+/ /gr while $list =~ /\G\s*((?:[^,()]|\([^()]*\))+),?/g;
	return map { s/ $//r } @members;
}

my %droppable = map { $_ => 1 } qw(function aggregate operator class family cast);
my %word = (class => 'OPERATOR CLASS', family => 'OPERATOR FAMILY');
my @by_hand;

# The statements that make NEW's version of an object of OLD's
sub change
{
	my ($sort, $name, $old, $new) = @_;

	return $new if $sort eq 'comment';
	if ($sort eq 'function')
	{
		my ($was, $is) = map { /\)\s*RETURNS (.*?)\s+(?:AS|LANGUAGE)\b/s ? $1 : '' } $old, $new;

		return ("DROP FUNCTION $name", $new) if $was ne $is;
		return $new =~ s/^CREATE FUNCTION/CREATE OR REPLACE FUNCTION/r;
	}
	return $new =~ s/^CREATE AGGREGATE/CREATE OR REPLACE AGGREGATE/r if $sort eq 'aggregate';
	if ($sort eq 'class')
	{
		my %had = map { $_ => 1 } members_of($old);
		my %has = map { $_ => 1 } members_of($new);
		my ($type) = $new =~ /FOR TYPE (.*?) USING/s;
		my @added = grep { !$had{$_} } members_of($new);

		if (!grep { !$has{$_} } keys %had)
		{
			# a support function needs its types said, outside of a class
			s/^FUNCTION (\d+) (?!\()/FUNCTION $1 ($type, $type) / foreach @added;
			my ($family) = $new =~ /USING \w+ FAMILY (\S+)/;
			my ($class, $am) = $name =~ /^(\S+) USING (\w+)/;
			return 'ALTER OPERATOR FAMILY ' . ($family // $class) . " USING $am ADD\n\t" . join(",\n\t", @added);
		}
	}
	push @by_hand, "$sort $name";
	return;
}

my ($old_file, $new_file) = @ARGV;
die "usage: perl tools/upgrade.pl OLD.sql NEW.sql\n" if !defined $new_file;
my (%old, %new, @out);
$old{ join "\t", object_of($_) } = $_ foreach statements($old_file);
$new{ join "\t", object_of($_) } = $_ foreach statements($new_file);
foreach my $statement (reverse statements($old_file))
{
	my ($sort, $name) = object_of($statement);

	next if $new{"$sort\t$name"} || $sort eq 'comment';
	push @by_hand, "$sort $name, which is gone" if !$droppable{$sort};
	push @out, 'DROP ' . ($word{$sort} // uc $sort) . " $name" if $droppable{$sort};
}

foreach my $statement (statements($new_file))
{
	my $key = join "\t", object_of($statement);

	push @out, $statement if !exists $old{$key};
	push @out, change(split(/\t/, $key), $old{$key}, $statement)
	  if exists $old{$key} && $old{$key} ne $statement;
}
my ($name) = $new_file =~ /(\w+)--[^\/]*$/;
my ($from) = $old_file =~ /--([^\/]*)\.sql$/;
my ($to) = $new_file =~ /--([^\/]*)\.sql$/;
print "/* $name--$from--$to.sql: what changes from $from to $to */\n\n",
  "-- complain if script is sourced in psql, rather than via ALTER EXTENSION\n",
  "\\echo Use \"ALTER EXTENSION $name UPDATE TO '$to'\" to load this file. \\quit\n";
print "\n$_;\n" foreach @out;
print STDERR "write by hand: $_\n" foreach @by_hand;
exit(@by_hand ? 1 : 0);
