//! How much room there is, asked before it is needed and told when it ran out.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::publish::or_here;
use super::tree;
use crate::error::{Error, ErrorKind, Result};

/// The bytes that may still be written at `path`, or at the nearest folder above it that exists.
pub fn free_bytes(path: &Path) -> Result<u64> {
    let path = nearest_folder(path)?;
    let facts =
        rustix::fs::statvfs(&path).map_err(|e| Error::io("cannot examine", &path, e.into()))?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// Whether a rename from `a` to `b` is possible: both (or the nearest folders above them that
/// exist) are on one file system.
pub fn same_filesystem(a: &Path, b: &Path) -> Result<bool> {
    let device = |path: &Path| Ok(tree::metadata(&nearest_folder(path)?)?.dev());
    Ok(device(a)? == device(b)?)
}

/// An error that tells both numbers unless `needed` bytes are free at `path`.
pub fn ensure_free(path: &Path, needed: u64) -> Result<()> {
    let free = free_bytes(path)?;
    if free >= needed {
        return Ok(());
    }
    Err(Error::new(ErrorKind::NoSpace, shortage(path, needed, free)).hint(ADVICE))
}

/// Adds to an error of a full file system how much was needed where, and how much is left. Other
/// errors pass unchanged.
#[must_use]
pub fn enrich_no_space(error: Error, path: &Path, needed: u64) -> Error {
    if error.kind() != ErrorKind::NoSpace || error.get_hint().is_some() {
        return error;
    }
    match free_bytes(path) {
        Ok(free) => {
            let facts = if needed > free {
                shortage(path, needed, free)
            } else {
                // How much is needed was not known, or others took the space meanwhile.
                let place = nearest_folder(path).unwrap_or_else(|_| path.to_path_buf());
                format!("the space in `{}` did not suffice", place.display())
            };
            error.path(path).hint(format!("{facts}; {ADVICE}"))
        }
        Err(_) => error.path(path),
    }
}

const ADVICE: &str = "make room or quota there, or choose a destination on another file system";

fn shortage(path: &Path, needed: u64, free: u64) -> String {
    let place = nearest_folder(path).unwrap_or_else(|_| path.to_path_buf());
    format!(
        "{} are needed in `{}`, {} are free",
        human_bytes(needed),
        place.display(),
        human_bytes(free)
    )
}

/// A size for people, with the exact number: `12.3 GB (12345678901 bytes)`.
#[must_use]
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["kB", "MB", "GB", "TB", "PB", "EB"];
    let mut divisor = 1000;
    for unit in UNITS {
        let tenths = (u128::from(bytes) * 10 + divisor / 2) / divisor;
        if bytes >= 1000 && tenths < 10_000 {
            return format!("{}.{} {unit} ({bytes} bytes)", tenths / 10, tenths % 10);
        }
        divisor *= 1000;
    }
    format!("{bytes} bytes")
}

/// `path`, or the nearest above it, that is a folder.
fn nearest_folder(path: &Path) -> Result<PathBuf> {
    for place in path.ancestors() {
        let place = or_here(place);
        if std::fs::metadata(place).is_ok_and(|found| found.is_dir()) {
            return Ok(place.to_path_buf());
        }
    }
    tree::metadata(path).map(|_| path.to_path_buf())
}

#[cfg(test)]
mod tests;
