//! `python -m fusion`: the command line, in this process.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// Runs the command line `args` (the program name first) and returns its exit status.
#[pyfunction]
#[pyo3(signature = (args, /))]
pub(crate) fn command(py: Python<'_>, args: Vec<PyBackedBytes>) -> u8 {
    let args: Vec<OsString> = args
        .iter()
        .map(|arg| OsStr::from_bytes(arg).to_owned())
        .collect();
    py.detach(|| fusion_cli::run(args))
}
