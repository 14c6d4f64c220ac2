//! Which images belong together, and which of them are kept.

use fusion_core::ErrorKind;
use fusion_fixtures::{Flavour, LayerForm, Naming, Options, Platform};

use super::super::support::{Layout, Scene, fused, fusion, text, tree, try_fuse};
use super::{amd64, arm64, image, oci, of, platforms, warnings};

const WEB: &str = "docker.io/library/web:1";

#[test]
fn images_pair_by_their_normalised_names() {
    let scene = Scene::new();
    let spelled = [
        ("one.tar", Flavour::Skopeo, amd64("nginx")),
        (
            "two.tar",
            Flavour::OciArchive,
            arm64("docker.io/library/nginx:latest"),
        ),
        (
            "three.tar",
            Flavour::DockerLegacy,
            image("docker.io/nginx", &Platform::linux("s390x"), 1),
        ),
    ];
    let mut sources = Vec::new();
    for (name, flavour, image) in spelled {
        let options = Options {
            naming: Naming::Given,
            ..Options::default()
        };
        sources.push(scene.write(name, flavour, &[image], &options).path);
    }
    let out = scene.out("images.tar");
    let report = fused(&sources, &out, &[]);
    let nginx = of(&report, "docker.io/library/nginx:latest");
    assert_eq!(report["images"].as_array().unwrap().len(), 1, "{report:#}");
    assert!(nginx["names"].as_array().unwrap().len() >= 2, "{nginx:#}");
    assert_eq!(
        platforms(nginx),
        ["linux/amd64", "linux/arm64", "linux/s390x"]
    );
    let layout = Layout::sound(&out);
    assert_eq!(layout.names(), ["docker.io/library/nginx:latest"]);
    assert_eq!(
        layout.platforms("docker.io/library/nginx:latest"),
        ["linux/amd64", "linux/arm64", "linux/s390x"]
    );
}

#[test]
fn a_near_miss_comes_with_the_rename_that_pairs_it() {
    let scene = Scene::new();
    let sources = [
        oci(&scene, "docker.tar", &[amd64("docker.io/library/app:1")]).path,
        oci(&scene, "podman.tar", &[arm64("localhost/app:1")]).path,
    ];
    let report = fused(&sources, &scene.out("apart.tar"), &[]);
    assert_eq!(report["images"].as_array().unwrap().len(), 2);
    let [message] = &warnings(&report, "near-miss")[..] else {
        panic!("{report:#}");
    };
    let (_, rename) = message.split_once("`--rename ").expect("a rename");
    let (rename, _) = rename.split_once('`').unwrap();
    let report = fused(&sources, &scene.out("paired.tar"), &[("rename", rename)]);
    let app = of(&report, "docker.io/library/app:1");
    assert_eq!(
        platforms(app),
        ["linux/amd64", "linux/arm64"],
        "{rename}: {report:#}"
    );
    assert_eq!(
        report["warnings"].as_array().unwrap().len(),
        1,
        "docker-platform only: {report:#}"
    );
}

#[test]
fn images_that_lack_a_platform_are_reported() {
    let scene = Scene::new();
    let sources = [
        oci(&scene, "amd64.tar", &[amd64("both:1"), amd64("lonely:1")]).path,
        oci(&scene, "arm64.tar", &[arm64("both:1")]).path,
    ];
    let report = fused(&sources, &scene.out("images.tar"), &[]);
    let missing = warnings(&report, "missing-platform");
    assert_eq!(missing, ["docker.io/library/lonely:1 has no linux/arm64"]);
    assert_eq!(
        platforms(of(&report, "docker.io/library/lonely:1")),
        ["linux/amd64"]
    );
}

#[test]
fn an_archive_whose_name_says_another_architecture_is_reported() {
    let scene = Scene::new();
    let wrong = oci(&scene, "images-arm64.tar", &[amd64("web:1"), amd64("db:1")]).path;
    let report = fused(&[&wrong], &scene.out("wrong.tar"), &[]);
    assert_eq!(
        warnings(&report, "platform-mismatch").len(),
        2,
        "{report:#}"
    );
    let right = oci(&scene, "images-amd64.tar", &[amd64("web:1")]).path;
    let report = fused(&[&right], &scene.out("right.tar"), &[]);
    assert!(
        warnings(&report, "platform-mismatch").is_empty(),
        "{report:#}"
    );
}

#[test]
fn source_platform_overrides_what_the_images_say() {
    let scene = Scene::new();
    let right = oci(&scene, "amd64.tar", &[amd64("web:1")]).path;
    let mistaken = oci(
        &scene,
        "mistaken.tar",
        &[image("web:1", &Platform::amd64(), 2)],
    );
    let chosen = format!("{}=linux/arm64/v8", mistaken.path.display());
    let out = scene.out("images.tar");
    let chosen = [("source-platform", chosen.as_str())];
    let report = fused(&[&right, &mistaken.path], &out, &chosen);
    assert_eq!(platforms(of(&report, WEB)), ["linux/amd64", "linux/arm64"]);
    let layout = Layout::sound(&out);
    let original = mistaken.images[0].manifest.unwrap().digest.to_string();
    assert_eq!(layout.children(WEB)[1]["digest"], original);
    let failure = try_fuse(
        &[&right],
        &out,
        &[("source-platform", "elsewhere.tar=linux/arm64")],
    );
    assert_eq!(failure.unwrap_err().error.kind(), ErrorKind::Usage);
}

