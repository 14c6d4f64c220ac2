//! What charts-syncer does with a bundle: for every reference that the hints lead to, it looks for
//! the tag in the `manifest.json` of `images.tar`, and reads the config and the layers named there.
//! It knows neither `index.json` nor indexes.

use std::collections::BTreeSet;
use std::io::Read;

use fusion_fixtures::Digest;
use fusion_fixtures::package::Kind;
use serde_json::Value;

use super::super::support::{Scene, fused, text};
use super::plain::Tree;
use super::{Pair, offline};

/// A tag as go-containerregistry compares it.
fn tag(reference: &str) -> String {
    let (first, rest) = reference.split_once('/').unwrap_or(("", reference));
    let is_registry = first.contains(['.', ':']) || first == "localhost";
    let (registry, repository) = match is_registry {
        true => (first, rest),
        false => ("index.docker.io", reference),
    };
    let registry = registry
        .replace("docker.io", "index.docker.io")
        .replace("index.index.", "index.");
    let library = registry == "index.docker.io" && !repository.contains('/');
    let folder = if library { "library/" } else { "" };
    let last = repository.rsplit('/').next().unwrap();
    let latest = if last.contains(':') { "" } else { ":latest" };
    format!("{registry}/{folder}{repository}{latest}")
}

/// What the layer is a tar of: go-containerregistry looks at its first bytes.
fn diff_id(layer: &[u8]) -> String {
    let mut plain = Vec::new();
    match layer {
        [0x1f, 0x8b, ..] => {
            let mut decoder = flate2::read::MultiGzDecoder::new(layer);
            decoder.read_to_end(&mut plain).unwrap();
        }
        _ => plain = layer.to_vec(),
    }
    Digest::of(&plain).to_string()
}

/// Loads the image of a tag as `tarball.Image` does, and says what it runs on.
fn load(images: &Tree, reference: &str) -> String {
    let manifest: Value = serde_json::from_slice(images.file("manifest.json")).unwrap();
    let entries = manifest.as_array().unwrap();
    let mut matching = entries.iter().filter(|entry| {
        let tags = entry["RepoTags"].as_array().into_iter().flatten();
        tags.map(text).any(|found| tag(&found) == tag(reference))
    });
    let entry = matching
        .next()
        .unwrap_or_else(|| panic!("tag {reference} not found in tarball: {manifest}"));
    assert!(matching.next().is_none(), "{reference} is there twice");
    let config: Value = serde_json::from_slice(images.file(&text(&entry["Config"]))).unwrap();
    let layers = entry["Layers"].as_array().unwrap();
    let diff_ids = config["rootfs"]["diff_ids"].as_array().unwrap();
    assert_eq!(layers.len(), diff_ids.len(), "{reference}");
    assert!(!layers.is_empty(), "{reference}");
    for (layer, expected) in layers.iter().zip(diff_ids) {
        let found = diff_id(images.file(&text(layer)));
        assert_eq!(found, text(expected), "{layer} of {reference}");
    }
    format!("{}/{}", text(&config["os"]), text(&config["architecture"]))
}

#[test]
fn charts_syncer_reads_every_image_of_every_bundle() {
    let scene = Scene::new();
    // With subcharts, shared images, and charts for one architecture only.
    let pair = Pair::of(&scene, &offline(Kind::Addon, 8, 400_000));
    for choice in ["linux/amd64", "linux/arm64"] {
        let out = scene.out("addon.tar.gz");
        let chosen = [("docker-platform", choice), ("on-existing", "replace")];
        fused(&pair.sources(), &out, &chosen);
        let tree = Tree::open(&out);
        let paths = tree
            .names()
            .into_iter()
            .filter(|name| name.ends_with(".bundle.tar"));
        let paths: Vec<&str> = paths.collect();
        assert_eq!(paths.len(), pair.amd64.bundles.len());
        let (mut charts, mut platforms) = (BTreeSet::new(), BTreeSet::new());
        for path in paths {
            let bundle = tree.nested(path);
            let images = bundle.nested("images.tar");
            for source in pair.amd64.bundles.iter().chain(&pair.arm64.bundles) {
                if !path.ends_with(source.path.file_name().unwrap().to_str().unwrap()) {
                    continue;
                }
                charts.insert(source.chart.clone());
                for image in &source.images {
                    let found = load(&images, image.reference.as_deref().unwrap());
                    platforms.insert(found);
                }
            }
        }
        assert_eq!(charts.len(), 8);
        let expected: &[&str] = match choice {
            "linux/amd64" => &["linux/amd64"],
            // Where there is no other, it is the other one.
            _ => &["linux/amd64", "linux/arm64"],
        };
        assert!(platforms.iter().eq(expected), "{choice}: {platforms:?}");
    }
}

#[test]
fn references_as_charts_spell_them_are_found() {
    let scene = Scene::new();
    let spelled = [
        "nginx",
        "bitnami/redis:7",
        "registry.example:5000/team/app:1.0",
    ];
    let sources = super::platforms().map(|platform| {
        let image = |reference: &&str| {
            fusion_fixtures::synthetic::image(Some(reference), &platform, 1, &[2000], 0).unwrap()
        };
        let images: Vec<_> = spelled.iter().map(image).collect();
        let chart = fusion_fixtures::Chart::new("web", "1.0.0", &spelled);
        let path = scene.source(&format!("{}.tar", platform.architecture));
        let options = fusion_fixtures::bundle::BundleOptions::default();
        fusion_fixtures::bundle::write(&chart, &images, &path, &options).unwrap();
        path
    });
    let out = scene.out("web_1.0.0.bundle.tar");
    fused(&sources, &out, &[]);
    let images = Tree::open(&out).nested("images.tar");
    for reference in spelled {
        assert_eq!(load(&images, reference), "linux/amd64");
    }
}
