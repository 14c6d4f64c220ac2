//! The one place where an unfinished result may stand: a locked directory, named after the
//! destination, in its file system.
//!
//! A killed run leaves the directory behind but not the lock, which the kernel takes back. The
//! next run for the same destination finds it by its name, takes the lock, empties it but for the
//! blobs that were spooled, goes on.

mod name;

pub use name::INSIDE;

use std::fs::{DirBuilder, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, CWD, FlockOperation, Mode, OFlags, flock, fstat, open, openat, statat};
use rustix::io::Errno;

use super::{publish, tree};
use crate::error::{Error, ErrorKind, Result};

/// The locked file within.
const LOCK: &str = "lock";

/// The file within that outlives its run: see [`Staging::note`].
const NOTE: &str = "note";

/// The directories within that outlive their run: blobs that were spooled, or that a layout was
/// being made of. Whoever uses them hashes them first.
const SPOOLS: [&str; 3] = ["spool", "blobs", "layout"];

/// How often another run may come or go between two steps of ours before we give up.
const TRIES: usize = 100;

/// A staging directory that this run holds; dropping it removes it with all it holds.
#[derive(Debug)]
pub struct Staging {
    path: PathBuf,
    /// Whether it outlives this run.
    kept: AtomicBool,
    // Its lock ends with it; it is closed after `drop` has emptied the directory.
    _lock: OwnedFd,
}

impl Staging {
    /// Beside `dest`, a file or directory to be: `/x/out.tar` is prepared in
    /// `/x/.out.tar.fusion-partial`. [`ErrorKind::Busy`] if another run is writing `dest`.
    pub fn beside(dest: &Path) -> Result<Self> {
        let path = name::beside(dest)?;
        require_folder(path.parent())?;
        Self::take(path, dest)
    }

    /// Inside `dir`, a layout directory that exists: in `<dir>/.fusion-partial`.
    pub fn inside(dir: &Path) -> Result<Self> {
        require_folder(Some(dir))?;
        Self::take(name::inside(dir), dir)
    }

    /// In `work_dir`, under a name made of the absolute path of `dest`.
    pub fn in_work_dir(work_dir: &Path, dest: &Path) -> Result<Self> {
        require_folder(Some(work_dir))?;
        Self::take(name::in_work_dir(work_dir, dest)?, dest)
    }

    /// Where [`in_work_dir`](Self::in_work_dir) puts it; nothing is touched.
    pub fn place_in(work_dir: &Path, dest: &Path) -> Result<PathBuf> {
        name::in_work_dir(work_dir, dest)
    }

