//! Where the result goes: what kind it is, whether it exists, and what that means.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Format, FuseOptions, MediaTypes, OnExisting};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::location::{Location, Transport};
use crate::oci::Compression;
use crate::package::SourceKind;

/// What the result is written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// A layout directory that does not exist yet.
    NewLayout(PathBuf),
    /// A directory that exists: a layout, or empty.
    Layout(PathBuf),
    /// A file: an archive, a bundle or a package.
    Archive(PathBuf, Compression),
    /// The same to standard output.
    Standard,
}

/// A destination, and what is there.
#[derive(Debug)]
pub(super) struct Destination {
    pub(super) target: Target,
    /// What the result is; `None`: what the sources are tells.
    pub(super) format: Option<Format>,
    /// What is there and is to be merged with.
    pub(super) merge: Option<Location>,
    /// Whether something is there that goes.
    pub(super) replaces: bool,
}

impl Target {
    /// Whether it is a layout directory.
    pub(super) fn is_layout(&self) -> bool {
        matches!(self, Self::NewLayout(_) | Self::Layout(_))
    }

    /// The path, if it has one.
    pub(super) fn path(&self) -> Option<&Path> {
        match self {
            Self::NewLayout(path) | Self::Layout(path) | Self::Archive(path, _) => Some(path),
            Self::Standard => None,
        }
    }
}

impl Destination {
    /// Whether files that are no part of an image may be wanted there.
    pub(super) fn takes_files(&self) -> bool {
        !matches!(self.format, Some(Format::Oci | Format::OciArchive))
    }

    /// Settles the format: it is what all of `sources` are, if that can be written to the target.
    pub(super) fn settle(&mut self, sources: &[SourceKind]) -> Result<()> {
        let all = |kind: SourceKind| sources.iter().all(|source| *source == kind);
        self.format.get_or_insert(if self.target.is_layout() {
            Format::Oci
        } else if all(SourceKind::Bundle) {
            Format::Bundle
        } else if all(SourceKind::Package) {
            Format::Package
        } else {
            Format::OciArchive
        });
        self.check_bundle()
    }

    /// That a bundle is to be compressed is an error.
    fn check_bundle(&self) -> Result<()> {
        match (self.format, &self.target) {
            (Some(Format::Bundle), Target::Archive(path, compression))
                if *compression != Compression::None =>
            {
                let message = "a bundle is not compressed: charts-syncer would not read it";
                Err(Error::new(ErrorKind::Usage, message)
                    .path(path)
                    .hint("name a `.bundle.tar` file, or `--format package`"))
            }
            _ => Ok(()),
        }
    }
}

