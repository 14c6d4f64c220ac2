//! Indexes, manifests and descriptors: what passes through, and what is made or converted.

use fusion_core::ErrorKind;
use fusion_fixtures::{Flavour, LayerForm, MediaTypes, Naming, Options, Platform, synthetic};
use serde_json::json;

use super::super::support::{Layout, Scene, fused, platform, text, try_fuse};
use super::{amd64, arm64, image, oci, of, pair, platforms, warnings};

const WEB: &str = "docker.io/library/web:1";

#[test]
fn a_reference_of_one_platform_is_an_index_around_the_original_manifest() {
    let scene = Scene::new();
    let source = oci(&scene, "images.tar", &[arm64("web:1")]);
    let out = scene.out("images.tar");
    let report = fused(&[&source.path], &out, &[]);
    let layout = Layout::sound(&out);
    let root = layout.root(WEB);
    assert_eq!(root["mediaType"], "application/vnd.oci.image.index.v1+json");
    assert_eq!(root["digest"], of(&report, WEB)["digest"]);
    let original = source.images[0].manifest.unwrap();
    let [child] = &layout.children(WEB)[..] else {
        panic!("one child: {root:#}");
    };
    assert_eq!(child["digest"], original.digest.to_string());
    assert_eq!(child["size"], original.size);
    assert_eq!(platform(child), "linux/arm64");
    assert!(
        child.get("annotations").is_none(),
        "names do not enter children: {child:#}"
    );
}

#[test]
fn partial_archives_that_complete_each_other_give_the_original_index() {
    let scene = Scene::new();
    let images = [amd64("web:1"), arm64("web:1")];
    let half = |name: &str, absent: Platform| {
        let options = Options {
            absent: vec![absent],
            ..Options::default()
        };
        scene.write(name, Flavour::DockerContainerd, &images, &options)
    };
    let halves = [
        half("amd64.tar", Platform::arm64()),
        half("arm64.tar", Platform::amd64()),
    ];
    let original = halves[0].indexes[0].blob.digest.to_string();
    let report = fused(&[&halves[0].path], &scene.out("half.tar"), &[]);
    assert_eq!(warnings(&report, "partial-archive").len(), 1, "{report:#}");
    assert_eq!(
        Layout::sound(&scene.out("half.tar")).platforms(WEB),
        ["linux/amd64"]
    );

    let report = fused(
        &[&halves[0].path, &halves[1].path],
        &scene.out("whole.tar"),
        &[],
    );
    assert_eq!(of(&report, WEB)["digest"], original);
    assert!(
        warnings(&report, "partial-archive").is_empty(),
        "{report:#}"
    );
    // Also one after the other.
    let merge = [("on-existing", "merge")];
    let report = fused(&[&halves[1].path], &scene.out("half.tar"), &merge);
    assert_eq!(platforms(of(&report, WEB)), ["linux/amd64", "linux/arm64"]);
    assert_eq!(of(&report, WEB)["digest"], original);
}

#[test]
fn attestations_stay_with_the_manifest_that_they_describe() {
    let scene = Scene::new();
    let attested = Options {
        attestation: true,
        ..Options::default()
    };
    let write = |name: &str, image: fusion_fixtures::Image, options: &Options| {
        scene.write(name, Flavour::OciArchive, &[image], options)
    };
    let amd = write("amd64.tar", amd64("web:1"), &attested);
    let arm = write("arm64.tar", arm64("web:1"), &attested);
    let out = scene.out("layout/");
    let report = fused(&[&amd.path, &arm.path], &out, &[]);
    assert_eq!(platforms(of(&report, WEB)), ["linux/amd64", "linux/arm64"]);
    let statements = |written: &fusion_fixtures::Written| {
        written.images[0].attestation.unwrap().digest.to_string()
    };
    let attestations = || -> Vec<(String, String)> {
        let children = Layout::sound(&out).children(WEB);
        let describes =
            |child: &serde_json::Value| text(&child["annotations"]["vnd.docker.reference.digest"]);
        let about = children
            .iter()
            .map(|child| (text(&child["digest"]), describes(child)));
        about.filter(|(_, subject)| !subject.is_empty()).collect()
    };
    let manifest =
        |written: &fusion_fixtures::Written| written.images[0].manifest.unwrap().digest.to_string();
    assert_eq!(
        attestations(),
        [
            (statements(&amd), manifest(&amd)),
            (statements(&arm), manifest(&arm))
        ]
    );
    // Another build of one platform takes the place of the old one and of what described that.
    let newer = write(
        "newer.tar",
        image("web:1", &Platform::amd64(), 2),
        &Options::default(),
    );
    fused(&[&newer.path], &out, &[("on-existing", "merge")]);
    assert_eq!(attestations(), [(statements(&arm), manifest(&arm))]);
    // Only one platform is kept, with its own.
    let report = fused(
        &[&amd.path, &arm.path],
        &out,
        &[("platform", "linux/arm64"), ("on-existing", "replace")],
    );
    assert_eq!(platforms(of(&report, WEB)), ["linux/arm64"]);
    assert_eq!(attestations(), [(statements(&arm), manifest(&arm))]);
}

