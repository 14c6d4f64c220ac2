//! The invariants of any source, every finding listed: each digest is that of the content, each
//! size that of the descriptor, each diff ID that of the inflated layer. The oracle of our tests.

use std::collections::BTreeMap;
use std::time::Instant;

use rayon::ThreadPool;

use crate::archive::Archive;
use crate::error::{Error, ErrorKind, Result};
use crate::graph::{Child, ImageNode, Loader, Node};
use crate::location::Location;
use crate::oci::{Compression, Descriptor, Digest};
use crate::package::{self, Keep, Source};
use crate::progress::{Phase, Progress, Sink, Stop, drive};
use crate::registry::{Client, Connect, Notice};
use crate::report::{Finding, Severity, Verification};
use crate::store::{BlobSource, Expected, check_size, mismatch, workers};

/// Checks every digest and diff ID of `sources` with `jobs` threads (`None`: one a core).
///
/// What is wrong with the content is a finding. An error is what kept it from being checked: a
/// source that is missing or cannot be read, or that the caller asked to stop.
pub fn verify(
    sources: &[Location],
    jobs: Option<usize>,
    connect: &Connect,
    sink: Option<&mut dyn Sink>,
    stop: &Stop,
) -> Result<Verification> {
    let begun = Instant::now();
    if sources.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "no source is named"));
    }
    let names = sources
        .iter()
        .map(|source| source.spelled.clone())
        .collect();
    let mut verification = Verification::new(names);
    let progress = Progress::new(stop.clone());
    let client = connect.client(
        sources.iter().filter_map(Location::registry),
        progress.stop(),
    )?;
    drive(&progress, sink, || {
        let pool = workers::pool(jobs)?;
        for source in sources {
            Check {
                source,
                client: &client,
                pool: &pool,
                progress: &progress,
                verification: &mut verification,
            }
            .run()?;
        }
        Ok::<(), Error>(())
    })?;
    let notices = client.notices().into_iter();
    let findings = notices.map(|notice| connection(sources, notice));
    verification.findings.extend(findings);
    verification.findings.sort();
    verification.findings.dedup();
    if !verification.passed() {
        verification.status = "failed";
    }
    verification.elapsed_seconds = begun.elapsed().as_secs_f64();
    Ok(verification)
}

/// What somebody should know about the connection to a registry, as of the first source there.
fn connection(sources: &[Location], notice: Notice) -> Finding {
    let host = Some(notice.host.as_str());
    let source = sources.iter().find(|source| source.registry() == host);
    Finding {
        path: source.map_or_else(|| notice.host.clone(), |source| source.spelled.clone()),
        member: None,
        offset: None,
        digest: None,
        code: notice.code.to_owned(),
        severity: Severity::Warning,
        message: notice.message,
    }
}

/// What is said of a member whose checksum was not looked at.
const UNCHECKED: &str = "its checksum comes behind it in a stream, which cannot be read again";

struct Check<'a> {
    source: &'a Location,
    client: &'a Client,
    pool: &'a ThreadPool,
    progress: &'a Progress,
    verification: &'a mut Verification,
}

