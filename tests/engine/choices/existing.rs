//! Destinations that exist: merged with, or replaced.

use std::fs;

use fusion_core::ErrorKind;
use fusion_fixtures::{Digest, Options, Platform};
use serde_json::json;

use super::super::support::{Layout, Scene, fused, text, tree, try_fuse};
use super::{amd64, arm64, image, oci, of, platforms, warnings};

const WEB: &str = "docker.io/library/web:1";
const DB: &str = "docker.io/library/db:1";
const MERGE: (&str, &str) = ("on-existing", "merge");

/// Every kind of destination.
const DESTINATIONS: [&str; 2] = ["layout/", "images.tar"];

#[test]
fn merging_adds_a_platform_and_keeps_everything_else() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let first = oci(&scene, "first.tar", &[amd64("web:1"), amd64("db:1")]);
        let second = oci(&scene, "second.tar", &[arm64("web:1")]);
        let out = scene.out(name);
        let before = fused(&[&first.path], &out, &[]);
        let kept = Layout::sound(&out).root(DB);

        let report = fused(&[&second.path], &out, &[MERGE]);
        let web = of(&report, WEB);
        assert_eq!(web["action"], "merged", "{name}: {report:#}");
        assert_eq!(web["previous_digest"], of(&before, WEB)["digest"], "{name}");
        assert_eq!(platforms(web), ["linux/amd64", "linux/arm64"], "{name}");
        let layout = Layout::sound(&out);
        assert_eq!(layout.names(), [DB, WEB], "{name}");
        assert_eq!(layout.root(DB), kept, "{name}");
        assert_eq!(layout.root(WEB)["digest"], web["digest"], "{name}");
        let manifests: Vec<_> = layout
            .children(WEB)
            .iter()
            .map(|c| text(&c["digest"]))
            .collect();
        let original = |written: &fusion_fixtures::Written| {
            written.images[0].manifest.unwrap().digest.to_string()
        };
        assert_eq!(manifests, [original(&first), original(&second)], "{name}");
        assert!(
            warnings(&report, "mixed-generation").is_empty(),
            "{name}: {report:#}"
        );
    }
}

#[test]
fn what_a_destination_says_of_itself_stays() {
    let scene = Scene::new();
    let first = oci(&scene, "first.tar", &[amd64("web:1")]).path;
    let second = oci(&scene, "second.tar", &[arm64("web:1")]).path;
    let says = json!({"org.example.site": "7"});
    let (layout, archive) = (scene.out("layout/"), scene.out("images.tar"));
    fused(&[&first], &layout, &[]);
    let mut index = Layout::sound(&layout).document("index.json");
    index["annotations"] = says.clone();
    fs::write(layout.join("index.json"), index.to_string()).unwrap();
    let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
    tar.append_dir_all(".", &layout).unwrap();
    tar.finish().unwrap();
    for out in [layout, archive] {
        fused(&[&second], &out, &[MERGE]);
        let merged = Layout::sound(&out);
        assert_eq!(merged.platforms(WEB), ["linux/amd64", "linux/arm64"]);
        assert_eq!(merged.document("index.json")["annotations"], says);
        fused(&[&second], &out, &[("on-existing", "replace")]);
        let replaced = Layout::sound(&out).document("index.json");
        assert!(replaced.get("annotations").is_none(), "{replaced:#}");
    }
}

#[test]
fn merging_replaces_a_platform_and_says_so() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let both = oci(&scene, "both.tar", &[amd64("web:1"), arm64("web:1")]);
        let newer = oci(
            &scene,
            "newer.tar",
            &[image("web:1", &Platform::amd64(), 2)],
        );
        let out = scene.out(name);
        let before = fused(&[&both.path], &out, &[]);
        let report = fused(&[&newer.path], &out, &[MERGE]);
        let web = of(&report, WEB);
        assert_eq!(web["action"], "replaced", "{name}: {web:#}");
        assert_eq!(web["previous_digest"], of(&before, WEB)["digest"]);
        assert_eq!(
            warnings(&report, "mixed-generation").len(),
            1,
            "{name}: {report:#}"
        );
        // `sound` insists that nothing of the old build is left.
        let layout = Layout::sound(&out);
        let stale = both.images[0].layers[1].digest.hex();
        assert!(
            layout.blobs().iter().all(|blob| !blob.ends_with(&stale)),
            "{name}"
        );
        let children = layout.children(WEB);
        assert_eq!(
            children[0]["digest"],
            newer.images[0].manifest.unwrap().digest.to_string()
        );
        assert_eq!(
            children[1]["digest"],
            both.images[1].manifest.unwrap().digest.to_string()
        );
    }
}

