//! The files of an archive or directory, by normalised name, links followed.

use std::collections::HashMap;
use std::collections::hash_map::Entry as MapEntry;
use std::path::PathBuf;
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Mapped};
use crate::limits;
use crate::oci::Digest;
use crate::store::{BlobDirectory, BlobReader, BlobSource, FileReader, Place};
use crate::tar::{self, Entry, EntryKind};

/// What a name leads to.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// The name of the file itself, links followed.
    pub(super) name: String,
    /// Its length in bytes.
    pub(super) size: u64,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    /// Bytes of the mapped archive, from here on.
    Range(u64),
    /// A file of its own.
    File(PathBuf),
    /// Content that came by in a stream.
    Streamed(Arc<Streamed>),
}

/// A file that came by in a stream, and what was learnt of it.
#[derive(Debug)]
pub(super) struct Streamed {
    /// Where its data began in the (uncompressed) stream.
    pub(super) offset: u64,
    pub(super) size: u64,
    /// What the content hashes to, in the algorithm that its name states, else SHA-256.
    pub(super) digest: Digest,
    /// Its first bytes.
    pub(super) head: Vec<u8>,
    /// What it inflates to, where that was asked for: a digest, or why it cannot be inflated.
    pub(super) diff_id: Option<std::result::Result<Digest, String>>,
    /// The content, if it is a document and nothing is spooled.
    pub(super) kept: Option<Vec<u8>>,
}

/// The files of one archive or directory.
#[derive(Debug)]
pub(super) struct Members {
    /// The archive or directory, for errors.
    pub(super) path: PathBuf,
    backing: Backing,
    names: HashMap<String, Node>,
}

#[derive(Debug)]
enum Backing {
    Tar(Arc<Mapped>),
    Directory,
    /// A stream whose content went into a spool, if there was one.
    Stream(Option<Arc<BlobDirectory>>),
}

#[derive(Debug)]
enum Node {
    File(Member),
    Link(String),
}

impl Members {
    /// The members of a mapped archive.
    pub(super) fn scan(mapped: Mapped) -> Result<Self> {
        let path = mapped.path().to_owned();
        let mapped = Arc::new(mapped);
        let mut members = Self {
            path: path.clone(),
            backing: Backing::Tar(Arc::clone(&mapped)),
            names: HashMap::new(),
        };
        let scanned = tar::scan(&*mapped, &mut |entry| {
            let content = Content::Range(entry.offset);
            members.add(entry, content)
        });
        scanned.map_err(|error| error.path(&path))?;
        Ok(members)
    }

    /// The files of a directory, looked up as they are asked for.
    pub(super) fn directory(path: PathBuf) -> Self {
        Self {
            path,
            backing: Backing::Directory,
            names: HashMap::new(),
        }
    }

    /// The members of a stream, to be added as they come by.
    pub(super) fn stream(path: PathBuf, spool: Option<Arc<BlobDirectory>>) -> Self {
        Self {
            path,
            backing: Backing::Stream(spool),
            names: HashMap::new(),
        }
    }

    /// Adds a link that came by in a stream; other entries that are no files are of no use.
    pub(super) fn add_other(&mut self, entry: Entry) -> Result<()> {
        self.add(entry, Content::Range(0))
    }

    /// Adds a file that came by in a stream.
    pub(super) fn add_streamed(&mut self, entry: Entry, streamed: Streamed) -> Result<()> {
        self.add(entry, Content::Streamed(Arc::new(streamed)))
    }

