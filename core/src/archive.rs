//! One opened image archive, whatever its flavour: what it names (roots) and what it holds (blobs).
//!
//! What it is, content tells, never its name. A tar file is mapped and read in place; a compressed
//! one, a pipe or standard input is read once, as a stream.

mod detect;
mod docker;
mod members;
mod oci;
mod stream;

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

pub use stream::Keep;

use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Mapped};
use crate::location::{Location, Transport};
use crate::oci::{Compression, Descriptor, Digest, Reference};
use crate::progress::Progress;
use crate::store::{BlobReader, BlobSource, Memory, Place, absent, advise};

use detect::Found;
use members::{Member, Members};

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
}

impl Flavour {
    /// The kind's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DockerArchive => "docker-archive",
            Self::OciArchive => "oci-archive",
            Self::OciLayout => "oci",
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
    /// How the file as a whole is compressed.
    pub compression: Compression,
    /// Its length on disk in bytes; 0 for a directory or a stream.
    pub size: u64,
    /// What it lists, in its own order.
    pub roots: Vec<Root>,
    /// Images that it lists and that cannot be read, and why.
    pub damaged: Vec<(Name, Error)>,
    members: Members,
    prefix: String,
    /// Which member holds which blob, where the member's name does not tell.
    blobs: HashMap<Digest, Member>,
    /// Manifests made for images that have none.
    made: Memory,
}

/// Whether opening `location` reads all of it as a stream: it is compressed, or not a file.
pub fn is_stream(location: &Location) -> Result<bool> {
    if location.transport == Transport::Standard {
        return Ok(true);
    }
    let metadata = require(location)?;
    if metadata.is_dir() {
        return Ok(false);
    }
    Ok(!metadata.is_file() || compression_of(location.path())? != Compression::None)
}

/// How many bytes the file at `location` has on disk; 0 if it is no file.
#[must_use]
pub fn size_on_disk(location: &Location) -> u64 {
    match fsx::metadata_if_any(location.path()) {
        Ok(Some(metadata)) if metadata.is_file() => metadata.len(),
        _ => 0,
    }
}

impl Archive {
    /// Opens the archive at `location`. If it has to be read as a stream, `keep` says what happens
    /// to its content.
    pub fn open(location: &Location, keep: &Keep, progress: &Progress) -> Result<Self> {
        Self::read(location, keep, progress).map_err(advise)
    }

    fn read(location: &Location, keep: &Keep, progress: &Progress) -> Result<Self> {
        let (members, compression) = if location.transport == Transport::Standard {
            let path = Path::new("standard input");
            let pipe = stream::Pipe::new(fsx::standard_input()?, progress);
            let (input, compression) = stream::sniff(pipe, path)?;
            (
                stream::read(input, compression, path, keep, progress)?,
                compression,
            )
        } else {
            let metadata = require(location)?;
            let path = location.path();
            if metadata.is_dir() {
                (Members::directory(path.to_owned()), Compression::None)
            } else if !metadata.is_file() {
                let pipe = stream::Pipe::new(fsx::open(path)?, progress);
                let (input, compression) = stream::sniff(pipe, path)?;
                (
                    stream::read(input, compression, path, keep, progress)?,
                    compression,
                )
            } else {
                if metadata.len() == 0 {
                    return Err(Error::new(ErrorKind::InvalidArchive, "the file is empty")
                        .path(path)
                        .hint("the download or copy failed: fetch it again"));
                }
                match compression_of(path)? {
                    Compression::None => (Members::scan(Mapped::open(path)?)?, Compression::None),
                    compression => {
                        let file = fsx::open(path)?;
                        (
                            stream::read(file, compression, path, keep, progress)?,
                            compression,
                        )
                    }
                }
            }
        };
        Self::of_members(location, members, compression, progress)
    }

    fn of_members(
        location: &Location,
        members: Members,
        compression: Compression,
        progress: &Progress,
    ) -> Result<Self> {
        let Found { flavour, prefix } = detect::detect(&members, location)?;
        let mut archive = Self {
            location: location.clone(),
            flavour,
            compression,
            size: size_on_disk(location),
            roots: Vec::new(),
            damaged: Vec::new(),
            members,
            prefix,
            blobs: HashMap::new(),
            made: Memory::default(),
        };
        archive.read_roots(progress)?;
        if let Some(wanted) = &location.reference {
            archive.select(wanted)?;
        }
        Ok(archive)
    }

    fn read_roots(&mut self, progress: &Progress) -> Result<()> {
        let entries = docker::listing(&self.members, &self.prefix);
        let images = if self.flavour == Flavour::DockerArchive {
            let entries = entries?.unwrap_or_default();
            docker::read(&self.members, &self.prefix, &entries, progress)?
        } else {
            self.roots = oci::roots(&self.members, &self.prefix)?;
            // Beside a layout, `manifest.json` only counts for what the layout does not list.
            let entries = entries.ok().flatten().unwrap_or_default();
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
    fn select(&mut self, wanted: &str) -> Result<()> {
        let normalised = Name::Full(wanted.to_owned()).normalised();
        let found = |name: &Name| {
            name.spelled() == Some(wanted)
                || (normalised.is_some() && name.normalised() == normalised)
        };
        self.damaged.retain(|(name, _)| found(name));
        if self.damaged.is_empty() && !self.roots.iter().any(|root| found(&root.name)) {
            let names = self.roots.iter().filter_map(|root| root.name.spelled());
            let names: Vec<&str> = names.take(10).collect();
            let message = format!("no image `{wanted}` in it");
            return Err(Error::new(ErrorKind::NothingSelected, message)
                .path(self.location.path())
                .hint(format!("it has {}", names.join(", "))));
        }
        self.roots.retain(|root| found(&root.name));
        Ok(())
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
            digest: streamed.digest,
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
        self.made
            .size(digest)
            .or_else(|| Some(self.member(digest)?.size))
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        if self.made.contains(digest) {
            return self.made.open(digest);
        }
        match self.member(digest) {
            Some(member) => self.members.open(&member),
            None => Err(absent(digest)),
        }
    }

    fn place(&self, digest: &Digest) -> Place {
        match self.member(digest) {
            Some(member) => self.members.place(&member),
            None => Place {
                path: Some(self.location.path().to_owned()),
                ..Place::default()
            },
        }
    }

    fn changed(&self) -> bool {
        self.members.changed()
    }
}

fn require(location: &Location) -> Result<std::fs::Metadata> {
    fsx::metadata_if_any(location.path())?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "no such file or directory")
            .operation("cannot open")
            .path(location.path())
            .source_error(fsx::absent())
    })
}

/// What the file at `path` is compressed with.
fn compression_of(path: &Path) -> Result<Compression> {
    let mut head = [0; 4];
    let mut file = fsx::open(path)?;
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("cannot read", path, error)),
        }
    }
    Ok(Compression::sniff(&head[..filled]))
}
