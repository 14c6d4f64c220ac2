//! One name, two architectures: whoever asks for a platform gets that platform's own image.

use std::fs;
use std::path::{Path, PathBuf};

use fusion_fixtures::{Flavour, LayerForm, Options, write};

use super::containerd::{Containerd, host_architecture};
use super::fused::{self, Fused, To};
use super::layout;
use super::podman::Podman;
use super::process::{self, run, run_text};
use super::sample::{AMD_ONLY, AMD64, ARM_ONLY, ARM64, Sample, WEB};
use super::{skopeo, taking, tree, umoci};

/// An archive of each architecture, as `docker save` writes them.
fn sources(dir: &Path) -> [PathBuf; 2] {
    let sample = Sample::get();
    [("amd64", &sample.amd64), ("arm64", &sample.arm64)].map(|(name, images)| {
        let path = dir.join(name);
        let options = Options::default();
        write(
            Flavour::DockerLegacy,
            LayerForm::Raw,
            images,
            &path,
            &options,
        )
        .expect("a fixture");
        path
    })
}

#[test]
fn one_name_gives_each_platform_its_own_image() {
    let dir = process::state_dir();
    let sample = Sample::get();
    let sources = sources(dir.path());
    let configs = [AMD64, ARM64].map(|platform| {
        let image = sample.image(WEB, platform);
        image.config_digest().to_string()
    });
    assert_ne!(configs[0], configs[1]);
    for to in [To::Layout, To::Archive] {
        let fused = fused::fuse(&sources, to, &[]);
        for (platform, config) in [AMD64, ARM64].into_iter().zip(&configs) {
            through_skopeo(&fused, platform, config);
            // podman takes no directory whose path has capitals.
            if to == To::Archive {
                through_podman(&fused, platform, config);
            }
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
                ok(one.import_with(&fused.path, &["--platform", platform]));
                assert_eq!(&ok(one.image_for_platform(WEB, platform)), config);
                let mounted = ok(one.mount(WEB, platform));
                look(platform, mounted.rootfs());
            }
        }
    }
}

/// `ctr images import --all-platforms` as it is typed, which also unpacks the host's images.
#[test]
fn containerd_imports_and_unpacks_in_one_step() {
    let dir = process::state_dir();
    let sources = sources(dir.path());
    let host = format!("linux/{}", host_architecture());
    let foreign = if host == ARM64 { AMD_ONLY } else { ARM_ONLY };
    let import = |fused: &Fused| {
        let containerd = Containerd::shared();
        let mut import = containerd.ctr();
        import.args(["images", "import", "--all-platforms"]);
        let done = run(import.args(["--snapshotter", "native"]).arg(&fused.path));
        for name in fused.sound.roots.keys() {
            ok(containerd.check_complete(name));
        }
        done
    };
    let fused = fused::fuse(&sources, To::Archive, &["--exclude", foreign]);
    assert_eq!(fused.sound.roots.len(), 3);
    ok(import(&fused));
    // ctr unpacks for the host alone: it has all, and ends with an error nevertheless.
    let failure = import(&fused::fuse(&sources, To::Archive, &[])).expect_err("must be refused");
    assert!(
        failure.said().contains("no match for platform"),
        "{failure}"
    );
    assert!(failure.said().contains(foreign), "{failure}");
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
fn look(platform: &str, rootfs: &Path) {
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
