//! Sending blobs and manifests: each distinct blob once, to the first repository that needs it;
//! the others take it over from there.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;

use super::ledger::{Ledger, lock};
use super::preflight::{Preflight, project};
use super::tag::{Merged, Settled};
use super::target::Target;
use crate::error::{Error, ErrorKind, Result};
use crate::fuse::assemble::Assembled;
use crate::fuse::blobs::layers;
use crate::graph::ImageNode;
use crate::oci::Digest;
use crate::progress::Progress;
use crate::registry::{Client, Repository, Sessions};
use crate::store::{
    BlobDirectory, BlobReader, BlobSource, Expected, Place, Transfer, absent, workers,
};

/// A repository of a registry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Spot {
    pub(super) host: String,
    pub(super) repository: String,
}

impl Spot {
    pub(super) fn of(target: &Target) -> Self {
        Self {
            host: target.host.clone(),
            repository: target.repository.clone(),
        }
    }
}

/// Which blobs which repositories need.
#[derive(Debug, Default)]
pub(super) struct Needs(
    BTreeMap<Digest, (Expected, BTreeSet<Spot>)>,
    /// Of which two images say what cannot both be.
    BTreeMap<Digest, (Expected, Expected)>,
);

impl Needs {
    /// Adds every blob of `image` that somebody has to have: foreign layers, and content that its
    /// descriptor carries, may be nowhere. `full`: layers are checked against their diff IDs.
    pub(super) fn add(
        &mut self,
        spot: &Spot,
        image: &ImageNode,
        source: &dyn BlobSource,
        full: bool,
    ) {
        let config = &image.manifest.view.config;
        for blob in std::iter::once(Expected::of(config)).chain(layers(image, full)) {
            if source.size(&blob.digest).is_some() {
                let entry = self.0.entry(blob.digest);
                let (known, spots) = entry.or_insert_with(|| (blob, BTreeSet::new()));
                if known.also(&blob).is_err() {
                    self.1.entry(blob.digest).or_insert((*known, blob));
                }
                spots.insert(spot.clone());
            }
        }
    }

    /// The blobs of which two images say what cannot both be.
    pub(super) fn disputed(&self) -> Vec<Digest> {
        self.1.keys().copied().collect()
    }

    /// Fails if there are any.
    pub(super) fn agreed(&self, source: &dyn BlobSource) -> Result<()> {
        match self.1.values().next() {
            Some((one, other)) => {
                let blame = |error| source.place(&one.digest).blame(error);
                { *one }.also(other).map_err(blame)
            }
            None => Ok(()),
        }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.values().map(|(blob, _)| blob.size).sum()
    }

    pub(super) fn count(&self) -> u64 {
        self.0.len() as u64
    }
}

/// A blob that could not be brought to where it is needed.
#[derive(Debug)]
pub(super) struct Failed {
    /// Where; `None`: anywhere, the blob is damaged.
    pub(super) spot: Option<Spot>,
    pub(super) digest: Digest,
    pub(super) error: Error,
}

/// Whether a registry would not have it: others may go on.
fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Registry
            | ErrorKind::Denied
            | ErrorKind::Unauthorized
            | ErrorKind::ProjectMissing
    )
}

/// Sends what a run has to registries.
pub(super) struct Sender<'a> {
    pub(super) client: &'a Client,
    /// Its threads wait for the network.
    pub(super) pool: &'a ThreadPool,
    pub(super) progress: &'a Progress,
    pub(super) ledger: &'a Ledger,
    /// Where the uploads of earlier runs got to.
    pub(super) sessions: Option<&'a dyn Sessions>,
    /// What the registry has is not believed, but asked for blob by blob.
    pub(super) thorough: bool,
    pub(super) preflight: &'a Preflight,
    /// What is read from there was counted when it was put there.
    pub(super) spool: Option<&'a BlobDirectory>,
    pub(super) dry_run: bool,
}

