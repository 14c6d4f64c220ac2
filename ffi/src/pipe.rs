//! Writing to a pipe that nobody reads any more.
//!
//! A Rust program ignores SIGPIPE from its first instruction on, a C program does not: there a
//! write into a closed pipe would end the process, before it could be an error.

use std::mem::MaybeUninit;

use libc::{SIG_BLOCK, SIG_SETMASK, SIGPIPE, pthread_sigmask, sigset_t};

/// Keeps SIGPIPE from this thread, and from threads that it starts, as long as it lives.
pub(crate) struct Quiet {
    before: sigset_t,
    was_pending: bool,
}

impl Quiet {
    /// Begins to.
    pub(crate) fn begin() -> Self {
        let was_pending = pending();
        let mut before = MaybeUninit::uninit();
        // SAFETY: both sets are ours; a set that was not written is not looked at, since the
        // calls cannot fail with these arguments.
        let before = unsafe {
            libc::sigemptyset(before.as_mut_ptr());
            pthread_sigmask(SIG_BLOCK, only().as_ptr(), before.as_mut_ptr());
            before.assume_init()
        };
        Self {
            before,
            was_pending,
        }
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        // One that arrived meanwhile was ours: it is taken, not delivered late.
        if !self.was_pending && pending() {
            let mut signal = 0;
            // SAFETY: the set is ours, and a signal in it is pending, so this does not wait.
            unsafe { libc::sigwait(only().as_ptr(), &raw mut signal) };
        }
        // SAFETY: `before` is the mask this thread had.
        unsafe { pthread_sigmask(SIG_SETMASK, &raw const self.before, std::ptr::null_mut()) };
    }
}

/// The set that has SIGPIPE only.
fn only() -> MaybeUninit<sigset_t> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is ours.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), SIGPIPE);
    }
    set
}

/// Whether SIGPIPE waits for this thread.
fn pending() -> bool {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the set is ours, and written by the first call.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigpending(set.as_mut_ptr()) == 0 && libc::sigismember(set.as_ptr(), SIGPIPE) == 1
    }
}
