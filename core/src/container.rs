//! A container: the files of a tar archive, a compressed one, a directory or a stream, and the
//! containers that are nested in it.
//!
//! What can be read at any byte is mapped and stays where it is; what is compressed, or comes out
//! of a pipe, is read once, as a stream.

mod checksum;
mod evidence;
mod frame;
mod input;
mod keep;
mod members;
mod names;
mod nest;
mod stream;

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

pub use keep::{Keep, Pass};

pub(crate) use checksum::{Algorithm, Line, List, Summer, Sums, check as check_sums, list_of};
pub(crate) use members::{Listed, Member, Members, NESTED};
pub(crate) use names::stated_digest;

use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Mapped};
use crate::limits;
use crate::location::{Location, Transport};
use crate::oci::Compression;
use crate::progress::Progress;
use crate::store::CHUNK;
use checksum::{Stated, Summed};

/// Whether opening `location` reads all of it as a stream: it is compressed, or not a file.
pub fn is_stream(location: &Location) -> Result<bool> {
    match location.transport {
        Transport::Standard => return Ok(true),
        Transport::Registry => return Ok(false),
        _ => {}
    }
    let metadata = require(location)?;
    if metadata.is_dir() {
        return Ok(false);
    }
    Ok(!metadata.is_file() || compression_of(location.path())? != Compression::None)
}

/// How many bytes the file at `location` has on disk; 0 if it is no file.
#[must_use]
pub fn size_on_disk(location: &Location) -> u64 {
    match fsx::metadata_if_any(location.path()) {
        Ok(Some(metadata)) if metadata.is_file() => metadata.len(),
        _ => 0,
    }
}

/// How many bytes each of the files has that are read as streams because they lie, compressed, in the
/// folder `location`; none if it is no folder.
pub(crate) fn streams_below(location: &Location) -> Result<Vec<u64>> {
    let mut sizes = Vec::new();
    let is_folder = fsx::metadata_if_any(location.path())?.is_some_and(|found| found.is_dir());
    if is_folder && location.transport != Transport::Registry {
        add_streams(location.path(), &mut sizes)?;
    }
    Ok(sizes)
}

fn add_streams(folder: &Path, sizes: &mut Vec<u64>) -> Result<()> {
    for path in fsx::read_dir_sorted(folder)? {
        let name = path.to_string_lossy();
        // Layers, and subcharts, are compressed and stay so.
        let is_part = stated_digest(&name).is_some() || names::is_of_chart(&name);
        let Some(found) = fsx::symlink_metadata(&path)?.filter(|_| !is_part) else {
            continue;
        };
        if found.is_dir() {
            add_streams(&path, sizes)?;
        } else if found.is_file() && compression_of(&path)? != Compression::None {
            sizes.push(found.len());
        }
    }
    Ok(())
}

/// Opens the container at `location`, and says what it is compressed with. If it has to be read as
/// a stream, `keep` says what happens to its content.
pub(crate) fn open(
    location: &Location,
    keep: &Keep,
    progress: &Progress,
) -> Result<(Members, Compression)> {
    if location.transport == Transport::Standard {
        let path = Path::new("standard input");
        let pipe = input::Pipe::new(fsx::standard_input()?, progress);
        return sniffed(pipe, path, keep, progress);
    }
    let metadata = require(location)?;
    let path = location.path();
    if metadata.is_dir() {
        return Ok((Members::directory(path.to_owned()), Compression::None));
    }
    if !metadata.is_file() {
        let pipe = input::Pipe::new(fsx::open(path)?, progress);
        return sniffed(pipe, path, keep, progress);
    }
    if metadata.len() == 0 {
        return Err(Error::new(ErrorKind::InvalidArchive, "the file is empty")
            .path(path)
            .hint("the download or copy failed: fetch it again"));
    }
    match compression_of(path)? {
        Compression::None => Ok((Members::scan(Mapped::open(path)?)?, Compression::None)),
        compression => {
            let stated = checksum::beside(path)?;
            let summers = stated.iter().map(Stated::summer).collect();
            let mut input = Summed::new(fsx::open(path)?, summers);
            // What its publisher uses for the whole is what lists within are likely to use.
            let used = stated.iter().map(Stated::algorithm).collect();
            let members = stream::read(&mut input, compression, path, used, keep, progress)?;
            for (stated, sum) in stated.iter().zip(input.finish()) {
                let checked = stated.check(&sum.finish());
                checked.map_err(|error| error.path(path))?;
            }
            Ok((members, compression))
        }
    }
}

