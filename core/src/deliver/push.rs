//! Fuse and push in one go.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::ThreadPool;

use super::preflight::Preflight;
use super::send::{Failed, Needs, Sender, Spot};
use super::spool::Spool;
use super::start::Start;
use super::tag::{Merged, Outgoing, Tagger};
use super::target::{Base, Naming, Target, targets};
use super::{DeliverOptions, claim, tell, types};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::assemble::Form;
use crate::fuse::input::Input;
use crate::fuse::open::{Everything, Opening, open};
use crate::fuse::plan::{Left, Selection, choose, nothing};
use crate::fuse::rewrite::rewrite;
use crate::fuse::select::Selected;
use crate::fuse::{FuseOptions, Verify, check_sources, transcode};
use crate::graph::ImageNode;
use crate::location::Location;
use crate::package::{Keep, Pass};
use crate::progress::{Phase, Progress};
use crate::registry::Client;
use crate::report::Report;
use crate::store::{BlobSource, Memory, Sources};

/// How often a run looks at the tags that it wrote once more, for as long as it finds something
/// undone.
const REVISITS: usize = 8;

/// Pushes the images of `sources` to `to`; what there is to tell goes into `report`, as far as the
/// run comes.
pub(super) fn run(
    sources: &[Location],
    to: &str,
    options: &DeliverOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let base = Base::parse(to)?;
    report.destination = Some(tell::destination(&base));
    check_sources(sources, &options.fuse)?;
    let start = Start {
        sources,
        naming: Naming::below(base.clone(), options.names.unwrap_or_default()),
        base,
        options,
        may_pass: true,
        reaches: true,
        looked: false,
    };
    start.with(progress, report, |push| push.everything())
}

/// Makes `target` an index over `sources`, which may be none if platforms are taken off it.
pub(super) fn index(
    target: Target,
    sources: &[Location],
    options: &DeliverOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    report.destination = Some(tell::destination(&target.base()));
    if !sources.is_empty() {
        check_sources(sources, &options.fuse)?;
    }
    let start = Start {
        sources,
        base: target.base(),
        naming: Naming::Only(target),
        options,
        may_pass: false,
        reaches: true,
        looked: false,
    };
    start.with(progress, report, |push| push.everything())
}

/// A run that pushes, in steps.
pub(super) struct Push<'a> {
    pub(super) sources: &'a [Location],
    pub(super) naming: Naming,
    pub(super) options: &'a DeliverOptions,
    pub(super) pool: ThreadPool,
    pub(super) client: &'a Client,
    pub(super) spool: Option<&'a Spool>,
    /// Who sends what comes by in streams.
    pub(super) pass: Option<Pass>,
    pub(super) preflight: &'a Preflight,
    pub(super) sender: &'a Sender<'a>,
    pub(super) progress: &'a Progress,
    pub(super) report: &'a mut Report,
}

