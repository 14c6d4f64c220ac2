//! One run, step by step: open, choose, compress anew if asked, plan, check the space, write,
//! publish.

use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::destination::{Destination, resolve};
use super::input::Input;
use super::plan::{Left, Plan, Selection, choose, damaged_destination};
use super::write::{self, Job, Workplace};
use super::{FuseOptions, tell, transcode, warn};
use crate::archive::{self, Keep};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::location::{Location, Transport};
use crate::progress::{Phase, Progress};
use crate::report::Report;
use crate::store::{BlobSource, Sources, workers};

/// Runs; what there is to tell goes into `report`, as far as the run comes.
pub(super) fn run(
    sources: &[Location],
    output: Option<&Location>,
    options: &FuseOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    check(sources, output, options)?;
    let destination = output.map(|output| resolve(output, options)).transpose()?;
    if let (Some(destination), Some(output)) = (&destination, output) {
        report.destination = Some(tell::destination(destination, output));
    }
    if let (true, Some(path)) = (
        options.clean,
        destination.as_ref().and_then(|d| d.target.path()),
    ) {
        clean(path, options)?;
    }
    let pool = workers::pool(options.jobs)?;
    let workplace = match &destination {
        Some(destination) if !options.dry_run => {
            Some(Workplace::take(&destination.target, options)?)
        }
        _ => None,
    };
    let mut opened = open(
        sources,
        destination.as_ref(),
        workplace.as_ref(),
        options,
        &pool,
        progress,
    )?;
    let selection = choose(&mut opened.inputs, options)?;
    let mut run = Run {
        options,
        destination,
        workplace,
        pool,
        progress,
        opened,
        report,
    };
    match run.workplace.is_some() {
        true => run.execute(selection),
        false => run.show(selection),
    }
}

/// Removes what abandoned runs into `path` left.
fn clean(path: &Path, options: &FuseOptions) -> Result<()> {
    for removed in Staging::clean(path)? {
        tracing::info!("removed `{}`", removed.display());
    }
    if let Some(work_dir) = &options.work_dir {
        // Taking the place empties it; letting it go removes it.
        match Staging::in_work_dir(work_dir, path) {
            Err(error) if error.kind() != ErrorKind::Busy => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// What makes no sense is said before anything is touched.
fn check(sources: &[Location], output: Option<&Location>, options: &FuseOptions) -> Result<()> {
    let usage = |message: &str, hint: &str| Err(Error::new(ErrorKind::Usage, message).hint(hint));
    if sources.is_empty() {
        return usage("no source is named", "name at least one archive or layout");
    }
    if output.is_none() && !options.dry_run {
        return usage(
            "no destination is named",
            "name one with `-o`, or plan with `--dry-run`",
        );
    }
    let standard = |location: &&Location| location.transport == Transport::Standard;
    let inputs = sources.iter().filter(standard).count();
    if inputs > 1 {
        return usage("standard input is named twice", "it can be read only once");
    }
    // A host may have closed them, and the next file that is opened gets the number: ask before.
    if inputs > 0 {
        fsx::standard_input()?;
    }
    if !options.dry_run && output.is_some_and(|output| standard(&output)) {
        fsx::standard_output()?;
    }
    for (path, _) in &options.source_platforms {
        if platform_of(path, sources).is_none() {
            let message = format!("`--source-platform` names `{}`, no source", path.display());
            return usage(&message, "spell the path as the source is spelled");
        }
    }
    Ok(())
}

fn platform_of<'a>(path: &Path, sources: &'a [Location]) -> Option<&'a Location> {
    sources
        .iter()
        .find(|source| source.path == path || Path::new(&source.spelled) == path)
}

/// The inputs of a run, and what reading them took.
struct Opened {
    inputs: Vec<Input>,
    /// Bytes of compressed files that were read as streams, and of attempts that came to nothing.
    read: u64,
}

/// Opens all sources and the destination, several at a time.
fn open(
    sources: &[Location],
    destination: Option<&Destination>,
    workplace: Option<&Workplace>,
    options: &FuseOptions,
    pool: &ThreadPool,
    progress: &Progress,
) -> Result<Opened> {
    let keep = match workplace {
        Some(workplace) => Keep::Spool(Arc::clone(&workplace.blobs)),
        None => Keep::Documents,
    };
    let existing = destination.and_then(|destination| destination.merge.as_ref());
    let all: Vec<&Location> = sources.iter().chain(existing).collect();
    let mut streamed = 0;
    for location in &all {
        if archive::is_stream(location)? {
            streamed += archive::size_on_disk(location);
        }
    }
    if let Some(workplace) = workplace {
        // Content is never smaller than what it is compressed to.
        fsx::ensure_free(workplace.blobs.path(), streamed)?;
    }
    progress.enter(Phase::Read, streamed, 0)?;
    let open_one = |(at, location): (usize, &&Location)| {
        let is_destination = at >= sources.len();
        let stated = options.source_platforms.iter().find(|(path, _)| {
            !is_destination && platform_of(path, std::slice::from_ref(*location)).is_some()
        });
        let platform = stated.map(|(_, platform)| platform.clone());
        let input = Input::open(location, &keep, platform, progress);
        match input {
            Ok(input) => Ok(Some(Input {
                is_destination,
                ..input
            })),
            // What is replaced need not be readable.
            Err(error) if is_destination && destination.is_some_and(|d| d.replaces) => {
                tracing::warn!("the destination as it was cannot be read: {error}");
                Ok(None)
            }
            Err(error) if is_destination => Err(damaged_destination(error)),
            Err(error) => Err(error),
        }
    };
    let inputs: Vec<Result<Option<Input>>> = pool.install(|| {
        all.par_iter()
            .with_max_len(1)
            .enumerate()
            .map(open_one)
            .collect()
    });
    let inputs = inputs
        .into_iter()
        .collect::<Result<Vec<Option<Input>>>>()
        .map_err(|error| match workplace {
            Some(workplace) => fsx::enrich_no_space(error, workplace.blobs.path(), streamed),
            None => error,
        })?;
    Ok(Opened {
        inputs: inputs.into_iter().flatten().collect(),
        read: streamed,
    })
}

struct Run<'a> {
    options: &'a FuseOptions,
    destination: Option<Destination>,
    workplace: Option<Workplace>,
    pool: ThreadPool,
    progress: &'a Progress,
    opened: Opened,
    report: &'a mut Report,
}

