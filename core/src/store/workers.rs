//! Moving many blobs at once: one bounded pool, the large ones early, the small ones between them.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rayon::ThreadPool;

use super::{Expected, Transfer};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

/// A pool of `jobs` threads; `None`: one a core. What they log goes to the subscriber of the
/// thread that calls this.
pub fn pool(jobs: Option<usize>) -> Result<ThreadPool> {
    let jobs = match jobs {
        Some(0) => {
            return Err(Error::new(
                ErrorKind::Usage,
                "`--jobs 0` leaves nobody to work",
            ));
        }
        Some(jobs) => jobs.min(256),
        None => std::thread::available_parallelism().map_or(1, usize::from),
    };
    let log = tracing::dispatcher::get_default(Clone::clone);
    rayon::ThreadPoolBuilder::new()
        .num_threads(jobs)
        .spawn_handler(|thread| {
            let log = log.clone();
            std::thread::Builder::new()
                .name(format!("fusion-{}", thread.index()))
                .spawn(move || tracing::dispatcher::with_default(&log, || thread.run()))
                .map(drop)
        })
        .build()
        .map_err(|error| {
            Error::new(
                ErrorKind::Internal,
                format!("cannot start {jobs} threads: {error}"),
            )
            .source_error(error)
        })
}

/// The numbers of `blobs`, by turns the largest and the smallest that is left. A large one that
/// begins last keeps everybody waiting; small ones cost moments in which nothing moves, an answer
/// or a disk, and these pass while a large one moves.
fn order(blobs: &[Expected]) -> Vec<usize> {
    let mut sorted: Vec<usize> = (0..blobs.len()).collect();
    sorted.sort_by_key(|at| std::cmp::Reverse(blobs[*at].size));
    let (large, small) = sorted.split_at(sorted.len().div_ceil(2));
    let mut small = small.iter().rev();
    (large.iter())
        .flat_map(|at| std::iter::once(at).chain(small.next()))
        .copied()
        .collect()
}

/// Calls `work` for every blob, on the threads of `pool`, large ones early and small ones between
/// them. Stops at the first failure, or with `keep_going` returns them all by the blob's number;
/// that the caller asked to stop always stops it.
pub fn each(
    pool: &ThreadPool,
    progress: &Progress,
    blobs: &[Expected],
    keep_going: bool,
    work: &(dyn Fn(usize, &Expected, &mut Transfer<'_>) -> Result<()> + Sync),
) -> Result<Vec<(usize, Error)>> {
    let order = order(blobs);
    let next = AtomicUsize::new(0);
    let failed = AtomicBool::new(false);
    let failures = Mutex::new(Vec::new());
    pool.broadcast(|_| {
        let mut transfer = Transfer::new(progress);
        while !failed.load(Ordering::Relaxed) {
            let Some(at) = order.get(next.fetch_add(1, Ordering::Relaxed)) else {
                return;
            };
            if let Err(error) = work(*at, &blobs[*at], &mut transfer) {
                let fatal = !matches!(
                    error.kind(),
                    ErrorKind::DigestMismatch
                        | ErrorKind::InvalidArchive
                        | ErrorKind::InputChanged
                        | ErrorKind::Unsupported
                );
                if fatal || !keep_going {
                    failed.store(true, Ordering::Relaxed);
                }
                let mut failures = failures.lock().unwrap_or_else(|poison| poison.into_inner());
                failures.push((*at, error, fatal));
            }
        }
    });
    let mut failures = failures
        .into_inner()
        .unwrap_or_else(|poison| poison.into_inner());
    failures.sort_by_key(|(at, _, fatal)| (!fatal, *at));
    if failures
        .first()
        .is_some_and(|(_, _, fatal)| *fatal || !keep_going)
    {
        return Err(failures.swap_remove(0).1);
    }
    Ok(failures
        .into_iter()
        .map(|(at, error, _)| (at, error))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oci::Digest;

    fn taken(sizes: &[u64]) -> Vec<u64> {
        let blobs: Vec<Expected> = (sizes.iter())
            .map(|size| Expected {
                digest: Digest::of(&size.to_be_bytes()),
                size: *size,
                diff_id: None,
            })
            .collect();
        order(&blobs).iter().map(|at| blobs[*at].size).collect()
    }

    #[test]
    fn small_blobs_go_between_large_ones() {
        assert_eq!(taken(&[3, 9, 1, 7, 5]), [9, 1, 7, 3, 5]);
        assert_eq!(taken(&[4, 2, 8, 6]), [8, 2, 6, 4]);
        assert_eq!(taken(&[1]), [1]);
        assert_eq!(taken(&[]), [0; 0]);
    }
}
