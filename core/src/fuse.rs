//! Fusing: sources → plan → execute → report.

mod options;

pub use options::{
    Compress, Durability, Format, FuseOptions, MediaTypes, OnConflict, OnExisting, Verify,
};

use crate::error::{Error, ErrorKind};
use crate::location::Location;
use crate::progress::{Sink, Stop};
use crate::report::Report;

/// A run that failed: why, and the report as far as it came.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// The report, with the error in it.
    pub report: Box<Report>,
}

/// Fuses the images of all `sources` into `output`.
pub fn fuse(
    _sources: &[Location],
    _output: Option<&Location>,
    _options: &FuseOptions,
    _sink: Option<&mut dyn Sink>,
    _stop: &Stop,
) -> Result<Report, Failure> {
    Err(Failure {
        error: Error::new(ErrorKind::Internal, "being built"),
        report: Box::new(Report::new("fuse")),
    })
}
