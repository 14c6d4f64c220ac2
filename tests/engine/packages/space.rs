//! A disk that is too small for a package: the error says so, nothing is published, and with more
//! space the next run goes on.

use std::fs;
use std::path::Path;

use fusion_fixtures::package::{Archive, Kind, Offline, Package, Wrap};
use fusion_fixtures::{Flavour, Image, Layer, Platform, Process, Squeeze};
use serde_json::Value;

use super::super::kill::{Numbers, seed};
use super::super::scene::{fingerprint, remove};
use super::super::support::{FUSION, Scene, command, fused};
use super::Pair;

/// A file system in memory of `$2` bytes where the first run goes, then of `$3`.
const SCRIPT: &str = r#"
    out=$1 small=$2 large=$3 notes=$4; shift 4
    mount -t tmpfs -o size="$small" tmpfs "$out" || exit 99
    "$@" > "$notes/first.json" 2> "$notes/first.err"; echo $? > "$notes/first.status"
    ls -A "$out" > "$notes/left"
    mount -o remount,size="$large" "$out" || exit 99
    "$@" > "$notes/second.json" 2> "$notes/second.err"; status=$?
    ls -A "$out" > "$notes/after"
    cp -r "$out" "$notes/copy"
    exit $status"#;

/// What the two runs came to.
struct Runs {
    first: Value,
    /// What the first left.
    left: String,
    second: Value,
}

/// Runs twice into `dest` on a disk of `small` bytes, then of plenty; the result has to be
/// `expected`.
fn runs(scene: &Scene, sources: &[&Path], dest: &str, small: u64, expected: &str) -> Runs {
    let notes = scene.path().join("notes");
    remove(&notes);
    fs::create_dir(&notes).unwrap();
    let out = scene.path().join("out");
    let about = format!("{dest} on {small} bytes");
    let unshare = ["--user", "--map-root-user", "--mount", "sh", "-c"];
    let ran = command("unshare", unshare)
        .arg(SCRIPT)
        .arg("sh")
        .arg(&out)
        .arg(small.to_string())
        .arg((1_u64 << 30).to_string())
        .arg(&notes)
        .arg(FUSION)
        .with(|command| {
            let format = if dest == "layout" { "oci" } else { "package" };
            command.args(["fuse", "--json", "--format", format, "-o"]);
            command.arg(out.join(dest)).args(sources);
        })
        .run();
    let note = |name: &str| fs::read_to_string(notes.join(name)).unwrap_or_default();
    assert_eq!(ran.status, Some(0), "{about}: {ran}{}", note("second.err"));
    assert_eq!(
        note("first.status").trim(),
        "8",
        "{about}: {}",
        note("first.err")
    );
    assert_eq!(note("after").trim(), dest, "{about}: residue");
    assert_eq!(
        fingerprint(&notes.join("copy").join(dest)),
        expected,
        "{about}"
    );
    let json = |name: &str| serde_json::from_str(&note(name)).unwrap();
    Runs {
        first: json("first.json"),
        left: note("left"),
        second: json("second.json"),
    }
}

/// What a run on an ample disk makes.
fn ample(scene: &Scene, sources: &[&Path], dest: &str) -> String {
    let out = scene.path().join("ample").join(dest);
    fs::create_dir_all(out.parent().unwrap()).unwrap();
    let format = if dest == "layout" { "oci" } else { "package" };
    fused(sources, &out, &[("format", format)]);
    fingerprint(&out)
}

#[test]
fn a_disk_that_fills_up_is_said_and_more_space_helps() {
    let scene = Scene::new();
    // Raw layers in a compressed archive: what it takes shows only in the end.
    let offline = Offline {
        bytes: 24 << 20,
        ..Offline::new(Kind::Rke2)
    };
    let pair = Pair::of(&scene, &offline);
    let sources = pair.sources();
    let compressed: u64 = sources
        .iter()
        .map(|path| path.metadata().unwrap().len())
        .sum();
    for dest in ["layout", "images.tar.gz"] {
        let expected = ample(&scene, &sources, dest);
        // Too little for what the files have, which is seen before anything is read; enough for
        // that, and too little for what they inflate to.
        for small in [
            compressed / 2,
            compressed + (1 << 20),
            compressed + (2 << 20),
            compressed + (3 << 20),
            compressed + (4 << 20),
        ] {
            let runs = runs(&scene, &sources, dest, small, &expected);
            let error = &runs.first["error"];
            assert_eq!(error["kind"], "no-space", "{dest} {small}: {error}");
            assert_ne!(error["hint"], Value::Null, "{error}");
            assert_eq!(runs.left, "", "{dest} {small}: left behind");
            assert_eq!(runs.second["blobs"]["reused"], 0, "nothing was kept");
        }
    }
}

