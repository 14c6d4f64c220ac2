//! Killed at any time: no chart without its images, nothing half, and the next run finishes.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use fusion_fixtures::{Shape, shapes};

use super::super::children;
use super::{Site, both, config};
use crate::charts::opened::packed;
use crate::registry::docker::DockerRegistry;
use crate::registry::faults::{Fault, Rule, When};
use crate::registry::proxy::Proxy;

fn some() -> Vec<Shape> {
    let names = ["three-part", "global-registry", "packed-subchart", "helm2"];
    let shapes = shapes().unwrap().into_iter();
    shapes
        .filter(|shape| names.contains(&&*shape.name))
        .collect()
}

/// All images of a shape with both platforms.
fn whole(host: &str, shape: &Shape) {
    for image in &shape.images {
        let lands = image.lands("", "a/b");
        let (name, tag) = lands[1..].rsplit_once(':').unwrap();
        assert_eq!(children(host, name, tag), ["linux/amd64", "linux/arm64"]);
    }
}

#[test]
fn what_is_published_is_whole_and_the_next_run_finishes() {
    let shapes = some();
    let slow = || {
        let delay = Fault::Delay(Duration::from_millis(10));
        vec![Rule::new("*", "*", When::Always, delay)]
    };
    let mut interrupted = 0;
    for round in 0..10 {
        let registry = DockerRegistry::open();
        let proxy = Proxy::start(registry.host(), slow());
        let site = Site::new();
        site.bundles("in", &shapes, &both());
        let text = config(&proxy.host(), "a/b", "kind: LOCAL, path: out");
        fs::write(site.path("load-image.yaml"), &text).unwrap();
        let mut child = site
            .yard
            .fusion(&["sync", "-c", "load-image.yaml"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(40 + round * 80));
        child.kill().unwrap();
        interrupted += u32::from(!child.wait().unwrap().success());
        for path in site.local("out") {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            packed(&fs::read(&path).unwrap());
            let shape = shapes
                .iter()
                .find(|shape| name.starts_with(&shape.name))
                .unwrap();
            whole(registry.host(), shape);
        }
        proxy.rules(Vec::new());
        site.sync(&text, &[]).ends(0);
        assert_eq!(site.local("out").len(), shapes.len());
        shapes
            .iter()
            .for_each(|shape| whole(registry.host(), shape));
        // Nothing that the killed run had begun lies about.
        let entries = fs::read_dir(site.path("out")).unwrap();
        assert_eq!(entries.count(), shapes.len() + 1, "round {round}");
    }
    assert!(
        interrupted > 3,
        "only {interrupted} runs were killed in time"
    );
}
