//! What is known of registries during a run, and what was done to them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::atomic::AtomicU64;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::send::Spot;
use crate::error::Result;
use crate::fuse::open::Everything;
use crate::fuse::plan::reach;
use crate::graph::ImageNode;
use crate::oci::Digest;
use crate::progress::Progress;

/// What is known of a registry, and what was done to it.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// The repositories that hold a blob.
    blobs: Mutex<HashMap<Digest, BTreeSet<Spot>>>,
    /// Manifests that are where they are needed.
    manifests: Mutex<HashSet<(Spot, Digest)>>,
    /// Blobs that were asked for and are not there.
    pub(super) absent: Mutex<HashSet<(Spot, Digest)>>,
    /// Blobs that progress has counted.
    counted: Mutex<HashSet<Digest>>,
    /// Blobs that somebody is busy with.
    busy: Mutex<HashSet<Digest>>,
    freed: Condvar,
    pub(super) uploaded: AtomicU64,
    pub(super) mounted: AtomicU64,
    /// Blobs that were there before this run, as far as it needs them.
    present: Mutex<HashSet<Digest>>,
    /// Blobs that this run brought.
    brought: Mutex<HashSet<Digest>>,
    pub(super) bytes: AtomicU64,
    /// Bytes that were read for it.
    pub(super) read: AtomicU64,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Ledger {
    pub(super) fn has(&self, spot: &Spot, digest: &Digest) -> bool {
        lock(&self.blobs)
            .get(digest)
            .is_some_and(|spots| spots.contains(spot))
    }

    /// A repository of the same registry that holds the blob.
    pub(super) fn home(&self, host: &str, digest: &Digest) -> Option<Spot> {
        let blobs = lock(&self.blobs);
        let spots = blobs.get(digest)?;
        spots.iter().find(|spot| spot.host == host).cloned()
    }

    /// Whether one of the repositories that hold the blob is such.
    pub(super) fn any(&self, digest: &Digest, such: impl Fn(&Spot) -> bool) -> bool {
        let blobs = lock(&self.blobs);
        blobs
            .get(digest)
            .is_some_and(|spots| spots.iter().any(such))
    }

    /// Notes that a blob which is needed is there; one that this run brought is not, for that.
    pub(super) fn found(&self, digest: &Digest) {
        if !lock(&self.brought).contains(digest) {
            lock(&self.present).insert(*digest);
        }
    }

    /// Notes that this run brings the blob.
    pub(super) fn brings(&self, digest: &Digest) {
        lock(&self.brought).insert(*digest);
    }

    /// How many blobs were there before this run.
    pub(super) fn present(&self) -> u64 {
        lock(&self.present).len() as u64
    }

    pub(super) fn holds(&self, spot: &Spot, digest: Digest) {
        lock(&self.blobs)
            .entry(digest)
            .or_default()
            .insert(spot.clone());
    }

    /// Notes what sources in registries hold: it can be taken over from there.
    pub(super) fn learn(&self, opened: &Everything) {
        for input in &opened.inputs {
            let Some(repository) = input.archive.repository() else {
                continue;
            };
            let spot = Spot {
                host: repository.host().to_owned(),
                repository: repository.name().to_owned(),
            };
            for found in input.listed.iter().filter_map(|l| l.found.as_ref().ok()) {
                reach(&found.node, &mut |descriptor| {
                    if !descriptor.is_foreign() {
                        self.holds(&spot, descriptor.digest);
                    }
                });
            }
        }
    }

    /// Notes that the manifest is in `spot`, with everything it leads to.
    pub(super) fn complete(&self, spot: &Spot, image: &ImageNode) {
        let manifest = &image.manifest;
        lock(&self.manifests).insert((spot.clone(), manifest.descriptor.digest));
        let layers = manifest.view.layers.iter();
        for blob in std::iter::once(&manifest.view.config).chain(layers) {
            if !blob.is_foreign() {
                self.holds(spot, blob.digest);
            }
        }
    }

    pub(super) fn is_complete(&self, spot: &Spot, digest: &Digest) -> bool {
        lock(&self.manifests).contains(&(spot.clone(), *digest))
    }

    /// Whether progress has yet to count the blob, which it then has.
    pub(super) fn counts(&self, digest: &Digest) -> bool {
        lock(&self.counted).insert(*digest)
    }

    /// Waits until nobody else is busy with the blob.
    pub(super) fn claim<'a>(&'a self, digest: &Digest, progress: &Progress) -> Result<Busy<'a>> {
        let mut busy = lock(&self.busy);
        while !busy.insert(*digest) {
            progress.check()?;
            let wait = std::time::Duration::from_millis(100);
            let (guard, _) =
                (self.freed.wait_timeout(busy, wait)).unwrap_or_else(PoisonError::into_inner);
            busy = guard;
        }
        Ok(Busy(self, *digest))
    }
}

/// Being busy with a blob.
pub(super) struct Busy<'a>(&'a Ledger, Digest);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        lock(&self.0.busy).remove(&self.1);
        self.0.freed.notify_all();
    }
}
