//! Where blobs are and where they go: the traits that an archive, a layout and a spool share, and
//! the one loop that moves a blob.

mod directory;
mod memory;
mod room;
mod transfer;
pub mod workers;

use std::fmt;
use std::path::PathBuf;

pub(crate) use directory::FileReader;
pub use directory::{BlobDirectory, BlobWriter};
pub use memory::Memory;
pub use transfer::{CHUNK, Expected, Transfer, read_document};
pub(crate) use transfer::{Check, Hashing, blamed, check_size, mismatch};

use crate::error::{Error, ErrorKind, Result};
use crate::oci::Digest;

/// Where a blob lies, for errors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// The file or directory.
    pub path: Option<PathBuf>,
    /// The archive member.
    pub member: Option<String>,
    /// The byte of the file at which the blob begins.
    pub offset: Option<u64>,
}

impl Place {
    /// `error`, saying that it is about this place; what it says already stays.
    #[must_use]
    pub fn blame(&self, error: Error) -> Error {
        let mut error = advise(error);
        // What stopped the run or filled the destination's disk is not the fault of the place
        // that was being read.
        if error.get_path().is_some() {
            return error;
        }
        if let Some(path) = &self.path {
            error = error.path(path);
        }
        if let Some(member) = &self.member {
            error = error.member(member);
        }
        match self.offset {
            Some(offset) => error.offset(offset),
            None => error,
        }
    }
}

/// `error`, with what to do about an archive that is damaged unless it says that already.
pub(crate) fn advise(error: Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidArchive => error.hint("the archive is damaged: copy or save it again"),
        _ => error,
    }
}

/// Somewhere that holds blobs by digest.
pub trait BlobSource: fmt::Debug + Send + Sync {
    /// How many bytes the blob has; `None` if it is not here.
    fn size(&self, digest: &Digest) -> Option<u64>;

    /// Begins to read the blob. What comes out is not verified.
    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>>;

    /// Where the blob lies.
    fn place(&self, digest: &Digest) -> Place;

    /// Whether the blob is in no file: fusion made it.
    fn is_made(&self, _digest: &Digest) -> bool {
        false
    }

    /// Whether what is read from has changed since it was opened.
    fn changed(&self) -> bool {
        false
    }
}

/// A blob that is being read.
pub trait BlobReader: Send {
    /// Fills the beginning of `buffer` with what comes next, and says with how many bytes; 0 at
    /// the end.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize>;
}

/// Several places as one; the first that holds a blob gives it.
#[derive(Debug, Default)]
pub struct Sources<'a>(pub Vec<&'a dyn BlobSource>);

impl Sources<'_> {
    fn holder(&self, digest: &Digest) -> Option<&dyn BlobSource> {
        self.0
            .iter()
            .copied()
            .find(|source| source.size(digest).is_some())
    }
}

impl BlobSource for Sources<'_> {
    fn size(&self, digest: &Digest) -> Option<u64> {
        self.holder(digest)?.size(digest)
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        match self.holder(digest) {
            Some(source) => source.open(digest),
            None => Err(absent(digest)),
        }
    }

    /// A spool holds what came out of an archive: the archive is the place that means something.
    fn place(&self, digest: &Digest) -> Place {
        let holders = self.0.iter().filter(|source| source.size(digest).is_some());
        let mut places = holders.map(|source| source.place(digest));
        places
            .find(|place| place.path.is_some())
            .unwrap_or_default()
    }

    fn is_made(&self, digest: &Digest) -> bool {
        self.holder(digest)
            .is_some_and(|source| source.is_made(digest))
    }

    fn changed(&self) -> bool {
        self.0.iter().any(|source| source.changed())
    }
}

/// The error of a blob that something refers to and nothing holds.
pub(crate) fn absent(digest: &Digest) -> Error {
    Error::new(
        ErrorKind::InvalidArchive,
        format!("blob {digest} is missing"),
    )
    .digest(digest)
    .hint("the archive is incomplete: copy or save it again")
}
