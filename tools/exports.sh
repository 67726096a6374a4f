#!/bin/sh
# Print the names that a library exports and should not.
#
#   tools/exports.sh LIBRARY
set -eu

nm -D --defined-only "${1:?usage: tools/exports.sh LIBRARY}" |
	awk '{ print $3 }' |
	grep -vE '^(hx_[a-z0-9_]+|pg_finfo_hx_[a-z0-9_]+|Pg_magic_func|_PG_init)$' ||
	true
