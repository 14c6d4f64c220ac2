//! Opening the sources of a run and its destination as it was, several at a time.

use std::path::Path;
use std::sync::Arc;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::FuseOptions;
use super::destination::Destination;
use super::input::{self, Input, Opened};
use super::plan::damaged_destination;
use super::write::Workplace;
use crate::container;
use crate::error::Result;
use crate::fsx;
use crate::location::Location;
use crate::package::{self, Keep, SourceKind};
use crate::progress::{Phase, Progress};

/// Everything a run reads from, and what opening it took.
pub(super) struct Everything {
    pub(super) inputs: Vec<Input>,
    /// The sources in their order, then the destination as it was.
    pub(super) sources: Vec<Opened>,
    /// Bytes of compressed files that were read as streams, and of attempts that came to nothing.
    pub(super) read: u64,
}

impl Everything {
    /// What the sources are, and the destination if it was anything.
    pub(super) fn kinds(&self) -> Vec<SourceKind> {
        let sources = self.sources.iter();
        sources.map(|opened| opened.source.kind).collect()
    }
}

/// Opens all sources and the destination.
pub(super) fn open(
    sources: &[Location],
    destination: Option<&Destination>,
    workplace: Option<&Workplace>,
    options: &FuseOptions,
    pool: &ThreadPool,
    progress: &Progress,
) -> Result<Everything> {
    let keep = match workplace {
        Some(workplace) => Keep::Spool {
            blobs: Arc::clone(&workplace.blobs),
            files: destination.is_some_and(Destination::takes_files),
        },
        None => Keep::Documents,
    };
    let existing = destination.and_then(|destination| destination.merge.as_ref());
    let all: Vec<&Location> = sources.iter().chain(existing).collect();
    let mut streamed = 0;
    for location in &all {
        if package::is_stream(location)? {
            streamed += package::size_on_disk(location);
        }
    }
    if let Some(workplace) = workplace {
        // Content is never smaller than what it is compressed to.
        let left = workplace.blobs.left_bytes()?;
        fsx::ensure_free(workplace.blobs.path(), streamed.saturating_sub(left))?;
    }
    progress.enter(Phase::Read, streamed, 0)?;
    let open_one = |(at, location): (usize, &&Location)| {
        let is_destination = at >= sources.len();
        let stated = options.source_platforms.iter().find(|(path, _)| {
            !is_destination && platform_of(path, std::slice::from_ref(*location)).is_some()
        });
        let platform = stated.map(|(_, platform)| platform);
        if !is_destination {
            // What is compressed is checked as it comes by.
            container::check_beside(location, progress)?;
        }
        match input::open(location, &keep, platform, is_destination, progress) {
            Ok(opened) => Ok(Some(opened)),
            // What is replaced need not be readable.
            Err(error) if is_destination && destination.is_some_and(|d| d.replaces) => {
                tracing::warn!("the destination as it was cannot be read: {error}");
                Ok(None)
            }
            Err(error) if is_destination => Err(damaged_destination(error)),
            Err(error) => Err(error),
        }
    };
    let opened: Vec<_> = pool.install(|| {
        all.par_iter()
            .with_max_len(1)
            .enumerate()
            .map(open_one)
            .collect()
    });
    let opened =
        opened
            .into_iter()
            .collect::<Result<Vec<_>>>()
            .map_err(|error| match workplace {
                Some(workplace) => fsx::enrich_no_space(error, workplace.blobs.path(), streamed),
                None => error,
            })?;
    let mut everything = Everything {
        inputs: Vec::new(),
        sources: Vec::new(),
        read: streamed,
    };
    for (mut source, inputs) in opened.into_iter().flatten() {
        source.first = everything.inputs.len();
        everything.inputs.extend(inputs);
        everything.sources.push(source);
    }
    Ok(everything)
}

/// The source that `--source-platform` names as `path`.
pub(super) fn platform_of<'a>(path: &Path, sources: &'a [Location]) -> Option<&'a Location> {
    sources
        .iter()
        .find(|source| source.path == path || Path::new(&source.spelled) == path)
}
