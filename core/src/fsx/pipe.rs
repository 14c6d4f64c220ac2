//! Standard input and output, and pipes, which may stay silent for as long as they like.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{Error, Result};

/// Standard input, without Rust's buffer in between.
pub fn standard_input() -> Result<File> {
    let input = std::io::stdin().as_fd().try_clone_to_owned();
    let failed = |e| Error::io("cannot open", Path::new("standard input"), e);
    input.map(File::from).map_err(failed)
}

/// Standard output, without Rust's buffer in between: what a run that failed left there would be
/// the beginning of the next one's archive. Nor does a closed one take writes and drop them.
pub fn standard_output() -> Result<File> {
    let output = std::io::stdout().as_fd().try_clone_to_owned();
    let failed = |e| Error::io("cannot open", Path::new("standard output"), e);
    output.map(File::from).map_err(failed)
}

/// Whether reading from `file` would return at once: within `patience` something came, or it
/// ended.
#[must_use]
pub fn readable(file: &File, patience: Duration) -> bool {
    let mut polled = [PollFd::new(file, PollFlags::IN)];
    let patience = Timespec::try_from(patience).ok();
    // A signal in between is as good as the time being up.
    poll(&mut polled, patience.as_ref()).is_ok_and(|count| count > 0)
}
