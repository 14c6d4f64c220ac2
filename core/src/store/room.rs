//! Whether there is room for what is known to come, asked while it comes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::Result;
use crate::fsx;

/// How much is written between two looks at the space that is left.
const LOOK: u64 = 2 << 20;

/// The room of a directory of blobs, and of what they will be written to once more.
#[derive(Debug)]
pub(super) struct Room {
    path: PathBuf,
    /// Where all that is here will be written once more.
    again: Option<PathBuf>,
    /// Bytes written so far, of whatever.
    written: AtomicU64,
    /// Bytes that are known to come still, begun or not.
    awaited: AtomicU64,
    /// Those of them that are not begun.
    announced: AtomicU64,
}

impl Room {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            again: None,
            written: AtomicU64::new(0),
            awaited: AtomicU64::new(0),
            announced: AtomicU64::new(0),
        }
    }

    /// Says that all that comes to be here will be written to `path` once more.
    pub(super) fn written_to(self, path: &Path) -> Self {
        let again = Some(path.to_owned());
        Self { again, ..self }
    }

    /// Says that so much will come, and nothing besides what was begun already.
    pub(super) fn announce(&self, bytes: u64) {
        let before = self.announced.swap(bytes, Ordering::Relaxed);
        self.awaited.fetch_add(bytes, Ordering::Relaxed);
        take(&self.awaited, before);
    }

    /// Says that so much begins to come, of what was announced if there is any.
    pub(super) fn begin(&self, bytes: u64) {
        let taken = take(&self.announced, bytes);
        self.awaited.fetch_add(bytes - taken, Ordering::Relaxed);
    }

    /// Says that so much of what was awaited is here or will not come: ahead of writing it, so
    /// that nothing is missed twice.
    pub(super) fn end(&self, bytes: u64) {
        take(&self.awaited, bytes);
    }

    /// Counts what was written, and looks from time to time whether there is room for the rest;
    /// `held` is what is to be written once more.
    pub(super) fn grow(&self, count: u64, held: impl FnOnce() -> u64) -> Result<()> {
        let before = self.written.fetch_add(count, Ordering::Relaxed);
        if before / LOOK == (before + count) / LOOK {
            return Ok(());
        }
        if let Some(path) = &self.again {
            fsx::ensure_free(path, held()).map_err(|error| error.path(path))?;
        }
        let awaited = self.awaited.load(Ordering::Relaxed);
        match awaited {
            0 => Ok(()),
            _ => fsx::ensure_free(&self.path, awaited).map_err(|error| error.path(&self.path)),
        }
    }
}

/// Takes up to `bytes` from `from`, and says how much that was.
fn take(from: &AtomicU64, bytes: u64) -> u64 {
    let less = |now: u64| Some(now.saturating_sub(bytes));
    let before = from.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    before.unwrap_or(0).min(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::fsx::testing::Tiny;
    use crate::store::BlobDirectory;

    /// A directory of blobs on a disk of one MiB.
    fn tiny() -> (Tiny, BlobDirectory) {
        let tiny = Tiny::mount();
        let blobs = BlobDirectory::create(tiny.path().join("blobs"), false);
        (tiny, blobs.expect("room for a directory"))
    }

    #[test]
    fn what_does_not_fit_is_refused_while_there_is_room_left() {
        let (_tiny, blobs) = tiny();
        let mut blob = blobs.begin_of(8 << 20).expect("a file");
        // Looked at every 2 MiB, of whatever.
        blobs.room.grow(LOOK - 1, || 0).expect("not looked at yet");
        let error = blob.write(&[1; 1000]).expect_err("too large");
        assert_eq!(error.kind(), ErrorKind::NoSpace);
        let message = error.to_string();
        assert!(
            message.contains("(8387608 bytes) are needed in"),
            "{message}"
        );
        drop(blob);
        let mut blob = blobs.begin_of(1000).expect("a file");
        blobs.room.grow(LOOK - 1, || 0).expect("looked at before");
        blob.write(&[1; 1000])
            .expect("it fits, and nothing else is awaited");
    }

    #[test]
    fn what_was_announced_is_awaited_once() {
        let (_tiny, blobs) = tiny();
        let awaited = || blobs.room.awaited.load(Ordering::Relaxed);
        blobs.announce(5000);
        let mut one = blobs.begin_of(3000).expect("a file");
        assert_eq!(awaited(), 5000);
        one.write(&[1; 1000]).expect("it fits");
        assert_eq!(awaited(), 4000);
        let two = blobs.begin_of(2500).expect("a file");
        assert_eq!(awaited(), 4500, "500 more than were announced");
        drop((one, two));
        assert_eq!(awaited(), 0);
        // Another attempt.
        blobs.announce(5000);
        blobs.announce(2000);
        assert_eq!(awaited(), 2000);
    }
}
