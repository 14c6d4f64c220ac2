//! One chart's failure is not that of the others, and a name that two images want is nobody's.

use fusion_fixtures::Shape;
use serde_json::Value;

use super::super::there;
use super::{Site, both, config};
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;

/// A chart of one image.
fn chart(name: &str, image: &str) -> Shape {
    let (repository, tag) = image.rsplit_once(':').unwrap();
    let text = format!(
        "# One image.\nimage: {image}\n\
         -- Chart.yaml --\napiVersion: v2\nname: {name}\nversion: 1.0.0\n\
         -- values.yaml --\nimage: {{repository: {repository}, tag: '{tag}'}}\n\
         -- hints.yaml --\n- \"{{{{ .image.repository }}}}:{{{{ .image.tag }}}}\"\n"
    );
    Shape::parse(name, &text).unwrap()
}

pub(super) fn charts(count: usize) -> Vec<Shape> {
    let one = |at| chart(&format!("app-{at}"), &format!("docker.io/acme/app-{at}:1"));
    (0..count).map(one).collect()
}

/// The registry refuses what has to do with two of the images.
fn refusing(registry: &DockerRegistry) -> Proxy {
    let rules = ["app-1", "app-3"].map(|name| {
        let path = format!("/v2/*/{name}/manifests/*");
        let page = Fault::page(403);
        Rule::new("PUT", &path, When::Always, page)
    });
    Proxy::start(registry.host(), rules.into())
}

#[test]
fn with_keep_going_the_others_arrive_and_every_failure_is_listed() {
    let registry = DockerRegistry::open();
    let proxy = refusing(&registry);
    let site = Site::new();
    site.bundles("in", &charts(5), &both());
    let config = config(&proxy.host(), "a/b", "kind: LOCAL, path: out");
    let ran = site.sync(&config, &["--keep-going"]).ends(7);
    assert_eq!(ran.report["status"], "partial", "{ran}");
    let failed = |list: &str| -> Vec<String> {
        let all = ran.report[list].as_array().unwrap().iter();
        let failed = all.filter(|one| one["action"] == "failed");
        let name = |one: &Value| one[["name", "reference"][usize::from(list == "images")]].clone();
        failed
            .map(|one| name(one).as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        failed("images"),
        ["docker.io/acme/app-1:1", "docker.io/acme/app-3:1"]
    );
    assert_eq!(failed("charts"), ["app-1", "app-3"]);
    // A chart whose images are not there is not published.
    let names = |path: &std::path::PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files: Vec<String> = site.local("out").iter().map(names).collect();
    assert_eq!(
        files,
        ["app-0-1.0.0.tgz", "app-2-1.0.0.tgz", "app-4-1.0.0.tgz"]
    );
    assert!(proxy.spoiled() >= 2);
    // The rest comes once the registry lets it.
    proxy.rules(Vec::new());
    site.sync(&config, &["--keep-going"]).ends(0);
    assert_eq!(site.local("out").len(), 5);
}

#[test]
fn without_it_the_run_ends_and_publishes_no_chart_without_its_images() {
    let registry = DockerRegistry::open();
    let proxy = refusing(&registry);
    let site = Site::new();
    site.bundles("in", &charts(5), &both());
    let config = config(&proxy.host(), "a/b", "kind: LOCAL, path: out");
    let ran = site.sync(&config, &[]).ends(6);
    assert_eq!(ran.report["status"], "failed", "{ran}");
    for path in site.local("out") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !name.starts_with("app-1") && !name.starts_with("app-3"),
            "{name}"
        );
    }
}

#[test]
fn with_keep_going_a_bundle_that_is_broken_is_one_failure_among_others() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let folder = site.bundles("in", &charts(3), &both());
    let path = folder.join("arm64/app-1_1.0.0.bundle.tar");
    let mut bytes = std::fs::read(&path).unwrap();
    // In the midst of the last layer, which is of this architecture alone.
    let mut windows = bytes.windows(4);
    let layer = windows.rposition(|window| window == b"\x1f\x8b\x08\x00");
    let at = layer.unwrap() + 40;
    for byte in &mut bytes[at..at + 40] {
        *byte ^= 0x55;
    }
    std::fs::write(&path, bytes).unwrap();
    let config = config(registry.host(), "a/b", "kind: LOCAL, path: out");
    site.sync(&config, &[]).ends(4);
    let ran = site.sync(&config, &["--keep-going"]).ends(7);
    assert_eq!(ran.chart("app-1")["action"], "failed", "{ran}");
    for name in ["app-0", "app-2"] {
        assert!(there(registry.host(), &format!("a/b/{name}"), "1").is_some());
    }
    assert_eq!(site.local("out").len(), 2, "{ran}");
}

#[test]
fn two_images_that_land_on_one_name_are_a_conflict_before_anything_is_sent() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let charts = [
        chart("one", "docker.io/first/app:1"),
        chart("two", "quay.io/second/app:1"),
    ];
    site.bundles("in", &charts, &both());
    let local = "kind: LOCAL, path: out";
    let ran = site
        .sync(&config(registry.host(), "a/b", local), &[])
        .ends(3);
    for part in ["docker.io/first/app:1", "quay.io/second/app:1", "a/b/app:1"] {
        assert!(ran.message().contains(part), "{part}: {ran}");
    }
    assert!(registry.uploads().blobs.is_empty());
    assert!(site.local("out").is_empty());
    // With their whole paths they do not meet.
    let apart = config(registry.host(), "a/b", local)
        .replace("containerRepository", "containerPrefixRepository");
    site.sync(&apart, &[]).ends(0);
    for name in ["a/b/first/app", "a/b/second/app"] {
        assert!(there(registry.host(), name, "1").is_some(), "{name}");
    }
}
