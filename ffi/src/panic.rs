//! The boundary that no panic crosses.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use fusion_core::{Error, ErrorKind};

use crate::error::{Failure, fusion_error};
use crate::handle;
use crate::status::{FUSION_STATUS_OK, fusion_status};

/// Runs the body of a function that cannot fail; `otherwise` is what it returns after a panic.
pub(crate) fn boundary<T>(otherwise: T, body: impl FnOnce() -> T) -> T {
    // What a body has half done is a handle of the caller, who is told nothing; all of them are
    // changed in one step.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(otherwise)
}

/// Runs the body of a function that can fail: returns the status, and gives the error to C.
pub(crate) unsafe fn fallible(
    error: *mut *mut fusion_error,
    body: impl FnOnce() -> Result<(), Failure>,
) -> fusion_status {
    let outcome = catch_unwind(AssertUnwindSafe(body));
    let failure = match outcome {
        Ok(Ok(())) => return FUSION_STATUS_OK,
        Ok(Err(failure)) => failure,
        Err(panic) => internal(&*panic).into(),
    };
    let status = failure.status;
    // SAFETY: the caller says that `error` is NULL or room for a pointer.
    unsafe { handle::put(error, fusion_error::from(failure)) };
    status
}

/// The error of a panic.
pub(crate) fn internal(panic: &(dyn Any + Send)) -> Error {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no more is known");
    Error::new(ErrorKind::Internal, format!("fusion itself failed: {text}"))
        .hint("this is a bug: please report it, with a log of level FUSION_LOG_DEBUG")
}
