//! Reading an archive as a stream: compressed files, pipes, standard input. It is read once; what
//! it holds goes into a spool, or is only hashed.

mod sums;

use std::collections::BTreeSet;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use super::checksum::{self, Algorithm, List, Summed, Summer, Wanted};
use super::evidence::{Found, is_layer};
use super::frame::{Frame, Overheard, Room};
use super::input::Counted;
use super::keep::{Keep, keep_more};
use super::members::{Members, Nested, Streamed};
use super::names::{
    is_document, is_of_chart, is_text_that_counts, may_list_nothing, stated_digest,
};
use super::nest::{Inflated, Raw};
use crate::compress::{self, Inflater, LimitedExpansion};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Compression, Digest, Hasher};
use crate::progress::Progress;
use crate::store::{BlobSource, BlobWriter, CHUNK, Hashing};
use crate::tar::{self, Entry, EntryKind, TarStream};

/// How many first bytes of each member are remembered.
const HEAD: usize = 16;

/// Plain files up to this size may be something else: documents, or layers with next to nothing
/// in them.
const SMALL: u64 = 1 << 20;

/// Reads the container that comes out of `input`, which is compressed with `compression`. `path`
/// names it in errors; `used` are the algorithms of what checksums are known of it.
pub(super) fn read(
    input: impl Read + Send,
    compression: Compression,
    path: &Path,
    used: BTreeSet<Algorithm>,
    keep: &Keep,
    progress: &Progress,
) -> Result<Members> {
    let blame = |error: Error| error.path(path);
    let counted = Counted { input, progress };
    let mut plain = LimitedExpansion::new(compression, counted).map_err(blame)?;
    let found = Found::default();
    let mut walk = Walk::new(path, keep, progress);
    walk.used = used;
    walk.container(&mut plain, String::new(), &found, 0)
}

/// Reads a compressed member, called `within`, of a container that is read in place; `None` if
/// nothing in it is worth it.
pub(super) fn read_member(
    input: impl Read,
    compression: Compression,
    path: &Path,
    within: String,
    keep: &Keep,
    progress: &Progress,
) -> Result<Option<Members>> {
    let blame = |error: Error| error.within(&within, 0).path(path);
    let counted = Counted { input, progress };
    let mut plain = LimitedExpansion::new(compression, counted).map_err(blame)?;
    let head = head_of(&mut plain).map_err(blame)?;
    if !tar::is_header(&head) {
        return Ok(None);
    }
    let found = Found::default();
    let mut input = Cursor::new(head).chain(plain);
    let read = Walk::new(path, keep, progress).container(&mut input, within, &found, 1);
    match read {
        Ok(members) => Ok(found.worth().then_some(members)),
        Err(error) if is_damage(&error) && !found.worth() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The first block of what `input` gives, or less if that is all.
fn head_of(input: &mut impl Read) -> Result<Vec<u8>> {
    let mut head = Vec::new();
    input
        .take(tar::BLOCK)
        .read_to_end(&mut head)
        .map_err(compress::into_error)?;
    Ok(head)
}

/// Whether `error` is about what the content is, and not about the machine or the run.
fn is_damage(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::InvalidArchive | ErrorKind::Unsupported
    )
}

/// A walk through the containers of one stream.
struct Walk<'a> {
    path: &'a Path,
    keep: &'a Keep,
    progress: &'a Progress,
    buffer: Vec<u8>,
    /// Bytes of documents kept in memory so far.
    kept: u64,
    /// What the checksum of the member that comes next is asked for in.
    asked: BTreeSet<Algorithm>,
    /// What the checksums that came by so far are made with.
    used: BTreeSet<Algorithm>,
    /// The list that the last member was.
    list: Option<List>,
    /// Whether the bytes of the container that comes next are to be told again.
    tells: bool,
    /// For what containers have besides their members.
    room: Room,
}

