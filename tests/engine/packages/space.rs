//! A disk that is too small for a package: the error says so, nothing is published, and with more
//! space the next run goes on.

use std::fs;
use std::path::Path;

use fusion_fixtures::package::{Kind, Offline};
use serde_json::Value;

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
