#!/usr/bin/env bash
# Runs the examples on archives that docker and podman wrote: `examples/try.sh PYTHON`, with the
# Python that has the package. They push to a registry that is started here.
set -euo pipefail
examples=$(cd "$(dirname "$0")" && pwd)
archives=$examples/../fixtures/archives
python=$1
folder=$(mktemp -d)
# shellcheck source=scripts/registry.sh
. "$examples/../scripts/registry.sh"
trap 'registry_stop; rm -rf "$folder"' EXIT
registry_start "$folder/registry"

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

# Into a registry: both give the same tags, and the second run sends nothing.
python_push() { "$python" -W error "$examples/python/push_step.py" "$@"; }
shell_push() { FUSION="$python -m fusion" "$examples/shell/push.sh" "$@"; }
for example in python shell; do
    to=$registry_host/$example
    "${example}_push" "$to" "${sound[@]}" 2>"$folder/said" | tee "$folder/$example.1"
    "${example}_push" "$to" "${sound[@]}" 2>/dev/null >"$folder/$example.2"
    if "${example}_push" "$to" "${lacking[@]}" 2>"$folder/said"; then
        echo "$example: a missing platform went unnoticed" >&2
        exit 1
    fi
    grep -q 'missing' "$folder/said"
    "$python" -m fusion inspect --json "docker://$to/library/hello:1.0" |
        sed -n 's/^ *"digest": //p' >"$folder/$example.tag"
done
cmp "$folder/python.tag" "$folder/shell.tag"
for example in python shell; do
    grep -q 'created' "$folder/$example.1"
    grep -q 'unchanged' "$folder/$example.2"
done

# One tag for each architecture, then one for both.
for arch in amd64 arm64; do
    "$python" -m fusion push "$examples/../fixtures/archives/skopeo-docker-archive-hello-$arch.tar" \
        --to "$registry_host" \
        --rename "docker.io/library/hello:1.0=$registry_host/t/app-linux-$arch:1.5" >/dev/null 2>&1
done
FUSION="$python -m fusion" "$examples/shell/index.sh" "$registry_host/t/app:1.5" \
    "$registry_host/t/app-linux-amd64:1.5" "$registry_host/t/app-linux-arm64:1.5" | tee "$folder/index"
grep -q 'linux/amd64, linux/arm64' "$folder/index"

# From bundles to an upgrade. There is no cluster: a script stands in for Helm, which has the values
# of a release, and renders an upgrade with the real one where that is built
# (tests/programs.sh).
bundles=("$examples"/../fixtures/golden/sources/web_1.5.0_{amd64,arm64}.bundle.tar)
cat >"$folder/load-image.yaml" <<YAML
source:
  intermediateBundlesPath: nowhere
target:
  containerRegistry: $registry_host
  containerRepository: team/charts
  repo:
    kind: LOCAL
    path: $folder/charts
YAML
cat >"$folder/release.yaml" <<YAML
images:
  web:
    registry: harbor.before  # the one before
replicas: 3
YAML
cat >"$folder/helm" <<'SH'
#!/bin/sh
set -eu
case $1 in
    get) cat "$RELEASE" ;;
    show) [ -z "$REAL_HELM" ] || exec "$REAL_HELM" "$@" ;;
    upgrade)
        shift
        [ -z "$REAL_HELM" ] || exec "$REAL_HELM" template "$@"
        echo "without Helm: upgrade $*"
        ;;
esac
SH
chmod +x "$folder/helm"
real_helm=$("$examples/../tests/programs.sh" --check 2>/dev/null | grep '/helm$') || true
upgrade() (
    cd "$folder" && RELEASE=$folder/release.yaml REAL_HELM=$real_helm HELM=$folder/helm \
        KUBECTL=false FUSION="$python -m fusion" \
        "$examples/shell/upgrade.sh" load-image.yaml web team 1.5.0 "${bundles[@]}"
)
upgrade 2>/dev/null | tee "$folder/upgrade.1"
upgrade 2>/dev/null >"$folder/upgrade.2"
grep -q 'created  web 1.5.0 ' "$folder/upgrade.1"
grep -q 'unchanged  web 1.5.0 ' "$folder/upgrade.2"
tar -xzOf "$folder/charts/web-1.5.0.tgz" web/values.yaml | grep -q "repository: \"team/charts/web\""
diff - "$folder/values.yaml" <<YAML
images:
  web:
    registry: $registry_host  # the one before
replicas: 3
YAML
if [ -n "$real_helm" ]; then
    grep -q "image: '$registry_host/team/charts/web:1.5'" "$folder/upgrade.2"
else
    echo "NOT TESTED, Helm is not built: run tests/programs.sh (needs Go)" >&2
fi

# The same by the Python step: the chart is there already, and so is everything else.
sync_step() (cd "$folder" && "$python" -W error "$examples/python/sync_step.py" "$@" 2>"$folder/said")
sync_step load-image.yaml "${bundles[@]}" | tee "$folder/synced"
grep -q '^web 1.5.0  unchanged  linux/amd64 linux/arm64$' "$folder/synced"
# What is no configuration is told with its line.
if sync_step release.yaml "${bundles[@]}"; then
    echo "sync_step: took values for a configuration" >&2
    exit 1
fi
grep -q 'release.yaml.*line 1' "$folder/said"

echo "examples: both give the same archive"
