#!/bin/sh
# Installs the C library: shared and static, the header, and fusion.pc for pkg-config.
#
#     scripts/install-lib.sh [PREFIX [DESTDIR]]
#
# PREFIX (/usr/local) is where the files will be used, DESTDIR a root to put them under on the way
# there. Both may be set as variables too, and LIBDIR (PREFIX/lib), INCLUDEDIR (PREFIX/include),
# PKGCONFIGDIR (LIBDIR/pkgconfig). FUSION_TARGET says where Cargo put the release build.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
prefix=${1:-${PREFIX:-/usr/local}}
destdir=${2:-${DESTDIR:-}}
case $prefix in
/*) ;;
*) prefix=$PWD/$prefix ;;
esac
libdir=${LIBDIR:-$prefix/lib}
includedir=${INCLUDEDIR:-$prefix/include}
pkgconfigdir=${PKGCONFIGDIR:-$libdir/pkgconfig}
built=${FUSION_TARGET:-${CARGO_TARGET_DIR:-$here/target}/release}

version=$(sed -n 's/^#define FUSION_VERSION_STRING "\(.*\)"$/\1/p' "$here/ffi/include/fusion.h")
case $version in
0.*) abi=${version%.*} ;;
*) abi=${version%%.*} ;;
esac

for file in libfusion.so libfusion.a; do
    if [ ! -f "$built/$file" ]; then
        echo "error: \`$built/$file\` is not built" >&2
        echo "hint: cargo build --release -p fusion-ffi" >&2
        exit 1
    fi
done

install -d "$destdir$libdir" "$destdir$includedir" "$destdir$pkgconfigdir"
# Put aside and renamed: a program that runs with the old library keeps it.
put() { # MODE SOURCE TARGET
    install -m "$1" "$2" "$3.new.$$"
    case $3 in
    *.so.*) strip --strip-unneeded "$3.new.$$" 2>/dev/null || true ;;
    *.a) strip --strip-debug "$3.new.$$" 2>/dev/null || true ;;
    esac
    mv -f "$3.new.$$" "$3"
}
put 755 "$built/libfusion.so" "$destdir$libdir/libfusion.so.$version"
put 644 "$built/libfusion.a" "$destdir$libdir/libfusion.a"
put 644 "$here/ffi/include/fusion.h" "$destdir$includedir/fusion.h"
ln -sf "libfusion.so.$version" "$destdir$libdir/libfusion.so.$abi"
ln -sf "libfusion.so.$abi" "$destdir$libdir/libfusion.so"

# Paths under the prefix are written relative to it, so that pkg-config can move them.
under() {
    case $1 in
    "$prefix"/*) printf '%s' "\${prefix}/${1#"$prefix"/}" ;;
    *) printf '%s' "$1" ;;
    esac
}
cat >"$destdir$pkgconfigdir/fusion.pc.new.$$" <<PC
prefix=$prefix
libdir=$(under "$libdir")
includedir=$(under "$includedir")

Name: fusion
Description: Fuses per-architecture container image archives into multi-architecture ones
Version: $version
Cflags: -I\${includedir}
Libs: -L\${libdir} -lfusion
Libs.private: -lgcc_s -lutil -lrt -lpthread -lm -ldl -lc
PC
chmod 644 "$destdir$pkgconfigdir/fusion.pc.new.$$"
mv -f "$destdir$pkgconfigdir/fusion.pc.new.$$" "$destdir$pkgconfigdir/fusion.pc"

# Where the system looks by itself, it looks into a list.
case $destdir$libdir in
/lib* | /usr/lib* | /usr/local/lib*)
    if [ "$(id -u)" = 0 ]; then
        PATH=$PATH:/usr/sbin:/sbin ldconfig || echo "note: programs find it after \`ldconfig\`" >&2
    fi
    ;;
esac
