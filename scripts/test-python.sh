#!/usr/bin/env bash
# Tests the Python package on every CPython from 3.9 on that this machine has.
#
#   scripts/test-python.sh [PYTEST ARGUMENT...]
#
# PYTHONS="3.9 3.13" tests these versions only; WHEEL=FILE tests that wheel instead of one that is
# built here. Everything goes into virtual environments in target/; the interpreters stay as they
# are. Ends with the closing line of each pytest.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-$PWD/target}
export CARGO_TARGET_DIR=$target

interpreters() { # prints version and program of each CPython, the oldest first
    local candidate
    {
        compgen -c python3 | grep -xE 'python3(\.[0-9]+)?' | while read -r name; do
            type -aP "$name"
        done
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 2>/dev/null
        ls -d /opt/python/cp*/bin/python3 2>/dev/null
    } | sort -u | while read -r candidate; do
        "$candidate" -c 'import sys, platform, ensurepip, venv
if sys.version_info >= (3, 9) and platform.python_implementation() == "CPython":
    print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null || true
    done | sort -Vu -k1,1
}

mapfile -t found < <(interpreters)
if [ -n "${PYTHONS:-}" ]; then
    wanted=" $PYTHONS "
    for at in "${!found[@]}"; do
        [[ $wanted == *" ${found[$at]%% *} "* ]] || unset "found[$at]"
    done
fi
[ ${#found[@]} -gt 0 ] || { echo "no CPython from 3.9 on is here" >&2; exit 1; }
newest=${found[-1]#* }

cargo build --quiet --locked -p fusion-fixtures
export FUSION_FIXTURES=$target/debug/fusion-fixtures

wheel=${WHEEL:-}
if [ -z "$wheel" ]; then
    build=$target/venv-build
    [ -x "$build/bin/python" ] || "$newest" -m venv "$build"
    "$build/bin/python" -c 'import maturin' 2>/dev/null ||
        "$build/bin/pip" install --quiet 'maturin>=1.16,<1.17'
    rm -rf "$target/test-wheel"
    PATH=$build/bin:$PATH maturin build --quiet --manifest-path python/Cargo.toml --locked \
        --profile "${PROFILE:-release}" --compatibility off --interpreter "$newest" \
        --out "$target/test-wheel"
    wheel=$(ls "$target"/test-wheel/*.whl)
fi

summary=()
status=0
for entry in "${found[@]}"; do
    version=${entry%% *} interpreter=${entry#* }
    venv=$target/venv-test-$version
    if ! "$venv/bin/python" -c 'import pytest, tqdm' 2>/dev/null; then
        rm -rf "$venv"
        "$interpreter" -m venv "$venv"
        "$venv/bin/pip" install --quiet 'pytest>=8,<9' tqdm
    fi
    "$venv/bin/pip" install --quiet --no-index --no-deps --force-reinstall "$wheel"

    if [ "$interpreter" = "$newest" ]; then
        "$venv/bin/python" -c 'import mypy, pyright' 2>/dev/null ||
            "$venv/bin/pip" install --quiet mypy pyright typing-extensions
        for check in \
            "mypy --config-file python/pyproject.toml python/python/fusion tests/python examples/python" \
            "mypy.stubtest --mypy-config-file python/pyproject.toml fusion._fusion" \
            "pyright --project tests/python/pyrightconfig.json" \
            "pyright --verifytypes fusion --ignoreexternal"; do
            echo "== Python $version: $check"
            # shellcheck disable=SC2086
            PATH=$venv/bin:$PATH "$venv/bin/python" -m $check || status=1
        done
    fi

    echo "== Python $version: examples"
    PATH=$venv/bin:$PATH examples/try.sh "$venv/bin/python" || status=1

    echo "== Python $version: pytest"
    log=$target/pytest-$version.log
    # The name of the module, not the folder: the installed package is tested.
    "$venv/bin/python" -W error -m pytest -c tests/python/pytest.ini tests/python -q "$@" |
        tee "$log" || status=1
    summary+=("Python $version: $(tail -1 "$log")")
done

printf '%s\n' "${summary[@]}"
exit $status
