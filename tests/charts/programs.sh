#!/usr/bin/env bash
# Builds what the tests of charts run against, once: Helm, ChartMuseum and charts-syncer, into
# charts-programs of the Cargo target folder. They are Go modules; without Go on the machine there
# is nothing to do.
#
#   tests/charts/programs.sh           build those that are not there
#   tests/charts/programs.sh --check   only say where they are (status 1 if one is missing)
source "$(dirname "$0")/../../scripts/common.sh"

# program module version package
table=(
    "helm helm.sh/helm/v3 v3.22.0 ./cmd/helm"
    "chartmuseum helm.sh/chartmuseum v0.13.1 ./cmd/chartmuseum"
    "charts-syncer github.com/bitnami-labs/charts-syncer v0.20.3 ."
)

mkdir -p "$target"
folder=$(cd "$target" && pwd)/charts-programs

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
    echo "there is no Go here: the tests do without Helm, ChartMuseum and charts-syncer"
    exit 0
fi

# What other programs ask for of Go is not for these.
unset GOOS GOARCH GOEXPERIMENT GOFLAGS
mkdir -p "$folder"
partial=$(mktemp -d "$folder/partial.XXXXXX")
trap 'rm -rf "$partial"' EXIT

# Replacements in a go.mod count in the main module only, so `go install MODULE@VERSION` refuses
# two of the three: each is built in a copy of its own source, with the versions that its own
# go.sum names.
build() { # build PROGRAM MODULE VERSION PACKAGE
    local program=$1 module=$2 version=$3 package=$4 source
    mkdir -p "$partial/$program-fetch"
    (
        cd "$partial/$program-fetch"
        # Asked by version in a module that requires it, Go looks up no list of versions.
        printf 'module fetch\n\ngo 1.21\n\nrequire %s %s\n' "$module" "$version" >go.mod
        GOFLAGS=-mod=mod go mod download "$module"
    ) || return 1
    source=$(cd "$partial/$program-fetch" && GOFLAGS=-mod=mod go list -m -f '{{.Dir}}' "$module") ||
        return 1
    [ -n "$source" ] || return 1
    cp -R "$source" "$partial/$program-source"
    chmod -R u+w "$partial/$program-source"
    (
        cd "$partial/$program-source"
        CGO_ENABLED=0 GOFLAGS="-trimpath -buildvcs=false -mod=mod" \
            go build -ldflags="-s -w" -o "$partial/$program" "$package"
    ) || return 1
    # In one step, so that whoever finds it finds it whole.
    echo "$version" >"$folder/$program.version"
    mv "$partial/$program" "$folder/$program"
    rm -rf "$partial/$program-source"
    echo "$folder/$program"
}

failed=()
for row in "${wanted[@]}"; do
    read -r program module version package <<<"$row"
    say "Building $module $version"
    build "$program" "$module" "$version" "$package" || failed+=("$module $version")
done
[ ${#failed[@]} -eq 0 ] || die "could not build: ${failed[*]}"
