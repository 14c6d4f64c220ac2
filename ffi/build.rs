//! Gives the shared library its soname, and keeps it loaded once it is.

use std::env::var;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if var("CARGO_CFG_TARGET_OS").as_deref() != Ok("linux") {
        return;
    }
    let part = |name: &str| var(format!("CARGO_PKG_VERSION_{name}")).unwrap_or_default();
    // As long as the major version is 0, minor versions may break the ABI.
    let soname = match part("MAJOR").as_str() {
        "0" => format!("libfusion.so.0.{}", part("MINOR")),
        major => format!("libfusion.so.{major}"),
    };
    println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,{soname}");
    // The engine handles SIGBUS for the whole process: its code must not go away.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    offer(&soname);
}

/// A program linked to the library where Cargo puts it looks for it by its soname: offers that
/// name beside it. Where Cargo keeps its files is not for us to rely on, so this may fail.
#[cfg(unix)]
fn offer(soname: &str) {
    let out = var("OUT_DIR").unwrap_or_default();
    if let Some(profile) = Path::new(&out).ancestors().nth(3)
        && profile.join("build").is_dir()
    {
        let _exists = std::os::unix::fs::symlink("libfusion.so", profile.join(soname));
    }
}

#[cfg(not(unix))]
fn offer(_soname: &str) {}
