//! podman, without a daemon.

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::layout::{array, strings, text};
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

impl PodmanImage {
    fn new(json: &Value) -> Self {
        Self {
            id: format!("sha256:{}", text(json, "/Id")),
            digest: text(json, "/Digest"),
            os: text(json, "/Os"),
            architecture: text(json, "/Architecture"),
            layers: strings(json, "/RootFS/Layers"),
            names: strings(json, "/RepoTags"),
        }
    }
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
        self.inspect_all(&[reference])
            .map(|mut images| images.remove(0))
    }

    /// The images of these references, in this order.
    pub(crate) fn inspect_all(&self, references: &[&str]) -> Result<Vec<PodmanImage>> {
        let said = run(self.podman().args(["image", "inspect"]).args(references))?;
        let json: Value = serde_json::from_slice(&said).map_err(|e| {
            Failure::found(
                format!("podman image inspect {references:?}"),
                e.to_string(),
            )
        })?;
        Ok(array(&json, "").map(PodmanImage::new).collect())
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
