//! Reading an archive as a stream: compressed files, pipes, standard input. It is read once; what
//! it holds goes into a spool, or is only hashed.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::members::{Members, Streamed};
use crate::compress::{self, Inflater, LimitedExpansion};
use crate::error::{Error, ErrorKind, Result};
use crate::fsx;
use crate::limits;
use crate::oci::{Compression, Digest, Hasher};
use crate::progress::Progress;
use crate::store::{BlobDirectory, BlobWriter, CHUNK, Hashing};
use crate::tar::{Entry, EntryKind, TarStream};

/// How many first bytes of each member are remembered.
const HEAD: usize = 16;

/// How long a pipe is waited for before it is asked again whether the run is to stop.
const PATIENCE: Duration = Duration::from_millis(100);

/// What happens to the content of a stream.
#[derive(Debug, Clone)]
pub enum Keep {
    /// It goes into this spool.
    Spool(Arc<BlobDirectory>),
    /// Documents are kept in memory, the rest is only hashed.
    Documents,
    /// As `Documents`, and every compressed layer is inflated and hashed as well.
    Inflated,
}

/// Reads the archive that comes out of `input`, which is compressed with `compression`. `path`
/// names it in errors.
pub(super) fn read(
    input: impl Read + Send,
    compression: Compression,
    path: &Path,
    keep: &Keep,
    progress: &Progress,
) -> Result<Members> {
    let spool = match keep {
        Keep::Spool(spool) => Some(Arc::clone(spool)),
        Keep::Documents | Keep::Inflated => None,
    };
    let mut members = Members::stream(path.to_owned(), spool);
    let blame = |error: Error| error.path(path);
    let counted = Counted { input, progress };
    let plain = LimitedExpansion::new(compression, counted).map_err(blame)?;
    let mut stream = TarStream::new(BufReader::with_capacity(CHUNK, plain));
    let mut reader = MemberReader {
        keep,
        progress,
        buffer: vec![0; CHUNK],
        kept: 0,
    };
    while let Some(entry) = stream.next().map_err(blame)? {
        progress.check()?;
        if matches!(entry.kind, EntryKind::File) {
            let streamed = reader
                .read(&mut stream, &entry)
                .map_err(|error| blame(error.member(&entry.name).offset(entry.header_offset)))?;
            members.add_streamed(entry, streamed)?;
        } else {
            members.add_other(entry)?;
        }
    }
    // To the end, so that the checksum of the compressed file is checked too.
    stream.finish().map_err(blame)?;
    Ok(members)
}

/// Counts what is read from the file itself, and stops when asked to.
struct Counted<'a, R> {
    input: R,
    progress: &'a Progress,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.progress.check().map_err(std::io::Error::other)?;
        let count = self.input.read(buffer)?;
        self.progress.add_bytes(count as u64);
        Ok(count)
    }
}

struct MemberReader<'a> {
    keep: &'a Keep,
    progress: &'a Progress,
    buffer: Vec<u8>,
    /// Bytes of documents kept in memory so far.
    kept: u64,
}

