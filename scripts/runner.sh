#!/usr/bin/env bash
# Runs test binaries for a user who is not root: the one with the real clients through sudo.
set -euo pipefail
case ${1##*/} in
integration-*) exec sudo --preserve-env env "PATH=$PATH" "$@" ;;
*) exec "$@" ;;
esac
