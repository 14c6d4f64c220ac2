//! What must make no difference: how packages are wrapped, the order of the sources, the threads.
//! And packages of more than two architectures.

use std::path::{Path, PathBuf};

use fusion_fixtures::package::{Kind, Offline, Wrap};
use fusion_fixtures::{Platform, Squeeze, WrittenImage};

use super::super::scene::{fingerprint, remove};
use super::super::support::{Layout, Scene, fused};
use super::plain::Tree;
use super::{Pair, assert_holds, images, offline, platforms};

/// What fusing makes, as a fingerprint; it is removed again.
fn made(sources: &[&Path], out: &Path, chosen: &[(&str, &str)]) -> String {
    fused(sources, out, chosen);
    let found = fingerprint(out);
    remove(out);
    found
}

#[test]
fn order_of_the_sources_and_threads_change_no_byte() {
    for kind in Kind::ALL {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let [amd64, arm64] = pair.sources();
        for (name, format) in [
            ("out.tar", None),
            ("out.tar.gz", None),
            ("out.tar.zst", None),
            ("layout", Some(("format", "oci"))),
            ("images.tar", Some(("format", "oci-archive"))),
        ] {
            let out = scene.out(name);
            let made = |sources: &[&Path], jobs| {
                let chosen: Vec<_> = [("jobs", jobs)].into_iter().chain(format).collect();
                made(sources, &out, &chosen)
            };
            let once = made(&[amd64, arm64], "1");
            assert_eq!(once, made(&[amd64, arm64], "8"), "{kind:?} {name}: threads");
            assert_eq!(once, made(&[arm64, amd64], "2"), "{kind:?} {name}: order");
        }
    }
}

#[test]
fn packages_of_one_platform_in_any_order_make_the_same_bytes() {
    let scene = Scene::new();
    let write = |seed: u64, bundles: &[usize]| {
        let offline = Offline {
            seed,
            ..offline(Kind::Addon, 4, 200_000)
        };
        let mut package = offline.package(&Platform::amd64()).unwrap();
        let mut at = 0;
        package.members.retain(|(path, _)| {
            let bundle = path.ends_with(".bundle.tar");
            at += usize::from(bundle);
            !bundle || bundles.contains(&at)
        });
        let path = scene.source(&format!("addon-{seed}.tar.gz"));
        package
            .write(&path, &Wrap::Squeezed(Squeeze::gzip()))
            .unwrap();
        path
    };
    // Other charts, and another build of the tools.
    let (one, other) = (write(1, &[1, 2]), write(2, &[3]));
    let out = scene.out("addon.tar");
    let found = made(&[&one, &other], &out, &[]);
    assert_eq!(found, made(&[&other, &one], &out, &[]));
}

/// The packages of a kind, wrapped in some way.
fn wrapped(scene: &Scene, kind: Kind, name: &str, wrap: Wrap) -> [PathBuf; 2] {
    let folder = scene.source(name);
    let offline = Offline {
        wrap: Some(wrap),
        ..Offline::new(kind)
    };
    let (amd64, arm64) = offline.pair(&folder).unwrap();
    [amd64.path, arm64.path]
}

#[test]
fn however_packages_are_wrapped_they_hold_the_same() {
    for kind in [
        Kind::Module,
        Kind::Addon,
        Kind::Kubean,
        Kind::KubeanRelease,
        Kind::Rke2,
    ] {
        let scene = Scene::new();
        let wraps = [
            ("tar", Wrap::Tar),
            ("gzip", Wrap::Squeezed(Squeeze::gzip())),
            ("zstd", Wrap::Squeezed(Squeeze::zstd())),
            ("directory", Wrap::Directory),
            (
                "gzip-members",
                Wrap::Squeezed(Squeeze::gzip().pieces(100_000)),
            ),
            (
                "zstd-frames",
                Wrap::Squeezed(Squeeze::zstd().pieces(100_000).skippable(b"pzstd")),
            ),
        ];
        let mut first: Option<[String; 3]> = None;
        for (name, wrap) in wraps {
            let sources = wrapped(&scene, kind, name, wrap);
            let sources: [&Path; 2] = [&sources[0], &sources[1]];
            let found = [
                made(&sources, &scene.out("layout"), &[("format", "oci")]),
                made(
                    &sources,
                    &scene.out("images.tar"),
                    &[("format", "oci-archive")],
                ),
                made(
                    &sources,
                    &scene.out("package.tar"),
                    &[("format", "package")],
                ),
            ];
            match &first {
                None => first = Some(found),
                Some(first) => assert_eq!(*first, found, "{kind:?} as {name}"),
            }
        }
    }
}

