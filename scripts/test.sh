#!/usr/bin/env bash
# Every check and every test. All steps run, whatever fails; the end says which did, and the status.
source "$(dirname "$0")/common.sh"

need_rust
steps=()
failures=0

# step NAME COMMAND...: runs it, and keeps the outcome for the end.
step() {
    local name=$1 start=$SECONDS outcome=ok
    shift
    say "$name"
    ("$@") || {
        outcome=FAILED
        failures=$((failures + 1))
        echo "FAILED: $name" >&2
    }
    steps+=("$(printf '%-6s  %4d s  %s' "$outcome" $((SECONDS - start)) "$name")")
}

clients() {
    tests/clients/install.sh --check || root tests/clients/install.sh
}

tests() {
    local runner=()
    if [ "$(id -u)" -ne 0 ]; then
        local host
        host=$(rustc -vV | sed -n 's/^host: //p' | tr a-z- A-Z_)
        runner=("CARGO_TARGET_${host}_RUNNER=$PWD/scripts/runner.sh")
    fi
    # A test that hangs is a failure too, and what ran before it is still shown.
    env "${runner[@]}" timeout --kill-after=1m 60m \
        cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$log"
}

c_library() { scripts/test-c.sh 2>&1 | tee "$c_log"; }

generated() {
    local root lib=/usr/lib/triplet
    root=$(mktemp -d)
    DESTDIR=$root PREFIX=/usr LIBDIR=$lib scripts/install.sh &&
        bash -n "$root/usr/share/bash-completion/completions/fusion" &&
        grep -q 'SH "FUSION FUSE"' "$root/usr/share/man/man1/fusion.1" &&
        "$root/usr/bin/fusion" --version &&
        [ -s "$root$lib/libfusion.so" ] && [ -L "$root$lib/libfusion.so" ] &&
        [ -s "$root$lib/libfusion.a" ] && [ -s "$root/usr/include/fusion.h" ] &&
        grep -qx "libdir=\${prefix}/lib/triplet" "$root$lib/pkgconfig/fusion.pc"
    local status=$?
    rm -rf "$root"
    return $status
}

# The wheel that is tested is the one that is released, so that it is compiled once.
python_wheel() {
    rm -rf "$target/dist"
    scripts/wheel.sh "$target/dist" 2>&1 | tee "$target/wheel.log"
}

python_tests() {
    local wheels=("$target"/dist/*.whl)
    WHEEL=${wheels[0]} scripts/test-python.sh 2>&1 | tee "$target/python.log"
}

# The newest Python of those that were tested has the package.
benches() {
    local pythons
    mapfile -t pythons < <(printf '%s\n' "$target"/venv-test-*/bin/python | sort -V)
    need igzip:isal
    python3 benches/side_by_side.py --quick --python "${pythons[-1]}"
    python3 benches/packages.py --quick
    python3 benches/registry.py --quick
}

mkdir -p "$target"
log=$target/test.log
c_log=$target/test-c.log
step "tools: shellcheck" need shellcheck:shellcheck
step "tools: the real clients" clients
step "tools: distribution 3, zot, Helm, ChartMuseum, charts-syncer, where Go is" tests/programs.sh
step "formatting" cargo fmt --all --check
step "scripts" shellcheck -x -P SCRIPTDIR .ci/run scripts/*.sh tests/*.sh tests/clients/*.sh \
    fixtures/*/*.sh examples/*.sh examples/*/*.sh
step "lints" cargo clippy --locked --workspace --all-targets -- -D warnings
step "documentation" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --workspace --no-deps
step "licences, sources, duplicates" scripts/deny.sh
step "tests" tests
step "C library" c_library
step "the README: make demo" scripts/demo.sh
step "the README: the main job" scripts/readme.sh
step "Python: the wheel, in an empty environment" python_wheel
step "Python: tests, types, examples" python_tests
step "portable: glibc 2.17 is enough" scripts/portable.sh fusion fusion-ffi
step "installation: man page, completions, C library" generated
if [ -e benches/side_by_side.py ]; then
    step "benches, quick" benches
fi

say "cargo test"
grep -E '^ +(Running|Doc-tests)|^test result|^test .* FAILED|^error: ' "$log" || true
say "scripts/test-c.sh"
grep -E '^FAILED|^[0-9]+ passed|^error: ' "$c_log" || true
for part in wheel python; do
    say "$part"
    grep -E '^oci-fusion |: needs |^Python 3|^Success: |^Found |^[0-9]+ errors?, |^examples: ' \
        "$target/$part.log" || true
done
say "make test: $SECONDS s"
printf '%s\n' "${steps[@]}"
if [ "$failures" -gt 0 ]; then
    echo "FAILED: $failures of ${#steps[@]} steps"
    exit 1
fi
echo "all ${#steps[@]} steps passed"
