#!/usr/bin/env bash
# Runs the commands of the README's main job, on the archives of the demo, which must have run, and
# those about bundles and packages, on small ones.
source "$(dirname "$0")/common.sh"

need zstd:zstd
archives=$(realpath "$target/demo")
PATH=$(realpath "$target/release"):$PATH
commands=$(awk '/^<!-- tried/,/^<!-- end/ { if (/^```/) code = !code; else if (code) print }' README.md)
[ -n "$commands" ] || die "found no commands in README.md"

there=$(mktemp -d)
trap 'rm -rf "$there"' EXIT
cd "$there"
cp "$archives"/images-a*64.tar .
gzip -1k images-amd64.tar
zstd -q -1 images-arm64.tar
fusion-fixtures package --kind addon --out . >/dev/null
fusion-fixtures bundle --out . >/dev/null
bash -euxo pipefail -c "$commands"
