//! Each client takes what fusion wrote, and finds in it what fusion said.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::containerd::{Containerd, host_architecture};
use super::docker::Docker;
use super::fused::{Fused, To};
use super::layout;
use super::podman::Podman;
use super::process::{self, command, run, run_text};
use super::sound::docker_image;
use super::{skopeo, umoci};

/// `ctr images import --all-platforms`: every reference, platform and byte.
pub(crate) fn containerd(fused: &Fused) -> Containerd {
    let containerd = Containerd::shared();
    let images = match fused.to {
        To::Archive => ok(containerd.import(&fused.path, true)),
        To::ArchiveGzip => ok(containerd.import_piped(&fused.path, &["gzip", "-dc"])),
        To::ArchiveZstd => ok(containerd.import_piped(&fused.path, &["zstd", "-dc"])),
        To::Layout => {
            let dir = process::state_dir();
            ok(containerd.import(&tarred(&fused.path, dir.path()), true))
        }
    };
    let found: Vec<_> = images
        .iter()
        .map(|image| (&image.name, &image.digest))
        .collect();
    assert!(
        found.iter().copied().eq(&fused.sound.roots),
        "ctr: {found:?}"
    );
    for image in &images {
        let platforms: Vec<_> = platforms(fused, &image.name).collect();
        assert_eq!(image.platforms, platforms, "ctr: {}", image.name);
    }
    // All that the references lead to is all that there is, as `sound` found.
    ok(containerd.collect_garbage());
    let listed = ok(run_text(containerd.ctr().args(["content", "ls", "-q"])));
    let present: BTreeSet<_> = listed.lines().collect();
    let absent: Vec<_> = fused
        .sound
        .blobs
        .keys()
        .filter(|digest| !present.contains(digest.as_str()))
        .collect();
    assert!(absent.is_empty(), "ctr: not there: {absent:?}");
    // It ends with an error where an image is for other platforms only.
    let here = fused.sound.images.iter().filter(|(_, images)| {
        let host = format!("linux/{}", host_architecture());
        images.iter().any(|image| image.platform == host)
    });
    let filters: Vec<_> = here.map(|(name, _)| format!("name=={name}")).collect();
    if !filters.is_empty() {
        let mut check = containerd.ctr();
        let check = ok(run_text(check.args(["images", "check"]).args(&filters)));
        let complete = check.matches(" complete (").count();
        assert_eq!(complete, filters.len(), "ctr: {check}");
    }
    containerd
}

/// A layout directory as a tar, for clients that take no directories.
fn tarred(layout: &Path, dir: &Path) -> PathBuf {
    let tar = dir.join("layout.tar");
    ok(run(command("tar")
        .arg("-cf")
        .arg(&tar)
        .arg("-C")
        .arg(layout)
        .args(["oci-layout", "index.json", "blobs"])));
    tar
}

/// `docker load`: what `manifest.json` names, under every tag.
pub(crate) fn docker(fused: &Fused) {
    let docker = Docker::shared();
    let loaded = ok(docker.load(&fused.path));
    assert_eq!(loaded.len(), fused.sound.images.len(), "docker: {loaded:?}");
    let mut ids = Vec::new();
    let references: Vec<_> = fused.sound.images.keys().map(String::as_str).collect();
    let inspected = ok(docker.inspect_all(&references));
    for ((reference, images), found) in fused.sound.images.iter().zip(inspected) {
        let expected = docker_image(images);
        assert_eq!(found.id, expected.config, "docker: {reference}");
        assert_eq!(found.layers, expected.diff_ids, "docker: {reference}");
        assert_eq!(
            format!("{}/{}", found.os, found.architecture),
            expected.platform,
            "docker: {reference}"
        );
        assert_eq!(found.tags.len(), 1, "docker: {:?}", found.tags);
        assert!(reference.ends_with(&found.tags[0]), "docker: {reference}");
        assert!(loaded.contains(&found.tags[0]), "docker: {loaded:?}");
        ids.push(found.id);
    }
    ids.sort();
    assert_eq!(ok(docker.ids()), ids, "docker: images without a name");
}

/// `podman load`: the host's images under their full names.
pub(crate) fn podman(podman: &Podman, fused: &Fused) {
    ok(podman.clear());
    let mut loaded = ok(podman.load(&fused.path));
    loaded.sort();
    assert!(
        loaded.iter().eq(fused.sound.images.keys()),
        "podman: {loaded:?}"
    );
    let references: Vec<_> = fused.sound.images.keys().map(String::as_str).collect();
    let inspected = ok(podman.inspect_all(&references));
    for ((reference, images), found) in fused.sound.images.iter().zip(inspected) {
        let expected = docker_image(images);
        assert_eq!(found.id, expected.config, "podman: {reference}");
        assert_eq!(found.layers, expected.diff_ids, "podman: {reference}");
        assert_eq!(
            format!("{}/{}", found.os, found.architecture),
            expected.platform,
            "podman: {reference}"
        );
        assert_eq!(&found.names, &[reference.as_str()], "podman");
        if loaded.len() == 1 {
            assert_eq!(
                found.digest, fused.sound.roots[reference],
                "podman: {reference}"
            );
        }
    }
}

/// `skopeo copy --all` of every reference: the same index, byte for byte.
pub(crate) fn skopeo(fused: &Fused) {
    let dir = process::state_dir();
    let copy = dir.path().join("copy");
    for reference in fused.sound.images.keys() {
        let to = format!("oci:{}:{reference}", copy.display());
        ok(skopeo::copy_exact(&fused.at(reference), &to));
    }
    assert_eq!(ok(layout::roots(&copy)), fused.sound.roots, "skopeo");
    assert_eq!(ok(layout::images(&copy)), fused.sound.images, "skopeo");
}

/// `umoci unpack` of every reference of a layout with one platform; `look` is shown the files.
pub(crate) fn umoci(fused: &Fused, look: impl Fn(&str, &Path)) {
    let mut listed = ok(umoci::list(&fused.path));
    listed.sort();
    assert!(
        listed.iter().eq(fused.sound.images.keys()),
        "umoci: {listed:?}"
    );
    for reference in fused.sound.images.keys() {
        let bundle = ok(umoci::unpack(&fused.path, reference));
        look(reference, &bundle.rootfs());
    }
}

fn platforms<'a>(fused: &'a Fused, reference: &str) -> impl Iterator<Item = &'a str> {
    fused.sound.images[reference]
        .iter()
        .map(|image| image.platform.as_str())
}

#[track_caller]
fn ok<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
