//! One run, step by step: open, choose, compress anew if asked, plan, check the space, write,
//! publish.

use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPool;

use super::blobs::BlobSet;
use super::destination::{Destination, resolve};
use super::open::{Everything, Opening, open, platform_of};
use super::plan::{Left, Plan, Selection, choose, nothing};
use super::select::Selected;
use super::tree::{self, Tree};
use super::write::{self, Job, Workplace};
use super::{Format, FuseOptions, tell, transcode, warn};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::location::{Location, Transport};
use crate::package::Keep;
use crate::progress::Progress;
use crate::registry::Client;
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
    let hosts = sources.iter().filter_map(Location::registry);
    let client = options.connect.client(hosts, progress.stop())?;
    let workplace = match &destination {
        Some(destination) if !options.dry_run => {
            Some(Workplace::take(&destination.target, options)?)
        }
        _ => None,
    };
    let start = Start {
        sources,
        output,
        destination,
        workplace: workplace.as_ref(),
        client: &client,
        pool,
    };
    let outcome = go(start, options, progress, report);
    // Also where the run failed: that may be why.
    report.warnings.extend(warn::notices(&client));
    report.warnings.sort();
    outcome.map_err(|error| match &workplace {
        Some(workplace) => workplace.keep(error),
        None => error,
    })
}

/// What a run starts with.
struct Start<'a> {
    sources: &'a [Location],
    output: Option<&'a Location>,
    destination: Option<Destination>,
    workplace: Option<&'a Workplace>,
    client: &'a Client,
    pool: ThreadPool,
}

/// Runs, now that the place to work is taken.
fn go(
    start: Start<'_>,
    options: &FuseOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let Start {
        sources,
        output,
        mut destination,
        workplace,
        client,
        pool,
    } = start;
    let keep = match workplace {
        Some(workplace) => Keep::Spool {
            blobs: Arc::clone(&workplace.blobs),
            files: destination.as_ref().is_some_and(Destination::takes_files),
            pass: None,
        },
        None => Keep::Documents,
    };
    let existing = destination.as_ref().and_then(|destination| {
        let existing = destination.merge.as_ref()?;
        Some((existing, destination.replaces))
    });
    let mut opened = open(&Opening {
        sources,
        existing,
        keep,
        spares: false,
        client,
        options,
        pool: &pool,
        progress,
    })?;
    let format = format(&mut destination, &opened, options)?;
    if let (Some(destination), Some(output)) = (&destination, output) {
        report.destination = Some(tell::destination(destination, output));
    }
    let tree = match format {
        Format::Bundle | Format::Package => Some(tree::merge(&opened, format, options)?),
        Format::Oci | Format::OciArchive => None,
    };
    let selections = select(&mut opened, tree.as_ref(), options)?;
    let mut run = Run {
        options,
        destination,
        workplace,
        pool,
        progress,
        opened,
        format,
        tree,
        report,
    };
    match run.workplace.is_some() {
        true => run.execute(selections),
        false => run.show(selections),
    }
}

/// What the result is, now that it is known what the sources are.
fn format(
    destination: &mut Option<Destination>,
    opened: &Everything,
    options: &FuseOptions,
) -> Result<Format> {
    match destination {
        Some(destination) => {
            destination.settle(&opened.kinds())?;
            Ok(destination.format.unwrap_or(Format::OciArchive))
        }
        None => Ok(options.format.unwrap_or(Format::OciArchive)),
    }
}

