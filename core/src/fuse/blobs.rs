//! The blobs that a result is made of, in an order that the result alone decides: whether this run
//! made an image or found it at the destination makes no difference.

use std::collections::{HashMap, HashSet};

use super::assemble::Assembled;
use super::plan::{Carried, Plan};
use super::{FuseOptions, Verify};
use crate::error::Result;
use crate::graph::{ImageNode, Node};
use crate::oci::{Descriptor, Digest};
use crate::store::{BlobSource, Expected};

impl Plan {
    /// Every blob that the images of the run lead to, and with `carried` those that are carried
    /// along. Documents come first, in the order of references; then layers, as they are first
    /// used.
    pub(crate) fn blobs(
        &self,
        source: &dyn BlobSource,
        options: &FuseOptions,
        carried: bool,
    ) -> BlobSet {
        let carried = if carried { &self.carried[..] } else { &[] };
        let mut roots: Vec<Held<'_>> = (self.images.iter().map(Held::of_image))
            .chain(carried.iter().map(Held::of_carried))
            .collect();
        roots.sort_by(|a, b| (a.name.is_none(), &a.name).cmp(&(b.name.is_none(), &b.name)));
        let full = options.verify == Verify::Full;
        let mut set = BlobSet::default();
        for held in &roots {
            for document in &held.indexes {
                set.add(Expected::of(document), held.own);
            }
            for image in &held.images {
                set.add(Expected::of(&image.manifest.descriptor), held.own);
                set.add_if_there(Expected::of(&image.manifest.view.config), held.own, source);
            }
        }
        for held in &roots {
            for image in &held.images {
                for layer in layers(image, full && held.own) {
                    set.add_if_there(layer, held.own, source);
                }
            }
        }
        set
    }
}

/// What one name leads to.
struct Held<'a> {
    name: Option<String>,
    /// The root, if it is an index of this run, and every index that is carried along.
    indexes: Vec<Descriptor>,
    /// Sorted by the digests of their manifests.
    images: Vec<&'a ImageNode>,
    /// Whether it is an image of this run.
    own: bool,
}

impl<'a> Held<'a> {
    fn of_image(image: &'a Assembled) -> Self {
        let variants = image.selected.variants.iter().map(|variant| &variant.image);
        let attachments = image.attachments().map(|attachment| &attachment.image);
        Self {
            name: Some(image.selected.reference.to_string()),
            indexes: vec![image.root.clone()],
            images: variants.chain(attachments).map(|image| &**image).collect(),
            own: true,
        }
        .sorted()
    }

    fn of_carried(carried: &'a Carried) -> Self {
        let mut held = Self {
            name: carried.name.spelled().map(str::to_owned),
            indexes: Vec::new(),
            images: Vec::new(),
            own: false,
        };
        held.walk(&carried.node);
        held.sorted()
    }

    fn walk(&mut self, node: &'a Node) {
        match node {
            Node::Image(image) => self.images.push(image),
            Node::Index(index) => {
                self.indexes.push(index.index.descriptor.clone());
                for child in &index.children {
                    if let Some(node) = &child.node {
                        self.walk(node);
                    }
                }
            }
        }
    }

    fn sorted(mut self) -> Self {
        self.images
            .sort_by_key(|image| image.manifest.descriptor.digest);
        self
    }
}

/// The layers of `image`; with `full` each with the diff ID that it has to have.
pub(crate) fn layers(image: &ImageNode, full: bool) -> impl Iterator<Item = Expected> {
    let diff_ids = image.config.as_ref().map(|config| &config.view.diff_ids);
    let layers = image.manifest.view.layers.iter().enumerate();
    layers.map(move |(at, layer)| {
        let diff_id = diff_ids.and_then(|diff_ids| diff_ids.get(at)).copied();
        let compression = layer.media_type.layer_compression();
        Expected {
            diff_id: compression.zip(diff_id).filter(|_| full),
            ..Expected::of(layer)
        }
    })
}

/// Distinct blobs, in a fixed order.
#[derive(Debug, Clone, Default)]
pub(crate) struct BlobSet {
    pub(crate) blobs: Vec<Expected>,
    /// A blob of which two images say what cannot both be.
    disputed: Option<(Expected, Expected)>,
    places: HashMap<Digest, usize>,
    /// Those that the run's own images refer to.
    own: HashSet<Digest>,
    /// How often the run's own images refer to a blob, and the bytes that makes.
    pub(crate) referenced: u64,
    pub(crate) referenced_bytes: u64,
    /// Distinct blobs of the run's own images, and their bytes.
    pub(crate) unique: u64,
    pub(crate) unique_bytes: u64,
}

impl BlobSet {
    /// What is in any of `sets`.
    pub(crate) fn union(sets: impl Iterator<Item = Self>) -> Self {
        let mut union = Self::default();
        for set in sets {
            for blob in &set.blobs {
                union.add(*blob, false);
            }
            union.disputed = union.disputed.or(set.disputed);
            for digest in &set.own {
                let size = set.places.get(digest).map(|at| set.blobs[*at].size);
                if union.own.insert(*digest) {
                    union.unique += 1;
                    union.unique_bytes += size.unwrap_or(0);
                }
            }
            union.referenced += set.referenced;
            union.referenced_bytes += set.referenced_bytes;
        }
        union
    }

    /// Fails if two images say of one blob what cannot both be.
    pub(crate) fn agreed(self, source: &dyn BlobSource) -> Result<Self> {
        if let Some((mut one, other)) = self.disputed {
            let place = source.place(&one.digest);
            one.also(&other).map_err(|error| place.blame(error))?;
        }
        Ok(self)
    }

    /// The number of a blob.
    pub(crate) fn number(&self, digest: &Digest) -> Option<usize> {
        self.places.get(digest).copied()
    }

    pub(crate) fn add(&mut self, expected: Expected, own: bool) {
        match self.places.get(&expected.digest) {
            Some(place) => {
                let known = &mut self.blobs[*place];
                if known.also(&expected).is_err() {
                    self.disputed.get_or_insert((*known, expected));
                }
            }
            None => {
                self.places.insert(expected.digest, self.blobs.len());
                self.blobs.push(expected);
            }
        }
        if own {
            self.referenced += 1;
            self.referenced_bytes += expected.size;
            if self.own.insert(expected.digest) {
                self.unique += 1;
                self.unique_bytes += expected.size;
            }
        }
    }

    /// Foreign layers, and content that its descriptor carries, may be absent.
    fn add_if_there(&mut self, expected: Expected, own: bool, source: &dyn BlobSource) {
        if source.size(&expected.digest).is_some() {
            self.add(expected, own);
        }
    }

    pub(crate) fn contains(&self, digest: &Digest) -> bool {
        self.places.contains_key(digest)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.blobs.iter().map(|blob| blob.size).sum()
    }
}
