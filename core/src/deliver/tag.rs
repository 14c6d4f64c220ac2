//! One tag: what it leads to now, what it will lead to, and writing that without losing what
//! others write at the same time.

mod write;

use std::sync::Arc;

use super::send::{Sender, Spot};
use super::target::{Target, Under};
use super::{DeliverOptions, types};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::assemble::{Assembled, Form, assemble};
use crate::fuse::rewrite::{Layers, rewrite};
use crate::fuse::select::{Candidates, Selected, require, select};
use crate::fuse::variant::{Flattened, Origin, flatten};
use crate::fuse::{FuseOptions, MediaTypes, OnExisting};
use crate::graph;
use crate::oci::{Descriptor, Digest, Document, Platform};
use crate::registry::{Image, Repository};
use crate::store::{Memory, read_document};

/// How often a tag is merged anew because somebody else wrote it meanwhile.
const ATTEMPTS: usize = 50;

/// An image of the run, and where it goes.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) selected: Selected,
    pub(super) target: Target,
    pub(super) spot: Spot,
}

/// What a tag will lead to.
#[derive(Debug)]
pub(super) struct Merged {
    pub(super) image: Assembled,
    /// Documents that were made for it.
    pub(super) made: Memory,
    /// Why nothing is written.
    pub(super) settled: Option<Settled>,
    /// Platforms that the tag had and will not have any more.
    pub(super) dropped: Vec<Platform>,
    /// Platforms of which a claim that is not this run's says something else than the tag did: what
    /// the tag led to, and what it leads to now.
    pub(super) overruled: Vec<(Platform, Digest, Digest)>,
    /// The media types that it has because the registry takes no others.
    pub(super) converted: Option<MediaTypes>,
}

/// Why nothing is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Settled {
    /// It leads there already.
    Unchanged,
    /// It exists, and is to be left alone.
    Skipped,
}

impl Merged {
    /// Whether a tag that exists will lead to something else.
    pub(super) fn changes(&self) -> bool {
        self.settled.is_none() && self.image.selected.previous.is_some()
    }
}

/// What a tag holds.
pub(super) struct Held {
    pub(super) root: Descriptor,
    pub(super) flattened: Flattened,
}

/// Merges and writes tags.
pub(super) struct Tagger<'a> {
    pub(super) sender: &'a Sender<'a>,
    pub(super) options: &'a DeliverOptions,
    /// Whether an index is asked for, also of a single platform.
    pub(super) form: Form,
}

