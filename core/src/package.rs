//! One opened source, whatever it is: an image archive, or what archives travel in: chart bundles,
//! and packages that nest them at any depth.
//!
//! Nothing says what a package looks like inside: bundles and archives are found by their content,
//! wherever they lie, and everything else stays a file.

mod bundle;
mod hints;
mod spare;
mod walk;

use std::sync::Arc;

pub use crate::container::{Keep, Pass, is_stream, size_on_disk};

pub(crate) use crate::container::streams_below;
pub(crate) use bundle::{Bundle, CHART, Chart, HINTS};
pub(crate) use walk::{Item, Kind, Level};

use crate::archive::{self, Archive, Flavour};
use crate::container::{self, Members, Sums};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::location::{Location, Transport};
use crate::oci::{Compression, Reference};
use crate::progress::Progress;
use crate::registry::{Client, Image};
use crate::store::advise;

/// What a source is as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// An image archive.
    Images(Flavour),
    /// A chart bundle.
    Bundle,
    /// A tree of files in which bundles or archives lie.
    Package,
}

impl SourceKind {
    /// The kind's name in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Images(flavour) => flavour.name(),
            Self::Bundle => "bundle",
            Self::Package => "package",
        }
    }
}

/// An opened source.
#[derive(Debug)]
pub struct Source {
    /// Where it is, as it was named.
    pub location: Location,
    /// What it is.
    pub kind: SourceKind,
    /// How the file as a whole is compressed.
    pub compression: Compression,
    /// Its length on disk in bytes; 0 for a directory or a stream.
    pub size: u64,
    /// The image archives in it, in the order of the tree.
    pub archives: Vec<Archive>,
    /// The tree.
    pub(crate) root: Level,
    /// What its checksum files say that is not so.
    pub(crate) sums: Sums,
    /// Files in it that were left out because they are damaged.
    pub(crate) damaged: Vec<Damaged>,
}

/// A source, or a file in one, that is damaged and was left out.
#[derive(Debug)]
pub(crate) struct Damaged {
    /// Where it is, for people.
    pub(crate) place: String,
    /// The chart of the bundle that it is, as far as that can still be read.
    pub(crate) chart: Option<Chart>,
    pub(crate) error: Error,
}

impl Damaged {
    /// Whether `error` says that a file is damaged, so that others may be sound.
    pub(crate) fn is_told_by(error: &Error) -> bool {
        matches!(
            error.kind(),
            ErrorKind::InvalidArchive
                | ErrorKind::DigestMismatch
                | ErrorKind::Unsupported
                | ErrorKind::LimitExceeded
        )
    }

    /// The source at `location`, which could not be opened.
    pub(crate) fn source(location: &Location, error: Error) -> Self {
        let chart = fsx::metadata_if_any(location.path()).ok().flatten();
        let chart = chart.filter(std::fs::Metadata::is_file);
        let chart = chart.and_then(|_| bundle::chart_in(fsx::open(location.path()).ok()?));
        Self {
            place: location.spelled.clone(),
            chart,
            error,
        }
    }
}

impl Source {
    /// Opens the source at `location`. What has to be read as a stream goes where `keep` says.
    /// `client` gets into registries.
    pub fn open(
        location: &Location,
        keep: &Keep,
        client: Option<&Client>,
        progress: &Progress,
    ) -> Result<Self> {
        Self::open_sparing(location, keep, false, client, progress)
    }

    /// The same; if `spares` says so, files in it that are damaged are left out where that is
    /// possible: where they are read in place, or are a stream of their own.
    pub(crate) fn open_sparing(
        location: &Location,
        keep: &Keep,
        spares: bool,
        client: Option<&Client>,
        progress: &Progress,
    ) -> Result<Self> {
        match (location.in_registry(), client) {
            (Some(name), Some(client)) => Self::remote(location, name, client),
            (Some(_), None) => Err(Error::new(
                ErrorKind::Internal,
                "an image in a registry, and no way in",
            )),
            (None, _) => Self::read(location, keep, spares, progress).map_err(advise),
        }
    }

    /// The image `name` of a registry.
    fn remote(location: &Location, name: &str, client: &Client) -> Result<Self> {
        let reference: Reference = name.parse()?;
        let repository = client.repository(reference.registry(), reference.repository());
        let under = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let image = Image::open(repository, &under)?.ok_or_else(|| {
            let message = "the registry has no such image";
            Error::new(ErrorKind::Registry, message)
                .path(location.path())
                .status(404)
                .hint("check its name and tag; a private one may need credentials")
        })?;
        let archive = Archive::remote(location, &reference, image);
        Ok(Self {
            location: location.clone(),
            kind: SourceKind::Images(Flavour::Registry),
            compression: Compression::None,
            size: 0,
            root: Level::of_images(Arc::clone(archive.members())),
            archives: vec![archive],
            sums: Default::default(),
            damaged: Vec::new(),
        })
    }

