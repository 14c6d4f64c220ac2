//! Chart bundles and offline packages: what is fused, what is kept, what is refused, and what a
//! run costs. The results are read with no part of fusion.

mod bad;
mod bare;
mod bundle_shapes;
mod bundles;
mod checksums;
mod clients;
mod conflicts;
mod frugal;
mod hints;
mod huge;
mod inspected;
mod killed;
mod layouts;
mod nesting;
mod plain;
mod same_names;
mod shapes;
mod space;
mod syncer;

use std::path::Path;

use fusion_fixtures::package::{Kind, Offline, WrittenPackage};
use fusion_fixtures::{Platform, WrittenImage};
use serde_json::Value;

use super::support::{self, Layout, Scene, text};

/// The packages of both architectures, in the scene's folder for sources.
struct Pair {
    amd64: WrittenPackage,
    arm64: WrittenPackage,
}

impl Pair {
    fn of(scene: &Scene, offline: &Offline) -> Self {
        let (amd64, arm64) = offline.pair(&scene.path().join("in")).unwrap();
        Self { amd64, arm64 }
    }

    fn usual(scene: &Scene, kind: Kind) -> Self {
        Self::of(scene, &Offline::new(kind))
    }

    fn sources(&self) -> [&Path; 2] {
        [&self.amd64.path, &self.arm64.path]
    }

    /// Every image of both, those of bundles included.
    fn images(&self) -> Vec<&WrittenImage> {
        let packages = [&self.amd64, &self.arm64];
        packages.into_iter().flat_map(images).collect()
    }

    /// The images of the bundles of one chart.
    fn of_chart(&self, name: &str) -> Vec<&WrittenImage> {
        let bundles = self.amd64.bundles.iter().chain(&self.arm64.bundles);
        let bundles = bundles.filter(|bundle| bundle.chart == name);
        bundles.flat_map(|bundle| &bundle.images).collect()
    }
}

/// Every image of a package, those of its bundles included.
fn images(package: &WrittenPackage) -> Vec<&WrittenImage> {
    let bundles = package.bundles.iter().flat_map(|bundle| &bundle.images);
    let archives = package.archives.iter().flat_map(|archive| &archive.images);
    bundles.chain(archives).collect()
}

/// Insists that `layout` has all of `images`: each under its full name and platform, with the
/// config and the layers that its source had, byte for byte, and no other image or platform.
#[track_caller]
fn assert_holds(layout: &Layout, images: &[&WrittenImage]) {
    let mut wanted: Vec<(String, String)> = Vec::new();
    for image in images {
        let name = image.reference.clone().expect("a reference");
        let platform = image.platform.to_string();
        let children = layout.children(&name);
        let child = children
            .iter()
            .find(|child| support::platform(child) == platform)
            .unwrap_or_else(|| panic!("no {platform} of {name}: {children:?}"));
        let manifest = layout.json(&child["digest"]);
        let config = &manifest["config"];
        assert_eq!(config["digest"], image.config.digest.to_string(), "{name}");
        assert_eq!(
            layout.blob(&config["digest"]).len() as u64,
            image.config.size
        );
        let layers = manifest["layers"].as_array().unwrap();
        let found: Vec<String> = layers.iter().map(|layer| text(&layer["digest"])).collect();
        let stored: Vec<String> = (image.layers.iter())
            .map(|layer| layer.digest.to_string())
            .collect();
        assert_eq!(found, stored, "{name} for {platform}");
        for (layer, stored) in layers.iter().zip(&image.layers) {
            // That a blob is what its name says was found when the layout was read.
            assert_eq!(layout.blob(&layer["digest"]).len() as u64, stored.size);
        }
        wanted.push((name, platform));
    }
    wanted.sort();
    wanted.dedup();
    let mut found: Vec<(String, String)> = Vec::new();
    for name in layout.names() {
        let platforms = layout.platforms(&name).into_iter();
        found.extend(platforms.map(|platform| (name.clone(), platform)));
    }
    found.sort();
    assert_eq!(found, wanted, "names and platforms");
}

/// Fuses into an archive or layout of the images alone.
fn fused_images(sources: &[&Path], out: &Path) -> Value {
    support::fused(sources, out, &[("format", format_of(out))])
}

/// What a path stands for that the tests fuse images into.
fn format_of(out: &Path) -> &'static str {
    match out.extension() {
        Some(_) => "oci-archive",
        None => "oci",
    }
}

/// The messages of a report's warnings with this code.
fn warnings(report: &Value, code: &str) -> Vec<String> {
    let warnings = report["warnings"].as_array().unwrap().iter();
    let of_code = warnings.filter(|warning| warning["code"] == code);
    of_code.map(|warning| text(&warning["message"])).collect()
}

/// The entry of a chart in a report.
#[track_caller]
fn chart<'a>(report: &'a Value, name: &str) -> &'a Value {
    let charts = report["charts"].as_array().unwrap();
    let found = charts.iter().find(|chart| chart["name"] == name);
    found.unwrap_or_else(|| panic!("no chart {name} in {report:#}"))
}

/// A small package of one kind, on both platforms, whose addon bundles are `bundles`.
fn offline(kind: Kind, bundles: usize, bytes: u64) -> Offline {
    Offline {
        bundles,
        bytes,
        ..Offline::new(kind)
    }
}

fn platforms() -> [Platform; 2] {
    [Platform::amd64(), Platform::arm64()]
}
