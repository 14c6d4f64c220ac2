//! `buildah manifest` as the oracle: for the same sources, the same images.

use std::path::PathBuf;

use fusion_fixtures::LayerForm::{Gzip, Raw, Zstd};
use fusion_fixtures::{Flavour, LayerForm, Options, write};

use super::buildah::{Buildah, Source};
use super::fused::{self, To};
use super::layout::LayoutImage;
use super::process;
use super::sample::{AMD_ONLY, ARM_ONLY, Sample, TOOL, WEB};

/// How buildah reads a flavour.
#[derive(Clone, Copy)]
enum Transport {
    /// Through `manifest.json`: the layers are compressed anew.
    Docker,
    /// By the full name in `ref.name`.
    Archive,
    /// By the tag in `ref.name`.
    Tag,
    Layout,
}

const FLAVOURS: &[(Flavour, LayerForm, Transport)] = &[
    (Flavour::DockerLegacy, Raw, Transport::Docker),
    (Flavour::DockerHybrid, Raw, Transport::Docker),
    (Flavour::DockerContainerd, Gzip, Transport::Docker),
    (Flavour::DockerContainerd, Gzip, Transport::Tag),
    (Flavour::Skopeo, Raw, Transport::Docker),
    (Flavour::Ggcr, Gzip, Transport::Docker),
    (Flavour::OciArchive, Gzip, Transport::Archive),
    (Flavour::OciArchive, Zstd, Transport::Archive),
    (Flavour::OciArchiveFlat, Gzip, Transport::Archive),
    (Flavour::OciLayout, Gzip, Transport::Layout),
    (Flavour::OciLayout, Raw, Transport::Layout),
];

#[test]
fn fusion_makes_the_images_that_buildah_makes() {
    let (first, second) = FLAVOURS.split_at(FLAVOURS.len() / 2);
    std::thread::scope(|scope| {
        let work = |lines: &'static [(Flavour, LayerForm, Transport)]| {
            move || {
                lines
                    .iter()
                    .for_each(|&(flavour, form, transport)| compare(flavour, form, transport));
            }
        };
        scope.spawn(work(first));
        scope.spawn(work(second));
    });
}

fn compare(flavour: Flavour, form: LayerForm, transport: Transport) {
    let case = format!("{} {form:?}", flavour.name());
    let dir = process::state_dir();
    let sample = Sample::get();
    let [amd64, arm64] =
        [("amd64", &sample.amd64), ("arm64", &sample.arm64)].map(|(name, images)| -> PathBuf {
            let path = dir.path().join(name);
            write(flavour, form, images, &path, &Options::default()).expect("a fixture");
            path
        });
    let source = |path: &PathBuf, reference: &str| match transport {
        Transport::Docker => Source::docker_archive(path, reference),
        Transport::Archive => Source::oci_archive(path, reference),
        Transport::Tag => Source::oci_archive(path, reference.rsplit(':').next().unwrap_or("")),
        Transport::Layout => Source::oci(path, reference),
    };
    let references = [
        (WEB, vec![&amd64, &arm64]),
        (TOOL, vec![&amd64, &arm64]),
        (AMD_ONLY, vec![&amd64]),
        (ARM_ONLY, vec![&arm64]),
    ];
    let lists = references.map(|(reference, paths)| {
        let sources = paths.into_iter().map(|path| source(path, reference));
        (reference, sources.collect())
    });
    let oracle = Buildah::new()
        .manifest_fuse(&lists)
        .unwrap_or_else(|e| panic!("{case}: {e}"));
    let fused = fused::fuse(&[&amd64, &arm64], To::Layout, &[]);
    let found = &fused.sound.images;
    assert!(
        found.keys().eq(oracle.images.keys()),
        "{case}: references {found:?}"
    );
    for (reference, theirs) in &oracle.images {
        let ours = &found[reference];
        let content = |image: &LayoutImage| {
            let diff_ids = image.diff_ids.clone();
            (image.platform.clone(), image.config.clone(), diff_ids)
        };
        let (ours_content, theirs_content): (Vec<_>, Vec<_>) = (
            ours.iter().map(content).collect(),
            theirs.iter().map(content).collect(),
        );
        assert_eq!(ours_content, theirs_content, "{case}: {reference}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(
                ours.layers.len(),
                theirs.layers.len(),
                "{case}: {reference}"
            );
            // Neither side compressed these anew.
            if !matches!(transport, Transport::Docker) && form != Raw {
                assert_eq!(ours.layers, theirs.layers, "{case}: {reference}");
                assert_eq!(ours.manifest, theirs.manifest, "{case}: {reference}");
            }
        }
    }
}
