//! Input files: mapped where a shrinking file can be survived, read where it cannot.

use std::fs::{File, Metadata, OpenOptions};
use std::ops::Range;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::copy::pread_exact;
use super::sys::{Copied, Region};
use crate::error::{Error, ErrorKind, Result};

/// A file opened for reading at any offset, by any number of threads at once.
///
/// It is mapped into memory if it can be. Its bytes only leave as copies, because a file that
/// shrinks under its map is only known by the poison found *after* a copy; that is then an
/// [`ErrorKind::InputChanged`], where a slice of the map would have meant a fatal SIGBUS.
#[derive(Debug)]
pub struct Mapped {
    // Dropped in this order: the map, then the file under it.
    region: Option<Region>,
    file: File,
    path: PathBuf,
    len: u64,
    modified: Option<SystemTime>,
}

impl Mapped {
    /// Opens and maps a regular file. It is read instead of mapped, behind the same face, when the
    /// file system offers no maps or too many files are mapped already.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let mut opened = Self::open_unmapped(path)?;
        opened.region = Region::of(&opened.file, opened.len);
        Ok(opened)
    }

    /// Opens a regular file that is read and not mapped.
    pub fn open_unmapped(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        // Not to wait for the other end of a named pipe; regular files know no such waiting.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|e| Error::io("cannot open", path, e))?;
        let metadata = stat(&file, path)?;
        if let Some(what) = not_a_file(&metadata) {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!("it is {what}, and only a file can be read from any place"),
            )
            .operation("cannot read")
            .path(path));
        }
        Ok(Self {
            region: None,
            file,
            path: path.to_path_buf(),
            len: metadata.len(),
            modified: metadata.modified().ok(),
        })
    }

    /// The size when the file was opened.
    #[must_use]
    #[expect(
        clippy::len_without_is_empty,
        reason = "the size of a file, not a list"
    )]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// The path it was opened by.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file, for copies inside the kernel.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Whether reads go through a map.
    #[must_use]
    pub fn is_mapped(&self) -> bool {
        self.region.is_some()
    }

    /// Fills `buffer` with the bytes from `offset`.
    pub fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        let Some(end) = end.filter(|end| *end <= self.len) else {
            let message = format!("the file ends too early, after {} bytes", self.len);
            return Err(Error::new(ErrorKind::InvalidArchive, message)
                .path(&self.path)
                .offset(offset));
        };
        if let (Some(region), Ok(start)) = (&self.region, usize::try_from(offset)) {
            match region.copy_to(start, buffer) {
                // The last page of a file that shrank within it reads as zeros, without a fault.
                Copied::Whole if stat(&self.file, &self.path)?.len() < end => {
                    return Err(shrank(&self.path, offset));
                }
                Copied::Whole => return Ok(()),
                Copied::Poisoned => return Err(self.why_poisoned(offset, buffer)),
                Copied::Unguarded => {}
            }
        }
        pread_exact(&self.file, offset, buffer, &self.path)
    }

    /// A page could not be had: the file shrank, or the disk under it failed. A read tells which.
    fn why_poisoned(&self, offset: u64, buffer: &mut [u8]) -> Error {
        match pread_exact(&self.file, offset, buffer, &self.path) {
            Err(error) => error,
            // This part is there (again); some part was not.
            Ok(()) => shrank(&self.path, offset),
        }
    }

    /// Asks for a part of the file to be read ahead; best effort.
    pub fn prefetch(&self, range: Range<u64>) {
        let range = self.clamp(range);
        match &self.region {
            Some(region) => region.prefetch(range.start as usize..range.end as usize),
            None => {
                let len = std::num::NonZeroU64::new(range.end - range.start);
                if len.is_some() {
                    let advice = rustix::fs::Advice::WillNeed;
                    let _ = rustix::fs::fadvise(&self.file, range.start, len, advice);
                }
            }
        }
    }

    /// Lets go of the memory that a part of the map takes, once it has been read; best effort.
    pub fn release(&self, range: Range<u64>) {
        let range = self.clamp(range);
        if let Some(region) = &self.region {
            region.release(range.start as usize..range.end as usize);
        }
    }

    /// Whether the file's size or time of change differs from when it was opened.
    pub fn changed(&self) -> Result<bool> {
        let now = stat(&self.file, &self.path)?;
        Ok(now.len() != self.len || now.modified().ok() != self.modified)
    }

    /// The part of `range` that exists, in order.
    fn clamp(&self, range: Range<u64>) -> Range<u64> {
        let end = range.end.min(self.len);
        range.start.min(end)..end
    }
}

/// The error of reading where the file no longer has bytes.
pub(super) fn shrank(path: &Path, offset: u64) -> Error {
    Error::new(ErrorKind::InputChanged, "the file shrank while it was read")
        .path(path)
        .offset(offset)
}

fn stat(file: &File, path: &Path) -> Result<Metadata> {
    file.metadata()
        .map_err(|e| Error::io("cannot examine", path, e))
}

/// What stands there if not a regular file.
fn not_a_file(metadata: &Metadata) -> Option<&'static str> {
    let kind = metadata.file_type();
    if kind.is_file() {
        None
    } else if kind.is_dir() {
        Some("a directory")
    } else if kind.is_fifo() {
        Some("a pipe")
    } else if kind.is_socket() {
        Some("a socket")
    } else {
        Some("a device")
    }
}

#[cfg(test)]
mod tests;
