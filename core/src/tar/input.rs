//! What an archive is read from.

use std::io::{ErrorKind, Read};

use super::scan::ReadAt;
use crate::error::{Error, Result};

/// A source of bytes, read from front to back.
pub(super) trait Input {
    /// Reads some bytes; none only at the end, or for an empty buffer.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;

    /// Passes over `count` bytes; returns how many of them there were.
    fn skip(&mut self, count: u64) -> Result<u64>;

    /// How many bytes are left, where that is known.
    fn left(&self) -> Option<u64>;
}

/// An archive with random access, and how far it was read.
pub(super) struct Slice<'a> {
    archive: &'a dyn ReadAt,
    position: u64,
    length: u64,
}

impl<'a> Slice<'a> {
    pub(super) fn new(archive: &'a dyn ReadAt) -> Self {
        Self {
            archive,
            position: 0,
            length: archive.len(),
        }
    }

    fn remaining(&self) -> u64 {
        self.length.saturating_sub(self.position)
    }
}

impl Input for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = usize::try_from(self.remaining())
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(part) = buffer.get_mut(..count) else {
            return Ok(0);
        };
        if count > 0 {
            self.archive.read_at(self.position, part)?;
            self.position += count as u64;
        }
        Ok(count)
    }

    fn skip(&mut self, count: u64) -> Result<u64> {
        let count = count.min(self.remaining());
        self.position += count;
        Ok(count)
    }

    fn left(&self) -> Option<u64> {
        Some(self.remaining())
    }
}

/// A stream, and room for what is passed over.
pub(super) struct Stream<R> {
    reader: R,
    skipped: Vec<u8>,
}

impl<R> Stream<R> {
    /// How much is passed over at once.
    const PIECE: usize = 64 << 10;

    pub(super) fn new(reader: R) -> Self {
        Self {
            reader,
            skipped: Vec::new(),
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: Read> Input for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        read(&mut self.reader, buffer)
    }

    fn skip(&mut self, count: u64) -> Result<u64> {
        if self.skipped.is_empty() {
            self.skipped.resize(Self::PIECE, 0);
        }
        let mut left = count;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(usize::MAX);
            let piece = piece.min(self.skipped.len());
            let room = self.skipped.get_mut(..piece).unwrap_or_default();
            match read(&mut self.reader, room)? {
                0 => break,
                got => left = left.saturating_sub(got as u64),
            }
        }
        Ok(count - left)
    }

    fn left(&self) -> Option<u64> {
        None
    }
}

/// Reads some bytes; an [`Error`] that the reader carries comes back as itself.
fn read(reader: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match reader.read(buffer) {
            Ok(count) => return Ok(count.min(buffer.len())),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(error.downcast::<Error>().unwrap_or_else(|error| {
                    Error::new(crate::ErrorKind::Io, error.to_string()).source_error(error)
                }));
            }
        }
    }
}
