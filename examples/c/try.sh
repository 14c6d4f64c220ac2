#!/bin/sh
# Tries install-images and push-images on real archives: they do what they say, can run again, and
# say what is wrong.
#
#     ./try.sh ARCHIVES HOST[:PORT]     the folder with docker-20.10-save-amd64.tar and -arm64.tar; a
#                                       registry that anybody may write to
set -eu

archives=$1
registry=$2
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

for _ in 1 2; do
    "$here/install-images" "$scratch/images.tar" "$archives/docker-20.10-save-amd64.tar" \
        "$archives/docker-20.10-save-arm64.tar" | tee "$scratch/told"
done
grep -q 'linux/amd64 linux/arm64' "$scratch/told"
grep -q 'warning\[missing-platform\]' "$scratch/told"
tar -tf "$scratch/images.tar" | grep -x index.json >/dev/null

# An archive that was not copied to its end: nothing is installed, and what was there stays.
head -c 20000 "$archives/docker-20.10-save-arm64.tar" >"$scratch/short.tar"
before=$(cksum <"$scratch/images.tar")
status=0
"$here/install-images" "$scratch/images.tar" "$archives/docker-20.10-save-amd64.tar" \
    "$scratch/short.tar" 2>"$scratch/error" || status=$?
cat "$scratch/error"
[ "$status" = 1 ]
grep -q FUSION_STATUS_INVALID_ARCHIVE "$scratch/error"
[ "$before" = "$(cksum <"$scratch/images.tar")" ]

# Into a registry: the second time there is nothing to send.
for _ in 1 2; do
    "$here/push-images" "$registry/example" "$archives/docker-20.10-save-amd64.tar" \
        "$archives/docker-20.10-save-arm64.tar" | tee "$scratch/pushed"
done
grep -x "$registry/example/library/hello:1.0" "$scratch/pushed" >/dev/null
grep -q '^  unchanged sha256:' "$scratch/pushed"
grep -q '^0 bytes sent' "$scratch/pushed"
status=0
"$here/push-images" harbor "$archives/docker-20.10-save-amd64.tar" 2>"$scratch/error" || status=$?
cat "$scratch/error"
[ "$status" = 1 ]
grep -q FUSION_STATUS_USAGE "$scratch/error"
