//! Bundles and packages: archives within archives, and files that are copied.

use std::collections::BTreeMap;
use std::io::{self, Write};

use rayon::prelude::*;

use super::super::listing::{OCI_LAYOUT, index_json, manifest_json};
use super::super::tape::{Body, Member, Tape};
use super::super::tree::{Branch, Leaf, Tree};
use super::Job;
use super::archive::{self, MOST_ENCODERS, of_plan};
use super::sums::{Asked, Tally, text};
use crate::compress::{self, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Compression;
use crate::store::CHUNK;

/// The members of the result and their places.
pub(super) fn tape(job: &Job<'_>, tree: &Tree) -> Result<Tape> {
    branch(job, tree, &tree.branch, true)
}

/// At most how many bytes the file will have.
pub(super) fn needed(job: &Job<'_>, tree: &Tree) -> Result<u64> {
    Ok(branch(job, tree, &tree.branch, false)?.size())
}

/// Whether parts of the result are read before any of it is written: what is compressed inside, to
/// know its length, and what checksum files list.
pub(super) fn reads_ahead(branch: &Branch) -> bool {
    branch.0.iter().any(|(_, leaf)| match leaf {
        Leaf::List(..) => true,
        Leaf::Archive { compression, .. } => *compression != Compression::None,
        Leaf::Container {
            branch,
            compression,
            ..
        } => *compression != Compression::None || reads_ahead(branch),
        _ => false,
    })
}

/// A container in a container.
struct Inner {
    tape: Tape,
    compression: Compression,
    /// Its length, compressed or not.
    size: u64,
}

/// One container. With `exact` it is found out how long the containers in it are that are
/// compressed, and what the checksums of listed things are; both mean making them once for nothing.
/// Otherwise lengths are the most that they can be.
fn branch(job: &Job<'_>, tree: &Tree, from: &Branch, exact: bool) -> Result<Tape> {
    let asked = match exact {
        true => Asked::of(from),
        false => Asked::default(),
    };
    let mut inner: BTreeMap<&str, Inner> = BTreeMap::new();
    for (name, leaf) in &from.0 {
        let (tape, compression) = match leaf {
            Leaf::Archive {
                slot, compression, ..
            } if holds_any(job, *slot) => (of_plan(job, *slot)?, *compression),
            Leaf::Container {
                branch: below,
                compression,
                ..
            } => (branch(job, tree, below, exact)?, *compression),
            _ => continue,
        };
        let size = tape.size();
        let container = Inner {
            tape,
            compression,
            size,
        };
        inner.insert(name, container);
    }
    let mut sums = BTreeMap::new();
    if exact {
        // Compressing takes all threads, and memory: one after the other.
        for (name, inner) in &mut inner {
            if inner.compression != Compression::None {
                let mut tally = Tally::of(asked.of_name(name));
                compress(job, &inner.tape, inner.compression, &mut tally)?;
                inner.size = tally.length;
                sums.extend(tally.finish(name));
            }
        }
        let listed = |(name, leaf): &&(String, Leaf)| {
            let compressed = |inner: &Inner| inner.compression != Compression::None;
            !asked.of_name(name).is_empty()
                && !inner.get(name.as_str()).is_some_and(compressed)
                && (inner.contains_key(name.as_str()) || !is_container(leaf))
        };
        let listed: Vec<&(String, Leaf)> = from.0.iter().filter(listed).collect();
        let sum = |(name, leaf): &&(String, Leaf)| {
            let mut tally = Tally::of(asked.of_name(name));
            let mut put = |bytes: &[u8]| tally.write_all(bytes).map_err(compress::into_error);
            match (inner.get(name.as_str()), leaf) {
                (Some(inner), _) => archive::stream(job, &inner.tape, &mut tally).map(drop)?,
                (None, Leaf::File(at)) => file(job, *at, &mut put)?,
                (None, Leaf::Made(bytes)) => put(bytes)?,
                // No list lists it.
                (None, _) => {}
            }
            Ok(tally.finish(name))
        };
        let summed: Vec<Result<Vec<_>>> =
            (job.pool).install(|| listed.par_iter().with_max_len(1).map(sum).collect());
        for of_one in summed {
            sums.extend(of_one?);
        }
    }
    let mut tape = Tape::default();
    for (name, leaf) in &from.0 {
        match leaf {
            Leaf::Directory(mode) => tape.directory(name, *mode),
            Leaf::Link(target) => tape.link(name, target),
            Leaf::Made(bytes) => tape.file(name, bytes.clone()),
            Leaf::List(lines, mode) => {
                let there = |name: &str| is_there(job, from, name);
                let bytes = text(lines, &sums, &there).into_bytes();
                tape.content(name, bytes.len() as u64, *mode, Body::Bytes(bytes));
            }
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
            // The choices made leave nothing of it.
            Leaf::Unpacked(_) => {}
            Leaf::Archive { mode, .. } | Leaf::Container { mode, .. } => {
                if let Some(inner) = inner.remove(name.as_str()) {
                    add(&mut tape, name, *mode, inner, exact);
                }
            }
        }
    }
    Ok(tape)
}

fn is_container(leaf: &Leaf) -> bool {
    matches!(leaf, Leaf::Archive { .. } | Leaf::Container { .. })
}

/// Whether the choices made leave something of what stands at `name`.
fn is_there(job: &Job<'_>, from: &Branch, name: &str) -> bool {
    let leaf = from.0.iter().find(|(of, _)| of == name);
    leaf.is_some_and(|(_, leaf)| match leaf {
        Leaf::Archive { slot, .. } => holds_any(job, *slot),
        _ => true,
    })
}

fn holds_any(job: &Job<'_>, slot: usize) -> bool {
    let plan = job.plans.get(slot);
    plan.is_some_and(|plan| !plan.images.is_empty() || !plan.carried.is_empty())
}

/// Adds `inner` as a file.
fn add(tape: &mut Tape, name: &str, mode: u32, inner: Inner, exact: bool) {
    match inner.compression {
        compression if exact && compression != Compression::None => {
            let body = Body::Squeezed(Box::new(inner.tape), compression);
            tape.content(name, inner.size, mode, body);
        }
        _ => tape.nest(name, mode, inner.tape),
    }
}

/// Writes a container compressed. Its length has to be known before its header is written, and
/// that of what comes behind it depends on it: so it is compressed once to be counted, and once to
/// be written. The disk is spared instead, which is what packages run out of.
fn compress(
    job: &Job<'_>,
    tape: &Tape,
    compression: Compression,
    out: &mut dyn Write,
) -> Result<()> {
    let failed = compress::into_error;
    let threads = job.pool.current_num_threads().min(MOST_ENCODERS);
    let mut encoder =
        Encoder::new(compression, archive::level(compression), threads, out).map_err(failed)?;
    archive::stream(job, tape, &mut encoder)?;
    encoder.finish().map(drop).map_err(failed)
}

/// Hands the content of a member to `write`, piece by piece.
pub(super) fn copy(
    job: &Job<'_>,
    member: &Member,
    write: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<()> {
    match &member.body {
        Body::File(at) => file(job, *at, write),
        Body::Squeezed(tape, compression) => {
            let mut out = Exactly {
                write,
                left: member.size,
            };
            compress(job, tape, *compression, &mut out)?;
            match out.left {
                0 => Ok(()),
                _ => Err(changed()),
            }
        }
        _ => Err(Error::new(ErrorKind::Internal, "no file to be copied")),
    }
}

fn changed() -> Error {
    Error::new(
        ErrorKind::InputChanged,
        "the file changed its size while it was read",
    )
    .hint("wait until nothing writes to it any more, and run again")
}

/// Passes on as many bytes as there is room for.
struct Exactly<'a> {
    write: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    left: u64,
}

impl Write for Exactly<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| io::Error::other(changed()))?;
        (self.write)(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hands the content of the file of this number to `write`.
fn file(job: &Job<'_>, at: usize, write: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let file = job.tree.and_then(|tree| tree.files.get(at));
    let file = file.ok_or_else(|| Error::new(ErrorKind::Internal, "a file that nobody knows"))?;
    let outcome = (|| {
        let mut reader = file.members.open(&file.member)?;
        let mut left = file.member.size;
        let mut buffer = vec![0; CHUNK];
        loop {
            job.progress.check()?;
            let count = reader.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            left = left.checked_sub(count as u64).ok_or_else(changed)?;
            write(&buffer[..count])?;
        }
        match left {
            0 => Ok(()),
            _ => Err(changed()),
        }
    })();
    outcome.map_err(|error| file.members.place(&file.member).blame(error))
}