#[test]
fn architecture_suffixes_come_off_on_request() {
    let scene = Scene::new();
    let sources = [
        oci(
            &scene,
            "amd64.tar",
            &[amd64("app:1.5-amd64"), amd64("db-linux-x86_64:2")],
        )
        .path,
        oci(
            &scene,
            "arm64.tar",
            &[arm64("app:1.5-arm64"), arm64("db-linux-aarch64:2")],
        )
        .path,
    ];
    let report = fused(&sources, &scene.out("apart.tar"), &[]);
    assert_eq!(report["images"].as_array().unwrap().len(), 4);
    let report = fused(
        &sources,
        &scene.out("paired.tar"),
        &[("strip-arch-suffix", "true")],
    );
    assert_eq!(report["images"].as_array().unwrap().len(), 2, "{report:#}");
    for reference in ["docker.io/library/app:1.5", "docker.io/library/db:2"] {
        assert_eq!(
            platforms(of(&report, reference)),
            ["linux/amd64", "linux/arm64"]
        );
    }
}

#[test]
fn images_without_a_name_get_the_one_that_is_given() {
    let scene = Scene::new();
    let tagged = Options {
        naming: Naming::Tag,
        ..Options::default()
    };
    let nameless = Options {
        naming: Naming::None,
        ..Options::default()
    };
    let image = [amd64("web:1.5")];
    let bare = scene
        .write("bare.tar", Flavour::OciArchive, &image, &tagged)
        .path;
    let unnamed = scene
        .write("unnamed.tar", Flavour::OciArchive, &image, &nameless)
        .path;
    let docker = scene
        .write("docker.tar", Flavour::Skopeo, &image, &nameless)
        .path;
    for source in [&bare, &unnamed, &docker] {
        let error = try_fuse(&[source], &scene.out("images.tar"), &[])
            .unwrap_err()
            .error;
        assert_eq!(error.kind(), ErrorKind::InvalidArchive);
        assert!(
            error.get_hint().is_some_and(|hint| hint.contains("--name")),
            "{error:?}"
        );
    }
    for (source, name, reference) in [
        (&bare, "acme/app", "docker.io/acme/app:1.5"),
        (&bare, "acme/app:2", "docker.io/acme/app:2"),
        (&unnamed, "ghcr.io/acme/app:2", "ghcr.io/acme/app:2"),
        (&docker, "acme/app", "docker.io/acme/app:latest"),
    ] {
        let chosen = [("name", name), ("on-existing", "replace")];
        let report = fused(&[source], &scene.out("images.tar"), &chosen);
        of(&report, reference);
        assert_eq!(Layout::sound(&scene.out("images.tar")).names(), [reference]);
    }
}

#[test]
fn globs_choose_and_leave_out() {
    let scene = Scene::new();
    let names = ["web:1", "web:2", "db:1", "quay.io/acme/web:1"];
    let source = oci(&scene, "images.tar", &names.map(amd64)).path;
    let cases: [(&[(&str, &str)], &[&str]); 6] = [
        (
            &[("image", "web:*")],
            &["docker.io/library/web:1", "docker.io/library/web:2"],
        ),
        (
            &[("image", "*web:1")],
            &["docker.io/library/web:1", "quay.io/acme/web:1"],
        ),
        (
            &[("exclude", "quay.io/*"), ("exclude", "*:2")],
            &["docker.io/library/db:1", "docker.io/library/web:1"],
        ),
        (
            &[("image", "docker.io/*"), ("exclude", "web:?")],
            &["docker.io/library/db:1"],
        ),
        (
            &[("image", "db:1"), ("image", "quay.io/acme/web:1")],
            &["docker.io/library/db:1", "quay.io/acme/web:1"],
        ),
        (&[("image", "[dx]b:1")], &["docker.io/library/db:1"]),
    ];
    for (chosen, expected) in cases {
        let chosen = [chosen, &[("on-existing", "replace")]].concat();
        let report = fused(&[&source], &scene.out("images.tar"), &chosen);
        let images = report["images"].as_array().unwrap().iter();
        let found: Vec<_> = images.map(|image| text(&image["reference"])).collect();
        assert_eq!(found, expected, "{chosen:?}");
        assert_eq!(Layout::sound(&scene.out("images.tar")).names(), expected);
    }
    let out = scene.out("none.tar");
    let failure = try_fuse(&[&source], &out, &[("image", "nothing*")]);
    assert_eq!(
        failure.unwrap_err().error.kind(),
        ErrorKind::NothingSelected
    );
    let words = ["fuse", "--image=[", "-o"];
    fusion(words).arg(&out).arg(&source).run().ends(2);
}