impl Push<'_> {
    /// All steps, one after the other.
    fn everything(&mut self) -> Result<()> {
        let mut opened = self.open()?;
        let selection = self.choose(&mut opened.inputs, &|_| true)?;
        let targets = self.targets(&selection)?;
        if selection.is_empty() {
            let nothing = nothing(&opened.inputs);
            return Err(first_damage(&mut opened).unwrap_or(nothing));
        }
        self.check(&targets)?;
        self.send_all(selection, targets, &opened)
    }

    /// The images of those inputs that are `chosen`.
    pub(super) fn choose(
        &self,
        inputs: &mut [Input],
        chosen: &dyn Fn(usize) -> bool,
    ) -> Result<Selection> {
        // What an image lacks, its tag may have.
        let choosing = FuseOptions {
            require_platforms: Vec::new(),
            ..self.options.fuse.clone()
        };
        let mut selection = choose(inputs, chosen, &choosing)?;
        if let (Naming::Only(_), Some(only), true) = (
            &self.naming,
            &self.options.fuse.only,
            self.sources.is_empty(),
        ) {
            // Nothing but what the target has.
            selection.images.push(Selected::nothing(&only.reference));
        }
        Ok(selection)
    }

    /// Where each image of `selection` goes.
    pub(super) fn targets(&self, selection: &Selection) -> Result<Vec<Target>> {
        targets(&self.naming, &selection.images)
    }

    /// Finds out what can be found out before anything is sent to `targets`.
    pub(super) fn check(&mut self, targets: &[Target]) -> Result<()> {
        self.preflight.check(self.client, targets, self.options)?;
        let warnings = self.preflight.warnings(targets, self.options);
        self.report.warnings.extend(warnings);
        Ok(())
    }

    /// Sends what was chosen, tags last, and tells.
    pub(super) fn send_all(
        &mut self,
        selection: Selection,
        targets: Vec<Target>,
        opened: &Everything,
    ) -> Result<()> {
        self.report.bytes.read = opened.read;
        self.sender.ledger.learn(opened);
        let (images, left, made) = self.outgoing(selection, targets, opened)?;
        self.deliver(images, left, &made, opened)
    }

    /// Opens the sources; with `keep_going`, those that are sound, and tells of the others.
    pub(super) fn open(&mut self) -> Result<Everything> {
        let keep = match self.spool {
            Some(spool) => Keep::Spool {
                blobs: Arc::clone(spool.blobs()),
                files: false,
                pass: self.pass.clone(),
            },
            None => Keep::Documents,
        };
        // One image has nothing to go on with.
        let is_one = matches!(self.naming, Naming::Only(_));
        let opened = open(&Opening {
            sources: self.sources,
            existing: None,
            keep,
            spares: self.options.fuse.keep_going && !is_one,
            client: self.client,
            options: &self.options.fuse,
            pool: &self.pool,
            progress: self.progress,
        })?;
        tell::damaged(self.report, &opened.damaged);
        Ok(opened)
    }

    /// The images with their targets, their layers compressed as asked.
    fn outgoing(
        &mut self,
        selection: Selection,
        targets: Vec<Target>,
        opened: &Everything,
    ) -> Result<(Vec<Outgoing>, Vec<Left>, Memory)> {
        let Selection {
            images, mut left, ..
        } = selection;
        let held = holders(opened);
        let layers = match self.spool {
            Some(spool) => {
                let mut all: Vec<&dyn BlobSource> = vec![&**spool.blobs()];
                all.extend(held);
                let (layers, read) = transcode::transcode(
                    &images.iter().collect::<Vec<_>>(),
                    self.options.fuse.compression,
                    &Sources(all),
                    spool.blobs(),
                    &self.pool,
                    self.progress,
                )?;
                self.report.bytes.read += read;
                layers
            }
            None => Default::default(),
        };
        let mut made = Memory::default();
        let mut outgoing = Vec::new();
        for (mut selected, target) in images.into_iter().zip(targets) {
            match rewrite(&mut selected, &layers, &self.options.fuse, &mut made) {
                Ok(()) => outgoing.push(Outgoing {
                    spot: Spot::of(&target),
                    selected,
                    target,
                }),
                Err(error) if self.options.fuse.keep_going => left.push(Left {
                    reference: selected.reference.to_string(),
                    names: selected.names,
                    error: Some(error),
                }),
                Err(error) => return Err(error),
            }
        }
        Ok((outgoing, left, made))
    }

    /// Sends everything, tags last, and tells.
    fn deliver(
        &mut self,
        images: Vec<Outgoing>,
        mut left: Vec<Left>,
        made: &Memory,
        opened: &Everything,
    ) -> Result<()> {
        let tagger = Tagger {
            sender: self.sender,
            options: self.options,
            form: match self.naming {
                Naming::Only(_) => Form::Index,
                Naming::Moved(_) | Naming::Found(_) | Naming::Tailed(..) => Form::Registry,
            },
        };
        let planned = self.each(images, &mut left, |image| tagger.plan(image))?;
        let changing: Vec<&Target> = (planned.iter())
            .filter(|(_, merged)| merged.changes())
            .map(|(image, _)| &image.target)
            .collect();
        self.preflight.mutable(self.client, &changing)?;
        let planned = self.send(planned, &mut left, made, opened)?;
        let done: Vec<(Outgoing, Merged)> = if self.options.fuse.dry_run {
            planned
        } else {
            self.progress.enter(Phase::Publish, 0, 0)?;
            // All manifests before the first tag.
            let planned = self.every(planned, &mut left, |image, merged| {
                if merged.settled.is_none() {
                    match tagger.put_children(image, &merged) {
                        // Who writes the tag knows what to do about that.
                        Err(error) if types::refused(&error) => {}
                        put => put?,
                    }
                }
                Ok(merged)
            })?;
            let claims = self.options.claim_tags || self.options.clean_claims;
            let mut done = self.every(planned, &mut left, |image, merged| {
                claim::release(&tagger, image)?;
                match claims {
                    true => claim::settle(&tagger, image, merged),
                    false => tagger.settle(image, merged),
                }
            })?;
            // Somebody who read a tag before this run wrote it may have written it since.
            for _ in 0..REVISITS {
                if self.options.claim_tags {
                    break;
                }
                let undone = AtomicBool::new(false);
                done = self.every(done, &mut left, |image, merged| {
                    let (merged, again) = tagger.revisit(image, merged)?;
                    undone.fetch_or(again, Ordering::Relaxed);
                    Ok(merged)
                })?;
                if !undone.into_inner() {
                    break;
                }
            }
            self.every(done, &mut left, |image, merged| {
                tagger.sweep(image, &merged)?;
                Ok(merged)
            })?
        };
        tell::images(self.report, done, left, opened)
    }

    /// Sends the blobs of what is `planned`. With `keep_going` images that need a damaged one are
    /// left.
    fn send(
        &mut self,
        planned: Vec<(Outgoing, Merged)>,
        left: &mut Vec<Left>,
        made: &Memory,
        opened: &Everything,
    ) -> Result<Vec<(Outgoing, Merged)>> {
        // What there is, and what of it can still be read: layers that came by are gone again.
        let held = holders(opened);
        let mut all: Vec<&dyn BlobSource> = vec![made];
        all.extend(self.spool.map(|spool| &**spool.blobs() as &dyn BlobSource));
        let at_hand = opened.inputs.iter().map(|input| &input.archive);
        let at_hand = at_hand.filter(|archive| !archive.is_streamed() || self.spool.is_none());
        let content: Vec<&dyn BlobSource> = (all.iter().copied())
            .chain(at_hand.map(|archive| archive as &dyn BlobSource))
            .collect();
        all.extend(held);
        let (source, content) = (Sources(all), Sources(content));
        let full = self.options.fuse.verify == Verify::Full;
        let mut ours: Vec<(Spot, &ImageNode)> = Vec::new();
        for (image, merged) in &planned {
            self.sender.learn(&image.spot, merged);
            if merged.settled.is_none() {
                let nodes = images_of(merged).map(|node| (image.spot.clone(), node));
                ours.extend(nodes);
            }
        }
        self.sender.recognise(&ours)?;
        let mut needs = Needs::default();
        for (spot, image) in &ours {
            needs.add(spot, image, &source, full);
        }
        needs.agreed(&source)?;
        self.sender.look(&needs)?;
        let missing = self.sender.missing(&needs);
        self.preflight.room(self.client, &missing)?;
        self.progress
            .enter(Phase::Write, needs.bytes(), needs.count())?;
        let keep_going = self.options.fuse.keep_going;
        let mut failed = self.sender.blobs(&needs, &content, keep_going)?;
        failed.sort_by(|one, other| (&one.spot, one.digest).cmp(&(&other.spot, other.digest)));
        let mut whole = Vec::new();
        for (image, merged) in planned {
            let blobs = merged.image.blobs();
            let fails = |failed: &&mut Failed| {
                let here = failed.spot.as_ref().is_none_or(|spot| *spot == image.spot);
                here && blobs.contains(&failed.digest)
            };
            let Some(failed) = failed.iter_mut().find(fails) else {
                whole.push((image, merged));
                continue;
            };
            // The first image takes the error itself, the others one like it.
            let message = "needs a blob that could not be sent for another image either";
            let like = Error::new(failed.error.kind(), message).digest(failed.digest);
            left.push(Left {
                reference: image.selected.reference.to_string(),
                names: image.selected.names,
                error: Some(std::mem::replace(&mut failed.error, like)),
            });
        }
        Ok(whole)
    }

    /// Does `work` for every image, several at a time; with `keep_going` those that fail are left.
    fn each(
        &self,
        images: Vec<Outgoing>,
        left: &mut Vec<Left>,
        work: impl Fn(&Outgoing) -> Result<Merged> + Sync,
    ) -> Result<Vec<(Outgoing, Merged)>> {
        let images = images.into_iter().map(|image| (image, ())).collect();
        self.every(images, left, |image, ()| work(image))
    }

    fn every<T: Send>(
        &self,
        images: Vec<(Outgoing, T)>,
        left: &mut Vec<Left>,
        work: impl Fn(&Outgoing, T) -> Result<Merged> + Sync,
    ) -> Result<Vec<(Outgoing, Merged)>> {
        use rayon::prelude::*;
        let done: Vec<(Outgoing, Result<Merged>)> = self.sender.pool.install(|| {
            (images.into_par_iter().with_max_len(1))
                .map(|(image, with)| {
                    let outcome = self.progress.check().and_then(|()| work(&image, with));
                    (image, outcome)
                })
                .collect()
        });
        let mut good = Vec::new();
        let mut failed = None;
        for (image, outcome) in done {
            match outcome {
                Ok(merged) => good.push((image, merged)),
                Err(error) if self.options.fuse.keep_going && passes(&error) => left.push(Left {
                    reference: image.selected.reference.to_string(),
                    names: image.selected.names,
                    error: Some(error),
                }),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(good),
        }
    }
}

