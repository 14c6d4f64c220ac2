//! Moving many blobs at once: one bounded pool, the largest first.

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

/// Calls `work` for every blob, on the threads of `pool`, the largest blob first. Stops at the
/// first failure, or with `keep_going` returns them all by the blob's number; that the caller
/// asked to stop always stops it.
pub fn each(
    pool: &ThreadPool,
    progress: &Progress,
    blobs: &[Expected],
    keep_going: bool,
    work: &(dyn Fn(usize, &Expected, &mut Transfer<'_>) -> Result<()> + Sync),
) -> Result<Vec<(usize, Error)>> {
    let mut order: Vec<usize> = (0..blobs.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(blobs[*at].size));
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
