//! What calls return. The numbers are those of `ErrorKind::code`; a test compares them.

use std::ffi::{CStr, c_char};

use crate::panic::boundary;

/// What a call returns: FUSION_STATUS_OK, or a negative number that says what kind of failure it
/// was.
///
/// Numbers stand in families of twenty, with gaps: arguments from -1 on, inputs from -20, files
/// from -40, registries from -60. None is ever given another meaning. A later version may return
/// one that is not listed here, so have a default case.
///
/// @since 0.1
pub type fusion_status = i32;

/// It worked.
pub const FUSION_STATUS_OK: fusion_status = 0;
/// An option, reference, platform or glob that cannot be understood, or a combination that makes
/// no sense.
pub const FUSION_STATUS_USAGE: fusion_status = -1;
/// The choices made leave nothing to do.
pub const FUSION_STATUS_NOTHING_SELECTED: fusion_status = -2;
/// A pointer that is needed is NULL.
pub const FUSION_STATUS_NULL_ARGUMENT: fusion_status = -10;
/// An archive, layout or document that is not what it should be.
pub const FUSION_STATUS_INVALID_ARCHIVE: fusion_status = -20;
/// Content whose digest is not the one it goes by.
pub const FUSION_STATUS_DIGEST_MISMATCH: fusion_status = -21;
/// A format that is known and not supported.
pub const FUSION_STATUS_UNSUPPORTED: fusion_status = -22;
/// An input that asks for more than is sensible.
pub const FUSION_STATUS_LIMIT_EXCEEDED: fusion_status = -23;
/// An input changed while it was read.
pub const FUSION_STATUS_INPUT_CHANGED: fusion_status = -24;
/// Inputs disagree: on the image of one reference and platform, on a chart, or on a file.
pub const FUSION_STATUS_CONFLICT: fusion_status = -30;
/// An image lacks a platform that was required.
pub const FUSION_STATUS_PLATFORM_MISSING: fusion_status = -31;
/// The destination exists, and no option says what to do with it.
pub const FUSION_STATUS_DESTINATION_EXISTS: fusion_status = -40;
/// A file or directory that does not exist.
pub const FUSION_STATUS_NOT_FOUND: fusion_status = -41;
/// A file or directory that may not be read or written.
pub const FUSION_STATUS_PERMISSION_DENIED: fusion_status = -42;
/// Another run is writing the destination.
pub const FUSION_STATUS_BUSY: fusion_status = -43;
/// Any other failure of the file system.
pub const FUSION_STATUS_IO: fusion_status = -44;
/// Not enough space for what has to be written.
pub const FUSION_STATUS_NO_SPACE: fusion_status = -45;
/// A registry refused something, or answered what it should not.
pub const FUSION_STATUS_REGISTRY: fusion_status = -60;
/// A registry wants other credentials, or any.
pub const FUSION_STATUS_UNAUTHORIZED: fusion_status = -61;
/// A registry that cannot be reached, or not securely.
pub const FUSION_STATUS_UNREACHABLE: fusion_status = -62;
/// A project that a registry does not have.
pub const FUSION_STATUS_PROJECT_MISSING: fusion_status = -63;
/// A registry allows something to nobody, or not to this user: a full quota, a tag that may not
/// change, a permission.
pub const FUSION_STATUS_DENIED: fusion_status = -64;
/// Stopped, by a callback or a fusion_stop. Nothing was published.
pub const FUSION_STATUS_CANCELLED: fusion_status = -90;
/// A bug in fusion; the process lives on.
pub const FUSION_STATUS_PANIC: fusion_status = -99;

/// The name of a status, for logs: "FUSION_STATUS_CANCELLED".
///
/// Thread safety: any thread, at any time.
///
/// @param status any number
/// @return a string that is always there; "FUSION_STATUS_UNKNOWN" for a number that is none
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn fusion_status_name(status: fusion_status) -> *const c_char {
    boundary(UNKNOWN.as_ptr(), || name(status).as_ptr())
}

const UNKNOWN: &CStr = c"FUSION_STATUS_UNKNOWN";

/// The name of the constant whose value is `status`.
pub(crate) const fn name(status: fusion_status) -> &'static CStr {
    match status {
        FUSION_STATUS_OK => c"FUSION_STATUS_OK",
        FUSION_STATUS_USAGE => c"FUSION_STATUS_USAGE",
        FUSION_STATUS_NOTHING_SELECTED => c"FUSION_STATUS_NOTHING_SELECTED",
        FUSION_STATUS_NULL_ARGUMENT => c"FUSION_STATUS_NULL_ARGUMENT",
        FUSION_STATUS_INVALID_ARCHIVE => c"FUSION_STATUS_INVALID_ARCHIVE",
        FUSION_STATUS_DIGEST_MISMATCH => c"FUSION_STATUS_DIGEST_MISMATCH",
        FUSION_STATUS_UNSUPPORTED => c"FUSION_STATUS_UNSUPPORTED",
        FUSION_STATUS_LIMIT_EXCEEDED => c"FUSION_STATUS_LIMIT_EXCEEDED",
        FUSION_STATUS_INPUT_CHANGED => c"FUSION_STATUS_INPUT_CHANGED",
        FUSION_STATUS_CONFLICT => c"FUSION_STATUS_CONFLICT",
        FUSION_STATUS_PLATFORM_MISSING => c"FUSION_STATUS_PLATFORM_MISSING",
        FUSION_STATUS_DESTINATION_EXISTS => c"FUSION_STATUS_DESTINATION_EXISTS",
        FUSION_STATUS_NOT_FOUND => c"FUSION_STATUS_NOT_FOUND",
        FUSION_STATUS_PERMISSION_DENIED => c"FUSION_STATUS_PERMISSION_DENIED",
        FUSION_STATUS_BUSY => c"FUSION_STATUS_BUSY",
        FUSION_STATUS_IO => c"FUSION_STATUS_IO",
        FUSION_STATUS_NO_SPACE => c"FUSION_STATUS_NO_SPACE",
        FUSION_STATUS_REGISTRY => c"FUSION_STATUS_REGISTRY",
        FUSION_STATUS_UNAUTHORIZED => c"FUSION_STATUS_UNAUTHORIZED",
        FUSION_STATUS_UNREACHABLE => c"FUSION_STATUS_UNREACHABLE",
        FUSION_STATUS_PROJECT_MISSING => c"FUSION_STATUS_PROJECT_MISSING",
        FUSION_STATUS_DENIED => c"FUSION_STATUS_DENIED",
        FUSION_STATUS_CANCELLED => c"FUSION_STATUS_CANCELLED",
        FUSION_STATUS_PANIC => c"FUSION_STATUS_PANIC",
        _ => UNKNOWN,
    }
}
