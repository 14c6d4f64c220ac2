# shellcheck shell=bash
# What the scripts about Python share; they source it after common.sh.

# shellcheck disable=SC2154 # common.sh sets it
target=$(realpath -m "$target")
# shellcheck disable=SC2034 # used by those who source this
build=$target/venv-build

need_python() {
    need python3:python3
    "${PYTHON:-python3}" -c 'import ensurepip, venv' 2>/dev/null ||
        need /usr/share/doc/python3-venv:python3-venv
}

# venv DIR PYTHON PROGRAM REQUIREMENT...: a virtual environment with what is required, unless it
# has PROGRAM already.
venv() {
    local dir=$1 python=$2 program=$3
    shift 3
    [ -x "$dir/bin/$program" ] && "$dir/bin/python" -c '' 2>/dev/null && return
    rm -rf "$dir"
    "$python" -m venv "$dir"
    "$dir/bin/pip" install --quiet --disable-pip-version-check "$@"
}

# What builds wheels and portable programs: maturin, cargo-zigbuild, Zig.
venv_build() {
    venv "$build" "${PYTHON:-python3}" cargo-zigbuild \
        'ziglang>=0.13' 'maturin>=1.16,<1.17' 'cargo-zigbuild>=0.20'
}
