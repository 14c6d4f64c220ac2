//! An OCI layout directory: blobs first, `index.json` last.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::Verify;
use super::super::listing::{OCI_LAYOUT, index_json};
use super::settle::settle;
use super::{Job, Written, enough, parent};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::oci::Digest;
use crate::progress::Phase;
use crate::store::{BlobReader, BlobSource, Expected, FileReader, Place, absent, workers};

/// The file that says which layout this is.
const VERSION: &str = "oci-layout";

/// Bytes that are still to be written.
pub(super) fn needed(job: &Job<'_>) -> u64 {
    let here = |blob: &&Expected| match job.destination.target.path() {
        Some(path) => {
            job.workplace.blobs.size(&blob.digest).is_none()
                && Existing(path).size(&blob.digest) != Some(blob.size)
        }
        None => true,
    };
    job.set
        .blobs
        .iter()
        .filter(here)
        .map(|blob| blob.size)
        .sum()
}

/// Builds a layout beside `path` and renames it there.
pub(super) fn write_new(job: &Job<'_>, path: &Path) -> Result<Written> {
    let mut written = blobs(job, None).map_err(|error| enough(error, path, needed(job)))?;
    if !written.damaged.is_empty() {
        return Ok(written);
    }
    let store = &job.workplace.blobs;
    for digest in store.list()? {
        if !job.set.contains(&digest) {
            store.remove(&digest)?;
        }
    }
    let layout = parent(store.path());
    let index = index_json(job.plan()?);
    written.bytes += (index.len() + OCI_LAYOUT.len()) as u64;
    fsx::write_new(&layout.join(VERSION), OCI_LAYOUT, job.durable())?;
    fsx::write_new(&layout.join("index.json"), &index, job.durable())?;
    if job.durable() {
        sync_tree(store.path())?;
        fsx::sync_dir(layout)?;
    }
    job.progress.enter(Phase::Publish, 0, 0)?;
    fsx::rename_noreplace(layout, path)?;
    if job.durable() {
        fsx::sync_dir(parent(path))?;
    }
    Ok(written)
}

/// Adds to the layout at `path`: blobs get their names, `index.json` is replaced, and only then
/// goes what the old one led to and the new one does not.
pub(super) fn write_into(job: &Job<'_>, path: &Path) -> Result<Written> {
    let existing = Existing(path);
    let mut written =
        blobs(job, Some(&existing)).map_err(|error| enough(error, path, needed(job)))?;
    if !written.damaged.is_empty() {
        return Ok(written);
    }
    let Some(staging) = &job.workplace.staging else {
        let message = "a layout without a place to prepare it";
        return Err(Error::new(ErrorKind::Internal, message));
    };
    job.progress.enter(Phase::Publish, 0, 0)?;
    let published = note(job, staging, path).and_then(|()| publish(job, staging, path));
    match published {
        Ok(bytes) => written.bytes += bytes,
        Err(error) => {
            // Why it failed is what there is to tell.
            let _ = settle(staging, path);
            return Err(error);
        }
    }
    Ok(written)
}

/// Notes every file that the publication adds, or that goes after it.
fn note(job: &Job<'_>, staging: &Staging, path: &Path) -> Result<()> {
    let store = &job.workplace.blobs;
    let blobs = job.set.blobs.iter().map(|blob| blob.digest);
    let added = blobs.filter(|digest| store.size(digest).is_some());
    let mut names: Vec<String> = added
        .chain(job.plan()?.formerly.iter().copied())
        .map(|digest| digest.blob_path())
        .collect();
    if fsx::metadata_if_any(&path.join(VERSION))?.is_none() {
        names.push(VERSION.to_owned());
    }
    staging.note(names.join("\n").as_bytes(), job.durable())
}

