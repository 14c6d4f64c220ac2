//! Reading the documents below a root: indexes, manifests, configurations. Layers are only asked
//! whether they are there.

use std::collections::HashMap;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Config, Descriptor, Digest, Document, Index, Manifest, MediaType, Platform, Raw};
use crate::store::{BlobSource, absent, read_document};

/// A root with its documents. Whoever else leads to them shares them.
#[derive(Debug, Clone)]
pub enum Node {
    /// A manifest: an image, or another artifact.
    Image(Arc<ImageNode>),
    /// An index.
    Index(Arc<IndexNode>),
}

/// A manifest and its configuration.
#[derive(Debug, Clone)]
pub struct ImageNode {
    /// The manifest.
    pub manifest: Raw<Manifest>,
    /// The configuration, if this is an image.
    pub config: Option<Raw<Config>>,
}

/// An index and its children.
#[derive(Debug, Clone)]
pub struct IndexNode {
    /// The index.
    pub index: Arc<Raw<Index>>,
    /// Its children, in order.
    pub children: Vec<Child>,
}

/// A child of an index.
#[derive(Debug, Clone)]
pub struct Child {
    /// What the index says of it.
    pub descriptor: Descriptor,
    /// Its documents; `None` if the archive does not hold it.
    pub node: Option<Node>,
}

impl ImageNode {
    /// What the image runs on, as its configuration says.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.config.as_ref()?.view.platform.as_ref()
    }

    /// Whether it is an image that runs on something. Signatures are not: they borrow the media
    /// type of image configurations, and have no layers of an image.
    #[must_use]
    pub fn runs(&self) -> bool {
        let layers = &self.manifest.view.layers;
        self.config.is_some()
            && layers
                .iter()
                .any(|layer| layer.media_type.layer_compression().is_some())
    }

    /// Manifest, configuration and layers together, in bytes. Foreign layers do not count.
    #[must_use]
    pub fn size(&self) -> u64 {
        let manifest = &self.manifest;
        let local = manifest
            .view
            .layers
            .iter()
            .filter(|layer| !layer.is_foreign());
        manifest.descriptor.size
            + manifest.view.config.size
            + local.map(|layer| layer.size).sum::<u64>()
    }
}

/// Reads the documents below `root`.
pub fn load(source: &dyn BlobSource, root: &Descriptor) -> Result<Node> {
    Loader::new(source).load(root)
}

/// Reads the documents below one root after another, each document once.
pub struct Loader<'a> {
    source: &'a dyn BlobSource,
    known: HashMap<Key, Loaded>,
}

/// Documents that are the same: the digest, and what else a descriptor says that has to hold.
type Key = (Digest, u64, MediaType);

/// A node, and what reaching it again costs.
#[derive(Clone)]
struct Loaded {
    node: Node,
    /// How many indexes stand above one another in it.
    height: usize,
    /// How many documents whoever follows every way through it comes to.
    reached: usize,
}

impl std::fmt::Debug for Loader<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.known.keys().map(|(digest, ..)| digest);
        f.debug_set().entries(known).finish()
    }
}

impl<'a> Loader<'a> {
    /// One that has read nothing yet of `source`.
    #[must_use]
    pub fn new(source: &'a dyn BlobSource) -> Self {
        Self {
            source,
            known: HashMap::new(),
        }
    }

    /// Reads the documents below `root`.
    pub fn load(&mut self, root: &Descriptor) -> Result<Node> {
        let source = self.source;
        if source.size(&root.digest).is_none() {
            return Err(source.place(&root.digest).blame(absent(&root.digest)));
        }
        self.node(root, 0).map(|loaded| loaded.node)
    }

