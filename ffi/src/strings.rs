//! Text from C and to C.

use std::ffi::{CStr, CString, OsStr, c_char};
use std::os::unix::ffi::OsStrExt;

use fusion_core::location::Location;
use fusion_core::{Error, ErrorKind};

use crate::error::Failure;

/// The bytes of a string that C passes as the parameter `name`.
unsafe fn bytes<'a>(text: *const c_char, name: &str) -> Result<&'a [u8], Failure> {
    if text.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the caller says that it ends in a NUL and stays as it is during the call.
    Ok(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A string that C passes as the parameter `name`, which has to be UTF-8.
pub(crate) unsafe fn text<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: as the caller says.
    let bytes = unsafe { bytes(text, name) }?;
    std::str::from_utf8(bytes).map_err(|_| {
        let message = format!("`{name}` is not UTF-8: `{}`", bytes.escape_ascii());
        Error::new(ErrorKind::Usage, message).into()
    })
}

/// The same, of what errors must not show.
pub(crate) unsafe fn secret<'a>(text: *const c_char, name: &str) -> Result<&'a str, Failure> {
    // SAFETY: as the caller says.
    let bytes = unsafe { bytes(text, name) }?;
    std::str::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::Usage, format!("`{name}` is not UTF-8")).into())
}

/// A path that C passes as the parameter `name`: any bytes.
pub(crate) unsafe fn path<'a>(text: *const c_char, name: &str) -> Result<&'a OsStr, Failure> {
    // SAFETY: as the caller says.
    unsafe { bytes(text, name) }.map(OsStr::from_bytes)
}

/// `count` paths that C passes as the parameter `name`.
pub(crate) unsafe fn locations(
    paths: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<Location>, Failure> {
    let mut locations = Vec::with_capacity(count);
    // SAFETY: as the caller says.
    for (at, one) in unsafe { many(paths, count, name) }?.iter().enumerate() {
        // SAFETY: as the caller says.
        let path = unsafe { path(*one, &format!("{name}[{at}]")) }?;
        locations.push(Location::parse(path)?);
    }
    Ok(locations)
}

/// `count` texts that C passes as the parameter `name`.
pub(crate) unsafe fn texts<'a>(
    texts: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<Vec<&'a str>, Failure> {
    // SAFETY: as the caller says.
    let all = unsafe { many(texts, count, name) }?;
    let named = all.iter().enumerate();
    // SAFETY: as the caller says.
    named
        .map(|(at, one)| unsafe { text(*one, &format!("{name}[{at}]")) })
        .collect()
}

/// An array of `count` strings; nobody looks where it is if it has none.
unsafe fn many<'a>(
    strings: *const *const c_char,
    count: usize,
    name: &str,
) -> Result<&'a [*const c_char], Failure> {
    if count == 0 {
        return Ok(&[]);
    }
    if strings.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: the caller says that there are as many.
    Ok(unsafe { std::slice::from_raw_parts(strings, count) })
}

/// A string for C. A NUL inside, which C would take for the end, becomes U+FFFD.
pub(crate) fn c_string(text: impl Into<Vec<u8>>) -> CString {
    CString::new(text).unwrap_or_else(|error| {
        let text = error.into_vec();
        let parts: Vec<&[u8]> = text.split(|byte| *byte == 0).collect();
        CString::new(parts.join("\u{fffd}".as_bytes())).unwrap_or_default()
    })
}

/// A pointer to a string that stays with its owner; NULL for none.
pub(crate) fn pointer(text: Option<&CString>) -> *const c_char {
    text.map_or(std::ptr::null(), |text| text.as_ptr())
}
