//! What a push keeps on disk: blobs of compressed sources until they are sent, and where uploads
//! got to.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use super::target::Base;
use super::{DeliverOptions, space};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::Staging;
use crate::fuse::Compress;
use crate::location::Location;
use crate::oci::{Digest, write};
use crate::package;
use crate::registry::Sessions;
use crate::store::BlobDirectory;

/// Where in its place blobs are.
const SPOOL: &str = "spool";

/// What is kept about uploads, at most; in bytes.
const MOST: u64 = 4 << 20;

/// The place that a push works in; gone when it ends, unless another run can make use of it.
#[derive(Debug)]
pub(super) struct Spool {
    blobs: Arc<BlobDirectory>,
    uploads: Uploads,
    /// The folder that the place is in.
    work_dir: PathBuf,
}

impl Spool {
    /// Takes the place for pushing `sources` to `base`; none for a run that sends nothing.
    pub(super) fn take(
        sources: &[Location],
        base: &Base,
        options: &DeliverOptions,
    ) -> Result<Option<Self>> {
        if options.fuse.dry_run {
            return Ok(None);
        }
        // Without a place to work in, what is read in place can be sent all the same.
        match Self::take_place(sources, base, options) {
            Err(error) if !spools(sources, options)? => {
                tracing::debug!("nothing is remembered of uploads: {error}");
                Ok(None)
            }
            Err(error) => {
                let folder = options.fuse.temp_dir();
                Err(space::explained(error, &folder, &folder))
            }
            Ok(taken) => Ok(Some(taken)),
        }
    }

    fn take_place(sources: &[Location], base: &Base, options: &DeliverOptions) -> Result<Self> {
        let work_dir = options.fuse.temp_dir();
        let name = name(sources, base);
        let place = |name: &str| Staging::in_work_dir(&work_dir, &work_dir.join(name));
        let staging = match place(&name) {
            // The same command runs already; two of them get along in the registry.
            Err(error) if error.kind() == ErrorKind::Busy => {
                place(&format!("{name}\u{1}{}", std::process::id()))?
            }
            taken => taken?,
        };
        let blobs = Arc::new(BlobDirectory::create(staging.subdir(SPOOL)?, false)?);
        let uploads = Uploads::found(staging)?;
        Ok(Self {
            blobs,
            uploads,
            work_dir,
        })
    }

    /// How many bytes of blobs an earlier run of the same command left, as far as can be told
    /// without taking its place.
    pub(super) fn left(sources: &[Location], base: &Base, options: &DeliverOptions) -> u64 {
        let work_dir = options.fuse.temp_dir();
        let place = Staging::place_in(&work_dir, &work_dir.join(name(sources, base)));
        let left = place.and_then(|place| BlobDirectory::bytes_in(&place.join(SPOOL)));
        left.unwrap_or_default()
    }

    pub(super) const fn blobs(&self) -> &Arc<BlobDirectory> {
        &self.blobs
    }

    /// Where uploads got to.
    pub(super) fn sessions(&self) -> &dyn Sessions {
        &self.uploads
    }

    /// The most bytes that were spooled at once.
    pub(super) fn peak(&self) -> u64 {
        self.blobs.peak()
    }

    /// Keeps the place for the next run of the same command, if `error` is one that it may get
    /// over and there is something to go on with.
    pub(super) fn keep(&self, error: Error) -> Error {
        let passes = matches!(
            error.kind(),
            ErrorKind::NoSpace
                | ErrorKind::Cancelled
                | ErrorKind::Io
                | ErrorKind::Registry
                | ErrorKind::Unreachable
        );
        if passes && self.uploads.any() {
            self.uploads.staging.keep();
        }
        space::explained(error, self.uploads.staging.path(), &self.work_dir)
    }
}

/// What the place of a push of `sources` to `base` is called: the same command finds it again.
fn name(sources: &[Location], base: &Base) -> String {
    let mut name = format!("push {}/{}", base.host, base.prefix).replace('/', "\u{1}");
    for source in sources {
        let path = std::path::absolute(&source.path).unwrap_or_else(|_| source.path.clone());
        name.push('\u{1}');
        name.push_str(&path.to_string_lossy().replace('/', "\u{1}"));
    }
    name
}

/// Whether a run spools anything.
fn spools(sources: &[Location], options: &DeliverOptions) -> Result<bool> {
    let mut streams = false;
    for source in sources {
        streams |= package::is_stream(source)?;
    }
    Ok(streams || options.fuse.compression != Compress::Keep)
}

/// Where uploads got to, in a file that only this user can read.
#[derive(Debug)]
struct Uploads {
    staging: Staging,
    /// By repository and digest.
    known: Mutex<BTreeMap<String, String>>,
}

impl Uploads {
    /// What an earlier run of the same command noted.
    fn found(staging: Staging) -> Result<Self> {
        let noted = staging.noted(MOST).unwrap_or_default().unwrap_or_default();
        // A note that was not written to its end is worth nothing.
        let known = serde_json::from_slice(&noted).unwrap_or_default();
        staging.forget()?;
        Ok(Self {
            staging,
            known: Mutex::new(known),
        })
    }

    fn any(&self) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        !known.is_empty()
    }
}

impl Sessions for Uploads {
    fn get(&self, repository: &str, digest: &Digest) -> Option<String> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&format!("{repository} {digest}")).cloned()
    }

    fn set(&self, repository: &str, digest: &Digest, location: Option<&str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let key = format!("{repository} {digest}");
        let changed = match location {
            Some(location) => known.insert(key, location.to_owned()).as_deref() != Some(location),
            None => known.remove(&key).is_some(),
        };
        if changed {
            // Without it the next run sends that blob from its beginning, no more.
            let _ = self.staging.note(&write::json(&*known), false);
        }
    }
}
