//! containerd, through `ctr`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::Value;
use tempfile::TempDir;

use super::layout::{LayoutImage, array, text};
use super::process::{
    self, Daemon, Failure, Result, command, run, run_text, run_with, sha256_of_output,
};

/// One image record of containerd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ImportedImage {
    pub(crate) name: String,
    pub(crate) digest: String,
    pub(crate) media_type: String,
    /// As `ctr images ls` shows them: from the index, whether or not the content is there.
    pub(crate) platforms: Vec<String>,
}

/// A namespace of a running containerd: images and content of its own.
#[derive(Clone, Debug)]
pub(crate) struct Containerd {
    daemon: Arc<Daemon>,
    namespace: String,
}

impl Containerd {
    /// A containerd of one's own.
    pub(crate) fn start() -> Self {
        let state = process::state_dir();
        let dir = state.path().to_owned();
        let config = dir.join("config.toml");
        let shown = dir.display();
        fs::write(
            &config,
            format!(
                r#"version = 2
root = "{shown}/root"
state = "{shown}/run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.internal.v1.restart"]
[grpc]
  address = "{shown}/s"
[ttrpc]
  address = "{shown}/t"
[plugins."io.containerd.metadata.v1.bolt"]
  # What one namespace holds does not make an import into another one complete.
  content_sharing_policy = "isolated"
"#
            ),
        )
        .expect("writing into a state directory");
        let address = dir.join("s");
        let args = [
            "--config".into(),
            config.into_os_string(),
            "--log-level".into(),
            "warn".into(),
        ];
        let daemon = Daemon::start("containerd", state, args, || {
            run(command("ctr").arg("--address").arg(&address).arg("version")).is_ok()
        });
        Self {
            daemon: Arc::new(daemon),
            namespace: next_namespace(),
        }
    }

    /// A fresh namespace of the one containerd that all tests of this process share.
    pub(crate) fn shared() -> Self {
        static SHARED: OnceLock<Containerd> = OnceLock::new();
        SHARED.get_or_init(Self::start).fresh()
    }

    /// Another, empty, namespace of the same daemon.
    pub(crate) fn fresh(&self) -> Self {
        Self {
            daemon: Arc::clone(&self.daemon),
            namespace: next_namespace(),
        }
    }

    pub(crate) fn address(&self) -> PathBuf {
        self.daemon.state().join("s")
    }

    pub(crate) fn daemon(&self) -> &Daemon {
        &self.daemon
    }

    /// `ctr` in this namespace, for what has no method here.
    pub(crate) fn ctr(&self) -> Command {
        let mut ctr = command("ctr");
        ctr.arg("--address")
            .arg(self.address())
            .args(["--namespace", &self.namespace]);
        ctr
    }

    /// `ctr images import --no-unpack [--all-platforms]`; returns all images of the namespace.
    pub(crate) fn import(&self, path: &Path, all_platforms: bool) -> Result<Vec<ImportedImage>> {
        let flags: &[&str] = if all_platforms {
            &["--all-platforms"]
        } else {
            &[]
        };
        self.import_with(path, flags)
    }

    /// `ctr images import --no-unpack FLAGS`; returns all images of the namespace.
    pub(crate) fn import_with(&self, path: &Path, flags: &[&str]) -> Result<Vec<ImportedImage>> {
        run(self
            .ctr()
            .args(["images", "import", "--no-unpack"])
            .args(flags)
            .arg(path))?;
        self.images()
    }

    /// `decompressor < path | ctr images import --no-unpack --all-platforms -`: ctr 1.6 inflates no
    /// archive itself.
    pub(crate) fn import_piped(
        &self,
        path: &Path,
        decompressor: &[&str],
    ) -> Result<Vec<ImportedImage>> {
        let file = fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let (program, args) = decompressor.split_first().expect("a decompressor");
        let mut inflate = command(program)
            .args(args)
            .stdin(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("{program}: {e}"));
        let stdout = inflate.stdout.take().expect("stdout is piped");
        let imported = run_with(
            self.ctr()
                .args(["images", "import", "--no-unpack", "--all-platforms", "-"]),
            stdout.into(),
        );
        let status = inflate.wait().expect("waiting for a child");
        imported?;
        if !status.success() {
            return Err(Failure::found(decompressor.join(" "), status.to_string()));
        }
        self.images()
    }

    /// `ctr images import --snapshotter native [--platform P]`: of one platform, the host's or P,
    /// and unpacked.
    pub(crate) fn import_unpacked(
        &self,
        path: &Path,
        platform: Option<&str>,
    ) -> Result<Vec<ImportedImage>> {
        let mut ctr = self.ctr();
        ctr.args(["images", "import", "--snapshotter", "native"]);
        if let Some(platform) = platform {
            ctr.args(["--platform", platform]);
        }
        run(ctr.arg(path))?;
        self.images()
    }

    /// All images of this namespace, by name.
    pub(crate) fn images(&self) -> Result<Vec<ImportedImage>> {
        let listing = run_text(self.ctr().args(["images", "ls"]))?;
        // REF TYPE DIGEST SIZE(two words) PLATFORMS LABELS
        Ok(listing
            .lines()
            .skip(1)
            .filter_map(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                let [name, media_type, digest, ..] = words[..] else {
                    return None;
                };
                Some(ImportedImage {
                    name: name.into(),
                    digest: digest.into(),
                    media_type: media_type.into(),
                    platforms: words
                        .iter()
                        .skip(3)
                        .find(|word| word.contains('/') && !word.contains('='))
                        .map(|word| word.split(',').map(str::to_owned).collect())
                        .unwrap_or_default(),
                })
            })
            .collect())
    }

    pub(crate) fn image(&self, name: &str) -> Result<ImportedImage> {
        self.images()?
            .into_iter()
            .find(|image| image.name == name)
            .ok_or_else(|| {
                Failure::found(
                    format!("ctr images ls: {name}"),
                    "there is no image of that name",
                )
            })
    }

    /// The platforms that containerd sees under that name.
    pub(crate) fn platforms(&self, name: &str) -> Result<Vec<String>> {
        self.image(name).map(|image| image.platforms)
    }

    /// Everything the image leads to is there, for every platform, and survives a garbage
    /// collection. Returns the digests reached.
    ///
    /// `ctr images check` looks at the host's platform only; it is asked too where that is present.
    pub(crate) fn check_complete(&self, name: &str) -> Result<BTreeSet<String>> {
        self.collect_garbage()?;
        let present: BTreeSet<String> = run_text(self.ctr().args(["content", "ls", "-q"]))?
            .lines()
            .map(str::to_owned)
            .collect();
        let mut reached = BTreeSet::new();
        let mut absent = Vec::new();
        // Digest, and whether it is a document that leads on.
        let mut pending = vec![(self.image(name)?.digest, true)];
        while let Some((digest, document)) = pending.pop() {
            if !reached.insert(digest.clone()) {
                continue;
            }
            if !present.contains(&digest) {
                absent.push(digest);
            } else if document {
                let document = self.content_json(&digest)?;
                pending.extend(array(&document, "/manifests").map(|d| (text(d, "/digest"), true)));
                pending.extend(array(&document, "/layers").map(|d| (text(d, "/digest"), false)));
                pending.extend(document.get("config").map(|d| (text(d, "/digest"), false)));
            }
        }
        if !absent.is_empty() {
            return Err(Failure::found(
                format!("content of {name}"),
                format!("not in containerd: {}", absent.join(", ")),
            ));
        }
        // It ends with an error where an image is for other platforms only.
        let host = format!("linux/{}", host_architecture());
        if self.platforms(name)?.contains(&host) {
            let filter = format!("name=={name}");
            let check = run_text(self.ctr().args(["images", "check", &filter]))?;
            if !check.contains(" complete (") {
                return Err(Failure::found(format!("ctr images check {name}"), check));
            }
        }
        Ok(reached)
    }

    /// The images that the name leads to and whose manifests are there, in the order of the index.
    pub(crate) fn children(&self, name: &str) -> Result<Vec<LayoutImage>> {
        let mut found = Vec::new();
        self.walk(&self.image(name)?.digest, &mut found)?;
        Ok(found)
    }

    fn walk(&self, digest: &str, found: &mut Vec<LayoutImage>) -> Result<()> {
        let document = self.content_json(digest)?;
        if document.get("manifests").is_some() {
            return array(&document, "/manifests")
                .try_for_each(|child| self.walk(&text(child, "/digest"), found));
        }
        let config = text(&document, "/config/digest");
        let image = self.content_json(&config)?;
        found.push(LayoutImage::new(
            digest.to_owned(),
            config,
            &document,
            &image,
        ));
        Ok(())
    }

    /// `ctr content get`
    pub(crate) fn content(&self, digest: &str) -> Result<Vec<u8>> {
        run(self.ctr().args(["content", "get", digest]))
    }

    pub(crate) fn content_json(&self, digest: &str) -> Result<Value> {
        let bytes = self.content(digest)?;
        serde_json::from_slice(&bytes)
            .map_err(|e| Failure::found(format!("ctr content get {digest}"), e.to_string()))
    }

    /// `sha256:` and the hash of the content that containerd gives for that digest.
    pub(crate) fn content_sha(&self, digest: &str) -> Result<String> {
        sha256_of_output(self.ctr().args(["content", "get", digest]))
            .map(|hex| format!("sha256:{hex}"))
    }

    /// The digest of the config that containerd itself picks for that platform: the one that
    /// `ctr images export --platform` names.
    pub(crate) fn image_for_platform(&self, name: &str, platform: &str) -> Result<String> {
        let dir = process::state_dir();
        let archive = dir.path().join("export.tar");
        self.export(&[name], Some(platform), &archive)?;
        let json = run(command("tar")
            .arg("-xOf")
            .arg(&archive)
            .arg("manifest.json"))?;
        let config = serde_json::from_slice(&json)
            .ok()
            .map(|json: Value| text(&json, "/0/Config"))
            .and_then(|path| path.rsplit('/').next().map(str::to_owned))
            .filter(|hex| !hex.is_empty());
        config.map(|hex| format!("sha256:{hex}")).ok_or_else(|| {
            Failure::found(
                format!("ctr images export --platform {platform} {name}"),
                format!(
                    "manifest.json names no image: {}",
                    String::from_utf8_lossy(&json)
                ),
            )
        })
    }

    /// `ctr images export`, of one platform (a partial archive) or of all.
    pub(crate) fn export(&self, names: &[&str], platform: Option<&str>, to: &Path) -> Result<()> {
        let mut ctr = self.ctr();
        ctr.args(["images", "export"]);
        match platform {
            Some(platform) => ctr.args(["--platform", platform]),
            None => ctr.arg("--all-platforms"),
        };
        run(ctr.arg(to).args(names)).map(drop)
    }

    /// Unpacks the image of that platform and mounts it: proof that its layers are what the config
    /// says, and a look at its files.
    pub(crate) fn mount(&self, name: &str, platform: &str) -> Result<Mounted> {
        // The target is also the name of the snapshot: it must never be used twice.
        let target = process::state_dir();
        let said = run_text(
            self.ctr()
                .args([
                    "images",
                    "mount",
                    "--snapshotter",
                    "native",
                    "--platform",
                    platform,
                    name,
                ])
                .arg(target.path()),
        )?;
        let chain_id = said.lines().next().unwrap_or_default().to_owned();
        Ok(Mounted {
            containerd: self.clone(),
            target,
            chain_id,
        })
    }

    /// Waits for a garbage collection, so that what nothing refers to is gone.
    pub(crate) fn collect_garbage(&self) -> Result<()> {
        let lease = next_namespace();
        run(self.ctr().args(["leases", "create", "--id", &lease]))?;
        run(self.ctr().args(["leases", "delete", "--sync", &lease])).map(drop)
    }
}

/// The root file system of one image; unmounted when dropped.
#[derive(Debug)]
pub(crate) struct Mounted {
    containerd: Containerd,
    target: TempDir,
    /// The chain ID of the layers, as containerd derived it.
    pub(crate) chain_id: String,
}

impl Mounted {
    pub(crate) fn rootfs(&self) -> &Path {
        self.target.path()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let mut unmount = self.containerd.ctr();
        unmount.args(["images", "unmount", "--rm", "--snapshotter", "native"]);
        if run(unmount.arg(self.target.path())).is_err() {
            let target: OsString = self.target.path().into();
            run(command("umount").arg(target)).ok();
        }
    }
}

/// The architecture of this machine, as Go spells it.
pub(crate) fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn next_namespace() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("fusion-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}
