//! Content of every kind: artifacts that are no images, other digests, shared blobs, names.

use std::fs;

use fusion_core::ErrorKind;
use fusion_fixtures::{Digest, Flavour, Naming, Options};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha512};

use super::super::support::{Layout, Scene, fused, text, try_fuse};
use super::{amd64, oci, of, pair, platforms};

const WEB: &str = "docker.io/library/web:1";

#[test]
fn artifacts_that_are_no_images_survive() {
    let scene = Scene::new();
    let layout = scene.source("layout");
    fs::create_dir_all(layout.join("blobs/sha256")).unwrap();
    fs::write(
        layout.join("oci-layout"),
        r#"{"imageLayoutVersion":"1.0.0"}"#,
    )
    .unwrap();
    let put = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(bytes);
        fs::write(layout.join("blobs/sha256").join(digest.hex()), bytes).unwrap();
        json!({"mediaType": media_type, "digest": digest.to_string(), "size": bytes.len()})
    };
    let manifest_type = "application/vnd.oci.image.manifest.v1+json";
    let mut roots = Vec::new();
    for (name, config, layer) in [
        (
            "charts.example/app:1.0.0",
            "application/vnd.cncf.helm.config.v1+json",
            "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        ),
        (
            "registry.example/app:sha256-17.sig",
            "application/vnd.oci.image.config.v1+json",
            "application/vnd.dev.cosign.simplesigning.v1+json",
        ),
        (
            "registry.example/wasm:1",
            "application/vnd.wasm.config.v0+json",
            "application/wasm",
        ),
    ] {
        let content = format!("content of {name}");
        // Signatures are in the dress of an image that runs on nothing.
        let rootfs =
            json!({"type": "layers", "diff_ids": [Digest::of(content.as_bytes()).to_string()]});
        let document = json!({"architecture": "", "os": "", "config": {}, "rootfs": rootfs});
        let config = put(document.to_string().as_bytes(), config);
        let layer = put(content.as_bytes(), layer);
        let manifest = json!({"schemaVersion": 2, "mediaType": manifest_type, "config": config,
            "layers": [layer], "annotations": {"unknown.to.fusion": "stays"}, "futureField": [1, 2]});
        let mut root = put(manifest.to_string().as_bytes(), manifest_type);
        root["annotations"] = json!({"org.opencontainers.image.ref.name": name});
        roots.push((name, root));
    }
    let all: Vec<Value> = roots.iter().map(|(_, root)| root.clone()).collect();
    let index = json!({"schemaVersion": 2, "manifests": all});
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    let other = oci(&scene, "images.tar", &[amd64("web:1")]).path;
    let stated = format!("{}=linux/arm64", layout.display());
    let choices: [&[(&str, &str)]; 2] = [
        &[("verify", "full"), ("compression", "zstd")],
        &[("media-types", "docker"), ("source-platform", &stated)],
    ];
    for (name, chosen) in ["layout/", "images.tar"].into_iter().zip(choices) {
        let out = scene.out(name);
        let report = fused(&[&layout, &other], &out, chosen);
        assert_eq!(report["images"].as_array().unwrap().len(), 4, "{report:#}");
        let result = Layout::sound(&out);
        for (reference, root) in &roots {
            let kept = &result.root(reference)["digest"];
            assert_eq!(*kept, root["digest"], "{name} {reference}");
            let variants = platforms(of(&report, reference));
            assert_eq!(variants, ["unknown"], "{name} {reference}");
        }
        if name == "images.tar" {
            // `docker load` would choke on anything but images.
            let listing = result.document("manifest.json");
            assert_eq!(listing.as_array().unwrap().len(), 1, "{listing:#}");
        }
    }
}

#[test]
fn blobs_may_go_by_sha512() {
    let scene = Scene::new();
    let source = oci(&scene, "images.tar", &[amd64("web:1")]);
    let original = Layout::read(&source.path);
    let layout = scene.source("layout");
    let put = |bytes: &[u8]| -> String {
        let hex: String = Sha512::digest(bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        fs::create_dir_all(layout.join("blobs/sha512")).unwrap();
        fs::write(layout.join("blobs/sha512").join(&hex), bytes).unwrap();
        format!("sha512:{hex}")
    };
    let mut root = original.roots()[0].clone();
    let mut manifest = original.json(&root["digest"]);
    manifest["config"]["digest"] = json!(put(original.blob(&manifest["config"]["digest"])));
    for layer in manifest["layers"].as_array_mut().unwrap() {
        layer["digest"] = json!(put(original.blob(&layer["digest"])));
    }
    let manifest = manifest.to_string();
    root["digest"] = json!(put(manifest.as_bytes()));
    root["size"] = json!(manifest.len());
    fs::write(layout.join("oci-layout"), original.file("oci-layout")).unwrap();
    let index = json!({"schemaVersion": 2, "manifests": [root]});
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    for name in ["layout/", "images.tar"] {
        let out = scene.out(name);
        fused(&[&layout], &out, &[("verify", "full")]);
        let result = Layout::sound(&out);
        assert_eq!(result.children(WEB)[0]["digest"], root["digest"], "{name}");
        let lost: Vec<_> = result
            .reached()
            .difference(&result.blobs())
            .cloned()
            .collect();
        assert!(lost.is_empty(), "{name}: {lost:?}");
    }
    // One bit of it.
    let blob = layout
        .join("blobs")
        .join(text(&root["digest"]).replace(':', "/"));
    fs::write(&blob, manifest.replace("schemaVersion", "schemaversion")).unwrap();
    let error = try_fuse(&[&layout], &scene.out("bad.tar"), &[])
        .unwrap_err()
        .error;
    assert_eq!(error.kind(), ErrorKind::DigestMismatch, "{error:?}");
}

#[test]
fn a_blob_that_many_images_have_is_written_once() {
    let scene = Scene::new();
    let sources = pair(&scene, &["a:1", "b:1", "c:1"]);
    let report = fused(&sources, &scene.out("layout/"), &[]);
    let blobs = &report["blobs"];
    let there = Layout::sound(&scene.out("layout/")).blobs().len();
    assert_eq!(blobs["unique"], there, "{report:#}");
    assert_eq!(blobs["written"], there, "{report:#}");
    // Six images share their first layer.
    assert_eq!(blobs["referenced"], there + 5, "{report:#}");
    assert!(report["bytes"]["deduplicated"].as_u64().unwrap() > 0);
}

#[test]
fn names_are_full_in_what_is_written_whatever_the_source_says() {
    let scene = Scene::new();
    for (naming, name) in [
        (Naming::Usual, "usual"),
        (Naming::Full, "full"),
        (Naming::Given, "given"),
    ] {
        for flavour in Flavour::ALL {
            let options = Options {
                naming,
                ..Options::default()
            };
            let source = format!("{name}-{}", flavour.name());
            let source = scene.write(&source, flavour, &[amd64("acme/web:1")], &options);
            let out = scene.out(&format!("{name}-{}", flavour.name()));
            fused(&[&source.path], &out, &[("name", "docker.io/acme/web")]);
            let layout = Layout::sound(&out);
            assert_eq!(
                layout.names(),
                ["docker.io/acme/web:1"],
                "{flavour:?} {name}"
            );
            let root = layout.root("docker.io/acme/web:1");
            let image_name = &root["annotations"]["io.containerd.image.name"];
            assert_eq!(image_name, "docker.io/acme/web:1", "{flavour:?} {name}");
        }
    }
}
