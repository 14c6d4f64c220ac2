#!/usr/bin/env bash
# Builds the second real registry of the tests, distribution 3, once: into registry-v3 of the Cargo
# target folder. It is a Go module; without Go on the machine there is nothing to do.
#
#   tests/registry/distribution.sh           build it unless it is there
#   tests/registry/distribution.sh --check   only say where it is (status 1 if it is not)
source "$(dirname "$0")/../../scripts/common.sh"

module=github.com/distribution/distribution/v3
version=v3.1.2
mkdir -p "$target"
folder=$(cd "$target" && pwd)/registry-v3
program=$folder/registry

if [ -x "$program" ] && [ "$(cat "$folder/version")" = "$version" ]; then
    echo "$program"
    exit 0
fi
[ "${1:-}" != --check ] || die "not built: $program"
if ! command -v go >/dev/null; then
    echo "there is no Go here: the tests do without distribution 3"
    exit 0
fi

# What other programs ask for of Go is not for this one.
unset GOOS GOARCH GOEXPERIMENT
rm -rf "$folder"
mkdir -p "$folder"
trap 'rm -rf "$folder/partial"' EXIT
say "Building $module $version"
CGO_ENABLED=0 GOFLAGS=-trimpath GOBIN=$folder/partial \
    go install -ldflags="-s -w" "$module/cmd/registry@$version" ||
    die "could not build $module $version"
echo "$version" >"$folder/version"
# In one step, so that whoever finds it finds it whole.
mv "$folder/partial/registry" "$program"
echo "$program"
