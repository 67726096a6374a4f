#!/bin/sh
# docs/benchmarks.md and its plots, from kept runs.
#
#   bench/report.sh [--no-plots] [FOLDER]     (default: docs)
#
# Reads bench/results/codes-report.txt and codes-million.txt, runs of bench/run.sh
# of hashemb, HNSW, IVFFlat and an exact plan side by side, dense.txt, one of
# bench/dense.sh, and scale.txt, one of bench/scale.sh; and writes FOLDER/benchmarks.md and FOLDER/benchmarks/*.svg
# with gnuplot. Nothing is measured. The plots are drawn in black: lines differ by
# their points and dashes.
set -eu

plots=1
if [ "${1:-}" = --no-plots ]; then
	plots=''
	shift
fi
source=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$source/docs}
results=$source/bench/results
mkdir -p "$folder/benchmarks"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Cells of a run at k = 10, by tabs: filter, variant, matches, recall, p50 of the
# clock, p99, p50 of the processor; of dense vectors the mean of the processor, and
# nothing of the clock and the matches. The last of a filter and a variant counts:
# exact plans were measured again with all indexes they can use.
cells()
{
	awk '
	function keep(filter, variant, columns) {
		if (!((filter, variant) in cell))
			order[++n] = filter SUBSEP variant
		cell[filter, variant] = filter "\t" variant "\t" columns
	}
	/ recall +[0-9.]+ [+]- / {
		filter = "none"
		if ($1 == "r")
			filter = sprintf("random %.2g %%", 100 * $3 / 65536)
		split(substr($0, index($0, " recall ") + 8), f, " ")
		variant = substr($0, $1 == "r" ? index($0, $3) + length($3) : 5)
		variant = substr(variant, 1, index(variant, " recall ") - 1)
		gsub(/^ +| +$/, "", variant)
		if (variant ~ /sort/)
			variant = "prefilter"
		keep(filter, variant, "\t" f[1] "\t\t\t" f[4])
	}
	match($0, / +10  (hashemb|hnsw|ivfflat|prefilter)/) {
		filter = substr($0, 1, RSTART - 1)
		sub(/ +$/, "", filter)
		rest = substr($0, RSTART)
		if (match(rest, /(hashemb 0\.[0-9]+|hnsw ef [0-9]+|ivfflat probes [0-9]+|prefilter) +[0-9]/)) {
			variant = substr(rest, RSTART, RLENGTH - 1)
			sub(/ +$/, "", variant)
			split(substr(rest, RSTART + RLENGTH - 1), f, " ")
			keep(filter, variant, f[2] "\t" f[3] "\t" f[9] "\t" f[11] "\t" f[12])
		}
	}
	END { for (i = 1; i <= n; i++) print cell[order[i]]
	}' "$1"
}

# A line of a run's head: head FILE NAME
head_of()
{
	sed -n "s/^$2  *//p" "$1" | head -n 1
}

# Rows of the builds of a run, as a table
builds()
{
	echo '| index | build, s of a processor | size, MB | WAL, MB |'
	echo '|---|---|---|---|'
	sed -n -E 's/^(.*[^ ]) +built in [0-9.]+ s \(processor ([0-9.]+) s\), ([0-9.]+) MB, WAL ([0-9.]+) MB.*/| \1 | \2 | \3 | \4 |/p' "$1"
}

# A table of searches: a row a filter, a column a variant
searches()
{
	cells "$1" | awk -F '\t' '
	!($1 in at) { at[$1] = ++filters; filter[filters] = $1; rows[$1] = $3 }
	!($2 in column) { column[$2] = ++variants; variant[variants] = $2 }
	{ cell[$1, $2] = sprintf("%.3f, %.2f", $4, $7) }
	END {
		printf "| filter | rows |"
		for (v = 1; v <= variants; v++) printf " %s |", variant[v]
		printf "\n|---|---|"
		for (v = 1; v <= variants; v++) printf "---|"
		print ""
		for (f = 1; f <= filters; f++) {
			printf "| %s | %s |", filter[f], rows[filter[f]]
			for (v = 1; v <= variants; v++)
				printf " %s |", cell[filter[f], variant[v]]
			print ""
		}
	}'
}

# Run gnuplot, or what GNUPLOT names
plot()
{
	"${GNUPLOT:-gnuplot}"
}

