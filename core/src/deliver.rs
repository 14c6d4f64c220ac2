//! The verbs that reach out: they read, plan as `fuse` does, and write to registries.

mod addon;
mod charts;
mod claim;
mod find;
mod findings;
mod index;
mod ledger;
mod options;
mod pass;
mod preflight;
mod push;
mod relocation;
mod send;
mod setting;
mod space;
mod spool;
mod start;
mod sync;
mod tag;
mod target;
mod tell;
mod types;

pub use index::index_create;
pub use options::{ChartOptions, DeliverOptions, Names, OnChart, Visibility};

use std::path::Path;
use std::time::Instant;

use crate::error::Result;
use crate::fuse::{self, Failure};
use crate::location::{Location, Transport};
use crate::progress::{Progress, Sink, Stop, drive};
use crate::report::Report;

/// Fuses the images of all `sources` into `output`, which may be in a registry (`docker://`): then
/// as [`push`] does.
///
/// See [`fuse`](crate::fuse::fuse()) for the rest.
pub fn fuse(
    sources: &[Location],
    output: Option<&Location>,
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    match output {
        Some(output) if output.transport == Transport::Registry => {
            verb("fuse", options, sink, stop, |progress, report| {
                push::run(sources, &output.spelled, options, progress, report)
            })
        }
        _ => fuse::fuse(sources, output, &options.fuse, sink, stop),
    }
}

/// Fuses the images of all `sources`, and pushes them to `to`, which is `HOST[:PORT][/PREFIX]`:
/// blobs first, then manifests and indexes, tags last. What a tag holds already for other
/// platforms stays, unless a policy says otherwise. With
/// [`dry_run`](crate::fuse::FuseOptions::dry_run) nothing is sent.
///
/// `sink` is told how far the run is, on this thread. `stop` stops it from any other. A tag never
/// leads to something incomplete, whenever the run ends; what was sent is found again by the next.
pub fn push(
    sources: &[Location],
    to: &str,
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    verb("push", options, sink, stop, |progress, report| {
        push::run(sources, to, options, progress, report)
    })
}

/// Does what charts-syncer's configuration at `config` asks for: the images of chart bundles go into
/// its registry, as [`push`] puts them there, then the charts, whose values name them where they are
/// now, into its chart repository. A chart appears only after all its images.
pub fn sync(
    config: &Path,
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    verb("sync", options, sink, stop, |progress, report| {
        sync::run(config, options, progress, report)
    })
}

/// Imports `packages`, or those that the installer's configuration at `config` names, into the
/// registry and the chart repository that it names, as [`sync`](fn@sync) does. What images are
/// called there is found out by looking, unless [`names`](DeliverOptions::names) says so.
pub fn import_addon(
    config: &Path,
    packages: &[Location],
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Report, Failure> {
    verb("import-addon", options, sink, stop, |progress, report| {
        addon::run(config, packages, options, progress, report)
    })
}

/// Does the work of the verb `name`, with everything around it.
fn verb(
    name: &'static str,
    options: &DeliverOptions,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
    work: impl FnOnce(&Progress, &mut Report) -> Result<()> + Send,
) -> Result<Report, Failure> {
    let begun = Instant::now();
    let mut report = Report::new(name);
    report.dry_run = options.fuse.dry_run;
    let progress = Progress::new(stop.clone());
    let outcome = drive(&progress, sink, || work(&progress, &mut report));
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
