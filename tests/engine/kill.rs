//! Killed at any moment, a run leaves the old destination or the complete new one, and the next
//! run ends as if nothing had happened. Each case is killed a few times at random moments, and a few
//! times as soon as something changes where it will be seen: 50 times in all.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::time::{Duration, Instant};

use fusion_fixtures::{Flavour, LayerForm, Outer, Platform};

use super::scene::{self, Scene};

const REFERENCES: [&str; 3] = [
    "docker.io/library/web:1.5",
    "ghcr.io/acme/api:2.0",
    "quay.io/acme/db:16",
];

#[test]
fn new_layout() {
    Case {
        dest: "out",
        words: &["--format", "oci"],
        ..Case::default()
    }
    .kill(4, 0, 2);
}

#[test]
fn layout_in_an_empty_folder() {
    Case {
        dest: "out",
        before: Before::EmptyFolder,
        words: &["--durability", "rename"],
        ..Case::default()
    }
    .kill(0, 2, 1);
}

#[test]
fn merged_layout() {
    Case {
        dest: "out",
        before: Before::OlderBuilds,
        words: &["--on-existing", "merge"],
        ..Case::default()
    }
    // Once more: what a layout had and has no longer goes after the publication.
    .kill(3, 2, 3);
}

#[test]
fn replaced_layout() {
    Case {
        dest: "out",
        before: Before::OlderBuilds,
        words: &["--on-existing", "replace", "--durability", "rename"],
        ..Case::default()
    }
    .kill(3, 2, 2);
}

#[test]
fn new_archive() {
    Case::default().kill(4, 0, 2);
}

#[test]
fn merged_archive() {
    Case {
        before: Before::OlderBuilds,
        words: &["--on-existing", "merge"],
        ..Case::default()
    }
    .kill(4, 0, 2);
}

#[test]
fn replaced_archive() {
    Case {
        before: Before::OlderBuilds,
        words: &["--on-existing", "replace", "--durability", "rename"],
        ..Case::default()
    }
    .kill(4, 0, 1);
}

#[test]
fn layout_of_a_compressed_source() {
    Case {
        dest: "out",
        outer: Outer::Gzip,
        words: &["--format", "oci"],
        ..Case::default()
    }
    .kill(4, 0, 1);
}

#[test]
fn archive_of_a_compressed_source() {
    Case {
        outer: Outer::Gzip,
        words: &["--work-dir", "work"],
        ..Case::default()
    }
    .kill(4, 0, 0);
}

/// A run to be killed.
struct Case {
    dest: &'static str,
    before: Before,
    /// How one of the sources is compressed.
    outer: Outer,
    words: &'static [&'static str],
}

impl Default for Case {
    fn default() -> Self {
        Self {
            dest: "out.tar",
            before: Before::Nothing,
            outer: Outer::None,
            words: &[],
        }
    }
}

/// What is at the destination before the run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    EmptyFolder,
    OlderBuilds,
}

/// When a run is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So long after it began.
    After(Duration),
    /// As soon as the first blob has its place in a layout that exists.
    Moved,
    /// As soon as its result can be seen.
    Seen,
}

impl Case {
    fn kill(self, random: u32, moved: u32, seen: u32) {
        let stage = Stage::set(self);
        let seed = seed(stage.case.dest, stage.case.words);
        let mut numbers = Numbers(seed);
        for turn in 0..random {
            // One in each stretch of the run, the last one around its end.
            let part = (f64::from(turn) + numbers.fraction()) / f64::from(random);
            stage.turn(Moment::After(stage.duration.mul_f64(part)), seed);
        }
        for _ in 0..moved {
            stage.turn(Moment::Moved, seed);
        }
        for _ in 0..seen {
            stage.turn(Moment::Seen, seed);
        }
    }
}

/// A case with its sources, and what an undisturbed run makes of them.
struct Stage {
    case: Case,
    scene: Scene,
    /// What was there before, if anything.
    old: Option<String>,
    /// What is there after an undisturbed run, and what of it is published.
    new: String,
    new_published: String,
    duration: Duration,
    entries: BTreeSet<String>,
}

impl Stage {
    fn set(case: Case) -> Self {
        let scene = Scene::new();
        let amd64 = scene::images(&REFERENCES, &Platform::amd64(), 1, 3, 2 << 20);
        let arm64 = scene::images(&REFERENCES, &Platform::arm64(), 1, 3, 2 << 20);
        scene::compressed(
            Flavour::DockerLegacy,
            case.outer,
            &amd64,
            &scene.path("amd64"),
        );
        let arm64_path = scene.path("arm64");
        scene::source(Flavour::OciArchive, LayerForm::Raw, &arm64, &arm64_path);
        if case.before == Before::OlderBuilds {
            // Older builds with many layers, all of which have to go, and an image that stays.
            let older = [REFERENCES[0], REFERENCES[1], "docker.io/acme/other:1"];
            let older = scene::images(&older, &Platform::amd64(), 2, 100, 512);
            scene::source(
                Flavour::Skopeo,
                LayerForm::Raw,
                &older,
                &scene.path("older"),
            );
            let format = if case.dest == "out" {
                "oci"
            } else {
                "oci-archive"
            };
            scene.run(&["fuse", "older", "-o", "before", "--format", format]);
        }
        let mut stage = Self {
            case,
            scene,
            old: None,
            new: String::new(),
            new_published: String::new(),
            duration: Duration::ZERO,
            entries: BTreeSet::new(),
        };
        stage.restore();
        let dest = stage.dest();
        stage.old = dest.exists().then(|| state(&dest));
        let begun = Instant::now();
        let words = stage.words(None);
        stage.scene.run(&words);
        stage.duration = begun.elapsed();
        stage.new = scene::fingerprint(&dest);
        stage.new_published = state(&dest);
        stage.entries = stage.scene.entries();
        stage
    }

