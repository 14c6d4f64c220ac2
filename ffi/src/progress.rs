//! How far a run is.

use std::ffi::{CStr, c_char, c_void};

use fusion_core::progress::{Flow, Phase, Snapshot};

/// How far a run is; what a fusion_progress_fn is given.
///
/// Thread safety and lifetime: it is there for the one call of the callback, on its thread. Copy
/// what is to stay.
///
/// Later versions may add members at its end, and say so by `size`. Only the library makes one.
///
/// @since 0.1
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct fusion_progress {
    /// The size of this structure in bytes, as the library has it.
    pub size: usize,
    /// What the run is doing: "read", "write" or "publish"; later versions may have other words.
    /// The string is always there.
    pub phase: *const c_char,
    /// Bytes done in this phase.
    pub bytes: u64,
    /// Bytes to do in this phase; 0 while that is unknown.
    pub total_bytes: u64,
    /// Blobs done in this phase.
    pub blobs: u64,
    /// Blobs to do in this phase; 0 while that is unknown.
    pub total_blobs: u64,
}

/// Is told how far a run is. Return 0 to go on, anything else to stop: the call then ends with
/// FUSION_STATUS_CANCELLED, and publishes nothing.
///
/// It is called on the thread that called the verb, at most ten times a second, and at least once
/// in every phase; not again once it has said stop. It may call this library. It must return: no
/// longjmp, no C++ exception.
///
/// @param progress how far the run is; gone when the callback returns
/// @param user_data as it was passed to fusion_options_set_progress
/// @since 0.1
pub type fusion_progress_fn =
    Option<unsafe extern "C" fn(progress: *const fusion_progress, user_data: *mut c_void) -> i32>;

/// A callback, and what it is called with.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Callback {
    pub(crate) function:
        unsafe extern "C" fn(progress: *const fusion_progress, user_data: *mut c_void) -> i32,
    pub(crate) user_data: *mut c_void,
}

impl Callback {
    /// Tells it how far the run is.
    pub(crate) fn call(&self, snapshot: &Snapshot) -> Flow {
        let progress = fusion_progress {
            size: size_of::<fusion_progress>(),
            phase: phase(snapshot.phase).as_ptr(),
            bytes: snapshot.bytes,
            total_bytes: snapshot.total_bytes,
            blobs: snapshot.blobs,
            total_blobs: snapshot.total_blobs,
        };
        // SAFETY: whoever set the callback promised that it can be called so.
        match unsafe { (self.function)(&raw const progress, self.user_data) } {
            0 => Flow::Continue,
            _ => Flow::Stop,
        }
    }
}

/// The phase as a word of C.
pub(crate) fn phase(phase: Phase) -> &'static CStr {
    match phase {
        Phase::Read => c"read",
        Phase::Write => c"write",
        Phase::Publish => c"publish",
        _ => c"work",
    }
}
