//! The loadable archive: a file whose members get to their places in any order, or a stream.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::super::listing::{OCI_LAYOUT, index_json, manifest_json};
use super::super::tape::{Body, Tape};
use super::outlet::Outlet;
use super::{Job, Written, enough, nested, parent};
use crate::compress::{self, Encoder};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::oci::Compression;
use crate::progress::Phase;
use crate::store::{BlobSource, Transfer, workers};
use crate::tar;

/// How much is written to one place between two hints to the system to begin writing to disk.
const WRITEBACK: u64 = 8 << 20;

/// The level at which a whole archive is compressed: most of it is layers, compressed already.
const GZIP_LEVEL: i32 = 6;
const ZSTD_LEVEL: i32 = 3;

/// That level.
pub(super) const fn level(compression: Compression) -> i32 {
    match compression {
        Compression::Gzip => GZIP_LEVEL,
        _ => ZSTD_LEVEL,
    }
}

/// How many threads compress an archive as a whole: each keeps several megabytes in flight, and
/// memory must not grow with the machine.
pub(super) const MOST_ENCODERS: usize = 6;

/// The members of the result and their places.
fn tape(job: &Job<'_>) -> Result<Tape> {
    match job.tree {
        Some(tree) => nested::tape(job, tree),
        None => of_plan(job, 0),
    }
}

/// The archive of one plan.
pub(super) fn of_plan(job: &Job<'_>, at: usize) -> Result<Tape> {
    let (Some(plan), Some(set)) = (job.plans.get(at), job.sets.get(at)) else {
        return Err(Error::new(ErrorKind::Internal, "an archive without a plan"));
    };
    let manifest = manifest_json(plan, job.options)?;
    Ok(Tape::new(
        index_json(plan),
        OCI_LAYOUT,
        manifest,
        set,
        job.set,
    ))
}

/// At most how many bytes the file will have.
pub(super) fn needed(job: &Job<'_>) -> Result<u64> {
    match job.tree {
        Some(tree) => nested::needed(job, tree),
        None => Ok(tape(job)?.size()),
    }
}

/// Writes the archive beside `path` and renames it there.
pub(super) fn write(job: &Job<'_>, path: &Path, compression: Compression) -> Result<Written> {
    let staging = job.workplace.staging.as_ref().ok_or_else(|| {
        Error::new(
            ErrorKind::Internal,
            "an archive without a place to build it",
        )
    })?;
    let ahead = job
        .tree
        .is_some_and(|tree| nested::reads_ahead(&tree.branch));
    if job.options.keep_going && (ahead || compression != Compression::None) {
        // What is damaged has to be known before it is in the middle of a stream.
        let damaged = check(job)?;
        if !damaged.is_empty() {
            return Ok(Written {
                damaged,
                ..Written::default()
            });
        }
    }
    let tape = tape(job)?;
    let temporary = staging.file("archive");
    // With `keep_going` there may have been an attempt before this one.
    fsx::remove_file_if_exists(&temporary)?;
    let file = fsx::create_file(&temporary, 0o644)?;
    let written = match compression {
        Compression::None => places(job, &tape, &file, &temporary),
        _ => {
            let out = Flushing {
                file: &file,
                at: 0,
                hinted: 0,
                durable: job.durable(),
            };
            compressed(job, &tape, compression, level(compression), out)
        }
    };
    let mut written = written.map_err(|error| enough(error, path, tape.size()))?;
    if !written.damaged.is_empty() {
        return Ok(written);
    }
    let length = file
        .metadata()
        .map_err(|e| Error::io("cannot read", &temporary, e))?
        .len();
    written.bytes = length;
    if job.durable() {
        fsx::sync_file(&file, &temporary).map_err(|error| enough(error, path, tape.size()))?;
    }
    job.progress.enter(Phase::Publish, 0, 0)?;
    if job.destination.merge.is_some() || job.destination.replaces {
        fsx::rename(&temporary, path)?;
    } else {
        fsx::rename_noreplace(&temporary, path)?;
    }
    if job.durable() {
        fsx::sync_dir(parent(path))?;
    }
    Ok(written)
}

/// Writes every member to its place, several at a time.
fn places(job: &Job<'_>, tape: &Tape, file: &File, path: &Path) -> Result<Written> {
    job.progress
        .enter(Phase::Write, job.set.bytes(), job.set.blobs.len() as u64)?;
    let at_blob = fill_frame(job, tape, file, path)?;
    let read = AtomicU64::new(0);
    let work = |at: usize, blob: &crate::store::Expected, transfer: &mut Transfer<'_>| {
        // Read and hashed once, written wherever it stands.
        let (mut done, mut hinted) = (0, 0);
        transfer.run(job.source, blob, &mut |piece| {
            for start in &at_blob[at] {
                fsx::pwrite_all(file, start + done, piece, path)?;
            }
            done += piece.len() as u64;
            if job.durable() && done - hinted >= WRITEBACK {
                for start in &at_blob[at] {
                    fsx::start_writeback(file, start + hinted, done - hinted);
                }
                hinted = done;
            }
            Ok(())
        })?;
        read.fetch_add(job.cost(&blob.digest, blob.size), Ordering::Relaxed);
        Ok(())
    };
    let failures = workers::each(
        job.pool,
        job.progress,
        &job.set.blobs,
        job.options.keep_going,
        &work,
    )?;
    Ok(Written {
        blobs: job.set.blobs.len() as u64,
        bytes: 0,
        reused: 0,
        read: read.into_inner(),
        damaged: failures
            .into_iter()
            .map(|(at, e)| (job.set.blobs[at].digest, e))
            .collect(),
    })
}

