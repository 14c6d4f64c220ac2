//! Checksum files, beside a package and in it, are checked in the same pass.

use std::fs;
use std::path::{Path, PathBuf};

use fusion_core::ErrorKind;
use fusion_fixtures::package::{Item, Kind, Offline, Package, sha512};
use fusion_fixtures::{Platform, Squeeze};

use super::super::scene::remove;
use super::super::support::{Scene, fused, fusion, try_fuse};
use super::plain::Tree;
use super::{Pair, offline};

/// Insists that `fuse` with these options refuses `source` because of a checksum in the file
/// called `by`.
fn refused(scene: &Scene, source: &Path, chosen: &[(&str, &str)], by: &str) {
    let failure = try_fuse(&[source], &scene.out("out.tar"), chosen).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::DigestMismatch);
    let said = failure.error.to_string();
    assert!(said.contains(by), "no {by} in {said}");
    assert!(scene.published().is_empty());
}

/// Insists that a verb finds it.
fn found(verb: &str, source: &Path) {
    let ran = fusion([verb, "--json"]).arg(source).run().ends(4);
    let report = ran.json();
    let code = match verb {
        "verify" => &report["findings"][0]["code"],
        _ => &report["error"]["kind"],
    };
    assert_eq!(code, "digest-mismatch", "{ran}");
}

/// Makes a wrong checksum of a right one.
fn spoil(checksum: &Path) {
    let text = fs::read_to_string(checksum).unwrap();
    let other = if text.starts_with('0') { "1" } else { "0" };
    fs::write(checksum, format!("{other}{}", &text[1..])).unwrap();
}

#[test]
fn a_checksum_beside_a_package_has_to_be_right() {
    for kind in [Kind::Module, Kind::Addon] {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let (source, checksum) = (&pair.amd64.path, pair.amd64.checksum.as_ref().unwrap());
        fused(&[source], &scene.out("out.tar"), &[]);
        remove(&scene.out("out.tar"));
        spoil(checksum);
        let by = checksum.file_name().unwrap().to_str().unwrap();
        refused(&scene, source, &[], by);
        found("verify", source);
        if kind == Kind::Addon {
            // It is read from start to end anyway.
            found("inspect", source);
        }
    }
}

/// An addon package in which a file was changed after its checksum was made.
fn changed(scene: &Scene, wrap: &fusion_fixtures::package::Wrap, name: &str) -> PathBuf {
    let mut package = Offline::new(Kind::Addon)
        .package(&Platform::amd64())
        .unwrap();
    for (path, item) in &mut package.members {
        if path.ends_with("/charts-syncer") {
            *item = Item::Program("another build\n".into());
        }
    }
    let path = scene.source(name);
    package.write(&path, wrap).unwrap();
    path
}

#[test]
fn a_checksum_in_a_package_has_to_be_right() {
    use fusion_fixtures::package::Wrap;
    for (name, wrap) in [
        ("addon.tar", Wrap::Tar),
        ("addon.tar.gz", Wrap::Squeezed(Squeeze::gzip())),
        ("addon", Wrap::Directory),
    ] {
        let scene = Scene::new();
        let source = changed(&scene, &wrap, name);
        refused(&scene, &source, &[], "charts-syncer.sha512sum");
        if name != "addon.tar.gz" {
            found("verify", &source);
        }
    }
}

#[test]
fn what_was_fused_passes_the_checks_again() {
    let scene = Scene::new();
    // Each architecture has its own tools and its own checksums, spelled in every usual way.
    let sources = super::platforms().map(|platform| {
        let mut package = offline(Kind::Addon, 1, 100_000).package(&platform).unwrap();
        add_tools(&mut package, &platform);
        let path = scene.source(&format!("{}.tar.gz", platform.architecture));
        package.write(&path, &Kind::Addon.usual_wrap()).unwrap();
        path
    });
    let out = scene.out("addon.tar");
    fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    let beside = tree
        .names()
        .into_iter()
        .filter(|name| name.contains("linux-arm64"));
    assert_eq!(beside.count(), 2 + 5, "{:?}", tree.names());
    fused(&[&out], &scene.out("again.tar"), &[]);
    for verb in ["verify", "inspect"] {
        fusion([verb, "--json"]).arg(&out).run().ends(0);
    }
}

fn add_tools(package: &mut Package, platform: &Platform) {
    let root = format!(
        "addon-offline-full-package-v0.12.0-{}/tools",
        platform.architecture
    );
    let content = format!("a tool for {platform}\n");
    let sum = format!("{}  tool\n", sha512(content.as_bytes()).unwrap());
    package.put(
        format!("{root}/tool"),
        Item::Program(content.as_str().into()),
    );
    for name in [
        "tool.sha512",
        "tool.sha512sum",
        "SHA512SUMS",
        "sha512sum.txt",
    ] {
        package.put(format!("{root}/{name}"), sum.as_str());
    }
}
