//! Images and packages that go by one name: the same twice is one, what differs is a conflict.

use std::path::{Path, PathBuf};

use fusion_core::ErrorKind;
use fusion_fixtures::bundle::Bundle;
use fusion_fixtures::package::{Archive, Kind, Package};
use fusion_fixtures::{Chart, Flavour, Image, Platform, synthetic};

use super::super::scene::sha256;
use super::super::support::{Scene, fused, try_fuse};
use super::plain::Tree;
use super::{Pair, platforms, warnings};

const HELPER: &str = "docker.io/acme/kubectl:1.28";

/// A build of the helper; another seed is another build.
fn helper(platform: &Platform, seed: u64) -> Image {
    synthetic::image(Some(HELPER), platform, seed, &[3000], 0).unwrap()
}

/// A package whose charts each have a build of the helper.
fn package(scene: &Scene, name: &str, platform: &Platform, builds: &[(&str, u64)]) -> PathBuf {
    let mut package = Package::new();
    for (chart, seed) in builds {
        let bundle = Bundle::new(
            Chart::new(chart, "1.0.0", &[HELPER]),
            vec![helper(platform, *seed)],
        );
        package.put(bundle.file_name(), bundle);
    }
    let path = scene.source(name);
    package.write(&path, &Kind::Addon.usual_wrap()).unwrap();
    path
}

/// The digest that the helper's name leads to in a chart's bundle.
fn root(tree: &Tree, chart: &str) -> String {
    let layout = tree.nested(&format!("{chart}_1.0.0.bundle.tar")).images();
    assert_eq!(
        layout.platforms(HELPER),
        ["linux/amd64", "linux/arm64"],
        "{chart}"
    );
    layout.root(HELPER)["digest"].to_string()
}

#[test]
fn builds_that_differ_between_charts_stay_with_their_charts() {
    let scene = Scene::new();
    let sources = platforms().map(|platform| {
        let name = format!("{}.tar.gz", platform.architecture);
        package(
            &scene,
            &name,
            &platform,
            &[("one", 1), ("two", 2), ("three", 1)],
        )
    });
    let out = scene.out("out.tar");
    fused(&sources, &out, &[]);
    let tree = Tree::open(&out);
    assert_eq!(root(&tree, "one"), root(&tree, "three"));
    assert_ne!(root(&tree, "one"), root(&tree, "two"));

    // Under one name in one layout there is room for one.
    let failure = try_fuse(&sources, &scene.out("layout"), &[("format", "oci")]).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    let said = failure.error.to_string();
    assert!(
        said.contains(HELPER) && said.contains("bundle.tar"),
        "{said}"
    );
    assert!(!scene.out("layout").exists());
    fused(
        &sources,
        &scene.out("layout"),
        &[("format", "oci"), ("on-conflict", "first")],
    );
}

#[test]
fn two_builds_of_a_chart_for_one_platform_are_a_conflict() {
    let scene = Scene::new();
    let [amd64, _] = platforms();
    let sources = [
        package(&scene, "january.tar.gz", &amd64, &[("one", 1)]),
        package(&scene, "february.tar.gz", &amd64, &[("one", 2)]),
    ];
    let out = scene.out("out.tar");
    let failure = try_fuse(&sources, &out, &[]).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Conflict);
    let said = failure.error.to_string();
    for part in [HELPER, "linux/amd64", "january.tar.gz", "february.tar.gz"] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    assert!(scene.published().is_empty());
    for (policy, seed) in [("first", 1), ("last", 2)] {
        fused(
            &sources,
            &out,
            &[("on-conflict", policy), ("on-existing", "replace")],
        );
        let bundle = Tree::open(&out).nested("one_1.0.0.bundle.tar");
        let layout = bundle.images();
        let manifest = layout.json(&layout.children(HELPER)[0]["digest"]);
        let config = helper(&amd64, seed).config_digest().to_string();
        assert_eq!(manifest["config"]["digest"], config, "{policy}");
    }
}