    fn read(location: &Location, keep: &Keep, spares: bool, progress: &Progress) -> Result<Self> {
        let (members, compression) = container::open(location, keep, progress)?;
        let mut members = Arc::new(members);
        if members.is_streamed() {
            keep.pass(&members, progress)?;
        }
        let mut walk = walk::Walk {
            location,
            keep,
            progress,
            archives: Vec::new(),
            sums: Sums::default(),
            spares,
            damaged: Vec::new(),
        };
        let detected = archive::detect(&members, location);
        let wants_images = !matches!(
            location.transport,
            Transport::Auto | Transport::Standard | Transport::Bundle | Transport::Package
        );
        let mut only_images = None;
        if let Ok(found) = &detected
            && !matches!(location.transport, Transport::Bundle | Transport::Package)
        {
            let (flavour, prefix) = (found.flavour, found.prefix.clone());
            let archive = Archive::of(location, Arc::clone(&members), found.clone(), progress);
            match archive {
                // In a folder, beside files of others, it is a part of a package.
                Ok(archive)
                    if wants_images || prefix.is_empty() || owns_all(&archive, &members) =>
                {
                    only_images = Some((flavour, archive));
                }
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        let (kind, root) = match only_images {
            Some((flavour, archive)) => {
                walk.archives.push(archive);
                let root = Level::of_images(Arc::clone(&members));
                (SourceKind::Images(flavour), root)
            }
            None if wants_images => return Err(not_images(detected)),
            None => {
                if members.is_directory() {
                    members = Arc::new(Members::tree(location.path().to_owned())?);
                }
                let root = walk.level(&members, 0)?;
                let kind = match root.only_bundle() {
                    true => SourceKind::Bundle,
                    false if !root.holds_images() && !walk.damaged.is_empty() => {
                        return Err(walk.damaged.swap_remove(0).error);
                    }
                    // Nothing in it that fusion is for: what a reader expected is said.
                    false if !root.holds_images() => return Err(not_images(detected)),
                    false => SourceKind::Package,
                };
                (kind, root)
            }
        };
        wanted(location, kind)?;
        walk.sums.settle(progress)?;
        let mut source = Self {
            location: location.clone(),
            kind,
            compression,
            size: size_on_disk(location),
            archives: walk.archives,
            root,
            sums: walk.sums,
            damaged: walk.damaged,
        };
        if let Some(reference) = &location.reference {
            source.select(reference)?;
        }
        Ok(source)
    }

    /// That its checksum files say something else of it is an error.
    pub(crate) fn sound(&mut self) -> Result<()> {
        let mut wrong = std::mem::take(&mut self.sums.wrong).into_iter();
        wrong.next().map_or(Ok(()), Err)
    }

    /// Keeps only the image that `:REF` names: as it is spelled, or normalised.
    fn select(&mut self, wanted: &str) -> Result<()> {
        let names = self.archives.iter().flat_map(|archive| &archive.roots);
        let names = names.filter_map(|root| root.name.spelled());
        let names: Vec<String> = names.take(10).map(str::to_owned).collect();
        for archive in &mut self.archives {
            archive.select(wanted);
        }
        let nothing = |archive: &Archive| archive.roots.is_empty() && archive.damaged.is_empty();
        if self.archives.iter().all(nothing) {
            let message = format!("no image `{wanted}` in it");
            return Err(Error::new(ErrorKind::NothingSelected, message)
                .path(self.location.path())
                .hint(format!("it has {}", names.join(", "))));
        }
        Ok(())
    }

    /// The bundles in it, wherever they lie, with their places in the tree.
    pub(crate) fn bundles(&self) -> Vec<(String, &Bundle)> {
        let mut bundles = Vec::new();
        self.root.visit_bundles(&mut |members, name, bundle| {
            bundles.push((members.place_in(&self.location, name), bundle));
        });
        bundles
    }
}

/// Whether `archive` is all there is in `members`.
fn owns_all(archive: &Archive, members: &Members) -> bool {
    archive.flavour == Flavour::DockerArchive
        || members.names().all(|name| archive.claims(name))
        || members.is_directory()
}

fn not_images(detected: Result<archive::Found>) -> Error {
    match detected {
        Err(error) => error,
        Ok(_) => Error::new(ErrorKind::InvalidArchive, "it holds no images"),
    }
}

/// That a prefix asked for something else is an error.
fn wanted(location: &Location, kind: SourceKind) -> Result<()> {
    let asked = match location.transport {
        Transport::Bundle => SourceKind::Bundle,
        Transport::Package => SourceKind::Package,
        _ => return Ok(()),
    };
    // A bundle is a package too: one with a single chart in it.
    if kind == asked || asked == SourceKind::Package {
        return Ok(());
    }
    let message = format!("not a {}: it is a {}", asked.name(), kind.name());
    Err(Error::new(ErrorKind::InvalidArchive, message)
        .path(location.path())
        .hint("leave the prefix out: what it is, its content tells"))
}

#[cfg(test)]
mod tests;
