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