/// Why there is nothing to do, if what there was is damaged.
pub(super) fn first_damage(opened: &mut Everything) -> Option<Error> {
    let mut damaged = opened.damaged.drain(..);
    damaged.next().map(|damaged| damaged.error)
}

/// Whether the run may go on with the other images.
fn passes(error: &Error) -> bool {
    !matches!(error.kind(), ErrorKind::Cancelled | ErrorKind::Internal)
}

/// Everything that holds blobs and does not let go of them.
fn holders(opened: &Everything) -> Vec<&dyn BlobSource> {
    let archives = opened.inputs.iter().map(|input| &input.archive);
    archives.map(|archive| archive as &dyn BlobSource).collect()
}

/// The manifests of `merged` that its tag's registry may not have yet, each once.
fn images_of(merged: &Merged) -> impl Iterator<Item = &ImageNode> {
    let mut seen = BTreeSet::new();
    let variants = merged.image.selected.variants.iter();
    variants
        .filter(|variant| !variant.origin.is_destination)
        .map(|variant| &*variant.image)
        .chain(
            (merged.image.attachments())
                .filter(|attachment| !attachment.origin.is_destination)
                .map(|attachment| &*attachment.image),
        )
        .filter(move |image| seen.insert(image.manifest.descriptor.digest))
}