# Recall against latency, a panel a filter of the run: recall_plot RUN NAME
recall_plot()
{
	cells "$1" | awk -F '\t' '$2 ~ /^hashemb/ && !seen[$1]++ { print $1 }' \
		>"$work/filters"
	panels=$(wc -l <"$work/filters")
	lines=$(((panels + 2) / 3))
	commands=''
	number=0
	while read -r filter; do
		number=$((number + 1))
		for variant in hashemb hnsw ivfflat prefilter; do
			cells "$1" | awk -F '\t' -v f="$filter" -v v="$variant" \
				'$1 == f && index($2, v) == 1 { print $7, $4 }' \
				>"$work/panel$number.$variant"
			[ -s "$work/panel$number.$variant" ] ||
				echo '0.001 -1' >"$work/panel$number.$variant"
		done
		title=$filter ivfflat=''
		[ "$filter" != none ] || title='no filter'
		! grep -q 'ivfflat probes' "$1" || ivfflat="'$work/panel$number.ivfflat' with linespoints dt 4 pt 12 lw 2 lc 'black' title 'IVFFlat',"
		commands="$commands
set title \"$title\"
plot '$work/panel$number.hashemb' with linespoints dt 1 pt 7 lw 2 lc 'black' title 'hashemb', \
	'$work/panel$number.hnsw' with linespoints dt 2 pt 4 lw 2 lc 'black' title 'HNSW', \
	$ivfflat '$work/panel$number.prefilter' with points pt 8 ps 1.5 lc 'black' title 'exact, sorted'
unset key"
	done <"$work/filters"
	plot <<-PLOT
	set terminal svg size 1000,$((lines * 250)) noenhanced font 'sans,12' background 'white'
	set output '$folder/benchmarks/$2-recall.svg'
	set multiplot layout $lines,3
	set logscale x
	set xrange [0.02:300]
	set yrange [0:1.08]
	set format x '%g'
	set xlabel 'a search, processor, ms'
	set ylabel 'recall (share of 1)'
	set grid lc 'gray'
	set key bottom left Left reverse samplen 2 spacing 0.9
	$commands
	unset multiplot
	PLOT
}

# Build time and size of a run's indexes, as bars: builds_plot RUN NAME
builds_plot()
{
	builds "$1" | awk -F ' *[|] *' 'NR > 2 && !/inserts|fine/ {
		sub(/ (m|lists) .*/, "", $2)
		sub("hnsw", "HNSW", $2)
		sub("ivfflat", "IVFFlat", $2)
		printf "\"%s\"\t%s\t%s\n", $2, $3, $4 }' >"$work/builds"
	plot <<-PLOT
	set terminal svg size 1040,360 noenhanced font 'sans,11' background 'white'
	set output '$folder/benchmarks/$2-builds.svg'
	set datafile separator '\t'
	set multiplot layout 1,2
	unset key
	set boxwidth 0.6
	set style fill pattern 4 border lc 'black'
	set offsets 0.5, 0.5, graph 0.1, 0
	set grid y lc 'gray'
	set xtics nomirror scale 0
	set lmargin 9
	set rmargin 3
	set yrange [0:*]
	set ylabel 'build, seconds of a processor'
	plot '$work/builds' using 0:2:xtic(1) with boxes lc 'black' title 'build', '' using 0:2:2 with labels offset 0,0.6 title ''
	set ylabel 'size of the index, MB'
	plot '$work/builds' using 0:3:xtic(1) with boxes lc 'black' title 'size', '' using 0:3:3 with labels offset 0,0.6 title ''
	unset multiplot
	PLOT
}

# Latency against the rows that pass: selectivity_plot RUN NAME
selectivity_plot()
{
	for variant in 'hashemb 0.95' 'hnsw ef 100' 'ivfflat probes 16' prefilter; do
		cells "$1" | awk -F '\t' -v v="$variant" \
			'$1 ~ /^random/ && $2 == v { print $3, $7 }' |
			sort -g >"$work/rows"
		mv "$work/rows" "$work/$(echo "$variant" | tr -c 'a-z0-9\n' _).rows"
	done
	ivfflat=''
	[ ! -s "$work/ivfflat_probes_16.rows" ] || ivfflat="'$work/ivfflat_probes_16.rows' with linespoints dt 4 pt 12 lw 2 lc 'black' title 'IVFFlat, 16 probes',"
	plot <<-PLOT
	set terminal svg size 720,460 noenhanced font 'sans,13' background 'white'
	set output '$folder/benchmarks/$2-selectivity.svg'
	set logscale xy
	set format x '%.0f'
	set format y '%g'
	set rmargin 6
	set xlabel 'rows that pass the filter'
	set ylabel 'a search: median of the processor, ms'
	set grid lc 'gray'
	set key top right
	set xrange [7:*]
	set yrange [0.05:1000]
	plot '$work/hashemb_0_95.rows' with linespoints dt 1 pt 7 lw 2 lc 'black' title 'hashemb, recall 0.95', \
		'$work/hnsw_ef_100.rows' with linespoints dt 2 pt 4 lw 2 lc 'black' title 'HNSW, ef_search 100', \
		$ivfflat '$work/prefilter.rows' with linespoints dt 3 pt 8 lw 2 lc 'black' title 'exact, sorted'
	PLOT
}

