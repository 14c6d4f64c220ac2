//! How the result is written: compression, verification, plans, what `docker load` gets, and
//! content that is no image.

use std::fs;
use std::path::Path;

use fusion_core::ErrorKind;
use fusion_fixtures::{Digest, Flavour, LayerForm, Options, Platform, Written, hostile};
use serde_json::json;

use super::super::support::{Layout, Scene, fused, text, tree, try_fuse};
use super::{amd64, arm64, image, oci, of, pair, warnings};

const WEB: &str = "docker.io/library/web:1";

#[test]
fn layers_are_compressed_as_asked() {
    let scene = Scene::new();
    let images = [amd64("web:1"), arm64("web:1")];
    let write = |name: &str, form| {
        scene.write_form(
            name,
            Flavour::OciArchive,
            form,
            &images,
            &Options::default(),
        )
    };
    let sources = [
        write("raw.tar", LayerForm::Raw),
        write("gzip.tar", LayerForm::Gzip),
        write("zstd.tar", LayerForm::Zstd),
    ];
    for (how, end) in [
        ("none", "tar"),
        ("gzip", "tar+gzip"),
        ("gzip:9", "tar+gzip"),
        ("zstd:9", "tar+zstd"),
    ] {
        for source in &sources {
            let out = scene.out("layout/");
            let chosen = [
                ("compression", how),
                ("on-existing", "replace"),
                ("verify", "full"),
            ];
            let report = fused(&[&source.path], &out, &chosen);
            let layout = Layout::sound(&out);
            for (child, written) in layout.children(WEB).iter().zip(&source.images) {
                let manifest = layout.json(&child["digest"]);
                assert_eq!(
                    manifest["config"]["digest"],
                    written.config.digest.to_string()
                );
                for (layer, diff_id) in manifest["layers"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .zip(&written.diff_ids)
                {
                    assert!(text(&layer["mediaType"]).ends_with(end), "{how}: {layer:#}");
                    assert_eq!(
                        Digest::of(&inflated(layout.blob(&layer["digest"]))),
                        *diff_id
                    );
                }
            }
            // Both platforms share a layer: it is there once.
            let shared = |at: usize| {
                layout.json(&layout.children(WEB)[at]["digest"])["layers"][0]["digest"].clone()
            };
            assert_eq!(shared(0), shared(1), "{how}");
            assert_eq!(of(&report, WEB)["digest"], layout.root(WEB)["digest"]);
        }
    }
}

/// A layer without its compression.
fn inflated(blob: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    match blob {
        [0x1f, 0x8b, ..] => {
            let mut decoder = flate2::read::MultiGzDecoder::new(blob);
            std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
            bytes
        }
        [0x28, 0xb5, 0x2f, 0xfd, ..] => zstd::stream::decode_all(blob).unwrap(),
        _ => blob.to_vec(),
    }
}

#[test]
fn compressing_gives_the_same_bytes_whatever_the_number_of_threads() {
    let scene = Scene::new();
    let sources = pair(&scene, &["web:1", "db:1"]);
    for how in ["none", "gzip:4", "zstd"] {
        let results = ["1", "2", "7"].map(|jobs| {
            let out = scene.out(&format!("{}-{jobs}/", how.replace(':', "-")));
            fused(&sources, &out, &[("compression", how), ("jobs", jobs)]);
            tree(&out)
        });
        assert!(results.windows(2).all(|two| two[0] == two[1]), "{how}");
    }
}

#[test]
fn layers_that_are_compressed_as_asked_already_stay_as_they_are() {
    let scene = Scene::new();
    let sources = pair(&scene, &["web:1"]);
    let (kept, asked) = (scene.out("kept/"), scene.out("asked/"));
    fused(&sources, &kept, &[]);
    fused(&sources, &asked, &[("compression", "gzip:9")]);
    assert!(tree(&kept) == tree(&asked));
}

#[test]
fn a_layer_that_inflates_to_something_else_is_found_when_inflated() {
    let scene = Scene::new();
    let lies =
        (hostile::case("lying-diff-id-oci").unwrap().build)(&scene.path().join("in")).unwrap();
    fused(&[&lies], &scene.out("unseen.tar"), &[]);
    for chosen in [
        ("verify", "full"),
        ("compression", "none"),
        ("compression", "zstd"),
    ] {
        let error = try_fuse(&[&lies], &scene.out("images.tar"), &[chosen])
            .unwrap_err()
            .error;
        assert_eq!(
            error.kind(),
            ErrorKind::DigestMismatch,
            "{chosen:?}: {error:?}"
        );
        assert!(
            error.get_member().is_some() && error.get_offset().is_some(),
            "{error:?}"
        );
        assert!(!scene.out("images.tar").exists());
    }
}

#[test]
fn with_keep_going_a_damaged_image_fails_and_the_others_are_published() {
    for (flavour, form) in [
        (Flavour::OciArchive, LayerForm::Gzip),
        (Flavour::DockerLegacy, LayerForm::Raw),
        (Flavour::Ggcr, LayerForm::Gzip),
        (Flavour::OciLayout, LayerForm::Gzip),
    ] {
        for what in [Damage::Layer, Damage::Config] {
            let scene = Scene::new();
            let images = [
                image("bad:1", &Platform::amd64(), 1),
                image("good:1", &Platform::amd64(), 2),
            ];
            let source = scene.write_form("source", flavour, form, &images, &Options::default());
            what.apply(&source);
            for name in ["images.tar", "images.tar.gz", "layout/"] {
                let out = scene.out(name);
                let error = try_fuse(&[&source.path], &out, &[]).unwrap_err().error;
                assert_eq!(
                    error.kind(),
                    ErrorKind::DigestMismatch,
                    "{flavour:?} {what:?} {name}"
                );
                assert!(scene.published().is_empty(), "{name}");

                let report = fused(&[&source.path], &out, &[("keep-going", "true")]);
                assert_eq!(
                    report["status"], "partial",
                    "{flavour:?} {what:?} {name}: {report:#}"
                );
                let bad = of(&report, "docker.io/library/bad:1");
                assert_eq!(bad["action"], "failed");
                assert_eq!(bad["error"]["kind"], "digest-mismatch", "{bad:#}");
                assert_eq!(bad["digest"], json!(null));
                let good = of(&report, "docker.io/library/good:1");
                assert_eq!(good["action"], "created");
                if !name.ends_with("gz") {
                    assert_eq!(Layout::sound(&out).names(), ["docker.io/library/good:1"]);
                }
                let _ = fs::remove_file(&out);
                let _ = fs::remove_dir_all(&out);
            }
        }
    }
}

/// What is damaged of the first image.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Layer,
    Config,
}

