//! From the variants of a reference to what it leads to: an index, new only if it has to be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::select::Selected;
use super::variant::{Attachment, Variant};
use super::{FuseOptions, MediaTypes};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Descriptor, Digest, Index, MediaType, Raw, write};
use crate::store::Memory;

/// A reference with its root.
#[derive(Debug)]
pub(crate) struct Assembled {
    pub(crate) selected: Selected,
    /// What the reference leads to.
    pub(crate) root: Descriptor,
}

impl Assembled {
    /// Every attachment of the image.
    pub(crate) fn attachments(&self) -> impl Iterator<Item = &Attachment> {
        let bound = self
            .selected
            .variants
            .iter()
            .flat_map(|variant| &variant.attachments);
        bound.chain(&self.selected.loose)
    }

    /// Every blob that the image leads to, its index aside.
    pub(crate) fn blobs(&self) -> BTreeSet<Digest> {
        let variants = self.selected.variants.iter().map(|variant| &variant.image);
        let mut blobs = BTreeSet::new();
        for image in variants.chain(self.attachments().map(|attachment| &attachment.image)) {
            let manifest = &image.manifest;
            blobs.insert(manifest.descriptor.digest);
            blobs.insert(manifest.view.config.digest);
            blobs.extend(manifest.view.layers.iter().map(|layer| layer.digest));
        }
        blobs
    }
}

/// What a root is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// An archive or a layout, where every reference leads to an index: an architecture that
    /// comes later can then join without a change of names.
    Loadable,
    /// A registry, where a single platform is the manifest itself.
    Registry,
    /// A registry, and an index is asked for.
    Index,
}

/// Finds or makes the root of `selected`. New documents go to `made`.
pub(crate) fn assemble(
    selected: Selected,
    form: Form,
    options: &FuseOptions,
    made: &mut Memory,
) -> Result<Assembled> {
    let root = root(&selected, form, options, made)?;
    if let Some(pinned) = selected.reference.digest()
        && root.digest != *pinned
    {
        let message = format!(
            "{} pins a digest, and the result would be {}",
            selected.reference, root.digest
        );
        return Err(Error::new(ErrorKind::Conflict, message)
            .hint("give it a tag with `--rename`, or leave it out with `--exclude`"));
    }
    Ok(Assembled { selected, root })
}

fn root(
    selected: &Selected,
    form: Form,
    options: &FuseOptions,
    made: &mut Memory,
) -> Result<Descriptor> {
    let mut children: Vec<Descriptor> = Vec::new();
    for variant in &selected.variants {
        children.push(variant.descriptor.clone());
        children.extend(variant.attachments.iter().map(|a| a.descriptor.clone()));
    }
    children.extend(
        selected
            .loose
            .iter()
            .map(|attachment| attachment.descriptor.clone()),
    );
    let mut seen = BTreeSet::new();
    // One image may stand for several platforms.
    children.retain(|child| seen.insert((child.digest, child.platform.clone())));

    let plain =
        |only: &Descriptor| Descriptor::new(only.media_type.clone(), only.digest, only.size);
    // A pinned manifest, or an artifact that is no image, stays what it is.
    if let [only] = children.as_slice()
        && (only.platform.is_none() || selected.reference.digest() == Some(&only.digest))
    {
        return Ok(plain(only));
    }
    if let Some(index) = unchanged(selected, &children, options) {
        made.insert(index.bytes.clone());
        return Ok(index.descriptor.clone());
    }
    // Only an index can say that it runs on something else than its configuration does.
    let says_itself = |variant: &Variant| variant.platform.as_ref() == variant.image.platform();
    if let (Form::Registry, [only]) = (form, children.as_slice())
        && options.annotations.is_empty()
        && selected.variants.iter().all(says_itself)
        && !(selected.previous.as_ref()).is_some_and(|root| root.media_type.is_index())
    {
        return Ok(plain(only));
    }
    let docker = match options.media_types {
        MediaTypes::Docker => true,
        MediaTypes::Oci => false,
        // skopeo and umoci do not look into a Docker manifest list in a layout or archive; an OCI
        // index over Docker manifests everybody reads.
        MediaTypes::Keep | MediaTypes::Auto => {
            form != Form::Loadable && children.iter().all(|child| child.media_type.is_docker())
        }
    };
    let media_type = if docker {
        MediaType::DOCKER_LIST
    } else {
        MediaType::OCI_INDEX
    };
    let bytes = write::index(&media_type, &children, &annotations(selected, options));
    let descriptor = Descriptor::of(media_type, &bytes);
    made.insert(bytes);
    Ok(descriptor)
}

/// What a new index says of itself: what the one said in whose place it comes, and what is asked for.
fn annotations(selected: &Selected, options: &FuseOptions) -> BTreeMap<String, String> {
    let previous = selected.previous.as_ref().and_then(|root| {
        let mut indexes = selected.indexes.iter();
        indexes.find(|index| index.descriptor.digest == root.digest)
    });
    let mut all = previous.map_or_else(BTreeMap::new, |index| index.view.annotations.clone());
    all.extend(options.annotations.clone());
    all
}

/// An index that an input has and that names exactly these children: it passes through byte for
/// byte. That is also how partial archives that complete each other give their original index.
fn unchanged<'a>(
    selected: &'a Selected,
    children: &[Descriptor],
    options: &FuseOptions,
) -> Option<&'a Raw<Index>> {
    let pinned = selected.reference.digest();
    let digests: BTreeSet<Digest> = children.iter().map(|child| child.digest).collect();
    let agrees = |said: &Descriptor| {
        let mut same = children.iter().filter(|child| child.digest == said.digest);
        same.any(|child| match (&child.platform, &said.platform) {
            (Some(own), Some(said)) => own.selects(said) || said.selects(own),
            _ => true,
        })
    };
    // Where one index is asked for, what it is to say counts too.
    let says = |index: &Raw<Index>| {
        let mut asked = options.annotations.iter();
        options.only.is_none()
            || asked.all(|(key, value)| index.view.annotations.get(key) == Some(value))
    };
    let fits = |index: &&Arc<Raw<Index>>| {
        let media_type = &index.descriptor.media_type;
        let named: BTreeSet<Digest> = index
            .view
            .manifests
            .iter()
            .map(|child| child.digest)
            .collect();
        let type_fits = match options.media_types {
            MediaTypes::Keep | MediaTypes::Auto => true,
            MediaTypes::Oci => *media_type == MediaType::OCI_INDEX,
            MediaTypes::Docker => *media_type == MediaType::DOCKER_LIST,
        };
        // A pinned index stays even if some of its children are absent.
        let same = named == digests && index.view.manifests.iter().all(agrees);
        type_fits && same && says(index) && index.view.manifests.len() >= children.len()
            || pinned == Some(&index.descriptor.digest)
    };
    let previous = selected.previous.as_ref().map(|root| root.digest);
    let fitting = selected.indexes.iter().filter(fits);
    let best = fitting.min_by_key(|index| {
        (
            Some(index.descriptor.digest) != previous,
            index.descriptor.digest,
        )
    });
    best.map(|index| &**index)
}
