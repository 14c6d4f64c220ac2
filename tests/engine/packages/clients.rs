//! The archives in a fused package go into the programs that have to take them, as they are.

use std::fs;

use fusion_fixtures::package::{Kind, Offline};

use crate::clients::fused::Fused;
use crate::clients::podman::Podman;
use crate::clients::process;
use crate::clients::taking;

use super::super::support::{Scene, fused};
use super::plain::Tree;
use super::{Pair, offline};

#[test]
fn the_archives_in_bundles_load_into_containerd_docker_podman_and_skopeo() {
    // The second has an image in a subchart.
    load(&offline(Kind::Addon, 2, 400_000), "addon.tar.gz");
}

#[test]
#[ignore = "ten minutes, 9 GB of memory, 15 GB of disk: for who changes what is written"]
fn the_archives_in_packages_of_full_size_load_too() {
    let mut packages = Offline::new(Kind::Addon);
    (packages.bundles, packages.images) = (20, 3);
    packages.bytes = 3 << 30;
    load(&packages, "addon.tar");
}

/// Fuses both packages into one called `out`, and has everybody load what is in its bundles.
fn load(packages: &Offline, out: &str) {
    let scene = Scene::new();
    let pair = Pair::of(&scene, packages);
    let out = scene.out(out);
    fused(&pair.sources(), &out, &[]);
    let tree = Tree::open(&out);
    let bundles = tree
        .names()
        .into_iter()
        .filter(|name| name.ends_with(".bundle.tar"));
    let bundles: Vec<&str> = bundles.collect();
    assert_eq!(bundles.len(), packages.bundles);
    let podman = Podman::new();
    for bundle in bundles {
        let dir = process::state_dir();
        let archive = dir.path().join("images.tar");
        fs::write(&archive, tree.nested(bundle).file("images.tar")).unwrap();
        let found = Fused::archive(archive);
        assert_eq!(found.sound.images.len(), packages.images, "{bundle}");
        taking::containerd(&found);
        taking::docker(&found);
        taking::podman(&podman, &found);
        taking::skopeo(&found);
    }
}
