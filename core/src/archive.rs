//! One opened image archive, whatever its flavour: what it names (roots) and what it holds (blobs).
//!
//! What it is, content tells, never its name.

mod detect;
mod docker;
mod oci;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::container::{Member, Members};
use crate::error::{Error, Result};
use crate::location::Location;
use crate::oci::{Descriptor, Digest, Reference};
use crate::progress::Progress;
use crate::registry::{Image, Repository};
use crate::store::{BlobReader, BlobSource, Memory, Place, absent};

pub(crate) use detect::{Found, below, detect, lists_nothing};

/// What kind of archive it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Flavour {
    /// `manifest.json`, configurations and layers: docker save, podman, skopeo, crane.
    DockerArchive,
    /// An OCI layout in a tar archive.
    OciArchive,
    /// An OCI layout directory.
    OciLayout,
    /// An image in a registry.
    Registry,
}

impl Flavour {
    /// The kind's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DockerArchive => "docker-archive",
            Self::OciArchive => "oci-archive",
            Self::OciLayout => "oci",
            Self::Registry => "registry",
        }
    }
}

/// How an archive names an image.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// A reference, as it is spelled there.
    Full(String),
    /// Only a tag: `1.5`.
    Tag(String),
    /// Not at all.
    None,
}

impl Name {
    /// The name as it is spelled.
    #[must_use]
    pub fn spelled(&self) -> Option<&str> {
        match self {
            Self::Full(name) | Self::Tag(name) => Some(name),
            Self::None => None,
        }
    }

    /// The normalised reference, if the name is one.
    fn normalised(&self) -> Option<String> {
        match self {
            Self::Full(name) => name.parse::<Reference>().ok().map(|name| name.to_string()),
            _ => None,
        }
    }
}

/// Something that an archive lists: a name and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// How the archive names it.
    pub name: Name,
    /// What it leads to: a manifest or an index.
    pub descriptor: Descriptor,
}

/// An opened archive. As a [`BlobSource`] it holds the blobs that its roots lead to.
#[derive(Debug)]
pub struct Archive {
    /// Where it is, as it was named.
    pub location: Location,
    /// What kind it is.
    pub flavour: Flavour,
    /// What reports call it: the location as it was named, and where in it the archive is nested.
    pub label: String,
    /// What it lists, in its own order.
    pub roots: Vec<Root>,
    /// Images that it lists and that cannot be read, and why.
    pub damaged: Vec<(Name, Error)>,
    /// What its `index.json` says of the whole.
    pub annotations: BTreeMap<String, String>,
    members: Arc<Members>,
    prefix: String,
    /// Which member holds which blob, where the member's name does not tell.
    blobs: HashMap<Digest, Member>,
    /// Manifests made for images that have none.
    made: Memory,
    /// What it is, if it lies in a registry; it then has no members.
    remote: Option<Image>,
}

impl Archive {
    /// The image at `location`, which is in a registry and goes by `reference` there.
    pub(crate) fn remote(location: &Location, reference: &Reference, image: Image) -> Self {
        let root = Root {
            name: Name::Full(reference.to_string()),
            descriptor: image.root().clone(),
        };
        Self {
            location: location.clone(),
            flavour: Flavour::Registry,
            label: location.spelled.clone(),
            roots: vec![root],
            damaged: Vec::new(),
            annotations: BTreeMap::new(),
            members: Arc::new(Members::nothing(location.path.clone())),
            prefix: String::new(),
            blobs: HashMap::new(),
            made: Memory::default(),
            remote: Some(image),
        }
    }

    /// The repository that it lies in, if that is in a registry.
    pub(crate) fn repository(&self) -> Option<&Repository> {
        self.remote.as_ref().map(Image::repository)
    }

    /// Where its members are listed.
    pub(crate) fn members(&self) -> &Arc<Members> {
        &self.members
    }

    /// The archive that was `found` in `members`, which is the source at `location`, or nested in
    /// it.
    pub(crate) fn of(
        location: &Location,
        members: Arc<Members>,
        found: Found,
        progress: &Progress,
    ) -> Result<Self> {
        let mut archive = Self {
            location: location.clone(),
            flavour: found.flavour,
            label: members.label(location, &found.prefix),
            roots: Vec::new(),
            damaged: Vec::new(),
            annotations: BTreeMap::new(),
            members,
            prefix: found.prefix,
            blobs: HashMap::new(),
            made: Memory::default(),
            remote: None,
        };
        archive.read_roots(progress)?;
        Ok(archive)
    }

