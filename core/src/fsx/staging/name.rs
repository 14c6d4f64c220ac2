//! Where the staging directory of a destination stands.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::publish::or_here;
use crate::error::{Error, ErrorKind, Result};

/// The staging directory inside a directory; beside a file, the end of its name.
pub const INSIDE: &str = ".fusion-partial";

/// File systems allow 255 bytes; a longer name is cut, and told from others by its hash.
const LONGEST: usize = 200;

/// Beside `dest`.
pub(super) fn beside(dest: &Path) -> Result<PathBuf> {
    let name = file_name(dest)?;
    let mut hidden = OsString::from(".");
    if name.len() > LONGEST {
        hidden.push(hash(name));
    } else {
        hidden.push(name);
    }
    hidden.push(INSIDE);
    Ok(parent(dest).join(hidden))
}

/// Inside `dir`.
pub(super) fn inside(dir: &Path) -> PathBuf {
    dir.join(INSIDE)
}

/// In `work_dir`, the same for every spelling of `dest`.
pub(super) fn in_work_dir(work_dir: &Path, dest: &Path) -> Result<PathBuf> {
    let name = file_name(dest)?;
    let parent = parent(dest);
    let parent = std::fs::canonicalize(parent)
        .or_else(|_| std::path::absolute(parent))
        .map_err(|e| Error::io("cannot locate", dest, e))?;
    let absolute = parent.join(name);
    Ok(work_dir.join(format!(".{}{INSIDE}", hash(absolute.as_os_str()))))
}

fn file_name(dest: &Path) -> Result<&OsStr> {
    dest.file_name().ok_or_else(|| {
        Error::new(ErrorKind::Usage, "it has no name of its own")
            .operation("cannot write")
            .path(dest)
    })
}

fn parent(dest: &Path) -> &Path {
    or_here(dest.parent().unwrap_or(Path::new("")))
}

/// Half of a SHA-256, in hex.
fn hash(name: &OsStr) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest[..16].iter().map(|b| format!("{b:02x}")).collect()
}
