//! Scanning by random access: nothing but headers is read.

use super::input::Slice;
use super::walk::Walk;
use super::{Entry, ScanEnd};
use crate::error::{Error, ErrorKind, Result};

/// Bytes that can be read at any offset.
pub trait ReadAt {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Fills `buf` with what starts at `offset`; an error if there is less.
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()>;

    /// Whether there is nothing.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        let part = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..start.checked_add(buf.len())?));
        let Some(part) = part else {
            let message = format!("truncated: no {} bytes there", buf.len());
            return Err(Error::new(ErrorKind::InvalidArchive, message).offset(offset));
        };
        buf.copy_from_slice(part);
        Ok(())
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn len(&self) -> u64 {
        (**self).len()
    }

    fn read_at(&self, offset: u64, buf: &mut [u8]) -> Result<()> {
        (**self).read_at(offset, buf)
    }
}

/// Calls `visit` for each member of `archive`, in order.
///
/// Every member that is visited lies within the archive. Nothing and zeros are an archive without
/// members.
///
/// # Errors
///
/// `InvalidArchive`, `Unsupported` or `LimitExceeded`, with the offset of the header and the member
/// where they are known; whatever `archive` and `visit` return.
pub fn scan(archive: &dyn ReadAt, visit: &mut dyn FnMut(Entry) -> Result<()>) -> Result<ScanEnd> {
    let mut walk = Walk::new(Slice::new(archive));
    while let Some(entry) = walk.next()? {
        visit(entry)?;
    }
    walk.drain()
}
