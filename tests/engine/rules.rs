//! The rules that do not bend: one test for each, named after it. Other tests go deeper into most.
//!
//! Long because there is one test for each rule.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::Command;

use fusion_core::ErrorKind;
use fusion_core::fuse::{Failure, FuseOptions, OnConflict, OnExisting, fuse};
use fusion_core::inspect::inspect;
use fusion_core::location::Location;
use fusion_core::progress::{Flow, Phase, Snapshot, Stop};
use fusion_core::registry::Connect;
use fusion_core::report::{Action, Report};
use fusion_fixtures::{
    Digest, Flavour, IndexShape, LayerForm, Options, Platform, Written, hostile, write,
};
use serde_json::{Value, json};

use super::memory;
use super::scene::{self, Scene};

const REFERENCES: [&str; 2] = ["docker.io/library/web:1.5", "ghcr.io/acme/api:2.0"];

/// Of every kind of bad input, some.
const HOSTILE: [&str; 17] = [
    "size-10-gb",
    "size-overflow",
    "size-near-overflow",
    "pax-size-overflow",
    "long-name-huge",
    "digest-traversal",
    "manifest-digest-traversal",
    "manifest-names-parent",
    "manifest-names-absolute",
    "symlink-loop",
    "symlink-out",
    "truncated-in-member",
    "deep-json",
    "deep-indexes",
    "gzip-bomb",
    "lying-blob-oci",
    "short-blob-layout",
];

/// Fuses through the library; `sink` is told how far it is.
fn run(
    scene: &Scene,
    sources: &[&str],
    dest: &str,
    options: &FuseOptions,
    sink: &mut dyn FnMut(Phase),
) -> Result<Report, Failure> {
    let locate = |name: &str| Location::parse(scene.path(name)).unwrap();
    let sources: Vec<Location> = sources.iter().map(|name| locate(name)).collect();
    let mut sink = |snapshot: &Snapshot| {
        sink(snapshot.phase);
        Flow::Continue
    };
    let dest = locate(dest);
    fuse(
        &sources,
        Some(&dest),
        options,
        Some(&mut sink),
        &Stop::new(),
    )
}

fn merge() -> FuseOptions {
    FuseOptions {
        on_existing: Some(OnExisting::Merge),
        ..FuseOptions::default()
    }
}

fn ignore(_: Phase) {}

/// An archive of both images for one platform.
fn archive(scene: &Scene, name: &str, flavour: Flavour, platform: &Platform, seed: u64) -> Written {
    let images = scene::images(&REFERENCES, platform, seed, 3, 50_000);
    let form = flavour.usual_form();
    write(
        flavour,
        form,
        &images,
        &scene.path(name),
        &Options::default(),
    )
    .unwrap()
}

fn amd64_and_arm64(scene: &Scene) -> [Written; 2] {
    let flavour = Flavour::OciArchive;
    [
        archive(scene, "amd64.tar", flavour, &Platform::amd64(), 1),
        archive(scene, "arm64.tar", flavour, &Platform::arm64(), 1),
    ]
}

