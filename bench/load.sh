# The table of a benchmark; sourced by the scripts that use one, after server.sh.

attributes="label, rnd, cat, nul, near64, near4096, tags"
fine="fine0, fine1, fine2, fine3, fine4, fine5, fine6, fine7"

# Create, fill and analyze a system's table, and ordinary indexes on it
load()
{
	dims=$(cat "$folder/dims")
	if [ "$1" = hashemb ]
	then
		extension=hashemb type=bincode
	else
		extension=vector type=bit
	fi
	sql <<-SQL
	SET client_min_messages = warning;
	CREATE EXTENSION IF NOT EXISTS $extension;
	DROP TABLE IF EXISTS $1;
	CREATE TABLE $1 (id integer, code $type($dims), label text, rnd integer,
		cat smallint, nul smallint, near64 smallint, near4096 smallint,
		tags integer[], fine0 smallint, fine1 smallint, fine2 smallint,
		fine3 smallint, fine4 smallint, fine5 smallint, fine6 smallint,
		fine7 smallint);
	SQL
	"$build/rows" "$folder" | sql -c "COPY $1 FROM STDIN"
	for column in label rnd cat nul near64 near4096 fine0 fine1 fine2 fine3 \
		fine4 fine5 fine6 fine7
	do
		echo "CREATE INDEX $1_$column ON $1 ($column);"
	done | sql
	sql -c "CREATE INDEX $1_tags ON $1 USING gin (tags)" \
		-c "VACUUM ANALYZE $1" -c "CHECKPOINT"
	echo "$1: table of $(sql -c "SELECT count(*) || ' rows, ' ||
		pg_size_pretty(pg_relation_size('$1')) FROM $1")"
}
