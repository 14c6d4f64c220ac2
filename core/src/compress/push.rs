//! Decompression that is pushed: compressed pieces in, plain bytes to a writer.

use std::fmt;
use std::io::Write;

use super::engine::Engine;
use super::into_error;
use crate::error::Result;
use crate::oci::Compression;

/// How many bytes are handed to the writer at once.
const PIECE: usize = 128 << 10;

/// Decompresses what is pushed into it, as [`decoder`](super::decoder) does, into a writer: a hash,
/// to find the diff ID of a layer while it is copied.
pub struct Inflater<W> {
    out: W,
    engine: Engine,
    piece: Vec<u8>,
}

impl<W: Write> Inflater<W> {
    /// Decompresses into `out`.
    ///
    /// # Errors
    ///
    /// When the decompressor cannot be set up.
    pub fn new(compression: Compression, out: W) -> Result<Self> {
        let piece = match compression {
            Compression::None => Vec::new(),
            _ => vec![0; PIECE],
        };
        Ok(Self {
            out,
            engine: Engine::new(compression)?,
            piece,
        })
    }

    /// Refuses bombs, as [`LimitedExpansion`](super::LimitedExpansion) does.
    #[must_use]
    pub fn limited(mut self) -> Self {
        self.engine.limit();
        self
    }

    /// Decompresses the next piece of input.
    ///
    /// # Errors
    ///
    /// `InvalidArchive` for data that is corrupt; what the writer returns.
    pub fn push(&mut self, mut bytes: &[u8]) -> Result<()> {
        if self.piece.is_empty() {
            return self.out.write_all(bytes).map_err(into_error);
        }
        // Output that was filled to the brim may go on without input.
        let mut brimful = false;
        while !bytes.is_empty() || brimful {
            let step = self.engine.step(bytes, &mut self.piece)?;
            let plain = self.piece.get(..step.written).unwrap_or_default();
            self.out.write_all(plain).map_err(into_error)?;
            bytes = bytes.get(step.read..).unwrap_or_default();
            brimful = step.written == self.piece.len();
        }
        Ok(())
    }

    /// Says that all input was pushed; returns the writer.
    ///
    /// # Errors
    ///
    /// `InvalidArchive` if the data ends early; what the writer returns.
    pub fn finish(mut self) -> Result<W> {
        if !self.engine.complete() {
            return Err(self.engine.truncated());
        }
        self.out.flush().map_err(into_error)?;
        Ok(self.out)
    }
}

impl<W> fmt::Debug for Inflater<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inflater").finish_non_exhaustive()
    }
}