    fn node(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Loaded> {
        let source = self.source;
        let blame = |error| source.place(&descriptor.digest).blame(error);
        let limited = |message| {
            let error = Error::new(ErrorKind::LimitExceeded, message);
            blame(error.hint("no image needs that: leave it out with `--exclude`"))
        };
        let too_deep = || {
            limited(format!(
                "indexes nest deeper than {}",
                limits::MAX_INDEX_DEPTH
            ))
        };
        if depth > limits::MAX_INDEX_DEPTH {
            return Err(too_deep());
        }
        let media_type = &descriptor.media_type;
        if !media_type.is_index() && !media_type.is_manifest() && !media_type.is_schema1() {
            let message = format!("`{media_type}` is neither a manifest nor an index");
            return Err(blame(
                Error::new(ErrorKind::Unsupported, message)
                    .digest(descriptor.digest)
                    .hint("leave the image out with `--exclude`"),
            ));
        }
        let key = (descriptor.digest, descriptor.size, media_type.clone());
        if let Some(known) = self.known.get(&key) {
            if depth + known.height > limits::MAX_INDEX_DEPTH {
                return Err(too_deep());
            }
            return Ok(known.clone());
        }
        let bytes = read_document(source, descriptor)?;
        let loaded = match Document::parse(&bytes, media_type).map_err(blame)? {
            Document::Index(view) => {
                let mut children = Vec::with_capacity(view.manifests.len());
                let (mut height, mut reached) = (0, 1_usize);
                for child in &view.manifests {
                    let node = self.child(child, depth + 1)?.map(|below| {
                        height = height.max(below.height + 1);
                        reached = reached.saturating_add(below.reached);
                        below.node
                    });
                    if reached > limits::MAX_INDEX_DOCUMENTS {
                        let most = limits::MAX_INDEX_DOCUMENTS;
                        return Err(limited(format!(
                            "an index leads to more than {most} documents"
                        )));
                    }
                    let descriptor = child.clone();
                    children.push(Child { descriptor, node });
                }
                let index = Arc::new(Raw {
                    bytes,
                    descriptor: plain(descriptor),
                    view,
                });
                Loaded {
                    node: Node::Index(Arc::new(IndexNode { index, children })),
                    height,
                    reached,
                }
            }
            Document::Manifest(view) => {
                let manifest = Raw {
                    bytes,
                    descriptor: plain(descriptor),
                    view: *view,
                };
                Loaded {
                    node: Node::Image(Arc::new(image(source, manifest)?)),
                    height: 0,
                    reached: 1,
                }
            }
        };
        self.known.insert(key, loaded.clone());
        Ok(loaded)
    }

    /// A child is absent if the archive holds nothing of it: neither its manifest nor, where Docker
    /// keeps all manifests of an index but only the content of its own platform, its configuration.
    /// A child that is there in part is damaged.
    fn child(&mut self, descriptor: &Descriptor, depth: usize) -> Result<Option<Loaded>> {
        let source = self.source;
        if source.size(&descriptor.digest).is_none() {
            return Ok(None);
        }
        let key = (
            descriptor.digest,
            descriptor.size,
            descriptor.media_type.clone(),
        );
        if descriptor.media_type.is_manifest() && !self.known.contains_key(&key) {
            let bytes = read_document(source, descriptor)?;
            let document = Document::parse(&bytes, &descriptor.media_type)
                .map_err(|error| source.place(&descriptor.digest).blame(error))?;
            let here = |blob: &&Descriptor| source.size(&blob.digest).is_some();
            let first = super::successors(&document).into_iter().next();
            if first.is_some_and(|config| !here(&config)) {
                return Ok(None);
            }
        }
        self.node(descriptor, depth).map(Some)
    }
}

/// The manifest or index without what whoever points to it says of it.
fn plain(descriptor: &Descriptor) -> Descriptor {
    Descriptor::new(
        descriptor.media_type.clone(),
        descriptor.digest,
        descriptor.size,
    )
}

fn image(source: &dyn BlobSource, manifest: Raw<Manifest>) -> Result<ImageNode> {
    let blame = |error| source.place(&manifest.descriptor.digest).blame(error);
    let view = &manifest.view;
    for blob in std::iter::once(&view.config).chain(&view.layers) {
        let Some(size) = source.size(&blob.digest) else {
            if blob.data.is_some() || blob.is_foreign() {
                continue;
            }
            return Err(blame(absent(&blob.digest)));
        };
        if size != blob.size {
            let message = format!(
                "blob {} has {size} bytes, its descriptor says {}",
                blob.digest, blob.size
            );
            return Err(source.place(&blob.digest).blame(
                Error::new(ErrorKind::InvalidArchive, message)
                    .digest(blob.digest)
                    .hint("the archive is damaged: copy or save it again"),
            ));
        }
    }
    if !view.is_image() {
        return Ok(ImageNode {
            manifest,
            config: None,
        });
    }
    let bytes = read_document(source, &view.config)?;
    let parsed =
        Config::parse(&bytes).map_err(|error| source.place(&view.config.digest).blame(error))?;
    let layers = view
        .layers
        .iter()
        .filter(|layer| layer.media_type.layer_compression().is_some());
    let (layers, diff_ids) = (layers.count(), parsed.diff_ids.len());
    if layers != diff_ids && layers == view.layers.len() {
        let message = format!("the image has {layers} layers, its configuration lists {diff_ids}");
        return Err(blame(Error::new(ErrorKind::InvalidArchive, message)));
    }
    let config = Raw {
        bytes,
        descriptor: view.config.clone(),
        view: parsed,
    };
    Ok(ImageNode {
        manifest,
        config: Some(config),
    })
}
