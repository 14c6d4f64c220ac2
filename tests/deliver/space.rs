//! A work folder that is too small for compressed packages: what is sure is told before anything is
//! read, with whatever else stands in the way, and what nobody can know is a warning.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use fusion_fixtures::package::{Archive, Kind, Offline, Package, Wrap};
use fusion_fixtures::{Flavour, Image, Layer, Process, Squeeze};
use serde_json::Value;

use super::{Yard, amd64, there};
use crate::registry::docker::DockerRegistry;

/// Runs the rest with a file system in memory of `$2` bytes at `$1`, which then has to be empty.
const SCRIPT: &str = r#"
    small=$1; mount -t tmpfs -o size="$2" tmpfs "$small" || exit 99; shift 2
    "$@"; status=$?
    [ -z "$(ls -A "$small")" ] || exit 98
    exit $status"#;

/// A yard with the folder `small` to work in, and what runs in it.
struct Site {
    yard: Yard,
}

struct Ran {
    status: Option<i32>,
    report: Value,
    stderr: String,
}

impl Site {
    fn new() -> Self {
        let yard = Yard::new();
        fs::create_dir(yard.path("small")).unwrap();
        Self { yard }
    }

    /// An addon package for amd64, compressed, that takes about so many bytes.
    fn package(&self, bytes: u64) -> PathBuf {
        let offline = Offline {
            bundles: 8,
            images: 12,
            bytes,
            ..Offline::new(Kind::Addon)
        };
        fs::create_dir_all(self.yard.path("packages")).unwrap();
        offline.pair(&self.yard.path("packages")).unwrap().0.path
    }

    /// A configuration of `sync` to `registry`, and charts to `repo` (in YAML's braces).
    fn configure(&self, registry: &str, repo: &str) {
        let text = format!(
            "source: {{intermediateBundlesPath: nowhere}}\n\
             target:\n  containerRegistry: {registry}\n  containerRepository: a/b\n  \
             repo: {{{repo}}}\n"
        );
        fs::write(self.yard.path("load-image.yaml"), text).unwrap();
    }

    /// Runs with a work folder of so many bytes.
    fn run(&self, words: &[&str], small: u64) -> Ran {
        let fusion = self.yard.fusion(&[]);
        let folder = self.yard.path("small");
        let mut command = Command::new("unshare");
        command
            .args(["--user", "--map-root-user", "--mount", "sh", "-c", SCRIPT])
            .args([Path::new("sh"), &folder])
            .arg(small.to_string())
            .arg(fusion.get_program())
            .args(words)
            .args(["--json", "--work-dir", "small"])
            .current_dir(self.yard.path("."))
            .env("HOME", self.yard.path("."));
        let out = command.output().unwrap();
        Ran {
            status: out.status.code(),
            report: serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        }
    }
}

impl Ran {
    fn ends(self, status: i32) -> Self {
        assert_eq!(
            self.status,
            Some(status),
            "{}{}",
            self.stderr,
            self.report["error"]
        );
        self
    }

    /// What the error says, with its hint.
    fn said(&self) -> String {
        let part = |name: &str| self.report["error"][name].as_str().unwrap_or_default();
        format!("{}: {}\n{}", part("kind"), part("message"), part("hint"))
    }

    /// What the warnings about space say.
    fn estimates(&self) -> Vec<&str> {
        let warnings = self.report["warnings"].as_array().unwrap().iter();
        let ours = warnings.filter(|warning| warning["code"] == "space-estimate");
        ours.map(|warning| warning["message"].as_str().unwrap())
            .collect()
    }
}

/// Insists that `text` has every part.
fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in {text}");
    }
}

const SMALL: u64 = 1 << 20;

/// How messages spell the room of such a folder, but for what the folder itself takes of it.
const FREE: &str = "1.0 MB (10";

