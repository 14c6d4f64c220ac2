//! `--claim-tags`: claims as small indexes beside the tag, one for each platform.
//!
//! A claim is an index of its own, and says in an annotation which tag it is about: removing it
//! removes nothing else.

pub(super) mod names;
mod protocol;

use std::collections::{BTreeMap, HashMap};

use super::tag::{Held, Merged, Outgoing, Tagger, about, contended, held, own};
use super::target::Under;
use super::types;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::variant::{Flattened, Variant};
use crate::fuse::{MediaTypes, OnExisting};
use crate::oci::{Descriptor, Digest, MediaType, Platform, write};
use crate::registry::{Image, Repository};
use protocol::{Board, Writer};

/// The annotation of a claim: the tag that it is about.
const CLAIMS: &str = "io.github.fusion.claim";

/// How many requests a writer makes before it gives up.
const STEPS: usize = 20_000;

/// Writes the tag of `image` as all claims on it say, this run's among them.
pub(super) fn settle(tagger: &Tagger<'_>, image: &Outgoing, planned: Merged) -> Result<Merged> {
    let blame = |error: Error| about(error, &image.target);
    let Under::Tag(tag) = &image.target.under else {
        return tagger.settle(image, planned);
    };
    if tagger.options.clean_claims {
        clean(&tagger.repository(image), tag).map_err(blame)?;
    }
    let merges = tagger.options.existing() == OnExisting::Merge;
    if !tagger.options.claim_tags || !merges {
        return tagger.settle(image, planned);
    }
    // An artifact that is no image has no platform to claim.
    if own(&image.selected)
        .variants
        .iter()
        .any(|variant| variant.platform.is_none())
    {
        return tagger.settle(image, planned);
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
        settled => settled.map_err(blame),
    }
}

/// Claims what `image` brings, and writes the tag until it agrees with all claims.
fn agree(tagger: &Tagger<'_>, image: &Outgoing, tag: &str, planned: &Merged) -> Result<Merged> {
    let own = own(&image.selected);
    let brings = (own.variants.iter())
        .filter_map(|variant| Some((variant.platform.clone()?, variant.descriptor.digest)));
    let mut writer = Writer::new(brings.collect());
    let mut registry = Registry {
        tagger,
        image,
        tag,
        repository: tagger.repository(image),
        known: HashMap::new(),
        read: HashMap::new(),
        held: None,
        wrote: None,
    };
    registry.learn(&own);
    // A claim leads to its platform's manifest, which has to be there.
    let fresh = |_: &Digest| false;
    let sender = tagger.sender;
    sender.manifests(&image.spot, &planned.image, &fresh)?;
    for _ in 0..STEPS {
        if writer.is_done() {
            return registry.outcome(planned);
        }
        sender.progress.check()?;
        writer.step(&mut registry)?;
    }
    Err(contended())
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
    let repository = tagger.repository(image);
    for platform in &tagger.options.remove {
        remove(&repository, &names::place(tag, platform))
            .map_err(|error| about(error, &image.target))?;
    }
    Ok(())
}

fn remove(repository: &Repository, place: &str) -> Result<()> {
    // Registries delete manifests by digest; a claim's is its own.
    if let Some(there) = repository.head(place)? {
        repository.delete(&there.digest.to_string())?;
    }
    Ok(())
}

/// A tag of a registry, and the claims on it.
struct Registry<'a> {
    tagger: &'a Tagger<'a>,
    image: &'a Outgoing,
    tag: &'a str,
    repository: Repository,
    /// Everything that was seen, by platform and manifest.
    known: HashMap<(Platform, Digest), Flattened>,
    /// What the claims say that were read already, by the digest of the claim.
    read: HashMap<Digest, Option<(Platform, Digest)>>,
    /// What the tag led to when it was last read.
    held: Option<Held>,
    wrote: Option<Merged>,
}

impl Registry<'_> {
    fn learn(&mut self, flattened: &Flattened) {
        for variant in &flattened.variants {
            let Some(platform) = &variant.platform else {
                continue;
            };
            let key = (platform.clone(), variant.descriptor.digest);
            let piece = Flattened {
                variants: vec![variant.clone()],
                ..Flattened::default()
            };
            self.known.entry(key).or_insert(piece);
        }
    }

    /// What stands under `place`.
    fn look(&self, place: &str) -> Result<Option<Held>> {
        match Image::open(self.repository.clone(), place)? {
            Some(there) => held(&there, &self.image.target).map(Some),
            None => Ok(None),
        }
    }

    /// What the run tells of the tag.
    fn outcome(self, planned: &Merged) -> Result<Merged> {
        let previous = planned.image.selected.previous.clone();
        match self.wrote {
            Some(mut merged) => {
                merged.image.selected.previous = previous;
                merged.settled = None;
                Ok(merged)
            }
            None => {
                let own = own(&self.image.selected);
                let types = self.tagger.options.fuse.media_types;
                self.tagger.combine(self.image, own, self.held, types)
            }
        }
    }

    fn variant(&self, platform: &Platform, digest: &Digest) -> Option<&Variant> {
        let piece = self.known.get(&(platform.clone(), *digest))?;
        piece.variants.first()
    }
}

