//! Compressed packages: one archive of them at a time is on disk, and memory stays small.

use std::path::PathBuf;

use fusion_fixtures::package::{Kind, Offline};
use serde_json::Value;

use super::{Yard, children, platforms};
use crate::registry::docker::DockerRegistry;

/// A pair of addon-like packages, compressed.
fn packages(yard: &Yard, bundles: usize, images: usize, bytes: u64) -> Vec<PathBuf> {
    let mut offline = Offline::new(Kind::Addon);
    offline.bundles = bundles;
    offline.images = images;
    offline.bytes = bytes;
    let folder = yard.path("packages");
    std::fs::create_dir(&folder).unwrap();
    let (one, other) = offline.pair(&folder).unwrap();
    vec![one.path, other.path]
}

#[test]
fn one_archive_at_a_time_is_spooled_pushed_and_dropped() {
    let (registry, yard) = (DockerRegistry::open(), Yard::new());
    let to = format!("{}/p", registry.host());
    let packages = packages(&yard, 8, 12, 40 << 20);
    let sources: Vec<_> = packages.iter().map(PathBuf::as_path).collect();
    let report = yard.push(&sources, &to, &[]);
    let all = report["bytes"]["unique"].as_u64().unwrap();
    let peak = report["bytes"]["peak_spool"].as_u64().unwrap();
    assert!(peak > 0 && peak < all / 2, "{peak} of {all} bytes at once");
    for (_, digest) in registry.uploads().blobs.keys() {
        assert_eq!(registry.uploads().times(digest), 1, "{digest}");
    }
    let left: Vec<_> = std::fs::read_dir(yard.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("fusion-partial"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    // The same as from packages that are read in place.
    let images: Vec<Value> = report["images"].as_array().unwrap().clone();
    assert!(images.len() > 12);
    for image in &images {
        let target = image["target"].as_str().unwrap();
        let name = target.split_once('/').unwrap().1;
        let (repository, tag) = name.rsplit_once(':').unwrap();
        if platforms(image).len() > 1 {
            assert_eq!(children(registry.host(), repository, tag), platforms(image));
        }
    }
    assert!(!report["charts"].as_array().unwrap().is_empty());
    // Again: read, recognised, nothing sent.
    let again = yard.push(&sources, &to, &[]);
    assert_eq!(again["bytes"]["uploaded"], 0);
    let actions = again["images"].as_array().unwrap().iter();
    assert!(actions.clone().all(|image| image["action"] == "unchanged"));
}
