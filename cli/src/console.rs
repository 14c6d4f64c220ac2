//! Where the command writes: standard output and standard error, replaceable in tests.

use std::io::{self, Write};
use std::path::Path;

use fusion_core::{Error, Result};

/// Standard output and standard error, and whether somebody sits in front of them.
pub(crate) struct Console<'a> {
    /// For results.
    pub(crate) out: &'a mut dyn Write,
    /// For everything else.
    pub(crate) err: &'a mut dyn Write,
    /// Whether `out` is a terminal.
    pub(crate) out_terminal: bool,
    /// Whether `err` is a terminal.
    pub(crate) err_terminal: bool,
}

impl Console<'_> {
    /// Writes a result. A reader that went away (`fusion … | head`) is no failure.
    pub(crate) fn print(&mut self, text: &str) -> Result<()> {
        let written = self
            .out
            .write_all(text.as_bytes())
            .and_then(|()| self.out.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::io(
                "cannot write to",
                Path::new("standard output"),
                error,
            )),
            _ => Ok(()),
        }
    }

    /// Writes a message. There is nobody left to tell if that fails.
    pub(crate) fn tell(&mut self, text: &str) {
        let _ = self.err.write_all(text.as_bytes());
        let _ = self.err.flush();
    }
}
