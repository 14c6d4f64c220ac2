#!/usr/bin/env bash
# Builds the Python wheel into dist/ and tries it in an empty virtual environment.
#
#   scripts/wheel.sh [DIR]     DIR instead of dist/
#
# Zig is the linker: it knows the symbols of every glibc, so that the wheel runs from glibc 2.17 on
# (manylinux2014). Zig and maturin come from the Python registry, into target/venv-build.
# PLATFORM=aarch64-unknown-linux-gnu builds for arm64, after
# `rustup target add aarch64-unknown-linux-gnu`.
source "$(dirname "$0")/common.sh"
source scripts/python.sh

out=${1:-dist}
platform=${PLATFORM:-$(uname -m)-unknown-linux-gnu}
need_rust
need readelf:binutils
need_python
venv_build

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
# C objects that another compiler made would bring that one's symbols: a folder of its own.
PATH=$build/bin:$PATH CARGO_TARGET_DIR=$target/wheel maturin build \
    --manifest-path python/Cargo.toml --release --locked --strip --zig \
    --compatibility manylinux2014 --target "$platform" --interpreter "$build/bin/python" \
    --out "$empty"
wheels=("$empty"/*.whl)
wheel=$out/${wheels[0]##*/}
mkdir -p "$out"
mv "${wheels[0]}" "$wheel"

"$build/bin/python" -m zipfile -e "$wheel" "$empty/unpacked"
scripts/check-glibc.sh "$empty"/unpacked/fusion/_fusion*.so
if [ "${platform%%-*}" = "$(uname -m)" ]; then
    "${PYTHON:-python3}" -m venv "$empty/venv"
    "$empty/venv/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps "$wheel"
    scripts/try-wheel.sh "$empty/venv/bin/python"
fi
echo "$wheel"
