//! The small sources that the cases need, besides the archives of real tools.

use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;

use fusion_fixtures::bundle::{Bundle, BundleOptions};
use fusion_fixtures::package::{Archive, Item, Package, Wrap, sha512};
use fusion_fixtures::{
    Chart, Flavour, Image, LayerForm, Naming, Options, Outer, Platform, Squeeze, bundle,
};

use super::super::scene;

/// Writes those that are not there.
pub(super) fn write() {
    let folder = super::golden().join("sources");
    fs::create_dir_all(&folder).unwrap();
    write_archives(&folder);
    for platform in [Platform::amd64(), Platform::arm64()] {
        write_bundles(&folder, &platform);
        write_package(&folder, &platform);
    }
}

/// A chart bundle; for arm64 also one of the same version whose chart is another.
fn write_bundles(folder: &Path, platform: &Platform) {
    let architecture = platform.architecture.as_str();
    let Bundle { chart, images, .. } = web(platform);
    let mut wanted = vec![(
        format!("web_1.5.0_{architecture}.bundle.tar"),
        BundleOptions::default(),
    )];
    if *platform == Platform::arm64() {
        let values = chart.values().replace("replicas: 1", "replicas: 2");
        let options = BundleOptions {
            values: Some(values),
            ..BundleOptions::default()
        };
        wanted.push(("web_1.5.0_changed.bundle.tar".to_owned(), options));
    }
    for (name, options) in wanted {
        let path = folder.join(name);
        if !path.exists() {
            bundle::write(&chart, &images, &path, &options).unwrap();
        }
    }
}

/// A package with all that packages have: bundles, one of them for amd64 only, an archive, a layout
/// with its list, a program that differs, its checksum, and a file that is the same.
fn write_package(folder: &Path, platform: &Platform) {
    let architecture = platform.architecture.as_str();
    let path = folder.join(format!("offline-v1-{architecture}.tar.gz"));
    if path.exists() {
        return;
    }
    let root = format!("offline-v1-{architecture}");
    let program = format!("#!/bin/sh\necho for {architecture}\n");
    let sum = format!("{}  tool\n", sha512(program.as_bytes()).unwrap());
    let listed = ["quay.io/acme/agent:3", "docker.io/library/api:2.0"];
    let mut layout = Archive::new(Flavour::OciLayout, images(&listed, platform));
    layout.options.naming = Naming::Full;
    let list: String = listed.iter().map(|name| format!("{name}\n")).collect();
    let loose = Archive::new(Flavour::Skopeo, images(&["acme/loose:1"], platform));
    let mut package = Package::new()
        .with(format!("{root}/README.md"), "# Offline package\n")
        .with(
            format!("{root}/bin/tool"),
            Item::Program(program.as_str().into()),
        )
        .with(format!("{root}/bin/tool.sha512sum"), sum.as_str())
        .with(format!("{root}/charts/web_1.5.0.bundle.tar"), web(platform))
        .with(format!("{root}/images-{architecture}.tar"), loose)
        .with(format!("{root}/offline-images"), layout)
        .with(format!("{root}/offline-images/images.list"), list.as_str());
    if *platform == Platform::amd64() {
        let images = images(&["docker.io/acme/backup:5"], platform);
        let backup = Bundle::new(Chart::of("backup", "5.2.0", &images), images);
        package.put(format!("{root}/charts/backup_5.2.0.bundle.tar"), backup);
    }
    package
        .write(&path, &Wrap::Squeezed(Squeeze::gzip()))
        .unwrap();
}

/// The bundle that is for both.
fn web(platform: &Platform) -> Bundle {
    let images = images(
        &["docker.io/acme/web:1.5", "docker.io/library/api:2.0"],
        platform,
    );
    Bundle::new(Chart::of("web", "1.5.0", &images), images)
}

fn images(names: &[&str], platform: &Platform) -> Vec<Image> {
    scene::images(names, platform, 1, 2, 700)
}

