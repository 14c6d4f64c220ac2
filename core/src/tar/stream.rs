//! Reading an archive once, from front to back.

use std::fmt;
use std::io::{self, Read};

use super::input::Stream;
use super::walk::Walk;
use super::{Entry, ScanEnd};
use crate::error::Result;

/// An archive that is read as a stream.
///
/// [`next`](Self::next) gives a member, [`read`](Self::read) its data; what is not read of it is
/// passed over. Also a [`Read`] of the current member's data, whose errors carry ours.
pub struct TarStream<R> {
    walk: Walk<Stream<R>>,
}

impl<R: Read> TarStream<R> {
    /// The archive that `reader` gives. Blocks are read one by one: buffer what is slow to ask.
    pub fn new(reader: R) -> Self {
        Self {
            walk: Walk::new(Stream::new(reader)),
        }
    }

    /// The next member, or `None` at the end of the archive, behind which the input may go on.
    ///
    /// # Errors
    ///
    /// As [`scan`](super::scan), and what the reader returns. A member that is truncated is found
    /// out when it is read or passed over.
    #[expect(clippy::should_implement_trait, reason = "members borrow the stream")]
    pub fn next(&mut self) -> Result<Option<Entry>> {
        self.walk.next()
    }

    /// Reads some of the current member's data; 0 bytes at its end.
    ///
    /// # Errors
    ///
    /// `InvalidArchive` if the archive ends within the member; what the reader returns.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.walk.read(buffer)
    }

    /// How many bytes of the archive were read so far.
    pub fn position(&self) -> u64 {
        self.walk.position()
    }

    /// Passes over the remaining members and reads the input to its end, so that whatever checks
    /// it as a whole gets to do so.
    ///
    /// # Errors
    ///
    /// As [`next`](Self::next).
    pub fn finish(&mut self) -> Result<ScanEnd> {
        self.walk.drain()
    }

    /// The reader, wherever it is.
    pub fn into_inner(self) -> R {
        self.walk.into_input().into_inner()
    }
}

impl<R: Read> Read for TarStream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.walk.read(buffer).map_err(io::Error::other)
    }
}

impl<R> fmt::Debug for TarStream<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TarStream").finish_non_exhaustive()
    }
}
