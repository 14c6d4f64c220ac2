//! podman, without a daemon.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::layout::{array, text};
use super::process::{self, Failure, Result, command, run, run_text};

/// One image, as `podman image inspect` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PodmanImage {
    /// `sha256:` and the digest of the config.
    pub(crate) id: String,
    /// Of the manifest; of the index, if podman took the image from one.
    pub(crate) digest: String,
    pub(crate) os: String,
    pub(crate) architecture: String,
    /// Diff IDs, bottom first.
    pub(crate) layers: Vec<String>,
    pub(crate) names: Vec<String>,
}

/// podman with storage of its own (driver vfs).
#[derive(Debug)]
pub(crate) struct Podman {
    state: TempDir,
}

impl Podman {
    pub(crate) fn new() -> Self {
        let state = process::state_dir();
        // For the archives that it unpacks; podman does not make it.
        std::fs::create_dir(state.path().join("tmp")).expect("making a folder");
        Self { state }
    }

    /// `podman` on this storage, for what has no method here.
    pub(crate) fn podman(&self) -> Command {
        let state = self.state.path();
        let mut podman = command("podman");
        podman
            .arg("--root")
            .arg(state.join("root"))
            .arg("--runroot")
            .arg(state.join("run"))
            .arg("--tmpdir")
            .arg(state.join("libpod"))
            .args(["--storage-driver", "vfs", "--events-backend", "none"])
            .env("TMPDIR", state.join("tmp"));
        podman
    }

    /// `podman load`; returns the references loaded (or the IDs of images without a name).
    pub(crate) fn load(&self, archive: &Path) -> Result<Vec<String>> {
        let said = run_text(
            self.podman()
                .args(["load", "--quiet", "--input"])
                .arg(archive),
        )?;
        Ok(said
            .lines()
            .filter_map(|line| line.strip_prefix("Loaded image: "))
            .map(str::to_owned)
            .collect())
    }

    pub(crate) fn inspect(&self, reference: &str) -> Result<PodmanImage> {
        let said = run(self.podman().args(["image", "inspect", reference]))?;
        let json: Value = serde_json::from_slice(&said).map_err(|e| {
            Failure::found(format!("podman image inspect {reference}"), e.to_string())
        })?;
        let strings = |pointer| {
            array(&json, pointer)
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect()
        };
        Ok(PodmanImage {
            id: format!("sha256:{}", text(&json, "/0/Id")),
            digest: text(&json, "/0/Digest"),
            os: text(&json, "/0/Os"),
            architecture: text(&json, "/0/Architecture"),
            layers: strings("/0/RootFS/Layers"),
            names: strings("/0/RepoTags"),
        })
    }

    /// `podman save --format FORMAT`; several images only as `docker-archive`.
    pub(crate) fn save(&self, format: &str, references: &[&str], archive: &Path) -> Result<()> {
        let mut podman = self.podman();
        podman.args(["save", "--quiet", "--format", format]);
        if references.len() > 1 {
            podman.arg("--multi-image-archive");
        }
        run(podman.arg("--output").arg(archive).args(references)).map(drop)
    }

    /// Removes every image.
    pub(crate) fn clear(&self) -> Result<()> {
        run(self.podman().args(["rmi", "--all", "--force"])).map(drop)
    }
}