impl Sender<'_> {
    pub(super) fn repository(&self, spot: &Spot) -> Repository {
        self.client.repository(&spot.host, &spot.repository)
    }

    /// Takes note of what the tag that `merged` is about leads to already: it is there, with
    /// everything that it leads to.
    pub(super) fn learn(&self, spot: &Spot, merged: &Merged) {
        if self.thorough {
            return;
        }
        let same = merged.settled == Some(Settled::Unchanged);
        for variant in &merged.image.selected.variants {
            let manifest = &variant.image.manifest.descriptor.digest;
            // One that was made of what is there, is not there itself.
            let there = variant.origin.is_destination && !merged.made.contains(manifest);
            if same || there {
                self.ledger.complete(spot, &variant.image);
            }
        }
    }

    /// Asks for the manifests of `images`, each in its repository: one that is there has
    /// everything that it leads to.
    pub(super) fn recognise(&self, images: &[(Spot, &ImageNode)]) -> Result<()> {
        if self.thorough {
            return Ok(());
        }
        let mut asked = HashSet::new();
        let images: Vec<&(Spot, &ImageNode)> = images
            .iter()
            .filter(|(spot, image)| {
                let digest = image.manifest.descriptor.digest;
                !self.preflight.is_imagined(spot, self.dry_run)
                    && !self.ledger.is_complete(spot, &digest)
                    && asked.insert((spot, digest))
            })
            .collect();
        self.each(&images, |(spot, image)| {
            let digest = image.manifest.descriptor.digest;
            match self.repository(spot).head(&digest.to_string()) {
                Ok(Some(_)) => self.ledger.complete(spot, image),
                Ok(None) => {}
                // Who sends its blobs meets the same refusal.
                Err(error) if is_refusal(&error) => {}
                Err(error) => return Err(error),
            }
            Ok(())
        })
    }

    /// Calls `work` for every item, several at a time; the first error ends it.
    pub(super) fn each<T: Sync>(
        &self,
        items: &[T],
        work: impl Fn(&T) -> Result<()> + Sync,
    ) -> Result<()> {
        use rayon::prelude::*;
        self.pool.install(|| {
            items.par_iter().with_max_len(1).try_for_each(|item| {
                self.progress.check()?;
                work(item)
            })
        })
    }

    /// Brings every blob of `needs` to all repositories that need it. With `keep_going` those that
    /// are damaged are returned.
    pub(super) fn blobs(
        &self,
        needs: &Needs,
        source: &dyn BlobSource,
        keep_going: bool,
    ) -> Result<Vec<Failed>> {
        let blobs: Vec<Expected> = needs.0.values().map(|(blob, _)| *blob).collect();
        let refused = Mutex::new(Vec::new());
        let work = |_: usize, blob: &Expected, transfer: &mut Transfer<'_>| {
            let Some((_, spots)) = needs.0.get(&blob.digest) else {
                return Ok(());
            };
            let _busy = self.ledger.claim(&blob.digest, self.progress)?;
            for spot in spots {
                match self.blob(blob, spot, source, transfer) {
                    Err(error) if keep_going && is_refusal(&error) => lock(&refused).push(Failed {
                        spot: Some(spot.clone()),
                        digest: blob.digest,
                        error,
                    }),
                    outcome => outcome?,
                }
            }
            Ok(())
        };
        let failures = workers::each(self.pool, self.progress, &blobs, keep_going, &work)?;
        let mut failed = refused.into_inner().unwrap_or_else(PoisonError::into_inner);
        failed.extend(failures.into_iter().map(|(at, error)| Failed {
            spot: None,
            digest: blobs[at].digest,
            error,
        }));
        Ok(failed)
    }

    /// Whether the repository has the blob; asked once.
    fn finds(&self, spot: &Spot, blob: &Expected) -> Result<bool> {
        let key = (spot.clone(), blob.digest);
        if lock(&self.ledger.absent).contains(&key) {
            return Ok(false);
        }
        if self.preflight.is_imagined(spot, self.dry_run) {
            return Ok(false);
        }
        let there = self.repository(spot).has(blob);
        let found = there.map_err(|error| self.preflight.explain(error, spot))?;
        if !found {
            lock(&self.ledger.absent).insert(key);
        }
        Ok(found)
    }

    /// Asks for every blob of `needs` in the first repository that needs it.
    pub(super) fn look(&self, needs: &Needs) -> Result<()> {
        let blobs: Vec<&(Expected, BTreeSet<Spot>)> = needs.0.values().collect();
        self.each(&blobs, |(blob, spots)| {
            let mut hosts = BTreeSet::new();
            for spot in spots {
                if !hosts.insert(&spot.host) {
                    continue;
                }
                if self.ledger.has(spot, &blob.digest) {
                    self.ledger.found(&blob.digest);
                    continue;
                }
                if self.ledger.home(&spot.host, &blob.digest).is_some() {
                    continue;
                }
                match self.finds(spot, blob) {
                    Ok(true) => {
                        self.ledger.found(&blob.digest);
                        self.ledger.holds(spot, blob.digest);
                    }
                    Ok(false) => {}
                    // Who sends it meets the same refusal.
                    Err(error) if is_refusal(&error) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(())
        })
    }

    /// How many bytes of `needs` each project does not have yet, as far as it was asked.
    pub(super) fn missing(&self, needs: &Needs) -> BTreeMap<(String, String), u64> {
        let mut missing = BTreeMap::new();
        for (blob, spots) in needs.0.values() {
            let lacking = spots
                .iter()
                .filter(|spot| !self.ledger.has(spot, &blob.digest));
            let projects: BTreeSet<_> = lacking.map(project).collect();
            for project in projects {
                // What another repository of it has is mounted, and counts once.
                if (self.ledger).any(&blob.digest, |spot| self::project(spot) == project) {
                    continue;
                }
                *missing.entry(project).or_insert(0) += blob.size;
            }
        }
        missing
    }

    /// Brings a blob, with which nobody else is busy, to one repository.
    fn blob(
        &self,
        blob: &Expected,
        spot: &Spot,
        source: &dyn BlobSource,
        transfer: &mut Transfer<'_>,
    ) -> Result<()> {
        let ledger = self.ledger;
        let mut sent = false;
        if !ledger.has(spot, &blob.digest) {
            let repository = self.repository(spot);
            match ledger.home(&spot.host, &blob.digest) {
                Some(home) => {
                    let explained = |error| self.preflight.explain(error, spot);
                    if self.dry_run
                        || repository
                            .mount(&blob.digest, &home.repository)
                            .map_err(explained)?
                    {
                        ledger.mounted.fetch_add(1, Ordering::Relaxed);
                        ledger.brings(&blob.digest);
                    } else {
                        // It refuses to share: the same bytes once more.
                        self.upload(&repository, blob, source, transfer, &home)?;
                        sent = true;
                        ledger.counts(&blob.digest);
                    }
                }
                None => {
                    if self.finds(spot, blob)? {
                        ledger.found(&blob.digest);
                    } else {
                        self.upload(&repository, blob, source, transfer, spot)?;
                        sent = true;
                        ledger.counts(&blob.digest);
                    }
                }
            }
            ledger.holds(spot, blob.digest);
        }
        // What is sent counts as it goes, and each blob once.
        if (!sent || self.dry_run) && ledger.counts(&blob.digest) {
            self.progress.add_bytes(blob.size);
            self.progress.add_blob();
        }
        Ok(())
    }

    /// Uploads the blob out of `source`, or, if that has let go of it, out of `home`.
    fn upload(
        &self,
        repository: &Repository,
        blob: &Expected,
        source: &dyn BlobSource,
        transfer: &mut Transfer<'_>,
        home: &Spot,
    ) -> Result<()> {
        let ledger = self.ledger;
        ledger.uploaded.fetch_add(1, Ordering::Relaxed);
        ledger.brings(&blob.digest);
        if self.dry_run {
            ledger.bytes.fetch_add(blob.size, Ordering::Relaxed);
            return Ok(());
        }
        let spot = Spot {
            host: repository.host().to_owned(),
            repository: repository.name().to_owned(),
        };
        let sent = match source.size(&blob.digest) {
            Some(_) => repository.upload(source, blob, transfer, self.sessions),
            None => {
                let there = InRepository(self.repository(home), *blob);
                repository.upload(&there, blob, transfer, self.sessions)
            }
        };
        let sent = sent.map_err(|error| self.preflight.explain(error, &spot))?;
        ledger.bytes.fetch_add(sent, Ordering::Relaxed);
        let spooled = |spool: &BlobDirectory| spool.size(&blob.digest).is_some();
        if !self.spool.is_some_and(spooled) {
            ledger.read.fetch_add(blob.size, Ordering::Relaxed);
        }
        tracing::debug!("sent {} to {}", blob.digest, repository.name());
        Ok(())
    }

    /// Puts the manifests of `image` that its index, or its tag, will lead to, where they are not
    /// there yet. Their blobs are.
    pub(super) fn manifests(
        &self,
        spot: &Spot,
        image: &Assembled,
        fresh: &dyn Fn(&Digest) -> bool,
    ) -> Result<()> {
        let variants = image.selected.variants.iter();
        let own = variants
            .map(|variant| (&variant.image, &variant.origin))
            .chain(image.attachments().map(|a| (&a.image, &a.origin)));
        for (node, origin) in own {
            let descriptor = &node.manifest.descriptor;
            let is_there = origin.is_destination && !fresh(&descriptor.digest);
            if is_there || self.ledger.is_complete(spot, &descriptor.digest) {
                continue;
            }
            if !self.dry_run {
                let under = descriptor.digest.to_string();
                self.repository(spot)
                    .put(&under, descriptor, &node.manifest.bytes)
                    .map_err(|error| self.preflight.explain(error, spot))?;
            }
            self.ledger.complete(spot, node);
        }
        Ok(())
    }
}

/// A blob that a registry holds, as a source.
#[derive(Debug)]
struct InRepository(Repository, Expected);

impl BlobSource for InRepository {
    fn size(&self, digest: &Digest) -> Option<u64> {
        (self.1.digest == *digest).then_some(self.1.size)
    }

    fn open<'a>(&'a self, digest: &Digest) -> Result<Box<dyn BlobReader + 'a>> {
        match self.size(digest) {
            Some(size) => self.0.reader(digest, size),
            None => Err(absent(digest)),
        }
    }

    fn place(&self, _: &Digest) -> Place {
        let path = format!("docker://{}/{}", self.0.host(), self.0.name());
        Place {
            path: Some(path.into()),
            ..Place::default()
        }
    }
}