#[test]
fn what_was_spooled_is_used_again() {
    let scene = Scene::new();
    let offline = Offline {
        bytes: 100 << 20,
        gzip_level: 0,
        ..Offline::new(Kind::Addon)
    };
    let pair = Pair::of(&scene, &offline);
    let sources = pair.sources();
    let expected = ample(&scene, &sources, "layout");
    // More than what is worth keeping.
    let runs = runs(&scene, &sources, "layout", 90 << 20, &expected);
    let error = &runs.first["error"];
    assert_eq!(error["kind"], "no-space", "{error}");
    assert!(
        error["hint"].as_str().unwrap().contains("--clean"),
        "{error}"
    );
    assert_eq!(
        runs.left.trim(),
        ".layout.fusion-partial",
        "the spool, nothing published"
    );
    let reused = runs.second["blobs"]["reused"].as_u64().unwrap();
    assert!(reused > 0, "{}", runs.second["blobs"]);
}

#[test]
fn room_for_the_result_is_asked_for_while_packages_are_read() {
    let scene = Scene::new();
    let offline = Offline {
        bytes: 60 << 20,
        gzip_level: 0,
        ..Offline::new(Kind::Addon)
    };
    let pair = Pair::of(&scene, &offline);
    let sources = pair.sources();
    let expected = ample(&scene, &sources, "addon.tar");
    let total = (scene.path().join("ample/addon.tar").metadata())
        .unwrap()
        .len();
    // All of it could be spooled, and not much of the result be written.
    let compressed: u64 = (sources.iter().map(|path| path.metadata().unwrap().len())).sum();
    let runs = runs(
        &scene,
        &sources,
        "addon.tar",
        compressed + (4 << 20),
        &expected,
    );
    let error = &runs.first["error"];
    let said = error["message"].as_str().unwrap();
    assert_eq!(error["kind"], "no-space", "{error}");
    let needed = said.split_once(" bytes) are needed in ");
    let needed = needed.unwrap_or_else(|| panic!("no numbers: {error}")).0;
    let needed: u64 = needed.rsplit('(').next().unwrap().parse().unwrap();
    // By what was read so far: before half of it had been spooled in vain.
    assert!(needed < total * 3 / 4, "{needed} of {total}: {said}");
}

#[test]
fn a_layer_that_does_not_fit_is_refused_while_there_is_room_left() {
    let scene = Scene::new();
    // Its length is known as soon as it comes, and only then: compressed it is next to nothing.
    let layer = Layer::memory(vec![0; 16 << 20]);
    let name = Some("docker.io/acme/large:1");
    let image = Image::new(name, &Platform::amd64(), vec![layer], &Process::new(&[]));
    let source = scene.source("large.tar.gz");
    let large = Archive::new(Flavour::Skopeo, vec![image]);
    (Package::new().with("images.tar", large))
        .write(&source, &Wrap::Squeezed(Squeeze::gzip()))
        .unwrap();
    let expected = ample(&scene, &[&source], "layout");
    let runs = runs(&scene, &[&source], "layout", 8 << 20, &expected);
    let error = &runs.first["error"];
    let said = error["message"].as_str().unwrap();
    assert_eq!(error["kind"], "no-space", "{error}");
    // After two megabytes of it.
    for part in ["14.", " MB (", "are needed in", "6.", "are free"] {
        assert!(said.contains(part), "no `{part}` in {said}");
    }
    assert_eq!(runs.left, "");
}

/// Fills the disk at so many points, anywhere below what a run takes.
fn fill_up(kind: Kind, bytes: u64, dest: &'static str, turns: u32) {
    let scene = Scene::new();
    let offline = Offline {
        bytes,
        gzip_level: 0,
        ..Offline::new(kind)
    };
    let pair = Pair::of(&scene, &offline);
    let sources = pair.sources();
    let expected = ample(&scene, &sources, dest);
    let result = scene.path().join("ample").join(dest);
    // A layout is its own spool; beside a file there is one.
    let images = scene.path().join("ample/blobs");
    fused(&sources, &images, &[("format", "oci")]);
    let whole = match result.is_dir() {
        true => super::frugal::taken(&result),
        false => super::frugal::taken(&images) + super::frugal::taken(&result),
    };
    let mut numbers = Numbers(seed(dest, &[]));
    for turn in 0..turns {
        let part = (f64::from(turn) + numbers.fraction()) / f64::from(turns);
        let small = (whole as f64 * part * 0.9) as u64 + (64 << 10);
        let runs = runs(&scene, &sources, dest, small, &expected);
        let error = &runs.first["error"];
        assert_eq!(error["kind"], "no-space", "{small} of {whole}: {error}");
        let reused = runs.second["blobs"]["reused"].as_u64().unwrap();
        match runs.left.as_str() {
            "" => assert_eq!(reused, 0, "{small} of {whole}"),
            _ => assert!(reused > 0, "{small} of {whole}: {}", runs.left),
        }
    }
}

#[test]
fn disks_that_fill_up_anywhere_below_a_layout() {
    fill_up(Kind::Addon, 4 << 20, "layout", 15);
}

#[test]
fn disks_that_fill_up_anywhere_below_a_package() {
    fill_up(Kind::Addon, 4 << 20, "addon.tar", 15);
}

#[test]
fn disks_that_fill_up_anywhere_below_a_compressed_package() {
    fill_up(Kind::KubeanRelease, 4 << 20, "kubean.tar.gz", 12);
}

#[test]
fn disks_that_fill_up_anywhere_below_what_is_worth_keeping() {
    fill_up(Kind::Addon, 100 << 20, "layout", 8);
}
