//! Which variants of a reference are kept: pairing, platforms, conflicts, what the destination has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::plan::Carried;
use super::variant::{Attachment, Flattened, Variant};
use super::{FuseOptions, OnConflict};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Descriptor, Digest, Index, Platform, Raw, Reference};
use crate::report::Variant as Shown;

/// Everything that the inputs and the destination have under one reference.
#[derive(Debug, Default)]
pub(crate) struct Candidates {
    /// How the inputs spell it.
    pub(crate) names: BTreeSet<String>,
    /// Whether a `--rename` gave it a registry by name.
    pub(crate) stays: bool,
    /// What the inputs have, in the order in which they were named.
    pub(crate) incoming: Flattened,
    /// What the destination has.
    pub(crate) existing: Flattened,
    /// The root that the destination has, if it is just one.
    pub(crate) previous: Option<Descriptor>,
    /// All roots that the destination has, to be carried along if nothing comes of the rest.
    pub(crate) before: Vec<Carried>,
}

/// The variants that one reference keeps.
#[derive(Debug, Clone)]
pub(crate) struct Selected {
    pub(crate) reference: Reference,
    pub(crate) names: BTreeSet<String>,
    /// Whether a `--rename` gave it a registry by name, in which it then stays.
    pub(crate) stays: bool,
    /// By platform.
    pub(crate) variants: Vec<Variant>,
    /// Attachments without a variant that they describe.
    pub(crate) loose: Vec<Attachment>,
    /// Indexes that may turn out to be the result, unchanged.
    pub(crate) indexes: Vec<Arc<Raw<Index>>>,
    /// Children that an index named and no input has.
    pub(crate) absent: Vec<Descriptor>,
    pub(crate) previous: Option<Descriptor>,
    /// Platforms whose image at the destination the run replaced; `None` for an artifact.
    pub(crate) replaced: Vec<Option<Platform>>,
    /// Platforms that only the destination had.
    pub(crate) retained: Vec<Platform>,
    /// What the destination had, which stays if the image fails after all.
    pub(crate) before: Vec<Carried>,
}

impl Selected {
    /// An image that is nothing but its name.
    pub(crate) fn nothing(reference: &Reference) -> Self {
        Self {
            reference: reference.clone(),
            names: BTreeSet::new(),
            stays: true,
            variants: Vec::new(),
            loose: Vec::new(),
            indexes: Vec::new(),
            absent: Vec::new(),
            previous: None,
            replaced: Vec::new(),
            retained: Vec::new(),
            before: Vec::new(),
        }
    }

    #[cfg(test)]
    pub(crate) fn named(reference: &str, stays: bool) -> Self {
        let reference = reference.parse().expect("a reference");
        Self {
            stays,
            ..Self::nothing(&reference)
        }
    }
}

/// Chooses among `candidates`. `None`: the platform filter leaves nothing.
pub(crate) fn select(
    reference: &Reference,
    candidates: Candidates,
    options: &FuseOptions,
) -> Result<Option<Selected>> {
    let Candidates {
        names,
        stays,
        mut incoming,
        existing,
        previous,
        before: _,
    } = candidates;
    let wanted = |variant: &Variant| match &variant.platform {
        Some(platform) => {
            options.platforms.is_empty() || options.platforms.iter().any(|p| p.selects(platform))
        }
        None => true,
    };
    incoming.variants.retain(wanted);
    if incoming.variants.is_empty() {
        return Ok(None);
    }
    let indexes = incoming
        .indexes
        .iter()
        .chain(&existing.indexes)
        .cloned()
        .collect();
    let present: BTreeSet<Digest> = digests(&incoming).chain(digests(&existing)).collect();

    let mut by_platform: BTreeMap<Option<Platform>, Vec<Variant>> = BTreeMap::new();
    for variant in incoming.variants {
        by_platform
            .entry(variant.platform.clone())
            .or_default()
            .push(variant);
    }
    let mut had: BTreeMap<Option<Platform>, Vec<Variant>> = BTreeMap::new();
    for variant in existing.variants {
        had.entry(variant.platform.clone())
            .or_default()
            .push(variant);
    }

    let (mut replaced, mut retained) = (Vec::new(), Vec::new());
    let mut variants = Vec::new();
    for (platform, candidates) in by_platform {
        let mut same = decide(reference, platform.as_ref(), candidates, options)?;
        let identity = same.first().map(Variant::identity);
        let before = had.remove(&platform).unwrap_or_default();
        let was_there = !before.is_empty();
        same.extend(
            before
                .into_iter()
                .filter(|variant| Some(variant.identity()) == identity),
        );
        let kept = best(same);
        if let Some(kept) = &kept
            && was_there
            && !kept.origin.is_destination
            && !existing_has(&existing.indexes, previous.as_ref(), kept)
        {
            replaced.push(platform);
        }
        variants.extend(kept);
    }
    for (platform, before) in had {
        retained.extend(platform);
        variants.extend(best(before));
    }
    variants.sort_by(|a, b| a.platform.cmp(&b.platform));
    require(reference, &variants, &options.require_platforms)?;

    if !options.platforms.is_empty() {
        incoming.loose.clear();
    }
    let mut loose: Vec<Attachment> = incoming.loose.into_iter().chain(existing.loose).collect();
    // One that describes a variant which was not kept goes with it.
    loose.retain(|attachment| attachment.descriptor.attests().is_none());
    loose.sort_by_key(|attachment| attachment.descriptor.digest);
    loose.dedup_by_key(|attachment| attachment.descriptor.digest);

    let mut absent: Vec<Descriptor> = incoming
        .absent
        .into_iter()
        .chain(existing.absent)
        .filter(|child| !present.contains(&child.digest))
        .collect();
    absent.sort_by_key(|child| child.digest);
    absent.dedup_by_key(|child| child.digest);

    let reference = reference.clone();
    Ok(Some(Selected {
        reference,
        names,
        stays,
        variants,
        loose,
        indexes,
        absent,
        previous,
        replaced,
        retained,
        before: Vec::new(),
    }))
}