/// Archives, and what can be wrong with them.
fn write_archives(folder: &Path) {
    use fusion_fixtures::Platform as P;
    let pair = ["docker.io/acme/web:1.5", "docker.io/library/api:2.0"];
    let images = |names: &[&str], platform: P, seed| scene::images(names, &platform, seed, 2, 700);
    let put =
        |name: &str, flavour: Flavour, form: LayerForm, images: Vec<Image>, options: Options| {
            let path = folder.join(name);
            if !path.exists() {
                fusion_fixtures::write(flavour, form, &images, &path, &options).unwrap();
            }
        };
    let plain = Options::default;
    let (raw, gzip) = (LayerForm::Raw, LayerForm::Gzip);
    let (skopeo, oci) = (Flavour::Skopeo, Flavour::OciArchive);
    // Two builds of two images.
    put(
        "build-1-amd64.tar",
        skopeo,
        raw,
        images(&pair, P::amd64(), 1),
        plain(),
    );
    put(
        "build-1-arm64.tar",
        oci,
        gzip,
        images(&pair, P::arm64(), 1),
        plain(),
    );
    put(
        "build-2-amd64.tar",
        skopeo,
        raw,
        images(&pair, P::amd64(), 2),
        plain(),
    );
    for (name, platform, outer) in [
        ("build-1-amd64.tar.gz", P::amd64(), Outer::Gzip),
        ("build-1-arm64.tar.zst", P::arm64(), Outer::Zstd),
    ] {
        let options = Options { outer, ..plain() };
        put(
            name,
            Flavour::DockerLegacy,
            raw,
            images(&pair, platform, 1),
            options,
        );
    }
    // The same as build 1, one bit of a layer of the second image flipped.
    if !folder.join("damaged-amd64.tar").exists() {
        let path = folder.join("damaged-amd64.tar");
        let images = images(&pair, P::amd64(), 1);
        let written = fusion_fixtures::write(oci, raw, &images, &path, &plain()).unwrap();
        let layer = format!(
            "blobs/sha256/{}\0",
            written.images[1].layers[1].digest.hex()
        );
        let bytes = fs::read(&path).unwrap();
        let mut windows = bytes.windows(layer.len());
        let header = windows
            .position(|window| window == layer.as_bytes())
            .unwrap();
        let at = header + 1000;
        let file = fs::File::options().write(true).open(&path).unwrap();
        file.write_all_at(&[bytes[at] ^ 1], at as u64).unwrap();
    }
    // Names that say the architecture.
    for (name, suffixed, platform) in [
        (
            "suffix-amd64.tar",
            "registry.example/app:1.5-amd64",
            P::amd64(),
        ),
        (
            "suffix-arm64.tar",
            "registry.example/app-arm64:1.5",
            P::arm64(),
        ),
    ] {
        put(
            name,
            Flavour::Ggcr,
            gzip,
            images(&[suffixed], platform, 1),
            plain(),
        );
    }
    // Names that nearly agree.
    put(
        "localhost-amd64.tar",
        skopeo,
        raw,
        images(&["localhost/app:2"], P::amd64(), 1),
        plain(),
    );
    put(
        "hub-arm64.tar",
        skopeo,
        raw,
        images(&["docker.io/acme/app:2"], P::arm64(), 1),
        plain(),
    );
    // No names.
    for (name, platform) in [
        ("unnamed-amd64.tar", P::amd64()),
        ("unnamed-arm64.tar", P::arm64()),
    ] {
        let naming = Naming::None;
        put(
            name,
            skopeo,
            raw,
            images(&["x:1"], platform, 1),
            Options { naming, ..plain() },
        );
    }
    // Attestations.
    for (name, platform) in [
        ("attested-amd64.tar", P::amd64()),
        ("attested-arm64.tar", P::arm64()),
    ] {
        let attestation = true;
        put(
            name,
            oci,
            gzip,
            images(&pair[..1], platform, 1),
            Options {
                attestation,
                ..plain()
            },
        );
    }
}
