//! The command line of fusion, as a library: [`run`] is what the `fusion` binary calls, and what
//! `python -m fusion` can call.
//!
//! Nothing in here ends the process, except a second Ctrl-C while a run is still stopping. Results
//! go to standard output, everything else to standard error.

mod args;
mod color;
mod commands;
mod console;
mod errors;
mod log;
mod output;
mod progress;
mod report_file;
mod run;
mod session;
mod signals;

use std::ffi::OsString;
use std::io::{IsTerminal, stderr, stdout};

use console::Console;

/// Runs the command line `args` (the program name first) and returns its exit status.
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let (mut out, mut err) = (stdout(), stderr());
    let (out_terminal, err_terminal) = (out.is_terminal(), err.is_terminal());
    let mut console = Console {
        out: &mut out,
        err: &mut err,
        out_terminal,
        err_terminal,
    };
    run::run(&args.into_iter().collect::<Vec<_>>(), &mut console)
}

#[cfg(test)]
mod tests;
