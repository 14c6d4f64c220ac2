#!/usr/bin/env bash
# The benches of the engine, then the table: fusion, the floor, and the rivals that are installed.
source "$(dirname "$0")/common.sh"

need_rust
say "Engine"
cargo bench --locked --bench engine
need igzip:isal docker-registry:docker-registry
common=()
for option in "$@"; do
    case $option in --quick | --check) common+=("$option") ;; esac
done
say "Packages"
python3 benches/packages.py "${common[@]}"
say "Registry"
python3 benches/registry.py "${common[@]}"
say "Side by side"
exec python3 benches/side_by_side.py "$@"
