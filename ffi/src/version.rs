//! Which version this is.

use std::ffi::{CStr, c_char};

const fn number(digits: &str) -> u32 {
    match u32::from_str_radix(digits, 10) {
        Ok(number) => number,
        Err(_) => panic!("Cargo gives numbers"),
    }
}

/// As `FUSION_VERSION_NUMBER` in the header packs it.
pub(crate) const NUMBER: u32 = number(env!("CARGO_PKG_VERSION_MAJOR")) * 1_000_000
    + number(env!("CARGO_PKG_VERSION_MINOR")) * 1_000
    + number(env!("CARGO_PKG_VERSION_PATCH"));

const STRING: &CStr =
    match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => panic!("a version has no NUL"),
    };

/// The version of the library that is loaded: MAJOR * 1000000 + MINOR * 1000 + PATCH.
///
/// FUSION_VERSION_NUMBER is that of the header. A program that minds compares the two.
///
/// Thread safety: any thread, at any time.
///
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn fusion_version_number() -> u32 {
    NUMBER
}

/// The version of the library that is loaded, as text: "0.1.0".
///
/// Thread safety: any thread, at any time.
///
/// @return a string that is always there
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn fusion_version_string() -> *const c_char {
    STRING.as_ptr()
}