fn blob(layout: &Path, digest: &str) -> Vec<u8> {
    let path = layout.join("blobs").join(digest.replace(':', "/"));
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn document(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap()
}

/// The children of the index that a layout has under `reference`.
fn children(layout: &Path, reference: &str) -> Vec<Value> {
    let index = document(&fs::read(layout.join("index.json")).unwrap());
    let roots = index["manifests"].as_array().unwrap();
    let named: Vec<&Value> = roots
        .iter()
        .filter(|root| root["annotations"]["org.opencontainers.image.ref.name"] == reference)
        .collect();
    assert_eq!(named.len(), 1, "{reference} in {index:#}");
    let index = document(&blob(layout, named[0]["digest"].as_str().unwrap()));
    index["manifests"].as_array().unwrap().clone()
}

fn platforms(children: &[Value]) -> Vec<&str> {
    children.iter().map(architecture_of).collect()
}

fn architecture_of(child: &Value) -> &str {
    child["platform"]["architecture"].as_str().unwrap()
}

/// Rule 1.
#[test]
fn byte_for_byte() {
    let scene = Scene::new();
    let written = amd64_and_arm64(&scene);

    // A manifest as nobody would write it: fields that nobody knows, spaces where none are needed.
    let images = scene::images(
        &["odd.example/app:1"],
        &Platform::linux("s390x"),
        1,
        2,
        3000,
    );
    let options = Options {
        index: IndexShape::Flat,
        ..Options::default()
    };
    let odd = scene.path("odd");
    write(Flavour::OciLayout, LayerForm::Zstd, &images, &odd, &options).unwrap();
    let mut index = document(&fs::read(odd.join("index.json")).unwrap());
    let root = &mut index["manifests"][0];
    let mut manifest = document(&blob(&odd, root["digest"].as_str().unwrap()));
    manifest["x-acme"] = json!({"z": 1, "a": [null, 1e3, "\u{e9}"]});
    manifest["layers"][0]["x-acme"] = json!(true);
    let bytes = format!("\n{}\n\n", serde_json::to_string_pretty(&manifest).unwrap());
    let digest = Digest::of(bytes.as_bytes());
    fs::write(odd.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
    root["digest"] = json!(digest.to_string());
    root["size"] = json!(bytes.len());
    fs::write(odd.join("index.json"), index.to_string()).unwrap();

    let options = FuseOptions::default();
    let sources = ["amd64.tar", "arm64.tar", "odd"];
    run(&scene, &sources, "out/", &options, &mut ignore).unwrap();
    let out = scene.path("out");
    for image in written.iter().flat_map(|written| &written.images) {
        let manifest = image.manifest.unwrap();
        for part in [&[manifest, image.config], image.layers.as_slice()].concat() {
            let bytes = blob(&out, &part.digest.to_string());
            assert_eq!(Digest::of(&bytes), part.digest);
        }
    }
    assert_eq!(blob(&out, &digest.to_string()), bytes.as_bytes());

    // An index, too: two partial exports that complete each other give back the original.
    let archives = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/archives");
    for name in [
        "ctr-export-amd64.tar",
        "ctr-export-arm64.tar",
        "ctr-export-all.tar",
    ] {
        scene::copy(&archives.join(name), &scene.path(name));
    }
    let parts = ["ctr-export-amd64.tar", "ctr-export-arm64.tar"];
    let of_parts = run(&scene, &parts, "parts.tar", &options, &mut ignore).unwrap();
    let of_all = run(
        &scene,
        &["ctr-export-all.tar"],
        "all.tar",
        &options,
        &mut ignore,
    )
    .unwrap();
    for (part, whole) in of_parts.images.iter().zip(&of_all.images) {
        assert_eq!(part.digest, whole.digest, "{}", part.reference);
    }
    let (parts, all) = (scene.path("parts.tar"), scene.path("all.tar"));
    assert_eq!(scene::sha256(&parts), scene::sha256(&all));
}

/// Rule 2.
#[test]
fn deterministic() {
    let scene = Scene::new();
    amd64_and_arm64(&scene);
    let made = |sources: &[&str], jobs, dest: &str| {
        let options = FuseOptions {
            jobs: Some(jobs),
            ..FuseOptions::default()
        };
        run(&scene, sources, dest, &options, &mut ignore).unwrap();
        scene::sha256(&scene.path(dest))
    };
    let one = made(&["amd64.tar", "arm64.tar"], 1, "one.tar");
    assert_eq!(one, made(&["arm64.tar", "amd64.tar"], 8, "other.tar"));
}

/// Rule 3.
#[test]
fn nothing_unverified_is_published() {
    let scene = Scene::new();
    let [_, written] = amd64_and_arm64(&scene);
    let path = scene.path("arm64.tar");
    // In the content of a layer that no other archive has, past the header that names it.
    let layer = written.images[1].layers[2].digest.hex();
    let bytes = fs::read(&path).unwrap();
    let header = format!("blobs/sha256/{layer}\0");
    let at = bytes
        .windows(header.len())
        .position(|window| window == header.as_bytes())
        .unwrap() as u64;
    let file = fs::File::options().write(true).open(&path).unwrap();
    let write = |change: u8| {
        let at = at + 2000;
        file.write_all_at(&[bytes[at as usize] ^ change], at)
            .unwrap();
    };
    let options = FuseOptions::default();
    let sources = ["amd64.tar", "arm64.tar"];
    for dest in ["out/", "out.tar", "out.tar.gz"] {
        // Content that is not what it goes by.
        write(1);
        let failure = run(&scene, &sources, dest, &options, &mut ignore).unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::DigestMismatch, "{failure}");
        assert!(!scene.path(dest).exists());

        // Content that was right when the archive was opened.
        write(0);
        let mut change = |phase| {
            if phase == Phase::Write {
                write(1);
            }
        };
        let failure = run(&scene, &sources, dest, &options, &mut change).unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::InputChanged, "{failure}");
        assert_eq!(failure.error.get_path(), Some(path.as_path()));
        assert!(!scene.path(dest).exists());
    }
    assert_eq!(
        scene.entries(),
        ["amd64.tar", "arm64.tar", "tmp", "work"]
            .map(str::to_owned)
            .into()
    );
}

