#!/bin/sh
# Tries install-images, push-images and sync-charts on real archives and bundles: they do what they
# say, can run again, and say what is wrong.
#
#     ./try.sh ARCHIVES HOST[:PORT] BUNDLES     the folder with docker-20.10-save-amd64.tar and
#                                               -arm64.tar; a registry that anybody may write to; the
#                                               folder with web_1.5.0_amd64.bundle.tar and _arm64
set -eu

archives=$1
registry=$2
bundles=$3
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

# Charts: the second time there is nothing to do.
cat >"$scratch/load-image.yaml" <<YAML
source: {intermediateBundlesPath: nowhere}
target:
  containerRegistry: $registry
  containerRepository: example/charts
  repo: {kind: LOCAL, path: "$scratch/charts"}
YAML
for action in created unchanged; do
    "$here/sync-charts" "$scratch/load-image.yaml" "$bundles/web_1.5.0_amd64.bundle.tar" \
        "$bundles/web_1.5.0_arm64.bundle.tar" | tee "$scratch/synced"
    grep -x "web 1.5.0  $action  linux/amd64 linux/arm64" "$scratch/synced" >/dev/null
    grep -x "  $scratch/charts/web-1.5.0.tgz" "$scratch/synced" >/dev/null
done

# A chart that cannot be published is told, with all that went well.
rm "$scratch/charts/web-1.5.0.tgz"
mkdir "$scratch/charts/web-1.5.0.tgz"
status=0
"$here/sync-charts" "$scratch/load-image.yaml" "$bundles/web_1.5.0_amd64.bundle.tar" \
    >"$scratch/synced" || status=$?
cat "$scratch/synced"
[ "$status" = 7 ]
grep '^web 1.5.0  failed' "$scratch/synced" >/dev/null
grep 'it is no file' "$scratch/synced" >/dev/null

# What is no configuration is told by its line.
echo 'targets: {}' >"$scratch/wrong.yaml"
status=0
"$here/sync-charts" "$scratch/wrong.yaml" "$bundles" 2>"$scratch/error" || status=$?
cat "$scratch/error"
[ "$status" = 1 ]
grep -q 'line 1' "$scratch/error"
grep -q FUSION_STATUS_USAGE "$scratch/error"
