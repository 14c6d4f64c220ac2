//! Making files appear: created exclusively, flushed, renamed into place.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;

use super::{sys, tree};
use crate::error::{Error, ErrorKind, Result};

/// The mode of what fusion writes, less the umask: that of any program's files.
const MODE: u32 = 0o644;

/// Creates a file that must not exist, for reading and writing, of `mode` less the umask.
pub fn create_file(path: &Path, mode: u32) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .map_err(|e| Error::io("cannot create", path, e))
}

/// Renames within one file system, over whatever file stands at `to`.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(|e| Error::io("cannot rename into place", to, e))
}

/// Renames within one file system; [`ErrorKind::DestinationExists`] if anything stands at `to`.
pub fn rename_noreplace(from: &Path, to: &Path) -> Result<()> {
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) => Err(in_the_way(to)),
        // Not every file system knows the flag.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => rename_where_free(from, to),
        Err(errno) => Err(Error::io("cannot rename into place", to, errno.into())),
    }
}

/// A rename that does not replace, made of older calls: a hard link never does. Where those are
/// missing as well (and for directories, which have none) it is a look and a rename.
fn rename_where_free(from: &Path, to: &Path) -> Result<()> {
    match std::fs::hard_link(from, to) {
        Ok(()) => {
            std::fs::remove_file(from).map_err(|e| Error::io("cannot remove", from, e))?;
            Ok(())
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(in_the_way(to)),
        Err(_) if tree::exists(to)? => Err(in_the_way(to)),
        Err(_) => rename(from, to),
    }
}

fn in_the_way(path: &Path) -> Error {
    Error::new(ErrorKind::DestinationExists, "it exists already")
        .operation("cannot create")
        .path(path)
}

/// Waits until the contents of `file` are on disk.
pub fn sync_file(file: &File, path: &Path) -> Result<()> {
    file.sync_all()
        .map_err(|e| Error::io("cannot flush", path, e))
}

/// Waits until the names in a directory are on disk.
pub fn sync_dir(path: &Path) -> Result<()> {
    let path = or_here(path);
    let flushed = File::open(path).and_then(|dir| dir.sync_all());
    match flushed {
        // Some network file systems cannot flush a directory, and need not.
        Err(e) if matches!(e.raw_os_error(), Some(libc::EINVAL | libc::EBADF)) => Ok(()),
        other => other.map_err(|e| Error::io("cannot flush", path, e)),
    }
}

/// Asks the kernel to start writing a part of `file` to disk, so that the flush at the end finds
/// little left to do; best effort.
pub fn start_writeback(file: &File, offset: u64, len: u64) {
    sys::start_writeback(file, offset, len);
}

/// Creates a file that must not exist, with these bytes; on disk before this returns if
/// `durable`. Its name is on disk only after a [`sync_dir`]. On failure nothing remains.
pub fn write_new(path: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    let mut file = create_file(path, MODE)?;
    let written = file
        .write_all(bytes)
        .map_err(|e| Error::io("cannot write", path, e))
        .and_then(|()| {
            if durable {
                sync_file(&file, path)
            } else {
                Ok(())
            }
        });
    if written.is_err() {
        // It is ours alone, so it may go; the failure to write is the one to tell.
        let _ = std::fs::remove_file(path);
    }
    written
}

/// Puts these bytes at `target`, in place of what stood there, by way of a file in `staging`: at
/// every moment `target` is the old file or the new. If `durable` the contents are on disk before
/// the rename, and the rename before this returns.
pub fn replace_file(staging: &Path, target: &Path, bytes: &[u8], durable: bool) -> Result<()> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = OsString::from(target.file_name().unwrap_or_default());
    name.push(format!(".{}", COUNT.fetch_add(1, Ordering::Relaxed)));
    let temporary = staging.join(name);
    write_new(&temporary, bytes, durable)?;
    if let Err(error) = rename(&temporary, target) {
        let _ = std::fs::remove_file(&temporary);
        return Err(error);
    }
    match target.parent() {
        Some(parent) if durable => sync_dir(parent),
        _ => Ok(()),
    }
}

/// The parent of a bare file name is the empty path, which no call takes.
pub(super) fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    }
}

#[cfg(test)]
mod tests;
