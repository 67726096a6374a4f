#!/bin/sh
# Make the checkout's extensions a new version, with scripts to update to it.
#
#   tools/new-version.sh NEW BASE
#
# BASE is the commit whose install scripts are the present version: where it was
# tagged. The install scripts as they are now become those of NEW, those of BASE
# are put back under their old name, and tools/upgrade.pl writes what leads from
# one to the other; what it cannot write, it names. Then control files, Makefile,
# META.json, the changes' heading and all that names an install script follow.
# Look at "git diff" and run t/008_upgrade.pl before you commit.
set -eu

new=${1:?usage: tools/new-version.sh NEW BASE}
base=${2:?usage: tools/new-version.sh NEW BASE}
cd "$(dirname "$0")/.."
old=$(sed -n "s/^default_version = '\(.*\)'/\1/p" hashemb.control)
by_hand=0
if [ "$old" = "$new" ]; then
	echo "hashemb is $new already" >&2
	exit 1
fi

# Files that name an install script, or a version of this project
naming=$(git grep -lE "hashemb(_pgvector)?--$old\.sql" -- . ':!hashemb*.sql' \
	':!CHANGELOG.md')
for extension in hashemb hashemb_pgvector; do
	script=$extension--$old.sql
	mv "$script" "$extension--$new.sql"
	git show "$base:$script" >"$script"
	sed -i "1s/--$old\.sql/--$new.sql/" "$extension--$new.sql"
	perl tools/upgrade.pl "$script" "$extension--$new.sql" \
		>"$extension--$old--$new.sql" || by_hand=1
	sed -i "s/^default_version = .*/default_version = '$new'/" \
		"$extension.control"
done
sed -i -E "s/(hashemb(_pgvector)?)--$old\.sql/\1--$new.sql/g" $naming
sed -i "s/^DATA = .*/DATA = \$(notdir \$(wildcard \$(srcdir)\/hashemb*--*.sql))/" \
	Makefile
sed -i "s/\"version\": \"$old\"/\"version\": \"$new\"/" META.json
sed -i "s/^## $old (unreleased)/## $new (unreleased)/" CHANGELOG.md
git add -A -- 'hashemb*--*.sql'
git diff --stat HEAD
[ "$by_hand" -eq 0 ] || echo "Finish the update scripts by hand (see above)."
