//! `--claim-tags`: claims as small indexes beside the tag, one for each platform.
//!
//! A claim is an index of its own, and says in an annotation which tag it is about: removing it
//! removes nothing else.

mod board;
pub(super) mod names;
mod protocol;

use std::collections::BTreeMap;

use super::tag::{Merged, Outgoing, Tagger, about, contended};
use super::target::Under;
use super::types;
use crate::error::{Error, Result};
use crate::fuse::variant::Variant;
use crate::fuse::{MediaTypes, OnExisting};
use crate::oci::{Descriptor, Digest, Document, Platform, write};
use crate::registry::Repository;
use board::Registry;
use protocol::{Board, Writer};

/// The annotation of a claim: the tag that it is about.
const CLAIMS: &str = "io.github.fusion.claim";

/// How many requests a writer makes before it gives up.
const STEPS: usize = 20_000;

/// How often a writer writes what others, who have all its platforms, do not have of it.
const COMPLETIONS: usize = 50;

/// Writes the tag of `image` as all claims on it say, this run's among them.
pub(super) fn settle(tagger: &Tagger<'_>, image: &Outgoing, planned: Merged) -> Result<Merged> {
    let blame = |error: Error| about(error, &image.target);
    let Under::Tag(tag) = &image.target.under else {
        return tagger.settle(image, planned);
    };
    if tagger.options.clean_claims {
        clean(&tagger.repository(image), tag).map_err(blame)?;
    }
    // An artifact that is no image has no platform to claim.
    let claimable = |variant: &Variant| variant.platform.is_some();
    if !tagger.options.claim_tags || !image.selected.variants.iter().all(claimable) {
        return tagger.settle(image, planned);
    }
    match tagger.options.existing() {
        OnExisting::Merge => {}
        OnExisting::Replace => return replace(tagger, image, tag, planned),
        OnExisting::Skip | OnExisting::Error => return tagger.settle(image, planned),
    }
    let refused = match agree(tagger, image, tag, &planned) {
        Err(error) if types::refused(&error) => error,
        settled => return settled.map_err(blame),
    };
    let others = types::others(&refused, &planned.image);
    let advised = blame(types::advised(refused, &planned.image));
    if tagger.options.fuse.media_types != MediaTypes::Auto {
        return Err(advised);
    }
    // As if they had been asked for from the beginning: claims lead to what is in the index.
    let mut options = tagger.options.clone();
    options.fuse.media_types = others;
    let tagger = Tagger {
        options: &options,
        ..*tagger
    };
    let image = tagger.converted(image)?;
    let planned = tagger.plan(&image)?;
    match agree(&tagger, &image, tag, &planned) {
        Err(error) if types::refused(&error) => Err(advised),
        settled => settled.map_err(blame).map(|merged| Merged {
            converted: Some(others),
            ..merged
        }),
    }
}

/// Puts what `image` brings in the place of what the tag leads to, and its claims in that of all
/// others, which would bring back what is replaced.
fn replace(tagger: &Tagger<'_>, image: &Outgoing, tag: &str, planned: Merged) -> Result<Merged> {
    let mut registry = Registry::new(tagger, image, tag);
    let mut claim = || {
        clean(&registry.repository, tag)?;
        children(tagger, image, &planned)?;
        let mut own = brought(image).into_iter();
        own.try_for_each(|(platform, digest)| registry.claim(&platform, &digest))
    };
    claim().map_err(|error: Error| about(error, &image.target))?;
    tagger.settle(image, planned)
}

/// The platforms of `image`, and the manifest of each.
fn brought(image: &Outgoing) -> Vec<(Platform, Digest)> {
    (image.selected.variants.iter())
        .filter_map(|variant| Some((variant.platform.clone()?, variant.descriptor.digest)))
        .collect()
}

/// Claims what `image` brings, and writes the tag until it agrees with all claims.
fn agree(tagger: &Tagger<'_>, image: &Outgoing, tag: &str, planned: &Merged) -> Result<Merged> {
    let mut writer = Writer::new(brought(image));
    let mut registry = Registry::new(tagger, image, tag);
    children(tagger, image, planned)?;
    let mut completed = 0;
    for _ in 0..STEPS {
        tagger.sender.progress.check()?;
        if !writer.is_done() {
            writer.step(&mut registry)?;
            continue;
        }
        // Platforms agree; annotations, attestations and the like may not yet.
        let merged = registry.merged()?;
        if merged.settled.is_some() {
            return Ok(registry.outcome(merged));
        }
        completed += 1;
        if completed > COMPLETIONS {
            break;
        }
        registry.put(merged)?;
        writer.again();
    }
    Err(contended())
}

/// Puts the manifests that the claims of `image` lead to.
fn children(tagger: &Tagger<'_>, image: &Outgoing, planned: &Merged) -> Result<()> {
    let fresh = |_: &Digest| false;
    (tagger.sender).manifests(&image.spot, &planned.image, &fresh)
}

/// Removes every claim on `tag`.
pub(super) fn clean(repository: &Repository, tag: &str) -> Result<()> {
    let prefix = names::prefix(tag);
    for place in repository.tags()? {
        if place.starts_with(&prefix) {
            remove(repository, &place)?;
        }
    }
    Ok(())
}

/// Removes the claims on what is taken off the tag of `image`: they would bring it back.
pub(super) fn release(tagger: &Tagger<'_>, image: &Outgoing) -> Result<()> {
    let Under::Tag(tag) = &image.target.under else {
        return Ok(());
    };
    let removed = &tagger.options.remove;
    if removed.is_empty() {
        return Ok(());
    }
    let repository = tagger.repository(image);
    let release = || {
        let prefix = names::prefix(tag);
        for place in repository.tags()? {
            if place.starts_with(&prefix)
                && claimed(&repository, tag, &place)?
                    .is_some_and(|own| removed.iter().any(|platform| platform.selects(&own)))
            {
                remove(&repository, &place)?;
            }
        }
        Ok(())
    };
    release().map_err(|error: Error| about(error, &image.target))
}

/// The platform that the claim under `place` is on, if it is one on `tag`.
fn claimed(repository: &Repository, tag: &str, place: &str) -> Result<Option<Platform>> {
    let Some(document) = repository.manifest(place)? else {
        return Ok(None);
    };
    let parsed = Document::parse(&document.bytes, &document.descriptor.media_type);
    Ok(match parsed {
        Ok(Document::Index(index)) if index.annotations.get(CLAIMS).is_some_and(|of| of == tag) => {
            index.manifests.into_iter().find_map(|child| child.platform)
        }
        _ => None,
    })
}

/// Removes the claim that stands under `place`. Where nothing may be deleted, which is the default of
/// distribution, one that claims nothing takes its place.
fn remove(repository: &Repository, place: &str) -> Result<()> {
    let Some(there) = repository.head(place)? else {
        return Ok(());
    };
    // Registries delete manifests by digest; a claim's is its own.
    let error = match repository.delete(&there.digest.to_string()) {
        Ok(_) => return Ok(()),
        Err(error) => error,
    };
    if !matches!(error.get_status(), Some(400 | 401 | 403 | 405)) {
        return Err(error);
    }
    let says = BTreeMap::from([(CLAIMS.to_owned(), String::new())]);
    let bytes = write::index(&there.media_type, &[], &says);
    let nothing = Descriptor::of(there.media_type, &bytes);
    if nothing.digest == there.digest {
        return Ok(());
    }
    repository.put(place, &nothing, &bytes).map_err(|_| {
        error.better_hint(format!(
            "delete the tag `{}:{place}` by the registry's own means, or allow deleting there",
            repository.name()
        ))
    })
}
