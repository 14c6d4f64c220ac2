//! Same inputs and options, same bytes: whatever the threads, the order of the sources and of
//! their members, their names, the folder and the locale.

use std::path::Path;

use fusion_fixtures::{
    Flavour, LayerForm, Links, LongNames, Naming, Options, Order, Outer, Platform, write,
};

use super::scene::{self, Scene};

const REFERENCES: [&str; 3] = [
    "docker.io/library/web:1.5",
    "ghcr.io/acme/api:2.0",
    "quay.io/acme/db:16",
];

const DESTINATIONS: [&str; 4] = ["layout/", "out.tar", "out.tar.gz", "out.tar.zst"];

/// Two sources, of different flavours and layer forms.
fn scene() -> Scene {
    let scene = Scene::new();
    pair(&scene, "amd64.tar", "arm64.tar", &Options::default());
    scene
}

fn pair(scene: &Scene, amd64: &str, arm64: &str, options: &Options) {
    let images = |platform| scene::images(&REFERENCES, &platform, 1, 3, 200_000);
    let sources = [
        (
            Flavour::Skopeo,
            LayerForm::Raw,
            images(Platform::amd64()),
            amd64,
        ),
        (
            Flavour::OciArchive,
            LayerForm::Gzip,
            images(Platform::arm64()),
            arm64,
        ),
    ];
    for (flavour, form, images, name) in sources {
        write(flavour, form, &images, &scene.path(name), options).unwrap();
    }
}

/// The fingerprint of what `fusion fuse` makes of these words, which is then removed.
fn made(scene: &Scene, sources: &[&str], dest: &str, words: &[&str]) -> String {
    let words = [&["fuse"], sources, &["-o", dest], words].concat();
    scene.run(&words);
    let path = scene.path(dest);
    let fingerprint = scene::fingerprint(&path);
    scene::remove(&path);
    fingerprint
}

#[test]
fn threads_and_order_of_the_sources_change_nothing() {
    let scene = scene();
    for dest in DESTINATIONS {
        for compression in ["keep", "none", "gzip", "zstd"] {
            let run = |sources: &[&str], jobs: &str| {
                let words = ["--compression", compression, "--jobs", jobs];
                made(&scene, sources, dest, &words)
            };
            let once = run(&["amd64.tar", "arm64.tar"], "1");
            assert_eq!(
                once,
                run(&["amd64.tar", "arm64.tar"], "8"),
                "{dest} {compression}"
            );
            assert_eq!(
                once,
                run(&["arm64.tar", "amd64.tar"], "8"),
                "{dest} {compression}"
            );
        }
    }
}

#[test]
fn twice_is_the_same() {
    let scene = scene();
    for dest in DESTINATIONS {
        let run = || {
            made(
                &scene,
                &["amd64.tar", "arm64.tar"],
                dest,
                &["--durability", "rename"],
            )
        };
        assert_eq!(run(), run(), "{dest}");
    }
}

#[test]
fn compressed_sources_give_what_plain_ones_give() {
    let scene = scene();
    for (outer, amd64, arm64) in [
        (Outer::Gzip, "amd64.tar.gz", "arm64.tar.gz"),
        (Outer::Zstd, "amd64.tar.zst", "arm64.tar.zst"),
    ] {
        let options = Options {
            outer,
            ..Options::default()
        };
        pair(&scene, amd64, arm64, &options);
        for dest in DESTINATIONS {
            let plain = made(&scene, &["amd64.tar", "arm64.tar"], dest, &[]);
            let one = made(&scene, &[amd64, arm64], dest, &["--jobs", "1"]);
            let other = made(&scene, &[arm64, amd64], dest, &["--jobs", "8"]);
            assert_eq!(plain, one, "{dest} {outer:?}");
            assert_eq!(plain, other, "{dest} {outer:?}");
        }
    }
}

