//! What neither the standard library nor rustix offers as a safe call: maps whose faults are
//! caught, and the start of write-back. The only unsafe code of the engine stands here and below.
#![expect(
    unsafe_code,
    reason = "a fault under a map can only be met in a signal handler"
)]

mod region;
mod sigbus;

pub(super) use region::{Copied, Region};

/// Asks the kernel to start writing `len` bytes from `offset` to the disk, without waiting.
#[cfg(target_os = "linux")]
pub(super) fn start_writeback(file: &std::fs::File, offset: u64, len: u64) {
    use std::os::fd::AsRawFd;
    let (Ok(offset), Ok(len)) = (offset.try_into(), len.try_into()) else {
        return;
    };
    // SAFETY: the descriptor is open for as long as `file` is borrowed, and the call touches no
    // memory of ours. What it returns does not matter: it is a hint.
    unsafe {
        libc::sync_file_range(file.as_raw_fd(), offset, len, libc::SYNC_FILE_RANGE_WRITE);
    }
}

/// Other systems have no such hint.
#[cfg(not(target_os = "linux"))]
pub(super) fn start_writeback(_file: &std::fs::File, _offset: u64, _len: u64) {}
