#!/bin/bash
# Tests the C library as C programs see it: header, symbols, programs, install, example.
#
#     scripts/test-c.sh [NAME...]      only tests whose name contains one of these, and what they
#                                      run
#
# Installs clang, valgrind and docker-registry with apt-get where they are missing. Builds what it needs with Cargo;
# FUSION_NO_BUILD=1 takes what is there, in FUSION_TARGET if that is set.
# shellcheck disable=SC2086,SC2054  # lists of flags are words on purpose, some with commas
set -u

here=$(cd "$(dirname "$0")/.." && pwd)
cd "$here" || exit 1
built=${FUSION_TARGET:-${CARGO_TARGET_DIR:-$here/target}/release}
scratch=$(mktemp -d)
# shellcheck source=scripts/registry.sh
. scripts/registry.sh
trap 'registry_stop; chmod -R u+rwx "$scratch"; rm -rf "$scratch"' EXIT
chmod 755 "$scratch"
prefix=$scratch/prefix
only=("$@")
passed=0
failed=0

# Runs a test: its name, then the command.
try() {
    local name=$1 part wanted=no
    shift
    for part in "build: " "${only[@]}"; do
        case $name in *"$part"*) wanted=yes ;; esac
    done
    [ ${#only[@]} = 0 ] || [ $wanted = yes ] || return 0
    if "$@" >"$scratch/log" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/        /' "$scratch/log" | tail -n 60
    fi
}

# Something without which no test makes sense.
need() {
    if ! "$@" >"$scratch/log" 2>&1; then
        cat "$scratch/log"
        echo "error: failed: $*"
        exit 1
    fi
}

root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
missing=()
for tool in gcc g++ clang valgrind pkg-config docker-registry; do
    command -v $tool >/dev/null || missing+=("$tool")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]}"
    need root apt-get update
    need root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        "${missing[@]}"
fi

if [ -z "${FUSION_NO_BUILD:-}" ]; then
    need cargo build --quiet --release -p fusion-ffi
    need cargo build --quiet --release -p fusion-fixtures
fi
need scripts/install-lib.sh "$prefix"
export PKG_CONFIG_PATH=$prefix/lib/pkgconfig
flags=$(pkg-config --cflags fusion)
libs="$(pkg-config --libs fusion) -Wl,-rpath,$prefix/lib"

# ---- the library: symbols, soname, what pkg-config says

symbols() {
    nm -D --defined-only "$1" | awk '{ print $3 }' | LC_ALL=C sort >"$scratch/symbols"
    diff ffi/symbols.txt "$scratch/symbols"
}
dynamic() { readelf -d "$prefix/lib/libfusion.so" | grep -E "$1"; }
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
try "symbols as listed" symbols "$prefix/lib/libfusion.so"
try "symbols as listed, as Cargo builds it" symbols "$built/libfusion.so"
case $version in 0.*) abi=${version%.*} ;; *) abi=${version%%.*} ;; esac
try "soname" dynamic "SONAME.*\[libfusion\.so\.$abi\]"
try "stays loaded" dynamic 'NODELETE'
try "pkg-config version" test "$(pkg-config --modversion fusion)" = "$version"
destdir() {
    scripts/install-lib.sh /usr "$scratch/root" || return 1
    (cd "$scratch/root/usr" && find . ! -type d | LC_ALL=C sort) >"$scratch/list"
    grep -q '^prefix=/usr$' "$scratch/root/usr/lib/pkgconfig/fusion.pc" || return 1
    diff - "$scratch/list" <<LIST
./include/fusion.h
./lib/libfusion.a
./lib/libfusion.so
./lib/libfusion.so.$abi
./lib/libfusion.so.$version
./lib/pkgconfig/fusion.pc
LIST
}
try "install under DESTDIR" destdir

# ---- the header: every language and compiler

strict="-Wall -Wextra -Wpedantic -Werror"
printf '#include <fusion.h>\nint main(void) { return (int)fusion_version_number(); }\n' \
    >"$scratch/header.c"
for compiler in gcc clang; do
    for standard in c99 c11 c17; do
        try "header: $compiler $standard" $compiler -std=$standard $strict -Wstrict-prototypes \
            -Wmissing-prototypes -Wundef -fsyntax-only $flags "$scratch/header.c"
    done
done
for compiler in g++ clang++; do
    try "header: $compiler c++17" $compiler -std=c++17 $strict -Wundef -fsyntax-only $flags \
        tests/c/include.cpp
done

# ---- programs

registry_start "$scratch/registry" || exit 1
export FUSION_REGISTRY=$registry_host
export FUSION_ARCHIVES=$here/fixtures/archives
export FUSION_BUNDLES=$here/fixtures/golden/sources
export FUSION_HOSTILE=$scratch/hostile
need "$built/fusion-fixtures" hostile --out "$FUSION_HOSTILE" flipped-layer-oci \
    header-checksum schema1 deep-indexes same-reference-twice-oci

