//! What `inspect` says of packages: their charts, and where each can run.

use fusion_fixtures::package::Kind;
use serde_json::{Value, json};

use super::super::support::{Ran, Scene, fused, fusion};
use super::{Pair, chart};

fn inspect(path: &std::path::Path, words: &[&str]) -> Ran {
    let run = fusion(["inspect"]).arg(path);
    let run = words.iter().fold(run, |run, word| run.arg(word));
    run.run().ends(0)
}

#[test]
fn charts_are_listed_with_the_platforms_that_all_their_images_have() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Addon);
    let out = scene.out("addon.tar.gz");
    fused(&pair.sources(), &out, &[]);
    let found = inspect(&out, &["--json"]).json();
    assert_eq!(found["source"]["kind"], "package");
    assert_eq!(found["source"]["compression"], "gzip");
    assert_eq!(found["charts"].as_array().unwrap().len(), 3);
    for (name, platforms) in [
        ("dao-2048", json!(["linux/amd64", "linux/arm64"])),
        ("nginx", json!(["linux/amd64", "linux/arm64"])),
        ("velero", json!(["linux/amd64"])),
    ] {
        assert_eq!(chart(&found, name)["platforms"], platforms, "{name}");
    }
    let alone = inspect(&pair.arm64.path, &["--json"]).json();
    assert_eq!(alone["charts"].as_array().map(Vec::len), Some(2));
    assert_eq!(chart(&alone, "nginx")["platforms"], json!(["linux/arm64"]));
}

#[test]
fn a_chart_that_lacks_a_platform_gets_a_node_affinity() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Addon);
    let out = scene.out("addon.tar.gz");
    fused(&pair.sources(), &out, &[]);
    let said = inspect(&out, &[]).text();
    for part in [
        "velero 5.2.0 has no linux/arm64",
        "nodeAffinity:",
        "requiredDuringSchedulingIgnoredDuringExecution:",
        "key: kubernetes.io/arch",
        "values: [amd64]",
    ] {
        assert!(said.contains(part), "no {part} in {said}");
    }
    assert_eq!(
        said.matches("nodeAffinity").count(),
        1,
        "only velero needs it: {said}"
    );
    // Of a package for one architecture only, all its charts are: nothing is amiss.
    let alone = inspect(&pair.amd64.path, &[]).text();
    assert!(!alone.contains("nodeAffinity"), "{alone}");
}

#[test]
fn the_kind_of_every_known_layout_is_told() {
    for kind in Kind::ALL {
        let scene = Scene::new();
        let pair = Pair::usual(&scene, kind);
        let found = inspect(&pair.amd64.path, &["--json"]).json();
        let expected = match kind {
            Kind::K3s | Kind::Rke2 => "docker-archive",
            _ => "package",
        };
        assert_eq!(found["source"]["kind"], expected, "{kind:?}");
        assert_ne!(found["images"], Value::Array(Vec::new()), "{kind:?}");
    }
}

#[test]
fn a_result_of_images_alone_tells_of_the_charts_of_its_sources() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Addon);
    for (out, format) in [("layout", "oci"), ("images.tar", "oci-archive")] {
        let report = fused(&pair.sources(), &scene.out(out), &[("format", format)]);
        assert_eq!(report["charts"].as_array().unwrap().len(), 3);
        for (name, platforms) in [
            ("dao-2048", json!(["linux/amd64", "linux/arm64"])),
            ("nginx", json!(["linux/amd64", "linux/arm64"])),
            ("velero", json!(["linux/amd64"])),
        ] {
            assert_eq!(chart(&report, name)["platforms"], platforms, "{name}");
        }
        let location = chart(&report, "velero")["location"].as_str().unwrap();
        let root = "addon-offline-full-package-v0.12.0-amd64";
        let expected = format!("/{root}.tar.gz › {root}/addon/velero_5.2.0.bundle.tar");
        assert!(location.ends_with(&expected), "{location}");
        let lacking = super::warnings(&report, "missing-platform");
        let of_chart =
            |said: &&String| said.starts_with("the chart velero 5.2.0 has no images for");
        assert_eq!(lacking.iter().filter(of_chart).count(), 1, "{lacking:?}");
    }
    // What the choices leave out is no chart of the result.
    let chosen = [("format", "oci"), ("image", "*velero*")];
    let report = fused(&pair.sources(), &scene.out("chosen"), &chosen);
    assert_eq!(chart(&report, "nginx")["action"], "skipped");
    assert_eq!(chart(&report, "velero")["action"], "created");
}

#[test]
fn fuse_lists_the_charts() {
    let scene = Scene::new();
    let pair = Pair::usual(&scene, Kind::Addon);
    let words = ["fuse", "--durability", "rename", "-o"];
    let run = fusion(words).arg(scene.out("addon.tar"));
    let run = pair
        .sources()
        .iter()
        .fold(run, |run, source| run.arg(source));
    let said = run.run().ends(0).text();
    let root = "addon-offline-full-package-v0.12.0";
    for line in [
        "3 charts\n".to_owned(),
        format!(
            "  nginx 15.3.4    linux/amd64, linux/arm64  {root}/community/nginx_15.3.4.bundle.tar\n"
        ),
        format!(
            "  velero 5.2.0    linux/amd64               {root}/addon/velero_5.2.0.bundle.tar\n"
        ),
    ] {
        assert!(said.contains(&line), "no {line} in {said}");
    }
}