    fn add(&mut self, entry: Entry, content: Content) -> Result<()> {
        let header = entry.header_offset;
        let node = match entry.kind {
            EntryKind::File => Node::File(Member {
                name: entry.name.clone(),
                size: entry.size,
                content,
            }),
            EntryKind::SymLink(target) => match tar::resolve_link(&entry.name, &target) {
                Some(target) => Node::Link(target),
                // A link out of the archive leads nowhere; that is an error only for who needs it.
                None => Node::Link(String::new()),
            },
            EntryKind::HardLink(target) => match tar::resolve_link("", &target) {
                Some(target) => Node::Link(target),
                None => Node::Link(String::new()),
            },
            EntryKind::Directory | EntryKind::Other(_) => return Ok(()),
        };
        if entry.escapes {
            // Nothing may refer to it, so it is not worth failing for; it is just not there.
            return Ok(());
        }
        match self.names.entry(entry.name.clone()) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(node);
                Ok(())
            }
            MapEntry::Occupied(occupied) => {
                if self.backing.same(occupied.get(), &node)? {
                    return Ok(());
                }
                Err(Error::new(
                    ErrorKind::InvalidArchive,
                    "the archive has two members of this name, with different content",
                )
                .path(&self.path)
                .member(entry.name)
                .offset(header)
                .hint("remove the stale one (`tar --delete`), or save the archive again"))
            }
        }
    }

    /// The file that `name` leads to; `None` if there is none.
    pub(super) fn find(&self, name: &str) -> Result<Option<Member>> {
        if let Backing::Directory = self.backing {
            return self.find_in_directory(name);
        }
        let mut current = name;
        for _ in 0..limits::MAX_LINKS {
            match self.names.get(current) {
                None => return Ok(None),
                Some(Node::File(member)) => return Ok(Some(member.clone())),
                Some(Node::Link(target)) => current = target,
            }
        }
        let message = "the link leads in a circle";
        Err(Error::new(ErrorKind::InvalidArchive, message)
            .path(&self.path)
            .member(name))
    }

    fn find_in_directory(&self, name: &str) -> Result<Option<Member>> {
        if !tar::safe_name(name) {
            return Ok(None);
        }
        let path = self.path.join(name);
        match fsx::metadata_if_any(&path)? {
            Some(metadata) if metadata.is_file() => Ok(Some(Member {
                name: name.to_owned(),
                size: metadata.len(),
                content: Content::File(path),
            })),
            _ => Ok(None),
        }
    }

    /// The names of the archive; none for a directory, which is not listed.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// Where a member lies.
    pub(super) fn place(&self, member: &Member) -> Place {
        let (path, name, offset) = match &member.content {
            Content::Range(offset) => (self.path.clone(), Some(member.name.clone()), Some(*offset)),
            Content::File(path) => (path.clone(), None, None),
            Content::Streamed(streamed) => (
                self.path.clone(),
                Some(member.name.clone()),
                Some(streamed.offset),
            ),
        };
        Place {
            path: Some(path),
            member: name,
            offset,
        }
    }

    /// Begins to read a member.
    pub(super) fn open<'a>(&'a self, member: &Member) -> Result<Box<dyn BlobReader + 'a>> {
        match (&member.content, &self.backing) {
            (Content::Range(offset), Backing::Tar(mapped)) => Ok(Box::new(RangeReader {
                mapped,
                offset: *offset,
                left: member.size,
            })),
            (Content::File(path), _) => Ok(Box::new(FileReader::open(path.clone())?)),
            (Content::Streamed(streamed), Backing::Stream(spool)) => {
                match (&streamed.kept, spool) {
                    (Some(kept), _) => Ok(Box::new(KeptReader(Arc::clone(streamed), kept.len()))),
                    (None, Some(spool)) => spool.open(&streamed.digest),
                    (None, None) => Err(Error::new(
                        ErrorKind::Internal,
                        "content that was not kept is asked for again",
                    )),
                }
            }
            _ => Err(Error::new(ErrorKind::Internal, "a member without content")),
        }
    }

    /// The first bytes of a member, at most `count`.
    pub(super) fn head(&self, member: &Member, count: usize) -> Result<Vec<u8>> {
        if let Content::Streamed(streamed) = &member.content {
            return Ok(streamed.head.iter().copied().take(count).collect());
        }
        let mut head = vec![0; count];
        let mut filled = 0;
        let mut reader = self.open(member)?;
        while filled < count {
            match reader.read(&mut head[filled..])? {
                0 => break,
                more => filled += more,
            }
        }
        head.truncate(filled);
        Ok(head)
    }

    /// The whole of a small member, in a buffer of its own.
    pub(super) fn document(&self, member: &Member, most: u64) -> Result<Vec<u8>> {
        let blame = |error: Error| self.place(member).blame(error);
        if member.size > most {
            let message = format!(
                "a document of {} bytes; at most {most} are read",
                member.size
            );
            return Err(blame(Error::new(ErrorKind::LimitExceeded, message)));
        }
        let mut bytes = vec![0; usize::try_from(member.size).unwrap_or(0)];
        let mut filled = 0;
        let mut reader = self.open(member)?;
        while filled < bytes.len() {
            match reader.read(&mut bytes[filled..]).map_err(blame)? {
                0 => {
                    let message = "the file shrank while it was read";
                    return Err(blame(Error::new(ErrorKind::InputChanged, message)));
                }
                more => filled += more,
            }
        }
        Ok(bytes)
    }

    /// What was learnt of a member as it came by in a stream.
    pub(super) fn streamed<'a>(&self, member: &'a Member) -> Option<&'a Streamed> {
        match &member.content {
            Content::Streamed(streamed) => Some(streamed),
            _ => None,
        }
    }

    /// Whether the archive has changed since it was opened.
    pub(super) fn changed(&self) -> bool {
        match &self.backing {
            // If the file cannot even be asked, it is not what it was.
            Backing::Tar(mapped) => mapped.changed().unwrap_or(true),
            _ => false,
        }
    }
}

impl tar::ReadAt for Mapped {
    fn len(&self) -> u64 {
        Self::len(self)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        Self::read_at(self, offset, buffer)
    }
}

impl Backing {
    /// Whether two members of one name are the same thing twice.
    fn same(&self, one: &Node, other: &Node) -> Result<bool> {
        match (one, other) {
            (Node::Link(one), Node::Link(other)) => Ok(one == other),
            (Node::File(one), Node::File(other)) => match (&one.content, &other.content) {
                (Content::Streamed(one), Content::Streamed(other)) => {
                    Ok(one.digest == other.digest && one.size == other.size)
                }
                (Content::Range(a), Content::Range(b)) if one.size == other.size => {
                    let Self::Tar(mapped) = self else {
                        return Ok(false);
                    };
                    same_bytes(mapped, *a, *b, one.size)
                }
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

fn same_bytes(mapped: &Mapped, a: u64, b: u64, size: u64) -> Result<bool> {
    const PIECE: u64 = 64 << 10;
    let (mut one, mut other) = (vec![0; PIECE as usize], vec![0; PIECE as usize]);
    let mut done = 0;
    while done < size {
        let count = PIECE.min(size - done) as usize;
        mapped.read_at(a + done, &mut one[..count])?;
        mapped.read_at(b + done, &mut other[..count])?;
        if one[..count] != other[..count] {
            return Ok(false);
        }
        done += count as u64;
    }
    Ok(true)
}

struct RangeReader<'a> {
    mapped: &'a Mapped,
    offset: u64,
    left: u64,
}

impl BlobReader for RangeReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let count = usize::try_from(self.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        self.mapped.read_at(self.offset, &mut buffer[..count])?;
        self.offset += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

/// Reads content that was kept in memory; the number is how much is left.
struct KeptReader(Arc<Streamed>, usize);

impl BlobReader for KeptReader {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let kept = self.0.kept.as_deref().unwrap_or_default();
        let rest = &kept[kept.len() - self.1..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.1 -= count;
        Ok(count)
    }
}