#[test]
fn names_that_start_with_a_dot_are_the_same_names() {
    for kind in [Kind::Module, Kind::Addon, Kind::KubeanRelease] {
        let scene = Scene::new();
        let usual = Pair::usual(&scene, kind);
        // As `tar -C FOLDER -c .` writes them, with a member for the folder itself.
        let dotted = platforms().map(|platform| {
            let mut package = Offline::new(kind).package(&platform).unwrap();
            package.prefix = "./".to_owned();
            let path = scene.source(&format!("dotted-{}.tar", platform.architecture));
            package.write(&path, &Wrap::Tar).unwrap();
            path
        });
        let out = scene.out("out.tar");
        let expected = made(&usual.sources(), &out, &[]);
        assert_eq!(
            made(&[&dotted[0], &dotted[1]], &out, &[]),
            expected,
            "{kind:?}"
        );
    }
}

#[test]
fn one_source_may_be_a_directory_and_the_other_compressed() {
    let scene = Scene::new();
    let [amd64, _] = wrapped(&scene, Kind::Addon, "directory", Wrap::Directory);
    let [_, arm64] = wrapped(&scene, Kind::Addon, "zstd", Wrap::Squeezed(Squeeze::zstd()));
    let plain = wrapped(&scene, Kind::Addon, "tar", Wrap::Tar);
    let out = scene.out("addon.tar.gz");
    let mixed = made(&[&amd64, &arm64], &out, &[]);
    assert_eq!(mixed, made(&[&plain[0], &plain[1]], &out, &[]));
}

#[test]
fn an_architecture_that_comes_later_makes_the_same_package() {
    for kind in Kind::ALL {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let [amd64, arm64] = pair.sources();
        let once = made(&[amd64, arm64], &scene.out("once.tar.gz"), &[]);
        for (first, second) in [(amd64, arm64), (arm64, amd64)] {
            let out = scene.out("grown.tar.gz");
            fused(&[first], &out, &[]);
            let grown = made(&[second], &out, &[("on-existing", "merge")]);
            assert_eq!(grown, once, "{kind:?}, {} first", first.display());
        }
    }
}

#[test]
fn five_architectures_become_one_package() {
    let scene = Scene::new();
    let offline = offline(Kind::Addon, 2, 100_000);
    let others = ["ppc64le", "riscv64", "s390x"].map(Platform::linux);
    let all: Vec<Platform> = platforms().into_iter().chain(others).collect();
    let written: Vec<_> = (all.iter())
        .map(|platform| offline.write(platform, &scene.source("")).unwrap())
        .collect();
    let sources: Vec<&Path> = written
        .iter()
        .map(|package| package.path.as_path())
        .collect();

    let out = scene.out("addon.tar.gz");
    let report = fused(&sources, &out, &[]);
    let chart = super::chart(&report, "dao-2048");
    assert_eq!(chart["platforms"].as_array().unwrap().len(), 5, "{chart}");
    let tree = Tree::open(&out);
    let root = "addon-offline-full-package-v0.12.0";
    let bundle = tree.nested(&format!("{root}/addon/dao-2048_1.4.1.bundle.tar"));
    let of_chart: Vec<&WrittenImage> = (written.iter())
        .flat_map(|package| &package.bundles)
        .filter(|bundle| bundle.chart == "dao-2048")
        .flat_map(|bundle| &bundle.images)
        .collect();
    assert_holds(&bundle.images(), &of_chart);
    for (package, platform) in written.iter().zip(&all).skip(1) {
        let source = Tree::open(&package.path);
        let architecture = &platform.architecture;
        assert_eq!(
            tree.file(&format!("{root}/charts-syncer.linux-{architecture}")),
            source.file(&format!("{root}-{architecture}/charts-syncer"))
        );
    }

    let layout = scene.out("layout");
    super::fused_images(&sources, &layout);
    let all: Vec<_> = written.iter().flat_map(images).collect();
    assert_holds(&Layout::sound(&layout), &all);
}