impl<'a> Walk<'a> {
    fn new(path: &'a Path, keep: &'a Keep, progress: &'a Progress) -> Self {
        Self {
            path,
            keep,
            progress,
            buffer: vec![0; CHUNK],
            kept: 0,
            asked: BTreeSet::new(),
            used: BTreeSet::new(),
            list: None,
            tells: false,
            room: Room::default(),
        }
    }

    /// Reads the container that comes out of `input`, `depth` containers down.
    fn container(
        &mut self,
        input: &mut dyn Read,
        within: String,
        found: &Found<'_>,
        depth: usize,
    ) -> Result<Members> {
        let path = self.path.to_owned();
        let blame = |error: Error| error.within(&within, 0).path(&path);
        let spool = self.keep.spool().cloned();
        let mut members = Members::stream(path.clone(), within.clone(), spool);
        let frame = Frame::new(&self.room, std::mem::take(&mut self.tells));
        let mut stream = TarStream::new(Overheard {
            input: BufReader::with_capacity(CHUNK, input),
            frame: &frame,
        });
        let mut wanted = Wanted::default();
        while let Some(entry) = stream.next().map_err(blame)? {
            self.progress.check()?;
            found.look(&entry.name);
            if found.is_whole() {
                frame.give_up();
            }
            if !matches!(entry.kind, EntryKind::File) || found.is_whole() {
                members.add_other(entry)?;
                continue;
            }
            self.asked = wanted.of(&entry.name);
            frame.within(true);
            let streamed = self
                .member(&mut stream, &entry, &members, found, depth)
                .map_err(|error| match error.get_path() {
                    Some(_) => error,
                    // Nothing there is to blame for it.
                    None if error.kind() == ErrorKind::Cancelled => error,
                    None => blame(error.member(&entry.name).offset(entry.header_offset)),
                })?;
            if let Some(list) = self.list.take() {
                wanted.add(&list);
                let sums = list.sums();
                self.used
                    .extend(sums.filter_map(|(hex, _)| Algorithm::of(hex)));
            }
            if frame.is_on() && entry.size > 0 {
                // What was not read of it is passed over here, unheard.
                while stream.read(&mut self.buffer).map_err(blame)? > 0 {}
                frame.add(&streamed, members.spools(&streamed));
            }
            frame.within(false);
            members.add_streamed(entry, streamed)?;
        }
        // To the end, so that the checksum of the compressed file is checked too.
        stream.finish().map_err(blame)?;
        drop(stream);
        members.made_of(frame.finish());
        Ok(members)
    }

    fn member<R: Read>(
        &mut self,
        stream: &mut TarStream<R>,
        entry: &Entry,
        members: &Members,
        found: &Found<'_>,
        depth: usize,
    ) -> Result<Streamed> {
        let stated = stated_digest(&entry.name);
        if let (Some(spool), Some(digest)) = (self.keep.spool(), stated)
            && spool.adopt(&digest, entry.size, self.progress)?
        {
            // The spool holds it from elsewhere, hashed. The reader skips the content.
            return known(stream, entry, digest);
        }
        let filled = fill(stream, &mut self.buffer)?;
        let first = &self.buffer[..filled];
        let compression = Compression::sniff(first);
        let may_nest = compression != Compression::None || tar::is_header(first);
        if may_nest && stated.is_none() && !is_layer(&entry.name) && !is_of_chart(&entry.name) {
            return self.nested(stream, entry, filled, compression, members, found, depth);
        }
        self.file(stream, entry, filled, stated, compression)
    }

