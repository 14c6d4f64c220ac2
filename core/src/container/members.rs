//! The files of an archive or directory, by normalised name, links followed.

mod content;
mod raw;
mod same;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as MapEntry;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use raw::{Part, Parts};
pub(super) use raw::{summed, tell_rest};

use crate::error::{Error, ErrorKind, Result};
use crate::fsx::{self, Mapped};
use crate::limits;
use crate::location::Location;
use crate::oci::{Compression, Digest};
use crate::store::{BlobDirectory, BlobSource};
use crate::tar::{self, Entry, EntryKind};

/// What a name leads to.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    /// The name of the file itself, links followed.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// Its permission bits.
    pub(crate) mode: u32,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    /// Bytes of the mapped file, from here on.
    Range(u64),
    /// A file of its own.
    File(PathBuf),
    /// Content that came by in a stream.
    Streamed(Arc<Streamed>),
}

/// A file that came by in a stream, and what was learnt of it.
#[derive(Debug)]
pub(crate) struct Streamed {
    /// Where its data began in the (uncompressed) stream.
    pub(crate) offset: u64,
    pub(crate) size: u64,
    /// What the content hashes to, in the algorithm that its name states, else SHA-256; `None` if
    /// it turned out to be a container early on, and was only taken apart.
    pub(crate) digest: Option<Digest>,
    /// Its first bytes.
    pub(crate) head: Vec<u8>,
    /// Checksums of it that lists asked for, in hex.
    pub(crate) sums: Vec<String>,
    /// What it inflates to, where that was asked for: a digest, or why it cannot be inflated.
    pub(crate) diff_id: Option<std::result::Result<Digest, String>>,
    /// The content, if it is a document and nothing is spooled.
    pub(crate) kept: Option<Vec<u8>>,
    /// What it is made of, if it is a container whose bytes can be told again.
    pub(crate) made_of: Option<Parts>,
    /// What is nested in it, if it is a container that was taken apart.
    pub(crate) nested: Option<Arc<Nested>>,
    /// What the spool has of it, inflated: it stayed whole, and going by names there may be images in
    /// it.
    pub(crate) inflated: Option<Digest>,
    /// It stayed whole, and going by names there may be images in it.
    pub(crate) worth_inflating: bool,
}

/// A container that is a member of another.
#[derive(Debug)]
pub(crate) struct Nested {
    /// What it is compressed with.
    pub(crate) compression: Compression,
    pub(crate) members: Arc<Members>,
}

/// The files of one archive or directory.
#[derive(Debug)]
pub(crate) struct Members {
    /// The file or directory, for errors.
    pub(crate) path: PathBuf,
    /// Which container within that file, and [`NESTED`] behind each; empty for the file itself.
    within: String,
    backing: Backing,
    names: BTreeMap<String, Node>,
    /// What its bytes were, if it is a container that came by and they can be told again.
    raw: Option<Parts>,
    /// Names that lead out of the container. Nothing can refer to them.
    pub(crate) escaping: Vec<String>,
}

/// What stands between the names of a container and of its member.
pub(crate) const NESTED: &str = " › ";

#[derive(Debug)]
enum Backing {
    Tar(Arc<Mapped>),
    /// A directory; its files are looked up as they are asked for.
    Directory,
    /// A directory whose files are all known.
    Tree,
    /// A stream whose content went into a spool, if there was one.
    Stream(Option<Arc<BlobDirectory>>),
}

#[derive(Debug)]
enum Node {
    File(Member),
    /// Where it leads, normalised, and if it is a symbolic link, its target as it is spelled.
    Link(String, Option<String>),
    Directory(u32),
}

