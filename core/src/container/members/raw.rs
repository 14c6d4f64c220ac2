//! The bytes of a container that was taken apart as it came by, told again from its parts.

use std::sync::Arc;

use super::{Backing, Members};
use crate::container::checksum::{Algorithm, Summer};
use crate::error::Result;
use crate::oci::Digest;
use crate::progress::Progress;
use crate::store::{BlobDirectory, BlobSource, CHUNK};

/// A part of a container.
#[derive(Debug)]
pub(crate) enum Part {
    /// What it has besides the content of its members.
    Bytes(Box<[u8]>),
    /// A member, in the spool.
    Blob(Digest, u64),
    /// A member that is a container itself, and what that is made of.
    Nested(Parts),
    /// What came by up to here, summed in all algorithms: the last of it was summed as it went by and
    /// can not be told again. It may lie in the container that is the next part.
    Summed(Vec<Summer>),
}

/// What a container is made of, in order.
pub(crate) type Parts = Arc<[Part]>;

impl Members {
    /// Says what the container is made of.
    pub(crate) fn is_made_of(&mut self, parts: Option<Vec<Part>>) {
        self.raw = parts.map(Parts::from);
    }

    /// What the container is made of, if its bytes can be told again.
    pub(crate) fn made_of(&self) -> Option<&Parts> {
        self.raw.as_ref()
    }

    /// The checksum of a member that is made of `parts`, in hex; `None` if not all of them are to be
    /// had.
    pub(crate) fn sum(
        &self,
        parts: &Parts,
        algorithm: Algorithm,
        progress: &Progress,
    ) -> Result<Option<String>> {
        let Backing::Stream(Some(spool)) = &self.backing else {
            return Ok(None);
        };
        let mut summer = summed(parts)
            .and_then(|summers| {
                summers
                    .iter()
                    .find(|summer| summer.algorithm() == algorithm)
            })
            .map_or_else(|| Summer::new(algorithm), Summer::clone);
        let told = tell_rest(parts, spool, &mut |piece| {
            progress.check()?;
            summer.update(piece);
            Ok(())
        })?;
        Ok(told.then(|| summer.finish()))
    }
}

/// What `parts` begin with was summed to as it went by, if any of it was.
pub(in crate::container) fn summed(parts: &[Part]) -> Option<&[Summer]> {
    let mut summed = parts.iter().rev().filter_map(|part| match part {
        Part::Summed(summers) => Some(&summers[..]),
        _ => None,
    });
    summed.next()
}

/// Hands the bytes of `parts` behind what was summed of them to `take`, piece by piece; `false` if not
/// all of them are to be had.
pub(in crate::container) fn tell_rest(
    parts: &[Part],
    spool: &BlobDirectory,
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<bool> {
    let is_summed = |part: &Part| matches!(part, Part::Summed(_));
    let begin = parts.iter().rposition(is_summed).map_or(0, |at| at + 1);
    let mut buffer = Vec::new();
    for part in &parts[begin..] {
        match part {
            Part::Bytes(bytes) => take(bytes)?,
            Part::Nested(inner) => {
                // If anything in it was summed as it went by, so was all that came before.
                if !tell_rest(inner, spool, take)? {
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
            Part::Summed(_) => {}
        }
    }
    Ok(true)
}