impl Board for Registry<'_> {
    type Key = Platform;
    type Value = Digest;

    fn claim(&mut self, platform: &Platform, digest: &Digest) -> Result<()> {
        let missing = || Error::new(ErrorKind::Internal, "a claim on nothing");
        let variant = self.variant(platform, digest).ok_or_else(missing)?;
        let attached = variant.attachments.iter().map(|a| a.descriptor.clone());
        let children: Vec<Descriptor> = std::iter::once(variant.descriptor.clone())
            .chain(attached)
            .collect();
        let docker = match self.tagger.options.fuse.media_types {
            MediaTypes::Docker => true,
            MediaTypes::Oci => false,
            MediaTypes::Keep | MediaTypes::Auto => {
                children.iter().all(|child| child.media_type.is_docker())
            }
        };
        let media_type = match docker {
            true => MediaType::DOCKER_LIST,
            false => MediaType::OCI_INDEX,
        };
        let says = BTreeMap::from([(CLAIMS.to_owned(), self.tag.to_owned())]);
        let bytes = write::index(&media_type, &children, &says);
        let descriptor = Descriptor::of(media_type, &bytes);
        let place = names::place(self.tag, platform);
        if self.repository.head(&place)?.map(|there| there.digest) == Some(descriptor.digest) {
            return Ok(());
        }
        self.repository.put(&place, &descriptor, &bytes)
    }

    fn claims(&mut self) -> Result<Vec<String>> {
        let prefix = names::prefix(self.tag);
        let mut places = self.repository.tags()?;
        places.retain(|place| place.starts_with(&prefix));
        Ok(places)
    }

    fn read_claim(&mut self, place: &str) -> Result<Option<(Platform, Digest)>> {
        let Some(there) = self.repository.head(place)? else {
            return Ok(None);
        };
        if let Some(read) = self.read.get(&there.digest) {
            return Ok(read.clone());
        }
        let Some(claim) = self.look(place)? else {
            return Ok(None);
        };
        let read = (claim.flattened.variants.first()).and_then(|variant| {
            let platform = variant.platform.clone()?;
            Some((platform, variant.descriptor.digest))
        });
        self.learn(&claim.flattened);
        self.read.insert(claim.root.digest, read.clone());
        Ok(read)
    }

    fn read(&mut self) -> Result<BTreeMap<Platform, Digest>> {
        self.held = self.look(self.tag)?;
        let mut there = BTreeMap::new();
        if let Some(held) = &self.held {
            let variants = held.flattened.variants.iter();
            there.extend(variants.filter_map(|variant| {
                let platform = variant.platform.clone()?;
                Some((platform, variant.descriptor.digest))
            }));
        }
        Ok(there)
    }

    fn write(&mut self, all: &BTreeMap<Platform, Digest>) -> Result<()> {
        let mut incoming = Flattened::default();
        for (platform, digest) in all {
            if let Some(piece) = self.known.get(&(platform.clone(), *digest)) {
                incoming.extend(piece.clone());
            }
        }
        let mut held = self.held.take();
        let mut replaced = Vec::new();
        if let Some(held) = &mut held {
            // What is wanted is wanted as it is, not in another form of the same image. What nobody
            // claimed is wanted as the tag has it.
            held.flattened.variants.retain(|there| {
                let wanted = there
                    .platform
                    .as_ref()
                    .and_then(|platform| all.get(platform));
                let stays = wanted.is_none_or(|wanted| *wanted == there.descriptor.digest);
                if !stays {
                    replaced.push(there.platform.clone());
                }
                stays
            });
        }
        let types = self.tagger.options.fuse.media_types;
        let mut merged = self.tagger.combine(self.image, incoming, held, types)?;
        merged.image.selected.replaced = replaced;
        self.tagger.put(self.image, &merged)?;
        self.wrote = Some(merged);
        Ok(())
    }
}