    /// Removes what killed runs left beside and inside `dest`; tells what that was. What a live
    /// run holds stays, and what has a note, which the next run acts on.
    pub fn clean(dest: &Path) -> Result<Vec<PathBuf>> {
        let mut removed = Vec::new();
        for path in [name::beside(dest)?, name::inside(dest)] {
            // Below a file there is nothing, and `NotADirectory` says so.
            if !std::fs::symlink_metadata(&path).is_ok_and(|found| found.is_dir()) {
                continue;
            }
            // Without its note, what the run had begun could not be settled any more.
            if tree::exists(&path.join(NOTE))? {
                continue;
            }
            match Self::take(path.clone(), dest) {
                Ok(staging) => drop(staging),
                Err(error) if error.kind() == ErrorKind::Busy => continue,
                Err(error) => return Err(error),
            }
            if tree::exists(&path)? {
                return Err(Error::new(ErrorKind::Io, "something in it will not go")
                    .operation("cannot remove")
                    .path(path));
            }
            removed.push(path);
        }
        Ok(removed)
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where a file of this name goes.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates a directory of this name, or finds it there.
    pub fn subdir(&self, name: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        tree::create_dir_all(&path)?;
        Ok(path)
    }

    /// Notes what the run is about to do to the destination, in place of what was noted before.
    /// Should the run be killed, the one that takes over finds it.
    pub fn note(&self, bytes: &[u8], durable: bool) -> Result<()> {
        publish::replace_file(&self.path, &self.file(NOTE), bytes, durable)
    }

    /// What the run before this one noted, if it was killed; at most `most` bytes.
    pub fn noted(&self, most: u64) -> Result<Option<Vec<u8>>> {
        let note = self.file(NOTE);
        match tree::exists(&note)? {
            true => tree::read_small(&note, most).map(Some),
            false => Ok(None),
        }
    }

    /// Takes back what was noted.
    pub fn forget(&self) -> Result<()> {
        tree::remove_file_if_exists(&self.file(NOTE)).map(drop)
    }

    /// Whether a run that wrote into `dir` left a note there.
    pub fn has_note(dir: &Path) -> Result<bool> {
        tree::exists(&name::inside(dir).join(NOTE))
    }

    /// Has the directory outlive this run, for the next one to take over.
    pub fn keep(&self) {
        self.kept.store(true, Ordering::Relaxed);
    }

    /// Creates the directory or takes it over, with its lock, and empties it but for the note and
    /// what was spooled.
    fn take(path: PathBuf, dest: &Path) -> Result<Self> {
        for _ in 0..TRIES {
            create(&path)?;
            if let Some(lock) = lock(&path, dest)? {
                let staging = Self {
                    path,
                    kept: AtomicBool::new(false),
                    _lock: lock,
                };
                let [spool, blobs, layout] = SPOOLS;
                staging.sweep(&[LOCK, NOTE, spool, blobs, layout])?;
                return Ok(staging);
            }
        }
        Err(busy(dest))
    }

    /// Removes everything but what is called as one of `keep`.
    fn sweep(&self, keep: &[&str]) -> Result<()> {
        for entry in tree::read_dir_sorted(&self.path)? {
            if keep.iter().any(|name| entry.ends_with(name)) {
                continue;
            }
            if tree::symlink_metadata(&entry)?.is_some_and(|found| found.is_dir()) {
                tree::remove_dir_all(&entry)?;
            } else {
                tree::remove_file_if_exists(&entry)?;
            }
        }
        Ok(())
    }
}

impl Drop for Staging {
    /// Contents, lock file, directory, and only then the lock itself: whoever comes in between
    /// finds it locked, or finds the lock file replaced and starts again. Whatever fails here is
    /// left for the next run to take over.
    fn drop(&mut self) {
        if *self.kept.get_mut() {
            let _ = tree::remove_file_if_exists(&self.file(LOCK));
            return;
        }
        // The lock stays for as long as there is anything to protect.
        if self.sweep(&[LOCK]).is_ok() && tree::remove_file_if_exists(&self.file(LOCK)).is_ok() {
            // Refused if another run has just put its own lock file there: then it is theirs.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn require_folder(folder: Option<&Path>) -> Result<()> {
    let folder = folder.unwrap_or(Path::new("."));
    if tree::exists(folder)? {
        return Ok(());
    }
    Err(Error::new(ErrorKind::NotFound, "there is no such folder")
        .operation("cannot write to")
        .path(folder)
        .source_error(tree::absent())
        .hint(format!("create it: mkdir -p '{}'", folder.display())))
}

fn create(path: &Path) -> Result<()> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::io("cannot create", path, e))
        }
        _ => Ok(()),
    }
}

/// Takes the lock of a staging directory; `None` if the directory went away meanwhile.
fn lock(path: &Path, dest: &Path) -> Result<Option<OwnedFd>> {
    let flags = OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let failed = |errno: Errno| Error::io("cannot lock", path, errno.into());
    let dir = match open(path, flags | OFlags::DIRECTORY, Mode::empty()) {
        Ok(dir) => File::from(dir),
        Err(Errno::NOENT) => return Ok(None),
        Err(Errno::LOOP | Errno::NOTDIR) => {
            return Err(in_the_way(path, "a file or link stands where"));
        }
        Err(errno) => return Err(failed(errno)),
    };
    let found = dir
        .metadata()
        .map_err(|e| Error::io("cannot examine", path, e))?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(in_the_way(path, "another user has a directory where"));
    }
    if found.mode() & 0o777 != 0o700 {
        rustix::fs::fchmod(&dir, Mode::RWXU).map_err(failed)?;
    }
    let lock = match openat(
        &dir,
        LOCK,
        flags | OFlags::CREATE | OFlags::RDWR,
        Mode::RUSR | Mode::WUSR,
    ) {
        Ok(lock) => lock,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(failed(errno)),
    };
    match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(Errno::WOULDBLOCK) => return Err(busy(dest)),
        Err(errno) => return Err(failed(errno)),
    }
    // The run that held it may have removed it between our opening and our locking it; the next
    // one would then lock another file. Only what stands at the path counts.
    Ok(stands_at(&path.join(LOCK), &lock)
        .map_err(failed)?
        .then_some(lock))
}

/// Whether the file at `path` is the open one.
fn stands_at(path: &Path, opened: &OwnedFd) -> rustix::io::Result<bool> {
    let ours = fstat(opened)?;
    match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(there) => Ok((there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn busy(dest: &Path) -> Error {
    Error::new(ErrorKind::Busy, "another run is writing it")
        .operation("cannot write")
        .path(dest)
        .hint("wait until that run has ended, or stop it")
}

fn in_the_way(path: &Path, what: &str) -> Error {
    let message = format!("{what} fusion would prepare its result");
    Error::new(ErrorKind::PermissionDenied, message)
        .operation("cannot use")
        .path(path)
        .hint("look at it, and remove it if nobody needs it")
}

#[cfg(test)]
mod tests;
