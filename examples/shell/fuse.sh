#!/usr/bin/env bash
# An installer's step: one archive per architecture in, one multi-architecture archive out.
#
#   fuse.sh OUTPUT SOURCE...        FUSION=/path/to/fusion if it is not on the PATH
#
# Copy it, and change what you need. It ends with 0 if every image has both platforms; whatever
# happens, OUTPUT is what it was before or complete.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 OUTPUT SOURCE..." >&2; exit 2; }
output=$1
shift
read -ra fusion <<<"${FUSION:-fusion}"
report=$(mktemp)
trap 'rm -f "$report"' EXIT

status=0
"${fusion[@]}" fuse "$@" -o "$output" \
    --require-platform linux/amd64,linux/arm64 \
    --on-existing replace \
    --report "$report" || status=$?

case $status in
    0) ;;
    3) echo "the archives disagree, or an architecture is missing" >&2 ;;
    4) echo "an archive is damaged: fetch it again" >&2 ;;
    5) echo "a file is missing or cannot be read or written" >&2 ;;
    8) echo "the disk is full" >&2 ;;
    130) echo "stopped; nothing was written" >&2 ;;
esac
[ $status -eq 0 ] || exit $status

# The report is JSON, for whatever comes next: here, the references that the archive has now.
if command -v jq >/dev/null; then
    jq -r '.images[] | "\(.reference)@\(.digest)"' "$report"
fi