impl Damage {
    /// Flips a bit in the only copy of a blob of the first image.
    fn apply(self, written: &Written) {
        let image = &written.images[0];
        let blob = match self {
            Self::Layer => *image.layers.last().unwrap(),
            Self::Config => image.config,
        };
        let mut done = false;
        let mut spoil = |file: &Path| {
            let mut bytes = fs::read(file).unwrap();
            let size = usize::try_from(blob.size).unwrap();
            // Members begin at whole blocks, files of a layout at 0.
            let starts = (0..=bytes.len().saturating_sub(size)).step_by(512);
            for at in starts
                .filter(|at| Digest::of(&bytes[*at..*at + size]) == blob.digest)
                .collect::<Vec<_>>()
            {
                bytes[at + size / 2] ^= 1;
                done = true;
            }
            fs::write(file, bytes).unwrap();
        };
        if written.path.is_dir() {
            spoil(&written.path.join("blobs/sha256").join(blob.digest.hex()));
        } else {
            spoil(&written.path);
        }
        assert!(done, "no such blob in {}", written.path.display());
    }
}

#[test]
fn with_keep_going_conflicts_and_missing_platforms_fail_one_image_each() {
    let scene = Scene::new();
    let one = oci(
        &scene,
        "one.tar",
        &[amd64("web:1"), amd64("db:1"), amd64("lonely:1")],
    )
    .path;
    let two = oci(
        &scene,
        "two.tar",
        &[image("web:1", &Platform::amd64(), 2), arm64("db:1")],
    )
    .path;
    let chosen = [
        ("keep-going", "true"),
        ("require-platform", "linux/amd64,linux/arm64"),
    ];
    let out = scene.out("images.tar");
    let report = fused(&[&one, &two], &out, &chosen);
    assert_eq!(report["status"], "partial");
    assert_eq!(of(&report, WEB)["error"]["kind"], "conflict");
    assert_eq!(
        of(&report, "docker.io/library/lonely:1")["error"]["kind"],
        "platform-missing"
    );
    assert_eq!(Layout::sound(&out).names(), ["docker.io/library/db:1"]);
}