    fn dest(&self) -> PathBuf {
        self.scene.path(self.case.dest)
    }

    /// The command line; with another policy for existing destinations, if one is given.
    fn words(&self, policy: Option<&'static str>) -> Vec<&str> {
        let mut words = vec!["fuse", "amd64", "arm64", "-o", self.case.dest];
        words.extend(self.case.words);
        if let Some(policy) = policy {
            words.extend(["--on-existing", policy]);
        }
        words
    }

    /// Puts the old state back.
    fn restore(&self) {
        scene::remove(&self.dest());
        match self.case.before {
            Before::Nothing => {}
            Before::EmptyFolder => fs::create_dir(self.dest()).unwrap(),
            Before::OlderBuilds => scene::copy(&self.scene.path("before"), &self.dest()),
        }
    }

    /// Kills a run, looks at what it left, and runs again.
    fn turn(&self, moment: Moment, seed: u64) {
        let moment = self.killed_at(moment);
        let dest = self.dest();
        let about = format!(
            "{} {:?}, killed {moment:?}, seed {seed}",
            self.case.dest, self.case.words
        );

        let left = dest.exists().then(|| state(&dest));
        let is_new = left.as_deref() == Some(&self.new_published);
        assert!(
            is_new || left == self.old,
            "{about}: neither old nor new:\n{}",
            left.unwrap_or_default()
        );
        if left.as_deref().is_some_and(|left| !left.is_empty()) {
            self.scene.run(&["verify", self.case.dest]);
        }

        // A new destination that was published exists now.
        let policy = (is_new && self.case.before != Before::OlderBuilds).then_some("merge");
        self.scene.run(&self.words(policy));
        assert_eq!(self.scene.entries(), self.entries, "{about}: residue");
        if scene::fingerprint(&dest) != self.new {
            let found = if dest.is_dir() {
                scene::listing(&dest)
            } else {
                String::new()
            };
            panic!(
                "{about}: not what an undisturbed run makes; it was {}\nfound:\n{found}\nexpected:\n{}",
                if is_new { "published" } else { "not published" },
                self.new_published
            );
        }
    }

    /// Begins runs until one is killed before its end; says at which moment.
    fn killed_at(&self, mut moment: Moment) -> Moment {
        for attempt in 0..50 {
            self.restore();
            let dest = self.dest();
            let before = times(&dest);
            let mut child = self.scene.fusion(&self.words(None)).spawn().unwrap();
            match moment {
                Moment::After(delay) => std::thread::sleep(delay),
                Moment::Moved => wait(&mut child, || times(&dest) != before),
                Moment::Seen => wait(&mut child, || times(&dest).0 != before.0),
            }
            if killed(&mut child).signal() == Some(9) {
                return moment;
            }
            // It was faster this time.
            match &mut moment {
                Moment::After(delay) => *delay = delay.mul_f64(0.9),
                _ if attempt == 9 => moment = Moment::After(self.duration),
                _ => {}
            }
        }
        panic!("no run lives long enough to be killed {moment:?}");
    }
}

fn killed(child: &mut Child) -> ExitStatus {
    child.kill().unwrap();
    child.wait().unwrap()
}

/// Waits until something has happened, or the run is over.
fn wait(child: &mut Child, happened: impl Fn() -> bool) {
    while !happened() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_micros(20));
    }
}

/// Seconds and nanoseconds.
type Time = (i64, i64);

/// When `dest` was published, and when a blob of it last came or went.
fn times(dest: &Path) -> (Option<Time>, Option<Time>) {
    let changed = |path: &Path| {
        let found = path.symlink_metadata().ok()?;
        Some((found.ctime(), found.ctime_nsec()))
    };
    if dest.is_dir() {
        let blobs = dest.join("blobs/sha256");
        (changed(&dest.join("index.json")), changed(&blobs))
    } else {
        (changed(dest), None)
    }
}

/// What is published at `dest`.
fn state(dest: &Path) -> String {
    if dest.is_dir() {
        scene::published(dest)
    } else {
        scene::sha256(dest)
    }
}

/// `FUSION_KILL_SEED`, or one for each case.
pub(super) fn seed(dest: &str, words: &[&str]) -> u64 {
    if let Ok(seed) = std::env::var("FUSION_KILL_SEED") {
        return seed.parse().unwrap();
    }
    let text = format!("{dest} {}", words.join(" "));
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Random numbers that a seed determines (splitmix64).
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn fraction(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
