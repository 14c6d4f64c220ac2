//! The bytes of a container that was taken apart as it came by, told again from its parts.

use std::sync::Arc;

use super::{Backing, Members, Nested};
use crate::error::Result;
use crate::oci::{Compression, Digest};
use crate::store::{BlobSource, CHUNK};

/// A part of a container.
#[derive(Debug)]
pub(crate) enum Part {
    /// What it has besides the content of its members.
    Bytes(Box<[u8]>),
    /// A member, in the spool.
    Blob(Digest, u64),
    /// A member that is a container itself.
    Nested(Arc<Nested>),
}

impl Nested {
    /// Whether its bytes can be told again. Of what was inflated they cannot.
    pub(crate) fn has_raw(&self) -> bool {
        self.compression == Compression::None && self.members.raw.is_some()
    }
}

impl Members {
    /// Says what the container is made of.
    pub(crate) fn made_of(&mut self, parts: Option<Vec<Part>>) {
        self.raw = parts;
    }

    /// Hands the bytes of the container to `take`, piece by piece; `false` if not all of them are
    /// to be had.
    pub(crate) fn tell(&self, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let (Some(parts), Backing::Stream(Some(spool))) = (&self.raw, &self.backing) else {
            return Ok(false);
        };
        let mut buffer = Vec::new();
        for part in parts {
            match part {
                Part::Bytes(bytes) => take(bytes)?,
                Part::Nested(nested) => {
                    if !nested.members.tell(take)? {
                        return Ok(false);
                    }
                }
                Part::Blob(digest, size) => {
                    if spool.size(digest) != Some(*size) {
                        return Ok(false);
                    }
                    buffer.resize(CHUNK, 0);
                    let mut reader = spool.open(digest)?;
                    loop {
                        match reader.read(&mut buffer)? {
                            0 => break,
                            count => take(&buffer[..count])?,
                        }
                    }
                }
            }
        }
        Ok(true)
    }
}
