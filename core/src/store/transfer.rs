//! The one loop that moves a blob: into a private buffer, hashed there, written from there.
//!
//! What is published was therefore hashed on bytes that nobody else could change, and read once.

use crate::compress::Inflater;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Compression, Descriptor, Digest, Hasher};
use crate::progress::Progress;

use super::{BlobSource, absent};

/// How many bytes are moved at a time: small enough to stay in a core's cache between being read,
/// hashed and written.
pub const CHUNK: usize = 256 << 10;

/// What a blob must turn out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// The digest it goes by.
    pub digest: Digest,
    /// Its length in bytes.
    pub size: u64,
    /// The digest of the layer that comes out of it, where that is to be checked, and what it is
    /// compressed with.
    pub diff_id: Option<(Compression, Digest)>,
}

impl Expected {
    /// What `descriptor` says its content is.
    #[must_use]
    pub fn of(descriptor: &Descriptor) -> Self {
        Self {
            digest: descriptor.digest,
            size: descriptor.size,
            diff_id: None,
        }
    }

    /// Has it be what `other`, of the same blob, says too. Fails if the two name different diff
    /// IDs: at most one of them can be right.
    pub fn also(&mut self, other: &Self) -> Result<()> {
        match (self.diff_id, other.diff_id) {
            (Some(one), Some(another)) if one != another => Err(Error::new(
                ErrorKind::DigestMismatch,
                format!(
                    "images disagree about this layer: for one its compression is {} and its diff ID \
                     {}, for another {} and {}",
                    one.0.name(),
                    one.1,
                    another.0.name(),
                    another.1
                ),
            )
            .digest(self.digest)
            .hint("one of the two was put together wrongly: `fusion verify` says which")),
            (known, told) => {
                self.diff_id = known.or(told);
                Ok(())
            }
        }
    }
}

/// Moves blobs, one after another, through one buffer.
#[derive(Debug)]
pub struct Transfer<'a> {
    progress: &'a Progress,
    buffer: Vec<u8>,
}

impl<'a> Transfer<'a> {
    /// A mover that counts into `progress` and stops when that says so.
    #[must_use]
    pub fn new(progress: &'a Progress) -> Self {
        Self {
            progress,
            buffer: vec![0; CHUNK],
        }
    }

    /// Reads the blob from `source` and hands it to `write` piece by piece. Once this returns
    /// without an error, the pieces together were what is `expected`.
    pub fn run(
        &mut self,
        source: &dyn BlobSource,
        expected: &Expected,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        self.run_unblamed(source, expected, write)
            .map_err(|error| blamed(source, expected, error))
    }

    /// What whoever drives a reader by itself needs: where to count, and a buffer.
    pub(crate) fn parts(&mut self) -> (&'a Progress, &mut [u8]) {
        (self.progress, &mut self.buffer)
    }

    fn run_unblamed(
        &mut self,
        source: &dyn BlobSource,
        expected: &Expected,
        write: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut check = Check::begin(source, expected)?;
        let mut reader = source.open(&expected.digest)?;
        loop {
            self.progress.check()?;
            let count = reader.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            let piece = &self.buffer[..count];
            if !check.push(piece) {
                break;
            }
            write(piece)?;
            self.progress.add_bytes(count as u64);
        }
        check.finish()?;
        self.progress.add_blob();
        Ok(())
    }
}

/// `error`, saying from where the blob came; content that changed meanwhile is not called damaged.
pub(crate) fn blamed(source: &dyn BlobSource, expected: &Expected, error: Error) -> Error {
    let blame = |error| source.place(&expected.digest).blame(error);
    let corrupt = matches!(
        error.kind(),
        ErrorKind::DigestMismatch | ErrorKind::InvalidArchive | ErrorKind::InputChanged
    );
    if corrupt && source.changed() {
        let error = Error::new(
            ErrorKind::InputChanged,
            "the file changed while it was read",
        )
        .digest(expected.digest)
        .hint("wait until nothing writes to it any more, and run again");
        return blame(error);
    }
    blame(error)
}

