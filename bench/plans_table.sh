# The table of bench/plans.sql; sourced by the scripts that use it, after
# server.sh. $kind is codes or sparse, of $folder; or packages, sparse vectors of
# the words that describe packages, or simhash, their codes: then $folder has a
# file `packages`, as `apt-cache dumpavail` prints it.

: "${KS:=1 10 100}" "${GROUPS_OF_COLUMNS:=a o b}"

case $kind in
	codes)
		type="bincode($(cat "$folder/dims"))" rows=codes
		operator='<~>' function=hamming
		;;
	sparse)
		type="svec($(cat "$folder/dims"))" rows=docs
		operator='<#>' function=negative_inner_product
		;;
	packages)
		type="svec(65536)" operator='<#>' function=negative_inner_product
		made=v
		;;
	simhash)
		type="bincode(512)" operator='<~>' function=hamming
		made="simhash(v, 512, 1)"
		;;
	*)
		echo "codes, sparse, packages or simhash, not $kind" >&2
		exit 1
		;;
esac

# Rows or queries as lines for COPY: number and vector
lines()
{
	case $kind in
		codes) "$build/rows" "$folder" "$1" ;;
		sparse) "$build/sparse" text "$folder" "$1" ;;
	esac
}

# Packages as lines: number, and the words of name, section, tags, short
# description and what it depends on
words()
{
	awk -v RS= -v OFS='\t' '{
		gsub(/\n /, " ")
		text = ""
		n = split($0, line, "\n")
		for (i = 1; i <= n; i++)
			if (line[i] ~ /^(Package|Section|Tag|Description|Depends):/)
				text = text " " substr(line[i], index(line[i], ":") + 1)
		gsub(/\([^)]*\)|[^A-Za-z0-9]/, " ", text)
		print NR, tolower(text) }' "$folder/packages"
}

# Weights are those of tf-idf; every 300th package is a query and no row
load_packages()
{
	sql -c "CREATE TABLE plans.words (id int, words text)"
	words | sql -c "COPY plans.words FROM STDIN"
	sql <<-SQL
	CREATE TABLE plans.terms AS SELECT id, 1 + (hashtext(word) & 65535) AS dim,
		1 + ln(count(*)) AS tf FROM plans.words,
		regexp_split_to_table(btrim(words), '\s+') word
		WHERE word <> '' GROUP BY 1, 2;
	CREATE TABLE plans.made AS SELECT id, svec_agg(dim, tf * idf, 65536) AS v
		FROM plans.terms JOIN (SELECT dim, ln((SELECT count(*) FROM plans.words)
			/ count(*)::float8) + 0.1 AS idf FROM plans.terms GROUP BY 1) d
		USING (dim) GROUP BY id;
	INSERT INTO plans.plans_rows SELECT id, $made FROM plans.made WHERE id % 300 > 0;
	INSERT INTO plans.plans_queries SELECT id / 300, $made FROM plans.made WHERE id % 300 = 0;
	SQL
}

load()
{
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS hashemb;
	DROP SCHEMA IF EXISTS plans CASCADE;
	CREATE SCHEMA plans;
	CREATE TABLE plans.plans_rows (id int, v $type);
	CREATE TABLE plans.plans_queries (id int, v $type);
	SQL
	case $kind in
		packages | simhash)
			load_packages
			return
			;;
	esac
	lines $rows | sql -c "COPY plans.plans_rows FROM STDIN"
	lines queries | sql -c "COPY plans.plans_queries FROM STDIN"
}

make_table()
{
	sql -v operator="$operator" -v function="$function" -v ks="$KS" \
		-v groups="$GROUPS_OF_COLUMNS" -f "$here/plans.sql"
}