#[test]
fn a_package_named_twice_is_one() {
    for kind in Kind::ALL {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let [amd64, arm64] = pair.sources();
        let [once, twice] = ["once.tar", "twice.tar"].map(|name| scene.out(name));
        fused(&[amd64, arm64], &once, &[]);
        let again: [&Path; 4] = [amd64, arm64, amd64, arm64];
        let report = fused(&again, &twice, &[]);
        assert_eq!(sha256(&once), sha256(&twice), "{kind:?}");
        assert_eq!(report["status"], "ok");
        // A fused package is a source like any other, and adds nothing to its parts.
        for part in [amd64, arm64] {
            let report = fused(&[&once, part], &twice, &[("on-existing", "replace")]);
            assert_eq!(
                sha256(&once),
                sha256(&twice),
                "{kind:?} with {}",
                part.display()
            );
            assert_eq!(report["status"], "ok");
        }
    }
}

#[test]
fn a_file_that_stands_beside_another_is_not_overwritten() {
    let scene = Scene::new();
    let write = |name: &str, platform: &Platform, settings: &str| {
        let package = Package::new()
            .with(
                "images.tar",
                Archive::new(Flavour::Ggcr, vec![helper(platform, 1)]),
            )
            .with("settings.yaml", settings);
        let path = scene.source(name);
        package.write(&path, &Kind::Addon.usual_wrap()).unwrap();
        path
    };
    let [amd64, arm64] = platforms();
    let out = scene.out("out.tar");
    let sources = [
        write("amd64.tar.gz", &amd64, "one: 1\n"),
        write("arm64.tar.gz", &arm64, "two: 2\n"),
    ];
    fused(&sources, &out, &[]);
    // The next release of the second, into what is there.
    let newer = write("newer.tar.gz", &arm64, "three: 3\n");
    let report = fused(&[newer], &out, &[("on-existing", "merge")]);
    let tree = Tree::open(&out);
    let names: Vec<_> = (tree.names().into_iter())
        .filter(|name| name.starts_with("settings"))
        .collect();
    assert_eq!(names.len(), 3, "{names:?}");
    let mut texts: Vec<String> = names.iter().map(|name| tree.text(name)).collect();
    texts.sort();
    assert_eq!(texts, ["one: 1\n", "three: 3\n", "two: 2\n"]);
    let said = warnings(&report, "file-conflict");
    let newest = names.iter().find(|name| tree.text(name) == "three: 3\n");
    assert!(
        said.len() == 1 && said[0].contains(newest.unwrap()),
        "{said:?}"
    );
}

#[test]
fn archives_beside_packages_become_a_file_of_the_result() {
    let scene = Scene::new();
    let addon = Pair::usual(&scene, Kind::Addon);
    let k3s = Pair::usual(&scene, Kind::K3s);
    let [k3s_amd64, k3s_arm64] = k3s.sources();
    let [amd64, arm64] = addon.sources();
    let out = scene.out("all.tar");
    fused(
        &[k3s_amd64, amd64, arm64, k3s_arm64],
        &out,
        &[("format", "package")],
    );
    let tree = Tree::open(&out);
    let root = "addon-offline-full-package-v0.12.0";
    let beside = format!("{root}/charts-syncer.linux-arm64");
    assert!(tree.has(&beside), "{:?}", tree.names());
    let images = tree
        .nested(&format!("{root}/k3s-airgap-images.tar.zst"))
        .layout("");
    let reference = k3s.images()[0].reference.clone().unwrap();
    assert_eq!(
        images.platforms(&reference),
        ["linux/amd64", "linux/arm64"],
        "{reference}"
    );
    // What is nested and compressed is verified too.
    let verified = super::super::support::command(
        super::super::support::FUSION,
        ["verify", out.to_str().unwrap()],
    )
    .run();
    assert_eq!(verified.status, Some(0), "{verified}");
}
