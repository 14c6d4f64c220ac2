//! A member that may be a container itself, as it comes by in a stream.
//!
//! Whether it is one that matters shows only inside. Until then it is kept as a file too, so that
//! it can stay one. If nothing shows early, it stays whole: taking it apart then would keep its
//! content twice.

use std::io::{self, Read};

use super::evidence::Found;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Digest, Hasher};
use crate::store::BlobWriter;

/// How many bytes of a container are kept twice before it has to have shown what it is.
const EARLY: u64 = 1 << 20;

/// The member as it is stored, kept and hashed as long as it may have to stay a file.
pub(super) struct Raw<'a, R> {
    input: R,
    found: &'a Found<'a>,
    hasher: Option<Hasher>,
    writer: Option<BlobWriter<'a>>,
    seen: u64,
}

impl<'a, R: Read> Raw<'a, R> {
    pub(super) fn new(input: R, found: &'a Found<'a>, writer: Option<BlobWriter<'a>>) -> Self {
        Self {
            input,
            found,
            hasher: Some(Hasher::sha256()),
            writer,
            seen: 0,
        }
    }

    /// Lets go of what was kept, which is of no use any more.
    pub(super) fn let_go(&mut self) {
        (self.hasher, self.writer) = (None, None);
    }

    /// Reads what is left. The digest of it all and what was written, if it was kept as a file.
    pub(super) fn finish(mut self, buffer: &mut [u8]) -> Result<Option<Digest>> {
        while self.read(buffer).map_err(crate::compress::into_error)? > 0 {}
        self.decide();
        let Some(hasher) = self.hasher else {
            return Ok(None);
        };
        let digest = hasher.finish();
        if let Some(writer) = self.writer {
            writer.commit(&digest)?;
        }
        Ok(Some(digest))
    }

    fn decide(&mut self) {
        if self.found.is_whole() {
            return;
        }
        // Nothing in it was passed over so far.
        if self.found.worth() {
            (self.hasher, self.writer) = (None, None);
        } else if self.seen > EARLY && self.writer.is_some() {
            self.found.keep_whole();
        }
    }
}

impl<R: Read> Read for Raw<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.decide();
        let count = self.input.read(buffer)?;
        self.seen += count as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        if let Some(writer) = &mut self.writer {
            writer.write(&buffer[..count]).map_err(io::Error::other)?;
        }
        Ok(count)
    }
}

/// What a compressed member inflates to, hashed as long as it may be a layer, and kept as long as it
/// may turn out late that there are images in it: it is then read in place, and never inflated again.
pub(super) struct Inflated<'a, R> {
    input: R,
    found: &'a Found<'a>,
    hasher: Option<Hasher>,
    writer: Option<BlobWriter<'a>>,
}

/// What came out of a compressed member.
pub(super) struct Plain {
    /// What it all hashes to, unless it turned out early to matter itself.
    pub(super) digest: Option<Digest>,
    /// Whether the spool has it: something in it showed late that it matters.
    pub(super) is_kept: bool,
}

impl<'a, R: Read> Inflated<'a, R> {
    pub(super) fn new(input: R, found: &'a Found<'a>) -> Self {
        Self {
            input,
            found,
            hasher: Some(Hasher::sha256()),
            writer: None,
        }
    }

    /// Keeps what comes from here on, and `head`, which came before.
    pub(super) fn keep(&mut self, mut writer: BlobWriter<'a>, head: &[u8]) -> Result<()> {
        writer.write(head)?;
        self.writer = Some(writer);
        Ok(())
    }

    /// Reads what is left, and says what it was.
    pub(super) fn finish(mut self, buffer: &mut [u8]) -> Result<Plain> {
        while self.read(buffer).map_err(crate::compress::into_error)? > 0 {}
        let digest = self.hasher.map(Hasher::finish);
        let mut is_kept = false;
        // What was taken apart early is in the spool already.
        if let (Some(writer), Some(digest)) = (self.writer, &digest)
            && self.found.is_whole()
            && self.found.hints()
        {
            writer.commit(digest)?;
            is_kept = true;
        }
        Ok(Plain { digest, is_kept })
    }
}

impl<R: Read> Read for Inflated<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.found.worth() && !self.found.is_whole() {
            (self.hasher, self.writer) = (None, None);
        }
        let count = self.input.read(buffer)?;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&buffer[..count]);
        }
        if let Some(writer) = &mut self.writer {
            writer.write(&buffer[..count]).map_err(io::Error::other)?;
        }
        Ok(count)
    }
}

/// The error of containers in containers without end.
pub(super) fn too_deep() -> Error {
    let message = format!("archives nest deeper than {}", limits::MAX_NESTING);
    Error::new(ErrorKind::LimitExceeded, message)
        .hint("take the innermost images out of it and name those")
}
