#!/usr/bin/env bash
# Makes the real clients available that the tests run against. Idempotent; needs root on Debian 12.
#
#   tests/clients/install.sh           install what is missing
#   tests/clients/install.sh --check   only say what is missing (status 1 if anything is)
#
# Installs missing packages only, upgrades nothing, and neither starts nor restarts a service: the
# tests run the daemons themselves, in folders of their own.
set -euo pipefail

# program:package
wanted=(
    containerd:containerd
    ctr:containerd
    runc:runc
    dockerd:docker.io
    docker:docker.io
    podman:podman
    conmon:conmon
    skopeo:skopeo
    umoci:umoci
    buildah:buildah
    docker-registry:docker-registry
    htpasswd:apache2-utils
    openssl:openssl
    jq:jq
    zstd:zstd
    xz:xz-utils
)
# file:package
wanted_files=(/etc/containers/policy.json:golang-github-containers-common)

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing() { # prints the packages that are missing, one a line
    local entry
    for entry in "${wanted[@]}"; do
        command -v "${entry%%:*}" >/dev/null || echo "${entry##*:}"
    done
    for entry in "${wanted_files[@]}"; do
        [ -e "${entry%%:*}" ] || echo "${entry##*:}"
    done
}

report() {
    local entry
    for entry in "${wanted[@]}"; do
        printf '%-16s %s\n' "${entry%%:*}" "$(command -v "${entry%%:*}" || echo "MISSING (package ${entry##*:})")"
    done
    for entry in "${wanted_files[@]}"; do
        if [ ! -e "${entry%%:*}" ]; then
            printf '%-16s MISSING (package %s)\n' "${entry%%:*}" "${entry##*:}"
        fi
    done
}

mapfile -t packages < <(missing | sort -u)
if [ ${#packages[@]} -eq 0 ]; then
    report
    exit 0
fi
if [ "${1:-}" = --check ]; then
    report
    echo "install.sh: missing packages: ${packages[*]}" >&2
    exit 1
fi
if [ "$(id -u)" -ne 0 ]; then
    echo "install.sh: must run as root to install: ${packages[*]}" >&2
    exit 1
fi
if ! command -v apt-get >/dev/null; then
    echo "install.sh: no apt-get here; install by other means: ${packages[*]}" >&2
    exit 1
fi

# No service is to start: for the time of the installation a policy forbids it. A policy that the
# machine has of its own comes back afterwards.
policy=/usr/sbin/policy-rc.d
saved=
restore_policy() {
    if [ -n "$saved" ]; then
        rm -f "$policy"
        if [ "$saved" != none ]; then mv "$saved" "$policy"; fi
    fi
}
trap restore_policy EXIT
if [ -e "$policy" ]; then
    saved=$(mktemp "$policy.XXXXXX")
    mv "$policy" "$saved"
else
    saved=none
fi
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 NEEDRESTART_SUSPEND=1 NEEDRESTART_MODE=l
apt-get update ||
    echo "install.sh: apt-get update failed; trying with the lists at hand" >&2
failed=()
# All at once is quicker; one by one says which of them cannot be had.
if ! apt-get install -y --no-install-recommends --no-upgrade "${packages[@]}"; then
    for package in "${packages[@]}"; do
        apt-get install -y --no-install-recommends --no-upgrade "$package" || failed+=("$package")
    done
fi
hash -r

mapfile -t still < <(missing | sort -u)
if [ ${#failed[@]} -gt 0 ] || [ ${#still[@]} -gt 0 ]; then
    report
    echo "install.sh: could not be installed: $(printf '%s\n' "${failed[@]}" "${still[@]}" | sed '/^$/d' | sort -u | tr '\n' ' ')" >&2
    exit 1
fi
report
