//! The loadable archive as a sequence of members whose places are known before anything is
//! written: blobs then go to their places in any order.

use super::blobs::BlobSet;
use crate::oci::Compression;
use crate::tar::{self, EntryKind};

/// What a member holds.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing: a directory, or what others make up the content of.
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// The blob of this number.
    Blob(usize),
    /// The file of this number.
    File(usize),
    /// An archive, compressed.
    Squeezed(Box<Tape>, Compression),
}

/// A member: its header, its place, what it holds.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) header: Vec<u8>,
    /// Where the header begins.
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) body: Body,
}

impl Member {
    /// Where the content begins.
    pub(super) fn data(&self) -> u64 {
        self.offset + self.header.len() as u64
    }
}

/// A whole archive.
#[derive(Debug, Default)]
pub(super) struct Tape {
    pub(super) members: Vec<Member>,
    /// Where the end marker begins.
    end: u64,
}

impl Tape {
    /// The archive of `set` with these listings; `number` says under which number its blobs go.
    /// `index.json` comes first, so that the archive can be read as a stream.
    pub(super) fn new(
        index: Vec<u8>,
        layout: &[u8],
        manifest: Vec<u8>,
        set: &BlobSet,
        number: &BlobSet,
    ) -> Self {
        let mut tape = Self::default();
        tape.archive("", index, layout, manifest, set, number);
        tape
    }

    /// Adds the archive of `set`, unpacked below `prefix`.
    pub(super) fn archive(
        &mut self,
        prefix: &str,
        index: Vec<u8>,
        layout: &[u8],
        manifest: Vec<u8>,
        set: &BlobSet,
        number: &BlobSet,
    ) {
        self.file(&format!("{prefix}index.json"), index);
        self.file(&format!("{prefix}oci-layout"), layout.to_vec());
        self.file(&format!("{prefix}manifest.json"), manifest);
        self.directory(&format!("{prefix}blobs/"), 0o755);
        self.directory(&format!("{prefix}blobs/sha256/"), 0o755);
        if set
            .blobs
            .iter()
            .any(|blob| blob.digest.algorithm() == "sha512")
        {
            self.directory(&format!("{prefix}blobs/sha512/"), 0o755);
        }
        for blob in &set.blobs {
            if let Some(at) = number.number(&blob.digest) {
                let name = format!("{prefix}{}", blob.digest.blob_path());
                self.content(&name, blob.size, 0o644, Body::Blob(at));
            }
        }
    }

    pub(super) fn directory(&mut self, name: &str, mode: u32) {
        let header = tar::header(name, &EntryKind::Directory, 0, mode, 0);
        self.add(header, 0, Body::Nothing);
    }

    pub(super) fn link(&mut self, name: &str, target: &str) {
        let kind = EntryKind::SymLink(target.to_owned());
        self.add(tar::header(name, &kind, 0, 0o777, 0), 0, Body::Nothing);
    }

    pub(super) fn file(&mut self, name: &str, bytes: Vec<u8>) {
        self.content(name, bytes.len() as u64, 0o644, Body::Bytes(bytes));
    }

    /// Adds a file of `size` bytes.
    pub(super) fn content(&mut self, name: &str, size: u64, mode: u32, body: Body) {
        let header = tar::header(name, &EntryKind::File, size, mode, 0);
        self.add(header, size, body);
    }

    /// Adds a whole archive as a file.
    pub(super) fn nest(&mut self, name: &str, mode: u32, inner: Self) {
        let header = tar::header(name, &EntryKind::File, inner.size(), mode, 0);
        // Its members are the content; archives are whole blocks, so nothing fills them up.
        self.add(header, 0, Body::Nothing);
        let base = self.end;
        let end = inner.end;
        self.members
            .extend(inner.members.into_iter().map(|member| Member {
                offset: base + member.offset,
                ..member
            }));
        self.end = base + end;
        self.add(tar::END.to_vec(), 0, Body::Nothing);
    }

    fn add(&mut self, header: Vec<u8>, size: u64, body: Body) {
        let member = Member {
            header,
            offset: self.end,
            size,
            body,
        };
        self.end = member.data() + size + tar::padding(size);
        self.members.push(member);
    }

    /// The length of the archive in bytes, its end marker included.
    pub(super) fn size(&self) -> u64 {
        self.end + tar::END.len() as u64
    }
}