#[test]
fn windows_images_of_several_versions_stand_side_by_side() {
    let scene = Scene::new();
    let windows = |version: &str| Platform {
        os: "windows".to_owned(),
        os_version: Some(version.to_owned()),
        ..Platform::amd64()
    };
    let old = oci(
        &scene,
        "old.tar",
        &[image("web:1", &windows("10.0.17763.1"), 1)],
    )
    .path;
    let new = oci(
        &scene,
        "new.tar",
        &[image("web:1", &windows("10.0.20348.1"), 2)],
    )
    .path;
    let linux = oci(&scene, "linux.tar", &[amd64("web:1")]).path;
    let out = scene.out("images.tar");
    fused(&[&old, &new, &linux], &out, &[]);
    let children = Layout::sound(&out).children(WEB);
    let versions: Vec<_> = children
        .iter()
        .map(|child| text(&child["platform"]["os.version"]))
        .collect();
    assert_eq!(versions, ["", "10.0.17763.1", "10.0.20348.1"]);
}

#[test]
fn variants_of_an_architecture_are_platforms_of_their_own() {
    let scene = Scene::new();
    let arm =
        |variant: &str, seed| image("web:1", &Platform::linux("arm").with_variant(variant), seed);
    let six = oci(&scene, "six.tar", &[arm("v6", 1)]).path;
    let seven = oci(&scene, "seven.tar", &[arm("v7", 2)]).path;
    let eight = oci(
        &scene,
        "eight.tar",
        &[image("web:1", &Platform::arm64().with_variant("v8"), 3)],
    )
    .path;
    let out = scene.out("images.tar");
    fused(&[&six, &seven, &eight], &out, &[]);
    let layout = Layout::sound(&out);
    assert_eq!(
        layout.platforms(WEB),
        ["linux/arm/v6", "linux/arm/v7", "linux/arm64"]
    );
}

#[test]
fn a_pinned_reference_keeps_its_digest() {
    let scene = Scene::new();
    let plain = oci(&scene, "plain.tar", &[amd64("web:1")]);
    let digest = plain.images[0].manifest.unwrap().digest;
    let pinned = format!("docker.io/library/web@{digest}");
    let given = Options {
        naming: Naming::Given,
        ..Options::default()
    };
    let renamed = fusion_fixtures::Image {
        reference: Some(pinned.clone()),
        ..amd64("web:1")
    };
    let source = scene
        .write("pinned.tar", Flavour::OciArchive, &[renamed], &given)
        .path;
    let out = scene.out("images.tar");
    let report = fused(&[&source], &out, &[]);
    assert_eq!(of(&report, &pinned)["digest"], digest.to_string());
    assert_eq!(
        Layout::sound(&out).root(&pinned)["digest"],
        digest.to_string()
    );
    // What is another image by then cannot go by that name.
    let wrong = format!(
        "docker.io/library/web@{}",
        fusion_fixtures::Digest::of(b"other")
    );
    let renamed = fusion_fixtures::Image {
        reference: Some(wrong),
        ..amd64("web:1")
    };
    let source = scene
        .write("wrong.tar", Flavour::OciArchive, &[renamed], &given)
        .path;
    let error = try_fuse(&[&source], &scene.out("none.tar"), &[])
        .unwrap_err()
        .error;
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.get_hint().is_some(), "{error:?}");
}

#[test]
fn unchanged_indexes_pass_byte_for_byte_and_only_new_ones_are_annotated() {
    let scene = Scene::new();
    let images = [amd64("web:1"), arm64("web:1"), amd64("db:1")];
    let source = oci(&scene, "images.tar", &images);
    let original = source.indexes[0].blob.digest.to_string();
    let out = scene.out("images.tar");
    let report = fused(&[&source.path], &out, &[("annotation", "com.acme.run=17")]);
    assert_eq!(of(&report, WEB)["digest"], original);
    let layout = Layout::sound(&out);
    assert!(
        layout
            .json(&layout.root(WEB)["digest"])
            .get("annotations")
            .is_none()
    );
    let made = layout.json(&layout.root("docker.io/library/db:1")["digest"]);
    assert_eq!(made["annotations"], json!({"com.acme.run": "17"}));
    let child = layout.children("docker.io/library/db:1")[0].clone();
    assert!(child.get("annotations").is_none(), "{child:#}");
    let [amd, arm] = pair(&scene, &["app:1"]);
    let out = scene.out("pair.tar");
    fused(
        &[&amd, &arm],
        &out,
        &[("annotation", "a=1"), ("annotation", "b=2=3")],
    );
    let layout = Layout::sound(&out);
    let index = layout.json(&layout.root("docker.io/library/app:1")["digest"]);
    assert_eq!(index["annotations"], json!({"a": "1", "b": "2=3"}));
}

