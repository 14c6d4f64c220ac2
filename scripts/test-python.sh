#!/usr/bin/env bash
# Tests the Python package on every CPython from 3.9 on that this machine has.
#
#   scripts/test-python.sh [PYTEST ARGUMENT...]
#
# PYTHONS="3.9 3.13" tests these versions only. WHEEL=FILE tests that wheel, as `make test` does with
# the one that is released; else one is built here, quickly (PROFILE=release: as fast as it gets).
# Everything goes into virtual environments in target/; the interpreters stay as they are. Ends with
# the closing line of each pytest.
source "$(dirname "$0")/common.sh"
source scripts/python.sh

interpreters() { # prints version and program of each CPython, the oldest first
    local candidate
    {
        compgen -c python3 | grep -xE 'python3(\.[0-9]+)?' | while read -r candidate; do
            type -aP "$candidate"
        done
        ls -d "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/python3 2>/dev/null
        ls -d /opt/python/cp*/bin/python3 2>/dev/null
    } | sort -u | while read -r candidate; do
        "$candidate" -c 'import sys, platform, ensurepip, venv
if sys.version_info >= (3, 9) and platform.python_implementation() == "CPython":
    print("%d.%d" % sys.version_info[:2], sys.executable)' 2>/dev/null || true
    done | sort -Vu -k1,1
}

need_rust
need_python
need docker-registry:docker-registry
mapfile -t found < <(interpreters)
if [ -n "${PYTHONS:-}" ]; then
    kept=()
    for entry in "${found[@]}"; do
        case " $PYTHONS " in *" ${entry%% *} "*) kept+=("$entry") ;; esac
    done
    found=("${kept[@]}")
fi
[ ${#found[@]} -gt 0 ] || die "no CPython from 3.9 on is here"
newest=${found[-1]#* }

# The generator of archives. The same build as that of `make demo`: there is nothing to do after it.
say "archives"
CARGO_TARGET_DIR=$target cargo build --quiet --release --locked -p fusion -p fusion-fixtures
export FUSION_FIXTURES=$target/release/fusion-fixtures

wheel=${WHEEL:-}
if [ -z "$wheel" ]; then
    say "wheel"
    venv_build
    rm -rf "$target/test-wheel"
    # Its own folder: maturin's environment is another than cargo's, and each would build anew.
    PATH=$build/bin:$PATH CARGO_TARGET_DIR=$target/python maturin build --quiet \
        --manifest-path python/Cargo.toml --locked --profile "${PROFILE:-dev}" \
        --compatibility off --interpreter "$newest" --out "$target/test-wheel"
    wheels=("$target"/test-wheel/*.whl)
    wheel=${wheels[0]}
fi

checks() { # what needs no more than one Python
    [ -x "$1/bin/pyright" ] || "$1/bin/pip" install --quiet --disable-pip-version-check \
        'mypy>=1.18,<3' 'pyright[nodejs]>=1.1.400,<1.2' typing-extensions
    local check
    for check in \
        "mypy --config-file python/pyproject.toml python/python/fusion tests/python examples/python" \
        "mypy.stubtest --mypy-config-file python/pyproject.toml fusion._fusion" \
        "pyright --project tests/python/pyrightconfig.json" \
        "pyright --verifytypes fusion --ignoreexternal"; do
        say "$check"
        # shellcheck disable=SC2086 # words
        PATH=$1/bin:$PATH "$1/bin/python" -m $check || status=1
    done
}

summary=()
status=0
for entry in "${found[@]}"; do
    version=${entry%% *} interpreter=${entry#* }
    here=$target/venv-test-$version
    venv "$here" "$interpreter" pytest 'pytest>=8,<9' tqdm
    "$here/bin/pip" install --quiet --disable-pip-version-check --no-index --no-deps \
        --force-reinstall "$wheel"
    [ "$interpreter" != "$newest" ] || checks "$here"

    say "Python $version: examples"
    examples/try.sh "$here/bin/python" || status=1

    say "Python $version: pytest"
    log=$target/pytest-$version.log
    "$here/bin/python" -W error -m pytest -c tests/python/pytest.ini tests/python -q "$@" 2>&1 |
        tee "$log" || status=1
    summary+=("Python $version: $(tail -1 "$log")")
done

say "pytest"
printf '%s\n' "${summary[@]}"
exit $status
