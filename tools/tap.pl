# Run TAP tests like prove and end with a line of exact counts.
#
#   perl tools/tap.pl JOBS FILE...
#
# "tap: PASSED FAILED SKIPPED" counts assertions; a file that broke off, or
# whose plan does not match, counts one failure. Of each failed file the end of
# its log is shown.
use strict;
use warnings;
use File::Basename;
use TAP::Harness;

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
	my @lines = <$in>;
	splice(@lines, 0, @lines - 60) if @lines > 60;
	print "-- end of $log\n", @lines;
}
print "tap: $passed $failed $skipped\n";
exit($result->all_passed ? 0 : 1);
