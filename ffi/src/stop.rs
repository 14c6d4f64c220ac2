//! Stopping a run from another thread.

use fusion_core::progress::Stop;

use crate::handle::Handle;
use crate::panic::boundary;

/// A flag that stops runs. Once raised it stays raised: make another one for the next run.
///
/// Thread safety: fusion_stop_request may be called from any thread and in a signal handler, at
/// any time before the flag is freed, also several times.
///
/// Lifetime: options and runs keep what they need of it; it may be freed before they end.
///
/// @since 0.1
#[derive(Debug)]
pub struct fusion_stop {
    pub(crate) flag: Stop,
}

impl Handle for fusion_stop {}

/// Makes a flag that is down.
///
/// @return a flag to be freed with fusion_stop_free; NULL only after an internal failure
/// @since 0.1
#[unsafe(no_mangle)]
pub extern "C" fn fusion_stop_new() -> *mut fusion_stop {
    boundary(std::ptr::null_mut(), || {
        fusion_stop { flag: Stop::new() }.give()
    })
}

/// Raises the flag: every run whose options have it ends with FUSION_STATUS_CANCELLED within half
/// a second, and publishes nothing.
///
/// Thread safety: any thread; safe in a signal handler.
///
/// @param stop the flag; nothing happens if it is NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_stop_request(stop: *mut fusion_stop) {
    boundary((), || {
        // SAFETY: as the header says; it is only looked at, so other threads may do so too.
        if let Some(stop) = unsafe { fusion_stop::look(stop) } {
            stop.flag.request();
        }
    });
}

/// Frees the flag. Runs and options that have it go on.
///
/// @param stop the flag; nothing happens if it is NULL
/// @since 0.1
#[unsafe(no_mangle)]
pub unsafe extern "C" fn fusion_stop_free(stop: *mut fusion_stop) {
    // SAFETY: as the header says.
    boundary((), || unsafe { fusion_stop::free(stop) });
}
