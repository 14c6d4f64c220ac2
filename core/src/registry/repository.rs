//! One repository of a registry.

use super::Host;
use crate::error::Result;
use crate::oci::{Descriptor, Digest};
use crate::store::{BlobReader, BlobSource, Expected, Transfer};

/// A manifest or index as a registry gave it, verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// What the bytes are.
    pub descriptor: Descriptor,
    /// The exact bytes.
    pub bytes: Vec<u8>,
}

/// Remembers across runs where the upload of a blob got to.
pub trait Sessions: Sync {
    /// The address at which the upload of the blob goes on.
    fn get(&self, repository: &str, digest: &Digest) -> Option<String>;

    /// Remembers that address; `None`: there is nothing to go on with any more. It may let whoever
    /// knows it write: keep it from others' eyes.
    fn set(&self, repository: &str, digest: &Digest, location: Option<&str>);
}

/// One repository of a registry. Clones share what was learned of the registry.
#[derive(Debug, Clone)]
pub struct Repository {
    host: Host,
    name: String,
}

impl Repository {
    /// The registry, as it was asked for.
    #[must_use]
    pub fn host(&self) -> &str {
        self.host.name()
    }

    /// The path in the registry.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The manifest or index under a tag or digest, verified; `None` only if the registry says
    /// that there is none.
    pub fn manifest(&self, _reference: &str) -> Result<Option<Document>> {
        unimplemented!()
    }

    /// What stands under a tag or digest, by the registry's word; `None` only if the registry says
    /// that there is nothing.
    pub fn head(&self, _reference: &str) -> Result<Option<Descriptor>> {
        unimplemented!()
    }

    /// How many bytes the blob has; `None` only if the registry says that there is none.
    pub fn blob(&self, _digest: &Digest) -> Result<Option<u64>> {
        unimplemented!()
    }

    /// Reads the blob, going on where a connection broke. What comes out is not verified.
    pub fn reader(&self, _digest: &Digest, _size: u64) -> Result<Box<dyn BlobReader + '_>> {
        unimplemented!()
    }

    /// Takes the blob over from the repository `from` of the same registry; `false` if the
    /// registry wants it uploaded.
    pub fn mount(&self, _digest: &Digest, _from: &str) -> Result<bool> {
        unimplemented!()
    }

    /// Uploads the blob, verified as [`Transfer::run`] does, and says how many bytes were sent.
    /// With `sessions` an upload that an earlier run began goes on where it stopped.
    pub fn upload(
        &self,
        _source: &dyn BlobSource,
        _blob: &Expected,
        _transfer: &mut Transfer<'_>,
        _sessions: Option<&dyn Sessions>,
    ) -> Result<u64> {
        unimplemented!()
    }

    /// Puts a manifest or index under a tag or digest.
    pub fn put(&self, _reference: &str, _descriptor: &Descriptor, _bytes: &[u8]) -> Result<()> {
        unimplemented!()
    }

    /// All tags, sorted; a repository that does not exist has none.
    pub fn tags(&self) -> Result<Vec<String>> {
        unimplemented!()
    }

    /// Deletes a tag or manifest; `false` if there was none.
    pub fn delete(&self, _reference: &str) -> Result<bool> {
        unimplemented!()
    }
}
