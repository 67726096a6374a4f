package Statements;

# Random SQL for t/024_statements.pl: columns of every kind of attribute,
# conditions on them, and values for both; and comparing what statements give.
# All comes from rand(), so one seed gives one run.
use strict;
use warnings;
use Exporter 'import';

our @EXPORT = qw(pick chance columns kinds condition query code value typed quote difference);

sub pick
{
	return $_[ int(rand(@_)) ];
}

sub chance
{
	return rand() < $_[0];
}

sub quote
{
	my ($text) = @_;
	$text =~ s/'/''/g;
	return "'$text'";
}

# Numbers that rounding, overflow and hashes treat in ways of their own
my @floats = qw(NaN Infinity -Infinity 0 -0 0.1 1.5 2.25 3 4 5 6 -7 1e30 1e-30);
my @numerics = (qw(NaN Infinity -Infinity 0 0.0 1 1.0 1.00 2.5 3 4 5 -6 12345678901234567890 12345678901234567891), '0.1', '1e-40');
my @texts = ('', 'a', 'A', 'ab', 'aB', 'Ab', 'AB', 'b', 'abc', 'abcdefgh', 'ABCDEFGH', 'abcdefghi', 'zz', 'ä', 'Ä', q(o'x), 'x y');
# blanks at the end mean nothing to char, and something to the others
my @padded = (@texts, 'a ', 'ab  ');
my @intervals = ('0', '1 month', '30 days', '720 hours', '1 day', '24 hours', '-1 day', '1 year', '360 days', '1 microsecond', '3 hours');
my @inets = ('10.0.0.1', '10.0.0.0/8', '10.0.0.1/32', '10.1.0.0/16', '192.168.0.1/24', '::1', '2001:db8::/32', '0.0.0.0/0', '255.255.255.255');
my @uuids = map { sprintf('%08x-0000-0000-0000-%012x', $_ % 3 * 0x7fffffff, $_) } 0 .. 8;
my @dates = ('infinity', '-infinity', '2024-02-29', '1999-12-31', map { sprintf('2024-01-%02d', $_) } 1 .. 12);
my @times = map { sprintf('%02d:%02d:00', $_, $_ * 7 % 60) } 0 .. 12;
my @stamps = ('infinity', '-infinity', map { sprintf('2024-03-31 %02d:30:00', $_) } 0 .. 12);
my @moods = ('sad', 'ok', 'happy');
my @json = ('1', '1.0', '"a"', 'null', '{"a": 1}', '{"a": 1, "b": [1, 2]}', '[]', 'true');
my @ranges = ('empty', '[1,5)', '[1,4]', '[3,9)', '(,3]', '[7,)', '(,)');
my @bytes = ('\x', '\x00', '\x0001', '\xff', '\xdeadbeef', '\x6162636465666768', '\x616263646566676869');
my @macs = ('08:00:2b:01:02:03', '08:00:2b:01:02:04', 'ff:ff:ff:ff:ff:ff');

# An array literal of some of the values, with NULL and none at all
sub array_of
{
	my ($values, $most) = @_;
	$most = 40 if chance(0.03);
	my @elements = map { chance(0.08) ? 'NULL' : '"' . ($_ =~ s/(["\\])/\\$1/gr) . '"' } map { pick(@$values) } 1 .. int(rand(1 + $most));

	return '{' . join(',', @elements) . '}';
}

# The columns: name, type, values, how they compare: 'order', 'text' (order where
# the index may not know it), 'equal', 'array', 'bool'. An element's type is
# named for arrays.
sub columns
{
	my @columns = (
		[ i2 => 'int2', [ -32768, 32767, -3 .. 12 ], 'order' ],
		[ i4 => 'int4', [ -2147483648, 2147483647, -5 .. 20 ], 'order' ],
		[ i8 => 'int8', [ '-9223372036854775808', '9223372036854775807', -3 .. 9, 4294967296 ], 'order' ],
		[ f4 => 'float4', \@floats, 'order' ],
		[ f8 => 'float8', [ @floats, 0.30000000000000004, 1e300 ], 'order' ],
		[ nu => 'numeric', \@numerics, 'order' ],
		[ nu2 => 'numeric(8, 2)', [ 'NaN', map { $_ / 4 } -8 .. 12 ], 'order' ],
		[ bo => 'bool', [ 'true', 'false' ], 'bool' ],
		[ bo2 => 'bool', [ 'true', 'false', 'true', 'true' ], 'bool' ],
		[ da => 'date', \@dates, 'order' ],
		[ ti => 'time', \@times, 'order' ],
		[ ts => 'timestamp', \@stamps, 'order' ],
		[ tz => 'timestamptz', [ map { /inf/ ? $_ : "$_+01" } @stamps ], 'order' ],
		[ iv => 'interval', \@intervals, 'order' ],
		[ oi => 'oid', [ 0, 1, 7, 42, 4294967295, 2147483648 ], 'order' ],
		[ uu => 'uuid', \@uuids, 'order' ],
		[ tc => 'text COLLATE "C"', \@padded, 'text' ],
		[ te => 'text', \@padded, 'text' ],
		[ tl => 'text COLLATE "und-x-icu"', \@padded, 'text' ],
		[ tn => 'text COLLATE nocase', \@padded, 'text' ],
		[ vc => 'varchar(9)', \@padded, 'text' ],
		[ bp => 'char(9)', \@padded, 'text' ],
		[ bn => 'char(9) COLLATE nocase', \@padded, 'text' ],
		[ na => 'name', \@texts, 'text' ],
		[ ip => 'inet', \@inets, 'order' ],
		[ en => 'mood', \@moods, 'order' ],
		[ di => 'small_int', [ -5 .. 20 ], 'order' ],
		[ dt => 'short_text', \@texts, 'text' ],
		[ ai => 'int[]', [ 0 .. 9 ], 'array', 'int' ],
		[ ax => 'int[]', [ 0 .. 30 ], 'array', 'int' ],
		[ at => 'text[]', \@texts, 'array', 'text' ],
		[ an => 'name[]', \@texts, 'array', 'name' ],
		[ av => 'varchar(9)[]', \@texts, 'array', 'varchar' ],
		[ ab => 'char(9)[]', \@padded, 'array', 'char(9)' ],
		[ ak => 'text[] COLLATE nocase', \@texts, 'array', 'text' ],
		[ af => 'float8[]', \@floats, 'array', 'float8' ],
		[ am => 'numeric[]', \@numerics, 'array', 'numeric' ],
		[ au => 'uuid[]', \@uuids, 'array', 'uuid' ],
		[ ad => 'date[]', \@dates, 'array', 'date' ],
		[ as2 => 'int2[]', [ -3 .. 5 ], 'array', 'int2' ],
		[ a8 => 'int8[]', [ -3 .. 5, '9223372036854775807' ], 'array', 'int8' ],
		[ ao => 'bool[]', [ 'true', 'false' ], 'array', 'bool' ],
		[ ae => 'mood[]', \@moods, 'array', 'mood' ],
		[ ar => 'interval[]', \@intervals, 'array', 'interval' ],
		[ ap => 'inet[]', \@inets, 'array', 'inet' ],
		[ ac => '"char"[]', [ 'a' .. 'd' ], 'array', '"char"' ],
		[ dn => 'some_ints', [ 0 .. 9 ], 'array', 'int' ],
		[ js => 'jsonb', \@json, 'equal' ],
		[ ra => 'int4range', \@ranges, 'equal' ],
		[ by => 'bytea', \@bytes, 'equal' ],
		[ ma => 'macaddr', \@macs, 'equal' ],
		[ vb => 'varbit', [ '', '0', '1', '01', '10', '0000000000000001' ], 'equal' ],
		[ mo => 'money', [ -3 .. 5 ], 'equal' ],
		[ ch => '"char"', [ 'a' .. 'd' ], 'equal' ],);

	return map { { name => $_->[0], type => $_->[1], values => $_->[2], kind => $_->[3], element => $_->[4] } } @columns;
}

# A literal of a column's type, without a type; text for a parameter alike
sub value
{
	my ($column) = @_;

	return quote($column->{kind} eq 'array' ? array_of($column->{values}, 4) : pick(@{ $column->{values} }));
}

# Types that values of a column compare with as well
my %wider = (int2 => [qw(int4 int8 numeric float8)], int4 => [qw(int8 numeric float8)], int8 => [qw(numeric)], small_int => [qw(int8 int4)], float4 => [qw(float8)], numeric => [qw(numeric)],
	date => [qw(timestamp timestamptz)], timestamp => [qw(timestamptz)], text => [qw(varchar name bpchar)], 'varchar(9)' => [qw(text bpchar)], 'char(9)' => [qw(text varchar)], name => [qw(text varchar)],
	short_text => [qw(text varchar)]);

# The same as an expression of the type, or as a parameter where the statement
# is prepared ($with->{types} is then its list of parameters' types)
sub typed
{
	my ($with, $column, $type, $value) = @_;

	# name would bring a collation of its own
	my $own = $column->{type} =~ /COLLATE/;

	($type //= $column->{type}) =~ s/ COLLATE .*//;
	$value //= chance(0.03) ? 'NULL' : value($column);
	$type = pick(@{ $wider{$type} }) if !$own && $wider{$type} && chance(0.15);
	if ($with->{types} && @{ $with->{types} } < 9 && chance(0.5))
	{
		push @{ $with->{types} }, $type;
		push @{ $with->{values} }, $value;
		return '$' . scalar @{ $with->{types} };
	}
	return "CAST($value AS $type)" if chance(0.2);
	# as people write it: the other side tells the type
	return $value if chance(0.3) && $value ne 'NULL';
	return "$value\::$type";
}

# One element of an array column
sub element
{
	my ($with, $column) = @_;

	return typed($with, $column, $column->{element}, chance(0.03) ? 'NULL' : quote(pick(@{ $column->{values} })));
}

# An array of values of a scalar column, of its element type
sub several
{
	my ($with, $column) = @_;
	(my $type = $column->{type}) =~ s/ COLLATE .*//;

	return typed($with, $column, $type . '[]', quote(array_of($column->{values}, 4)));
}

sub null_test
{
	my ($name) = @_;

	return $name . pick(' IS NULL', ' IS NOT NULL', ' IS NOT NULL');
}

# Conditions on a column that compares: only = and <> where there is no order
sub scalar_condition
{
	my ($with, $column, $table) = @_;
	my $name = $with->{alias} . $column->{name};
	my $compare = $column->{kind} eq 'equal' ? pick('=', '=', '<>') : pick('=', '=', '<', '<=', '>', '>=', '<>');

	return pick(
		sub { "$name $compare " . typed($with, $column) },
		sub { "$name $compare " . typed($with, $column) },
		sub { typed($with, $column) . " $compare $name" },
		sub { "$name " . pick('IN', 'NOT IN') . ' (' . join(', ', map { typed($with, $column) } 1 .. 1 + int(rand(4))) . ')' },
		sub { "$name = ANY (" . several($with, $column) . ')' },
		sub { "$name $compare " . pick('ANY', 'ALL') . ' (' . several($with, $column) . ')' },
		sub { $column->{kind} eq 'equal' ? null_test($name) : "$name BETWEEN " . typed($with, $column) . ' AND ' . typed($with, $column) },
		sub { null_test($name) },
		sub { "$name IS " . pick('', 'NOT ') . 'DISTINCT FROM ' . typed($with, $column) },
		# a value that only the execution knows
		sub { "$name = (SELECT $column->{name} FROM $table->{name} ORDER BY id OFFSET " . int(rand(50)) . ' LIMIT 1)' })->();
}

sub text_condition
{
	my ($with, $column) = @_;
	my $name = $with->{alias} . $column->{name};

	# an order and an equality that the index does not know
	return "$name COLLATE " . pick('"C"', '"POSIX"', 'nocase', '"und-x-icu"') . pick(' = ', ' = ', ' < ', ' <> ') . value($column) if chance(0.3);
	return pick("$name\::text = ", "$name\::varchar = ", "$name\::bpchar = ") . value($column) if chance(0.2);
	# patterns are refused for nondeterministic collations
	return "lower($name) = " . quote(lc pick('a', 'ab', 'AB', 'zz')) if chance(0.3) || $column->{type} =~ /nocase/;
	return pick("$name LIKE " . quote(pick('a%', '%b', 'A_', 'ab')), "length($name) = " . int(rand(4)), "starts_with($name, 'a')");
}

sub bool_condition
{
	my ($with, $column) = @_;
	my $name = $with->{alias} . $column->{name};

	return pick($name, "NOT $name", "$name IS " . pick('', 'NOT ') . pick('TRUE', 'FALSE', 'UNKNOWN'), "$name = " . typed($with, $column), "$name IN ($name, " . typed($with, $column) . ')',
		"$name <> " . typed($with, $column));
}

sub array_condition
{
	my ($with, $column) = @_;
	my $name = $with->{alias} . $column->{name};
	my $operator = pick('&&', '&&', '@>', '<@', '=');

	return pick(
		sub { "$name $operator " . typed($with, $column) },
		sub { "$name $operator " . typed($with, $column) },
		sub { typed($with, $column) . " $operator $name" },
		sub { element($with, $column) . " = ANY ($name)" },
		sub { element($with, $column) . " = ANY ($name)" },
		sub { element($with, $column) . " <> ALL ($name)" },
		sub { "$name @> ARRAY[" . element($with, $column) . ']::' . ($column->{type} =~ s/ COLLATE .*//r) },
		sub { "cardinality($name) = " . int(rand(4)) },
		sub { null_test($name) })->();
}

sub code
{
	my ($kind) = @_;

	return quote(pick(@{ $kind->{literals} })) . "::$kind->{type}";
}

# A condition on the vector. $with->{q} is the query, as SQL
sub vector_condition
{
	my ($with, $table) = @_;
	my $kind = $table->{kind};
	my $name = $with->{alias} . 'c';
	my $far = $kind->{far}->();

	return null_test($name) if chance(0.15);
	return "$name = " . code($kind) if chance(0.15);
	if ($kind->{operator} eq '<~>' && chance(0.6))
	{
		my $another = code($kind);

		return pick("hamming_within($name, $with->{q}, $far)", "$name <@ hamming_ball($with->{q}, $far)", "$name <@ hamming_ball($another, $far)",
			"$name <@ ANY (ARRAY[hamming_ball($another, $far), " . pick("hamming_ball($with->{q}, 3)", 'NULL') . '])', "$name <@ ANY ('{}'::hamming_ball[])");
	}
	my $compare = pick('<', '<=', '<', '>', '=');
	return "$name $kind->{operator} $with->{q} BETWEEN $far AND " . $kind->{far}->() if chance(0.2);
	return chance(0.2) ? "$far > $name $kind->{operator} $with->{q}" : "$name $kind->{operator} $with->{q} $compare $far";
}

# A condition on one column, mostly
sub atom
{
	my ($with, $table) = @_;
	my $alias = $with->{alias};
	my $column = pick(@{ $table->{columns} });

	$column = pick(@{ $table->{inside} }) if @{ $table->{inside} } && chance(0.8);
	return vector_condition($with, $table) if chance(0.1);
	return pick(
		$alias . 'x ' . pick('=', '<', '>') . ' ' . int(rand(100)), "${alias}j @> '{\"k\": " . int(rand(20)) . '}\'', $alias . 'y ' . pick('=', '<', '>') . ' ' . int(rand(13)),
		"${alias}y % 3 = " . int(rand(3)), "${alias}i4 = ${alias}y", "${alias}i4::int8 + ${alias}y = " . int(rand(20)), "(${alias}i4 IS NULL)", "abs(${alias}y - 6) < " . int(rand(7)),
		"lower(${alias}te) = 'ab'", "coalesce(${alias}i4, 3) = " . int(rand(6)), "CASE WHEN ${alias}bo THEN ${alias}i4 = 3 ELSE ${alias}bo2 END", "${alias}i4::int8 = " . int(rand(9)), "${alias}bo = ${alias}bo2",
		"${alias}i2 = ${alias}i4", "${alias}ai && ${alias}ax", "${alias}te = ${alias}vc", "(${alias}i4 = 3) IS NOT TRUE", "(${alias}bo AND ${alias}bo2) IS UNKNOWN", "(${alias}da IS NULL) = ${alias}bo", "(${alias}i4, ${alias}y) < (" . int(rand(15)) . ', 5)', pick('true', 'false', 'NULL::bool'))
	  if chance(0.2);
	return bool_condition($with, $column) if $column->{kind} eq 'bool';
	return array_condition($with, $column) if $column->{kind} eq 'array';
	return text_condition($with, $column) if $column->{kind} eq 'text' && chance(0.2);
	return scalar_condition($with, $column, $table);
}

# Conditions joined
sub condition
{
	my ($with, $table, $depth) = @_;
	my $kind = $depth > 0 ? rand() : 0;

	return atom($with, $table) if $kind < 0.4;
	return 'NOT (' . condition($with, $table, $depth - 1) . ')' if $kind < 0.5;
	return join($kind < 0.78 ? ' AND ' : ' OR ', map { '(' . condition($with, $table, $depth - 1) . ')' } 1 .. 2 + int(rand(2)));
}

# Kinds of vectors: type, operator class and operator; the value of row i, as SQL;
# a distance that some rows are within. `literals` come from the server.
sub kinds
{
	my @kinds;

	for ([ 64, 1, 'hamming', '<~>', sub { int(rand(40)) } ], [ 40, 1, 'jaccard', '<%>', sub { sprintf('%.2f', rand()) } ], [ 40, 1, 'cosine', '<=>', sub { sprintf('%.2f', rand()) } ],
		[ 40, 1, 'ip', '<#>', sub { sprintf('%.1f', rand(12) - 10) } ], [ 24, 2, 'ip', '<#>', sub { sprintf('%.1f', rand(20) - 15) } ], [ 24, 2, 'cosine', '<=>', sub { sprintf('%.2f', rand()) } ],
		[ 16, 4, 'cosine', '<=>', sub { sprintf('%.2f', rand()) } ], [ 20, 3, 'ip', '<#>', sub { sprintf('%.1f', rand(40) - 30) } ])
	{
		my ($dims, $bits, $class, $operator, $far) = @$_;
		my $type = "bincode($dims" . ($bits > 1 ? ", $bits)" : ')');
		push @kinds, { name => "${class}_$bits", type => $type, class => "bincode_${class}_ops", operator => $operator, far => $far, dims => $dims, bits => $bits,
			row => "code_of(%s, $dims, $bits)::$type" };
	}
	for ([ 'ip', '<#>', sub { -int(rand(20)) } ], [ 'cosine', '<=>', sub { sprintf('%.2f', rand()) } ])
	{
		my ($class, $operator, $far) = @$_;

		push @kinds, { name => "svec_$class", type => 'svec(200)', class => "svec_${class}_ops", operator => $operator, far => $far, row => 'sparse_of(%s)' };
	}
	return @kinds;
}

# A query for a kind of vector: of its own type, or of floats where that is right
sub query
{
	my ($kind) = @_;

	return 'repeat(' . quote('0') . ", $kind->{dims})::$kind->{type}" if ($kind->{bits} // 0) == 1 && chance(0.02);
	return code($kind) unless $kind->{class} =~ /bincode_(ip|cosine)/ && chance(0.4);
	return "'{" . join(',', map { sprintf('%.3f', rand(2) - 1) } 1 .. $kind->{dims}) . "}'::" . pick('real[]', 'real[]', 'float8[]', 'numeric[]');
}

# ---- what a statement gave ----

sub first_field
{
	return (split /\|/, $_[0])[0];
}

# Do distances rise, NULL last?
sub rising
{
	my $before = '-Infinity';

	for my $d (map { first_field($_) } @_)
	{
		return 0 if $before eq 'NULL' && $d ne 'NULL';
		return 0 if $d ne 'NULL' && $d < $before;
		$before = $d;
	}
	return 1;
}

# Rows that are not among others, each as often as there
sub surplus
{
	my ($got, $truth) = @_;
	my %left;

	$left{$_}++ for @$truth;
	return grep { --($left{$_} //= 0) < 0 } @$got;
}

# What is wrong with the rows of a search; '' if nothing
sub difference
{
	my ($run, $got, $truth) = @_;
	my $skip = $run->{skip} // 0;
	my $most = defined $run->{k} ? $run->{k} : 1_000_000;
	my $found = @$truth > $skip ? @$truth - $skip : 0;
	my $want = $found < $most ? $found : $most;
	my @part = $want > 0 ? @$truth[ $skip .. $skip + $want - 1 ] : ();
	my ($error) = grep { /^!ERROR/ } @$got;
	my ($expected) = grep { /^!ERROR/ } @$truth;

	return ($error // 'no error') eq $expected ? '' : "not $expected" if $expected;
	return $error if $error;
	if ($run->{compare} =~ /^(set|sorted)$/)
	{
		my ($more) = surplus($got, $truth);
		my ($less) = surplus($truth, $got);
		return scalar(@$got) . ' rows instead of ' . @$truth . (defined $less ? ", without $less" : '') . (defined $more ? ", with $more" : '') if defined $more || defined $less;
		return $run->{compare} eq 'sorted' && !rising(@$got) ? 'wrong order' : '';
	}
	if ($run->{compare} eq 'list')
	{
		@part = @$truth if !defined $run->{k};
		return join("\n", @$got) eq join("\n", @part) ? '' : 'other rows: ' . join(' ', grep { defined } @$got[ 0 .. 5 ]) . ' instead of ' . join(' ', grep { defined } @part[ 0 .. 5 ]);
	}
	if ($run->{compare} eq 'ties' && @part)
	{
		my $last = first_field($part[-1]);
		push @part, grep { first_field($_) eq $last } @$truth[ $want .. $#$truth ];
	}
	return scalar(@$got) . " rows instead of $want" if $run->{recall} < 1 && ($run->{compare} eq 'ties' ? @$got < $want : @$got != $want);
	return scalar(@$got) . ' rows instead of ' . @part if $run->{recall} == 1 && @$got != @part;
	return 'wrong order' if $run->{recall} < 1 && !rising(@$got);
	my @wrong = surplus($got, $truth);
	return "rows that do not match: $wrong[0]" if @wrong;
	return '' if $run->{recall} < 1;
	for my $i (0 .. $#part)
	{
		return 'distance ' . first_field($got->[$i]) . ' instead of ' . first_field($part[$i]) . " at place $i" if first_field($got->[$i]) ne first_field($part[$i]);
	}
	return '';
}

1;
