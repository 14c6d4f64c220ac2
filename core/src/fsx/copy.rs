//! Reads and writes at given offsets, and copies that stay inside the kernel.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::io::Errno;

use super::map::shrank;
use crate::error::{Error, Result};

/// How much is copied at a time when the kernel cannot do it alone.
const BUFFER: usize = 1 << 20;

/// A place in an open file, and the name that errors give it.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The open file.
    pub file: &'a File,
    /// Its path.
    pub path: &'a Path,
    /// The byte.
    pub offset: u64,
}

impl<'a> Place<'a> {
    /// Byte `offset` of `file`, which was opened as `path`.
    #[must_use]
    pub fn new(file: &'a File, path: &'a Path, offset: u64) -> Self {
        Self { file, path, offset }
    }

    fn forward(&mut self, bytes: u64) {
        self.offset += bytes;
    }
}

/// Writes all of `bytes` at `offset`.
pub fn pwrite_all(file: &File, offset: u64, bytes: &[u8], path: &Path) -> Result<()> {
    file.write_all_at(bytes, offset)
        .map_err(|e| Error::io("cannot write", path, e).offset(offset))
}

/// Fills `buffer` from `offset`. A file that ends before is one that shrank: callers ask for what
/// they have seen to be there.
pub fn pread_exact(file: &File, offset: u64, buffer: &mut [u8], path: &Path) -> Result<()> {
    file.read_exact_at(buffer, offset).map_err(|e| {
        if e.kind() == io::ErrorKind::UnexpectedEof {
            shrank(path, offset)
        } else {
            Error::io("cannot read", path, e).offset(offset)
        }
    })
}

/// Copies `len` bytes from one file to another, inside the kernel where it can. A source that
/// ends before is one that shrank.
pub fn copy_range(mut from: Place<'_>, mut to: Place<'_>, len: u64) -> Result<()> {
    let mut left = len;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(usize::MAX).min(1 << 30);
        let (mut off_in, mut off_out) = (from.offset, to.offset);
        let step = rustix::fs::copy_file_range(
            from.file,
            Some(&mut off_in),
            to.file,
            Some(&mut off_out),
            want,
        );
        match step {
            // The end of the file, or one of the special files that some kernels copy nothing of.
            Ok(0) => return copy_by_hand(from, to, left),
            Ok(copied) => {
                let copied = copied as u64;
                from.forward(copied);
                to.forward(copied);
                left -= copied;
            }
            Err(Errno::INTR) => {}
            Err(errno) if cannot(errno) => return copy_by_hand(from, to, left),
            Err(errno) => {
                return Err(Error::io("cannot write", to.path, errno.into()).offset(to.offset));
            }
        }
    }
    Ok(())
}

/// Whether the kernel says that it cannot do it for these two files: other file systems, old
/// kernels, sandboxes, mounts that know no such call. I/O errors come here as well: read and
/// write then tell which of the two files has them.
fn cannot(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::XDEV
            | Errno::NOSYS
            | Errno::INVAL
            | Errno::OPNOTSUPP
            | Errno::PERM
            | Errno::BADF
            | Errno::IO
            | Errno::TXTBSY
            | Errno::OVERFLOW
    )
}

fn copy_by_hand(mut from: Place<'_>, mut to: Place<'_>, len: u64) -> Result<()> {
    let mut buffer = vec![0; BUFFER.min(usize::try_from(len).unwrap_or(BUFFER))];
    let mut left = len;
    while left > 0 {
        let want = usize::try_from(left).unwrap_or(BUFFER).min(buffer.len());
        let chunk = &mut buffer[..want];
        pread_exact(from.file, from.offset, chunk, from.path)?;
        pwrite_all(to.file, to.offset, chunk, to.path)?;
        from.forward(want as u64);
        to.forward(want as u64);
        left -= want as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
