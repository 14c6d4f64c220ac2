//! A directory of blobs, `<algorithm>/<hex>` as in the `blobs/` of an OCI layout: what a layout is
//! built in, and the spool of a compressed source.
//!
//! Only this run writes to it: it lies in a staging directory. A blob gets its name once its
//! content has been hashed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{BlobReader, BlobSource, Place, absent};
use crate::error::{Error, Result};
use crate::fsx;
use crate::oci::Digest;

/// How much is written between two hints to the system to begin writing it to disk.
const WRITEBACK: u64 = 8 << 20;

/// A directory of blobs that only this run writes to.
#[derive(Debug)]
pub struct BlobDirectory {
    path: PathBuf,
    durable: bool,
    /// Names temporary files apart.
    serial: AtomicU64,
    /// Bytes of blobs that were committed.
    held: AtomicU64,
}

impl BlobDirectory {
    /// The directory at `path`, which is created. `durable`: a blob is on disk before it gets its
    /// name.
    pub fn create(path: PathBuf, durable: bool) -> Result<Self> {
        fsx::create_dir_all(&path.join("sha256"))?;
        Ok(Self {
            path,
            durable,
            serial: AtomicU64::new(0),
            held: AtomicU64::new(0),
        })
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many bytes of blobs were written.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Begins a blob whose digest is not known yet.
    pub fn begin(&self) -> Result<BlobWriter<'_>> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("unfinished-{serial}"));
        let file = fsx::create_file(&path, 0o644)?;
        Ok(BlobWriter {
            directory: self,
            file,
            path,
            written: 0,
            hinted: 0,
            committed: false,
        })
    }

    /// The blobs that are here.
    pub fn list(&self) -> Result<Vec<Digest>> {
        let mut digests = Vec::new();
        for algorithm in fsx::read_dir_sorted(&self.path)? {
            if !algorithm.is_dir() {
                continue;
            }
            for blob in fsx::read_dir_sorted(&algorithm)? {
                let name = |path: &Path| path.file_name().map(|n| n.to_string_lossy().into_owned());
                if let (Some(algorithm), Some(hex)) = (name(&algorithm), name(&blob))
                    && let Ok(digest) = format!("{algorithm}:{hex}").parse()
                {
                    digests.push(digest);
                }
            }
        }
        Ok(digests)
    }

    /// Removes a blob.
    pub fn remove(&self, digest: &Digest) -> Result<()> {
        fsx::remove_file_if_exists(&self.file(digest)).map(drop)
    }

    /// Where the blob is, if it is here.
    #[must_use]
    pub fn file(&self, digest: &Digest) -> PathBuf {
        self.path.join(digest.algorithm()).join(digest.hex())
    }
}

impl BlobSource for BlobDirectory {
    fn size(&self, digest: &Digest) -> Option<u64> {
        let metadata = self.file(digest).symlink_metadata().ok()?;
        metadata.is_file().then_some(metadata.len())
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        if self.size(digest).is_none() {
            return Err(absent(digest));
        }
        Ok(Box::new(FileReader::open(self.file(digest))?))
    }

    /// Nowhere that would still be there when somebody reads of it.
    fn place(&self, _digest: &Digest) -> Place {
        Place::default()
    }
}

/// A blob on its way into a [`BlobDirectory`]. Dropped uncommitted, it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter<'a> {
    directory: &'a BlobDirectory,
    file: File,
    path: PathBuf,
    written: u64,
    hinted: u64,
    committed: bool,
}

impl BlobWriter<'_> {
    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        fsx::pwrite_all(&self.file, self.written, bytes, &self.path)?;
        self.written += bytes.len() as u64;
        if self.directory.durable && self.written - self.hinted >= WRITEBACK {
            fsx::start_writeback(&self.file, self.hinted, self.written - self.hinted);
            self.hinted = self.written;
        }
        Ok(())
    }

    /// Names the blob after its digest, which the caller has found by hashing what was written.
    pub fn commit(mut self, digest: &Digest) -> Result<()> {
        let target = self.directory.file(digest);
        if self.directory.size(digest) == Some(self.written) {
            return Ok(());
        }
        if self.directory.durable {
            fsx::sync_file(&self.file, &self.path)?;
        }
        if let Digest::Sha512(_) = digest {
            fsx::create_dir_all(&self.directory.path.join(digest.algorithm()))?;
        }
        fsx::rename(&self.path, &target)?;
        self.committed = true;
        self.directory
            .held
            .fetch_add(self.written, Ordering::Relaxed);
        Ok(())
    }
}

impl std::io::Write for BlobWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        Self::write(self, bytes).map_err(std::io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Drop for BlobWriter<'_> {
    fn drop(&mut self) {
        if !self.committed {
            // The staging directory goes as a whole later; this only frees the space sooner.
            let _ = fsx::remove_file_if_exists(&self.path);
        }
    }
}

/// A file that is read as a blob.
#[derive(Debug)]
pub(crate) struct FileReader {
    file: File,
    path: PathBuf,
}

impl FileReader {
    pub(crate) fn open(path: PathBuf) -> Result<Self> {
        let file = fsx::open(&path)?;
        Ok(Self { file, path })
    }
}

impl BlobReader for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        use std::io::Read;
        loop {
            match self.file.read(buffer) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                other => return other.map_err(|error| Error::io("cannot read", &self.path, error)),
            }
        }
    }
}