impl Tagger<'_> {
    /// What `image` becomes, with what its tag leads to now.
    pub(super) fn plan(&self, image: &Outgoing) -> Result<Merged> {
        self.plan_as(image, self.options.fuse.media_types)
            .map_err(|error| about(error, &image.target))
    }

    fn plan_as(&self, image: &Outgoing, types: MediaTypes) -> Result<Merged> {
        let own = own(&image.selected);
        let under = image.target.under.text();
        // A project that is yet to be created has nothing under any name.
        let there = match self
            .sender
            .preflight
            .is_imagined(&image.spot, self.sender.dry_run)
        {
            true => None,
            false => Image::open(self.repository(image), under)?,
        };
        if own.variants.is_empty() {
            // Nothing but taking platforms off what is there.
            let nothing = || {
                Error::new(ErrorKind::NothingSelected, "there is no such tag")
                    .hint("name the images that the index is made of")
            };
            let held = held(&there.ok_or_else(nothing)?, &image.target)?;
            return self.combine(image, own, Some(held), types);
        }
        let Some(there) = there else {
            return self.combine(image, own, None, types);
        };
        // By itself, as if the tag did not exist; what it lacks then, the tag may have.
        let mut merged = self.combined(image, own, None, types, &[])?;
        let root = there.root().clone();
        let same = root.digest == merged.image.root.digest;
        let policy = self.options.existing();
        if same || policy == OnExisting::Skip {
            if same {
                let required = &self.options.fuse.require_platforms;
                let selected = &merged.image.selected;
                require(&selected.reference, &selected.variants, required)?;
            }
            merged.image.selected.previous = Some(root);
            merged.settled = Some(match same {
                true => Settled::Unchanged,
                false => Settled::Skipped,
            });
            return Ok(merged);
        }
        match policy {
            OnExisting::Error => {
                let message = "the tag exists, and leads to something else";
                Err(Error::new(ErrorKind::DestinationExists, message)
                    .digest(root.digest)
                    .hint("add `--on-existing merge`, `replace` or `skip`"))
            }
            OnExisting::Replace => {
                let had = platforms(&there, &image.target);
                let has = |platform: &Platform| {
                    let variants = merged.image.selected.variants.iter();
                    variants
                        .filter_map(|variant| variant.platform.as_ref())
                        .any(|own| own == platform)
                };
                let dropped = had.into_iter().filter(|had| !has(had)).collect();
                let nothing = Held {
                    root,
                    flattened: Flattened::default(),
                };
                // An index that is there stays one.
                let own = self::own(&image.selected);
                let mut merged = self.combine(image, own, Some(nothing), types)?;
                let selected = &mut merged.image.selected;
                selected.replaced = selected
                    .variants
                    .iter()
                    .map(|v| v.platform.clone())
                    .collect();
                Ok(Merged { dropped, ..merged })
            }
            OnExisting::Merge | OnExisting::Skip => {
                let held = held(&there, &image.target)?;
                let own = self::own(&image.selected);
                self.combine(image, own, Some(held), types)
            }
        }
    }

    /// `image` of the media types that are asked for.
    pub(super) fn converted(&self, image: &Outgoing) -> Result<Outgoing> {
        let mut selected = image.selected.clone();
        let mut made = Memory::default();
        rewrite(&mut selected, &Layers::new(), &self.options.fuse, &mut made)?;
        Ok(Outgoing {
            selected,
            target: image.target.clone(),
            spot: image.spot.clone(),
        })
    }

    pub(super) fn repository(&self, image: &Outgoing) -> Repository {
        image.target.repository(self.sender.client)
    }

    /// What `incoming` and what the tag `held` make together.
    pub(super) fn combine(
        &self,
        image: &Outgoing,
        incoming: Flattened,
        held: Option<Held>,
        media_types: MediaTypes,
    ) -> Result<Merged> {
        let required = &self.options.fuse.require_platforms;
        self.combined(image, incoming, held, media_types, required)
    }

    /// The same, of which only `required` platforms may not be lacking.
    fn combined(
        &self,
        image: &Outgoing,
        incoming: Flattened,
        held: Option<Held>,
        media_types: MediaTypes,
        required: &[Platform],
    ) -> Result<Merged> {
        let options = FuseOptions {
            media_types,
            // Chosen already; what the tag has stays.
            platforms: Vec::new(),
            require_platforms: required.to_vec(),
            ..self.options.fuse.clone()
        };
        let (previous, mut existing) = match held {
            Some(held) => (Some(held.root), held.flattened),
            None => (None, Flattened::default()),
        };
        existing.remove(&self.options.remove);
        let mut incoming = incoming;
        if incoming.variants.is_empty() {
            // Nothing but taking off what is there.
            incoming = std::mem::take(&mut existing);
        }
        let lost: Vec<Descriptor> = existing.absent.clone();
        let candidates = Candidates {
            names: image.selected.names.clone(),
            stays: image.selected.stays,
            incoming,
            existing,
            previous: previous.clone(),
            before: Vec::new(),
        };
        let nothing = || {
            Error::new(ErrorKind::NothingSelected, "nothing would be left of it")
                .hint("delete the tag with the registry's own means, if that is what you want")
        };
        let reference = &image.selected.reference;
        let mut selected = select(reference, candidates, &options)?.ok_or_else(nothing)?;
        keep(&lost, &selected)?;
        let mut made = Memory::default();
        rewrite(&mut selected, &Layers::new(), &options, &mut made)?;
        let image = assemble(selected, self.form, &options, &mut made)?;
        let same = previous.is_some_and(|previous| previous.digest == image.root.digest);
        Ok(Merged {
            image,
            made,
            settled: same.then_some(Settled::Unchanged),
            dropped: Vec::new(),
            overruled: Vec::new(),
            converted: None,
        })
    }

    /// Puts what is missing, then the tag; reads it back, and merges anew if somebody else wrote
    /// it meanwhile.
    pub(super) fn settle(&self, image: &Outgoing, planned: Merged) -> Result<Merged> {
        let blame = |error: Error| about(error, &image.target);
        let mut family = self.options.fuse.media_types;
        // What was said to the first of them, where another is tried.
        let mut refused = None;
        let mut merged = planned;
        // What the tag led to before this run wrote it.
        let mut first = None;
        let mut wrote = false;
        for _ in 0..ATTEMPTS {
            if merged.settled.is_none() {
                match self.put(image, &merged) {
                    Ok(true) if !wrote => {
                        first = merged.image.selected.previous.clone();
                        wrote = true;
                    }
                    Ok(true) => {}
                    Ok(false) => {
                        merged = self.plan_as(image, family).map_err(blame)?;
                        continue;
                    }
                    Err(error) if types::refused(&error) => {
                        let others = types::others(&error, &merged.image);
                        let error = refused.unwrap_or_else(|| types::advised(error, &merged.image));
                        if family != MediaTypes::Auto {
                            return Err(blame(error));
                        }
                        (family, refused) = (others, Some(error));
                        merged = self.plan_as(image, family).map_err(blame)?;
                        continue;
                    }
                    Err(error) => return Err(blame(error)),
                }
            }
            let done = merged.settled.is_some()
                || self.options.existing() != OnExisting::Merge
                || self
                    .leads_to(image, &merged.image.root.digest)
                    .map_err(blame)?;
            if done {
                if wrote {
                    merged.settled = None;
                    merged.image.selected.previous = first;
                    merged.converted = refused.is_some().then_some(family);
                }
                return Ok(merged);
            }
            tracing::info!("{} was written by somebody else meanwhile", image.target);
            merged = self.plan_as(image, family).map_err(blame)?;
        }
        Err(blame(contended()))
    }

    /// Looks at a tag that the run wrote once more, and merges anew if what it brought is gone;
    /// says whether it was.
    pub(super) fn revisit(&self, image: &Outgoing, merged: Merged) -> Result<(Merged, bool)> {
        let blame = |error: Error| about(error, &image.target);
        if merged.settled.is_some()
            || self.options.existing() != OnExisting::Merge
            || self
                .leads_to(image, &merged.image.root.digest)
                .map_err(blame)?
        {
            return Ok((merged, false));
        }
        let previous = merged.image.selected.previous.clone();
        let converted = merged.converted;
        let planned = self.plan(image)?;
        let undone = planned.settled.is_none();
        let mut merged = match undone {
            true => self.settle(image, planned)?,
            false => planned,
        };
        merged.settled = None;
        merged.image.selected.previous = previous;
        merged.converted = merged.converted.or(converted);
        Ok((merged, undone))
    }

    /// Whether the tag, read back, leads to `root`. What has no tag has nothing to read.
    fn leads_to(&self, image: &Outgoing, root: &Digest) -> Result<bool> {
        let Under::Tag(tag) = &image.target.under else {
            return Ok(true);
        };
        let there = self.repository(image).head(tag)?;
        Ok(there.is_some_and(|there| there.digest == *root))
    }
}