impl Check<'_> {
    fn run(&mut self) -> Result<()> {
        let streamed = package::is_stream(self.source)?;
        let total = if streamed {
            package::size_on_disk(self.source)
        } else {
            0
        };
        self.progress.enter(Phase::Read, total, 0)?;
        let mut source = match Source::open(
            self.source,
            &Keep::Inflated,
            Some(self.client),
            self.progress,
        ) {
            Ok(source) => source,
            Err(error) => return self.find(error),
        };
        if let Err(error) = crate::container::check_beside(self.source, self.progress) {
            self.find(error)?;
        }
        for error in std::mem::take(&mut source.sums.wrong) {
            self.find(error)?;
        }
        for name in std::mem::take(&mut source.sums.unchecked) {
            self.warn("unchecked-checksum", Some(name), UNCHECKED.to_owned());
        }
        source
            .root
            .visit_hints(&source.archives, &mut |place, message| {
                self.warn("chart-hints", Some(place), message);
            });
        for archive in &mut source.archives {
            for (_, error) in std::mem::take(&mut archive.damaged) {
                self.verification.images += 1;
                self.find(error)?;
            }
        }
        for archive in &source.archives {
            self.archive(archive)?;
        }
        Ok(())
    }

    /// Checks one archive of the source.
    fn archive(&mut self, archive: &Archive) -> Result<()> {
        // Damage in a document hides what it leads to; what other roots lead to is still checked.
        let mut blobs = Wanted::default();
        let mut documents = Loader::new(archive);
        for root in &archive.roots {
            self.verification.images += 1;
            match documents.load(&root.descriptor) {
                Ok(node) => self.collect(archive, &node, &mut blobs),
                Err(error) => self.find(error)?,
            }
        }
        for digest in archive.stated_blobs() {
            if let Some(size) = archive.size(&digest) {
                blobs.add(Expected {
                    digest,
                    size,
                    diff_id: None,
                });
            }
        }
        self.verification.blobs += blobs.first.len() as u64;
        self.verification.bytes += blobs.first.values().map(|blob| blob.size).sum::<u64>();
        let blobs = blobs.all();
        if archive.is_streamed() {
            for blob in &blobs {
                if let Err(error) = as_streamed(archive, blob) {
                    self.find(archive.place(&blob.digest).blame(error))?;
                }
            }
            return Ok(());
        }
        let bytes = blobs.iter().map(|blob| blob.size).sum();
        self.progress
            .enter(Phase::Read, bytes, blobs.len() as u64)?;
        let damaged = workers::each(
            self.pool,
            self.progress,
            &blobs,
            true,
            &|_, blob, transfer| transfer.run(archive, blob, &mut |_| Ok(())),
        )?;
        for (_, error) in damaged {
            self.find(error)?;
        }
        Ok(())
    }

    /// What `node` leads to, as far as it is there.
    fn collect(&mut self, archive: &Archive, node: &Node, blobs: &mut Wanted) {
        match node {
            Node::Image(image) => collect_image(archive, image, blobs),
            Node::Index(index) => {
                let index_blob = &index.index.descriptor;
                blobs.add(Expected::of(index_blob));
                for child in &index.children {
                    match child {
                        Child {
                            node: Some(node), ..
                        } => self.collect(archive, node, blobs),
                        Child {
                            descriptor,
                            node: None,
                        } => self.absent(descriptor),
                    }
                }
            }
        }
    }

    fn absent(&mut self, child: &Descriptor) {
        let platform = child.platform.as_ref();
        let platform = platform.map_or_else(|| "unknown".to_owned(), ToString::to_string);
        self.verification.findings.push(Finding {
            path: self.source.spelled.clone(),
            member: None,
            offset: None,
            digest: Some(child.digest.to_string()),
            code: "partial-archive".to_owned(),
            severity: Severity::Warning,
            message: format!("an index names this manifest ({platform}); it is not here"),
        });
    }

    /// Lists what somebody should know.
    fn warn(&mut self, code: &str, member: Option<String>, message: String) {
        self.verification.findings.push(Finding {
            path: self.source.spelled.clone(),
            member,
            offset: None,
            digest: None,
            code: code.to_owned(),
            severity: Severity::Warning,
            message,
        });
    }

    /// Lists what is wrong with the content; passes on what kept it from being checked.
    fn find(&mut self, error: Error) -> Result<()> {
        if error.kind().exit_status() != ErrorKind::InvalidArchive.exit_status() {
            return Err(error);
        }
        // In a folder the file matters, not the folder.
        let root = self.source.path();
        let file = error
            .get_path()
            .filter(|path| *path != root && path.starts_with(root));
        self.verification.findings.push(Finding {
            path: file.map_or_else(
                || self.source.spelled.clone(),
                |file| file.to_string_lossy().into_owned(),
            ),
            member: error.get_member().map(str::to_owned),
            offset: error.get_offset(),
            digest: error.get_digest().map(str::to_owned),
            code: error.kind().name().to_owned(),
            severity: Severity::Error,
            message: error.message().to_owned(),
        });
        Ok(())
    }
}

/// What blobs have to be.
#[derive(Default)]
struct Wanted {
    first: BTreeMap<Digest, Expected>,
    /// Of blobs that are here already, what else is said of them that cannot be as well.
    others: Vec<Expected>,
}

impl Wanted {
    fn add(&mut self, expected: Expected) {
        let known = self.first.entry(expected.digest).or_insert(expected);
        if known.also(&expected).is_err() && !self.others.contains(&expected) {
            self.others.push(expected);
        }
    }

    fn all(self) -> Vec<Expected> {
        self.first.into_values().chain(self.others).collect()
    }
}

fn collect_image(archive: &Archive, image: &ImageNode, blobs: &mut Wanted) {
    let manifest = &image.manifest;
    // A manifest that was made is right by construction.
    if !archive.made(&manifest.descriptor.digest) {
        blobs.add(Expected::of(&manifest.descriptor));
    }
    let config = Expected::of(&manifest.view.config);
    if archive.size(&config.digest).is_some() {
        blobs.add(config);
    }
    let diff_ids = image.config.as_ref().map(|config| &config.view.diff_ids);
    for (at, layer) in manifest.view.layers.iter().enumerate() {
        if archive.size(&layer.digest).is_none() {
            continue;
        }
        let diff_id = diff_ids.and_then(|diff_ids| diff_ids.get(at)).copied();
        let compression = layer.media_type.layer_compression();
        let expected = Expected {
            diff_id: compression.zip(diff_id),
            ..Expected::of(layer)
        };
        blobs.add(expected);
    }
}

/// Checks a blob against what was seen of it as it came by in a stream.
fn as_streamed(archive: &Archive, expected: &Expected) -> Result<()> {
    let Some(seen) = archive.streamed(&expected.digest) else {
        return Ok(());
    };
    if let Some(size) = archive.size(&expected.digest) {
        check_size(expected, size)?;
    }
    if seen.digest != expected.digest {
        return Err(mismatch(&expected.digest, &seen.digest));
    }
    let invalid = |message| Error::new(ErrorKind::InvalidArchive, message);
    match (expected.diff_id, seen.diff_id) {
        (Some((Compression::None, diff_id)), _) if diff_id != seen.digest => {
            Err(mismatch(&diff_id, &seen.digest))
        }
        (Some((Compression::Gzip | Compression::Zstd, diff_id)), Some(inflated)) => {
            match inflated.map_err(invalid)? {
                inflated if inflated == diff_id => Ok(()),
                inflated => Err(mismatch(&diff_id, &inflated)),
            }
        }
        (Some((Compression::Gzip | Compression::Zstd, _)), None) => Err(invalid(
            "the layer is not compressed as its media type says".to_owned(),
        )),
        _ => Ok(()),
    }
}