/// Pairs and chooses: over all inputs, or for each archive of `tree` by itself.
fn select(
    opened: &mut Everything,
    tree: Option<&Tree>,
    options: &FuseOptions,
) -> Result<Vec<Selection>> {
    let selections = match tree {
        None => vec![choose(&mut opened.inputs, &|_| true, options)?],
        Some(tree) => (tree.slots.iter())
            .map(|slot| choose(&mut opened.inputs, &|at| slot.inputs.contains(&at), options))
            .collect::<Result<_>>()?,
    };
    if !selections.is_empty() && selections.iter().all(Selection::is_empty) {
        return Err(nothing(&opened.inputs));
    }
    Ok(selections)
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
    check_sources(sources, options)?;
    if output.is_none() && !options.dry_run {
        return Err(Error::new(ErrorKind::Usage, "no destination is named")
            .hint("name one with `-o`, or plan with `--dry-run`"));
    }
    let is_standard = |output: &Location| output.transport == Transport::Standard;
    if !options.dry_run && output.is_some_and(is_standard) {
        fsx::standard_output()?;
    }
    Ok(())
}

/// The same, of sources.
pub(crate) fn check_sources(sources: &[Location], options: &FuseOptions) -> Result<()> {
    let usage = |message: &str, hint: &str| Err(Error::new(ErrorKind::Usage, message).hint(hint));
    if sources.is_empty() {
        return usage("no source is named", "name at least one archive or layout");
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
    for (path, _) in &options.source_platforms {
        if platform_of(path, sources).is_none() {
            let message = format!("`--source-platform` names `{}`, no source", path.display());
            return usage(&message, "spell the path as the source is spelled");
        }
    }
    Ok(())
}

struct Run<'a> {
    options: &'a FuseOptions,
    destination: Option<Destination>,
    workplace: Option<&'a Workplace>,
    pool: ThreadPool,
    progress: &'a Progress,
    opened: Everything,
    format: Format,
    /// The tree of the result, if that is a bundle or a package.
    tree: Option<Tree>,
    report: &'a mut Report,
}

