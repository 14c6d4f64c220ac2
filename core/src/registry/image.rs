//! An image in a registry as a source of blobs.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::repository::{Document, Repository};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{self, Descriptor, Digest, MediaType};
use crate::store::{BlobReader, BlobSource, Place, absent};

/// An image or index in a registry: documents are fetched when asked for and kept, layers are read
/// as they come.
#[derive(Debug)]
pub struct Image {
    repository: Repository,
    reference: String,
    root: Descriptor,
    shelf: Shelf,
}

/// The documents of a repository that were fetched, and what they point to. Images that share one
/// fetch each document once, also if it is gone meanwhile: it is for a moment, not for hours.
#[derive(Debug, Clone, Default)]
pub struct Shelf(Arc<Mutex<HashMap<Digest, Known>>>);

#[derive(Debug, Clone)]
enum Known {
    /// A manifest or index that was not asked for yet, and its length by whoever points to it.
    Child(u64),
    /// The bytes of a manifest, index or configuration.
    Document(Arc<Vec<u8>>),
    /// A manifest that the registry does not have.
    Absent,
    /// A configuration that was not asked for yet, of that many bytes.
    Config(u64),
    /// A layer, of that many bytes.
    Blob(u64),
}

impl Shelf {
    fn known(&self) -> MutexGuard<'_, HashMap<Digest, Known>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Image {
    /// What stands under a tag or digest; `None` only if the registry says that there is nothing.
    pub fn open(repository: Repository, reference: &str) -> Result<Option<Self>> {
        Self::open_with(repository, reference, &Shelf::default())
    }

    /// Likewise; what is on `shelf`, which is of the same repository, is not fetched again.
    pub fn open_with(
        repository: Repository,
        reference: &str,
        shelf: &Shelf,
    ) -> Result<Option<Self>> {
        let Some(document) = repository.manifest(reference)? else {
            return Ok(None);
        };
        let image = Self {
            repository,
            reference: reference.to_owned(),
            root: document.descriptor.clone(),
            shelf: shelf.clone(),
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
        self.shelf.known().get(digest).cloned()
    }

    /// Keeps a document, and what it points to. One that makes no sense points to nothing: whoever
    /// reads it says so.
    fn keep(&self, document: Document) -> Known {
        let parsed = oci::Document::parse(&document.bytes, &document.descriptor.media_type);
        let mut known = self.shelf.known();
        match parsed {
            Ok(oci::Document::Index(index)) => {
                for child in index.manifests {
                    let entry = if is_document(&child.media_type) {
                        Known::Child(child.size)
                    } else {
                        Known::Blob(child.size)
                    };
                    let known = known.entry(child.digest).or_insert(entry.clone());
                    // It may have come since.
                    if matches!(known, Known::Absent) {
                        *known = entry;
                    }
                }
            }
            Ok(oci::Document::Manifest(manifest)) => {
                let config = Known::Config(manifest.config.size);
                known.entry(manifest.config.digest).or_insert(config);
                for layer in manifest.layers {
                    known.entry(layer.digest).or_insert(Known::Blob(layer.size));
                }
            }
            Err(_) => {}
        }
        let kept = Known::Document(Arc::new(document.bytes));
        known.insert(document.descriptor.digest, kept.clone());
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
                self.shelf.known().insert(*digest, Known::Absent);
                Known::Absent
            }
        };
        Ok(Some(found))
    }

    /// The configuration, which is kept if it is what its digest says; whoever reads it says if it
    /// is not.
    fn config(&self, digest: &Digest, size: u64) -> Result<Arc<Vec<u8>>> {
        let mut reader = self.repository.reader(digest, size)?;
        let mut bytes = Vec::new();
        let mut piece = [0; 8 << 10];
        loop {
            match reader.read(&mut piece)? {
                0 => break,
                count => bytes.extend_from_slice(&piece[..count]),
            }
        }
        let bytes = Arc::new(bytes);
        if digest.matches(&bytes) {
            let kept = Known::Document(Arc::clone(&bytes));
            self.shelf.known().insert(*digest, kept);
        }
        Ok(bytes)
    }
}

fn is_document(media_type: &MediaType) -> bool {
    media_type.is_index() || media_type.is_manifest() || media_type.is_schema1()
}

impl BlobSource for Image {
    fn size(&self, digest: &Digest) -> Option<u64> {
        match self.fetched(digest) {
            Ok(Some(Known::Document(bytes))) => Some(bytes.len() as u64),
            Ok(Some(Known::Blob(size) | Known::Config(size) | Known::Child(size))) => Some(size),
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
            Some(Known::Document(bytes)) => Ok(Box::new(Kept { bytes, at: 0 })),
            Some(Known::Config(size)) if size <= limits::MAX_JSON => {
                let bytes = self.config(digest, size)?;
                Ok(Box::new(Kept { bytes, at: 0 }))
            }
            Some(Known::Blob(size) | Known::Config(size) | Known::Child(size)) => {
                self.repository.reader(digest, size)
            }
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
    bytes: Arc<Vec<u8>>,
    at: usize,
}

impl BlobReader for Kept {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let past = || Error::new(ErrorKind::Internal, "a document was read past its end");
        let rest = self.bytes.get(self.at..).ok_or_else(past)?;
        let count = buffer.len().min(rest.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
