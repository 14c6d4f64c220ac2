#!/bin/sh
# Tries install-images on real archives: it fuses, it can run again, and it says what is wrong.
#
#     ./try.sh ARCHIVES      the folder with docker-20.10-save-amd64.tar and -arm64.tar
set -eu

archives=$1
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
