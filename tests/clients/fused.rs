//! What the fusion under test writes, checked without any client: its report, its own `verify`, and
//! a plain reading of everything in the result.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::layout::{array, text};
use super::process::{self, command, run};
use super::sound::{self, Sound};

/// What the result is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Layout,
    Archive,
    ArchiveGzip,
    ArchiveZstd,
}

impl To {
    fn name(self) -> &'static str {
        match self {
            Self::Layout => "layout",
            Self::Archive => "fused.tar",
            Self::ArchiveGzip => "fused.tar.gz",
            Self::ArchiveZstd => "fused.tar.zst",
        }
    }
}

/// A result.
#[derive(Debug)]
pub(crate) struct Fused {
    /// The archive or the layout directory.
    pub(crate) path: PathBuf,
    pub(crate) to: To,
    /// What a plain reading finds.
    pub(crate) sound: Sound,
    pub(crate) report: Value,
    _dir: TempDir,
}

impl Fused {
    /// A loadable archive that lies there, taken out of something larger that was fused.
    pub(crate) fn archive(path: PathBuf) -> Self {
        let dir = process::state_dir();
        let sound = sound::check(&unpacked(&path, dir.path()), true);
        Self {
            path,
            to: To::Archive,
            sound,
            report: Value::Null,
            _dir: dir,
        }
    }

    /// The name of a reference, in skopeo's words.
    pub(crate) fn at(&self, reference: &str) -> String {
        let transport = match self.to {
            To::Layout => "oci",
            _ => "oci-archive",
        };
        format!("{transport}:{}:{reference}", self.path.display())
    }

    /// What warnings have that code, by reference.
    pub(crate) fn warned(&self, code: &str) -> Vec<String> {
        array(&self.report, "/warnings")
            .filter(|warning| text(warning, "/code") == code)
            .map(|warning| text(warning, "/reference"))
            .collect()
    }
}

/// `fusion`, the one that was built with these tests.
pub(crate) fn fusion() -> Command {
    Command::new(env!("CARGO_BIN_EXE_fusion"))
}

/// `fusion fuse SOURCES OPTIONS -o ...`, and everything that can be checked without a client.
pub(crate) fn fuse<S: AsRef<Path>>(sources: &[S], to: To, options: &[&str]) -> Fused {
    let dir = process::state_dir();
    let path = dir.path().join(to.name());
    let format = match to {
        To::Layout => "oci",
        _ => "oci-archive",
    };
    let said = succeed(run(fusion()
        .arg("fuse")
        .args(sources.iter().map(AsRef::as_ref))
        .args(["--json", "--durability", "rename", "--format", format])
        .args(options)
        .arg("-o")
        .arg(&path)));
    let report: Value = serde_json::from_slice(&said).expect("a report");
    assert_eq!(report["status"], "ok", "{report}");
    assert_eq!(
        text(&report, "/destination/location"),
        path.display().to_string()
    );

    let verified = succeed(run(fusion().args(["verify", "--json"]).arg(&path)));
    let verified: Value = serde_json::from_slice(&verified).expect("a verification");
    assert_eq!(verified["findings"], Value::Array(Vec::new()));

    let layout = match to {
        To::Layout => path.clone(),
        _ => unpacked(&path, dir.path()),
    };
    let sound = sound::check(&layout, to != To::Layout);
    assert_eq!(
        verified["blobs"],
        sound.blobs.len(),
        "`verify` saw all blobs"
    );
    agree(&report, &sound);
    Fused {
        path,
        to,
        sound,
        report,
        _dir: dir,
    }
}

/// An archive's members, as tar unpacks them; the index has to come first.
fn unpacked(archive: &Path, dir: &Path) -> PathBuf {
    let layout = dir.join("unpacked");
    fs::create_dir(&layout).expect("making a folder");
    let members = succeed(run(command("tar")
        .arg("-xvf")
        .arg(archive)
        .arg("-C")
        .arg(&layout)));
    let members = String::from_utf8_lossy(&members).into_owned();
    assert_eq!(members.lines().next(), Some("index.json"), "{members}");
    let mut names: Vec<_> = members.lines().collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all, "a member is there twice:\n{members}");
    layout
}

/// The report says what is there.
fn agree(report: &Value, sound: &Sound) {
    // `--platform` may leave nothing of an image.
    let (skipped, created): (Vec<_>, Vec<_>) =
        array(report, "/images").partition(|image| image["action"] == "skipped");
    for image in skipped {
        assert_eq!(image["digest"], Value::Null, "{image}");
    }
    let digests: BTreeMap<_, _> = created
        .iter()
        .map(|image| (text(image, "/reference"), text(image, "/digest")))
        .collect();
    assert_eq!(digests, sound.roots, "references and digests");
    for image in created {
        let reference = text(image, "/reference");
        assert_eq!(image["action"], "created", "{reference}");
        let said: Vec<_> = array(image, "/platforms")
            .map(|one| (text(one, "/platform"), text(one, "/digest")))
            .collect();
        let there: Vec<_> = sound.images[&reference]
            .iter()
            .map(|one| (one.platform.clone(), one.manifest.clone()))
            .collect();
        assert_eq!(said, there, "{reference}");
    }
    assert_eq!(report["blobs"]["unique"], sound.blobs.len(), "unique blobs");
    assert_eq!(report["blobs"]["written"], sound.blobs.len(), "blobs");
}

fn succeed<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
