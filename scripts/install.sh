#!/usr/bin/env bash
# Installs the command, its manual page and completions, and the C library with header and fusion.pc,
# into $PREFIX, below $DESTDIR if that is set. The library goes to $LIBDIR (PREFIX/lib).
# Builds as the user who calls; only the copying asks for sudo, and only where it must.
source "$(dirname "$0")/common.sh"

prefix=${DESTDIR:-}${PREFIX:-/usr/local}
fusion=$target/release/fusion

if command -v cargo >/dev/null; then
    need_rust
    say "Building (release)"
    # Each by itself, with the features that it has when it is tested.
    cargo build --release --locked -p fusion
    cargo build --release --locked -p fusion-ffi
elif [ -x "$fusion" ] && [ -e "$target/release/libfusion.so" ]; then
    echo "There is no cargo here; installing what was built in $target/release."
else
    die "there is no cargo, and nothing built"
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
"$fusion" man >"$made/fusion.1"
for shell in bash zsh fish; do
    "$fusion" completions "$shell" >"$made/$shell"
done

# The folder that is there already says whether we may write.
there=$prefix
while [ ! -e "$there" ]; do there=$(dirname "$there"); done
as_needed() {
    if [ -w "$there" ]; then "$@"; else root "$@"; fi
}
put() { as_needed install -D "$@"; }
say "Installing into $prefix"
put -m 755 "$fusion" "$prefix/bin/fusion"
put -m 644 "$made/fusion.1" "$prefix/share/man/man1/fusion.1"
put -m 644 "$made/bash" "$prefix/share/bash-completion/completions/fusion"
put -m 644 "$made/zsh" "$prefix/share/zsh/site-functions/_fusion"
put -m 644 "$made/fish" "$prefix/share/fish/vendor_completions.d/fusion.fish"
as_needed env "FUSION_TARGET=$target/release" "LIBDIR=${LIBDIR:-}" "INCLUDEDIR=${INCLUDEDIR:-}" \
    "PKGCONFIGDIR=${PKGCONFIGDIR:-}" scripts/install-lib.sh "${PREFIX:-/usr/local}" "${DESTDIR:-}"
echo "$prefix/bin/fusion, its manual page, completions for bash, zsh and fish"
echo "${DESTDIR:-}${LIBDIR:-${PREFIX:-/usr/local}/lib}/libfusion.so and .a, fusion.h, fusion.pc"