# build KIND COMPILER FLAGS...: every program into $scratch/KIND
build() {
    local kind=$1 compiler=$2 source
    shift 2
    mkdir -p "$scratch/$kind"
    for source in tests/c/*.c; do
        $compiler -std=c11 -D_GNU_SOURCE $strict -g "$@" $flags "$source" \
            -o "$scratch/$kind/$(basename "$source" .c)" $libs -pthread || return 1
    done
}
# program KIND NAME [WRAPPER...]: runs a program in an empty folder
program() {
    local kind=$1 name=$2
    shift 2
    local arguments=()
    [ "$name" = version ] && arguments=("$version")
    export FUSION_SCRATCH=$scratch/run
    rm -rf "$FUSION_SCRATCH"
    mkdir "$FUSION_SCRATCH"
    chmod 755 "$FUSION_SCRATCH"
    "$@" "$scratch/$kind/$name" "${arguments[@]}"
}
# Every status that the header has was provoked; all but a bug.
every_status() {
    program "$1" errors >"$scratch/provoked" || return 1
    sed -n 's/^#define \(FUSION_STATUS_[A-Z_]*\) .*/\1/p' ffi/include/fusion.h |
        grep -vx -e FUSION_STATUS_OK -e FUSION_STATUS_PANIC | LC_ALL=C sort >"$scratch/expected"
    LC_ALL=C sort -u "$scratch/provoked" | diff "$scratch/expected" -
}
# Every golden case, compared by the Rust test that compares those of the other faces: with its
# masking, and with the program that was just built against what was just installed.
golden_reports() {
    # --workspace, so that what `cargo test --workspace` built serves here too.
    FUSION_GOLDEN_C=$scratch/gcc/golden cargo test --locked --workspace --test integration \
        engine::golden::c_library_answers_as_recorded -- --exact --ignored >"$scratch/golden"
    local status=$?
    cat "$scratch/golden"
    [ $status = 0 ] && grep -q '^test result: ok. 1 passed' "$scratch/golden"
}
every_function_with_null() {
    local symbol bad=0
    while read -r symbol; do
        grep -q "\<$symbol(" tests/c/nulls.c || { echo "$symbol is not tried" && bad=1; }
    done <ffi/symbols.txt
    return $bad
}
programs=(basic nulls refuse version progress stop log threads push charts)
try "nulls: no function is missing" every_function_with_null

for compiler in gcc clang; do
    try "build: $compiler" build $compiler $compiler -O2
    for name in "${programs[@]}"; do
        try "$compiler: $name" program $compiler "$name"
    done
    try "$compiler: errors: every status" every_status $compiler
done
try "golden reports" golden_reports
for compiler in g++ clang++; do
    cpp() {
        $compiler -std=c++17 $strict $flags tests/c/include.cpp -o "$scratch/cpp" $libs &&
            "$scratch/cpp"
    }
    try "$compiler: a program in C++" cpp
done

static() {
    local private
    private=$(pkg-config --static --libs-only-l fusion | sed 's/-lfusion//')
    gcc -std=c11 -D_GNU_SOURCE $strict $flags tests/c/basic.c "$prefix/lib/libfusion.a" \
        $private -o "$scratch/gcc/static" && program gcc static &&
        ! readelf -d "$scratch/gcc/static" | grep libfusion >/dev/null
}
try "gcc: linked statically" static

# ---- sanitizers: address, leaks, undefined behaviour

sanitized() { nm -D "$scratch/asan/basic" | grep '__asan_init' >/dev/null && nm -D "$scratch/asan/basic" | grep '__ubsan_' >/dev/null; }
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
try "build: sanitizers" build asan gcc -O1 -fsanitize=address,undefined \
    -fno-sanitize-recover=all -fno-omit-frame-pointer
try "sanitizers are in" sanitized
# A leak that is made on purpose is found, so that finding none says something.
printf '#include <fusion.h>\nint main(void) { fusion_options_new(); return 0; }\n' \
    >"$scratch/leak.c"
leaks() {
    gcc -g -fsanitize=address $flags "$scratch/leak.c" -o "$scratch/leak" $libs || return 1
    ! "$scratch/leak" && "$scratch/leak" 2>&1 | grep 'detected memory leaks' >/dev/null
}
try "sanitizers: a leak is found" leaks
for name in "${programs[@]}"; do
    try "sanitizers: $name" program asan "$name"
done
try "sanitizers: errors: every status" every_status asan

# ---- valgrind: no error, no leak

export FUSION_SLOW=1
# Worker threads may still be ending when a program does: what they hold is only possibly lost.
memcheck=(valgrind --quiet --error-exitcode=99 --leak-check=full
    --show-leak-kinds=definite,indirect --errors-for-leak-kinds=definite,indirect)
valgrind_leaks() {
    gcc -g $flags "$scratch/leak.c" -o "$scratch/leak" $libs || return 1
    "${memcheck[@]}" "$scratch/leak"
    [ $? = 99 ]
}
try "valgrind: a leak is found" valgrind_leaks
for name in "${programs[@]}" errors; do
    try "valgrind: $name" program gcc "$name" "${memcheck[@]}"
done

# ---- the example, built as its readers build it

example() {
    rm -rf "$scratch/example"
    cp -r examples/c "$scratch/example" && cd "$scratch/example" || return 1
    make CFLAGS="-O2 $strict" &&
        LD_LIBRARY_PATH=$prefix/lib sh ./try.sh "$FUSION_ARCHIVES" "$FUSION_REGISTRY" "$FUSION_BUNDLES"
}
try "example" eval '(example)'

# The README's program, with the README's command.
readme() {
    local part=$scratch/readme
    mkdir -p "$part"
    awk -v part="$part" '/^<!-- compiled/,/^<!-- end/ {
        if (/^```./) out = part "/fuse." substr($0, 4)
        else if (/^```/) out = ""
        else if (out) print >out
    }' README.md
    cp "$FUSION_ARCHIVES/docker-20.10-save-amd64.tar" "$part/images-amd64.tar"
    cp "$FUSION_ARCHIVES/docker-20.10-save-arm64.tar" "$part/images-arm64.tar"
    cd "$part" && cat fuse.c && sh -eux fuse.sh &&
        LD_LIBRARY_PATH=$prefix/lib ./fuse | grep -x docker.io/library/hello:1.0 && [ -s images.tar ]
}
try "the README" eval '(readme)'

echo "$passed passed, $failed failed"
[ $failed = 0 ]
