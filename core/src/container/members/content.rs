//! Reading members: where they lie, and their bytes.

use std::sync::Arc;

use super::{Backing, Content, Member, Members, Nested, Streamed};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::Mapped;
use crate::oci::Digest;
use crate::store::{BlobReader, BlobSource, FileReader, Place, mismatch};

impl Members {
    /// Where a member lies.
    pub(crate) fn place(&self, member: &Member) -> Place {
        let (path, name, offset) = match &member.content {
            Content::Range(offset) => (
                self.path.clone(),
                Some(self.called(&member.name)),
                Some(*offset),
            ),
            Content::File(path) => (path.clone(), None, None),
            Content::Streamed(streamed) => (
                self.path.clone(),
                Some(self.called(&member.name)),
                Some(streamed.offset),
            ),
        };
        Place {
            path: Some(path),
            member: name,
            offset,
        }
    }

    /// Begins to read a member.
    pub(crate) fn open<'a>(&'a self, member: &Member) -> Result<Box<dyn BlobReader + 'a>> {
        match (&member.content, &self.backing) {
            (Content::Range(offset), Backing::Tar(mapped)) => Ok(Box::new(RangeReader {
                mapped,
                offset: *offset,
                left: member.size,
            })),
            (Content::File(path), _) => Ok(Box::new(FileReader::open(path.clone())?)),
            (Content::Streamed(streamed), Backing::Stream(spool)) => {
                match (&streamed.kept, spool, &streamed.digest) {
                    (Some(kept), _, _) => {
                        Ok(Box::new(KeptReader(Arc::clone(streamed), kept.len())))
                    }
                    (None, Some(spool), Some(digest)) => spool.open(digest),
                    (None, Some(_), None) => Err(self.place(member).blame(
                        Error::new(
                            ErrorKind::Unsupported,
                            "an image archive stands where a layer should",
                        )
                        .hint("decompress the outer file first: it is then read in place"),
                    )),
                    // Where nothing is spooled, documents are kept and layers are not read again.
                    (None, None, digest) => {
                        let stated = (member.name.rfind("blobs/"))
                            .and_then(|at| Digest::from_blob_path(&member.name[at..]));
                        let error = match (stated, digest) {
                            (Some(stated), Some(found)) if stated != *found => {
                                mismatch(&stated, found)
                            }
                            _ => Error::new(
                                ErrorKind::InvalidArchive,
                                "a JSON document is expected here, and this does not begin as one",
                            )
                            .hint("the archive is damaged: copy or save it again"),
                        };
                        Err(self.place(member).blame(error))
                    }
                }
            }
            _ => Err(Error::new(ErrorKind::Internal, "a member without content")),
        }
    }

    /// Whether the content of a streamed member is in the spool.
    pub(in crate::container) fn spools(&self, streamed: &Streamed) -> bool {
        match (&self.backing, &streamed.digest) {
            (Backing::Stream(Some(spool)), Some(digest)) => {
                spool.size(digest) == Some(streamed.size)
            }
            _ => false,
        }
    }

    /// The first bytes of a member, at most `count`; of one that came by in a stream, a few.
    pub(crate) fn head(&self, member: &Member, count: usize) -> Result<Vec<u8>> {
        if let Content::Streamed(streamed) = &member.content {
            return Ok(streamed.head.iter().copied().take(count).collect());
        }
        self.first(member, count)
    }

    /// The first bytes of a member, at most `count`.
    pub(super) fn first(&self, member: &Member, count: usize) -> Result<Vec<u8>> {
        let mut head = vec![0; count];
        let mut filled = 0;
        let mut reader = self.open(member)?;
        while filled < count {
            match reader.read(&mut head[filled..])? {
                0 => break,
                more => filled += more,
            }
        }
        head.truncate(filled);
        Ok(head)
    }

    /// The whole of a small member, in a buffer of its own.
    pub(crate) fn document(&self, member: &Member, most: u64) -> Result<Vec<u8>> {
        let blame = |error: Error| self.place(member).blame(error);
        if member.size > most {
            let message = format!(
                "a document of {} bytes; at most {most} are read",
                member.size
            );
            return Err(blame(Error::new(ErrorKind::LimitExceeded, message)));
        }
        let mut bytes = vec![0; usize::try_from(member.size).unwrap_or(0)];
        let mut filled = 0;
        let mut reader = self.open(member)?;
        while filled < bytes.len() {
            match reader.read(&mut bytes[filled..]).map_err(blame)? {
                0 => {
                    let message = "the file shrank while it was read";
                    return Err(blame(Error::new(ErrorKind::InputChanged, message)));
                }
                more => filled += more,
            }
        }
        Ok(bytes)
    }

    /// The container that `member` is, if it was taken apart as it came by.
    pub(crate) fn taken_apart<'a>(&self, member: &'a Member) -> Option<&'a Nested> {
        self.streamed(member)?.nested.as_deref()
    }

    /// Whether the content of `member` can be read: it was not only looked at as it came by.
    pub(crate) fn is_at_hand(&self, member: &Member) -> bool {
        self.streamed(member)
            .is_none_or(|streamed| streamed.kept.is_some() || self.spools(streamed))
    }

    /// Whether looking into a compressed member is worth it; for one that came by in a stream,
    /// that showed.
    pub(crate) fn worth_inflating(&self, member: &Member) -> bool {
        self.streamed(member)
            .is_none_or(|streamed| streamed.worth_inflating)
    }

    /// What was learnt of a member as it came by in a stream.
    pub(crate) fn streamed<'a>(&self, member: &'a Member) -> Option<&'a Streamed> {
        match &member.content {
            Content::Streamed(streamed) => Some(streamed),
            _ => None,
        }
    }

    /// Whether the archive has changed since it was opened.
    pub(crate) fn changed(&self) -> bool {
        match &self.backing {
            // If the file cannot even be asked, it is not what it was.
            Backing::Tar(mapped) => mapped.changed().unwrap_or(true),
            _ => false,
        }
    }
}

struct RangeReader<'a> {
    mapped: &'a Mapped,
    offset: u64,
    left: u64,
}

impl BlobReader for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        self.mapped.read_at(self.offset, &mut buffer[..count])?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Reads content that was kept in memory; the number is how much is left.
struct KeptReader(Arc<Streamed>, usize);

impl BlobReader for KeptReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let kept = self.0.kept.as_deref().unwrap_or_default();
        let rest = &kept[kept.len() - self.1..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.1 -= count;
        Ok(count)
    }
}
