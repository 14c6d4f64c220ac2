//! Blobs in memory: the documents that fusion makes itself.

use std::collections::HashMap;

use super::{BlobReader, BlobSource, Place, absent};
use crate::error::Result;
use crate::oci::Digest;

/// Small documents by digest.
#[derive(Debug, Clone, Default)]
pub struct Memory(HashMap<Digest, Vec<u8>>);

impl Memory {
    /// Keeps `bytes` under the digest they have, which is returned.
    pub fn insert(&mut self, bytes: Vec<u8>) -> Digest {
        let digest = Digest::of(&bytes);
        self.0.insert(digest, bytes);
        digest
    }

    /// Whether the blob is here.
    #[must_use]
    pub fn contains(&self, digest: &Digest) -> bool {
        self.0.contains_key(digest)
    }
}

impl BlobSource for Memory {
    fn size(&self, digest: &Digest) -> Option<u64> {
        self.0.get(digest).map(|bytes| bytes.len() as u64)
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        match self.0.get(digest) {
            Some(bytes) => Ok(Box::new(Rest(bytes))),
            None => Err(absent(digest)),
        }
    }

    fn place(&self, _digest: &Digest) -> Place {
        Place::default()
    }

    fn is_made(&self, digest: &Digest) -> bool {
        self.contains(digest)
    }
}

struct Rest<'a>(&'a [u8]);

impl BlobReader for Rest<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = buffer.len().min(self.0.len());
        let (now, later) = self.0.split_at(count);
        buffer[..count].copy_from_slice(now);
        self.0 = later;
        Ok(count)
    }
}
