#!/bin/sh
# Run pgvector's own regression tests beside hashemb.
#
#   tools/pgvector-suite.sh PGVECTOR_SOURCE_DIR
#
# hashemb and vector are created in one database and one schema, hashemb first,
# and then all of pgvector's tests must pass: no call or operator that its users
# write may become ambiguous or mean something else. Once more with the casts of
# hashemb_pgvector. Everything happens in a throwaway copy of both checkouts and
# of the server; the folder must be readable by everyone.
set -eu

source=$(cd "${1:?usage: tools/pgvector-suite.sh PGVECTOR_SOURCE_DIR}" && pwd)
[ -n "${HASHEMB_SANDBOX:-}" ] ||
	exec "$(dirname "$0")/sandbox.sh" test tools/pgvector-suite.sh "$source"

work=$TMPDIR/pgvector
mkdir -p "$work"
(cd "$source" && tar -cf - --exclude=.git --exclude='*.o' --exclude='*.bc' \
	--exclude='*.so' .) | tar -xf - -C "$work" --no-same-owner
make -s PG_CONFIG="$PG_CONFIG" install >/dev/null
# The copy of the server shares the system's headers: add none to them
make -s -C "$work" OPTFLAGS= HEADERS= PG_CONFIG="$PG_CONFIG" install >/dev/null

cd "$work"
pgxs=$(dirname "$(dirname "$($PG_CONFIG --pgxs)")")
tests=$(ls test/sql/*.sql | xargs -n 1 basename -s .sql)
for extensions in 'hashemb vector' 'hashemb vector hashemb_pgvector'; do
	echo "With $extensions:"
	"$pgxs/test/regress/pg_regress" --inputdir=test --outputdir=. \
		--bindir="$(dirname "$PG_CONFIG")" --temp-instance=instance \
		--encoding=UTF8 --no-locale \
		$(printf -- '--load-extension=%s ' $extensions) $tests || {
		cat regression.diffs
		exit 1
	}
	rm -rf instance
done
