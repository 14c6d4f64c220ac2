//! A directory of blobs, `<algorithm>/<hex>` as in the `blobs/` of an OCI layout: what a layout is
//! built in, and the spool of a compressed source.
//!
//! Only this run writes to it: it lies in a staging directory. A blob gets its name once its
//! content has been hashed.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::room::Room;
use super::{BlobReader, BlobSource, Place, absent};
use crate::error::{Error, Result};
use crate::fsx;
use crate::oci::Digest;
use crate::progress::Progress;

/// How much is written between two hints to the system to begin writing it to disk.
const WRITEBACK: u64 = 8 << 20;

/// A directory of blobs that only this run writes to.
#[derive(Debug)]
pub struct BlobDirectory {
    path: PathBuf,
    durable: bool,
    /// Names temporary files apart.
    serial: AtomicU64,
    /// Bytes of blobs that were committed, each counted once.
    held: AtomicU64,
    /// The most that was ever held.
    peak: AtomicU64,
    /// Blobs that were here, by length.
    released: Mutex<HashMap<Digest, u64>>,
    counted: Mutex<HashSet<Digest>>,
    /// Blobs that a run before this one left. Nobody knows what they are until they are hashed.
    left: Mutex<HashSet<Digest>>,
    /// Whether there are none, so that nobody has to ask.
    is_fresh: bool,
    /// Blobs that were left, and turned out to be what they go by.
    adopted: AtomicU64,
    pub(super) room: Room,
}

impl BlobDirectory {
    /// The directory at `path`, which is created. `durable`: a blob is on disk before it gets its
    /// name.
    pub fn create(path: PathBuf, durable: bool) -> Result<Self> {
        fsx::create_dir_all(&path.join("sha256"))?;
        let mut directory = Self {
            room: Room::new(path.clone()),
            path,
            durable,
            serial: AtomicU64::new(0),
            held: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            released: Mutex::default(),
            counted: Mutex::default(),
            left: Mutex::default(),
            is_fresh: true,
            adopted: AtomicU64::new(0),
        };
        for file in fsx::read_dir_sorted(&directory.path)? {
            if !file.is_dir() {
                fsx::remove_file_if_exists(&file)?;
            }
        }
        let left: HashSet<Digest> = directory.list()?.into_iter().collect();
        directory.is_fresh = left.is_empty();
        directory.left = Mutex::new(left);
        Ok(directory)
    }

    /// Says that all that comes to be here will be written to `path` once more: that there is no
    /// room for it is then an error as soon as it is sure.
    #[must_use]
    pub fn written_to(self, path: &Path) -> Self {
        let room = self.room.written_to(path);
        Self { room, ..self }
    }

    /// Says how much will be written from now on: that there is no room for it is an error as soon
    /// as it is seen, whoever took it.
    pub fn announce(&self, bytes: u64) {
        self.room.announce(bytes);
    }

    fn left(&self) -> MutexGuard<'_, HashSet<Digest>> {
        self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the blob is here or was released, also one that a run before this one left: that is
    /// hashed now, and removed if it is not what it goes by.
    pub fn adopt(&self, digest: &Digest, size: u64, progress: &Progress) -> Result<bool> {
        if self.is_released(digest, size) {
            return Ok(true);
        }
        if self.is_fresh || !self.left().contains(digest) {
            return Ok(self.size(digest) == Some(size));
        }
        let mut hasher = digest.hasher();
        let mut reader = FileReader::open(self.file(digest))?;
        let mut buffer = vec![0; super::CHUNK];
        let mut seen = 0;
        loop {
            progress.check()?;
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            hasher.update(&buffer[..count]);
            seen += count as u64;
        }
        let sound = seen == size && hasher.finish() == *digest;
        if !sound {
            self.remove(digest)?;
        } else if self.left().remove(digest) {
            self.count(digest, size);
            self.adopted.fetch_add(1, Ordering::Relaxed);
        }
        Ok(sound)
    }

