//! The archives in a fused package go into the programs that have to take them, as they are.

use std::fs;

use fusion_fixtures::package::Kind;

use crate::clients::fused::Fused;
use crate::clients::podman::Podman;
use crate::clients::process;
use crate::clients::taking;

use super::super::support::{Scene, fused};
use super::plain::Tree;
use super::{Pair, offline};

#[test]
fn the_archives_in_bundles_load_into_containerd_docker_podman_and_skopeo() {
    let scene = Scene::new();
    // The second has an image in a subchart.
    let pair = Pair::of(&scene, &offline(Kind::Addon, 2, 400_000));
    let out = scene.out("addon.tar.gz");
    fused(&pair.sources(), &out, &[]);
    let tree = Tree::open(&out);
    let bundles = tree
        .names()
        .into_iter()
        .filter(|name| name.ends_with(".bundle.tar"));
    let bundles: Vec<&str> = bundles.collect();
    assert_eq!(bundles.len(), 2);
    let podman = Podman::new();
    for bundle in bundles {
        let dir = process::state_dir();
        let archive = dir.path().join("images.tar");
        fs::write(&archive, tree.nested(bundle).file("images.tar")).unwrap();
        let found = Fused::archive(archive);
        assert_eq!(found.sound.images.len(), 2, "{bundle}");
        taking::containerd(&found);
        taking::docker(&found);
        taking::podman(&podman, &found);
        taking::skopeo(&found);
    }
}