fn digests(flattened: &Flattened) -> impl Iterator<Item = Digest> {
    let attached = |variant: &Variant| -> Vec<Digest> {
        variant
            .attachments
            .iter()
            .map(|attachment| attachment.descriptor.digest)
            .collect()
    };
    let variants = flattened.variants.iter();
    variants
        .flat_map(move |variant| {
            std::iter::once(variant.descriptor.digest).chain(attached(variant))
        })
        .chain(
            flattened
                .loose
                .iter()
                .map(|attachment| attachment.descriptor.digest),
        )
}

/// Whether the destination has this very manifest already.
fn existing_has(indexes: &[Arc<Raw<Index>>], root: Option<&Descriptor>, variant: &Variant) -> bool {
    let digest = variant.descriptor.digest;
    root.is_some_and(|root| root.digest == digest)
        || indexes
            .iter()
            .any(|index| index.view.manifests.iter().any(|m| m.digest == digest))
}

/// The candidates of one platform that are the same image, after the policy has spoken.
fn decide(
    reference: &Reference,
    platform: Option<&Platform>,
    candidates: Vec<Variant>,
    options: &FuseOptions,
) -> Result<Vec<Variant>> {
    let identities: BTreeSet<Digest> = candidates.iter().map(Variant::identity).collect();
    if identities.len() <= 1 {
        return Ok(candidates);
    }
    let chosen = match options.on_conflict {
        OnConflict::First => candidates.first(),
        OnConflict::Last => candidates.last(),
        OnConflict::Error => None,
    };
    if let Some(identity) = chosen.map(Variant::identity) {
        return Ok(candidates
            .into_iter()
            .filter(|v| v.identity() == identity)
            .collect());
    }
    if let Some(one) = said_of_all(&candidates) {
        let message = format!(
            "`{}` has several images of {reference}, which cannot all be for {}",
            one.origin.label,
            Shown::platform_name(platform)
        );
        return Err(Error::new(ErrorKind::Conflict, message)
            .hint("name one of them by its digest, or leave the platform out"));
    }
    let mut sides: Vec<String> = candidates
        .iter()
        .map(|variant| format!("`{}` has {}", variant.origin.label, variant.identity()))
        .collect();
    sides.sort();
    sides.dedup();
    let platform = Shown::platform_name(platform);
    let message = format!(
        "the sources disagree on {reference} for {platform}: {}",
        sides.join(", ")
    );
    Err(Error::new(ErrorKind::Conflict, message)
        .hint("name one source only, or decide with `--on-conflict first` or `last`"))
}

/// One of `candidates`, if they come from one source of whose images somebody said what all run on.
fn said_of_all(candidates: &[Variant]) -> Option<&Variant> {
    let one = candidates.first()?;
    let same = |variant: &Variant| Arc::ptr_eq(&variant.origin, &one.origin);
    (one.origin.platform.is_some() && candidates.iter().all(same)).then_some(one)
}

/// The one to keep of several forms of the same image, whatever their order: a manifest that an
/// archive carries before one that was made, the smaller before the larger, then by digest.
fn best(candidates: Vec<Variant>) -> Option<Variant> {
    let key = |variant: &Variant| {
        let digest = variant.descriptor.digest;
        let said = crate::oci::write::json(&variant.descriptor);
        (
            variant.is_made(),
            variant.image.size(),
            digest,
            said,
            !variant.origin.is_destination,
            variant.origin.label.clone(),
        )
    };
    let attached: Vec<Attachment> = candidates
        .iter()
        .flat_map(|variant| variant.attachments.clone())
        .collect();
    let mut kept = candidates.into_iter().min_by_key(key)?;
    // Every form's attestations of this very manifest, each once.
    kept.attachments = attached
        .into_iter()
        .filter(|a| a.descriptor.attests() == Some(kept.descriptor.digest))
        .collect();
    kept.attachments
        .sort_by_key(|attachment| attachment.descriptor.digest);
    kept.attachments
        .dedup_by_key(|attachment| attachment.descriptor.digest);
    Some(kept)
}

/// That `variants`, if they are an image, lack none of the platforms `required`.
pub(crate) fn require(
    reference: &Reference,
    variants: &[Variant],
    required: &[Platform],
) -> Result<()> {
    let has = |wanted: &&Platform| {
        variants
            .iter()
            .filter_map(|v| v.platform.as_ref())
            .any(|p| wanted.selects(p))
    };
    let missing: Vec<String> = required
        .iter()
        .filter(|p| !has(p))
        .map(ToString::to_string)
        .collect();
    let is_image = variants.iter().any(|variant| variant.platform.is_some());
    if missing.is_empty() || !is_image {
        return Ok(());
    }
    let message = format!("{reference} lacks {}", missing.join(", "));
    Err(Error::new(ErrorKind::PlatformMissing, message)
        .hint("add the source that has it, or leave the image out with `--exclude`"))
}
