//! An image in a registry as a source of blobs.

use super::Repository;
use crate::error::Result;
use crate::oci::{Descriptor, Digest};
use crate::store::{BlobReader, BlobSource, Place};

/// An image or index in a registry: documents are fetched when asked for and kept, layers are read
/// as they come.
#[derive(Debug)]
pub struct Image {
    repository: Repository,
    root: Descriptor,
}

impl Image {
    /// What stands under a tag or digest; `None` only if the registry says that there is nothing.
    pub fn open(_repository: Repository, _reference: &str) -> Result<Option<Self>> {
        unimplemented!()
    }

    /// The manifest or index that the image was opened by.
    #[must_use]
    pub fn root(&self) -> &Descriptor {
        &self.root
    }
}

impl BlobSource for Image {
    fn size(&self, _digest: &Digest) -> Option<u64> {
        unimplemented!()
    }

    fn open<'a>(&'a self, _digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        unimplemented!("{:?}", self.repository)
    }

    fn place(&self, _digest: &Digest) -> Place {
        unimplemented!()
    }
}
