//! buildah's manifest lists: the oracle for what a fused image is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::layout::{self, LayoutImage};
use super::process::{self, Result, command, run};

/// One thing to add to a manifest list.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// In the words of containers/image: `docker-archive:FILE:REFERENCE`, `oci-archive:FILE:NAME`.
    pub(crate) image: String,
    /// Which of an index's images to add, and the platform to list it as; without it the only
    /// image, or of an index the host's.
    pub(crate) platform: Option<String>,
    /// Every image of an index.
    pub(crate) all: bool,
}

impl Source {
    /// An image of an archive with a `manifest.json`. The reference need not be spelt as there:
    /// `docker.io/library/hello:1.0` finds `hello:1.0`.
    pub(crate) fn docker_archive(archive: &Path, reference: &str) -> Self {
        Self::named("docker-archive", archive, reference)
    }

    /// An image of a tarred layout, by its exact `ref.name`.
    pub(crate) fn oci_archive(archive: &Path, name: &str) -> Self {
        Self::named("oci-archive", archive, name)
    }

    /// An image of a layout directory, by its exact `ref.name`.
    pub(crate) fn oci(layout: &Path, name: &str) -> Self {
        Self::named("oci", layout, name)
    }

    /// Takes that platform out of an index.
    pub(crate) fn platform(mut self, platform: &str) -> Self {
        self.platform = Some(platform.to_owned());
        self
    }

    /// Takes all of an index.
    pub(crate) fn all(mut self) -> Self {
        self.all = true;
        self
    }

    fn named(transport: &str, path: &Path, name: &str) -> Self {
        Self {
            image: format!("{transport}:{}:{name}", path.display()),
            platform: None,
            all: false,
        }
    }
}

/// What buildah made.
#[derive(Debug)]
pub(crate) struct Oracle {
    dir: TempDir,
    /// The images of each reference, in the order in which they were added. buildah keeps the
    /// layers of `oci` sources and compresses those of `docker-archive` sources anew: compare
    /// layer digests only where nothing was recompressed, diff IDs always.
    pub(crate) images: BTreeMap<String, Vec<LayoutImage>>,
}

impl Oracle {
    /// An OCI layout with one nested index per reference.
    pub(crate) fn layout(&self) -> PathBuf {
        self.dir.path().join("layout")
    }
}

/// buildah with storage of its own (driver vfs).
#[derive(Debug)]
pub(crate) struct Buildah {
    state: TempDir,
}

impl Buildah {
    pub(crate) fn new() -> Self {
        let state = process::state_dir();
        std::fs::create_dir(state.path().join("tmp")).expect("making a folder");
        Self { state }
    }

    /// `buildah` on this storage, for what has no method here.
    pub(crate) fn buildah(&self) -> Command {
        let state = self.state.path();
        let mut buildah = command("buildah");
        buildah
            .arg("--root")
            .arg(state.join("root"))
            .arg("--runroot")
            .arg(state.join("run"))
            .args(["--storage-driver", "vfs"])
            .env("TMPDIR", state.join("tmp"));
        buildah
    }

    /// For each reference: `buildah manifest create`, `add` of each source in order, and
    /// `push --all` into one layout.
    pub(crate) fn manifest_fuse(&self, references: &[(&str, Vec<Source>)]) -> Result<Oracle> {
        let dir = process::state_dir();
        let layout = dir.path().join("layout");
        for (reference, sources) in references {
            run(self.buildah().args(["manifest", "create", reference]))?;
            for source in sources {
                let mut add = self.buildah();
                add.args(["manifest", "add"]);
                if source.all {
                    add.arg("--all");
                }
                if let Some(platform) = &source.platform {
                    for (flag, part) in ["--os", "--arch", "--variant"]
                        .into_iter()
                        .zip(platform.split('/'))
                    {
                        add.args([flag, part]);
                    }
                }
                run(add.args([reference, source.image.as_str()]))?;
            }
            run(self
                .buildah()
                .args(["manifest", "push", "--quiet", "--all", reference])
                .arg(format!("oci:{}:{reference}", layout.display())))?;
            run(self.buildah().args(["manifest", "rm", reference]))?;
        }
        let images = layout::images(&layout)?;
        Ok(Oracle { dir, images })
    }
}
