#!/usr/bin/env bash
# Removes what was built. Packages and tools in the user's cache folder stay.
source "$(dirname "$0")/common.sh"

say "Removing $target and dist"
cargo clean
rm -rf dist
