//! Fusing: sources → plan → execute → report.

pub(crate) mod assemble;
pub(crate) mod blobs;
mod destination;
pub(crate) mod input;
mod listing;
pub(crate) mod naming;
pub(crate) mod open;
pub(crate) mod options;
pub(crate) mod plan;
pub(crate) mod rewrite;
mod run;
pub(crate) mod select;
mod tape;
pub(crate) mod tell;
pub(crate) mod transcode;
pub(crate) mod tree;
pub(crate) mod variant;
pub(crate) mod warn;
mod write;

pub(crate) use run::check_sources;

pub use options::{
    Compress, Durability, Format, FuseOptions, MediaTypes, OnConflict, OnExisting, OnFileConflict,
    Only, Verify,
};

use std::time::Instant;

use crate::error::Error;
use crate::location::Location;
use crate::progress::{Progress, Sink, Stop, drive};
use crate::report::Report;

/// A run that failed: why, and the report as far as it came.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub error: Error,
    /// The report, with the error in it.
    pub report: Box<Report>,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Fuses the images of all `sources` into `output`: pairs them by reference, keeps one manifest
/// per platform, and writes one index per reference. With
/// [`dry_run`](FuseOptions::dry_run) nothing is written, and `output` may be left out.
///
/// `sink` is told how far the run is, on this thread. `stop` stops it from any other. Nothing is
/// published unless this returns a report.
///
/// With [`keep_going`](FuseOptions::keep_going) an image that fails is in the report
/// ([`Status::Partial`](crate::report::Status::Partial)) and the others are published.
pub fn fuse(
    sources: &[Location],
    output: Option<&Location>,
    options: &FuseOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    let begun = Instant::now();
    let mut report = Report::new("fuse");
    report.dry_run = options.dry_run;
    let progress = Progress::new(stop.clone());
    let outcome = drive(&progress, sink, || {
        run::run(sources, output, options, &progress, &mut report)
    });
    report.elapsed_seconds = begun.elapsed().as_secs_f64();
    match outcome {
        Ok(()) => Ok(report),
        Err(error) => {
            report.fail(&error);
            Err(Failure {
                error,
                report: Box::new(report),
            })
        }
    }
}
