//! Whether there is room on this machine for what a push spools, asked before anything is read.

use std::path::Path;

use super::DeliverOptions;
use super::pass::Passing;
use super::spool::Spool;
use super::target::Base;
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::location::Location;
use crate::package;
use crate::report::Warning;

/// What to do about it.
const ADVICE: &str = "make room there, or name a folder with more of it: `--work-dir`";

/// Looks whether the folder to work in has room for the compressed ones of `sources`. If they are
/// spooled whole they take their own size at least: less is an error. If they are sent as they come
/// by (`may_pass`) they take what the largest archive in them does, which nobody knows yet, and of
/// what lies compressed in folders it is not known what it is: there is only something to tell.
pub(super) fn look(
    sources: &[Location],
    base: &Base,
    options: &DeliverOptions,
    may_pass: bool,
) -> Result<Option<Warning>> {
    let (mut whole, mut below) = (Vec::new(), Vec::new());
    for source in sources {
        match package::is_stream(source)? {
            true => whole.push(package::size_on_disk(source)),
            false => below.extend(package::streams_below(source)?),
        }
    }
    let folder = options.fuse.temp_dir();
    let all = || whole.iter().chain(&below);
    if all().next().is_none() {
        return Ok(None);
    }
    let free = fsx::free_bytes(&folder)?;
    let left = Spool::left(sources, base, options);
    let lacks = |bytes: u64| Some(bytes.saturating_sub(left)).filter(|bytes| *bytes > free);
    let passes = may_pass && Passing::can(options);
    if !passes && let Some(needed) = lacks(whole.iter().sum()) {
        let (needed, free) = (fsx::human_bytes(needed), fsx::human_bytes(free));
        let message = format!("{needed} are needed there for compressed sources, {free} are free");
        return Err(Error::new(ErrorKind::NoSpace, message)
            .path(folder)
            .hint(ADVICE));
    }
    let (estimate, how, by) = match passes {
        true => {
            let largest = all().max().copied();
            (largest, ", one archive at a time", "the largest of it")
        }
        false => (Some(all().sum()), "", "its size"),
    };
    Ok(estimate.and_then(lacks).map(|estimate| Warning {
        reference: None,
        code: "space-estimate",
        message: format!(
            "what is compressed in the sources is spooled in `{}`{how}: {} are free, going by {by} \
             {} may be needed; `--work-dir` names another folder",
            folder.display(),
            fsx::human_bytes(free),
            fsx::human_bytes(estimate)
        ),
    }))
}

/// `error`, with what to do if it says that there is no more room at `place`, which is in `folder`.
pub(super) fn explained(error: Error, place: &Path, folder: &Path) -> Error {
    let here = error.get_path().is_none_or(|path| path.starts_with(place));
    if error.kind() != ErrorKind::NoSpace || !here {
        return error;
    }
    error.better_hint(format!(
        "`{}` is where compressed sources are spooled: {ADVICE}",
        folder.display()
    ))
}
