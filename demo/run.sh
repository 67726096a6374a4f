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
steps=0

# Where a step fails, what it leaves behind goes as after success
failed()
{
	[ ! -x "$folder/stop" ] ||
		echo "This failed. Stop the server and remove its folder: $folder/stop" >&2
}
trap '[ $? -eq 0 ] || failed' EXIT

# The title of the next step
step()
{
	steps=$((steps + 1))
	echo
	echo "$steps. $*"
}

# Run a command silently, unless it fails
quietly()
{
	"$@" >"$folder/log" 2>&1 || { cat "$folder/log"; exit 1; }
}

# Build and install, telling every few seconds how many files are compiled
build()
{
	make -s -j2 with_llvm=no PG_CONFIG="$PG_CONFIG" install \
		>"$folder/log" 2>&1 &
	make=$!
	files=$(find src -name '*.c' | wc -l)
	printf '  of %s files compiled:' "$((files))"
	while kill -0 "$make" 2>/dev/null; do
		sleep 3
		printf ' %s' "$(find src -name '*.o' | wc -l)"
	done
	echo
	wait "$make" || { cat "$folder/log"; exit 1; }
}

if [ ! -r "$wordnet/data.noun" ]; then
	echo "The demonstration needs WordNet's files data.noun and so on, which" \
		"are not in $wordnet. On Debian: apt-get install wordnet-base." \
		"Elsewhere: make demo WORDNET=folder." >&2
	exit 1
fi

cat <<-TEXT

	A dictionary of 117,000 entries, searched by likeness and by a WHERE clause at
	once, with hashemb in PostgreSQL. It takes one to two minutes where two
	processors are idle. Nothing is changed but a new folder, $folder.
TEXT

step "Building hashemb for $("$PG_CONFIG" --version | cut -d' ' -f1,2)" \
	'(half a minute)'
build

step 'Starting a server that only this machine sees'
quietly initdb -D "$folder/data" -U demo -A trust -E UTF8 \
	--locale=C.UTF-8 --no-sync
# One worker and one place to begin make each run give the same answers
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
	autovacuum = off
	max_parallel_workers = 0
	synchronize_seqscans = off
CONF
quietly pg_ctl -D "$folder/data" -l "$folder/server.log" -w start
cat >"$folder/psql" <<-PSQL
	#!/bin/sh
	# psql in the demonstration's database
	exec '$bin/psql' -X -h '$folder' -U demo -d demo -P pager=off "\$@"
PSQL
cat >"$folder/stop" <<-STOP
	#!/bin/sh
	# Stop the demonstration's server and remove its folder
	kill -INT "\$(head -n 1 '$folder/data/postmaster.pid')"
	while [ -e '$folder/data/postmaster.pid' ]; do sleep 0.2; done
	rm -rf '$folder'
STOP
chmod +x "$folder/psql" "$folder/stop"

# psql as a reader would call it, without what differs between readers
demo()
{
	"$folder/psql" -q -v ON_ERROR_STOP=1 "$@"
}
quietly "$bin/psql" -X -h "$folder" -U demo -d postgres \
	-c 'CREATE DATABASE demo'

cat <<TEXT

What a code is
  The words of an entry and of its definition, the rarer the heavier, are a
  vector: a number for each word. A code is a short form of a vector, here of
  512 bits. Bit 1 says on which side of a random plane the vector lies, bit 2 on
  which side of another, and so on. Vectors that point the same way lie on the
  same side of most planes, so codes of like entries differ in few bits. How many
  they are is the distance of two codes, written code <~> code: 0 between equal
  ones, about 256 between entries that have nothing in common.
TEXT

step 'Loading the entries of WordNet and making a code for each' \
	'(half a minute or more)'
demo -f demo/load.sql \
	-v synset_command="perl '$PWD/demo/wordnet.pl' '$wordnet' synset" \
	-v parent_command="perl '$PWD/demo/wordnet.pl' '$wordnet' parent"

step 'Indexing the codes, and the columns to filter by'
demo -A -t -f demo/index.sql

step 'Questions'
cat <<TEXT

  Each query below can be pasted, now and later, into

    $folder/psql

  Its time is the least of three runs, in one process. Beside it stands that of the
  same query over every row, without the index. Making the code of the query takes
  as long for both and is in neither. To be fast, a search may miss one row in
  twenty, on average; so each answer tells how many of the nearest rows it has.
  Answers are the same in every run of this demonstration; times are not.
TEXT
demo -A -t -f demo/questions.sql

if [ -e "$("$PG_CONFIG" --sharedir)/extension/vector.control" ]; then
	step 'The same codes with pgvector (its index takes a minute or so)'
	demo -A -t -f demo/pgvector.sql
fi

step 'The whole vectors, indexed beside their codes'
demo -A -t -f demo/sparse.sql

step 'The same question by code, by words, and by both'
demo -A -t -f demo/both.sql

step 'Codes that are learnt: 8 bytes instead of 64 (half a minute)'
demo -A -t -f demo/learn.sql

cat <<TEXT

Done in $(($(date +%s) - started)) seconds. The server is still running:

  look around:          $folder/psql
  for example:          SELECT words, definition FROM entry
                        ORDER BY code <~> (SELECT code_of('apple')) LIMIT 10;
  stop and remove it:   $folder/stop
TEXT
