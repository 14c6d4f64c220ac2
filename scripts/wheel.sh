#!/usr/bin/env bash
# Builds the Python wheel into dist/ and tries it in an empty virtual environment.
#
#   scripts/wheel.sh [DIR]     DIR instead of dist/
#
# Zig is the linker: it knows the symbols of every glibc, so that the wheel runs from glibc 2.17 on
# (manylinux2014). Zig and maturin come from the Python registry, into target/venv-build.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
python=${PYTHON:-python3}
build=$target/venv-build
out=${1:-dist}
platform=${PLATFORM:-$(uname -m)-unknown-linux-gnu}

if ! [ -x "$build/bin/maturin" ] || ! [ -x "$build/bin/python-zig" ]; then
    "$python" -m venv "$build"
    "$build/bin/pip" install --quiet 'maturin>=1.16,<1.17' 'ziglang>=0.13'
fi

mkdir -p "$out"
# Archives of C objects keep the symbols of the linker that made them: a folder of its own.
PATH=$build/bin:$PATH CARGO_TARGET_DIR=$target/wheel maturin build \
    --manifest-path python/Cargo.toml --release --locked --zig --compatibility manylinux2014 \
    --target "$platform" --interpreter "$python" --out "$out"
wheel=$(ls -t "$out"/oci_fusion-*.whl | head -1)

empty=$(mktemp -d)
trap 'rm -rf "$empty"' EXIT
"$python" -m zipfile -e "$wheel" "$empty/unpacked"
scripts/check-glibc.sh "$empty"/unpacked/fusion/_fusion*.so
if [ "${platform%%-*}" = "$(uname -m)" ]; then
    "$python" -m venv "$empty/venv"
    "$empty/venv/bin/pip" install --quiet --no-index --no-deps "$wheel"
    scripts/try-wheel.sh "$empty/venv/bin/python"
fi
echo "$wheel"
