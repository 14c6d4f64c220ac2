//! Killed at any moment while packages are fused, a run leaves nothing that can be seen, and the
//! next one goes on with the blobs that were spooled.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use fusion_fixtures::package::{Kind, Offline};
use serde_json::Value;

use super::super::kill::{Numbers, seed};
use super::super::scene::{self, Scene};

/// What a run is told besides its sources and where the result goes.
const OPTIONS: [&str; 3] = ["--json", "--durability", "rename"];

#[test]
fn fusing_packages_into_a_layout() {
    kill("layout", &["--format", "oci"], 20);
}

#[test]
fn fusing_packages_into_an_archive() {
    kill("images.tar", &["--format", "oci-archive"], 15);
}

#[test]
fn fusing_packages_into_a_package() {
    kill("addon.tar.gz", &[], 15);
}

#[test]
fn an_abandoned_spool_is_left_to_its_own_run() {
    for (work, words) in [
        ("", &["--format", "oci-archive"][..]),
        ("tmp", &["--format", "oci-archive", "--work-dir", "tmp"]),
    ] {
        let stage = Stage::set("images.tar", words);
        let left = stage.abandon(work);
        // Another destination is another run's.
        let mut other = stage.words.clone();
        let dest = other.iter_mut().find(|word| **word == "images.tar");
        *dest.unwrap() = "other.tar";
        let output = stage.scene.run(&other);
        assert_eq!(
            reused(&output.stdout),
            0,
            "{words:?}: somebody else's blobs"
        );
        assert_eq!(
            spooled(&stage.scene.path(work)).layers,
            left.layers,
            "{words:?}"
        );
        scene::remove(&stage.scene.path("other.tar"));

        let clean = [&stage.words[..], &["--clean"]].concat();
        let output = stage.scene.run(&clean);
        assert_eq!(reused(&output.stdout), 0, "{words:?}: cleaned away");
        assert_eq!(scene::sha256(&stage.path()), stage.expected);
        assert_eq!(stage.scene.entries(), stage.entries, "{words:?}: residue");
    }
}

fn reused(report: &[u8]) -> u64 {
    let report: Value = serde_json::from_slice(report).unwrap();
    report["blobs"]["reused"].as_u64().unwrap()
}

/// Kills so many runs, one in each stretch of the time that a run takes.
fn kill(dest: &'static str, words: &'static [&'static str], times: u32) {
    let stage = Stage::set(dest, words);
    let mut adopted = 0;
    let mut numbers = Numbers(seed(dest, words));
    for turn in 0..times {
        let part = (f64::from(turn) + numbers.fraction()) / f64::from(times);
        adopted += stage.turn(stage.duration.mul_f64(part));
    }
    assert!(adopted > 0, "no run found a spool to go on with");
}

struct Stage {
    scene: Scene,
    dest: &'static str,
    words: Vec<&'static str>,
    /// What an undisturbed run makes, and how long it takes.
    expected: String,
    duration: Duration,
    entries: BTreeSet<String>,
}

impl Stage {
    fn set(dest: &'static str, words: &'static [&'static str]) -> Self {
        let scene = Scene::new();
        let offline = Offline {
            bytes: 16 << 20,
            bundles: 4,
            gzip_level: 0,
            ..Offline::new(Kind::Addon)
        };
        offline.pair(&scene.path("work")).unwrap();
        let mut all = vec![
            "fuse",
            "work/addon-offline-full-package-v0.12.0-amd64.tar.gz",
            "work/addon-offline-full-package-v0.12.0-arm64.tar.gz",
            "-o",
            dest,
        ];
        all.extend(words);
        all.extend(OPTIONS);
        let begun = Instant::now();
        scene.run(&all);
        let duration = begun.elapsed();
        let expected = scene::fingerprint(&scene.path(dest));
        let entries = scene.entries();
        Self {
            scene,
            dest,
            words: all,
            expected,
            duration,
            entries,
        }
    }

    fn path(&self) -> PathBuf {
        self.scene.path(self.dest)
    }

    /// Kills runs until one leaves layers in its spool, somewhere below `work`.
    fn abandon(&self, work: &str) -> Left {
        for part in 3..30 {
            scene::remove(&self.path());
            let mut child = self.scene.fusion(&self.words).spawn().unwrap();
            std::thread::sleep(self.duration.mul_f64(f64::from(part) / 30.0));
            child.kill().unwrap();
            child.wait().unwrap();
            let left = spooled(&self.scene.path(work));
            if left.layers > 0 && !self.path().exists() {
                return left;
            }
        }
        panic!("no run leaves anything");
    }

    /// Kills a run after this long, and runs again; whether that found blobs to go on with.
    fn turn(&self, mut delay: Duration) -> u32 {
        loop {
            scene::remove(&self.path());
            let mut child = self.scene.fusion(&self.words).spawn().unwrap();
            std::thread::sleep(delay);
            child.kill().unwrap();
            if child.wait().unwrap().code().is_none() {
                break;
            }
            // It was faster this time.
            delay = delay.mul_f64(0.8);
        }
        let about = format!("{} killed after {delay:?}", self.dest);
        if self.path().exists() {
            // As late as that: it had been published.
            assert_eq!(scene::fingerprint(&self.path()), self.expected, "{about}");
            scene::remove(&self.path());
        }
        let left = spooled(&self.scene.path(&format!(".{}.fusion-partial", self.dest)));

        let output = self.scene.run(&self.words);
        assert_eq!(scene::fingerprint(&self.path()), self.expected, "{about}");
        assert_eq!(self.scene.entries(), self.entries, "{about}: residue");
        let reused = reused(&output.stdout);
        // Small files may be made anew; layers go by their digests, and are known before they are
        // read.
        assert!(
            left.layers == 0 || reused > 0,
            "{about}: {left:?}, none reused"
        );
        assert!(reused <= left.blobs, "{about}: {left:?}, {reused} reused");
        u32::from(reused > 0)
    }
}

/// What a killed run left in its spool.
#[derive(Debug, Default)]
struct Left {
    blobs: u64,
    /// The large ones of them.
    layers: u64,
}

fn spooled(partial: &Path) -> Left {
    let (mut left, mut folders) = (Left::default(), vec![partial.to_owned()]);
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(folder) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let hex = (entry.file_name().to_str()).is_some_and(|name| name.len() == 64);
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if hex {
                left.blobs += 1;
                left.layers += u64::from(entry.metadata().unwrap().len() > 1 << 20);
            }
        }
    }
    left
}
