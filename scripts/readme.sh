#!/usr/bin/env bash
# Runs the commands of the README's main job, on the archives of the demo, which must have run, and
# those about bundles and packages, on small ones. `harbor.local` is a registry that is started here.
source "$(dirname "$0")/common.sh"
source scripts/registry.sh

need zstd:zstd docker-registry:docker-registry
archives=$(realpath "$target/demo")
PATH=$(realpath "$target/release"):$PATH
commands=$(awk '/^<!-- tried/,/^<!-- end/ { if (/^```/) code = !code; else if (code) print }' README.md)
[ -n "$commands" ] || die "found no commands in README.md"

there=$(mktemp -d)
trap 'registry_stop; rm -rf "$there"' EXIT
registry_start "$there/registry"
commands=${commands//harbor.local/$registry_host}
mkdir "$there/work"
cd "$there/work"
cp "$archives"/images-a*64.tar .
gzip -1k images-amd64.tar
zstd -q -1 images-arm64.tar
fusion-fixtures package --kind addon --out . >/dev/null
fusion-fixtures bundle --out . >/dev/null
# What somebody pushed before, one tag for each architecture.
for arch in amd64 arm64; do
    fusion push "images-$arch.tar" --to "$registry_host" --plain-http --image '*/bash:5.2' \
        --rename "quay.io/example/bash:5.2=$registry_host/t/app-linux-$arch:1.5" >/dev/null
done
bash -euxo pipefail -c "$commands"
