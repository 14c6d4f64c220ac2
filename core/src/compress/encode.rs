//! Compression to any of the formats.

use std::fmt;
use std::io::{self, Write};

use super::gzip::ParallelGzip;
use crate::oci::Compression;

/// The level that is used if none is asked for.
#[must_use]
pub const fn default_level(compression: Compression) -> i32 {
    match compression {
        Compression::None => 0,
        Compression::Gzip => 6,
        Compression::Zstd => 3,
    }
}

/// Compresses what is written to it; its output depends on the input and the level only.
#[derive(Debug)]
pub enum Encoder<W: Write> {
    /// Passes everything on.
    Plain(W),
    /// Writes one gzip member.
    Gzip(ParallelGzip<W>),
    /// Writes one zstd frame.
    Zstd(ParallelZstd<W>),
}

impl<W: Write> Encoder<W> {
    /// Compresses into `out` with `jobs` threads. Levels out of range count as the nearest.
    ///
    /// # Errors
    ///
    /// When the compressor cannot be set up.
    pub fn new(compression: Compression, level: i32, jobs: usize, out: W) -> io::Result<Self> {
        Ok(match compression {
            Compression::None => Self::Plain(out),
            Compression::Gzip => {
                let level = u32::try_from(level).unwrap_or(0);
                Self::Gzip(ParallelGzip::new(out, level, jobs))
            }
            Compression::Zstd => Self::Zstd(ParallelZstd::new(out, level, jobs)?),
        })
    }

    /// Compresses what is left; returns the writer, flushed.
    ///
    /// # Errors
    ///
    /// What the writer returns.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Self::Plain(mut out) => {
                out.flush()?;
                Ok(out)
            }
            Self::Gzip(gzip) => gzip.finish(),
            Self::Zstd(zstd) => zstd.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(out) => out.write(bytes),
            Self::Gzip(gzip) => gzip.write(bytes),
            Self::Zstd(zstd) => zstd.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(out) => out.flush(),
            Self::Gzip(gzip) => gzip.flush(),
            Self::Zstd(zstd) => zstd.flush(),
        }
    }
}

/// How much a thread of zstd compresses at once; left to the library, each thread would hold some
/// 30 MiB. Part of the output's identity: never change it.
const ZSTD_JOB: u32 = 2 << 20;

/// Compresses to one zstd frame with a checksum. Memory: about 5 MiB per job, more from level 10 on.
pub struct ParallelZstd<W: Write>(zstd::stream::write::Encoder<'static, W>);

impl<W: Write> ParallelZstd<W> {
    /// Compresses into `out` at `level` (1 to 22) with `jobs` threads.
    ///
    /// # Errors
    ///
    /// When the compressor cannot be set up.
    pub fn new(out: W, level: i32, jobs: usize) -> io::Result<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(out, level.clamp(1, 22))?;
        encoder.include_checksum(true)?;
        // One worker at least: without workers the library cuts its input in another way, and the
        // bytes would depend on the number of threads.
        encoder.multithread(u32::try_from(jobs.clamp(1, 64)).unwrap_or(1))?;
        encoder.set_parameter(zstd::zstd_safe::CParameter::JobSize(ZSTD_JOB))?;
        Ok(Self(encoder))
    }

    /// Compresses what is left and ends the frame; returns the writer.
    ///
    /// # Errors
    ///
    /// What the writer returns.
    pub fn finish(self) -> io::Result<W> {
        let mut out = self.0.finish()?;
        out.flush()?;
        Ok(out)
    }
}

impl<W: Write> Write for ParallelZstd<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    /// Flushes what was compressed so far. It does not end a block, since blocks make the output.
    fn flush(&mut self) -> io::Result<()> {
        self.0.get_mut().flush()
    }
}

impl<W: Write> fmt::Debug for ParallelZstd<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelZstd").finish_non_exhaustive()
    }
}
