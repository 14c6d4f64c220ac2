#!/usr/bin/env bash
# The benches of the engine, then the table: fusion, the floor, and the rivals that are installed.
source "$(dirname "$0")/common.sh"

need_rust
say "Engine"
cargo bench --locked --bench engine
say "Packages"
need igzip:isal
packages=()
for option in "$@"; do
    case $option in --quick | --check) packages+=("$option") ;; esac
done
python3 benches/packages.py "${packages[@]}"
say "Side by side"
exec python3 benches/side_by_side.py "$@"