#[test]
fn merging_the_same_again_changes_no_byte() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let first = oci(&scene, "first.tar", &[amd64("web:1"), arm64("db:1")]).path;
        let second = oci(&scene, "second.tar", &[arm64("web:1")]).path;
        let out = scene.out(name);
        fused(&[&first], &out, &[]);
        fused(&[&second], &out, &[MERGE]);
        let before = scene.published();
        for source in [&first, &second] {
            let report = fused(&[source], &out, &[MERGE]);
            for image in report["images"].as_array().unwrap() {
                assert_eq!(image["action"], "unchanged", "{name}: {image:#}");
                assert_eq!(image["previous_digest"], json!(null), "{name}: {image:#}");
            }
            assert!(scene.published() == before, "{name} changed");
        }
    }
}

#[test]
fn merging_gives_the_same_as_fusing_at_once() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let amd = oci(&scene, "amd64.tar", &[amd64("web:1"), amd64("db:1")]).path;
        let arm = oci(&scene, "arm64.tar", &[arm64("web:1"), arm64("db:1")]).path;
        let (steps, once) = (
            scene.out(&format!("steps-{name}")),
            scene.out(&format!("once-{name}")),
        );
        fused(&[&arm], &steps, &[]);
        fused(&[&amd], &steps, &[MERGE]);
        fused(&[&amd, &arm], &once, &[]);
        if steps.is_dir() {
            assert!(tree(&steps) == tree(&once), "{name}");
        } else {
            assert!(
                fs::read(&steps).unwrap() == fs::read(&once).unwrap(),
                "{name}"
            );
        }
    }
}

#[test]
fn blobs_of_others_and_what_others_name_stay_in_a_layout() {
    let scene = Scene::new();
    let out = scene.out("layout/");
    fused(
        &[oci(&scene, "first.tar", &[amd64("web:1")]).path],
        &out,
        &[],
    );
    // Somebody else's blob, and a root that has no name.
    let foreign = format!("blobs/sha256/{}", Digest::of(b"of somebody else").hex());
    fs::write(out.join(&foreign), "of somebody else").unwrap();
    let other = oci(&scene, "other.tar", &[amd64("other:1")]);
    let unpacked = Layout::read(&other.path);
    for blob in unpacked.blobs() {
        fs::write(out.join(&blob), unpacked.file(&blob)).unwrap();
    }
    let mut index = Layout::read(&out).document("index.json");
    let mut nameless = unpacked.roots()[0].clone();
    nameless["annotations"] = json!({"com.acme.note": "keep me"});
    nameless["aFuture"] = json!({"field": [1, null]});
    index["manifests"]
        .as_array_mut()
        .unwrap()
        .push(nameless.clone());
    fs::write(out.join("index.json"), index.to_string()).unwrap();

    let newer = oci(
        &scene,
        "newer.tar",
        &[image("web:1", &Platform::amd64(), 2)],
    )
    .path;
    fused(&[newer], &out, &[MERGE]);
    let layout = Layout::read(&out);
    assert_eq!(layout.file(&foreign), b"of somebody else");
    let root = layout.roots().pop().unwrap();
    assert_eq!(root, nameless);
    let lost: Vec<_> = layout
        .reached()
        .difference(&layout.blobs())
        .cloned()
        .collect();
    assert!(lost.is_empty(), "{lost:?}");
}

#[test]
fn replacing_leaves_nothing_of_what_was() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let old = oci(&scene, "old.tar", &[amd64("web:1"), amd64("db:1")]).path;
        let new = oci(&scene, "new.tar", &[arm64("web:1")]).path;
        let (out, fresh) = (scene.out(name), scene.out(&format!("fresh-{name}")));
        let before = fused(&[&old], &out, &[]);
        let report = fused(&[&new], &out, &[("on-existing", "replace")]);
        let web = of(&report, WEB);
        assert_eq!(platforms(web), ["linux/arm64"], "{name}");
        fused(&[&new], &fresh, &[]);
        let same = if out.is_dir() {
            // Only a layout is read before it is replaced.
            assert_eq!(web["action"], "replaced", "{name}: {web:#}");
            assert_eq!(web["previous_digest"], of(&before, WEB)["digest"]);
            tree(&out) == tree(&fresh)
        } else {
            fs::read(&out).unwrap() == fs::read(&fresh).unwrap()
        };
        assert!(same, "{name} is not what a new destination is");
    }
}

