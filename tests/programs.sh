#!/usr/bin/env bash
# Builds what the tests run against and Debian does not have, once: registries (distribution 3, zot),
# Helm, ChartMuseum and charts-syncer, into test-programs of the Cargo target folder. They are Go
# modules; without Go on the machine there is nothing to do.
#
#   tests/programs.sh           build those that are not there
#   tests/programs.sh --check   only say where they are (status 1 if one is missing)
source "$(dirname "$0")/../scripts/common.sh"

# program module version package [tags]
#
# zot: later releases are at another address, which the module proxy does not have; the tests have a
# model of what zot 2 does otherwise (tests/registry/zot_2.rs).
table=(
    "registry github.com/distribution/distribution/v3 v3.1.2 ./cmd/registry"
    "zot github.com/project-zot/zot v1.4.3 ./cmd/zot containers_image_openpgp"
    "helm helm.sh/helm/v3 v3.22.0 ./cmd/helm"
    "chartmuseum helm.sh/chartmuseum v0.13.1 ./cmd/chartmuseum"
    "charts-syncer github.com/bitnami-labs/charts-syncer v0.20.3 ."
)

mkdir -p "$target"
folder=$(cd "$target" && pwd)/test-programs

built() { # built PROGRAM VERSION
    [ -x "$folder/$1" ] && [ "$(cat "$folder/$1.version" 2>/dev/null)" = "$2" ]
}

missing=0
wanted=()
for row in "${table[@]}"; do
    read -r program _ version _ <<<"$row"
    if built "$program" "$version"; then
        echo "$folder/$program"
    else
        missing=1
        wanted+=("$row")
    fi
done
[ "$missing" -eq 1 ] || exit 0
[ "${1:-}" != --check ] || die "not built: ${wanted[*]}"
if ! command -v go >/dev/null; then
    echo "there is no Go here: the tests do without distribution 3, zot, Helm, ChartMuseum and charts-syncer"
    exit 0
fi

# What other programs ask for of Go is not for these.
unset GOOS GOARCH GOEXPERIMENT GOFLAGS
mkdir -p "$folder"
partial=$(mktemp -d "$folder/partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT

# Replacements in a go.mod count in the main module only, and a module may lie elsewhere than it says:
# `go install MODULE@VERSION` refuses three of them. Each is built in a copy of its own source, with
# the versions that its own go.sum names.
build() { # build PROGRAM MODULE VERSION PACKAGE [TAGS]
    local program=$1 module=$2 version=$3 package=$4 tags=${5:-} source
    mkdir -p "$partial/$program-fetch"
    # Outside of any module, Go looks up no list of versions, and takes the source as it is.
    source=$(cd "$partial/$program-fetch" && GO111MODULE=on go mod download -json "$module@$version" |
        sed -n 's/^[[:space:]]*"Dir": "\(.*\)",$/\1/p') || return 1
    [ -n "$source" ] || return 1
    cp -R "$source" "$partial/$program-source"
    chmod -R u+w "$partial/$program-source"
    (
        cd "$partial/$program-source"
        CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -mod=mod" \
            go build -tags="$tags" -ldflags="-s -w" -o "$partial/$program" "$package"
    ) || return 1
    # In one step, so that whoever finds it finds it whole.
    echo "$version" >"$folder/$program.version"
    mv "$partial/$program" "$folder/$program"
    rm -rf "$partial/$program-source"
    echo "$folder/$program"
}

failed=()
for row in "${wanted[@]}"; do
    read -r program module version package tags <<<"$row"
    say "Building $module $version"
    build "$program" "$module" "$version" "$package" "$tags" || failed+=("$module $version")
done
[ ${#failed[@]} -eq 0 ] || die "could not build: ${failed[*]}"
