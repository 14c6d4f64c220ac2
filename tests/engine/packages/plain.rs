//! A plain reader of packages, with no part of fusion: the tar, flate2 and zstd crates.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::Path;

use super::super::support::Layout;

/// What stands in a tree under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    File(Vec<u8>),
    Link(String),
    Folder,
}

/// The members of a tar, compressed or not, or of a directory.
#[derive(Debug)]
pub(super) struct Tree {
    /// How errors call it.
    place: String,
    nodes: BTreeMap<String, Node>,
    /// The names in the order of the tar, folders with their slash.
    pub(super) order: Vec<String>,
}

impl Tree {
    /// Reads the file or directory at `path`.
    pub(super) fn open(path: &Path) -> Self {
        let place = path.display().to_string();
        if !path.is_dir() {
            return Self::of(&fs::read(path).unwrap(), &place);
        }
        let found = super::super::support::tree(path).into_iter();
        let node = |bytes: Option<Vec<u8>>| bytes.map_or(Node::Folder, Node::File);
        let nodes = found.map(|(name, bytes)| (name, node(bytes)));
        Self {
            place,
            nodes: nodes.collect(),
            order: Vec::new(),
        }
    }

    /// Reads a tar, inflating it if need be. No member may be there twice.
    pub(super) fn of(bytes: &[u8], place: &str) -> Self {
        let plain = inflated(bytes);
        let (mut nodes, mut order) = (BTreeMap::new(), Vec::new());
        for entry in tar::Archive::new(plain.as_slice()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let name = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
            order.push(name.clone());
            let kind = entry.header().entry_type();
            let node = if kind.is_dir() {
                Node::Folder
            } else if kind.is_symlink() {
                let target = entry.link_name().unwrap().unwrap();
                Node::Link(target.display().to_string())
            } else {
                assert!(kind.is_file(), "{name} of {place} is a {kind:?}");
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                Node::File(bytes)
            };
            let name = name.trim_end_matches('/').to_owned();
            let before = nodes.insert(name.clone(), node);
            assert!(before.is_none(), "{name} is twice in {place}");
        }
        assert!(!nodes.is_empty(), "{place} is no tar");
        Self {
            place: place.to_owned(),
            nodes,
            order,
        }
    }

    /// Everything but folders, by name.
    pub(super) fn names(&self) -> Vec<&str> {
        let nodes = self.nodes.iter();
        let kept = nodes.filter(|(_, node)| **node != Node::Folder);
        kept.map(|(name, _)| name.as_str()).collect()
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.nodes.contains_key(name)
    }

    pub(super) fn node(&self, name: &str) -> &Node {
        match self.nodes.get(name) {
            Some(node) => node,
            None => panic!("no {name} in {}: {:?}", self.place, self.names()),
        }
    }

    pub(super) fn file(&self, name: &str) -> &[u8] {
        match self.node(name) {
            Node::File(bytes) => bytes,
            other => panic!("{name} of {} is {other:?}", self.place),
        }
    }

    pub(super) fn text(&self, name: &str) -> String {
        String::from_utf8(self.file(name).to_vec()).unwrap()
    }

    /// The archive that a member is.
    pub(super) fn nested(&self, name: &str) -> Self {
        Self::of(self.file(name), &format!("{} › {name}", self.place))
    }

    /// The layout whose files lie below `prefix`, sound; what lies there besides is left out.
    pub(super) fn layout(&self, prefix: &str) -> Layout {
        let of_layout = |name: &str| {
            name.starts_with("blobs/")
                || ["index.json", "oci-layout", "manifest.json"].contains(&name)
        };
        let files = self.nodes.iter().filter_map(|(name, node)| match node {
            Node::File(bytes) => Some((name.strip_prefix(prefix)?, bytes)),
            _ => None,
        });
        let files = files.filter(|(name, _)| of_layout(name));
        let files = files.map(|(name, bytes)| (name.to_owned(), bytes.clone()));
        Layout::of(files.collect(), &self.place)
    }

    /// The sound layout that a bundle's `images.tar` holds.
    pub(super) fn images(&self) -> Layout {
        self.nested("images.tar").layout("")
    }
}

/// What gzip or zstd made these bytes of, or the bytes.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match bytes {
        [0x1f, 0x8b, ..] => {
            let mut decoder = flate2::read::MultiGzDecoder::new(bytes);
            decoder.read_to_end(&mut plain).unwrap();
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            plain = zstd::stream::decode_all(bytes).unwrap();
        }
        _ => plain = bytes.to_vec(),
    }
    plain
}

/// How a file is compressed, by its first bytes.
pub(super) fn compression(path: &Path) -> &'static str {
    match fs::read(path).unwrap().as_slice() {
        [0x1f, 0x8b, ..] => "gzip",
        [0x28, 0xb5, 0x2f, 0xfd, ..] => "zstd",
        _ => "none",
    }
}