/// What `output` means with `options`.
pub(super) fn resolve(output: &Location, options: &FuseOptions) -> Result<Destination> {
    if output.reference.is_some() {
        let message = "a destination takes no reference: every image keeps its own";
        return Err(Error::new(ErrorKind::Usage, message)
            .path(&output.path)
            .hint("name the images with `--rename` or `--name`"));
    }
    if output.transport == Transport::DockerArchive {
        let message = "a docker archive cannot hold several platforms under one name";
        return Err(Error::new(ErrorKind::Unsupported, message)
            .hint("an oci-archive is loadable by docker too: name a `.tar` file"));
    }
    if output.transport == Transport::Registry {
        let message = "a registry is no archive";
        return Err(Error::new(ErrorKind::Usage, message).hint("use `push`"));
    }
    if options.existing() == OnExisting::Skip {
        let message = "`--on-existing skip` is about the tags of a registry";
        return Err(
            Error::new(ErrorKind::Usage, message).hint("name `error`, `merge` or `replace`")
        );
    }
    if options.media_types == MediaTypes::Auto {
        let message = "`--media-types auto` is about what a registry takes";
        return Err(Error::new(ErrorKind::Usage, message).hint("name `keep`, `oci` or `docker`"));
    }
    if output.transport == Transport::Standard {
        if options.format == Some(Format::Oci) {
            let message = "standard output takes an archive, not a directory";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        return Ok(Destination {
            target: Target::Standard,
            format: options.format,
            merge: None,
            replaces: false,
        });
    }
    // `layout/` is the directory `layout`, whatever its name is derived from.
    let spelled = output.path.as_os_str().as_bytes();
    let slash = spelled.len() > 1 && spelled.ends_with(b"/");
    let path: PathBuf = output.path.components().collect();
    let metadata = fsx::metadata_if_any(&path)?;
    let is_directory = metadata.as_ref().is_some_and(std::fs::Metadata::is_dir);
    let format = match (options.format, output.transport) {
        (Some(format), _) => Some(format),
        (None, Transport::OciLayout) => Some(Format::Oci),
        (None, Transport::OciArchive) => Some(Format::OciArchive),
        (None, Transport::Bundle) => Some(Format::Bundle),
        (None, Transport::Package) => Some(Format::Package),
        (None, _) if slash || is_directory => Some(Format::Oci),
        (None, _) => None,
    };
    let destination = match format {
        Some(Format::Oci) => layout(path, metadata.is_some(), is_directory, options)?,
        _ if slash && !is_directory => {
            let message = "a file is written, and the path is that of a directory";
            return Err(Error::new(ErrorKind::Usage, message)
                .path(&path)
                .hint("leave the slash out, or name `--format oci`"));
        }
        _ => archive(path, metadata.is_some(), is_directory, options)?,
    };
    let destination = Destination {
        format,
        ..destination
    };
    destination.check_bundle()?;
    Ok(destination)
}

fn exists(path: &Path) -> Error {
    Error::new(ErrorKind::DestinationExists, "the destination exists")
        .path(path)
        .hint("add to it with `--on-existing merge`, or overwrite it with `--on-existing replace`")
}

fn layout(
    path: PathBuf,
    is_there: bool,
    is_directory: bool,
    options: &FuseOptions,
) -> Result<Destination> {
    if !is_there {
        return Ok(Destination {
            target: Target::NewLayout(path),
            format: None,
            merge: None,
            replaces: false,
        });
    }
    if !is_directory {
        return Err(Error::new(
            ErrorKind::DestinationExists,
            "a file, not a layout directory",
        )
        .path(&path)
        .hint("name another destination, or `--format oci-archive`"));
    }
    let others = fsx::read_dir_sorted(&path)?;
    let is_empty = others.iter().all(|entry| entry.ends_with(fsx::INSIDE));
    // A run that was killed before it published anything left blobs in an empty directory.
    let is_unpublished = !path.join("index.json").exists() && Staging::has_note(&path)?;
    if is_empty || is_unpublished {
        return Ok(Destination {
            target: Target::Layout(path),
            format: None,
            merge: None,
            replaces: false,
        });
    }
    if options.existing() == OnExisting::Error {
        return Err(exists(&path));
    }
    if !path.join("index.json").exists() && !path.join("oci-layout").exists() {
        return Err(Error::new(
            ErrorKind::DestinationExists,
            "a directory that is no OCI layout",
        )
        .path(&path)
        .hint("name an empty or new directory; fusion does not remove files of others"));
    }
    let location = Location {
        transport: Transport::OciLayout,
        path: path.clone(),
        reference: None,
        spelled: path.display().to_string(),
    };
    let replaces = options.existing() == OnExisting::Replace;
    Ok(Destination {
        target: Target::Layout(path),
        format: None,
        merge: Some(location),
        replaces,
    })
}

fn archive(
    path: PathBuf,
    is_there: bool,
    is_directory: bool,
    options: &FuseOptions,
) -> Result<Destination> {
    if is_directory {
        return Err(
            Error::new(ErrorKind::DestinationExists, "a directory, not an archive")
                .path(&path)
                .hint("name a file, or `--format oci`"),
        );
    }
    let name = path
        .file_name()
        .map(|name| name.to_string_lossy().to_ascii_lowercase());
    let compression = match name.as_deref().and_then(|name| name.rsplit_once('.')) {
        Some((_, "gz" | "tgz")) => Compression::Gzip,
        Some((_, "zst" | "zstd" | "tzst")) => Compression::Zstd,
        _ => Compression::None,
    };
    if is_there && options.existing() == OnExisting::Error {
        return Err(exists(&path));
    }
    let merge = (is_there && options.existing() == OnExisting::Merge).then(|| Location {
        transport: Transport::Auto,
        path: path.clone(),
        reference: None,
        spelled: path.display().to_string(),
    });
    let replaces = is_there && options.existing() == OnExisting::Replace;
    Ok(Destination {
        target: Target::Archive(path, compression),
        format: None,
        merge,
        replaces,
    })
}