#[test]
fn what_is_spooled_whole_and_does_not_fit_is_told_with_all_that_stands_in_the_way() {
    let (registry, site) = (DockerRegistry::open(), Site::new());
    let package = site.package(5 << 20);
    let package = package.to_str().unwrap();
    let size = fs::metadata(package).unwrap().len();
    let exact = format!("({size} bytes) are needed there for compressed sources");
    let choice = ["--source", package, "--chart", "nginx"];
    let words = |more: &[&'static str]| -> Vec<&str> {
        [&["sync", "-c", "load-image.yaml"], &choice[..], more].concat()
    };
    // Two places that cannot be reached, and a folder that is too small.
    site.configure(
        "127.0.0.1:1",
        "kind: CHARTMUSEUM, url: 'http://127.0.0.1:1'",
    );
    for more in [&[][..], &["--dry-run"]] {
        let ran = site.run(&words(more), SMALL).ends(6);
        let said = ran.said();
        has(
            &said,
            &["unreachable: 3 things stand in the way", "(3) `small`"],
        );
        has(&said, &[&exact, FREE, "are free", "`--work-dir`"]);
    }
    // By itself it is what it is.
    site.configure(registry.host(), "kind: LOCAL, path: out");
    for more in [&[][..], &["--dry-run"]] {
        let ran = site.run(&words(more), SMALL).ends(8);
        let error = &ran.report["error"];
        assert_eq!(
            (&error["kind"], &error["path"]),
            (&"no-space".into(), &"small".into())
        );
        has(&ran.said(), &[&exact, FREE, "are free", "`--work-dir`"]);
        assert_eq!(ran.report["bytes"]["read"], 0, "nothing was read");
    }
    // A push that compresses anew spools all of it too.
    let to = format!("{}/p", registry.host());
    for more in [&[][..], &["--dry-run"]] {
        let push = ["push", package, "--to", &to, "--compression", "zstd"];
        let ran = site.run(&[&push, more].concat(), SMALL).ends(8);
        has(
            &ran.said(),
            &["no-space", "`small`", &exact, FREE, "`--work-dir`"],
        );
    }
    let push = [
        "push",
        package,
        "--to",
        "127.0.0.1:1/p",
        "--compression=zstd",
    ];
    let ran = site.run(&push, SMALL).ends(6);
    has(&ran.said(), &["2 things stand in the way", &exact, FREE]);
    assert!(registry.uploads().blobs.is_empty());
    assert!(!site.yard.path("out").exists());
    // With room for it the same goes through.
    site.run(&words(&[]), 64 << 20).ends(0);
}

#[test]
fn what_passes_may_fit_and_is_only_warned_of() {
    let (registry, site) = (DockerRegistry::open(), Site::new());
    site.configure(registry.host(), "kind: LOCAL, path: out");
    let package = site.package(5 << 20);
    let size = fs::metadata(&package).unwrap().len();
    let folder = package.parent().unwrap().join("folder");
    fs::create_dir(&folder).unwrap();
    fs::hard_link(&package, folder.join("package.tar.gz")).unwrap();
    let (package, folder) = (package.to_str().unwrap(), folder.to_str().unwrap());
    let to = format!("{}/p", registry.host());
    let room = 3 << 20;
    assert!(size > room, "{size}");
    for words in [
        &[
            "sync",
            "-c",
            "load-image.yaml",
            "--source",
            package,
            "--dry-run",
        ][..],
        &["sync", "-c", "load-image.yaml", "--source", package],
        &["push", package, "--to", &to, "--dry-run"],
        &["push", package, "--to", &to],
        &["push", folder, "--to", &to, "--dry-run"],
    ] {
        let ran = site.run(words, room).ends(0);
        let estimates = ran.estimates();
        assert_eq!(estimates.len(), 1, "{words:?}");
        let exact = format!("({size} bytes) may be needed");
        has(
            estimates[0],
            &["`small`", "3.1 MB (31", "are free", &exact, "`--work-dir`"],
        );
        let ran = site.run(words, 64 << 20).ends(0);
        assert!(ran.estimates().is_empty(), "{words:?}");
    }
}

/// A compressed package of one archive with this layer.
fn large(site: &Site, layer: Layer) -> PathBuf {
    let image = Image::new(
        Some("docker.io/acme/large:1"),
        &amd64(),
        vec![layer],
        &Process::new(&[]),
    );
    let path = site.yard.path("large.tar.gz");
    (Package::new().with("images.tar", Archive::new(Flavour::Skopeo, vec![image])))
        .write(&path, &Wrap::Squeezed(Squeeze::gzip()))
        .unwrap();
    path
}

#[test]
fn a_push_that_runs_out_of_room_names_the_folder_and_sends_no_tag() {
    let (registry, site) = (DockerRegistry::open(), Site::new());
    let to = format!("{}/p", registry.host());
    // Next to nothing when compressed: nobody could have told.
    let package = large(&site, Layer::memory(vec![0; 16 << 20]));
    let package = package.to_str().unwrap();
    for more in [&[][..], &["--compression", "gzip"]] {
        let push = ["push", package, "--to", &to];
        let ran = site.run(&[&push, more].concat(), 8 << 20).ends(8);
        assert!(ran.estimates().is_empty());
        // After two megabytes of the layer, while there still was room.
        let parts = ["no-space", "14.", "are needed in", "6.", "are free"];
        has(&ran.said(), &parts);
        has(&ran.said(), &["`small`", "`--work-dir`"]);
        assert!(!ran.said().contains("destination"), "{}", ran.said());
    }
    // A folder that is full before it begins.
    let ran = site.run(&["push", package, "--to", &to], 4096).ends(8);
    has(&ran.said(), &["no-space", "`small`", "`--work-dir`"]);
    assert!(there(registry.host(), "p/acme/large", "1").is_none());
    let room = site.run(&["push", package, "--to", &to], 32 << 20).ends(0);
    assert!(room.report["bytes"]["uploaded"].as_u64().unwrap() > 0);
}
