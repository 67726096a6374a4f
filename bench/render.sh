#!/bin/sh
# Markdown tables of kept results, on standard output.
#
#   bench/render.sh RESULT        (RESULT as bench/run.sh names it, no ending)
#
# A table of builds and inserts, then one of searches for every k: a row a
# filter, a column a variant: recall, p50 / p95 / p99 in milliseconds, and in
# brackets the processor's p50. A star marks a cell that misses its target,
# a dagger answers with fewer rows than there are.
set -eu

result=${1:?usage: bench/render.sh RESULT}

if [ -e "$result.build.tsv" ]
then
	awk -F '\t' '
	$1 == "build" && !built++ {
		print "| index | build, s | processor, s | size, MB | WAL, MB |"
		print "|---|---|---|---|---|"
	}
	$1 == "build" {
		printf "| %s | %.1f | %.1f | %.1f | %.1f |\n", $3, $4, $5, $6 / 1e6,
			$7 / 1e6
	}
	$1 == "insert" && !inserted++ {
		print "\n| one client inserts | rows a second | WAL, bytes a row |"
		print "|---|---|---|"
	}
	$1 == "insert" { printf "| %s | %d | %d |\n", $3, $4, $5 }
	' "$result.build.tsv"
fi

[ -e "$result.search.tsv" ] || exit 0
awk -F '\t' '
$1 == "data" { next }
!($3 in seen_filter) { seen_filter[$3]; filter[++filters] = $3 }
!($4 in seen_k) { seen_k[$4]; k[++ks] = $4 }
!($5 in seen_variant) { seen_variant[$5]; variant[++variants] = $5 }
{
	answer[$3, $4, $5] = sprintf("%.3f%s%s %.2f / %.2f / %.2f (%.2f)", $9, \
		$21 == "FAIL" ? "*" : "", $12 > 0 ? "†" : "", $15, $16, $17, $19)
	matches[$3] = $8
}
END {
	for (a = 1; a <= ks; a++)
	{
		printf "\nk = %d\n\n| filter | rows |", k[a]
		for (v = 1; v <= variants; v++)
			printf " %s |", variant[v]
		printf "\n|---|---|"
		for (v = 1; v <= variants; v++)
			printf "---|"
		print ""
		for (f = 1; f <= filters; f++)
		{
			printf "| %s | %d |", filter[f], matches[filter[f]]
			for (v = 1; v <= variants; v++)
				printf " %s |", answer[filter[f], k[a], variant[v]]
			print ""
		}
	}
}' "$result.search.tsv"