/// Rule 4; that a killed run keeps it too is shown in `kill`.
#[test]
fn old_or_new_never_between() {
    for dest in ["out", "out.tar", "out.tar.zst"] {
        let scene = Scene::new();
        amd64_and_arm64(&scene);
        let path = scene.path(dest);
        if dest == "out" {
            fs::create_dir(&path).unwrap();
        }
        let options = FuseOptions::default();
        run(&scene, &["amd64.tar"], dest, &options, &mut ignore).unwrap();
        let state = || match path.is_dir() {
            true => scene::published(&path),
            false => scene::sha256(&path),
        };
        let (old, entries) = (state(), scene.entries());

        // Up to the publication it is as it was.
        let mut publishing = false;
        let mut look = |phase| {
            publishing |= phase == Phase::Publish;
            if !publishing {
                assert_eq!(state(), old);
            }
        };
        run(&scene, &["arm64.tar"], dest, &merge(), &mut look).unwrap();
        let (new, fingerprint) = (state(), scene::fingerprint(&path));
        assert_ne!(new, old);

        // A run that fails changes nothing and leaves nothing.
        let broken = scene.path("broken.tar");
        archive(&scene, "broken.tar", Flavour::Skopeo, &Platform::arm64(), 3);
        let length = broken.metadata().unwrap().len();
        let file = fs::File::options().write(true).open(&broken).unwrap();
        file.write_all_at(b"damaged", length / 2).unwrap();
        run(&scene, &["broken.tar"], dest, &merge(), &mut ignore).unwrap_err();
        fs::remove_file(&broken).unwrap();
        assert_eq!(scene::fingerprint(&path), fingerprint);
        if path.is_file() {
            assert_eq!(scene.entries(), entries);
        }
        assert!(!path.join(".fusion-partial").exists());
    }
}

/// Rule 5.
#[test]
fn one_blob_once() {
    let scene = Scene::new();
    // The first layer of all four images is the same; what an archive holds twice is a link.
    archive(
        &scene,
        "amd64.tar",
        Flavour::DockerLegacy,
        &Platform::amd64(),
        1,
    );
    archive(&scene, "arm64.tar", Flavour::Skopeo, &Platform::arm64(), 1);
    let options = FuseOptions::default();
    let sources = ["amd64.tar", "arm64.tar"];
    let report = run(&scene, &sources, "out/", &options, &mut ignore).unwrap();
    let blobs = scene::files(&scene.path("out/blobs"));
    // 2 indexes, 4 manifests, 4 configurations, 1 shared layer and 2 more for each image.
    assert_eq!(report.blobs.unique, 2 + 4 + 4 + 1 + 8);
    assert_eq!(report.blobs.referenced, report.blobs.unique + 3);
    assert_eq!(report.blobs.written, report.blobs.unique);
    assert_eq!(blobs.len() as u64, report.blobs.unique);

    let report = run(&scene, &sources, "out.tar", &options, &mut ignore).unwrap();
    let listed = Command::new("tar")
        .arg("-tf")
        .arg(scene.path("out.tar"))
        .output()
        .unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let names: Vec<&str> = listed.lines().filter(|name| !name.ends_with('/')).collect();
    assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
    assert_eq!(names.len() as u64, report.blobs.unique + 3);

    // What the destination has is not written again.
    let report = run(&scene, &sources, "out/", &merge(), &mut ignore).unwrap();
    assert_eq!(report.blobs.written, 0);
    assert_eq!(report.blobs.reused, report.blobs.unique);
}