    /// How many bytes of blobs a run before this one left that nobody has hashed yet.
    pub fn left_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for digest in self.left().iter() {
            bytes += fsx::metadata_if_any(&self.file(digest))?.map_or(0, |found| found.len());
        }
        Ok(bytes)
    }

    /// How many blobs of a run before this one were of use.
    #[must_use]
    pub fn adopted(&self) -> u64 {
        self.adopted.load(Ordering::Relaxed)
    }

    /// Where the directory is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lets go of a blob that was hashed here and is safe elsewhere: whoever brings it again need
    /// not keep it.
    pub fn release(&self, digest: &Digest, size: u64) -> Result<()> {
        if self.size(digest) != Some(size) {
            return Ok(());
        }
        let mut released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.insert(*digest, size);
        drop(released);
        fsx::remove_file_if_exists(&self.file(digest))?;
        let mut counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        if counted.remove(digest) {
            self.held.fetch_sub(size, Ordering::Relaxed);
        }
        Ok(())
    }

    fn is_released(&self, digest: &Digest, size: u64) -> bool {
        let released = self.released.lock().unwrap_or_else(PoisonError::into_inner);
        released.get(digest) == Some(&size)
    }

    /// The most bytes of blobs that were here at once.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// How many bytes of blobs were written.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.held.load(Ordering::Relaxed)
    }

    /// Counts a blob that is here now; two sources may have brought it at the same time.
    fn count(&self, digest: &Digest, size: u64) {
        let counted = self.counted.lock();
        if counted
            .unwrap_or_else(PoisonError::into_inner)
            .insert(*digest)
        {
            let held = self.held.fetch_add(size, Ordering::Relaxed) + size;
            self.peak.fetch_max(held, Ordering::Relaxed);
        }
    }

    /// Begins a blob of a known length, whose digest need not be known yet.
    pub fn begin_of(&self, size: u64) -> Result<BlobWriter<'_>> {
        let mut writer = self.begin()?;
        self.room.begin(size);
        writer.awaited = size;
        Ok(writer)
    }

    /// Begins a blob whose digest and length are not known yet.
    pub fn begin(&self) -> Result<BlobWriter<'_>> {
        let serial = self.serial.fetch_add(1, Ordering::Relaxed);
        let path = self.path.join(format!("unfinished-{serial}"));
        let file = fsx::create_file(&path, 0o644)?;
        Ok(BlobWriter {
            directory: self,
            file,
            path,
            written: 0,
            awaited: 0,
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
        fsx::remove_file_if_exists(&self.file(digest))?;
        self.left().remove(digest);
        Ok(())
    }

    /// How many bytes of blobs are in the directory at `path`, whoever put them there.
    pub fn bytes_in(path: &Path) -> Result<u64> {
        let mut bytes = 0;
        if !fsx::exists(path)? {
            return Ok(bytes);
        }
        for algorithm in fsx::read_dir_sorted(path)? {
            if algorithm.is_dir() {
                for blob in fsx::read_dir_sorted(&algorithm)? {
                    bytes += fsx::metadata_if_any(&blob)?.map_or(0, |found| found.len());
                }
            }
        }
        Ok(bytes)
    }

    /// Where the blob is, if it is here.
    #[must_use]
    pub fn file(&self, digest: &Digest) -> PathBuf {
        self.path.join(digest.algorithm()).join(digest.hex())
    }
}

impl BlobSource for BlobDirectory {
    fn size(&self, digest: &Digest) -> Option<u64> {
        if !self.is_fresh && self.left().contains(digest) {
            return None;
        }
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
    /// How much of it is to come still, if that is known.
    awaited: u64,
    hinted: u64,
    committed: bool,
}

impl BlobWriter<'_> {
    /// Appends `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let count = bytes.len() as u64;
        let came = count.min(self.awaited);
        self.awaited -= came;
        self.directory.room.end(came);
        fsx::pwrite_all(&self.file, self.written, bytes, &self.path)?;
        self.written += count;
        self.directory.room.grow(count, || self.directory.held())?;
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
        if !self.directory.is_fresh {
            self.directory.left().remove(digest);
        }
        self.directory.count(digest, self.written);
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
        self.directory.room.end(self.awaited);
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