/// Sets the length of the file and writes all but the blobs; returns where each blob goes.
fn fill_frame(job: &Job<'_>, tape: &Tape, file: &File, path: &Path) -> Result<Vec<Vec<u64>>> {
    file.set_len(tape.size())
        .map_err(|error| Error::io("cannot write", path, error))?;
    let mut at_blob = vec![Vec::new(); job.set.blobs.len()];
    for member in &tape.members {
        fsx::pwrite_all(file, member.offset, &member.header, path)?;
        match &member.body {
            Body::Nothing => {}
            Body::Bytes(bytes) => fsx::pwrite_all(file, member.data(), bytes, path)?,
            Body::Blob(at) => at_blob[*at].push(member.data()),
            Body::File(_) | Body::Squeezed(..) => {
                let mut at = member.data();
                nested::copy(job, member, &mut |piece| {
                    fsx::pwrite_all(file, at, piece, path)?;
                    at += piece.len() as u64;
                    Ok(())
                })?;
            }
        }
    }
    Ok(at_blob)
}

/// Writes the archive from front to back through an encoder.
fn compressed<W: Write + Send>(
    job: &Job<'_>,
    tape: &Tape,
    compression: Compression,
    level: i32,
    out: W,
) -> Result<Written> {
    let failed = compress::into_error;
    let threads = job.pool.current_num_threads().min(MOST_ENCODERS);
    let mut encoder = Encoder::new(compression, level, threads, out).map_err(failed)?;
    job.progress
        .enter(Phase::Write, job.set.bytes(), job.set.blobs.len() as u64)?;
    let read = stream(job, tape, &mut encoder)?;
    encoder.finish().map_err(failed)?;
    Ok(Written {
        blobs: job.set.blobs.len() as u64,
        read,
        ..Written::default()
    })
}

/// Writes the archive to standard output. Everything is verified before the first byte; should a
/// source change even then, the end marker is missing and the run fails.
pub(super) fn write_standard(job: &Job<'_>) -> Result<Written> {
    let damaged = check(job)?;
    if !damaged.is_empty() {
        return Ok(Written {
            damaged,
            ..Written::default()
        });
    }
    let tape = tape(job)?;
    job.progress
        .enter(Phase::Publish, job.set.bytes(), job.set.blobs.len() as u64)?;
    let mut out = BufWriter::new(Outlet::new(fsx::standard_output()?, job.progress));
    let read = stream(job, &tape, &mut out)?;
    out.flush().map_err(compress::into_error)?;
    Ok(Written {
        blobs: job.set.blobs.len() as u64,
        bytes: tape.size(),
        read,
        ..Written::default()
    })
}

/// Hashes every blob that is not in the spool, where it was hashed already.
fn check(job: &Job<'_>) -> Result<Vec<(crate::oci::Digest, Error)>> {
    job.progress
        .enter(Phase::Read, job.set.bytes(), job.set.blobs.len() as u64)?;
    let work = |_: usize, blob: &crate::store::Expected, transfer: &mut Transfer<'_>| {
        if job.workplace.blobs.size(&blob.digest) == Some(blob.size) && blob.diff_id.is_none() {
            return Ok(());
        }
        transfer.run(job.source, blob, &mut |_| Ok(()))
    };
    let failures = workers::each(
        job.pool,
        job.progress,
        &job.set.blobs,
        job.options.keep_going,
        &work,
    )?;
    Ok(failures
        .into_iter()
        .map(|(at, e)| (job.set.blobs[at].digest, e))
        .collect())
}

/// Writes every member in order, then the end marker; returns how many bytes of blobs were read.
pub(super) fn stream(job: &Job<'_>, tape: &Tape, out: &mut dyn Write) -> Result<u64> {
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(compress::into_error);
    let mut transfer = Transfer::new(job.progress);
    let mut read = 0;
    for member in &tape.members {
        put(&member.header)?;
        match &member.body {
            Body::Nothing => {}
            Body::Bytes(bytes) => put(bytes)?,
            Body::File(_) | Body::Squeezed(..) => nested::copy(job, member, &mut put)?,
            Body::Blob(at) => {
                let blob = &job.set.blobs[*at];
                transfer.run(job.source, blob, &mut put)?;
                read += job.cost(&blob.digest, blob.size);
            }
        }
        let padding = usize::try_from(tar::padding(member.size)).unwrap_or(0);
        put(&[0; 512][..padding])?;
    }
    put(&tar::END)?;
    Ok(read)
}

/// A file that is written from front to back, early to disk if it has to last.
struct Flushing<'a> {
    file: &'a File,
    at: u64,
    hinted: u64,
    durable: bool,
}

impl Write for Flushing<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.at += count as u64;
        if self.durable && self.at - self.hinted >= WRITEBACK {
            fsx::start_writeback(self.file, self.hinted, self.at - self.hinted);
            self.hinted = self.at;
        }
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