#[test]
fn only_the_platforms_asked_for_are_kept() {
    let scene = Scene::new();
    let arm = |variant: &str| image("web:1", &Platform::linux("arm").with_variant(variant), 1);
    let images = [
        amd64("web:1"),
        arm64("web:1"),
        arm("v6"),
        arm("v7"),
        amd64("intel:1"),
    ];
    let source = oci(&scene, "images.tar", &images).path;
    for (asked, kept) in [
        (
            "linux/amd64,linux/arm64",
            vec!["linux/amd64", "linux/arm64"],
        ),
        ("linux/arm/v6", vec!["linux/arm/v6"]),
        ("linux/x86_64", vec!["linux/amd64"]),
    ] {
        let chosen = [("platform", asked), ("on-existing", "replace")];
        let report = fused(&[&source], &scene.out("images.tar"), &chosen);
        assert_eq!(platforms(of(&report, WEB)), kept, "{asked}");
        assert_eq!(Layout::sound(&scene.out("images.tar")).platforms(WEB), kept);
        let intel = of(&report, "docker.io/library/intel:1");
        let expected = if asked.contains("64,") || asked.contains("x86") {
            "created"
        } else {
            "skipped"
        };
        assert_eq!(intel["action"], expected, "{asked}: {intel:#}");
    }
    let failure = try_fuse(
        &[&source],
        &scene.out("none.tar"),
        &[("platform", "linux/s390x")],
    );
    assert_eq!(
        failure.unwrap_err().error.kind(),
        ErrorKind::NothingSelected
    );
}

#[test]
fn a_platform_that_is_required_must_be_there() {
    let scene = Scene::new();
    let sources = [
        oci(&scene, "amd64.tar", &[amd64("both:1"), amd64("lonely:1")]).path,
        oci(&scene, "arm64.tar", &[arm64("both:1")]).path,
    ];
    let out = scene.out("images.tar");
    let required = ("require-platform", "linux/amd64,linux/arm64");
    let error = try_fuse(&sources, &out, &[required]).unwrap_err().error;
    assert_eq!(error.kind(), ErrorKind::PlatformMissing);
    assert_eq!(error.kind().exit_status(), 3);
    assert!(
        error.to_string().contains("lonely:1 lacks linux/arm64"),
        "{error}"
    );
    assert!(scene.published().is_empty());
    fused(&sources, &out, &[required, ("exclude", "lonely*")]);
}

#[test]
fn a_conflict_is_decided_by_the_policy() {
    let scene = Scene::new();
    let one = oci(&scene, "one.tar", &[amd64("web:1")]);
    let other = oci(
        &scene,
        "other.tar",
        &[image("web:1", &Platform::amd64(), 2)],
    );
    let sources = [&one.path, &other.path];
    let error = try_fuse(&sources, &scene.out("images.tar"), &[])
        .unwrap_err()
        .error;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    for part in ["one.tar", "other.tar", WEB, "linux/amd64"] {
        assert!(error.to_string().contains(part), "no {part}: {error}");
    }
    assert!(scene.published().is_empty());
    for (policy, expected) in [("first", &one), ("last", &other)] {
        let out = scene.out(policy);
        fused(&sources, &out, &[("on-conflict", policy)]);
        let manifest = expected.images[0].manifest.unwrap().digest.to_string();
        assert_eq!(
            Layout::sound(&out).children(WEB)[0]["digest"],
            manifest,
            "{policy}"
        );
    }
}

#[test]
fn the_same_image_raw_and_compressed_is_no_conflict() {
    let scene = Scene::new();
    let image = [amd64("web:1")];
    let write = |name: &str, flavour: Flavour, form: LayerForm| {
        scene
            .write_form(name, flavour, form, &image, &Options::default())
            .path
    };
    let sources = [
        write("raw.tar", Flavour::Skopeo, LayerForm::Raw),
        write("gzip.tar", Flavour::Ggcr, LayerForm::Gzip),
        write("original.tar", Flavour::OciArchive, LayerForm::Zstd),
    ];
    let mut results = Vec::new();
    for (at, order) in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [1, 0, 2]]
        .iter()
        .enumerate()
    {
        let out = scene.out(&format!("layout-{at}/"));
        let sources: Vec<_> = order.iter().map(|at| &sources[*at]).collect();
        fused(&sources, &out, &[]);
        Layout::sound(&out);
        results.push(tree(&out));
    }
    assert!(
        results.windows(2).all(|two| two[0] == two[1]),
        "the order of the sources matters"
    );
    // A manifest that an archive carries is worth more than one that has to be made.
    let layout = Layout::sound(&scene.out("layout-0/"));
    let manifest = layout.json(&layout.children(WEB)[0]["digest"]);
    assert_eq!(
        manifest["layers"][0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+zstd"
    );
}
