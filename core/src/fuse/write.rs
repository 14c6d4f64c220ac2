//! Writing a plan to its destination, and publishing it in one step at the end.

mod archive;
mod layout;
mod nested;
mod outlet;
mod settle;
mod sums;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::ThreadPool;

use super::blobs::BlobSet;
use super::destination::{Destination, Target};
use super::plan::Plan;
use super::tree::Tree;
use super::{Compress, Durability, FuseOptions};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Staging};
use crate::oci::Digest;
use crate::progress::Progress;
use crate::store::{BlobDirectory, BlobSource};

/// Where a run works until it publishes; dropping it removes what was not published.
#[derive(Debug)]
pub(super) struct Workplace {
    /// In the destination's own file system; none for standard output.
    staging: Option<Staging>,
    /// Where blobs are spooled, if not in `staging`.
    work: Option<Staging>,
    /// Blobs that were spooled, each hashed: for a layout the blobs of the layout itself.
    pub(super) blobs: Arc<BlobDirectory>,
    /// Whether `blobs` will be the destination's own.
    pub(super) in_place: bool,
    /// Whether the next run of the same command would find what this one leaves.
    is_found_again: bool,
}

impl Workplace {
    /// Takes the place beside `target`, or inside it; what an abandoned run left there goes.
    pub(super) fn take(target: &Target, options: &FuseOptions) -> Result<Self> {
        let durable = options.durability == Durability::Full;
        let (staging, blobs, in_place) = match target {
            Target::NewLayout(path) => {
                let staging = Staging::beside(path)?;
                let layout = staging.subdir("layout")?;
                for file in ["index.json", "oci-layout"] {
                    fsx::remove_file_if_exists(&layout.join(file))?;
                }
                let blobs = layout.join("blobs");
                (Some(staging), Some(blobs), true)
            }
            Target::Layout(path) => {
                let staging = Staging::inside(path)?;
                settle::settle(&staging, path)?;
                // What a run left that made this layout, and was killed as soon as it had.
                Staging::clean(path)?;
                let blobs = staging.subdir("blobs")?;
                (Some(staging), Some(blobs), true)
            }
            Target::Archive(path, _) => {
                let staging = Staging::beside(path)?;
                let spool = match options.work_dir {
                    Some(_) => None,
                    None => Some(staging.subdir("spool")?),
                };
                (Some(staging), spool, false)
            }
            Target::Standard => (None, None, false),
        };
        let (work, blobs) = match blobs {
            Some(blobs) => (None, blobs),
            None => {
                let work_dir = options.temp_dir();
                let name = match target.path() {
                    Some(path) => path.to_owned(),
                    // Several runs may write to standard output at once.
                    None => PathBuf::from(format!("standard-output-{}", std::process::id())),
                };
                let work = Staging::in_work_dir(&work_dir, &name)?;
                let blobs = work.subdir("spool")?;
                (Some(work), blobs)
            }
        };
        let mut blobs = BlobDirectory::create(blobs, durable && in_place)?;
        // A choice may leave little of what is spooled, and nothing is known of it by then.
        let takes_all = options.platforms.is_empty()
            && options.images.is_empty()
            && options.exclude.is_empty()
            && options.compression == Compress::Keep;
        if let (Target::Archive(path, _), true) = (target, takes_all) {
            blobs = blobs.written_to(parent(path));
        }
        let blobs = Arc::new(blobs);
        Ok(Self {
            staging,
            work,
            blobs,
            in_place,
            is_found_again: target.path().is_some(),
        })
    }
}

/// What is spooled is kept for another run from this many bytes on; less is read anew sooner than
/// it is explained.
const WORTH_KEEPING: u64 = 64 << 20;

impl Workplace {
    /// Keeps what was spooled for the next run, if `error` is one that another run may get over
    /// and there is enough of it; the error then says so.
    pub(super) fn keep(&self, error: Error) -> Error {
        let passes = self.is_found_again
            && matches!(
                error.kind(),
                ErrorKind::NoSpace | ErrorKind::Cancelled | ErrorKind::Io
            );
        let staging = self.work.as_ref().or(self.staging.as_ref());
        let Some(staging) = staging.filter(|_| passes && self.blobs.held() >= WORTH_KEEPING) else {
            return error;
        };
        for staging in self.work.iter().chain(&self.staging) {
            staging.keep();
        }
        let kept = format!(
            "what was spooled is kept in `{}`: the same command goes on from there, `--clean` \
             removes it",
            staging.path().display()
        );
        let hint = match error.get_hint() {
            Some(hint) => format!("{hint}; {kept}"),
            None => kept,
        };
        error.better_hint(hint)
    }
}

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    pub(super) blobs: u64,
    pub(super) bytes: u64,
    pub(super) reused: u64,
    /// Bytes of blobs that were read for it.
    pub(super) read: u64,
    /// With `keep_going`: blobs that are not what they should be. Nothing was published then.
    pub(super) damaged: Vec<(Digest, Error)>,
}

/// Everything that writing needs.
pub(super) struct Job<'a> {
    /// One, or one for each archive of the tree.
    pub(super) plans: &'a [Plan],
    /// The blobs of each plan.
    pub(super) sets: &'a [BlobSet],
    /// The blobs of all plans.
    pub(super) set: &'a BlobSet,
    /// The tree of the result, if that is a bundle or a package.
    pub(super) tree: Option<&'a Tree>,
    pub(super) source: &'a dyn BlobSource,
    pub(super) destination: &'a Destination,
    pub(super) workplace: &'a Workplace,
    pub(super) options: &'a FuseOptions,
    pub(super) pool: &'a ThreadPool,
    pub(super) progress: &'a Progress,
    /// Whether sources were read as streams, from start to end.
    pub(super) streams: bool,
}

impl Job<'_> {
    /// How many bytes of the sources reading a blob takes, besides what was read of them before:
    /// none if it is in the spool, or in a stream's place was made.
    fn cost(&self, digest: &Digest, size: u64) -> u64 {
        let spooled = self.workplace.blobs.size(digest).is_some();
        match spooled || self.streams && self.source.is_made(digest) {
            true => 0,
            false => size,
        }
    }

    /// The only plan, of what is no tree.
    fn plan(&self) -> Result<&Plan> {
        self.plans
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Internal, "a run without a plan"))
    }

    fn durable(&self) -> bool {
        self.options.durability == Durability::Full
    }
}

/// How many bytes the destination will take, for the space check: what is spooled in place is
/// there already.
pub(super) fn needed(job: &Job<'_>) -> Result<u64> {
    match &job.destination.target {
        Target::NewLayout(_) | Target::Layout(_) => Ok(layout::needed(job)),
        Target::Archive(..) => archive::needed(job),
        Target::Standard => Ok(0),
    }
}

/// Writes and publishes. Until the last step nothing can be seen of it.
pub(super) fn write(job: &Job<'_>) -> Result<Written> {
    match &job.destination.target {
        Target::NewLayout(path) => layout::write_new(job, path),
        Target::Layout(path) => layout::write_into(job, path),
        Target::Archive(path, compression) => archive::write(job, path, *compression),
        Target::Standard => archive::write_standard(job),
    }
}

/// The directory that `path` is in.
pub(super) fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Says how much was needed and where, if the disk filled up.
fn enough(error: Error, path: &Path, needed: u64) -> Error {
    fsx::enrich_no_space(error, parent(path), needed)
}