# Sizes of a run of bench/scale.sh, by blanks: rows, build in seconds, MB of the
# index, rows scored without a filter at .95
sizes()
{
	sed -n 's/^growth \([0-9]*\) rows: build \([0-9.]*\) s, index \([0-9.]*\) MB; .* \([0-9]*\) rows scored$/\1 \2 \3 \4/p' "$1"
}

# Searches at .95 by the size of the index: growth_cells RUN; lines of rows, filter,
# recall, p50 of the processor and mean rows scored, by tabs
growth_cells()
{
	awk '
	/^---- [0-9]+ rows/ { rows = $2 }
	match($0, /hashemb 0\.95 +[0-9]/) {
		filter = substr($0, 1, RSTART - 1)
		sub(/ +10 +$/, "", filter)
		split(substr($0, RSTART + RLENGTH - 1), f, " ")
		print rows "\t" filter "\t" f[3] "\t" f[12] "\t" f[14]
	}' "$1"
}

# Four panels against the rows of the index: growth_plot RUN
growth_plot()
{
	sizes "$1" >"$work/sizes"
	curves='' scored=''
	point=0
	for filter in none 'random 10 %' 'random 1 %' 'random 0.1 %'; do
		point=$((point + 1))
		growth_cells "$1" | awk -F '\t' -v f="$filter" '$2 == f { print $1, $4, $5 }' \
			>"$work/growth$point"
		title=$filter
		[ "$filter" != none ] || title='no filter'
		style="with linespoints dt $point pt $(echo 7 4 8 2 | cut -d' ' -f$point) lw 2 lc 'black' title '$title'"
		curves="$curves${curves:+, }'$work/growth$point' using 1:2 $style"
		scored="$scored${scored:+, }'$work/growth$point' using 1:3 $style"
	done
	root=$(awk '{ print $3 / sqrt($1) }' "$work/growth1" | tail -n 1)
	plot <<-PLOT
	set terminal svg size 900,720 noenhanced font 'sans,13' background 'white'
	set output '$folder/benchmarks/growth.svg'
	set multiplot layout 2,2
	set logscale xy
	set xrange [7000:14000000]
	set format x '%.0s%c'
	set xlabel 'rows of the index (k: thousand, M: million)'
	set grid lc 'gray'
	set key top left Left reverse
	set ylabel 'a search: processor, median, ms'
	set yrange [0.01:1000]
	plot $curves
	set ylabel 'rows scored by a search, mean'
	set format y '%.0s%c'
	set yrange [1:9e8]
	plot $scored, $root * sqrt(x) with lines dt 1 lw 1 lc 'black' title 'as the root of the rows'
	unset key
	set yrange [*:*]
	set format y '%g'
	set ylabel 'build, seconds of a processor'
	plot '$work/sizes' using 1:2 with linespoints dt 1 pt 7 lw 2 lc 'black' title 'build'
	set ylabel 'size of the index, MB'
	plot '$work/sizes' using 1:3 with linespoints dt 1 pt 7 lw 2 lc 'black' title 'size'
	unset multiplot
	PLOT
}

# A line of the run that begins so: line_of RUN START, without START
line_of()
{
	sed -n "s/^$2[: ]*//p" "$1" | head -n 1
}

