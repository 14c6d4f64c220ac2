#!/usr/bin/env bash
# The main job on real input: two archives of real images, one for each architecture, become one.
source "$(dirname "$0")/common.sh"

need_rust
need dpkg-deb:dpkg

say "Building (release)"
cargo build --release --locked -p fusion -p fusion-fixtures
fusion=$target/release/fusion
demo=$target/demo
mkdir -p "$demo"

if [ -e "$demo/images-amd64.tar" ] && [ -e "$demo/images-arm64.tar" ]; then
    say "Two archives as docker save writes them, from the run before"
    ls -sh "$demo"/images-a*64.tar
else
    say "Making two archives as docker save writes them, from Debian packages"
    command -v apt-get >/dev/null || die "real images are made from Debian packages: needs apt-get"
    new=$(mktemp -d "$demo/new.XXXXXX")
    trap 'rm -rf "$new"' EXIT
    "$target/release/fusion-fixtures" real --out "$new" | sed "s|$new/||"
    mv "$new"/images-a*64.tar "$demo"
fi

say "Fusing them: fusion fuse images-amd64.tar images-arm64.tar -o images.tar"
"$fusion" fuse "$demo/images-amd64.tar" "$demo/images-arm64.tar" -o "$demo/images.tar" \
    --on-existing replace

say "What is inside: fusion inspect images.tar"
"$fusion" inspect "$demo/images.tar"

say "Every digest and every diff ID: fusion verify images.tar"
"$fusion" verify "$demo/images.tar"

if command -v skopeo >/dev/null; then
    say "As skopeo sees it, for each architecture"
    for architecture in amd64 arm64; do
        printf 'skopeo --override-arch %s inspect oci-archive:images.tar:%s\n    ' \
            "$architecture" quay.io/example/bash:5.2
        skopeo --override-os linux --override-arch "$architecture" inspect \
            --format '{{.Os}}/{{.Architecture}}, {{len .Layers}} layers, labels {{.Labels}}' \
            "oci-archive:$demo/images.tar:quay.io/example/bash:5.2"
    done
else
    say "skopeo is not here; with it, this would show how a client sees each architecture"
fi

say "Done in $SECONDS s"
cat <<EOF
the two sources   $demo/images-amd64.tar, $demo/images-arm64.tar
the result        $demo/images.tar
the command       $fusion

Load it where you like:
    ctr image import --all-platforms $demo/images.tar
    docker load -i $demo/images.tar
    podman load -i $demo/images.tar
    skopeo copy --all oci-archive:$demo/images.tar:docker.io/library/busybox:1.35 dir:busybox
EOF
