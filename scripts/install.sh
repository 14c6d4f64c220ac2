#!/usr/bin/env bash
# Installs the command, its manual page and completions into $PREFIX, below $DESTDIR if that is set.
# Builds as the user who calls; only the copying asks for sudo, and only where it must.
source "$(dirname "$0")/common.sh"

prefix=${DESTDIR:-}${PREFIX:-/usr/local}
fusion=$target/release/fusion

if command -v cargo >/dev/null; then
    need_rust
    say "Building (release)"
    cargo build --release --locked -p fusion
elif [ -x "$fusion" ]; then
    echo "There is no cargo here; installing $fusion as it was built."
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
put() {
    if [ -w "$there" ]; then
        install -D "$@"
    else
        root install -D "$@"
    fi
}
say "Installing into $prefix"
put -m 755 "$fusion" "$prefix/bin/fusion"
put -m 644 "$made/fusion.1" "$prefix/share/man/man1/fusion.1"
put -m 644 "$made/bash" "$prefix/share/bash-completion/completions/fusion"
put -m 644 "$made/zsh" "$prefix/share/zsh/site-functions/_fusion"
put -m 644 "$made/fish" "$prefix/share/fish/vendor_completions.d/fusion.fish"
echo "$prefix/bin/fusion, its manual page, completions for bash, zsh and fish"
