//! A tag and the claims on it, in a registry, as the protocol sees them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::protocol::Board;
use super::{CLAIMS, brought, names};
use crate::deliver::tag::{Held, Merged, Outgoing, Tagger, held, own};
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::MediaTypes;
use crate::fuse::variant::{Flattened, Variant};
use crate::oci::{Descriptor, Digest, MediaType, Platform, write};
use crate::registry::{Image, Repository, Shelf};

/// A tag of a registry, and the claims on it.
pub(super) struct Registry<'a> {
    tagger: &'a Tagger<'a>,
    image: &'a Outgoing,
    tag: &'a str,
    pub(super) repository: Repository,
    /// Everything that was seen, by platform and manifest.
    known: HashMap<(Platform, Digest), Flattened>,
    /// Where claims were read already.
    places: HashSet<String>,
    /// What they say, by the digest of the claim.
    read: HashMap<Digest, Option<(Platform, Digest)>>,
    /// What is claimed, as it was last listed.
    claimed: BTreeMap<Platform, Digest>,
    /// Every document that was fetched. What claims or the tag lead to is not forgotten meanwhile.
    shelf: Shelf,
    /// What the tag led to when it was last read.
    held: Option<Held>,
    wrote: Option<Merged>,
}

impl<'a> Registry<'a> {
    pub(super) fn new(tagger: &'a Tagger<'a>, image: &'a Outgoing, tag: &'a str) -> Self {
        let mut registry = Self {
            tagger,
            image,
            tag,
            repository: tagger.repository(image),
            known: HashMap::new(),
            places: HashSet::new(),
            read: HashMap::new(),
            claimed: BTreeMap::new(),
            shelf: Shelf::default(),
            held: None,
            wrote: None,
        };
        registry.learn(&own(&image.selected));
        registry
    }

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
        match Image::open_with(self.repository.clone(), place, &self.shelf)? {
            Some(there) => held(&there, &self.image.target).map(Some),
            None => Ok(None),
        }
    }

    /// What the run tells of the tag, which leads to `merged`: that is what it wrote, or what others
    /// made of it since.
    pub(super) fn outcome(self, mut merged: Merged) -> Merged {
        let Some(wrote) = self.wrote else {
            return merged;
        };
        if wrote.image.root.digest == merged.image.root.digest {
            return wrote;
        }
        merged.settled = None;
        merged.overruled = wrote.overruled;
        let (now, then) = (&mut merged.image.selected, wrote.image.selected);
        now.previous = then.previous;
        now.replaced = then.replaced;
        merged
    }

    /// Whether the run takes `platform` off, and nobody claims it.
    fn removes(&self, platform: &Platform) -> bool {
        let mut removed = self.tagger.options.remove.iter();
        removed.any(|gone| gone.selects(platform)) && !self.claimed.contains_key(platform)
    }

    /// What the tag, as it was last read, comes to with what is claimed and what the run brings.
    pub(super) fn merged(&mut self) -> Result<Merged> {
        let mut held = self.held.take();
        let mut incoming = own(&self.image.selected);
        // What is wanted is wanted as it is, not in another form of the same image. What nobody
        // claimed is wanted as the tag has it.
        let wanted = |variant: &Variant| {
            let claim = variant.platform.as_ref().and_then(|p| self.claimed.get(p));
            claim.is_none_or(|claim| *claim == variant.descriptor.digest)
        };
        let ours = brought(self.image);
        incoming.variants.retain(wanted);
        let (mut replaced, mut overruled) = (Vec::new(), Vec::new());
        if let Some(held) = &mut held {
            for there in held.flattened.variants.iter().filter(|v| !wanted(v)) {
                replaced.push(there.platform.clone());
                let claim = there.platform.clone().and_then(|platform| {
                    let claim = *self.claimed.get(&platform)?;
                    Some((platform, claim))
                });
                overruled.extend(
                    claim
                        .filter(|claim| !ours.contains(claim))
                        .map(|(platform, claim)| (platform, there.descriptor.digest, claim)),
                );
            }
            held.flattened.variants.retain(wanted);
        }
        for (platform, digest) in &self.claimed {
            let is_this = |variant: &Variant| {
                variant.platform.as_ref() == Some(platform) && variant.descriptor.digest == *digest
            };
            let removed = self.tagger.options.remove.iter();
            let stays = held.as_ref().is_some_and(|held| {
                held.flattened.variants.iter().any(is_this)
                    && !removed.clone().any(|gone| gone.selects(platform))
            });
            if !stays
                && !incoming.variants.iter().any(is_this)
                && let Some(piece) = self.known.get(&(platform.clone(), *digest))
            {
                incoming.extend(piece.clone());
            }
        }
        let types = self.tagger.options.fuse.media_types;
        let mut merged = self.tagger.combine(self.image, incoming, held, types)?;
        merged.image.selected.replaced.extend(replaced);
        merged.overruled = overruled;
        Ok(merged)
    }

    /// Has the tag lead to `merged`.
    pub(super) fn put(&mut self, mut merged: Merged) -> Result<()> {
        if !self.tagger.put(self.image, &merged)? {
            // Somebody wrote it meanwhile: what they did is read next.
            return Ok(());
        }
        merged.settled = None;
        if let Some(earlier) = self.wrote.take() {
            // What a run tells is about all that it wrote.
            let selected = &mut merged.image.selected;
            selected.previous = earlier.image.selected.previous;
            for platform in earlier.image.selected.replaced {
                if !selected.replaced.contains(&platform) {
                    selected.replaced.push(platform);
                }
            }
            merged.overruled.extend(earlier.overruled);
            merged.overruled.dedup();
        }
        self.wrote = Some(merged);
        Ok(())
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
        let says = Some((platform.clone(), *digest));
        self.read.insert(descriptor.digest, says);
        self.places.insert(place.clone());
        if self.repository.head(&place)?.map(|there| there.digest) == Some(descriptor.digest) {
            return Ok(());
        }
        self.repository.put(&place, &descriptor, &bytes)
    }

    fn claims(&mut self) -> Result<Vec<String>> {
        self.claimed.clear();
        let prefix = names::prefix(self.tag);
        let mut places = self.repository.tags()?;
        places.retain(|place| place.starts_with(&prefix));
        Ok(places)
    }

    fn read_claim(&mut self, place: &str) -> Result<Option<(Platform, Digest)>> {
        // Where a claim was read before, it is likely to be the same: its digest is enough to ask.
        if self.places.contains(place) {
            let Some(there) = self.repository.head(place)? else {
                return Ok(None);
            };
            if let Some(read) = self.read.get(&there.digest) {
                self.claimed.extend(read.clone());
                return Ok(read.clone());
            }
        }
        let Some(claim) = self.look(place)? else {
            return Ok(None);
        };
        let read = (claim.flattened.variants.first()).and_then(|variant| {
            let platform = variant.platform.clone()?;
            Some((platform, variant.descriptor.digest))
        });
        self.learn(&claim.flattened);
        self.places.insert(place.to_owned());
        self.read.insert(claim.root.digest, read.clone());
        self.claimed.extend(read.clone());
        Ok(read)
    }

    fn read(&mut self) -> Result<BTreeMap<Platform, Digest>> {
        self.held = self.look(self.tag)?;
        let there = (self.held.iter())
            .flat_map(|held| &held.flattened.variants)
            .filter_map(|variant| {
                let platform = variant.platform.clone()?;
                Some((platform, variant.descriptor.digest))
            })
            .filter(|(platform, _)| !self.removes(platform));
        Ok(there.collect())
    }

    fn write(&mut self, _: &BTreeMap<Platform, Digest>) -> Result<()> {
        let merged = self.merged()?;
        self.put(merged)
    }
}
