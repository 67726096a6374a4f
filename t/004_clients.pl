# Every program of docs/clients.md inserts and finds what it should, where its
# driver is installed.
use strict;
use warnings;
use File::Basename;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $text = slurp_file(dirname(__FILE__) . '/../docs/clients.md');
my ($schema) = $text =~ /^```sql\n(.*?)^```/ms;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('clients');

$node->init;
# JDBC speaks TCP only
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'");
$node->start;

my ($host, $port) = ($node->host, $node->port);
my $conninfo = $node->connstr('postgres');
my $user = getpwuid($<);

# The program of a section of the document
sub program
{
	my ($section) = @_;
	my ($code) = $text =~ /^## \Q$section\E\n.*?^```\w+\n(.*?)^```/ms
	  or die "no program for $section";
	return $code;
}

# Write a program to a file and return its name
sub save
{
	my ($name, $code) = @_;
	open(my $out, '>', "$folder/$name") or die "$folder/$name: $!";
	print $out $code;
	close($out);
	return "$folder/$name";
}

# Whether a command succeeds, silently
sub works
{
	my @command = @_;
	my $output;
	return eval { IPC::Run::run(\@command, '<', \'', '>&', \$output) };
}

# Run a client's program on an empty table and look at what it found
sub client
{
	my ($section, $reason, @command) = @_;

  SKIP:
	{
		skip "$section: $reason", 1 if !@command;
		my $output = '';

		$node->safe_psql('postgres', "DROP TABLE IF EXISTS item; $schema");
		IPC::Run::run(\@command, '<', \'', '>&', \$output);
		my $plain = $output =~ s/[^a-z0-9: \n]+//gr;
		is($plain, "float: 1 2\ncode: 2\n", $section)
		  or diag($output);
	}
}

# Rows come as lists of tuples: take the numbers out
my %python = (
	'psycopg' => [ 'psycopg', "conninfo = \"$conninfo\"\n" ],
	'psycopg2' => [ 'psycopg2', "conninfo = \"$conninfo\"\n" ],
	'SQLAlchemy' => [
		'sqlalchemy, psycopg2',
		"url = 'postgresql+psycopg2:///postgres?host=$host&port=$port'\n" ]);
$python{asyncpg} = [ 'asyncpg', "arguments = {'host': '$host', 'port': $port, 'database': 'postgres', 'user': '$user'}\n" ];
$python{Alembic} = [ 'alembic, sqlalchemy, psycopg2', $python{SQLAlchemy}[1] ];
$python{Django} = [ 'django, psycopg2', "database = {'HOST': '$host', 'PORT': '$port', 'NAME': 'postgres', 'USER': '$user'}\n" ];
foreach my $section (sort keys %python)
{
	my ($modules, $start) = @{ $python{$section} };
	my $file = save("with_$section.py", $start . program($section));
	my @command = works('python3', '-c', "import $modules")
	  ? ('python3', $file) : ();

	client($section, "no $modules for python3", @command);
}

my $jar = '/usr/share/java/postgresql.jar';
my $java = save('Item.java', program('JDBC'));
client(
	'JDBC',
	'no JDK or no libpostgresql-jdbc-java',
	-e $jar && works('javac', '-version')
	? ('java', '-cp', $jar, $java,
		"jdbc:postgresql://127.0.0.1:$port/postgres?user=$user")
	: ());

my $node_pg = save('item.js',
	"const connection = { host: '$host', port: $port, "
	  . "database: 'postgres', user: '$user' }\n"
	  . program('node-postgres'));
local $ENV{NODE_PATH} = join(':', grep { defined } $ENV{NODE_PATH},
	'/usr/share/nodejs', '/usr/lib/nodejs');
client('node-postgres', 'no node-pg',
	works('node', '-e', 'require("pg")') ? ('node', $node_pg) : ());
foreach my $case ([ 'Knex', 'knex' ], [ 'Drizzle', 'drizzle-orm' ])
{
	my ($section, $package) = @$case;
	my $file = save("$package.js", "const connection = { host: '$host', port: $port, database: 'postgres', user: '$user' }\n" . program($section));

	client($section, "no $package for node", works('node', '-e', "require(\"pg\"); require(\"$package\")") ? ('node', $file) : ());
}

$node->stop;
done_testing();