impl Run<'_> {
    /// Tells the plan.
    fn show(&mut self, selections: Vec<Selection>) -> Result<()> {
        let inputs = &self.opened.inputs;
        let sources = Sources(
            inputs
                .iter()
                .map(|input| &input.archive as &dyn BlobSource)
                .collect(),
        );
        let open = transcode::needed(&images(&selections), self.options.compression, &sources);
        let plans = (selections.into_iter())
            .map(|selection| Plan::make(selection, &Default::default(), self.options))
            .collect::<Result<Vec<Plan>>>()?;
        let mut held: Vec<&dyn BlobSource> = plans.iter().map(|plan| &plan.made as _).collect();
        held.extend(&sources.0);
        let source = Sources(held);
        let set = BlobSet::union(
            plans
                .iter()
                .map(|plan| plan.blobs(&source, self.options, true)),
        )
        .agreed(&source)?;
        self.report.warnings = self.warnings(&plans);
        let charts = tell::charts(self.report, self.tree.as_ref(), &plans, &self.opened);
        self.report.warnings.extend(charts);
        self.report.warnings.sort();
        let replaced = self.destination.as_ref().is_some_and(|d| d.replaces);
        tell::images(self.report, &plans, replaced);
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
        if !target.is_layout() {
            return None;
        }
        let metadata = fsx::metadata_if_any(&target.path()?.join(digest.blob_path())).ok()??;
        Some(metadata.len())
    }

    fn warnings(&self, plans: &[Plan]) -> Vec<crate::report::Warning> {
        let place = match self.destination.is_some() && self.format != Format::Oci {
            true => warn::Place::Archive,
            false => warn::Place::Layout,
        };
        let mut warnings = warn::warnings(plans, place);
        warnings.extend(self.tree.iter().flat_map(|tree| tree.warnings.clone()));
        warnings.extend(warn::unchecked(&self.opened.sources));
        warnings.sort();
        warnings
    }

    /// Writes and publishes; with `keep_going` once more without the images that turned out to be
    /// damaged.
    fn execute(&mut self, mut selections: Vec<Selection>) -> Result<()> {
        let mut damaged = Vec::new();
        loop {
            selections = match self.attempt(selections, &mut damaged)? {
                None => return tell::finish(self.report),
                Some(selections) => selections,
            };
        }
    }

    /// One attempt. If blobs are damaged and the run keeps going: what is left to attempt.
    fn attempt(
        &mut self,
        selections: Vec<Selection>,
        damaged: &mut Vec<Left>,
    ) -> Result<Option<Vec<Selection>>> {
        let (Some(destination), Some(workplace)) = (&self.destination, self.workplace) else {
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
            &images(&selections),
            self.options.compression,
            &sources,
            &workplace.blobs,
            &self.pool,
            self.progress,
        )
        .map_err(|error| fsx::enrich_no_space(error, workplace.blobs.path(), 0))?;
        let mut plans = (selections.into_iter())
            .map(|selection| Plan::make(selection, &layers, self.options))
            .collect::<Result<Vec<Plan>>>()?;
        if let Some(plan) = plans.first_mut() {
            plan.left.append(damaged);
        }
        let mut all: Vec<&dyn BlobSource> = plans.iter().map(|plan| &plan.made as _).collect();
        all.extend(held());
        let source = Sources(all);
        let carry = !destination.target.is_layout();
        let sets: Vec<BlobSet> = (plans.iter())
            .map(|plan| plan.blobs(&source, self.options, carry))
            .collect();
        let set = BlobSet::union(sets.iter().cloned()).agreed(&source)?;
        let job = Job {
            plans: &plans,
            sets: &sets,
            set: &set,
            tree: self.tree.as_ref(),
            source: &source,
            destination,
            workplace,
            options: self.options,
            pool: &self.pool,
            progress: self.progress,
            streams: self.opened.read > 0,
        };
        if let Some(path) = destination.target.path() {
            fsx::ensure_free(write::parent(path), write::needed(&job)?)?;
        }
        let written = write::write(&job)?;
        if !written.damaged.is_empty() {
            self.opened.read += transcoded + written.read;
            return without(plans, written.damaged, damaged).map(Some);
        }
        self.report.warnings = self.warnings(&plans);
        let charts = tell::charts(self.report, self.tree.as_ref(), &plans, &self.opened);
        self.report.warnings.extend(charts);
        self.report.warnings.sort();
        tell::images(self.report, &plans, destination.replaces);
        tell::totals(self.report, &set);
        let adopted = workplace.blobs.adopted();
        self.report.blobs.written = match workplace.in_place {
            true => written.blobs.saturating_sub(adopted),
            false => written.blobs,
        };
        self.report.blobs.reused = written.reused + adopted;
        self.report.bytes.written = written.bytes;
        self.report.bytes.read = self.opened.read + transcoded + written.read;
        if !workplace.in_place {
            self.report.bytes.peak_spool = workplace.blobs.held();
        }
        Ok(None)
    }
}

/// The images of all `selections`.
fn images(selections: &[Selection]) -> Vec<&Selected> {
    let selections = selections.iter();
    selections.flat_map(|selection| &selection.images).collect()
}

/// What is left of `plans` without the images that need a damaged blob.
fn without(
    plans: Vec<Plan>,
    failures: Vec<(crate::oci::Digest, Error)>,
    damaged: &mut Vec<Left>,
) -> Result<Vec<Selection>> {
    let mut failures: std::collections::BTreeMap<_, _> = failures.into_iter().collect();
    let mut selections = Vec::new();
    for plan in plans {
        let Plan {
            images,
            left,
            carried,
            formerly,
            annotations,
            made: _,
        } = plan;
        damaged.extend(left);
        let mut selection = Selection {
            images: Vec::new(),
            left: Vec::new(),
            carried,
            formerly,
            annotations,
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
        selections.push(selection);
    }
    if selections
        .iter()
        .all(|selection| selection.images.is_empty())
    {
        let first = damaged.iter_mut().find_map(|left| left.error.take());
        return Err(first.unwrap_or_else(Error::cancelled));
    }
    Ok(selections)
}
