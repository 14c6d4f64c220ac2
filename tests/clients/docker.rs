//! dockerd (Debian's 20.10: graph driver, no containerd image store), through `docker`.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde_json::Value;

use super::containerd::Containerd;
use super::layout::{array, strings, text};
use super::process::{self, Daemon, Failure, Result, command, run, run_text};

/// One image, as `docker image inspect` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DockerImage {
    /// The digest of the config.
    pub(crate) id: String,
    pub(crate) os: String,
    pub(crate) architecture: String,
    pub(crate) variant: String,
    /// Diff IDs, bottom first.
    pub(crate) layers: Vec<String>,
    pub(crate) tags: Vec<String>,
}

impl DockerImage {
    fn new(json: &Value) -> Self {
        Self {
            id: text(json, "/Id"),
            os: text(json, "/Os"),
            architecture: text(json, "/Architecture"),
            variant: text(json, "/Variant"),
            layers: strings(json, "/RootFS/Layers"),
            tags: strings(json, "/RepoTags"),
        }
    }
}

/// A running dockerd with storage of its own (driver vfs), without networks.
#[derive(Debug)]
pub(crate) struct Docker {
    // The order matters: dockerd ends before the containerd that it talks to.
    daemon: Daemon,
    _containerd: Containerd,
}

impl Docker {
    /// A dockerd (and containerd) of one's own.
    pub(crate) fn start() -> Self {
        let containerd = Containerd::start();
        let state = process::state_dir();
        let dir = state.path().to_owned();
        let config = dir.join("daemon.json");
        // Without a file of our own it would read /etc/docker/daemon.json.
        fs::write(&config, "{}").expect("writing into a state directory");
        let shown = dir.display();
        let args = [
            format!("--config-file={}", config.display()),
            format!("--data-root={shown}/root"),
            format!("--exec-root={shown}/exec"),
            format!("--pidfile={shown}/pid"),
            format!("--host=unix://{shown}/s"),
            format!("--containerd={}", containerd.address().display()),
            "--group=root".into(),
            "--storage-driver=vfs".into(),
            "--iptables=false".into(),
            "--ip6tables=false".into(),
            "--bridge=none".into(),
            "--log-level=warn".into(),
        ];
        let daemon = Daemon::start("dockerd", state, args.map(Into::into), || {
            run(docker(&dir).arg("version")).is_ok()
        });
        Self {
            daemon,
            _containerd: containerd,
        }
    }

    /// The one dockerd that all tests of this process share, for the caller alone and emptied.
    pub(crate) fn shared() -> MutexGuard<'static, Self> {
        static SHARED: OnceLock<Mutex<Docker>> = OnceLock::new();
        let docker = SHARED
            .get_or_init(|| Mutex::new(Self::start()))
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        docker.clear().unwrap_or_else(|e| panic!("{e}"));
        docker
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// `docker` on this daemon, for what has no method here.
    pub(crate) fn docker(&self) -> Command {
        docker(self.daemon.state())
    }

    /// `docker load`; returns the references loaded, as docker shows them (familiar names), or the
    /// IDs of images without a name.
    pub(crate) fn load(&self, archive: &Path) -> Result<Vec<String>> {
        let said = run_text(
            self.docker()
                .args(["load", "--quiet", "--input"])
                .arg(archive),
        )?;
        Ok(said
            .lines()
            .filter_map(|line| {
                line.strip_prefix("Loaded image: ")
                    .or(line.strip_prefix("Loaded image ID: "))
            })
            .map(str::to_owned)
            .collect())
    }

    pub(crate) fn inspect(&self, reference: &str) -> Result<DockerImage> {
        self.inspect_all(&[reference])
            .map(|mut images| images.remove(0))
    }

    /// The images of these references, in this order.
    pub(crate) fn inspect_all(&self, references: &[&str]) -> Result<Vec<DockerImage>> {
        let said = run(self.docker().args(["image", "inspect"]).args(references))?;
        let json: Value = serde_json::from_slice(&said).map_err(|e| {
            Failure::found(
                format!("docker image inspect {references:?}"),
                e.to_string(),
            )
        })?;
        Ok(array(&json, "").map(DockerImage::new).collect())
    }

    /// `docker save`
    pub(crate) fn save(&self, references: &[&str], archive: &Path) -> Result<()> {
        run(self
            .docker()
            .args(["save", "--output"])
            .arg(archive)
            .args(references))
        .map(drop)
    }

    /// The IDs of all images, with and without a name.
    pub(crate) fn ids(&self) -> Result<Vec<String>> {
        let said = run_text(
            self.docker()
                .args(["images", "--all", "--quiet", "--no-trunc"]),
        )?;
        let mut ids: Vec<_> = said.lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// Removes every image.
    pub(crate) fn clear(&self) -> Result<()> {
        let ids = self.ids()?;
        if ids.is_empty() {
            return Ok(());
        }
        run(self.docker().args(["rmi", "--force"]).args(&ids)).map(drop)
    }
}

fn docker(state: &Path) -> Command {
    let mut docker = command("docker");
    docker
        .arg(format!("--host=unix://{}/s", state.display()))
        // No contexts, credentials or plugins of the user.
        .env("DOCKER_CONFIG", state.join("client"));
    docker
}
