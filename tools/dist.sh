#!/bin/sh
# The archive of a release, as PGXN takes it: FOLDER/hashemb-VERSION.zip.
#
#   tools/dist.sh [FOLDER]     (default: build)
#
# Holds what git has under version control; where there is no git, all files
# but those that a build or a test makes. VERSION is that of META.json, which
# has to be that of the control files.
set -eu

cd "$(dirname "$0")/.."
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" hashemb.control)
grep -q "^   \"version\": \"$version\"" META.json || {
	echo "META.json is not of version $version, as hashemb.control is" >&2
	exit 1
}
folder=${1:-build}
mkdir -p "$folder"
archive=$folder/hashemb-$version.zip
files=$(mktemp)
trap 'rm -f "$files"' EXIT
if ! git ls-files >"$files" 2>/dev/null || [ ! -s "$files" ]; then
	find . -type f ! -path './.git/*' ! -path './build/*' \
		! -path './tmp_check/*' ! -path './results/*' \
		! -path './output_iso/*' ! -name '*.o' ! -name '*.d' ! -name '*.bc' \
		! -name '*.so' ! -name 'regression.*' | sed 's|^\./||' >"$files"
fi
rm -f "$archive"
sort "$files" | perl -MIO::Compress::Zip=:all -e '
	my ($archive, $prefix) = @ARGV;
	chomp(my @files = grep { chomp; -e } <STDIN>);
	zip(\@files => $archive, FilterName => sub { $_ = "$prefix/$_" },
		CanonicalName => 0) or die "$archive: $ZipError\n";
' "$archive" "hashemb-$version"
echo "$archive"
