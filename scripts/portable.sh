#!/usr/bin/env bash
# Builds a release of the command, or of other packages, that runs from glibc 2.17 on, and checks it.
#
#   scripts/portable.sh [PACKAGE...]        fusion if none is named
#
# The results are in target/portable/PLATFORM/release. Zig is the linker; it and cargo-zigbuild come
# from the Python registry, into target/venv-build. PLATFORM=aarch64-unknown-linux-gnu builds for
# arm64, after `rustup target add aarch64-unknown-linux-gnu`.
source "$(dirname "$0")/common.sh"
source scripts/python.sh

platform=${PLATFORM:-$(uname -m)-unknown-linux-gnu}
[ $# -gt 0 ] || set -- fusion
need_rust
need readelf:binutils
need_python
venv_build

packages=()
for package in "$@"; do packages+=(--package "$package"); done
PATH=$build/bin:$PATH CARGO_TARGET_DIR=$target/portable cargo-zigbuild zigbuild --release --locked \
    --target "$platform.2.17" "${packages[@]}"

results=()
for result in "$target/portable/$platform/release"/{fusion,libfusion.so}; do
    [ -e "$result" ] && results+=("$result")
done
scripts/check-glibc.sh "${results[@]}"
