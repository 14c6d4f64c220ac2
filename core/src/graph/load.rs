//! Reading the documents below a root: indexes, manifests, configurations. Layers are only asked
//! whether they are there.

use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Config, Descriptor, Document, Index, Manifest, Platform, Raw};
use crate::store::{BlobSource, absent, read_document};

/// A root with its documents.
#[derive(Debug, Clone)]
pub enum Node {
    /// A manifest: an image, or another artifact.
    Image(Box<ImageNode>),
    /// An index.
    Index(Box<IndexNode>),
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
    pub index: Raw<Index>,
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
    if source.size(&root.digest).is_none() {
        return Err(source.place(&root.digest).blame(absent(&root.digest)));
    }
    node(source, root, 0)
}

fn node(source: &dyn BlobSource, descriptor: &Descriptor, depth: usize) -> Result<Node> {
    let blame = |error| source.place(&descriptor.digest).blame(error);
    if depth > limits::MAX_INDEX_DEPTH {
        let message = format!("indexes nest deeper than {}", limits::MAX_INDEX_DEPTH);
        return Err(blame(Error::new(ErrorKind::LimitExceeded, message)));
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
    let bytes = read_document(source, descriptor)?;
    match Document::parse(&bytes, media_type).map_err(blame)? {
        Document::Index(view) => {
            let children = view
                .manifests
                .iter()
                .map(|child| child_of(source, child, depth + 1))
                .collect::<Result<_>>()?;
            let index = Raw {
                bytes,
                descriptor: plain(descriptor),
                view,
            };
            Ok(Node::Index(Box::new(IndexNode { index, children })))
        }
        Document::Manifest(view) => {
            let manifest = Raw {
                bytes,
                descriptor: plain(descriptor),
                view: *view,
            };
            image(source, manifest).map(|image| Node::Image(Box::new(image)))
        }
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

/// A child is absent if the archive holds nothing of it: neither its manifest nor, where Docker
/// keeps all manifests of an index but only the content of its own platform, its configuration. A
/// child that is there in part is damaged.
fn child_of(source: &dyn BlobSource, descriptor: &Descriptor, depth: usize) -> Result<Child> {
    let absent = Child {
        descriptor: descriptor.clone(),
        node: None,
    };
    if source.size(&descriptor.digest).is_none() {
        return Ok(absent);
    }
    if descriptor.media_type.is_manifest() {
        let bytes = read_document(source, descriptor)?;
        let document = Document::parse(&bytes, &descriptor.media_type)
            .map_err(|error| source.place(&descriptor.digest).blame(error))?;
        let here = |blob: &&Descriptor| source.size(&blob.digest).is_some();
        let first = super::successors(&document).into_iter().next();
        if first.is_some_and(|config| !here(&config)) {
            return Ok(absent);
        }
    }
    let node = node(source, descriptor, depth)?;
    Ok(Child {
        descriptor: descriptor.clone(),
        node: Some(node),
    })
}

fn image(source: &dyn BlobSource, manifest: Raw<Manifest>) -> Result<ImageNode> {
    let blame = |error| source.place(&manifest.descriptor.digest).blame(error);
    let view = &manifest.view;
    for blob in std::iter::once(&view.config).chain(&view.layers) {
        if blob.data.is_some() || blob.is_foreign() {
            continue;
        }
        let Some(size) = source.size(&blob.digest) else {
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
