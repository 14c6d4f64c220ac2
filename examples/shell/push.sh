#!/usr/bin/env bash
# An installer's step: one archive per architecture in, multi-architecture tags in a registry out.
#
#   push.sh HOST/PREFIX SOURCE...   FUSION=/path/to/fusion if it is not on the PATH
#
# Copy it, and change what you need. The user is REGISTRY_USER, with the password in the file
# REGISTRY_PASSWORD_FILE; without them, whoever `docker login` or `podman login` stored. Running it
# again sends only what is missing.
set -euo pipefail

[ $# -ge 2 ] || { echo "usage: $0 HOST/PREFIX SOURCE..." >&2; exit 2; }
to=$1
shift
read -ra fusion <<<"${FUSION:-fusion}"
report=$(mktemp)
trap 'rm -f "$report"' EXIT

# A password has no place on a command line, which every process of the machine may read.
user=() password=/dev/null
if [ -n "${REGISTRY_USER:-}" ]; then
    user=(--username "$REGISTRY_USER" --password-stdin)
    password=$REGISTRY_PASSWORD_FILE
fi

status=0
"${fusion[@]}" push "$@" --to "$to" ${user[@]+"${user[@]}"} \
    --require-platform linux/amd64,linux/arm64 \
    --report "$report" <"$password" || status=$?

case $status in
    0) ;;
    3) echo "the archives disagree, or an architecture is missing" >&2 ;;
    4) echo "an archive is damaged: fetch it again" >&2 ;;
    6) echo "the registry refused it, or cannot be reached" >&2 ;;
    130) echo "stopped; run it again to go on" >&2 ;;
esac
[ $status -eq 0 ] || exit $status

# What the tags led to before, should somebody want to go back.
if command -v jq >/dev/null; then
    jq -r '.images[] | "\(.target)@\(.digest)  before: \(.previous_digest // "nothing")"' "$report"
fi
