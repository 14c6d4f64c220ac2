//! An image in a registry as a source of blobs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::repository::{Document, Repository};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{self, Descriptor, Digest, MediaType};
use crate::store::{BlobReader, BlobSource, Place, absent};

/// An image or index in a registry: documents are fetched when asked for and kept, layers are read
/// as they come.
#[derive(Debug)]
pub struct Image {
    repository: Repository,
    reference: String,
    root: Descriptor,
    /// What the documents that were fetched point to.
    known: Mutex<HashMap<Digest, Known>>,
}

#[derive(Debug, Clone)]
enum Known {
    /// A manifest or index that was not asked for yet, and its length by whoever points to it.
    Child(u64),
    /// A manifest or index.
    Document(Arc<Document>),
    /// A manifest that the registry does not have.
    Absent,
    /// A configuration or layer, of that many bytes.
    Blob(u64),
}

impl Image {
    /// What stands under a tag or digest; `None` only if the registry says that there is nothing.
    pub fn open(repository: Repository, reference: &str) -> Result<Option<Self>> {
        let Some(document) = repository.manifest(reference)? else {
            return Ok(None);
        };
        let image = Self {
            repository,
            reference: reference.to_owned(),
            root: document.descriptor.clone(),
            known: Mutex::default(),
        };
        image.keep(document);
        Ok(Some(image))
    }

    /// The manifest or index that the image was opened by.
    #[must_use]
    pub fn root(&self) -> &Descriptor {
        &self.root
    }

    /// The repository that the image is in.
    #[must_use]
    pub fn repository(&self) -> &Repository {
        &self.repository
    }

    fn look(&self, digest: &Digest) -> Option<Known> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(digest).cloned()
    }

    /// Keeps a document, and what it points to. One that makes no sense points to nothing: whoever
    /// reads it says so.
    fn keep(&self, document: Document) -> Known {
        let parsed = oci::Document::parse(&document.bytes, &document.descriptor.media_type);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        match parsed {
            Ok(oci::Document::Index(index)) => {
                for child in index.manifests {
                    let entry = if is_document(&child.media_type) {
                        Known::Child(child.size)
                    } else {
                        Known::Blob(child.size)
                    };
                    known.entry(child.digest).or_insert(entry);
                }
            }
            Ok(oci::Document::Manifest(manifest)) => {
                for blob in std::iter::once(manifest.config).chain(manifest.layers) {
                    known.entry(blob.digest).or_insert(Known::Blob(blob.size));
                }
            }
            Err(_) => {}
        }
        let kept = Known::Document(Arc::new(document));
        if let Known::Document(document) = &kept {
            known.insert(document.descriptor.digest, kept.clone());
        }
        kept
    }

    /// Likewise, with a child fetched.
    fn fetched(&self, digest: &Digest) -> Result<Option<Known>> {
        match self.look(digest) {
            Some(Known::Child(_)) => {}
            known => return Ok(known),
        }
        let found = match self.repository.manifest(&digest.to_string())? {
            Some(document) => self.keep(document),
            None => {
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.insert(*digest, Known::Absent);
                Known::Absent
            }
        };
        Ok(Some(found))
    }
}

fn is_document(media_type: &MediaType) -> bool {
    media_type.is_index() || media_type.is_manifest() || media_type.is_schema1()
}

impl BlobSource for Image {
    fn size(&self, digest: &Digest) -> Option<u64> {
        match self.fetched(digest) {
            Ok(Some(Known::Document(document))) => Some(document.bytes.len() as u64),
            Ok(Some(Known::Blob(size) | Known::Child(size))) => Some(size),
            Ok(Some(Known::Absent) | None) => None,
            // Not absent: whoever opens it gets the error.
            Err(_) => match self.look(digest) {
                Some(Known::Child(size)) => Some(size),
                _ => None,
            },
        }
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        match self.fetched(digest)? {
            Some(Known::Document(document)) => Ok(Box::new(Kept { document, at: 0 })),
            Some(Known::Blob(size) | Known::Child(size)) => self.repository.reader(digest, size),
            Some(Known::Absent) | None => Err(absent(digest)),
        }
    }

    fn place(&self, _digest: &Digest) -> Place {
        let mark = if self.reference.parse::<Digest>().is_ok() {
            '@'
        } else {
            ':'
        };
        let full = self.repository.full();
        Place {
            path: Some(PathBuf::from(format!(
                "docker://{full}{mark}{}",
                self.reference
            ))),
            member: None,
            offset: None,
        }
    }
}

struct Kept {
    document: Arc<Document>,
    at: usize,
}

impl BlobReader for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let rest =
            self.document.bytes.get(self.at..).ok_or_else(|| {
                Error::new(ErrorKind::Internal, "a document was read past its end")
            })?;
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