    /// A member that may be a container; the first `filled` bytes of it are in the buffer.
    #[expect(
        clippy::too_many_arguments,
        reason = "where it stands, what it looks like"
    )]
    fn nested<R: Read>(
        &mut self,
        stream: &mut TarStream<R>,
        entry: &Entry,
        filled: usize,
        compression: Compression,
        members: &Members,
        around: &Found<'_>,
        depth: usize,
    ) -> Result<Streamed> {
        let first = self.buffer[..filled].to_vec();
        let head: Vec<u8> = first.iter().copied().take(HEAD).collect();
        let found = around.inner();
        let within = members.within(&entry.name);
        let keep = self.keep;
        // That it has no images, only its content tells, when all of it is known.
        let is_kept = may_list_nothing(&entry.name, entry.size) && filled as u64 == entry.size;
        let writer = match keep {
            Keep::Spool { blobs, files, .. } if *files || is_kept || !around.package() => {
                Some(blobs.begin()?)
            }
            _ => None,
        };
        let kept = (is_kept && keep.spool().is_none()).then(|| first.clone());
        let spooled = writer.is_some();
        let summers = self.sums(compression, around);
        let mut summed = Summed::new(Cursor::new(first).chain(stream), summers);
        let mut raw = Raw::new(&mut summed, &found, writer);
        let mut inside = None;
        let mut diff_id = None;
        let mut inflated = None;
        let mut damage = None;
        self.tells = self.tells_again(compression);
        if compression == Compression::None {
            match self.deeper(&mut raw, within, &found, depth) {
                Ok(members) => inside = Some(members),
                Err(error) => damage = Some(error),
            }
        } else {
            let plain = LimitedExpansion::new(compression, &mut raw)?;
            let mut plain = Inflated::new(plain, &found);
            let read = head_of(&mut plain).and_then(|head| {
                if tar::is_header(&head) {
                    if let (true, Some(spool)) = (spooled, keep.spool()) {
                        plain.keep(spool.begin()?, &head)?;
                    }
                    let mut input = Cursor::new(head).chain(&mut plain);
                    inside = Some(self.deeper(&mut input, within.clone(), &found, depth)?);
                }
                plain.finish(&mut self.buffer)
            });
            match read {
                Ok(plain) => {
                    diff_id = plain.digest.map(Ok);
                    inflated = plain.digest.filter(|_| plain.is_kept);
                }
                Err(error) => {
                    diff_id = Some(Err(error.message().to_owned()));
                    damage = Some(match error.get_path() {
                        // It says already where it happened, deeper in.
                        Some(_) => error,
                        None => error.within(&within, 0).path(self.path),
                    });
                }
            }
        }
        if let Some(error) = damage
            && (found.worth() || !is_damage(&error))
        {
            return Err(error);
        }
        if inflated.is_some() && found.worth() {
            raw.let_go();
        }
        let digest = raw.finish(&mut self.buffer)?;
        // What stayed whole was not taken apart.
        let apart = found.worth() && !found.is_whole();
        let nested = inside.filter(|_| apart).map(|members| {
            let members = Arc::new(members);
            Arc::new(Nested {
                compression,
                members,
            })
        });
        if let Some(nested) = &nested {
            keep.pass(&nested.members, self.progress)?;
        }
        Ok(Streamed {
            offset: entry.offset,
            size: entry.size,
            digest,
            head,
            sums: summed.finish(),
            diff_id,
            kept: kept.filter(|_| nested.is_none()),
            worth_inflating: nested.is_none() && found.hints(),
            inflated,
            nested,
        })
    }

    fn deeper(
        &mut self,
        input: &mut dyn Read,
        within: String,
        found: &Found<'_>,
        depth: usize,
    ) -> Result<Members> {
        if depth + 1 >= limits::MAX_NESTING {
            return Err(super::nest::too_deep().within(&within, 0).path(self.path));
        }
        self.container(input, within, found, depth + 1)
    }

    /// A member that is no container; the first `filled` bytes of it are in the buffer.
    fn file<R: Read>(
        &mut self,
        stream: &mut TarStream<R>,
        entry: &Entry,
        filled: usize,
        stated: Option<Digest>,
        compression: Compression,
    ) -> Result<Streamed> {
        let keep = self.keep;
        let first = &self.buffer[..filled];
        let head = first.iter().copied().take(HEAD).collect();
        let looks_plain = compression == Compression::None && !is_document(first);
        let mut writer: Option<BlobWriter<'_>> = match keep {
            // Layers are tar archives, compressed or not.
            Keep::Spool { files: false, .. }
                if looks_plain
                    && stated.is_none()
                    && entry.size > SMALL
                    && !is_layer(&entry.name)
                    && !is_of_chart(&entry.name) =>
            {
                None
            }
            // Of small files there may be a great many alike; making another costs more than hashing.
            Keep::Spool { blobs, .. }
                if filled < self.buffer.len() && blobs.size(&hash(stated, first)).is_some() =>
            {
                None
            }
            Keep::Spool { blobs, .. } => Some(blobs.begin_of(entry.size)?),
            Keep::Documents | Keep::Inflated => None,
        };
        let inflates = compression != Compression::None
            && (matches!(keep, Keep::Inflated) || stated.is_none());
        let mut layer: Option<std::result::Result<Inflater<Hashing>, String>> = match inflates {
            true => Some(Ok(Inflater::new(compression, Hashing::default())?)),
            false => None,
        };
        let mut asked = std::mem::take(&mut self.asked);
        if writer.is_none() && looks_plain && stated.is_none() && !is_layer(&entry.name) {
            // It cannot be read again once its list has come by; few files are like that.
            asked.insert(Algorithm::Sha512);
        }
        let mut summers: Vec<Summer> = asked.into_iter().map(Summer::new).collect();
        let is_list = List::is_named_so(&entry.name) && entry.size <= checksum::MOST;
        let mut list: Vec<u8> = Vec::new();
        let mut document: Option<Vec<u8>> = None;
        let listing = is_document(first)
            || is_text_that_counts(&entry.name)
            || is_list
            || may_list_nothing(&entry.name, entry.size);
        if keep.spool().is_none() && listing && entry.size <= limits::MAX_LISTING {
            keep_more(&mut self.kept, entry.size)?;
            document = Some(Vec::new());
        }
        let mut hasher = stated.map_or_else(Hasher::sha256, |digest| digest.hasher());
        let mut count = filled;
        while count > 0 {
            self.progress.check()?;
            let piece = &self.buffer[..count];
            hasher.update(piece);
            for summer in &mut summers {
                summer.update(piece);
            }
            if is_list {
                list.extend_from_slice(piece);
            }
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
            count = stream.read(&mut self.buffer)?;
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
        if is_list && let Ok(text) = std::str::from_utf8(&list) {
            self.list = Some(List::read(&entry.name, text));
        }
        if document.is_none() && entry.size == 0 {
            document = Some(Vec::new());
        }
        let kept = document.filter(|_| keep.spool().is_none());
        Ok(Streamed {
            offset: entry.offset,
            size: entry.size,
            digest: Some(digest),
            head,
            sums: summers.into_iter().map(Summer::finish).collect(),
            diff_id,
            kept,
            nested: None,
            worth_inflating: false,
            inflated: None,
        })
    }
}

/// What `bytes` hash to, in the algorithm of the digest that is stated for them.
fn hash(stated: Option<Digest>, bytes: &[u8]) -> Digest {
    let mut hasher = stated.map_or_else(Hasher::sha256, |digest| digest.hasher());
    hasher.update(bytes);
    hasher.finish()
}

/// Reads until `buffer` is full or the member ends.
fn fill<R: Read>(stream: &mut TarStream<R>, buffer: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.read(&mut buffer[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    Ok(filled)
}

/// A member whose content is spooled already.
fn known<R: Read>(stream: &mut TarStream<R>, entry: &Entry, digest: Digest) -> Result<Streamed> {
    let mut head = vec![0; HEAD];
    let filled = fill(stream, &mut head)?;
    head.truncate(filled);
    Ok(Streamed {
        offset: entry.offset,
        size: entry.size,
        digest: Some(digest),
        head,
        sums: Vec::new(),
        diff_id: None,
        kept: None,
        nested: None,
        worth_inflating: false,
        inflated: None,
    })
}
