//! The loadable archive as a sequence of members whose places are known before anything is
//! written: blobs then go to their places in any order.

use super::blobs::BlobSet;
use crate::store::Expected;
use crate::tar::{self, EntryKind};

/// What a member holds.
#[derive(Debug)]
pub(super) enum Body {
    /// Nothing: a directory.
    Directory,
    /// These bytes.
    Bytes(Vec<u8>),
    /// The blob of this number.
    Blob(usize),
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
    /// The archive of `set` with these listings. `index.json` comes first, so that the archive can
    /// be read as a stream.
    pub(super) fn new(index: Vec<u8>, layout: &[u8], manifest: Vec<u8>, set: &BlobSet) -> Self {
        let mut tape = Self::default();
        tape.file("index.json", index);
        tape.file("oci-layout", layout.to_vec());
        tape.file("manifest.json", manifest);
        tape.directory("blobs/");
        tape.directory("blobs/sha256/");
        if set
            .blobs
            .iter()
            .any(|blob| blob.digest.algorithm() == "sha512")
        {
            tape.directory("blobs/sha512/");
        }
        for (at, blob) in set.blobs.iter().enumerate() {
            tape.blob(at, blob);
        }
        tape
    }

    fn directory(&mut self, name: &str) {
        self.add(
            tar::header(name, &EntryKind::Directory, 0, 0o755, 0),
            0,
            Body::Directory,
        );
    }

    fn file(&mut self, name: &str, bytes: Vec<u8>) {
        let size = bytes.len() as u64;
        let header = tar::header(name, &EntryKind::File, size, 0o644, 0);
        self.add(header, size, Body::Bytes(bytes));
    }

    fn blob(&mut self, at: usize, blob: &Expected) {
        let name = blob.digest.blob_path();
        let header = tar::header(&name, &EntryKind::File, blob.size, 0o644, 0);
        self.add(header, blob.size, Body::Blob(at));
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
