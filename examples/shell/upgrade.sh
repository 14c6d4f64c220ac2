#!/usr/bin/env bash
# An upgrade of a Helm release without a network: from the vendor's bundles to `helm upgrade`.
#
#   upgrade.sh CONFIG RELEASE NAMESPACE VERSION [SOURCE...]
#
# CONFIG is charts-syncer's load-image.yaml, SOURCE a bundle, package or folder of them in the place
# of those that it names: one for each architecture, as they were downloaded. The chart is called as
# the release. FUSION, HELM and KUBECTL name these programs if they are not on the PATH.
#
# Copy it, and change what you need. Run again it sends what is missing, and keeps the first backup.
set -euo pipefail

[ $# -ge 4 ] || { echo "usage: $0 CONFIG RELEASE NAMESPACE VERSION [SOURCE...]" >&2; exit 2; }
config=$1 release=$2 namespace=$3 version=$4
shift 4
read -ra fusion <<<"${FUSION:-fusion}"
helm=${HELM:-helm} kubectl=${KUBECTL:-kubectl}
sources=()
for source in "$@"; do sources+=(--source "$source"); done
report=$(mktemp)
trap 'rm -f "$report"' EXIT

# The values of the release as they are, and a copy that the upgrade goes with.
[ -e bak.yaml ] || "$helm" get values "$release" -n "$namespace" -o yaml >bak.yaml
cp bak.yaml values.yaml

# Images of all architectures into the registry, the chart into its repository, and the registry in
# the saved values to where the images are now.
status=0
"${fusion[@]}" sync -c "$config" ${sources[@]+"${sources[@]}"} --chart "$release@$version" \
    --values values.yaml --report "$report" || status=$?
case $status in
    0) ;;
    2) echo "the configuration, or what was chosen, makes no sense" >&2 ;;
    3) echo "the bundles disagree, or the chart is another there" >&2 ;;
    4) echo "a bundle is damaged: fetch it again" >&2 ;;
    6) echo "the registry or the chart repository refused it, or cannot be reached" >&2 ;;
    130) echo "stopped; run it again to go on" >&2 ;;
esac
[ $status -eq 0 ] || exit $status

# Where the chart is: a URL, `oci://…`, or a file. Helm takes each of them; where a password is wanted,
# use what `helm repo add` or `helm registry login` was given it for.
chart=$(sed -n '/^  "charts": \[$/,/^  \]/s/^ *"location": "\(.*\)",$/\1/p' "$report")
[ -n "$chart" ] || { echo "the report names no chart" >&2; exit 1; }
case $chart in oci://*) chart=${chart%:*} ;; esac
wanted=(--version "$version")

# Helm leaves definitions alone that the cluster has.
crds=$("$helm" show crds "$chart" "${wanted[@]}")
[ -z "$crds" ] || "$kubectl" apply --server-side -f - <<<"$crds"

"$helm" upgrade "$release" "$chart" "${wanted[@]}" -n "$namespace" -f values.yaml