/// Moves the blobs to their places, replaces `index.json`, and removes what it leads to no longer;
/// returns how many bytes that wrote.
fn publish(job: &Job<'_>, staging: &Staging, path: &Path) -> Result<u64> {
    let store = &job.workplace.blobs;
    let index = index_json(job.plan()?);
    let mut bytes = index.len() as u64;
    fsx::create_dir_all(&path.join("blobs/sha256"))?;
    for blob in &job.set.blobs {
        let staged = store.file(&blob.digest);
        if store.size(&blob.digest).is_some() {
            let target = path.join(blob.digest.blob_path());
            fsx::create_dir_all(parent(&target))?;
            fsx::rename(&staged, &target)?;
        }
    }
    if job.durable() {
        sync_tree(&path.join("blobs"))?;
    }
    let version = path.join(VERSION);
    if fsx::metadata_if_any(&version)?.is_none() {
        fsx::replace_file(staging.path(), &version, OCI_LAYOUT, job.durable())?;
        bytes += OCI_LAYOUT.len() as u64;
    }
    let target = path.join("index.json");
    fsx::replace_file(staging.path(), &target, &index, job.durable())?;
    let carried = job.plan()?.carried_blobs();
    for stale in &job.plan()?.formerly {
        if !job.set.contains(stale) && !carried.contains(stale) {
            fsx::remove_file_if_exists(&path.join(stale.blob_path()))?;
        }
    }
    Ok(bytes)
}

/// Puts every blob into the store, unless it is there already.
fn blobs(job: &Job<'_>, existing: Option<&Existing<'_>>) -> Result<Written> {
    let store = &job.workplace.blobs;
    let full = job.options.verify == Verify::Full;
    let (count, reused, read) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    job.progress
        .enter(Phase::Write, job.set.bytes(), job.set.blobs.len() as u64)?;
    let keep_going = job.options.keep_going;
    store.announce(needed(job));
    let work = |_: usize, blob: &Expected, transfer: &mut crate::store::Transfer<'_>| {
        if store.adopt(&blob.digest, blob.size, job.progress)? {
            // Spooled: hashed as it was written, or now, where nobody else can change it.
            count.fetch_add(1, Ordering::Relaxed);
            if full && blob.diff_id.is_some() {
                return transfer.run(job.source, blob, &mut |_| Ok(()));
            }
            job.progress.add_bytes(blob.size);
            job.progress.add_blob();
            return Ok(());
        }
        if let Some(existing) = existing
            && existing.size(&blob.digest) == Some(blob.size)
        {
            let sound = !full
                || match transfer.run(existing, blob, &mut |_| Ok(())) {
                    Ok(()) => true,
                    Err(error) if error.kind() == ErrorKind::Cancelled => return Err(error),
                    // A damaged blob at the destination is replaced by the sources' own.
                    Err(_) => false,
                };
            if sound {
                reused.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
        }
        let cost = job.cost(&blob.digest, blob.size);
        let mut writer = store.begin_of(blob.size)?;
        transfer.run(job.source, blob, &mut |piece| writer.write(piece))?;
        writer.commit(&blob.digest)?;
        count.fetch_add(1, Ordering::Relaxed);
        read.fetch_add(cost, Ordering::Relaxed);
        Ok(())
    };
    let failures = workers::each(job.pool, job.progress, &job.set.blobs, keep_going, &work)?;
    let in_store: u64 = job
        .set
        .blobs
        .iter()
        .filter_map(|blob| store.size(&blob.digest))
        .sum();
    Ok(Written {
        blobs: count.into_inner(),
        bytes: in_store,
        reused: reused.into_inner(),
        read: read.into_inner(),
        damaged: failures
            .into_iter()
            .map(|(at, e)| (job.set.blobs[at].digest, e))
            .collect(),
    })
}

/// Puts the names in a `blobs` directory on disk.
fn sync_tree(blobs: &Path) -> Result<()> {
    for algorithm in fsx::read_dir_sorted(blobs)? {
        if algorithm.is_dir() {
            fsx::sync_dir(&algorithm)?;
        }
    }
    fsx::sync_dir(blobs)
}

/// The blobs of the layout as it was before the run.
#[derive(Debug)]
struct Existing<'a>(&'a Path);

impl BlobSource for Existing<'_> {
    fn size(&self, digest: &Digest) -> Option<u64> {
        let metadata = fsx::metadata_if_any(&self.0.join(digest.blob_path())).ok()??;
        metadata.is_file().then_some(metadata.len())
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        match self.size(digest) {
            Some(_) => Ok(Box::new(FileReader::open(self.0.join(digest.blob_path()))?)),
            None => Err(absent(digest)),
        }
    }

    fn place(&self, digest: &Digest) -> Place {
        Place {
            path: Some(self.0.join(digest.blob_path())),
            member: None,
            offset: None,
        }
    }
}
