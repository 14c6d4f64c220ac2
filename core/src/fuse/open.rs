//! Opening the sources of a run and its destination as it was, several at a time.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rayon::ThreadPool;
use rayon::prelude::*;

use super::FuseOptions;
use super::input::{self, Input, Opened};
use super::plan::damaged_destination;
use crate::container;
use crate::error::Result;
use crate::fsx;
use crate::location::Location;
use crate::package::{self, Damaged, Keep, SourceKind};
use crate::progress::{Phase, Progress};
use crate::registry::Client;

/// Everything a run reads from, and what opening it took.
pub(crate) struct Everything {
    pub(crate) inputs: Vec<Input>,
    /// The sources in their order, then the destination as it was.
    pub(crate) sources: Vec<Opened>,
    /// What of the sources is damaged and was left out.
    pub(crate) damaged: Vec<Damaged>,
    /// Bytes of compressed files that were read as streams, and of attempts that came to nothing.
    pub(crate) read: u64,
}

impl Everything {
    /// What the sources are, and the destination if it was anything.
    pub(crate) fn kinds(&self) -> Vec<SourceKind> {
        let sources = self.sources.iter();
        sources.map(|opened| opened.source.kind).collect()
    }
}

/// What is opened, and how.
pub(crate) struct Opening<'a> {
    pub(crate) sources: &'a [Location],
    /// The destination as it was, and whether it is replaced.
    pub(crate) existing: Option<(&'a Location, bool)>,
    /// What happens to the content of streams.
    pub(crate) keep: Keep,
    /// Whether damaged sources, and files in them, are left out.
    pub(crate) spares: bool,
    pub(crate) client: &'a Client,
    pub(crate) options: &'a FuseOptions,
    pub(crate) pool: &'a ThreadPool,
    pub(crate) progress: &'a Progress,
}

/// Opens all sources and the destination.
pub(crate) fn open(opening: &Opening<'_>) -> Result<Everything> {
    let Opening {
        sources,
        existing,
        keep,
        spares,
        client,
        options,
        pool,
        progress,
    } = opening;
    let spool = keep.spool();
    let replaces = existing.is_some_and(|(_, replaces)| replaces);
    let existing = existing.map(|(location, _)| location);
    let all: Vec<&Location> = sources.iter().chain(existing).collect();
    let mut streamed = 0;
    for location in &all {
        if package::is_stream(location)? {
            streamed += package::size_on_disk(location);
        }
    }
    if let Some(spool) = spool
        && !keep.is_passing()
    {
        // Content is never smaller than what it is compressed to.
        let left = spool.left_bytes()?;
        fsx::ensure_free(spool.path(), streamed.saturating_sub(left))?;
    }
    progress.enter(Phase::Read, streamed, 0)?;
    let damaged = Mutex::new(Vec::new());
    let open_one = |(at, location): (usize, &&Location)| {
        let is_destination = at >= sources.len();
        let of_this = options
            .only
            .as_ref()
            .and_then(|only| only.platforms.get(at));
        let stated = options.source_platforms.iter().find(|(path, _)| {
            !is_destination && platform_of(path, std::slice::from_ref(*location)).is_some()
        });
        let stated = stated.map(|(_, platform)| platform);
        let platform = of_this.and_then(Option::as_ref).or(stated);
        let open = || {
            if !is_destination {
                // What is compressed is checked as it comes by.
                container::check_beside(location, progress)?;
            }
            let client = Some(*client);
            input::open(
                location,
                keep,
                *spares,
                platform,
                is_destination,
                client,
                progress,
            )
        };
        match open() {
            Ok(opened) => Ok(Some(opened)),
            // What is replaced need not be readable.
            Err(error) if is_destination && replaces => {
                tracing::warn!("the destination as it was cannot be read: {error}");
                Ok(None)
            }
            Err(error) if is_destination => Err(damaged_destination(error)),
            Err(error) if *spares && Damaged::is_told_by(&error) => {
                let mut damaged = damaged.lock().unwrap_or_else(PoisonError::into_inner);
                damaged.push((at, Damaged::source(location, error)));
                Ok(None)
            }
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
    let opened = opened
        .into_iter()
        .collect::<Result<Vec<_>>>()
        .map_err(|error| match spool {
            // What passes never is there all at once.
            Some(spool) if keep.is_passing() => fsx::enrich_no_space(error, spool.path(), 0),
            Some(spool) => fsx::enrich_no_space(error, spool.path(), streamed),
            None => error,
        })?;
    let mut everything = Everything {
        inputs: Vec::new(),
        sources: Vec::new(),
        damaged: Vec::new(),
        read: streamed,
    };
    let mut damaged = damaged.into_inner().unwrap_or_else(PoisonError::into_inner);
    damaged.sort_by_key(|(at, _)| *at);
    everything
        .damaged
        .extend(damaged.into_iter().map(|(_, damaged)| damaged));
    for (mut source, inputs) in opened.into_iter().flatten() {
        everything.damaged.append(&mut source.source.damaged);
        source.first = everything.inputs.len();
        everything.inputs.extend(inputs);
        everything.sources.push(source);
    }
    Ok(everything)
}

/// The source that `--source-platform` names as `path`.
pub(crate) fn platform_of<'a>(path: &Path, sources: &'a [Location]) -> Option<&'a Location> {
    sources
        .iter()
        .find(|source| source.path == path || Path::new(&source.spelled) == path)
}