/// Rule 6.
#[test]
fn no_silent_loss() {
    let scene = Scene::new();
    amd64_and_arm64(&scene);
    let newer = archive(&scene, "newer.tar", Flavour::Ggcr, &Platform::amd64(), 2);
    let options = FuseOptions::default();
    let both = ["amd64.tar", "newer.tar"];
    let failure = run(&scene, &both, "x.tar", &options, &mut ignore).unwrap_err();
    assert_eq!(failure.error.kind(), ErrorKind::Conflict, "{failure}");
    let last = FuseOptions {
        on_conflict: OnConflict::Last,
        ..FuseOptions::default()
    };
    run(&scene, &both, "x.tar", &last, &mut ignore).unwrap();

    // Merging replaces one platform, says so, keeps the other and nothing of the old one.
    run(
        &scene,
        &["amd64.tar", "arm64.tar"],
        "out/",
        &options,
        &mut ignore,
    )
    .unwrap();
    let out = scene.path("out");
    let before = children(&out, REFERENCES[0]);
    let report = run(&scene, &["newer.tar"], "out/", &merge(), &mut ignore).unwrap();
    let after = children(&out, REFERENCES[0]);
    assert_eq!(platforms(&before), ["amd64", "arm64"]);
    assert_eq!(platforms(&after), ["amd64", "arm64"]);
    assert_ne!(before[0], after[0]);
    assert_eq!(before[1], after[1]);
    assert!(
        report
            .images
            .iter()
            .all(|image| image.action == Action::Replaced)
    );
    assert!(
        report
            .warnings
            .iter()
            .any(|warning| warning.code == "mixed-generation")
    );
    let published = scene::published(&out);
    assert_eq!(scene::listing(&out), published, "something unused stayed");

    // An image that fails, or that a choice leaves nothing of, stays what the destination has.
    let images = scene::images(&["docker.io/acme/third:3"], &Platform::arm64(), 1, 2, 1000);
    let third = scene.path("third.tar");
    scene::source(Flavour::Skopeo, LayerForm::Raw, &images, &third);
    let only = |architecture, keep_going| FuseOptions {
        platforms: vec![format!("linux/{architecture}").parse().unwrap()],
        keep_going,
        ..merge()
    };
    let broken = fs::read(scene.path("newer.tar")).unwrap();
    let layer = newer.images[1].layers[2].digest.hex();
    let name = format!("{layer}.tar.gz\0");
    let mut windows = broken.windows(name.len());
    let at = windows
        .position(|window| window == name.as_bytes())
        .unwrap();
    let mut broken = broken.clone();
    broken[at + 2000] ^= 1;
    fs::write(scene.path("broken.tar"), broken).unwrap();
    for dest in ["kept/", "kept.tar"] {
        run(&scene, &["amd64.tar"], dest, &options, &mut ignore).unwrap();
        let path = scene.path(dest);
        let sources = ["newer.tar", "third.tar"];
        run(&scene, &sources, dest, &only("arm64", false), &mut ignore).unwrap();
        let names = |path: &Path| -> Vec<String> {
            let location = Location::parse(path).unwrap();
            let found = inspect(&location, None, &Connect::default(), None, &Stop::new()).unwrap();
            found
                .images
                .into_iter()
                .filter_map(|image| image.reference)
                .collect()
        };
        let all = ["docker.io/acme/third:3", REFERENCES[0], REFERENCES[1]];
        assert_eq!(names(&path), all);
        let report = run(
            &scene,
            &["broken.tar"],
            dest,
            &only("amd64", true),
            &mut ignore,
        )
        .unwrap();
        assert_eq!(report.images[1].action, Action::Failed);
        assert_eq!(names(&path), all);
    }

    // Attestations stay with what they describe.
    let images = |platform| scene::images(&REFERENCES, &platform, 1, 1, 1000);
    let attested = Options {
        attestation: true,
        ..Options::default()
    };
    for (name, platform) in [("a.tar", Platform::amd64()), ("b.tar", Platform::arm64())] {
        let path = scene.path(name);
        write(
            Flavour::OciArchive,
            LayerForm::Gzip,
            &images(platform),
            &path,
            &attested,
        )
        .unwrap();
    }
    run(
        &scene,
        &["a.tar", "b.tar"],
        "attested/",
        &options,
        &mut ignore,
    )
    .unwrap();
    let children = children(&scene.path("attested"), REFERENCES[1]);
    let described: BTreeSet<&str> = children
        .iter()
        .filter_map(|child| child["annotations"]["vnd.docker.reference.digest"].as_str())
        .collect();
    let images: BTreeSet<&str> = children
        .iter()
        .filter(|child| architecture_of(child) != "unknown")
        .map(|child| child["digest"].as_str().unwrap())
        .collect();
    assert_eq!(children.len(), 4);
    assert_eq!(described, images);
}

