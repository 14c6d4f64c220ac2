//! The plain calls on files and directories, with errors that name the path.

use std::fs::{File, Metadata};
use std::io::{ErrorKind as Io, Read};
use std::path::{Path, PathBuf};

use rustix::fs::Access;

use super::publish::or_here;
use crate::error::{Error, ErrorKind, Result};

/// Opens a file for reading.
pub fn open(path: &Path) -> Result<File> {
    File::open(path).map_err(|e| Error::io("cannot open", path, e))
}

/// The whole of a small file; [`ErrorKind::LimitExceeded`] past `most` bytes.
pub fn read_small(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?
        .take(most.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("cannot read", path, e))?;
    if bytes.len() as u64 > most {
        let message = format!("it has more than the {most} bytes that are allowed here");
        return Err(Error::new(ErrorKind::LimitExceeded, message).path(path));
    }
    Ok(bytes)
}

/// What stands at `path`, links followed.
pub fn metadata(path: &Path) -> Result<Metadata> {
    std::fs::metadata(path).map_err(|e| Error::io("cannot examine", path, e))
}

/// What stands at `path`, links followed; `None` if nothing does, or a link leads nowhere.
pub fn metadata_if_any(path: &Path) -> Result<Option<Metadata>> {
    match std::fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(e) if matches!(e.kind(), Io::NotFound | Io::NotADirectory) => Ok(None),
        Err(e) => Err(Error::io("cannot examine", path, e)),
    }
}

/// What stands at `path`, a link being a link; `None` if nothing does.
pub fn symlink_metadata(path: &Path) -> Result<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(e) if e.kind() == Io::NotFound => Ok(None),
        Err(e) => Err(Error::io("cannot examine", path, e)),
    }
}

/// Where a symbolic link leads, as it is spelled; [`ErrorKind::Unsupported`] if that is not UTF-8.
pub fn read_link(path: &Path) -> Result<String> {
    let target = std::fs::read_link(path).map_err(|e| Error::io("cannot read", path, e))?;
    target.into_os_string().into_string().map_err(|_| {
        let message = "a link whose target is not UTF-8 cannot be kept";
        Error::new(ErrorKind::Unsupported, message)
            .path(path)
            .hint("rename what it leads to")
    })
}

/// What the system says of a path at which nothing stands, for errors that were found otherwise.
#[must_use]
pub fn absent() -> std::io::Error {
    rustix::io::Errno::NOENT.into()
}

/// Whether anything stands at `path`, be it a link to nowhere.
pub fn exists(path: &Path) -> Result<bool> {
    Ok(symlink_metadata(path)?.is_some())
}

/// What a directory holds, as paths, in the order of their names.
pub fn read_dir_sorted(path: &Path) -> Result<Vec<PathBuf>> {
    let failed = |e| Error::io("cannot list", path, e);
    let mut found = Vec::new();
    for entry in std::fs::read_dir(or_here(path)).map_err(failed)? {
        found.push(path.join(entry.map_err(failed)?.file_name()));
    }
    found.sort_unstable();
    Ok(found)
}

/// That something can be created in the directory `path`, as far as its permissions tell.
pub fn ensure_may_create(path: &Path) -> Result<()> {
    // Older containers know no call that asks for the effective user.
    rustix::fs::access(or_here(path), Access::WRITE_OK | Access::EXEC_OK)
        .map_err(|e| Error::io("cannot create anything in", or_here(path), e.into()))
}

/// Creates a directory and those above it, where they are missing.
pub fn create_dir_all(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).map_err(|e| Error::io("cannot create", path, e))
}

/// Removes a file; `false` if there was none.
pub fn remove_file_if_exists(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == Io::NotFound => Ok(false),
        Err(e) => Err(Error::io("cannot remove", path, e)),
    }
}

/// Removes a directory, if there is nothing in it.
pub fn remove_dir_if_empty(path: &Path) {
    // Refused if there is.
    let _ = std::fs::remove_dir(path);
}

/// Removes a directory and all it holds, following no links; nothing there is fine.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != Io::NotFound => Err(Error::io("cannot remove", path, e)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
