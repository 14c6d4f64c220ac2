#!/usr/bin/env bash
# cargo-deny: licences, sources and bans; advisories where their database can be reached. Builds
# cargo-deny once if it is not there, which takes minutes, and keeps it in the user's cache folder.
source "$(dirname "$0")/common.sh"

version=0.20.2
cache=${XDG_CACHE_HOME:-$HOME/.cache}/fusion-tools/cargo-deny-$version
database=https://github.com/rustsec/advisory-db

PATH=$PATH:$cache/bin
if ! command -v cargo-deny >/dev/null; then
    say "Building cargo-deny $version into $cache (once)"
    # Quick to build matters more than quick to run.
    build=$(mktemp -d)
    trap 'rm -rf "$build"' EXIT
    CARGO_TARGET_DIR=$build CARGO_PROFILE_DEV_DEBUG=0 \
        cargo install --locked --debug --root "$cache" --version "$version" cargo-deny
fi

cargo-deny --locked check --hide-inclusion-graph bans licenses sources
if timeout 20 git ls-remote "$database" HEAD >/dev/null 2>&1; then
    cargo-deny --locked check --hide-inclusion-graph advisories
else
    echo "NOT CHECKED: advisories; their database ($database) cannot be reached from here."
fi
