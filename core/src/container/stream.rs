//! Reading an archive as a stream: compressed files, pipes, standard input. It is read once; what
//! it holds goes into a spool, or is only hashed.

mod file;
mod live;
mod sums;

use std::collections::BTreeSet;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use super::checksum::{Algorithm, List, Summed, Summer, Wanted};
use super::evidence::{Found, is_layer};
use super::frame::{Frame, Overheard, Room};
use super::input::Counted;
use super::keep::Keep;
use super::members::{Members, Nested, Streamed};
use super::names::{is_of_chart, may_list_nothing, stated_digest};
use super::nest::{Inflated, Raw};
use crate::compress::{self, LimitedExpansion};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Compression, Digest};
use crate::progress::Progress;
use crate::store::CHUNK;
use crate::tar::{self, Entry, EntryKind, TarStream};

/// How many first bytes of each member are remembered.
const HEAD: usize = 16;

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
    /// The containers that are open and can be told again, each in the one before.
    told: Vec<Rc<Frame>>,
    /// How many members were summed because they cannot be told again.
    live: usize,
    /// Whether the last member was one of them.
    summed: bool,
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
            told: Vec::new(),
            live: 0,
            summed: false,
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
        let frame = Rc::new(Frame::new(&self.room, std::mem::take(&mut self.tells)));
        self.told.extend(frame.is_on().then(|| Rc::clone(&frame)));
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
            let summed = std::mem::take(&mut self.summed);
            if frame.is_on() && entry.size > 0 {
                // What was not read of it is passed over here, unheard.
                while stream.read(&mut self.buffer).map_err(blame)? > 0 {}
                frame.add(&streamed, members.spools(&streamed), summed);
            }
            frame.within(false);
            members.add_streamed(entry, streamed)?;
        }
        // To the end, so that the checksum of the compressed file is checked too.
        stream.finish().map_err(blame)?;
        drop(stream);
        self.told.pop_if(|told| Rc::ptr_eq(told, &frame));
        members.is_made_of(frame.finish());
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
        let before = self.live;
        let mut summers = self.sums(compression, around);
        let own = summers.len();
        // What can be told again is told when it is asked for.
        let (mut live, mut outer) = (None, self.told.clone());
        if compression != Compression::None {
            live = self.begin_live(&mut summers)?;
            self.told.clear();
        }
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
        std::mem::swap(&mut self.told, &mut outer);
        // What stayed whole was not taken apart.
        let apart = found.worth() && !found.is_whole();
        let made_of = match compression {
            Compression::None => inside.as_ref().and_then(|inside| inside.made_of().cloned()),
            // The same bytes may not come out of another compressor.
            _ => None,
        };
        let nested = inside.filter(|_| apart).map(|members| {
            let members = Arc::new(members);
            Arc::new(Nested {
                compression,
                members,
            })
        });
        let mut summers = summed.finish();
        // As a file it can be told.
        if nested.is_none() && spooled && digest.is_some() {
            self.undo_live(before);
            live = None;
        }
        self.end_live(live, &mut summers, own);
        if let Some(nested) = &nested {
            keep.pass(&nested.members, self.progress)?;
        }
        Ok(Streamed {
            offset: entry.offset,
            size: entry.size,
            digest,
            head,
            sums: summers.into_iter().map(Summer::finish).collect(),
            diff_id,
            kept: kept.filter(|_| nested.is_none()),
            worth_inflating: nested.is_none() && found.hints(),
            inflated,
            made_of,
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
        made_of: None,
        nested: None,
        worth_inflating: false,
        inflated: None,
    })
}
