#!/usr/bin/env bash
# Shows the newest version of each system library that a program or library asks for, and fails if
# that is a glibc newer than 2.17 (RHEL 7, manylinux2014). It reads what the loader reads: the
# version needs of the file.
#
#   scripts/check-glibc.sh FILE...
set -euo pipefail

limit=2.17
[ $# -gt 0 ] || { sed -n '2,6p' "$0" >&2; exit 2; }

newer() { # whether version $1 is newer than $2
    [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -1)" = "$1" ]
}

status=0
for file in "$@"; do
    needs=$(readelf --version-info --wide "$file" | sed -n '/Version needs section/,$p')
    newest=$(grep -o 'Name: GLIBC_[0-9.]*' <<<"$needs" | sed 's/.*GLIBC_//' | sort -Vu | tail -1)
    if [ -z "$newest" ]; then
        echo "$file: needs no glibc"
    elif newer "$newest" "$limit"; then
        echo "$file: needs GLIBC_$newest, newer than $limit, for:" >&2
        grep -o 'Name: GLIBC_[0-9.]*' <<<"$needs" | sed 's/.*Name: //' | sort -Vu |
            while read -r version; do
                if newer "${version#GLIBC_}" "$limit"; then
                    readelf --dyn-syms --wide "$file" | grep -F "@$version" |
                        awk '{print "  " $8}' >&2
                fi
            done
        status=1
    else
        echo "$file: needs GLIBC_$newest, at most $limit"
    fi
done
exit $status
