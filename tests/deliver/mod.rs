//! Pushing to real registries: what arrives, what is sent, what is never lost.

mod addon;
mod auth;
mod claims;
mod faults;
mod found;
mod harbor;
mod index;
mod joined;
mod killed;
mod meanwhile;
mod memory;
mod policies;
mod proxied;
mod pulled;
mod resumed;
mod space;
mod streamed;
mod sync;
mod together;

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use fusion_core::deliver::{DeliverOptions, push};
use fusion_core::fuse::Failure;
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use fusion_core::report::Report;
use fusion_fixtures::{Flavour, Image, Options, Platform, synthetic, write};
use serde_json::Value;
use tempfile::TempDir;

use crate::engine::nobody::{command_in, unprivileged};
use crate::registry::client::Client;

/// A folder with sources.
struct Yard(TempDir);

impl Yard {
    fn new() -> Self {
        Self(TempDir::with_prefix("fusion-push-").unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// An archive of `images`, as docker saves them.
    fn archive(&self, name: &str, images: &[Image]) -> PathBuf {
        let path = self.path(name);
        let flavour = Flavour::DockerLegacy;
        write(
            flavour,
            flavour.usual_form(),
            images,
            &path,
            &Options::default(),
        )
        .unwrap();
        path
    }

    /// `a.tar` with the `references` for amd64, `b.tar` with them for arm64. Half of each image is
    /// shared with all others.
    fn pair(&self, references: &[&str], bytes: u64) -> [PathBuf; 2] {
        let (amd64, arm64) = synthetic::pair(references, 7, &[bytes / 2, bytes / 2], 1).unwrap();
        [
            self.archive("a-amd64.tar", &amd64),
            self.archive("b-arm64.tar", &arm64),
        ]
    }

    /// An image of one layer of its own.
    fn image(reference: &str, platform: &Platform, seed: u64) -> Image {
        synthetic::image(Some(reference), platform, seed, &[2000], 0).unwrap()
    }

    /// Options as on the command line, with this yard to work in.
    fn options(&self, chosen: &[(&str, &str)]) -> DeliverOptions {
        let mut options = DeliverOptions::default();
        options.fuse.connect.settings.temp_dir = self.0.path().to_owned();
        for (name, value) in chosen {
            options.set(name, value).unwrap();
        }
        options
    }

    fn try_push(
        &self,
        sources: &[&Path],
        to: &str,
        chosen: &[(&str, &str)],
    ) -> Result<Report, Failure> {
        let sources: Vec<Location> = sources
            .iter()
            .map(|path| Location::parse(path).unwrap())
            .collect();
        push(&sources, to, &self.options(chosen), None, &Stop::new())
    }

    /// Pushes by way of the library, which must succeed.
    fn push(&self, sources: &[&Path], to: &str, chosen: &[(&str, &str)]) -> Value {
        match self.try_push(sources, to, chosen) {
            Ok(report) => serde_json::from_str(&report.to_json()).unwrap(),
            Err(failure) => panic!("{chosen:?}: {:?}", failure.error),
        }
    }

    /// The command, with this yard to work in.
    fn fusion(&self, words: &[&str]) -> Command {
        self.run_by(Path::new(env!("CARGO_BIN_EXE_fusion")), words)
    }

    /// Likewise, without the privileges of root.
    fn fusion_as_nobody(&self, words: &[&str]) -> Command {
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(self.0.path(), open).unwrap();
        let mut command = self.run_by(&command_in(self.0.path()), words);
        unprivileged(&mut command);
        command
    }

    fn run_by(&self, program: &Path, words: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(self.0.path())
            .env("TMPDIR", self.0.path())
            .env("HOME", self.0.path());
        command
    }
}

/// The image of `report` whose target ends in `name`.
fn image<'a>(report: &'a Value, name: &str) -> &'a Value {
    let images = report["images"].as_array().unwrap();
    images
        .iter()
        .find(|image| {
            image["target"]
                .as_str()
                .is_some_and(|target| target.ends_with(name))
        })
        .unwrap_or_else(|| panic!("no {name} in {report}"))
}

/// The platforms of an image of a report.
fn platforms(image: &Value) -> Vec<&str> {
    let platforms = image["platforms"].as_array().unwrap();
    platforms
        .iter()
        .map(|platform| platform["platform"].as_str().unwrap())
        .collect()
}

/// What stands under a tag, read without any part of fusion; `None` if nothing does.
fn there(host: &str, repository: &str, tag: &str) -> Option<(String, Value)> {
    let reply = Client::new(host).ask("GET", &format!("/v2/{repository}/manifests/{tag}"));
    match reply.status() {
        200 => Some((
            reply.header("docker-content-digest").to_owned(),
            reply.json(),
        )),
        404 => None,
        status => panic!("{status}: {}", reply.text()),
    }
}

/// How many platforms a tag leads to: a manifest by itself is one.
fn count(host: &str, repository: &str, tag: &str) -> usize {
    let (_, root) = there(host, repository, tag).expect("a tag");
    root["manifests"].as_array().map_or(1, Vec::len)
}

/// The platforms that the index under a tag names, sorted.
fn children(host: &str, repository: &str, tag: &str) -> Vec<String> {
    let (_, index) = there(host, repository, tag).expect("a tag");
    listed(&index)
}

/// The platforms that an index names, sorted.
fn listed(index: &Value) -> Vec<String> {
    let children = index["manifests"].as_array().expect("an index").iter();
    let mut platforms: Vec<String> = children
        .map(|child| {
            let platform = &child["platform"];
            let part = |name: &str| platform[name].as_str().map(str::to_owned);
            let parts = [part("os"), part("architecture"), part("variant")];
            parts.into_iter().flatten().collect::<Vec<_>>().join("/")
        })
        .collect();
    platforms.sort();
    platforms
}

fn amd64() -> Platform {
    Platform::amd64()
}

fn arm64() -> Platform {
    Platform::arm64()
}
