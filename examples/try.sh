#!/usr/bin/env bash
# Runs the examples on archives that docker and podman wrote: `examples/try.sh PYTHON`, with the
# Python that has the package.
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
archives=$examples/../fixtures/archives
python=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

sound=("$archives"/skopeo-docker-archive-hello-{amd64,arm64}.tar)
# One of its images is there for amd64 only.
lacking=("$archives"/docker-20.10-save-{amd64,arm64}.tar)

step() { "$python" -W error "$examples/python/install_step.py" "$@"; }
script() { FUSION=${FUSION:-"$python -m fusion"} "$examples/shell/fuse.sh" "$@"; }

for example in step script; do
    $example "$folder/$example.tar" "${sound[@]}"
    $example "$folder/$example.tar" "${sound[@]}" >/dev/null
    if $example "$folder/lacking.tar" "${lacking[@]}" 2>"$folder/said"; then
        echo "$example: a missing platform went unnoticed" >&2
        exit 1
    fi
    grep -q 'missing' "$folder/said"
    [ ! -e "$folder/lacking.tar" ]
done
cmp "$folder/step.tar" "$folder/script.tar"
echo "examples: both give the same archive"
