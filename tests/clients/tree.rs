//! Root file systems: what layers make, and what a folder holds.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use fusion_fixtures::Image;

use super::process::{self, command, run, run_text};

/// What is at a path, times and the folder itself left out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Kind and permissions.
    mode: u32,
    owner: (u32, u32),
    /// Of a file its bytes, of a symbolic link its target.
    content: Vec<u8>,
}

/// The nodes by path.
pub(crate) type Tree = BTreeMap<String, Node>;

/// What the layers of an image make, one over the other, put together by tar.
pub(crate) fn expected(image: &Image) -> Tree {
    let dir = process::state_dir();
    let (layer, root) = (dir.path().join("layer.tar"), dir.path().join("root"));
    fs::create_dir(&root).expect("making a folder");
    for content in image.layers.iter().map(|layer| &layer.content) {
        fs::write(&layer, content.bytes().expect("a layer")).expect("writing a layer");
        let members = succeed(run_text(command("tar").arg("-tf").arg(&layer)));
        for (folder, gone) in members.lines().filter_map(|name| name.split_once(".wh.")) {
            fs::remove_file(root.join(folder).join(gone)).expect("a whiteout of what is there");
        }
        succeed(run(command("tar")
            .args(["--exclude=.wh.*", "--numeric-owner", "-xpf"])
            .arg(&layer)
            .arg("-C")
            .arg(&root)));
    }
    read(&root)
}

/// What a folder holds.
pub(crate) fn read(root: &Path) -> Tree {
    let mut tree = Tree::new();
    walk(root, "", &mut tree);
    tree
}

fn walk(folder: &Path, prefix: &str, tree: &mut Tree) {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|e| panic!("reading {}: {e}", folder.display()));
    for entry in entries {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name());
        let name = format!("{prefix}{}", name.to_string_lossy());
        let meta = fs::symlink_metadata(&path).expect("metadata");
        let content = if meta.is_dir() {
            walk(&path, &format!("{name}/"), tree);
            Vec::new()
        } else if meta.is_symlink() {
            let target = fs::read_link(&path).expect("a symbolic link");
            target.into_os_string().into_encoded_bytes()
        } else {
            fs::read(&path).expect("a file")
        };
        let node = Node {
            mode: meta.mode(),
            owner: (meta.uid(), meta.gid()),
            content,
        };
        tree.insert(name, node);
    }
}

/// Says where two trees differ, without their contents.
#[track_caller]
pub(crate) fn assert_same(found: &Tree, expected: &Tree) {
    let differ: Vec<_> = found
        .keys()
        .chain(expected.keys())
        .filter(|path| found.get(*path) != expected.get(*path))
        .collect();
    assert!(
        differ.is_empty(),
        "other files than in the layers: {differ:?}"
    );
}

fn succeed<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}

/// A folder that fills up with what a closure writes into it, as a plain reproducible tar.
pub(crate) fn tar(fill: impl FnOnce(&Path)) -> Vec<u8> {
    let dir = process::state_dir();
    fill(dir.path());
    let mut names: Vec<_> = fs::read_dir(dir.path())
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    succeed(run(command("tar")
        .args(["--format=ustar", "--sort=name", "--mtime=@1714521600"])
        .args([
            "--owner=0",
            "--group=0",
            "--numeric-owner",
            "--mode=u=rwX,go=rX",
        ])
        .args(["-cf", "-", "-C"])
        .arg(dir.path())
        .args(names)))
}
