//! The variants of an image: one manifest per platform, flattened out of whatever a root leads to.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::archive::Archive;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{ImageNode, IndexNode, Node};
use crate::oci::{Descriptor, Digest, Index, Platform, Raw, annotation};

/// Where variants come from: an archive of a source, the destination, a registry.
#[derive(Debug, Default)]
pub(crate) struct Origin {
    /// How reports and errors name it.
    pub(crate) label: String,
    /// The file or directory.
    pub(crate) path: PathBuf,
    /// Whether this is the destination as it was.
    pub(crate) is_destination: bool,
    /// What all its images run on, whatever they say.
    pub(crate) platform: Option<Platform>,
    /// Manifests that were made for it.
    made: HashSet<Digest>,
}

impl Origin {
    /// What a destination called `label` holds.
    pub(crate) fn destination(label: String) -> Self {
        Self {
            path: label.clone().into(),
            label,
            is_destination: true,
            ..Self::default()
        }
    }

    /// `archive`, whose images all run on `platform` if that is said.
    pub(crate) fn of(archive: &Archive, platform: Option<Platform>, is_destination: bool) -> Self {
        let roots = archive.roots.iter().map(|root| root.descriptor.digest);
        Self {
            label: archive.label.clone(),
            path: archive.location.path.clone(),
            is_destination,
            platform,
            // Who carries no manifests lists nothing but images.
            made: roots.filter(|digest| archive.made(digest)).collect(),
        }
    }
}

/// One manifest of an image, and what it runs on.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    /// `None`: an artifact that is no image, such as a chart.
    pub(crate) platform: Option<Platform>,
    pub(crate) image: Arc<ImageNode>,
    /// How an index points to it.
    pub(crate) descriptor: Descriptor,
    /// Where it comes from.
    pub(crate) origin: Arc<Origin>,
    /// Attestations and the like, which stay with it.
    pub(crate) attachments: Vec<Attachment>,
}

/// A manifest that describes another one, or has no platform.
#[derive(Debug, Clone)]
pub(crate) struct Attachment {
    pub(crate) image: Arc<ImageNode>,
    pub(crate) descriptor: Descriptor,
    pub(crate) origin: Arc<Origin>,
}

/// Everything that one root leads to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flattened {
    pub(crate) variants: Vec<Variant>,
    /// Attachments whose subject is not here.
    pub(crate) loose: Vec<Attachment>,
    /// Indexes on the way, each with the children that it names.
    pub(crate) indexes: Vec<Arc<Raw<Index>>>,
    /// Children that the archive does not hold.
    pub(crate) absent: Vec<Descriptor>,
}

impl Flattened {
    /// Adds what `other` found.
    pub(crate) fn extend(&mut self, other: Self) {
        self.variants.extend(other.variants);
        self.loose.extend(other.loose);
        self.indexes.extend(other.indexes);
        self.absent.extend(other.absent);
    }

    /// Takes `platforms` off, with what is attached to them.
    pub(crate) fn remove(&mut self, platforms: &[Platform]) {
        let goes = |platform: Option<&Platform>| {
            platform.is_some_and(|own| platforms.iter().any(|gone| gone.selects(own)))
        };
        self.variants.retain(|v| !goes(v.platform.as_ref()));
        self.absent.retain(|child| !goes(child.platform.as_ref()));
    }

    /// Puts attachments to the variants that they describe.
    pub(crate) fn bind(&mut self) {
        for attachment in std::mem::take(&mut self.loose) {
            let subject = attachment.descriptor.attests();
            let of = self.variants.iter_mut().find(|variant| {
                subject == Some(variant.descriptor.digest)
                    && Arc::ptr_eq(&variant.origin, &attachment.origin)
            });
            match of {
                Some(variant) => variant.attachments.push(attachment),
                None => self.loose.push(attachment),
            }
        }
    }
}

/// Flattens `node`, which `descriptor` points to, out of `origin`.
pub(crate) fn flatten(
    node: &Node,
    descriptor: &Descriptor,
    origin: &Arc<Origin>,
) -> Result<Flattened> {
    let mut flattened = Flattened::default();
    match node {
        Node::Index(index) => of_index(index, origin, &mut flattened)?,
        Node::Image(image) => {
            // What `index.json` says of a root is about the archive, not about the image.
            let mut descriptor = descriptor.clone();
            descriptor
                .annotations
                .retain(|key, _| key.starts_with("vnd.docker.reference."));
            descriptor.others.clear();
            add(image, descriptor, origin, &mut flattened)?;
        }
    }
    flattened.bind();
    Ok(flattened)
}

fn of_index(node: &IndexNode, origin: &Arc<Origin>, flattened: &mut Flattened) -> Result<()> {
    flattened.indexes.push(Arc::clone(&node.index));
    for child in &node.children {
        match &child.node {
            None => flattened.absent.push(child.descriptor.clone()),
            Some(Node::Index(index)) => of_index(index, origin, flattened)?,
            Some(Node::Image(image)) => {
                let mut descriptor = child.descriptor.clone();
                descriptor
                    .annotations
                    .retain(|key, _| key != annotation::REF_NAME && key != annotation::IMAGE_NAME);
                add(image, descriptor, origin, flattened)?;
            }
        }
    }
    Ok(())
}

fn add(
    image: &Arc<ImageNode>,
    mut descriptor: Descriptor,
    origin: &Arc<Origin>,
    flattened: &mut Flattened,
) -> Result<()> {
    let own = image.platform();
    if descriptor.is_attachment() || own.is_some_and(Platform::is_unknown) {
        flattened.loose.push(Attachment {
            image: Arc::clone(image),
            descriptor,
            origin: Arc::clone(origin),
        });
        return Ok(());
    }
    let runs = image.runs();
    let stated = origin.platform.as_ref().filter(|_| runs);
    // What an index at the destination says is what its clients go by.
    let said = descriptor
        .platform
        .as_ref()
        .filter(|said| origin.is_destination && !own.is_some_and(|own| said.selects(own)));
    let platform = (stated.or(said).or(own))
        .or(descriptor.platform.as_ref())
        .cloned();
    if platform.is_none() && runs {
        return Err(Error::new(
            ErrorKind::InvalidArchive,
            "the image configuration names no architecture",
        )
        .digest(image.manifest.view.config.digest)
        .hint("say what the archive's images run on with `--source-platform PATH=PLATFORM`"));
    }
    descriptor.platform.clone_from(&platform);
    let image = Arc::clone(image);
    flattened.variants.push(Variant {
        platform,
        image,
        descriptor,
        origin: Arc::clone(origin),
        attachments: Vec::new(),
    });
    Ok(())
}

impl Variant {
    /// Whether its manifest was made, as against its origin carrying it.
    pub(crate) fn is_made(&self) -> bool {
        self.origin.made.contains(&self.descriptor.digest)
    }

    /// What makes two variants the same image: the configuration, which lists the diff IDs. The
    /// same image may have its layers raw in one archive and compressed in another.
    pub(crate) fn identity(&self) -> Digest {
        match (&self.platform, &self.image.config) {
            (Some(_), Some(config)) => config.descriptor.digest,
            _ => self.image.manifest.descriptor.digest,
        }
    }
}