#[test]
fn a_dry_run_writes_nothing_and_tells_what_a_real_one_does() {
    let scene = Scene::new();
    let sources = pair(&scene, &["web:1", "db:1"]);
    let newer = oci(
        &scene,
        "newer.tar",
        &[image("web:1", &Platform::amd64(), 2)],
    )
    .path;
    let compare = |sources: &[&Path], out: &Path, chosen: &[(&str, &str)]| {
        let before = scene.published();
        let mut plan = fused(sources, out, &[chosen, &[("dry-run", "true")]].concat());
        assert!(scene.published() == before, "a dry run wrote something");
        assert_eq!(plan["dry_run"], true);
        let mut real = fused(sources, out, chosen);
        for report in [&mut plan, &mut real] {
            for volatile in ["dry_run", "elapsed_seconds"] {
                report[volatile] = json!(null);
            }
            // What framing and documents add is known once they are written.
            for written in ["/bytes/written", "/bytes/read", "/bytes/peak_spool"] {
                *report.pointer_mut(written).unwrap() = json!(null);
            }
        }
        assert_eq!(plan, real);
    };
    let both = [sources[0].as_path(), sources[1].as_path()];
    compare(&both, &scene.out("images.tar"), &[]);
    compare(&both, &scene.out("layout/"), &[("image", "web*")]);
    compare(
        &both,
        &scene.out("chosen.tar"),
        &[("platform", "linux/arm64")],
    );
    compare(
        &[&newer],
        &scene.out("layout/"),
        &[("on-existing", "merge")],
    );
    compare(
        &[&newer],
        &scene.out("images.tar"),
        &[("on-existing", "merge")],
    );
    // A plan needs no destination, and cannot know what compressing will make.
    let report = fused(
        &both,
        &scene.out("none.tar"),
        &[("dry-run", "true"), ("compression", "zstd")],
    );
    assert_eq!(of(&report, WEB)["digest"], json!(null));
    assert!(!scene.out("none.tar").exists());
}

#[test]
fn docker_load_gets_the_platform_that_is_asked_for() {
    let scene = Scene::new();
    let sources = pair(&scene, &["web:1"]);
    let only = oci(&scene, "only.tar", &[arm64("only:1")]).path;
    let config = |chosen: &[(&str, &str)], reference: &str| {
        let out = scene.out("images.tar");
        let chosen = [chosen, &[("on-existing", "replace")]].concat();
        let report = fused(&[&sources[0], &sources[1], &only], &out, &chosen);
        assert_eq!(warnings(&report, "docker-platform").len(), 1, "{report:#}");
        let layout = Layout::sound(&out);
        let listing = layout.document("manifest.json");
        let entries = listing.as_array().unwrap();
        assert_eq!(entries.len(), 2, "{listing:#}");
        let entry = entries
            .iter()
            .find(|entry| entry["RepoTags"] == json!([reference]));
        let entry = entry.unwrap_or_else(|| panic!("no {reference} in {listing:#}"));
        for layer in entry["Layers"].as_array().unwrap() {
            layout.file(layer.as_str().unwrap());
        }
        text(&layout.document(entry["Config"].as_str().unwrap())["architecture"])
    };
    let tag = |name: &str| format!("docker.io/library/{name}");
    assert_eq!(config(&[], &tag("web:1")), "amd64");
    assert_eq!(
        config(&[("docker-platform", "linux/arm64")], &tag("web:1")),
        "arm64"
    );
    assert_eq!(config(&[], &tag("only:1")), "arm64");
    assert_eq!(
        config(&[("docker-platform", "linux/s390x")], &tag("web:1")),
        "amd64"
    );
}