# The chapter of growth
growth_chapter()
{
	run=$results/scale.txt
	echo
	echo "## Ten thousand to ten million codes of 128 bits"
	echo
	echo "\`bench/results/scale.txt\` (\`bench/scale.sh\`): $(head_of "$run" data), one attribute, on $(head_of "$run" date)."
	origin "$run" | tail -n 1
	echo
	echo '| rows | build, s of a processor | size, MB | rows scored at .95, no filter | of all |'
	echo '|---|---|---|---|---|'
	sizes "$run" | awk '{ printf "| %d | %s | %s | %d | %.1f %% |\n", $1, $2, $3, $4, 100 * $4 / $1 }'
	echo
	echo '![Growth: latency, rows scored, build, size](benchmarks/growth.svg)'
	echo
	echo 'The ten nearest at .95: recall, the median of a search on the processor in milliseconds, rows scored (mean).'
	echo
	growth_cells "$run" | awk -F '\t' '
	!($2 in at) { at[$2] = ++filters; filter[filters] = $2 }
	!($1 in size) { size[$1] = ++sizes; rows[sizes] = $1 }
	{ cell[$1, $2] = sprintf("%.3f, %.2f, %d", $3, $4, $5) }
	END {
		printf "| filter |"
		for (r = 1; r <= sizes; r++) printf " %d rows |", rows[r]
		printf "\n|---|"
		for (r = 1; r <= sizes; r++) printf "---|"
		print ""
		for (f = 1; f <= filters; f++) {
			printf "| %s |", filter[f]
			for (r = 1; r <= sizes; r++)
				printf " %s |", cell[rows[r], filter[f]]
			print ""
		}
	}'
	echo
	echo "Of the largest: inserts by one client, $(line_of "$run" 'insert, one client');"
	echo "vacuum after a hundredth of the rows was deleted, $(line_of "$run" vacuum)."
}

# What a run was of, where and when: origin RUN
origin()
{
	echo "\`bench/results/${1##*/}\`: $(head_of "$1" data), on $(head_of "$1" date)."
	echo "$(head_of "$1" processor); $(head_of "$1" vectors); $(head_of "$1" server | sed 's/ on .*//'); $(head_of "$1" extensions)."
}

# A run's chapter: chapter RUN NAME TITLE
chapter()
{
	echo
	echo "## $3"
	echo
	origin "$1"
	echo
	builds "$1"
	echo
	echo "![Build time and size, $2](benchmarks/$2-builds.svg)"
	echo
	echo "The ten nearest: recall, and the median of a search's time on the processor in milliseconds."
	echo
	searches "$1"
	echo
	echo "![Recall against latency, $2](benchmarks/$2-recall.svg)"
	echo
	echo "![Latency against the rows that pass, $2](benchmarks/$2-selectivity.svg)"
}

# The chapter of dense vectors
dense_chapter()
{
	run=$results/dense.txt
	echo
	echo "## 117,791 real vectors of 512 dimensions"
	echo
	origin "$run"
	echo
	echo '| index | build, s of a processor | size, bytes a row |'
	echo '|---|---|---|'
	sed -n -E 's/^([a-z]+)_index +built in ([0-9.]+) s of the processor, ([0-9]+) bytes a row$/| \1 | \2 | \3 |/p' "$run"
	echo
	echo "The ten nearest by cosine: recall, and the mean of a search's time on the processor, with planning, in milliseconds."
	echo
	searches "$run" | sed 's/^\(|[^|]*|\)[^|]*|/\1/'
	echo
	echo "![Recall against latency, dense](benchmarks/dense-recall.svg)"
}

{
	cat <<-'HEAD'
	# Benchmarks

	Written by `make bench-report` from kept runs; [bench/README.md](../bench/README.md) says how they were measured,
	[bench/RESULTS.md](../bench/RESULTS.md) what else was. "HNSW" and "IVFFlat" are pgvector's, with a filter as iterative
	scans; "prefilter" is the same table with B-tree and GIN indexes, exact distances and a sort. The machine was shared and
	busy: compare within a table.

	On a table of your own, `bench/own.sh 'dbname=...' table column` draws a page of plots, and

	```sql
	CREATE TABLE mine (id int, code bincode(64));
	INSERT INTO mine SELECT i, (i::bigint * 11400714819323 % 9223372036854775807)::bigint::bincode(64) FROM generate_series(1, 3000) i;
	CREATE INDEX mine_code ON mine USING hashemb (code);
	SELECT recall >= 0.9 AS as_promised, rows_scored < 3000 AS fewer_rows FROM hashemb_measure_recall('mine_code', 10, 50);
	```

	measures recall.
	HEAD
	dense_chapter
	chapter "$results/codes-report.txt" wordnet '117,791 real codes of 512 bits'
	chapter "$results/codes-million.txt" million 'A million generated codes of 512 bits'
	growth_chapter
} >"$folder/benchmarks.md"

[ -n "$plots" ] || exit 0
for of in wordnet:report million:million; do
	recall_plot "$results/codes-${of#*:}.txt" "${of%:*}"
	builds_plot "$results/codes-${of#*:}.txt" "${of%:*}"
	selectivity_plot "$results/codes-${of#*:}.txt" "${of%:*}"
done
recall_plot "$results/dense.txt" dense
growth_plot "$results/scale.txt"
sed -i 's/[[:blank:]]*$//' "$folder"/benchmarks/*.svg