#[test]
fn names_folder_and_locale_change_nothing() {
    let scene = scene();
    let other = Scene::new();
    let (amd64, arm64) = ("amd64.tar", "arm64.tar");
    // Neither the extension nor the order of the names tells anything.
    let renamed = [("z ä.bin", amd64), ("a", arm64)].map(|(name, source)| {
        scene::copy(&scene.path(source), &other.path(name));
        name
    });
    for dest in DESTINATIONS {
        let expected = made(&scene, &[amd64, arm64], dest, &[]);
        assert_eq!(expected, made(&other, &renamed, dest, &[]), "{dest}");
        let absolute = |name: &str| scene.path(name).to_str().unwrap().to_owned();
        let mut elsewhere = scene.fusion(&["fuse", &absolute(amd64), &absolute(arm64), "-o"]);
        elsewhere
            .arg(other.path(dest))
            .current_dir("/")
            .env("LC_ALL", "tr_TR.UTF-8")
            .env("LANG", "ar_EG")
            .env("TZ", "Asia/Kathmandu")
            .env("COLUMNS", "20");
        assert!(elsewhere.status().unwrap().success());
        let path = other.path(dest);
        assert_eq!(expected, scene::fingerprint(&path), "{dest}");
        scene::remove(&path);
    }
}

#[test]
fn order_of_members_changes_nothing() {
    let scene = scene();
    let expected = DESTINATIONS.map(|dest| made(&scene, &["amd64.tar", "arm64.tar"], dest, &[]));
    let variations = [
        Options {
            order: Order::ManifestFirst,
            ..Options::default()
        },
        Options {
            order: Order::Reversed,
            links: Links::Copies,
            ..Options::default()
        },
        Options {
            order: Order::ManifestLast,
            prefix: "./".to_owned(),
            long_names: LongNames::Pax,
            ..Options::default()
        },
        Options {
            order: Order::Reversed,
            outer: Outer::Gzip,
            naming: Naming::Full,
            long_names: LongNames::Gnu,
            padding: 10_240,
            ..Options::default()
        },
    ];
    for options in &variations {
        pair(&scene, "x.tar", "y.tar", options);
        for (dest, expected) in DESTINATIONS.iter().zip(&expected) {
            let found = made(&scene, &["x.tar", "y.tar"], dest, &[]);
            assert_eq!(*expected, found, "{dest} {options:?}");
        }
    }
}

#[test]
fn members_of_every_flavour_may_come_in_any_order() {
    for flavour in Flavour::ALL {
        if flavour == Flavour::OciLayout {
            continue;
        }
        let scene = Scene::new();
        let images = scene::images(&REFERENCES, &Platform::amd64(), 1, 3, 5000);
        let form = flavour.usual_form();
        scene::source(flavour, form, &images, &scene.path("usual"));
        let options = Options {
            order: Order::Reversed,
            ..Options::default()
        };
        write(flavour, form, &images, &scene.path("reversed"), &options).unwrap();
        let run = |source: &str| made(&scene, &[source], "out.tar", &[]);
        assert_eq!(run("usual"), run("reversed"), "{}", flavour.name());
    }
}

#[test]
fn merging_one_after_the_other_is_fusing_both() {
    let scene = scene();
    for dest in DESTINATIONS {
        let both = made(&scene, &["amd64.tar", "arm64.tar"], dest, &[]);
        for [first, second] in [["amd64.tar", "arm64.tar"], ["arm64.tar", "amd64.tar"]] {
            scene.run(&["fuse", first, "-o", dest]);
            let merged = made(&scene, &[second], dest, &["--on-existing", "merge"]);
            assert_eq!(both, merged, "{dest}: {second} into {first}");
        }
    }
}

#[test]
fn modes_follow_the_umask_and_nothing_else() {
    use std::os::unix::fs::PermissionsExt;
    let scene = scene();
    scene.run(&["fuse", "amd64.tar", "-o", "out.tar"]);
    scene.run(&["fuse", "amd64.tar", "-o", "layout/"]);
    let plain = scene.path("plain");
    std::fs::write(&plain, "").unwrap();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode(&scene.path("out.tar")), mode(&plain));
    for name in scene::files(&scene.path("layout")) {
        let path = scene.path("layout").join(&name);
        assert_eq!(mode(&path), mode(&plain), "{name}");
    }
}
