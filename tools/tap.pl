# Run TAP tests like prove and end with a line of exact counts.
#
#   perl tools/tap.pl JOBS FILE...
#
# "tap: PASSED FAILED SKIPPED" counts assertions; a file that broke off, or
# whose plan does not match, counts one failure. Of each failed file the lines
# around its failed assertions are shown, or the end of its log if it broke off.
use strict;
use warnings;
use File::Basename;
use TAP::Harness;

use constant { BEFORE => 3, AFTER => 15, MOST => 200, LAST => 60 };

# What a reader wants to see of the log of a file, of which the tests of some
# numbers failed
sub excerpt
{
	my ($failed, @lines) = @_;
	my (@out, $shown);

	foreach my $at (grep { $lines[$_] =~ /^(?:\[\S+ )?not ok (\d+)\b/ && $failed->{$1} } 0 .. $#lines)
	{
		my $from = $at < BEFORE ? 0 : $at - BEFORE;
		my $to = $at + AFTER > $#lines ? $#lines : $at + AFTER;

		if (!defined $shown || $from > $shown)
		{
			push @out, "...\n" if defined $shown ? $from > $shown + 1 : $from > 0;
		}
		else
		{
			$from = $shown + 1;
		}
		push @out, @lines[ $from .. $to ];
		$shown = $to;
	}
	if (!@out)
	{
		splice(@lines, 0, @lines - LAST) if @lines > LAST;
		return @lines;
	}
	if (@out > MOST)
	{
		my $left_out = @out - MOST;

		splice(@out, MOST);
		push @out, "... $left_out lines around further failures\n";
	}
	return @out;
}

my ($jobs, @files) = @ARGV;
my $harness = TAP::Harness->new(
	{ jobs => $jobs, timer => 1, failures => 1, verbosity => 0 });
my $result = $harness->runtests(@files);
my ($passed, $failed, $skipped) = (0, 0, 0);

foreach my $parser ($result->parsers)
{
	my ($skips, $fails) = (scalar $parser->skipped, scalar $parser->failed);

	if (defined $parser->skip_all)
	{
		$skipped++;
		next;
	}
	$skipped += $skips;
	$passed += $parser->passed - $skips;
	$failed += $fails;
	$failed++ if $fails == 0 && $parser->has_problems;
}
foreach my $file ($result->descriptions)
{
	my ($parser) = $result->parsers($file);
	my $log = "tmp_check/log/regress_log_" . basename($file, '.pl');

	next if !$parser->has_problems || !open(my $in, '<', $log);
	print "-- of $log\n", excerpt({ map { $_ => 1 } $parser->failed }, <$in>);
}
print "tap: $passed $failed $skipped\n";
exit($result->all_passed ? 0 : 1);
