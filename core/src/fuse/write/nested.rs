//! Bundles and packages: archives within archives, and files that are copied.

use std::io::Write;

use super::super::listing::{OCI_LAYOUT, index_json, manifest_json};
use super::super::tape::{Body, Member, Tape};
use super::super::tree::{Branch, Leaf, Tree};
use super::Job;
use super::archive::{self, MOST_ENCODERS, of_plan};
use crate::compress::{self, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::oci::Compression;
use crate::store::{BlobReader, CHUNK, FileReader};

/// The members of the result and their places.
pub(super) fn tape(job: &Job<'_>, tree: &Tree) -> Result<Tape> {
    branch(job, tree, &tree.branch, true)
}

/// At most how many bytes the file will have, and what is made beside it first.
pub(super) fn needed(job: &Job<'_>, tree: &Tree) -> Result<u64> {
    let whole = branch(job, tree, &tree.branch, false)?.size();
    let mut compressed = 0;
    add_compressed(job, tree, &tree.branch, &mut compressed)?;
    Ok(whole + compressed)
}

/// Adds the sizes of the containers in `from` that are compressed, uncompressed.
fn add_compressed(job: &Job<'_>, tree: &Tree, from: &Branch, sum: &mut u64) -> Result<()> {
    for (_, leaf) in &from.0 {
        match leaf {
            Leaf::Archive {
                slot, compression, ..
            } if *compression != Compression::None => *sum += of_plan(job, *slot)?.size(),
            Leaf::Container {
                branch: inner,
                compression,
                ..
            } => {
                if *compression != Compression::None {
                    *sum += branch(job, tree, inner, false)?.size();
                }
                add_compressed(job, tree, inner, sum)?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// One container. With `make`, containers in it that are compressed are made, beside the result:
/// only then is it known how long they are.
fn branch(job: &Job<'_>, tree: &Tree, from: &Branch, make: bool) -> Result<Tape> {
    let mut tape = Tape::default();
    for (name, leaf) in &from.0 {
        match leaf {
            Leaf::Directory(mode) => tape.directory(name, *mode),
            Leaf::Link(target) => tape.link(name, target),
            Leaf::Made(bytes) => tape.file(name, bytes.clone()),
            Leaf::File(at) => {
                let member = &tree.files[*at].member;
                tape.content(name, member.size, member.mode, Body::File(*at));
            }
            Leaf::Unpacked(slot) if holds_any(job, *slot) => {
                let plan = &job.plans[*slot];
                let manifest = manifest_json(plan, job.options)?;
                let index = index_json(plan);
                tape.archive(name, index, OCI_LAYOUT, manifest, &job.sets[*slot], job.set);
            }
            Leaf::Archive {
                slot,
                mode,
                compression,
            } if holds_any(job, *slot) => {
                let inner = of_plan(job, *slot)?;
                add(job, &mut tape, name, *mode, *compression, inner, make)?;
            }
            // The choices made leave nothing of it.
            Leaf::Unpacked(_) | Leaf::Archive { .. } => {}
            Leaf::Container {
                branch: inner,
                mode,
                compression,
            } => {
                let inner = branch(job, tree, inner, make)?;
                add(job, &mut tape, name, *mode, *compression, inner, make)?;
            }
        }
    }
    Ok(tape)
}

fn holds_any(job: &Job<'_>, slot: usize) -> bool {
    let plan = job.plans.get(slot);
    plan.is_some_and(|plan| !plan.images.is_empty() || !plan.carried.is_empty())
}

/// Adds `inner` as a file.
fn add(
    job: &Job<'_>,
    tape: &mut Tape,
    name: &str,
    mode: u32,
    compression: Compression,
    inner: Tape,
    make: bool,
) -> Result<()> {
    if compression == Compression::None || !make {
        tape.nest(name, mode, inner);
        return Ok(());
    }
    let path = job.workplace.unique_file();
    let file = fsx::create_file(&path, 0o600)?;
    let failed = compress::into_error;
    let threads = job.pool.current_num_threads().min(MOST_ENCODERS);
    let mut encoder =
        Encoder::new(compression, archive::level(compression), threads, &file).map_err(failed)?;
    archive::stream(job, &inner, &mut encoder)?;
    encoder
        .finish()
        .and_then(|mut file| file.flush())
        .map_err(failed)?;
    let size = fsx::metadata(&path)?.len();
    tape.content(name, size, mode, Body::Made(path));
    Ok(())
}

/// Hands the content of a file to `write`, piece by piece.
pub(super) fn copy(
    job: &Job<'_>,
    member: &Member,
    write: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    let internal = || Error::new(ErrorKind::Internal, "a file that nobody knows");
    let mut blame = None;
    let mut reader: Box<dyn BlobReader> = match &member.body {
        Body::Made(path) => Box::new(FileReader::open(path.clone())?),
        Body::File(at) => {
            let file = job
                .tree
                .and_then(|tree| tree.files.get(*at))
                .ok_or_else(internal)?;
            blame = Some(file.members.place(&file.member));
            file.members.open(&file.member)?
        }
        _ => return Err(internal()),
    };
    let mut copied = 0;
    let mut buffer = vec![0; CHUNK];
    let outcome = (|| {
        loop {
            job.progress.check()?;
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            copied += count as u64;
            if copied > member.size {
                break;
            }
            write(&buffer[..count])?;
        }
        if copied != member.size {
            let message = "the file changed its size while it was read";
            return Err(Error::new(ErrorKind::InputChanged, message)
                .hint("wait until nothing writes to it any more, and run again"));
        }
        Ok(())
    })();
    outcome.map_err(|error| match blame {
        Some(place) => place.blame(error),
        None => error,
    })
}
