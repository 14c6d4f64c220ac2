//! What tests of whole runs need: a folder of their own, sources, the command, fingerprints.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use fusion_fixtures::{
    Digest, Flavour, Image, LayerForm, Options, Outer, Platform, synthetic, write,
};
use serde_json::Value;
use tempfile::TempDir;

/// A folder with everything that a test touches, removed with it.
#[derive(Debug)]
pub(crate) struct Scene(TempDir);

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = TempDir::with_prefix("fusion-test-").unwrap();
        for name in ["tmp", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self(folder)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// The folder that runs take for the machine's temp folder.
    pub(crate) fn temp(&self) -> PathBuf {
        self.path("tmp")
    }

    /// The command, run in the scene's folder.
    pub(crate) fn fusion(&self, words: &[&str]) -> Command {
        self.program(env!("CARGO_BIN_EXE_fusion"), words)
    }

    /// Another program, run likewise.
    pub(crate) fn program<S: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        words: &[S],
    ) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.folder())
            .env("TMPDIR", self.temp())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs the command, which must succeed.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        let output = self.output(words);
        assert!(
            output.status.success(),
            "fusion {}: {}\n{}{}",
            words.join(" "),
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        output
    }

    /// Runs the command, whatever comes of it.
    pub(crate) fn output(&self, words: &[&str]) -> Output {
        let mut command = self.fusion(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.output().unwrap()
    }

    /// What lies in the scene's folder, and in the folders there, by name.
    pub(crate) fn entries(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for entry in fs::read_dir(self.folder()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                for inner in fs::read_dir(&path).unwrap() {
                    names.insert(self.name(&inner.unwrap().path()));
                }
            }
            names.insert(self.name(&path));
        }
        names
    }

    fn name(&self, path: &Path) -> String {
        let name = path.strip_prefix(self.folder()).unwrap();
        name.to_str().unwrap().to_owned()
    }
}

/// Removes a file or a directory, if it is there.
pub(crate) fn remove(path: &Path) {
    match fs::symlink_metadata(path) {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path).unwrap(),
        Ok(_) => fs::remove_file(path).unwrap(),
        Err(_) => {}
    }
}

/// Copies a file or a directory.
pub(crate) fn copy(from: &Path, to: &Path) {
    if !from.is_dir() {
        fs::copy(from, to).unwrap();
        return;
    }
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        copy(&entry.path(), &to.join(entry.file_name()));
    }
}

/// The hex SHA-256 of a file.
pub(crate) fn sha256(path: &Path) -> String {
    let file = File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    Digest::of_reader(file).unwrap().0.hex()
}

/// The files below `folder`, by path, relative to it.
pub(crate) fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(at) = folders.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else {
                let path = entry.path();
                let name = path.strip_prefix(folder).unwrap();
                found.insert(name.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

/// What `sha256sum` prints for every file below `folder`, sorted by path.
pub(crate) fn listing(folder: &Path) -> String {
    files(folder)
        .iter()
        .map(|name| format!("{}  {name}\n", sha256(&folder.join(name))))
        .collect()
}

/// The SHA-256 of an archive, or of the listing of a layout.
pub(crate) fn fingerprint(path: &Path) -> String {
    if path.is_dir() {
        Digest::of(listing(path).as_bytes()).hex()
    } else {
        sha256(path)
    }
}

/// The files of a layout that `index.json` leads to, as [`listing`] lists them: what is published.
pub(crate) fn published(layout: &Path) -> String {
    let names: BTreeSet<String> = files(layout)
        .into_iter()
        .filter(|name| !name.starts_with(".fusion-partial/"))
        .collect();
    let mut reached = BTreeSet::new();
    let mut open = vec!["index.json".to_owned()];
    while let Some(name) = open.pop() {
        if !names.contains(&name) || !reached.insert(name.clone()) {
            continue;
        }
        let path = layout.join(&name);
        // Layers are no JSON; what is large is one.
        if path.metadata().unwrap().len() < 1 << 20
            && let Ok(document) = serde_json::from_slice(&fs::read(&path).unwrap())
        {
            digests(&document, &mut open);
        }
    }
    if !reached.is_empty() {
        reached.insert("oci-layout".to_owned());
    }
    reached
        .intersection(&names)
        .map(|name| format!("{}  {name}\n", sha256(&layout.join(name))))
        .collect()
}

/// Collects the blob paths of every `digest` of a document.
fn digests(document: &Value, found: &mut Vec<String>) {
    match document {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(digest) if key == "digest" => {
                        found.push(format!("blobs/{}", digest.replace(':', "/")));
                    }
                    _ => digests(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| digests(item, found)),
        _ => {}
    }
}

/// Images of `layers` generated layers each, the first of them shared by all; `seed` tells builds
/// apart.
pub(crate) fn images(
    references: &[&str],
    platform: &Platform,
    seed: u64,
    layers: usize,
    size: u64,
) -> Vec<Image> {
    let sizes: Vec<u64> = (0..layers as u64).map(|at| size + 512 * at).collect();
    references
        .iter()
        .map(|name| synthetic::image(Some(name), platform, seed, &sizes, 1).unwrap())
        .collect()
}

/// Writes `images` to the file or directory `path`.
pub(crate) fn source(flavour: Flavour, form: LayerForm, images: &[Image], path: &Path) {
    write(flavour, form, images, path, &Options::default()).unwrap();
}

/// Writes `images` to the file `path`, compressed as a whole.
pub(crate) fn compressed(flavour: Flavour, outer: Outer, images: &[Image], path: &Path) {
    let options = Options {
        outer,
        ..Options::default()
    };
    write(flavour, LayerForm::Raw, images, path, &options).unwrap();
}