/// The error of a tag that too many write at once.
pub(super) fn contended() -> Error {
    let message = format!("the tag was written by others {ATTEMPTS} times in a row");
    Error::new(ErrorKind::Busy, message)
        .hint("run again when fewer write to it, or use `--claim-tags` everywhere")
}

/// What the run itself has of an image.
pub(super) fn own(selected: &Selected) -> Flattened {
    Flattened {
        variants: selected.variants.clone(),
        loose: selected.loose.clone(),
        indexes: selected.indexes.clone(),
        absent: selected.absent.clone(),
    }
}

/// What a tag holds, flattened.
pub(super) fn held(there: &Image, target: &Target) -> Result<Held> {
    let root = there.root().clone();
    let node = graph::load(there, &root).map_err(|error| match error.kind() {
        ErrorKind::Unsupported | ErrorKind::InvalidArchive => {
            error.better_hint("what the tag holds cannot be merged: `--on-existing replace`")
        }
        _ => error,
    })?;
    let origin = Arc::new(Origin::destination(format!("docker://{target}")));
    let flattened = flatten(&node, &root, &origin)?;
    Ok(Held { root, flattened })
}

/// The platforms that a tag leads to, as far as it says.
fn platforms(there: &Image, target: &Target) -> Vec<Platform> {
    let root = there.root();
    let parsed =
        read_document(there, root).and_then(|bytes| Document::parse(&bytes, &root.media_type));
    match parsed {
        Ok(Document::Index(index)) => (index.manifests.into_iter())
            .filter(|child| !child.is_attachment())
            .filter_map(|child| child.platform)
            .collect(),
        // Its configuration says it.
        Ok(Document::Manifest(_)) => {
            let held = held(there, target).map(|held| held.flattened.variants);
            let variants = held.unwrap_or_default().into_iter();
            variants.filter_map(|variant| variant.platform).collect()
        }
        Err(_) => Vec::new(),
    }
}

/// That an index names manifests which its registry does not hold is no reason to drop them in
/// silence.
fn keep(lost: &[Descriptor], selected: &Selected) -> Result<()> {
    let has = |platform: &Platform| {
        let variants = selected.variants.iter();
        variants
            .filter_map(|v| v.platform.as_ref())
            .any(|own| own == platform)
    };
    let gone: Vec<String> = (lost.iter())
        .filter(|child| !child.is_attachment())
        .filter(|child| {
            child
                .platform
                .as_ref()
                .is_none_or(|platform| !has(platform))
        })
        .map(|child| match &child.platform {
            Some(platform) => platform.to_string(),
            None => child.digest.to_string(),
        })
        .collect();
    if gone.is_empty() {
        return Ok(());
    }
    let message = format!(
        "the tag's index names manifests that the registry does not hold ({}); merging would \
         drop them",
        gone.join(", ")
    );
    Err(Error::new(ErrorKind::Conflict, message)
        .hint("push those platforms too, or drop them with `--on-existing replace`"))
}

/// `error`, saying which tag it is about.
pub(super) fn about(error: Error, target: &Target) -> Error {
    if error.get_path().is_some() || error.kind() == ErrorKind::Cancelled {
        return error;
    }
    error.path(format!("docker://{target}"))
}