    fn read_roots(&mut self, progress: &Progress) -> Result<()> {
        let entries = docker::listing(&self.members, &self.prefix);
        let images = if self.flavour == Flavour::DockerArchive {
            let entries = entries?.unwrap_or_default();
            docker::read(&self.members, &self.prefix, &entries, progress)?
        } else {
            (self.roots, self.annotations) = oci::listing(&self.members, &self.prefix)?;
            // Beside a layout, `manifest.json` only counts for what the layout does not list; one
            // that cannot be read may have listed more.
            let entries = match entries {
                Err(error) if docker::is_list(&self.members, &self.prefix)? => return Err(error),
                entries => entries.ok().flatten().unwrap_or_default(),
            };
            let unlisted = oci::unlisted(&self.roots, &entries);
            docker::read(&self.members, &self.prefix, unlisted, progress)?
        };
        self.roots.extend(images.roots);
        self.damaged = images.damaged;
        self.blobs = images.blobs;
        self.made = images.manifests;
        Ok(())
    }

    /// Keeps only the image that `:REF` names: as it is spelled, or normalised.
    pub(crate) fn select(&mut self, wanted: &str) {
        let normalised = Name::Full(wanted.to_owned()).normalised();
        let found = |name: &Name| {
            name.spelled() == Some(wanted)
                || (normalised.is_some() && name.normalised() == normalised)
        };
        self.damaged.retain(|(name, _)| found(name));
        self.roots.retain(|root| found(&root.name));
    }

    /// Whether it came by in a stream, so that its blobs were seen once.
    pub(crate) fn is_streamed(&self) -> bool {
        self.members.is_streamed()
    }

    /// Whether a member of this name, which lies below the archive's prefix, is a part of it.
    pub(crate) fn claims(&self, name: &str) -> bool {
        let Some(inner) = name.strip_prefix(&self.prefix) else {
            return false;
        };
        let listings = ["index.json", "oci-layout", "manifest.json", "repositories"];
        listings.contains(&inner)
            || inner.starts_with("blobs/")
            || inner == "blobs"
            || (self.flavour == Flavour::DockerArchive
                && self.blobs.values().any(|member| member.name == name))
    }

    /// Whether fusion made this manifest, as against the archive carrying it.
    #[must_use]
    pub fn made(&self, digest: &Digest) -> bool {
        self.made.contains(digest)
    }

    /// What was learnt of a blob that came by in a stream: the digest it really has, and what it
    /// inflates to.
    pub(crate) fn streamed(&self, digest: &Digest) -> Option<StreamedBlob> {
        let member = self.member(digest)?;
        let streamed = self.members.streamed(&member)?;
        Some(StreamedBlob {
            digest: streamed.digest?,
            diff_id: streamed.diff_id.clone(),
        })
    }

    /// Every blob of the archive whose name states a digest, whether a root leads to it or not.
    pub(crate) fn stated_blobs(&self) -> Vec<Digest> {
        let mut digests: Vec<Digest> = self
            .members
            .names()
            .filter_map(|name| Digest::from_blob_path(name.strip_prefix(&self.prefix)?))
            .collect();
        digests.sort_unstable();
        digests
    }

    fn member(&self, digest: &Digest) -> Option<Member> {
        if let Some(member) = self.blobs.get(digest) {
            return Some(member.clone());
        }
        self.members
            .find(&format!("{}{}", self.prefix, digest.blob_path()))
            .ok()
            .flatten()
    }
}

/// What a stream showed of a blob.
#[derive(Debug, Clone)]
pub(crate) struct StreamedBlob {
    pub(crate) digest: Digest,
    pub(crate) diff_id: Option<std::result::Result<Digest, String>>,
}

impl BlobSource for Archive {
    fn size(&self, digest: &Digest) -> Option<u64> {
        if let Some(image) = &self.remote {
            return image.size(digest);
        }
        self.made
            .size(digest)
            .or_else(|| Some(self.member(digest)?.size))
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        if let Some(image) = &self.remote {
            return image.open(digest);
        }
        if self.made.contains(digest) {
            return self.made.open(digest);
        }
        match self.member(digest) {
            Some(member) => self.members.open(&member),
            None => Err(absent(digest)),
        }
    }

    fn place(&self, digest: &Digest) -> Place {
        if let Some(image) = &self.remote {
            return image.place(digest);
        }
        match self.member(digest) {
            Some(member) => self.members.place(&member),
            None => Place {
                path: Some(self.location.path().to_owned()),
                ..Place::default()
            },
        }
    }

    fn is_made(&self, digest: &Digest) -> bool {
        self.made.contains(digest)
    }

    fn changed(&self) -> bool {
        self.members.changed()
    }
}