/// Whether the pieces of a blob together are what is expected.
pub(crate) struct Check {
    expected: Expected,
    hasher: Hasher,
    layer: Option<Inflater<Hashing>>,
    /// Content that is not what it goes by explains why it cannot be inflated.
    uninflatable: Option<Error>,
    done: u64,
}

impl Check {
    /// Begins with a blob that `source` must hold, of the expected length.
    pub(crate) fn begin(source: &dyn BlobSource, expected: &Expected) -> Result<Self> {
        let Some(size) = source.size(&expected.digest) else {
            return Err(absent(&expected.digest));
        };
        check_size(expected, size)?;
        let layer = match expected.diff_id {
            // An uncompressed layer's diff ID is its digest.
            Some((Compression::None, diff_id)) if diff_id == expected.digest => None,
            Some((compression, _)) => Some(Inflater::new(compression, Hashing::default())?),
            None => None,
        };
        Ok(Self {
            expected: *expected,
            hasher: expected.digest.hasher(),
            layer,
            uninflatable: None,
            done: 0,
        })
    }

    /// Takes the next piece in; `false` if that is more than the blob has.
    pub(crate) fn push(&mut self, piece: &[u8]) -> bool {
        self.done += piece.len() as u64;
        if self.done > self.expected.size {
            return false;
        }
        self.hasher.update(piece);
        if let (Some(inflater), None) = (&mut self.layer, &self.uninflatable) {
            self.uninflatable = inflater.push(piece).err();
        }
        true
    }

    /// Judges, after the last piece.
    pub(crate) fn finish(self) -> Result<()> {
        let expected = self.expected;
        check_size(&expected, self.done)?;
        let found = self.hasher.finish();
        if found != expected.digest {
            return Err(mismatch(&expected.digest, &found));
        }
        if let Some(error) = self.uninflatable {
            return Err(error);
        }
        if let (Some(layer), Some((_, diff_id))) = (self.layer, expected.diff_id) {
            let found = layer.finish()?.0.finish();
            if found != diff_id {
                return Err(Error::new(
                    ErrorKind::DigestMismatch,
                    format!(
                        "the layer's diff ID is {found}, the image configuration says {diff_id}"
                    ),
                )
                .digest(diff_id)
                .hint("the image was put together wrongly: build or save it again"));
            }
        }
        Ok(())
    }
}

/// Fails unless `found` bytes are what is expected.
pub(crate) fn check_size(expected: &Expected, found: u64) -> Result<()> {
    if found == expected.size {
        return Ok(());
    }
    let message = format!(
        "{found} bytes where its descriptor says {} ({})",
        expected.size, expected.digest
    );
    Err(Error::new(ErrorKind::InvalidArchive, message)
        .digest(expected.digest)
        .hint("the archive is damaged: copy or save it again"))
}

/// The error of content that is not what it goes by.
pub(crate) fn mismatch(expected: &Digest, found: &Digest) -> Error {
    Error::new(
        ErrorKind::DigestMismatch,
        format!("expected {expected}, got {found}"),
    )
    .digest(expected)
    .hint("the content is damaged: copy or save the archive again")
}

/// Hashes what is written to it.
#[derive(Debug)]
pub(crate) struct Hashing(pub(crate) Hasher);

impl Default for Hashing {
    fn default() -> Self {
        Self(Hasher::sha256())
    }
}

impl std::io::Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads a document (manifest, index, configuration) into a buffer of its own and verifies it
/// there, before anybody parses it.
pub fn read_document(source: &dyn BlobSource, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let digest = &descriptor.digest;
    if descriptor.size > limits::MAX_JSON {
        let message = format!(
            "a document of {} bytes; at most {} are read",
            descriptor.size,
            limits::MAX_JSON
        );
        let error = Error::new(ErrorKind::LimitExceeded, message).digest(digest);
        return Err(source.place(digest).blame(error));
    }
    let progress = Progress::default();
    let mut bytes = Vec::with_capacity(usize::try_from(descriptor.size).unwrap_or(0));
    Transfer::new(&progress).run(source, &Expected::of(descriptor), &mut |piece| {
        bytes.extend_from_slice(piece);
        Ok(())
    })?;
    Ok(bytes)
}
