//! The command line of fusion, as a library: [`run`] is what the `fusion` binary calls.

use std::ffi::OsString;

/// Runs the command line `args` (the program name first) and returns its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let _ = args.into_iter();
    2
}