impl MemberReader<'_> {
    fn read<R: Read>(&mut self, stream: &mut TarStream<R>, entry: &Entry) -> Result<Streamed> {
        let stated = stated_digest(&entry.name);
        if let (Keep::Spool(spool), Some(digest)) = (self.keep, stated)
            && crate::store::BlobSource::size(&**spool, &digest) == Some(entry.size)
        {
            // The spool holds it from elsewhere, hashed. The reader skips the content.
            return self.known(stream, entry, digest);
        }
        let mut hasher = stated.map_or_else(Hasher::sha256, |digest| digest.hasher());
        let mut writer: Option<BlobWriter<'_>> = match self.keep {
            Keep::Spool(spool) => Some(spool.begin()?),
            Keep::Documents | Keep::Inflated => None,
        };
        let mut head = Vec::with_capacity(HEAD);
        let mut layer: Option<std::result::Result<Inflater<Hashing>, String>> = None;
        let mut document: Option<Vec<u8>> = None;
        let mut first = true;
        loop {
            let count = stream.read(&mut self.buffer)?;
            if count == 0 {
                break;
            }
            self.progress.check()?;
            let piece = &self.buffer[..count];
            if head.len() < HEAD {
                head.extend(piece.iter().copied().take(HEAD - head.len()));
            }
            if first {
                first = false;
                let compression = Compression::sniff(piece);
                if compression != Compression::None && self.inflates(stated.is_some()) {
                    layer = Some(Ok(Inflater::new(compression, Hashing::default())?));
                }
                if writer.is_none() && is_document(piece) && entry.size <= limits::MAX_LISTING {
                    keep_more(&mut self.kept, entry.size)?;
                    document = Some(Vec::new());
                }
            }
            hasher.update(piece);
            if let Some(Ok(inflater)) = &mut layer
                && let Err(error) = inflater.push(piece)
            {
                layer = Some(Err(error.message().to_owned()));
            }
            if let Some(writer) = &mut writer {
                writer.write(piece)?;
            }
            if let Some(document) = &mut document {
                document.extend_from_slice(piece);
            }
        }
        let digest = hasher.finish();
        if let Some(writer) = writer {
            writer.commit(&digest)?;
        }
        let diff_id = layer.map(|layer| {
            let finished = layer?
                .finish()
                .map_err(|error| error.message().to_owned())?;
            Ok(finished.0.finish())
        });
        if document.is_none() && entry.size == 0 {
            document = Some(Vec::new());
        }
        let kept = document.filter(|_| !matches!(self.keep, Keep::Spool(_)));
        Ok(Streamed {
            offset: entry.offset,
            size: entry.size,
            digest,
            head,
            diff_id,
            kept,
        })
    }

    /// A member whose content is spooled already.
    fn known<R: Read>(
        &mut self,
        stream: &mut TarStream<R>,
        entry: &Entry,
        digest: Digest,
    ) -> Result<Streamed> {
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while filled < HEAD {
            match stream.read(&mut head[filled..])? {
                0 => break,
                more => filled += more,
            }
        }
        head.truncate(filled);
        let (offset, size) = (entry.offset, entry.size);
        Ok(Streamed {
            offset,
            size,
            digest,
            head,
            diff_id: None,
            kept: None,
        })
    }

    /// Whether a compressed member is to be inflated as it comes by: later only its digest could
    /// be checked, and nothing may state that.
    fn inflates(&self, digest_is_stated: bool) -> bool {
        match self.keep {
            Keep::Inflated => true,
            Keep::Spool(_) | Keep::Documents => !digest_is_stated,
        }
    }
}

/// Counts a document of `size` bytes that is kept in memory, if there may be another.
fn keep_more(kept: &mut u64, size: u64) -> Result<()> {
    *kept += size;
    if *kept > limits::MAX_KEPT {
        let message = format!(
            "the archive's documents take more than {} bytes of memory",
            limits::MAX_KEPT
        );
        return Err(Error::new(ErrorKind::LimitExceeded, message)
            .hint("decompress the archive first: it is then read in place"));
    }
    Ok(())
}

/// The digest that a member's name states for its content.
pub(super) fn stated_digest(name: &str) -> Option<Digest> {
    let blob = name
        .rfind("blobs/")
        .filter(|at| *at == 0 || name[..*at].ends_with('/'));
    if let Some(digest) = blob.and_then(|at| Digest::from_blob_path(&name[at..])) {
        return Some(digest);
    }
    let last = name.rsplit('/').next().unwrap_or(name);
    let hex = last
        .strip_prefix("sha256:")
        .or_else(|| last.strip_suffix(".tar.gz"))
        .or_else(|| last.strip_suffix(".tar.zst"))
        .or_else(|| last.strip_suffix(".json"))?;
    Digest::from_sha256_hex(hex)
}

/// Whether content may be a JSON document.
fn is_document(first: &[u8]) -> bool {
    let text = first.iter().find(|byte| !byte.is_ascii_whitespace());
    matches!(text, Some(b'{' | b'['))
}

/// Standard input, or a file that cannot be mapped. However long it stays silent, a request to
/// stop is heard.
#[derive(Debug)]
pub(super) struct Pipe<'a> {
    file: File,
    progress: &'a Progress,
}

impl<'a> Pipe<'a> {
    pub(super) fn new(file: File, progress: &'a Progress) -> Self {
        Self { file, progress }
    }
}

impl Read for Pipe<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            self.progress.check().map_err(std::io::Error::other)?;
            if fsx::readable(&self.file, PATIENCE) {
                return self.file.read(buffer);
            }
        }
    }
}

/// Sniffs what a stream is compressed with.
pub(super) fn sniff<'a>(
    mut input: impl Read + Send + 'a,
    path: &Path,
) -> Result<(impl Read + Send + 'a, Compression)> {
    let mut head = [0; 4];
    let mut filled = 0;
    while filled < head.len() {
        match input.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(more) => filled += more,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(compress::into_error(error).path(path)),
        }
    }
    let compression = Compression::sniff(&head[..filled]);
    let again = std::io::Cursor::new(head[..filled].to_vec());
    Ok((again.chain(input), compression))
}
