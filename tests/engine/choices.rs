//! What every choice of `fuse` does, through the library.

mod content;
mod documents;
mod existing;
mod pairing;
mod writing;

use std::path::PathBuf;

use fusion_fixtures::{Flavour, Image, Options, Platform, Written, synthetic};
use serde_json::Value;

use super::support::{Scene, text};

/// A small image; another `seed` gives another image of the same name.
fn image(name: &str, platform: &Platform, seed: u64) -> Image {
    synthetic::image(Some(name), platform, seed, &[2000, 3000], 1).unwrap()
}

fn amd64(name: &str) -> Image {
    image(name, &Platform::amd64(), 1)
}

fn arm64(name: &str) -> Image {
    image(name, &Platform::arm64(), 1)
}

/// Writes an OCI archive, whose manifests have digests to compare with.
fn oci(scene: &Scene, name: &str, images: &[Image]) -> Written {
    scene.write(name, Flavour::OciArchive, images, &Options::default())
}

/// Two archives, of `amd64.tar` and `arm64.tar`, with the same names.
fn pair(scene: &Scene, names: &[&str]) -> [PathBuf; 2] {
    let images = |of: fn(&str) -> Image| names.iter().map(|name| of(name)).collect::<Vec<_>>();
    [
        oci(scene, "amd64.tar", &images(amd64)).path,
        oci(scene, "arm64.tar", &images(arm64)).path,
    ]
}

/// The entry of `reference` in a report.
fn of<'a>(report: &'a Value, reference: &str) -> &'a Value {
    let images = report["images"].as_array().unwrap();
    let found = images.iter().find(|image| image["reference"] == reference);
    found.unwrap_or_else(|| panic!("no {reference} in {report:#}"))
}

/// The messages of a report's warnings with this code.
fn warnings(report: &Value, code: &str) -> Vec<String> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    let of_code = warnings.filter(|warning| warning["code"] == code);
    of_code.map(|warning| text(&warning["message"])).collect()
}

/// The platforms of an entry in a report.
fn platforms(image: &Value) -> Vec<String> {
    let platforms = image["platforms"].as_array().unwrap().iter();
    platforms
        .map(|variant| text(&variant["platform"]))
        .collect()
}