impl Run<'_> {
    /// Tells the plan.
    fn show(&mut self, selection: Selection) -> Result<()> {
        let inputs = &self.opened.inputs;
        let sources = Sources(
            inputs
                .iter()
                .map(|input| &input.archive as &dyn BlobSource)
                .collect(),
        );
        let open = transcode::needed(&selection.images, self.options.compression, &sources);
        let plan = Plan::make(selection, &Default::default(), self.options)?;
        let mut held = sources.0.clone();
        held.insert(0, &plan.made);
        let source = Sources(held);
        let set = plan.blobs(&source, self.options, true);
        self.report.warnings = self.warnings(&plan);
        let replaced = self.destination.as_ref().is_some_and(|d| d.replaces);
        tell::images(self.report, &plan, inputs, replaced);
        tell::totals(self.report, &set);
        self.report.bytes.read = self.opened.read + set.bytes();
        let (mut fresh, mut bytes) = (0, 0);
        for blob in &set.blobs {
            if self.at_destination(&blob.digest) != Some(blob.size) {
                fresh += 1;
                bytes += blob.size;
            }
        }
        self.report.blobs.written = fresh;
        self.report.blobs.reused = set.blobs.len() as u64 - fresh;
        self.report.bytes.written = bytes;
        if open {
            // What layers will be once they are compressed, only compressing them tells.
            tell::forget_digests(self.report);
        }
        tell::finish(self.report)
    }

    /// How many bytes the destination has of a blob, if it is a layout that keeps its blobs.
    fn at_destination(&self, digest: &crate::oci::Digest) -> Option<u64> {
        let target = &self.destination.as_ref()?.target;
        if target.format() != super::Format::Oci {
            return None;
        }
        let metadata = fsx::metadata_if_any(&target.path()?.join(digest.blob_path())).ok()??;
        Some(metadata.len())
    }

    fn warnings(&self, plan: &Plan) -> Vec<crate::report::Warning> {
        let archive = self
            .destination
            .as_ref()
            .is_some_and(|d| d.target.format() == super::Format::OciArchive);
        warn::warnings(&plan.images, &self.opened.inputs, archive)
    }

    /// Writes and publishes; with `keep_going` once more without the images that turned out to be
    /// damaged.
    fn execute(&mut self, mut selection: Selection) -> Result<()> {
        let mut damaged = Vec::new();
        loop {
            selection = match self.attempt(selection, &mut damaged)? {
                None => return tell::finish(self.report),
                Some(selection) => selection,
            };
        }
    }

    /// One attempt. If blobs are damaged and the run keeps going: what is left to attempt.
    fn attempt(
        &mut self,
        selection: Selection,
        damaged: &mut Vec<Left>,
    ) -> Result<Option<Selection>> {
        let (Some(destination), Some(workplace)) = (&self.destination, &self.workplace) else {
            return Err(Error::new(ErrorKind::Internal, "nowhere to write to"));
        };
        let inputs = &self.opened.inputs;
        let held = || -> Vec<&dyn BlobSource> {
            let spool: &dyn BlobSource = &*workplace.blobs;
            std::iter::once(spool)
                .chain(inputs.iter().map(|input| &input.archive as &dyn BlobSource))
                .collect()
        };
        let sources = Sources(held());
        let (layers, transcoded) = transcode::transcode(
            &selection.images,
            self.options.compression,
            &sources,
            &workplace.blobs,
            &self.pool,
            self.progress,
        )
        .map_err(|error| fsx::enrich_no_space(error, workplace.blobs.path(), 0))?;
        let mut plan = Plan::make(selection, &layers, self.options)?;
        plan.left.append(damaged);
        let mut all = held();
        all.insert(0, &plan.made);
        let source = Sources(all);
        let carry = destination.target.format() == super::Format::OciArchive;
        let set = plan.blobs(&source, self.options, carry);
        let job = Job {
            plan: &plan,
            set: &set,
            source: &source,
            destination,
            workplace,
            options: self.options,
            pool: &self.pool,
            progress: self.progress,
        };
        if let Some(path) = destination.target.path() {
            fsx::ensure_free(write::parent(path), write::needed(&job)?)?;
        }
        let written = write::write(&job)?;
        if !written.damaged.is_empty() {
            self.opened.read += transcoded + written.read;
            return self.without(plan, written.damaged, damaged).map(Some);
        }
        self.report.warnings = self.warnings(&plan);
        tell::images(self.report, &plan, inputs, destination.replaces);
        tell::totals(self.report, &set);
        self.report.blobs.written = written.blobs;
        self.report.blobs.reused = written.reused;
        self.report.bytes.written = written.bytes;
        self.report.bytes.read = self.opened.read + transcoded + written.read;
        if !workplace.in_place {
            self.report.bytes.peak_spool = workplace.blobs.held();
        }
        Ok(None)
    }

    /// What is left of `plan` without the images that need a damaged blob.
    fn without(
        &self,
        plan: Plan,
        failures: Vec<(crate::oci::Digest, Error)>,
        damaged: &mut Vec<Left>,
    ) -> Result<Selection> {
        let mut failures: std::collections::BTreeMap<_, _> = failures.into_iter().collect();
        let Plan {
            images,
            left,
            carried,
            formerly,
            made: _,
        } = plan;
        damaged.extend(left);
        let mut selection = Selection {
            images: Vec::new(),
            left: Vec::new(),
            carried,
            formerly,
        };
        for image in images {
            let blobs = image.blobs();
            match blobs.iter().find(|digest| failures.contains_key(digest)) {
                None => selection.images.push(image.selected),
                Some(digest) => {
                    selection.carried.extend(image.selected.before);
                    // The first image takes the error itself, the others one like it.
                    let error = failures.insert(
                        *digest,
                        Error::new(
                            ErrorKind::DigestMismatch,
                            "shares a damaged blob with another image",
                        )
                        .digest(digest),
                    );
                    damaged.push(Left {
                        reference: image.selected.reference.to_string(),
                        names: image.selected.names,
                        error,
                    });
                }
            }
        }
        if selection.images.is_empty() {
            let first = damaged.iter_mut().find_map(|left| left.error.take());
            return Err(first.unwrap_or_else(Error::cancelled));
        }
        Ok(selection)
    }
}
