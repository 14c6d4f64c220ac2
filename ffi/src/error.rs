//! Why a call failed.

use std::ffi::{CStr, CString, c_char};
use std::os::unix::ffi::OsStrExt;

use fusion_core::{Error, ErrorKind};

use crate::handle::Handle;
use crate::panic::boundary;
use crate::status::{FUSION_STATUS_NULL_ARGUMENT, FUSION_STATUS_OK, fusion_status};
use crate::strings::{c_string, pointer};

/// Why a call failed: the status, a message, where it happened, what to do next.
///
/// A call that fails makes one if it is passed the address of a pointer as its last argument, and
/// otherwise leaves that pointer as it was.
///
/// Thread safety: it never changes; any number of threads may read it at once.
///
/// Lifetime: it depends on nothing else. Strings taken from it live until it is freed.
///
/// @since 0.1
#[derive(Debug)]
pub struct fusion_error {
    status: fusion_status,
    kind: CString,
    message: CString,
    path: Option<CString>,
    member: Option<CString>,
    digest: Option<CString>,
    hint: Option<CString>,
    offset: Option<u64>,
    errno: Option<i32>,
    report: Option<CString>,
}

impl Handle for fusion_error {}

/// A failure on its way to C.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: fusion_status,
    error: Error,
    report: Option<String>,
}

impl Failure {
    /// The parameter `name` is NULL and may not be.
    pub(crate) fn null(name: &str) -> Self {
        let error = Error::new(ErrorKind::Usage, format!("`{name}` is NULL"));
        Self {
            status: FUSION_STATUS_NULL_ARGUMENT,
            ..error.into()
        }
    }

    /// The engine's error.
    pub(crate) fn error(&self) -> &Error {
        &self.error
    }

    /// Adds the report of the run that failed.
    pub(crate) fn report(mut self, json: String) -> Self {
        self.report.get_or_insert(json);
        self
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            status: error.kind().code(),
            error,
            report: None,
        }
    }
}

impl From<Failure> for fusion_error {
    fn from(failure: Failure) -> Self {
        let error = failure.error;
        Self {
            status: failure.status,
            kind: c_string(error.kind().name()),
            message: c_string(error.to_string()),
            path: error
                .get_path()
                .map(|path| c_string(path.as_os_str().as_bytes())),
            member: error.get_member().map(c_string),
            digest: error.get_digest().map(c_string),
            hint: error.get_hint().map(c_string),
            offset: error.get_offset(),
            errno: error.errno(),
            report: failure.report.map(c_string),
        }
    }
}

/// What `read` finds in an error; `otherwise` if there is no error.
///
/// # Safety
///
/// As [`Handle::look`].
unsafe fn read<T: Copy>(
    error: *const fusion_error,
    otherwise: T,
    read: impl FnOnce(&fusion_error) -> T,
) -> T {
    boundary(otherwise, || {
        // SAFETY: as the caller says.
        unsafe { fusion_error::look(error) }.map_or(otherwise, read)
    })
}

/// The status that the call returned.
///
/// @param error the error; NULL gives FUSION_STATUS_OK
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_status(error: *const fusion_error) -> fusion_status {
    // SAFETY: as the header says.
    unsafe { read(error, FUSION_STATUS_OK, |error| error.status) }
}

/// The stable name of the kind of failure, as it stands in reports: "digest-mismatch". A NULL
/// argument is "usage", a panic "internal".
///
/// @param error the error; NULL gives NULL
/// @return a string that lives as long as the error
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_kind(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe { read(error, std::ptr::null(), |error| error.kind.as_ptr()) }
}

/// What went wrong and where, as one line of UTF-8, without the hint.
///
/// Names in it come from archives as they are: clean them before showing them on a terminal.
///
/// @param error the error; NULL gives the empty string
/// @return a string that lives as long as the error, and is always there
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_message(error: *const fusion_error) -> *const c_char {
    let empty: &CStr = c"";
    // SAFETY: as the header says.
    unsafe { read(error, empty.as_ptr(), |error| error.message.as_ptr()) }
}

/// The file or directory concerned, byte for byte.
///
/// @param error the error; NULL gives NULL
/// @return a string that lives as long as the error; NULL if no file is concerned
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_path(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe {
        read(error, std::ptr::null(), |error| {
            pointer(error.path.as_ref())
        })
    }
}

/// The member of the archive concerned.
///
/// @param error the error; NULL gives NULL
/// @return a string that lives as long as the error; NULL if no member is concerned
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_member(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe {
        read(error, std::ptr::null(), |error| {
            pointer(error.member.as_ref())
        })
    }
}

/// The digest that was expected, "sha256:...".
///
/// @param error the error; NULL gives NULL
/// @return a string that lives as long as the error; NULL if no digest is concerned
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_digest(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe {
        read(error, std::ptr::null(), |error| {
            pointer(error.digest.as_ref())
        })
    }
}

/// What to do next, as one line of UTF-8. It names options as the command line does:
/// `--on-existing merge` is fusion_options_set(options, "on-existing", "merge", ...).
///
/// @param error the error; NULL gives NULL
/// @return a string that lives as long as the error; NULL if no remedy is known
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_hint(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe {
        read(error, std::ptr::null(), |error| {
            pointer(error.hint.as_ref())
        })
    }
}

/// The byte of the file, or of the stream inside a compressed one, at which it happened.
///
/// @param error the error; NULL gives -1
/// @return a position from 0 on; -1 if none is known
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_offset(error: *const fusion_error) -> i64 {
    // SAFETY: as the header says.
    unsafe {
        read(error, -1, |error| {
            error
                .offset
                .and_then(|offset| i64::try_from(offset).ok())
                .unwrap_or(-1)
        })
    }
}

/// The system's error number (ENOENT, ...), where the system refused something.
///
/// @param error the error; NULL gives 0
/// @return the number; 0 if the system refused nothing
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_errno(error: *const fusion_error) -> i32 {
    // SAFETY: as the header says.
    unsafe { read(error, 0, |error| error.errno.unwrap_or(0)) }
}

/// The report of the run that failed, as far as it came: the document of the verb, with its "error"
/// filled in.
///
/// @param error the error; NULL gives NULL
/// @return JSON that lives as long as the error; NULL if it was not a verb that failed
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_report_json(error: *const fusion_error) -> *const c_char {
    // SAFETY: as the header says.
    unsafe {
        read(error, std::ptr::null(), |error| {
            pointer(error.report.as_ref())
        })
    }
}

/// Frees the error and the strings taken from it.
///
/// @param error the error; nothing happens if it is NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_error_free(error: *mut fusion_error) {
    // SAFETY: as the header says.
    boundary((), || unsafe { fusion_error::free(error) });
}
