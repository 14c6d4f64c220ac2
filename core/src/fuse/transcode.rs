//! Compressing layers anew, on request: each distinct layer once, several at a time, the same bytes
//! whatever the number of threads. Memory is per worker: an encoder and a decoder each.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Mutex;

use rayon::ThreadPool;

use super::Compress;
use super::rewrite::Layers;
use super::select::Selected;
use crate::compress::{Encoder, Inflater};
use crate::error::{Error, ErrorKind, Result};
use crate::oci::{Compression, Descriptor, Digest, Hasher, MediaType};
use crate::progress::{Phase, Progress};
use crate::store::{BlobDirectory, BlobSource, BlobWriter, Expected, Transfer, workers};

/// A layer to be compressed anew.
#[derive(Debug, Clone)]
struct Job {
    layer: Descriptor,
    from: Compression,
    diff_id: Option<Digest>,
}

/// What `--compression` asks for, and at which level; `None`: leave layers as they are.
fn target(options: Compress) -> Option<(Compression, i32)> {
    match options {
        Compress::Keep => None,
        Compress::None => Some((Compression::None, 0)),
        Compress::Gzip(level) => Some((Compression::Gzip, i32::try_from(level).unwrap_or(6))),
        Compress::Zstd(level) => Some((Compression::Zstd, level)),
    }
}

/// The layers of `images` that are not compressed as asked, each once.
fn jobs(images: &[&Selected], to: Compression, source: &dyn BlobSource) -> Vec<Job> {
    let mut jobs: BTreeMap<Digest, Job> = BTreeMap::new();
    for variant in images.iter().flat_map(|image| &image.variants) {
        let diff_ids = variant
            .image
            .config
            .as_ref()
            .map(|config| &config.view.diff_ids);
        for (at, layer) in variant.image.manifest.view.layers.iter().enumerate() {
            let Some(from) = layer.media_type.layer_compression() else {
                continue;
            };
            if from == to || layer.is_foreign() || source.size(&layer.digest).is_none() {
                continue;
            }
            let diff_id = diff_ids.and_then(|diff_ids| diff_ids.get(at)).copied();
            let layer = layer.clone();
            jobs.entry(layer.digest).or_insert(Job {
                layer,
                from,
                diff_id,
            });
        }
    }
    jobs.into_values().collect()
}

/// Whether `images` have layers that `options` want otherwise.
pub(crate) fn needed(images: &[&Selected], options: Compress, source: &dyn BlobSource) -> bool {
    target(options).is_some_and(|(to, _)| !jobs(images, to, source).is_empty())
}

/// Compresses the layers of `images` as `options` ask, into `spool`; returns them, and how many
/// bytes of the sources that took.
pub(crate) fn transcode(
    images: &[&Selected],
    options: Compress,
    source: &dyn BlobSource,
    spool: &BlobDirectory,
    pool: &ThreadPool,
    progress: &Progress,
) -> Result<(Layers, u64)> {
    let Some((to, level)) = target(options) else {
        return Ok((Layers::new(), 0));
    };
    let jobs = jobs(images, to, source);
    let blobs: Vec<Expected> = jobs.iter().map(|job| Expected::of(&job.layer)).collect();
    let total = blobs.iter().map(|blob| blob.size).sum();
    let unspooled = blobs
        .iter()
        .filter(|blob| spool.size(&blob.digest).is_none());
    let read = unspooled.map(|blob| blob.size).sum();
    progress.enter(Phase::Write, total, blobs.len() as u64)?;
    let layers = Mutex::new(Layers::new());
    workers::each(pool, progress, &blobs, false, &|at, expected, transfer| {
        let job = &jobs[at];
        let layer = one(job, expected, (to, level), source, spool, transfer)?;
        let mut layers = layers.lock().unwrap_or_else(|poison| poison.into_inner());
        layers.insert(job.layer.digest, layer);
        Ok(())
    })?;
    let layers = layers
        .into_inner()
        .unwrap_or_else(|poison| poison.into_inner());
    Ok((layers, read))
}

fn one(
    job: &Job,
    expected: &Expected,
    (to, level): (Compression, i32),
    source: &dyn BlobSource,
    spool: &BlobDirectory,
    transfer: &mut Transfer<'_>,
) -> Result<Descriptor> {
    let failed = |error: std::io::Error| crate::compress::into_error(error);
    let out = Output {
        writer: spool.begin()?,
        hasher: Hasher::sha256(),
        size: 0,
    };
    let encoder = Encoder::new(to, level, 1, out).map_err(failed)?;
    let tap = Tap {
        hasher: Hasher::sha256(),
        encoder,
    };
    let tap = if job.from == Compression::None {
        let mut tap = tap;
        transfer.run(source, expected, &mut |piece| {
            tap.write_all(piece).map_err(failed)
        })?;
        tap
    } else {
        let mut inflater = Inflater::new(job.from, tap)?;
        transfer.run(source, expected, &mut |piece| inflater.push(piece))?;
        inflater
            .finish()
            .map_err(|error| source.place(&expected.digest).blame(error))?
    };
    let found = tap.hasher.finish();
    if let Some(diff_id) = job.diff_id
        && diff_id != found
    {
        let error = Error::new(
            ErrorKind::DigestMismatch,
            format!("the layer's diff ID is {found}, the image configuration says {diff_id}"),
        );
        return Err(source.place(&expected.digest).blame(error.digest(diff_id)));
    }
    let out = tap.encoder.finish().map_err(failed)?;
    let digest = out.hasher.finish();
    out.writer.commit(&digest)?;
    let docker = job
        .layer
        .media_type
        .is_docker()
        .then(|| MediaType::docker_layer(to))
        .flatten();
    let media_type = docker.unwrap_or_else(|| MediaType::oci_layer(to));
    let mut layer = Descriptor::new(media_type, digest, out.size);
    layer.annotations.clone_from(&job.layer.annotations);
    Ok(layer)
}

/// Hashes the uncompressed layer on its way into the encoder.
struct Tap<'a> {
    hasher: Hasher,
    encoder: Encoder<Output<'a>>,
}

impl Write for Tap<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.encoder.write_all(bytes)?;
        self.hasher.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Hashes the compressed layer on its way into the spool.
struct Output<'a> {
    writer: BlobWriter<'a>,
    hasher: Hasher,
    size: u64,
}

impl Write for Output<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.writer.write(bytes).map_err(std::io::Error::other)?;
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