/// Rule 7; every bad input there is goes through another test.
#[test]
fn no_trust_in_input() {
    for name in HOSTILE {
        let scene = Scene::new();
        let case = hostile::case(name).unwrap_or_else(|| panic!("no case {name}"));
        fs::create_dir(scene.path("in")).unwrap();
        let source = (case.build)(&scene.path("in")).unwrap();
        let before = scene.entries();
        let source = source
            .strip_prefix(scene.folder())
            .unwrap()
            .to_str()
            .unwrap();
        let options = FuseOptions::default();
        let failure = run(&scene, &[source], "out/", &options, &mut ignore)
            .expect_err(&format!("{name}: {}", case.about));
        assert_eq!(failure.error.kind().exit_status(), 4, "{name}: {failure}");
        assert!(failure.error.get_path().is_some(), "{name}: {failure}");
        assert_eq!(scene.entries(), before, "{name}");
    }
}

/// Rule 8.
#[test]
fn mapped_files_that_shrink_end_in_an_error() {
    for dest in ["out/", "out.tar", "out.tar.gz"] {
        let scene = Scene::new();
        amd64_and_arm64(&scene);
        let path = scene.path("arm64.tar");
        let file = fs::File::options().write(true).open(&path).unwrap();
        let mut shrink = |phase| {
            if phase == Phase::Write {
                file.set_len(8192).unwrap();
            }
        };
        let options = FuseOptions::default();
        let sources = ["amd64.tar", "arm64.tar"];
        // Reading past the end of the file would kill this process with SIGBUS.
        let failure = run(&scene, &sources, dest, &options, &mut shrink).unwrap_err();
        assert_eq!(failure.error.kind(), ErrorKind::InputChanged, "{failure}");
        assert_eq!(failure.error.get_path(), Some(path.as_path()));
        assert!(!scene.path(dest).exists());
    }
}

/// Rule 9; larger ones, every flavour and a cgroup are in `memory`.
#[test]
fn constant_private_memory() {
    let scene = Scene::new();
    let small = memory::peak(&scene, &[]);
    let large = memory::peak(&scene, &[0, 1]);
    assert!(large < small + (8 << 20), "{small} bytes became {large}");
}

/// Rule 10.
#[test]
fn quiet_core() {
    const CHILD: &str = "FUSION_TEST_QUIET";
    if let Ok(what) = std::env::var(CHILD) {
        if what == "run" {
            let scene = Scene::new();
            amd64_and_arm64(&scene);
            let options = FuseOptions::default();
            let sources = ["amd64.tar", "arm64.tar"];
            run(&scene, &sources, "out.tar", &options, &mut ignore).unwrap();
            run(&scene, &sources, "out.tar", &options, &mut ignore).unwrap_err();
            let location = Location::parse(scene.path("out.tar")).unwrap();
            let stop = Stop::new();
            inspect(&location, None, &Connect::default(), None, &stop).unwrap();
            fusion_core::validate::verify(&[location], None, &Connect::default(), None, &stop)
                .unwrap();
        }
        return;
    }
    // This test once more, in a process of its own: what it says when the engine works is what it
    // says when it does not.
    let said = |what: &str| {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "engine::rules::quiet_core", "--nocapture"])
            .env(CHILD, what)
            .output()
            .unwrap();
        assert!(output.status.success());
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stdout = stdout.split("finished in").next().unwrap().to_owned();
        (stdout, String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(said("run"), said("nothing"));

    // Nor does anything in its sources say, install or end anything. Standard output is a
    // destination, and opened in one place.
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("core/src");
    let forbidden = [
        "println!",
        "print!(",
        "dbg!",
        "process::exit",
        "process::abort",
        "stderr()",
        "set_global_default",
        "set_logger",
        "set_hook",
        "set_var(",
        "stdout()",
    ];
    for name in scene::files(&core) {
        let text = fs::read_to_string(core.join(&name)).unwrap();
        let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for word in forbidden {
            let is_test = name.ends_with("tests.rs") || name.contains("/tests/");
            let is_destination = word == "stdout()" && name == "fsx/pipe.rs";
            assert!(
                is_test || is_destination || !text.contains(word),
                "core/src/{name} has {word}"
            );
        }
    }
}
