# shellcheck shell=bash
# What the other scripts share; they source it first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# shellcheck disable=SC2034 # used by those who source this
target=${CARGO_TARGET_DIR:-target}
# rustup's place, and where Debian keeps daemons.
PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin:/usr/local/sbin:/usr/sbin:/sbin

say() { printf '\n==> %s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

# root COMMAND...: as root, through sudo if need be.
root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -- "$@"
    else
        echo "needs root, and there is no sudo: $*" >&2
        return 1
    fi
}

# need PROGRAM:PACKAGE...: installs the Debian packages of programs that are missing. A PROGRAM
# that starts with / is a file.
need() {
    local entry packages=()
    for entry in "$@"; do
        command -v "${entry%%:*}" >/dev/null || [ -e "${entry%%:*}" ] || packages+=("${entry##*:}")
    done
    [ ${#packages[@]} -gt 0 ] || return 0
    say "Installing what is missing: ${packages[*]}"
    command -v apt-get >/dev/null ||
        die "there is no apt-get here; install by other means: ${packages[*]}"
    [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
        die "there is no sudo; as root: apt-get install ${packages[*]}"
    root apt-get update ||
        echo "apt-get update failed; trying with the lists at hand" >&2
    root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        --no-upgrade "${packages[@]}" ||
        die "could not install; as root: apt-get install ${packages[*]}"
    hash -r
}

# A Rust toolchain, and the C compiler that libzstd is built with.
need_rust() {
    command -v cargo >/dev/null ||
        die "there is no cargo; install Rust with rustup (rust-toolchain.toml says which)"
    need cc:gcc /usr/include/stdio.h:libc6-dev
}
