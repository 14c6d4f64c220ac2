//! One name, two architectures: whoever asks for a platform gets that platform's own image.

use std::fs;

use fusion_fixtures::{Flavour, LayerForm, Options, write};

use super::fused::{self, Fused, To};
use super::layout;
use super::podman::Podman;
use super::process::{self, run, run_text};
use super::sample::{AMD64, ARM64, Sample, WEB};
use super::{skopeo, taking, tree, umoci};

#[test]
fn one_name_gives_each_platform_its_own_image() {
    let dir = process::state_dir();
    let sample = Sample::get();
    let sources = [("amd64", &sample.amd64), ("arm64", &sample.arm64)].map(|(name, images)| {
        let path = dir.path().join(name);
        let options = Options::default();
        write(Flavour::DockerLegacy, LayerForm::Raw, images, &path, &options).expect("a fixture");
        path
    });
    let configs = [AMD64, ARM64].map(|platform| {
        let image = sample.image(WEB, platform);
        image.config_digest().to_string()
    });
    assert_ne!(configs[0], configs[1]);
    for to in [To::Layout, To::Archive] {
        let fused = fused::fuse(&sources, to, &[]);
        for (platform, config) in [AMD64, ARM64].into_iter().zip(&configs) {
            through_skopeo(&fused, platform, config);
            through_podman(&fused, platform, config);
        }
        let containerd = taking::containerd(&fused);
        for (platform, config) in [AMD64, ARM64].into_iter().zip(&configs) {
            assert_eq!(&ok(containerd.image_for_platform(WEB, platform)), config);
            let mounted = ok(containerd.mount(WEB, platform));
            look(platform, mounted.rootfs());
        }
        if to == To::Archive {
            // Imported for one platform alone, the same name is that platform's.
            for (platform, config) in [AMD64, ARM64].into_iter().zip(&configs) {
                let one = containerd.fresh();
                ok(one.import_unpacked(&fused.path, Some(platform)));
                assert_eq!(&ok(one.image_for_platform(WEB, platform)), config);
                let mounted = ok(one.mount(WEB, platform));
                look(platform, mounted.rootfs());
            }
        }
    }
}

/// `skopeo copy --override-arch`, and the files by umoci.
fn through_skopeo(fused: &Fused, platform: &str, config: &str) {
    let dir = process::state_dir();
    let copy = dir.path().join("copy");
    let to = format!("oci:{}:{WEB}", copy.display());
    ok(skopeo::copy_platform(&fused.at(WEB), &to, platform));
    let images = ok(layout::images(&copy));
    assert_eq!(images[WEB].len(), 1);
    assert_eq!(images[WEB][0].platform, platform);
    assert_eq!(images[WEB][0].config, config);
    look(platform, &ok(umoci::unpack(&copy, WEB)).rootfs());
}

/// `podman pull --platform` from the file.
fn through_podman(fused: &Fused, platform: &str, config: &str) {
    let podman = Podman::new();
    let mut pull = podman.podman();
    pull.args(["pull", "--quiet", "--platform", platform]);
    let id = ok(run_text(pull.arg(fused.at(WEB))));
    assert_eq!(format!("sha256:{}", id.trim()), config);
    let mount = ok(run_text(podman.podman().args([
        "image",
        "mount",
        id.trim(),
    ])));
    look(platform, mount.trim().as_ref());
    ok(run(podman.podman().args(["image", "unmount", "--all"])));
}

/// The files are those of the platform's layers.
fn look(platform: &str, rootfs: &std::path::Path) {
    let architecture = platform.rsplit('/').next().expect("an architecture");
    let arch = fs::read_to_string(rootfs.join("etc/arch")).expect("a file of the top layer");
    assert_eq!(arch, architecture);
    let expected = tree::expected(Sample::get().image(WEB, platform));
    tree::assert_same(&tree::read(rootfs), &expected);
}

#[track_caller]
fn ok<T>(result: process::Result<T>) -> T {
    result.unwrap_or_else(|e| panic!("{e}"))
}
