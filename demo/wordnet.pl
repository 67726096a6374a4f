# Turn WordNet's database files into rows for COPY.
#
#   perl demo/wordnet.pl FOLDER synset|parent
#
# synset: id, part of speech, name of the lexicographer's file, words,
#         definition, number of relations, how often it was seen in text
# parent: id, id of what it is a kind of (for adjectives: is similar to; for
#         adverbs: is derived from)
use strict;
use warnings;

my ($folder, $what) = @ARGV;

# Lexicographer files, by number (lexnames(5WN))
my @lexname = qw(adj.all adj.pert adv.all noun.tops noun.act noun.animal
	noun.artifact noun.attribute noun.body noun.cognition noun.communication
	noun.event noun.feeling noun.food noun.group noun.location noun.motive
	noun.object noun.person noun.phenomenon noun.plant noun.possession
	noun.process noun.quantity noun.relation noun.shape noun.state
	noun.substance noun.time verb.body verb.change verb.cognition
	verb.communication verb.competition verb.consumption verb.contact
	verb.creation verb.emotion verb.motion verb.perception verb.possession
	verb.social verb.stative verb.weather adj.ppl);
my %type = (n => 1, v => 2, a => 3, r => 4, s => 5);
my %full = (n => 'noun', v => 'verb', a => 'adjective', r => 'adverb',
	s => 'adjective');
my %parent = ('@' => 1, '@i' => 1, '&' => 1, '\\' => 1);

# Escape a value of COPY's text format; a list becomes an array
sub value
{
	my ($text) = @_;
	$text =~ s/([\\\t\n\r])/\\$1/g;
	return $text;
}

sub list
{
	return '{' . join(',', map { s/(["\\])/\\$1/gr =~ s/(.*)/"$1"/r } @_) . '}';
}

# How often each sense was met when text was annotated, as far as recorded
my %seen;
if ($what eq 'synset' && open(my $in, '<', "$folder/cntlist.rev"))
{
	while (<$in>)
	{
		my ($key, undef, $count) = split;
		$key =~ s/:[^:]*:[^:]*$//;
		$seen{$key} += $count;
	}
}

# Offsets are unique within a file only, so ids are handed out first
my (@lines, %id);
foreach my $part (qw(noun verb adj adv))
{
	open(my $in, '<', "$folder/data.$part") or die "data.$part: $!\n";
	my $letter = substr($part, 0, 1);
	$letter = 'r' if $part eq 'adv';
	while (<$in>)
	{
		next if !/^(\d{8}) /;
		push @lines, $_;
		$id{"$letter$1"} = scalar @lines;
	}
}

my $id = 0;
foreach my $line (@lines)
{
	my ($data, $gloss) = split(/ \| /, $line, 2);
	my (undef, $file, $ss, $count, @rest) = split(/ /, $data);
	my (@words, %parents);
	my $times = 0;

	$id++;
	for (1 .. hex($count))
	{
		my ($word, $sense) = splice(@rest, 0, 2);

		$word =~ s/\([a-z]+\)$//;    # syntactic marker of an adjective
		$times += $seen{ sprintf('%s%%%d:%02d:%02d', lc($word), $type{$ss},
				$file, hex($sense)) } // 0;
		push @words, $word =~ tr/_/ /r;
	}
	my $relations = shift @rest;
	for (1 .. $relations)
	{
		my ($symbol, $offset, $pos) = splice(@rest, 0, 4);

		$pos = 'a' if $pos eq 's';
		$parents{ $id{"$pos$offset"} } = 1 if $parent{$symbol};
	}
	if ($what eq 'parent')
	{
		print "$id\t$_\n" foreach sort { $a <=> $b } keys %parents;
		next;
	}
	$gloss =~ s/\s+$//;
	$gloss =~ s{[;,:] "[^"]*".*}{};      # examples of use
	print join("\t", $id, $full{$ss}, $lexname[$file], value(list(@words)),
		value($gloss), $relations + 0, $times), "\n";
}
