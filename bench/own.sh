#!/bin/sh
# A page of plots of an index of your own: what it is made of, what it finds.
#
#   bench/own.sh CONNECTION TABLE COLUMN [FOLDER]
#   bench/own.sh 'dbname=app host=db' item embedding own
#
# Looks at the first hashemb index on the column, and writes FOLDER (default:
# own)/index.html: recall and time at several settings of hashemb.recall, for 100
# rows of the table as queries; how many rows blocks have, and how far these
# spread. Writes nothing to the database. Recall is measured by
# hashemb_measure_recall: 60 queries, each scanned exactly. Times are EXPLAIN
# ANALYZE's, of 40 searches for rows of the table, medians. Needs psql and gnuplot.
set -eu

usage='usage: bench/own.sh CONNECTION TABLE COLUMN [FOLDER]'
connection=${1:?$usage}
table=${2:?$usage}
column=${3:?$usage}
folder=${4:-own}
gnuplot=${GNUPLOT:-gnuplot}
if ! command -v "$gnuplot" >/dev/null 2>&1; then
	echo "There is no gnuplot (Debian: gnuplot-nox)" >&2
	exit 1
fi
mkdir -p "$folder"

# Rows of a statement, by blanks: ask SQL; :table and :column are names
ask()
{
	printf '%s\n' "$1" | psql -X -q -A -t -F ' ' -v ON_ERROR_STOP=1 \
		-v table="$table" -v column="$column" -d "$connection"
}

# The index, its operator, and whether it has blocks
found=$(ask "
	SELECT i.indexrelid::regclass, o.oprname
	FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
		JOIN pg_am a ON a.oid = c.relam AND amname = 'hashemb'
		JOIN unnest(i.indkey, i.indclass) k(attnum, class) ON true
		JOIN pg_attribute t ON t.attrelid = i.indrelid AND t.attnum = k.attnum
		JOIN pg_opclass oc ON oc.oid = k.class
		JOIN pg_amop m ON m.amopfamily = oc.opcfamily AND m.amoppurpose = 'o'
			AND m.amoprighttype = m.amoplefttype
		JOIN pg_operator o ON o.oid = m.amopopr
	WHERE i.indrelid = :'table'::regclass AND t.attname = :'column'
		AND i.indisvalid AND i.indpred IS NULL
	ORDER BY 1 LIMIT 1")
if [ -z "$found" ]; then
	echo "There is no hashemb index on column $column of $table" >&2
	exit 1
fi
index=${found% *} operator=${found##* }
echo "index $index, operator $operator"

# Recall: setting, recall, share below half, rows scored; then the median time
: >"$folder/recall.txt"
for setting in 0.5 0.7 0.8 0.9 0.95 0.98 0.99 1; do
	recall=$(ask "SET hashemb.recall = $setting;
		SELECT recall, below_half, rows_scored
		FROM hashemb_measure_recall('$index', 10, 60)")
	ask "SET hashemb.recall = $setting; SET enable_seqscan = off;
		SELECT format('EXPLAIN (ANALYZE, TIMING OFF, SUMMARY ON) SELECT FROM %s '
			'ORDER BY %I $operator %L LIMIT 10', :'table'::regclass, :'column',
			:\"column\")
		FROM (SELECT * FROM :table WHERE :\"column\" IS NOT NULL LIMIT 4000) x
		ORDER BY random() LIMIT 40 \\gexec" >"$folder/times.txt"
	time=$(sed -n 's/^Execution Time: \([0-9.]*\) ms/\1/p' "$folder/times.txt" |
		sort -g | awk '{ t[NR] = $1 } END { print t[int((NR + 1) / 2)] }')
	echo "$setting $recall $time" >>"$folder/recall.txt"
done
rm "$folder/times.txt"

# Blocks: rows, pages, radius; sparse vectors have none
ask "SELECT rows, pages, coalesce(radius, 0)
	FROM hashemb_block_info('$index') WHERE NOT holds_nulls AND rows > 0" \
	>"$folder/blocks.txt"
ask "SELECT * FROM hashemb_index_info('$index') \\gx" >"$folder/index.txt"

# Room around what is drawn, so that nothing lies on the frame; labels of points
# below, above and beside them, in turn, since neighbours may be at one place
style="set grid lc 'gray' lw 1; unset key
	set offsets graph 0.04, graph 0.04, graph 0.06, graph 0.04
	set terminal svg noenhanced size 640,400 font 'sans,13' background 'white'"

# draw NAME XLABEL YLABEL COMMANDS
draw()
{
	"$gnuplot" <<-PLOT
	$style
	set output '$folder/$1.svg'
	set xlabel '$2'
	set ylabel '$3'
	$4
	PLOT
	pictures="$pictures<figure><img src=\"$1.svg\" alt=\"$3 against $2\"></figure>
"
}

pictures=''
draw recall 'time of a search, median (ms)' 'share of the ten nearest that is found' "
	plot '$folder/recall.txt' using 5:2 with linespoints pt 7 lw 2 lc 'black', \
		'' every 3::0 using 5:2:1 with labels offset 0,-1 font ',11', \
		'' every 3::1 using 5:2:1 with labels offset 0,1 font ',11', \
		'' every 3::2 using 5:2:1 with labels offset 2.5,0 font ',11'"
draw promised 'setting hashemb.recall (share of the nearest)' \
	'share of the ten nearest that is found' "set xrange [0.48:1.02]; set yrange [0.48:1.02]
	plot x with lines dt 2 lc 'black', \
		'$folder/recall.txt' using 1:2 with linespoints pt 7 lw 2 lc 'black'"
draw scored 'setting hashemb.recall (share of the nearest)' 'rows that a search scores' "set yrange [0:*]
	plot '$folder/recall.txt' using 1:4 with linespoints pt 7 lw 2 lc 'black'"
if [ -s "$folder/blocks.txt" ]; then
	widest=$(sort -g "$folder/blocks.txt" | tail -n 1 | cut -d' ' -f1)
	bin=$((widest / 30 + 1))
	draw rows "rows of a block, in steps of $bin" 'number of blocks' "set offsets graph 0.04, graph 0.04, graph 0.06, 0
		bin(x) = $bin * floor(x / $bin) + $bin / 2.0
		set boxwidth $bin * 0.9; set style fill solid 0.4 border lc 'black'; set yrange [0:*]
		plot '$folder/blocks.txt' using (bin(\$1)):(1) smooth frequency with boxes lc 'black'"
	# Radii are whole numbers: no marks between them
	span=$(cut -d' ' -f3 "$folder/blocks.txt" | sort -n |
		awk 'NR == 1 { low = $1 } { high = $1 } END { print high - low }')
	unit='in the index'
	[ "$operator" != '<~>' ] || unit=bits
	draw radius 'rows of a block' "radius of a block ($unit)" \
		"$([ "$span" -ge 10 ] || echo 'set ytics 1;') plot '$folder/blocks.txt' using 1:3 with points pt 6 lc 'black'"
fi

cat >"$folder/index.html" <<HTML
<!DOCTYPE html>
<meta charset="utf-8"><title>$index</title>
<h1>$index</h1>
<p>Table $table, column $column, operator <code>$(echo "$operator" | sed 's/</\&lt;/g; s/>/\&gt;/g')</code>. Points of the
first picture are marked by the setting of <code>hashemb.recall</code>; the dashed line of the second is what is promised. The radius of a block is the distance of its farthest row from its centre.</p>
$pictures
<pre>$(cat "$folder/index.txt")</pre>
HTML
echo "$folder/index.html"