#[test]
fn an_existing_destination_is_an_error_unless_a_policy_decides() {
    for name in DESTINATIONS {
        let scene = Scene::new();
        let source = oci(&scene, "images.tar", &[amd64("web:1")]).path;
        let out = scene.out(name);
        fused(&[&source], &out, &[]);
        let before = scene.published();
        let error = try_fuse(&[&source], &out, &[]).unwrap_err().error;
        assert_eq!(error.kind(), ErrorKind::DestinationExists, "{name}");
        assert!(scene.published() == before, "{name}");
    }
    // An empty folder does not exist, as far as this goes.
    let scene = Scene::new();
    let source = oci(&scene, "images.tar", &[amd64("web:1")]).path;
    fs::create_dir(scene.out("layout")).unwrap();
    fused(&[&source], &scene.out("layout"), &[]);
    assert_eq!(Layout::sound(&scene.out("layout")).names(), [WEB]);
}

#[test]
fn a_layout_may_be_a_source_and_the_destination() {
    let scene = Scene::new();
    let source = oci(&scene, "images.tar", &[amd64("web:1"), arm64("web:1")]).path;
    let out = scene.out("layout/");
    fused(&[&source], &out, &[]);
    let before = scene.published();
    let report = fused(&[&out], &out, &[MERGE]);
    assert_eq!(of(&report, WEB)["action"], "unchanged", "{report:#}");
    assert!(scene.published() == before);
    // With only one platform kept, the other one goes.
    fused(
        &[&out],
        &out,
        &[("on-existing", "replace"), ("platform", "linux/arm64")],
    );
    assert_eq!(Layout::sound(&out).platforms(WEB), ["linux/arm64"]);
}

#[test]
fn damaged_blobs_of_the_destination_are_found_with_verify_full() {
    let scene = Scene::new();
    let source = oci(&scene, "images.tar", &[amd64("web:1")]);
    let out = scene.out("layout/");
    fused(&[&source.path], &out, &[]);
    let layer = out
        .join("blobs/sha256")
        .join(source.images[0].layers[0].digest.hex());
    let mut bytes = fs::read(&layer).unwrap();
    bytes[100] ^= 1;
    fs::write(&layer, bytes).unwrap();
    fused(&[&source.path], &out, &[MERGE, ("verify", "full")]);
    Layout::sound(&out);
}

#[test]
fn a_compressed_archive_merges_like_any_other() {
    let scene = Scene::new();
    let first = oci(&scene, "first.tar", &[amd64("web:1")]).path;
    let second = oci(&scene, "second.tar", &[arm64("web:1")]).path;
    for name in ["images.tar.gz", "images.tar.zst", "images.tgz"] {
        let (out, plain) = (scene.out(name), scene.out(&format!("{name}.tar")));
        fused(&[&first], &out, &[]);
        let report = fused(&[&second], &out, &[MERGE]);
        assert_eq!(of(&report, WEB)["action"], "merged", "{name}: {report:#}");
        fused(&[&first, &second], &plain, &[]);
        let packed = fs::File::open(&out).unwrap();
        let unpacked = if name.ends_with("zst") {
            zstd::stream::decode_all(packed).unwrap()
        } else {
            let mut bytes = Vec::new();
            let mut decoder = flate2::read::MultiGzDecoder::new(packed);
            std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
            bytes
        };
        assert!(unpacked == fs::read(&plain).unwrap(), "{name}");
    }
}

#[test]
fn the_order_of_sources_does_not_matter_for_what_is_written() {
    let scene = Scene::new();
    let amd = oci(&scene, "amd64.tar", &[amd64("web:1"), amd64("db:1")]).path;
    let arm = scene.write(
        "arm64.tar",
        fusion_fixtures::Flavour::Skopeo,
        &[arm64("db:1"), arm64("web:1")],
        &Options::default(),
    );
    for name in DESTINATIONS {
        let (one, other) = (
            scene.out(&format!("one-{name}")),
            scene.out(&format!("other-{name}")),
        );
        fused(&[&amd, &arm.path], &one, &[("jobs", "1")]);
        fused(&[&arm.path, &amd], &other, &[("jobs", "8")]);
        if one.is_dir() {
            assert!(tree(&one) == tree(&other), "{name}");
        } else {
            assert!(
                fs::read(&one).unwrap() == fs::read(&other).unwrap(),
                "{name}"
            );
        }
    }
}
