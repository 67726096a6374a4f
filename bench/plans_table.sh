# The table of bench/plans.sql; sourced by the scripts that use it, after
# server.sh. $kind is codes or sparse, of $folder.

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
	*)
		echo "codes or sparse, not $kind" >&2
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
	lines $rows | sql -c "COPY plans.plans_rows FROM STDIN"
	lines queries | sql -c "COPY plans.plans_queries FROM STDIN"
}

make_table()
{
	sql -v operator="$operator" -v function="$function" -v ks="$KS" \
		-v groups="$GROUPS_OF_COLUMNS" -f "$here/plans.sql"
}
