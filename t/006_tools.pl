# The scripts that everything else starts with: which server is chosen, what is
# said where one cannot be built for, what is shown of a failed test.
use strict;
use warnings;
use Cwd 'abs_path';
use FindBin;
use PostgreSQL::Test::Utils;
use Test::More;

my $source = abs_path("$FindBin::RealBin/..");
my $folder = PostgreSQL::Test::Utils::tempdir();
my $servers = "$folder/servers";

# Write a file, and the folders that it lies in; a program if it has a first line
sub put
{
	my ($name, $content) = @_;

	(my $parent = $name) =~ s{/[^/]*$}{};
	system_or_bail('mkdir', '-p', $parent);
	open(my $out, '>', $name) or die "$name: $!";
	print $out $content;
	close($out);
	chmod(0755, $name) if $content =~ /^#!/;
}

# A version's folder, as packages make it: of: client, server, headers
sub put_version
{
	my ($version, @of) = @_;
	my $bin = "$servers/$version/bin";
	my %of = map { $_ => 1 } @of;

	put("$bin/pg_config", "#!/bin/sh\ncase \$1 in\n--bindir) echo $bin;;\n"
		  . "--includedir-server) echo $servers/$version/include;;\n"
		  . "--pgxs) echo $servers/$version/pgxs.mk;;\n"
		  . "--version) echo PostgreSQL $version.3;;\nesac\n");
	put("$servers/$version/pgxs.mk", "all:\n");
	put("$bin/postgres", "#!/bin/sh\n") if $of{server};
	put("$servers/$version/include/postgres.h", '') if $of{headers};
}

# What a command of the checkout prints and its exit code, in a clean environment
sub said
{
	my ($command) = @_;
	my $clean = join(' ', map { "-u $_" }
		  qw(PG_CONFIG HASHEMB_PG_VERSION MAKEFLAGS MAKELEVEL PGXS));
	my $out = `cd '$source' && env $clean PATH="$folder/path:\$PATH" HASHEMB_SERVERS='$servers' $command 2>&1`;

	chomp $out;
	return ($out, $? >> 8);
}

# A pg_config in PATH that is the newest's, as Debian's is
put("$folder/path/pg_config",
	"#!/bin/sh\nexec \"\$(ls -d '$servers'/*/bin/pg_config | sort -V | tail -n 1)\" \"\$\@\"\n");

put_version(15, 'client', 'server', 'headers');
put_version(17, 'client');
is((said('tools/server.sh version'))[0], 15, 'a newer client is no server');
is((said('tools/server.sh pg_config'))[0], "$servers/15/bin/pg_config", 'nor built for');
is((said('HASHEMB_PG_VERSION=16 tools/server.sh version'))[0], 16, 'a version may be asked for');
is((said("PG_CONFIG='$servers/17/bin/pg_config' tools/server.sh version"))[0], 17, 'or a pg_config');
put_version(9, 'client', 'server', 'headers');
is((said('tools/server.sh version'))[0], 15, '9 is older than 15');
put_version(16, 'client', 'server');
is((said('tools/server.sh version'))[0], 16, 'the newest server');
put_version(17, 'headers');
is((said('tools/server.sh pg_config'))[0], "$servers/16/bin/pg_config", 'headers without a server are not built for');

my ($out, $code) = said('make');
isnt($code, 0, 'no build without headers');
like($out, qr{\Q$servers\E/16/include/postgres\.h.*apt-get install postgresql-server-dev-16\n}s, 'but the name of their package');
($out, $code) = said('make install PG_CONFIG=nothing');
isnt($code, 0, 'no build with no pg_config');
like($out, qr{apt-get install postgresql-server-dev-all\n}, 'but the name of a package for every release');

put_version(18, 'client', 'server');
is((said('tools/server.sh pg_config'))[0], "$servers/18/bin/pg_config", "a server without headers is not PATH's choice");
put_version(18, 'headers');
is((said('tools/server.sh pg_config'))[0], 'pg_config', "PATH's own, if it has a server and headers");

# A failed test: its log around each failure, or its end if it broke off
put("$folder/t/failing.pl", q{use Test::More;
ok(0, $_) foreach 1 .. 3;
done_testing;
});
put("$folder/t/broken.pl", q{die});
put("$folder/t/skipping.pl", q{use Test::More tests => 3; ok(1, 'runs'); SKIP: { skip 'nothing there', 2; }});
put("$folder/tmp_check/log/regress_log_failing",
	join("\n", (map { "early $_" } 1 .. 100), '[09:20:10.123](0.1s) not ok 1 - one', (map { "between $_" } 1 .. 100),
		'not ok 2 - two', 'not ok 3 - three', (map { "late $_" } 1 .. 100), ''));
put("$folder/tmp_check/log/regress_log_broken", join("\n", (map { "line $_" } 1 .. 100), ''));
$out = `cd '$folder' && perl '$source/tools/tap.pl' 1 t/failing.pl t/broken.pl t/skipping.pl 2>/dev/null`;
isnt($?, 0, 'failed tests are a failure');
like($out, qr/^early 100\n\[09:20:10\.123\]\(0\.1s\) not ok 1 - one\nbetween 1\n/m, 'lines around the first failure');
like($out, qr/^between 100\nnot ok 2 - two\nnot ok 3 - three\nlate 1\n/m, 'lines around two more');
is(scalar(() = $out =~ /^late 1$/mg), 1, 'each line once');
unlike($out, qr/^(early 90|between 50|late 50)$/m, 'and no others');
like($out, qr/^line 100$/m, 'the end of the log of a file that broke off');
unlike($out, qr/^line 1$/m, 'but not all of it');
like($out, qr/^tap: 1 4 2$/m, 'exact counts');

done_testing();