/// A member as it stands in a container, for those who copy the container.
#[derive(Debug)]
pub(crate) enum Listed<'a> {
    File(&'a Member),
    /// Another name for the file that it leads to.
    HardLink(Member),
    /// With its target as it is spelled.
    SymLink(&'a str),
    /// With its permission bits.
    Directory(u32),
}

impl Members {
    fn new(path: PathBuf, within: String, backing: Backing) -> Self {
        Self {
            path,
            within,
            backing,
            names: BTreeMap::new(),
            raw: None,
            escaping: Vec::new(),
        }
    }

    /// No members at all: what goes by `path` is no file.
    pub(crate) fn nothing(path: PathBuf) -> Self {
        Self::new(path, String::new(), Backing::Tree)
    }

    /// The members of a mapped archive.
    pub(crate) fn scan(mapped: Mapped) -> Result<Self> {
        let all = 0..mapped.len();
        Self::scan_slice(Arc::new(mapped), all, String::new())
    }

    /// The members of the archive that is `range` of a mapped file, and there goes by `within`.
    fn scan_slice(mapped: Arc<Mapped>, range: Range<u64>, within: String) -> Result<Self> {
        let path = mapped.path().to_owned();
        let backing = Backing::Tar(Arc::clone(&mapped));
        let mut members = Self::new(path.clone(), within.clone(), backing);
        let base = range.start;
        let slice = Slice {
            mapped: &mapped,
            range,
        };
        let scanned = tar::scan(&slice, &mut |entry| {
            let content = Content::Range(base + entry.offset);
            members.add(entry, content)
        });
        scanned.map_err(|error| error.within(&within, base).path(&path))?;
        Ok(members)
    }

    /// The files of a directory, looked up as they are asked for.
    pub(crate) fn directory(path: PathBuf) -> Self {
        Self::new(path, String::new(), Backing::Directory)
    }

    /// All files of a directory, and of those below it.
    pub(crate) fn tree(path: PathBuf) -> Result<Self> {
        let mut members = Self::new(path.clone(), String::new(), Backing::Tree);
        members.add_tree(&path, "")?;
        Ok(members)
    }

    fn add_tree(&mut self, directory: &Path, prefix: &str) -> Result<()> {
        for path in fsx::read_dir_sorted(directory)? {
            let Some(file_name) = path.file_name() else {
                continue;
            };
            if file_name == fsx::INSIDE {
                continue;
            }
            let Some(file_name) = file_name.to_str() else {
                let message = "a file name that is not UTF-8 cannot be kept";
                return Err(Error::new(ErrorKind::Unsupported, message)
                    .path(path)
                    .hint("rename the file"));
            };
            let name = format!("{prefix}{file_name}");
            if self.names.len() >= limits::MAX_MEMBERS {
                let message = format!("more than {} files", limits::MAX_MEMBERS);
                return Err(Error::new(ErrorKind::LimitExceeded, message).path(&self.path));
            }
            let Some(found) = fsx::symlink_metadata(&path)? else {
                continue;
            };
            let mode = found.permissions().mode() & 0o7777;
            let node = if found.is_dir() {
                self.add_tree(&path, &format!("{name}/"))?;
                Node::Directory(mode)
            } else if found.is_symlink() {
                let target = fsx::read_link(&path)?;
                let leads = tar::resolve_link(&name, &target).unwrap_or_default();
                Node::Link(leads, Some(target))
            } else if found.is_file() {
                Node::File(Member {
                    name: name.clone(),
                    size: found.len(),
                    mode,
                    content: Content::File(path),
                })
            } else {
                continue;
            };
            self.names.insert(name, node);
        }
        Ok(())
    }

    /// The members of a stream, to be added as they come by.
    pub(crate) fn stream(path: PathBuf, within: String, spool: Option<Arc<BlobDirectory>>) -> Self {
        Self::new(path, within, Backing::Stream(spool))
    }

    /// Whether it is a directory.
    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.backing, Backing::Directory | Backing::Tree)
    }

    /// Whether the members came by in a stream.
    pub(crate) fn is_streamed(&self) -> bool {
        matches!(self.backing, Backing::Stream(_))
    }

    /// What reports call the part below `prefix`, of the source at `location`.
    pub(crate) fn label(&self, location: &Location, prefix: &str) -> String {
        let place = self.place_in(location, prefix);
        match place.is_empty() {
            true => location.spelled.clone(),
            false => format!("{}{NESTED}{place}", location.spelled),
        }
    }

    /// Where the part below `prefix` is in the source at `location`; nothing, if it is all of it.
    pub(crate) fn place_in(&self, location: &Location, prefix: &str) -> String {
        // A file of a folder that is the source.
        let file = self.path.strip_prefix(&location.path).ok();
        let file = file.and_then(Path::to_str).unwrap_or_default();
        let within = self.within.trim_end_matches(NESTED);
        let parts = [file, within, prefix.trim_end_matches('/')];
        let parts = parts.into_iter().filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join(NESTED)
    }

    /// What a member of this name is called in errors and reports.
    pub(crate) fn called(&self, name: &str) -> String {
        format!("{}{name}", self.within)
    }

    /// What a container of this name puts before the names of its own members.
    pub(crate) fn within(&self, name: &str) -> String {
        format!("{}{name}{NESTED}", self.within)
    }

    /// Everything that is listed, in the order of the names.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, Listed<'_>)> {
        self.names.iter().filter_map(|(name, node)| {
            let listed = match node {
                Node::File(member) => Listed::File(member),
                Node::Link(_, Some(target)) => Listed::SymLink(target),
                Node::Link(_, None) => Listed::HardLink(self.find(name).ok().flatten()?),
                Node::Directory(mode) => Listed::Directory(*mode),
            };
            Some((name.as_str(), listed))
        })
    }

    /// The files that are listed, in the order of their names.
    pub(crate) fn files(&self) -> impl Iterator<Item = (&str, &Member)> {
        self.names.iter().filter_map(|(name, node)| match node {
            Node::File(member) => Some((name.as_str(), member)),
            _ => None,
        })
    }

    /// The container that `member` is, if it is an uncompressed one in a place of its own that can
    /// be read at any byte.
    pub(crate) fn nested(&self, member: &Member) -> Result<Option<Arc<Self>>> {
        let first = match &member.content {
            // Little is remembered of its head, and the spool has it all.
            Content::Streamed(streamed) if streamed.kept.is_none() && !self.spools(streamed) => {
                return Ok(None);
            }
            _ => self.first(member, tar::BLOCK as usize)?,
        };
        if !tar::is_header(&first) {
            return Ok(None);
        }
        let within = self.within(&member.name);
        match (&member.content, &self.backing) {
            (Content::Range(offset), Backing::Tar(mapped)) => {
                let range = *offset..*offset + member.size;
                Self::scan_slice(Arc::clone(mapped), range, within).map(Some)
            }
            (Content::File(path), _) => Self::scan(Mapped::open(path)?).map(Some),
            // It stayed whole in the spool, and can be read in place there.
            (Content::Streamed(streamed), Backing::Stream(Some(spool))) => match streamed.digest {
                Some(digest) if spool.size(&digest) == Some(member.size) => {
                    let mapped = Mapped::open(spool.file(&digest))?;
                    let all = 0..mapped.len();
                    Self::scan_slice(Arc::new(mapped), all, within).map(Some)
                }
                _ => Ok(None),
            },
            _ => Ok(None),
        }
        .map(|members| members.map(Arc::new))
    }

    /// The container that a compressed member is, if the spool has it inflated.
    pub(crate) fn inflated(&self, member: &Member) -> Result<Option<Arc<Self>>> {
        let digest = self.streamed(member).and_then(|streamed| streamed.inflated);
        let (Some(digest), Backing::Stream(Some(spool))) = (digest, &self.backing) else {
            return Ok(None);
        };
        let mapped = Mapped::open(spool.file(&digest))?;
        let all = 0..mapped.len();
        let within = self.within(&member.name);
        Self::scan_slice(Arc::new(mapped), all, within).map(|members| Some(Arc::new(members)))
    }

    /// Adds a link that came by in a stream; other entries that are no files are of no use.
    pub(crate) fn add_other(&mut self, entry: Entry) -> Result<()> {
        self.add(entry, Content::Range(0))
    }

    /// Adds a file that came by in a stream.
    pub(crate) fn add_streamed(&mut self, entry: Entry, streamed: Streamed) -> Result<()> {
        self.add(entry, Content::Streamed(Arc::new(streamed)))
    }

    fn add(&mut self, entry: Entry, content: Content) -> Result<()> {
        let header = entry.header_offset;
        let node = match entry.kind {
            EntryKind::File => Node::File(Member {
                name: entry.name.clone(),
                size: entry.size,
                mode: entry.mode,
                content,
            }),
            // A link out of the archive leads nowhere; that is an error only for who needs it.
            EntryKind::SymLink(target) => Node::Link(
                tar::resolve_link(&entry.name, &target).unwrap_or_default(),
                Some(target),
            ),
            EntryKind::HardLink(target) => {
                Node::Link(tar::resolve_link("", &target).unwrap_or_default(), None)
            }
            // The container itself, as `tar c .` lists it.
            EntryKind::Directory if matches!(entry.name.as_str(), "" | ".") => return Ok(()),
            EntryKind::Directory => Node::Directory(entry.mode),
            EntryKind::Other(_) => return Ok(()),
        };
        if entry.escapes {
            // Nothing may refer to it, so an image is not worth failing for it.
            self.escaping.push(entry.name);
            return Ok(());
        }
        match self.names.entry(entry.name.clone()) {
            MapEntry::Vacant(vacant) => {
                vacant.insert(node);
                Ok(())
            }
            MapEntry::Occupied(occupied) => {
                if let (Node::Directory(_), Node::Directory(_)) = (occupied.get(), &node) {
                    return Ok(());
                }
                if self.backing.same(occupied.get(), &node)? {
                    return Ok(());
                }
                Err(Error::new(
                    ErrorKind::InvalidArchive,
                    "the archive has two members of this name, with different content",
                )
                .path(&self.path)
                .member(self.called(&entry.name))
                .offset(header)
                .hint("remove the stale one (`tar --delete`), or save the archive again"))
            }
        }
    }

    /// The file that `name` leads to; `None` if there is none.
    pub(crate) fn find(&self, name: &str) -> Result<Option<Member>> {
        if let Backing::Directory = self.backing {
            return self.find_in_directory(name);
        }
        let mut current = name;
        for _ in 0..limits::MAX_LINKS {
            match self.names.get(current) {
                None | Some(Node::Directory(_)) => return Ok(None),
                Some(Node::File(member)) => return Ok(Some(member.clone())),
                Some(Node::Link(target, _)) => current = target,
            }
        }
        let message = "the link leads in a circle";
        Err(Error::new(ErrorKind::InvalidArchive, message)
            .path(&self.path)
            .member(self.called(name)))
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
                mode: metadata.permissions().mode() & 0o7777,
                content: Content::File(path),
            })),
            _ => Ok(None),
        }
    }

    /// The names of the archive; none for a directory, which is not listed.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }
}

/// A part of a mapped file.
struct Slice<'a> {
    mapped: &'a Mapped,
    range: Range<u64>,
}

impl tar::ReadAt for Slice<'_> {
    fn len(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > tar::ReadAt::len(self)) {
            let message = format!("truncated: no {} bytes there", buffer.len());
            return Err(Error::new(ErrorKind::InvalidArchive, message).offset(offset));
        }
        self.mapped.read_at(self.range.start + offset, buffer)
    }
}
