//! Tar archives: scanned by random access or as a stream, written deterministically.
//!
//! Formats: POSIX.1-2001 *pax interchange format* with its ustar base (extended headers `x`, global
//! headers `g`), GNU tar (long names `L` and `K`, base-256 numbers), and the V7 format without a
//! magic. Where these leave a choice, it is made as Go's `archive/tar` makes it, since that is what
//! the container tools read archives with.

mod header;
mod input;
mod names;
mod pax;
mod pending;
mod scan;
mod stream;
#[cfg(test)]
mod tests;
mod walk;
mod write;

pub(crate) use header::is_header;
pub use names::{resolve_link, safe_name};
pub use scan::{ReadAt, scan};
pub use stream::TarStream;
pub use write::{END, header, padding};

/// The unit of a tar archive, in bytes: headers are one block, data is padded to whole blocks.
pub const BLOCK: u64 = 512;

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Another name for the member named here, normalised as [`Entry::name`] is.
    HardLink(String),
    /// A symbolic link, with its target as it is spelled; see [`resolve_link`].
    SymLink(String),
    /// Anything else (devices, pipes, what vendors added), with its type flag.
    Other(u8),
}

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name without leading `./`, trailing `/`, doubled `/` and inner `/./`. The root of the
    /// archive is `.`; the `/` of an absolute name stays.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// The offset of its data in the archive.
    pub offset: u64,
    /// The size of its data.
    pub size: u64,
    /// The offset of its own header block, after any extended headers.
    pub header_offset: u64,
    /// Its permission bits.
    pub mode: u32,
    /// The name is absolute or has a `..` component: [`safe_name`] refuses it.
    pub escapes: bool,
}

/// How an archive ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScanEnd {
    /// The offset of the end marker; without one, the end of the members.
    pub end_offset: u64,
    /// Something other than zeros follows the end.
    pub trailing: bool,
    /// The two zero blocks that end an archive are there.
    pub end_marker: bool,
    /// A zero block stood alone between members, where GNU tar would have stopped with a warning.
    pub lone_zero_block: bool,
}