/// Checks the file at `location`, which is read in place, against a checksum file beside it.
pub(crate) fn check_beside(location: &Location, progress: &Progress) -> Result<()> {
    let path = location.path();
    let is_remote = location.transport == Transport::Registry;
    if is_remote || is_stream(location)? || size_on_disk(location) == 0 {
        // Checked as it came by, or nothing to check.
        return Ok(());
    }
    let Some(stated) = checksum::beside(path)? else {
        return Ok(());
    };
    let mapped = Mapped::open(path)?;
    let mut summer = stated.summer();
    let mut buffer = vec![0; CHUNK];
    let mut done = 0;
    while done < mapped.len() {
        progress.check()?;
        let count = usize::try_from(mapped.len() - done)
            .unwrap_or(CHUNK)
            .min(CHUNK);
        mapped.read_at(done, &mut buffer[..count])?;
        summer.update(&buffer[..count]);
        done += count as u64;
    }
    stated
        .check(&summer.finish())
        .map_err(|error| error.path(path))
}

fn sniffed<'a>(
    input: impl Read + Send + 'a,
    path: &Path,
    keep: &Keep,
    progress: &Progress,
) -> Result<(Members, Compression)> {
    let (input, compression) = input::sniff(input, path)?;
    let used = Default::default();
    let members = stream::read(input, compression, path, used, keep, progress)?;
    Ok((members, compression))
}

/// The container that `member` of `members` is, `depth` containers down, and what it is compressed
/// with; `None` if it is a plain file.
pub(crate) fn nested(
    members: &Members,
    member: &Member,
    depth: usize,
    keep: &Keep,
    progress: &Progress,
) -> Result<Option<(Arc<Members>, Compression)>> {
    let found = match members.taken_apart(member) {
        Some(nested) => Some((Arc::clone(&nested.members), nested.compression)),
        None => match members.nested(member)? {
            Some(nested) => Some((nested, Compression::None)),
            None => compressed(members, member, keep, progress)?,
        },
    };
    if found.is_some() && depth >= limits::MAX_NESTING {
        return Err(members
            .place(member)
            .blame(nest::too_deep())
            .path(&members.path));
    }
    Ok(found)
}

/// A compressed member that was not taken apart as it came by.
fn compressed(
    members: &Members,
    member: &Member,
    keep: &Keep,
    progress: &Progress,
) -> Result<Option<(Arc<Members>, Compression)>> {
    let compression = Compression::sniff(&members.head(member, 4)?);
    if compression == Compression::None || !members.worth_inflating(member) {
        return Ok(None);
    }
    if let Some(inflated) = members.inflated(member)? {
        return Ok(Some((inflated, compression)));
    }
    let within = members.within(&member.name);
    let input = input::Blob(members.open(member)?);
    let found = stream::read_member(input, compression, &members.path, within, keep, progress)?;
    Ok(found.map(|found| (Arc::new(found), compression)))
}

fn require(location: &Location) -> Result<std::fs::Metadata> {
    fsx::metadata_if_any(location.path())?.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, "no such file or directory")
            .operation("cannot open")
            .path(location.path())
            .source_error(fsx::absent())
    })
}

/// What the file at `path` is compressed with.
fn compression_of(path: &Path) -> Result<Compression> {
    let mut head = [0; 4];
    let mut file = fsx::open(path)?;
    let mut filled = 0;
    while filled < head.len() {
        match file.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::io("cannot read", path, error)),
        }
    }
    Ok(Compression::sniff(&head[..filled]))
}
