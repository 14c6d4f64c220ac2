//! Decompression that pulls from a reader.

use std::fmt;
use std::io::{self, Read};

use super::engine::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Compression;

/// How many compressed bytes are read at once.
const PIECE: usize = 128 << 10;

/// What `reader` gives, decompressed: all gzip members or zstd frames of it, and as is if it is not
/// compressed.
///
/// Its errors carry ours: see [`into_error`](super::into_error). Input that ends early is an error
/// of kind [`io::ErrorKind::UnexpectedEof`]. Zeros after the last gzip member, as padding to whole
/// blocks leaves them, are passed over; anything else there is an error.
///
/// # Errors
///
/// When the decompressor cannot be set up.
pub fn decoder<'a, R: Read + Send + 'a>(
    compression: Compression,
    reader: R,
) -> Result<Box<dyn Read + Send + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(reader),
        _ => Box::new(Decoder::new(compression, reader)?),
    })
}

/// As [`decoder`], and counts what goes in and out.
pub struct Decoder<R> {
    reader: R,
    engine: Engine,
    piece: Vec<u8>,
    /// What of the piece was not decompressed yet.
    start: usize,
    end: usize,
    /// The last output was filled to the brim: more may come without input.
    brimful: bool,
}

impl<R: Read> Decoder<R> {
    /// Decompresses what `reader` gives.
    ///
    /// # Errors
    ///
    /// When the decompressor cannot be set up.
    pub fn new(compression: Compression, reader: R) -> Result<Self> {
        Ok(Self {
            reader,
            engine: Engine::new(compression)?,
            piece: vec![0; PIECE],
            start: 0,
            end: 0,
            brimful: false,
        })
    }

    /// How many compressed bytes were used so far.
    pub fn consumed(&self) -> u64 {
        self.engine.consumed()
    }

    /// How many bytes were given so far.
    pub fn produced(&self) -> u64 {
        self.engine.produced()
    }

    /// Reads the next piece if the last one is used up; false at the end.
    fn refill(&mut self) -> io::Result<bool> {
        while self.start == self.end {
            match self.reader.read(&mut self.piece) {
                Ok(0) => return Ok(false),
                Ok(count) => (self.start, self.end) = (0, count.min(self.piece.len())),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl<R: Read> Read for Decoder<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let more = self.brimful || self.refill()?;
            if !more {
                return if self.engine.complete() {
                    Ok(0)
                } else {
                    let error = self.engine.truncated();
                    Err(io::Error::new(io::ErrorKind::UnexpectedEof, error))
                };
            }
            let input = self.piece.get(self.start..self.end).unwrap_or_default();
            let step = self.engine.step(input, output).map_err(carry)?;
            self.start += step.read;
            self.brimful = step.written == output.len();
            if step.written > 0 {
                return Ok(step.written);
            }
        }
    }
}

/// An `error` for readers to return.
pub(super) fn carry(error: Error) -> io::Error {
    let kind = match error.kind() {
        ErrorKind::InvalidArchive => io::ErrorKind::InvalidData,
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, error)
}

/// As [`Decoder`], and refuses bombs: what expands beyond
/// [`FREE_EXPANSION`](crate::limits::FREE_EXPANSION) bytes may expand
/// [`MAX_EXPANSION`](crate::limits::MAX_EXPANSION) times at most.
pub struct LimitedExpansion<R>(Decoder<R>);

impl<R: Read> LimitedExpansion<R> {
    /// Decompresses what `reader` gives.
    ///
    /// # Errors
    ///
    /// When the decompressor cannot be set up.
    pub fn new(compression: Compression, reader: R) -> Result<Self> {
        let mut decoder = Decoder::new(compression, reader)?;
        decoder.engine.limit();
        Ok(Self(decoder))
    }

    /// How many compressed bytes were used so far.
    pub fn consumed(&self) -> u64 {
        self.0.consumed()
    }

    /// How many bytes were given so far.
    pub fn produced(&self) -> u64 {
        self.0.produced()
    }
}

impl<R: Read> Read for LimitedExpansion<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.0.read(output)
    }
}

impl<R> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("consumed", &self.engine.consumed())
            .field("produced", &self.engine.produced())
            .finish_non_exhaustive()
    }
}

impl<R> fmt::Debug for LimitedExpansion<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LimitedExpansion").field(&self.0).finish()
    }
}