#[test]
fn docker_children_stay_docker_under_an_oci_index() {
    let scene = Scene::new();
    let docker = Options {
        media_types: MediaTypes::Docker,
        ..Options::default()
    };
    let write = |name: &str, image, options: &Options| {
        scene.write(name, Flavour::OciArchive, &[image], options)
    };
    let amd = write("amd64.tar", amd64("web:1"), &docker);
    let arm = write("arm64.tar", arm64("web:1"), &docker);
    let other = write("other.tar", arm64("web:1"), &Options::default());
    let expected = "application/vnd.oci.image.index.v1+json";
    for (name, second) in [("docker.tar", &arm), ("mixed.tar", &other)] {
        let out = scene.out(name);
        fused(&[&amd.path, &second.path], &out, &[]);
        let layout = Layout::sound(&out);
        let root = layout.root(WEB);
        assert_eq!(root["mediaType"], expected);
        assert_eq!(layout.json(&root["digest"])["mediaType"], expected);
        // Manifests stay as they are.
        let kept = layout.children(WEB)[0]["digest"].clone();
        assert_eq!(kept, amd.images[0].manifest.unwrap().digest.to_string());
    }
}

#[test]
fn media_types_are_converted_without_touching_layers() {
    let scene = Scene::new();
    let docker = Options {
        media_types: MediaTypes::Docker,
        ..Options::default()
    };
    let image = [amd64("web:1")];
    let from_docker = scene.write("docker.tar", Flavour::OciArchive, &image, &docker);
    let from_oci = scene.write("oci.tar", Flavour::OciArchive, &image, &Options::default());
    let oci_types = [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.oci.image.config.v1+json",
        "application/vnd.oci.image.layer.v1.tar+gzip",
    ];
    let docker_types = [
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.docker.distribution.manifest.v2+json",
        "application/vnd.docker.container.image.v1+json",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ];
    for (source, policy, types) in [
        (&from_docker, "oci", oci_types),
        (&from_oci, "docker", docker_types),
        (&from_docker, "docker", docker_types),
        (&from_oci, "oci", oci_types),
    ] {
        let out = scene.out("images.tar");
        let chosen = [("media-types", policy), ("on-existing", "replace")];
        fused(&[&source.path], &out, &chosen);
        let layout = Layout::sound(&out);
        let (root, child) = (layout.root(WEB), layout.children(WEB)[0].clone());
        let manifest = layout.json(&child["digest"]);
        let found = [
            &root["mediaType"],
            &child["mediaType"],
            &manifest["config"]["mediaType"],
            &manifest["layers"][0]["mediaType"],
        ];
        assert_eq!(found.map(text), types, "{policy}");
        assert_eq!(manifest["mediaType"], child["mediaType"]);
        let written = &source.images[0];
        assert_eq!(
            manifest["config"]["digest"],
            written.config.digest.to_string()
        );
        assert_eq!(
            manifest["layers"][0]["digest"],
            written.layers[0].digest.to_string()
        );
    }
    let zstd = scene.write_form(
        "zstd.tar",
        Flavour::OciArchive,
        LayerForm::Zstd,
        &image,
        &Options::default(),
    );
    let failure = try_fuse(
        &[&zstd.path],
        &scene.out("none.tar"),
        &[("media-types", "docker")],
    );
    let error = failure.unwrap_err().error;
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.get_hint().is_some(), "{error:?}");
}

#[test]
fn foreign_layers_stay_descriptors() {
    let scene = Scene::new();
    let url = "https://layers.example/base";
    let windows = Platform {
        os: "windows".to_owned(),
        ..Platform::amd64()
    };
    let layers = synthetic::image(Some("web:1"), &windows, 1, &[2000, 3000], 1)
        .unwrap()
        .layers;
    let layers = vec![layers[0].clone().foreign(url), layers[1].clone()];
    let process = fusion_fixtures::Process::new(&["cmd"]);
    let image = fusion_fixtures::Image::new(Some("web:1"), &windows, layers, &process);
    for flavour in [Flavour::OciArchive, Flavour::DockerHybrid, Flavour::Skopeo] {
        let name = flavour.name();
        let source = scene.write(name, flavour, &[image.clone()], &Options::default());
        let out = scene.out(name);
        fused(&[&source.path], &out, &[("verify", "full")]);
        let layout = Layout::read(&out);
        let manifest = layout.json(&layout.children(WEB)[0]["digest"]);
        let foreign = &manifest["layers"][0];
        assert_eq!(foreign["urls"], json!([url]), "{name}: {manifest:#}");
        assert!(
            text(&foreign["mediaType"]).contains("nondistributable"),
            "{name}: {foreign:#}"
        );
        let blob = super::super::support::blob_path(&foreign["digest"]);
        assert!(!layout.blobs().contains(&blob), "{name}");
    }
}
