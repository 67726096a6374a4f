#!/bin/sh
# WordNet by similarity: load, index, ask, in a server of its own that stays.
#
#   tools/sandbox.sh --keep demo demo/run.sh
set -eu

folder=$HASHEMB_SANDBOX
bin=$(dirname "$PG_CONFIG")
wordnet=${WORDNET:-/usr/share/wordnet}
PATH=$bin:$PATH
started=$(date +%s)

say()
{
	echo
	echo "$*"
}

# Run a command silently, unless it fails
quietly()
{
	"$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
}

if [ ! -r "$wordnet/data.noun" ]; then
	echo "The demonstration needs WordNet's files data.noun and so on, which" \
		"are not in $wordnet. On Debian: apt-get install wordnet-base." \
		"Elsewhere: make demo WORDNET=folder." >&2
	exit 1
fi

say "1. Building hashemb for $("$PG_CONFIG" --version | cut -d' ' -f1,2)" \
	"in a new folder, $folder"
quietly make -s -j2 PG_CONFIG="$PG_CONFIG" install

say '2. Starting a server that only this machine sees'
quietly initdb -D "$folder/data" -U demo -A trust -E UTF8 \
	--locale=C.UTF-8 --no-sync
cat >>"$folder/data/postgresql.conf" <<-CONF
	listen_addresses = ''
	unix_socket_directories = '$folder'
	fsync = off
	full_page_writes = off
	max_wal_size = 4GB
	shared_buffers = 256MB
	work_mem = 128MB
	maintenance_work_mem = 256MB
	dynamic_shared_memory_type = mmap
	jit = off
CONF
quietly pg_ctl -D "$folder/data" -l "$folder/server.log" -w start
cat >"$folder/stop" <<-STOP
	#!/bin/sh
	# Stop the demonstration's server and remove its folder
	kill -INT "\$(head -n 1 '$folder/data/postmaster.pid')"
	while [ -e '$folder/data/postmaster.pid' ]; do sleep 0.2; done
	rm -rf '$folder'
STOP
chmod +x "$folder/stop"

# psql as a reader would call it, without what differs between readers
demo()
{
	psql -X -q -h "$folder" -U demo -v ON_ERROR_STOP=1 "$@"
}
quietly demo -d postgres -c 'CREATE DATABASE demo'

say '3. Loading the 117,000 entries of WordNet (about a minute)'
demo -d demo -f demo/load.sql \
	-v synset_command="perl '$PWD/demo/wordnet.pl' '$wordnet' synset" \
	-v parent_command="perl '$PWD/demo/wordnet.pl' '$wordnet' parent"

say '4. Indexing the codes, and the columns to filter by'
demo -d demo -f demo/index.sql

say '5. Questions'
demo -d demo -A -t -f demo/questions.sql

say '6. The same questions asked of the sparse vectors that the codes are made of'
demo -d demo -A -t -f demo/sparse.sql

say '7. Learning codes from the same vectors'
demo -d demo -f demo/learn.sql

if [ -e "$("$PG_CONFIG" --sharedir)/extension/vector.control" ]; then
	say '8. The same with pgvector (its index takes a minute or so)'
	demo -d demo -A -t -f demo/pgvector.sql
fi

say "Done in $(($(date +%s) - started)) seconds. The server is still running:"
echo
echo "  look around:          $bin/psql -h $folder -U demo demo"
echo "  for example:          SELECT words, definition FROM entry"
echo "                        ORDER BY code <~> (SELECT code_of('apple')) LIMIT 10;"
echo "  stop and remove it:   $folder/stop"
