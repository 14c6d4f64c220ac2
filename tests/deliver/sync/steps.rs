//! One architecture after the other gives what both at once give.

use std::fs;

use fusion_fixtures::{Shape, shapes};

use super::super::{amd64, arm64, children};
use super::{Site, both, config};
use crate::registry::docker::DockerRegistry;

const SOME: [&str; 5] = [
    "three-part",
    "global-registry",
    "packed-subchart",
    "helm2-requirements",
    "no-images",
];

fn some() -> Vec<Shape> {
    let shapes = shapes().unwrap().into_iter();
    shapes
        .filter(|shape| SOME.contains(&&*shape.name))
        .collect()
}

#[test]
fn amd64_then_arm64_is_as_both_at_once() {
    let registry = DockerRegistry::open();
    let host = registry.host();
    let (once, steps) = (Site::new(), Site::new());
    let local = "kind: LOCAL, path: out";
    once.bundles("in", &some(), &both());
    once.sync(&config(host, "a/b", local), &[]).ends(0);
    steps.bundles("first", &some(), &[amd64()]);
    steps.bundles("second", &some(), &[arm64()]);
    let place = |folder: &str| {
        config(host, "c/d", local).replace("Path: in\n", &format!("Path: {folder}\n"))
    };
    let first = steps.sync(&place("first"), &[]).ends(0);
    assert_eq!(first.chart("three-part")["platforms"][0], "linux/amd64");
    let second = steps.sync(&place("second"), &[]).ends(0);
    for shape in some() {
        // The second run finds the chart as it is to be, and its images still grow.
        assert_eq!(second.chart(&shape.name)["action"], "unchanged", "{second}");
        for image in &shape.images {
            let platforms = |repository: &str| {
                let lands = image.lands(host, repository);
                let path = lands.strip_prefix(&format!("{host}/")).unwrap();
                let (name, tag) = path.rsplit_once(':').unwrap();
                (
                    children(host, name, tag),
                    super::super::there(host, name, tag).unwrap().1,
                )
            };
            let (once, steps) = (platforms("a/b"), platforms("c/d"));
            assert_eq!(once.0, ["linux/amd64", "linux/arm64"]);
            assert_eq!(once.1["manifests"], steps.1["manifests"]);
        }
    }
    assert_eq!(once.local("out").len(), SOME.len());
    for (a, b) in once.local("out").iter().zip(steps.local("out")) {
        assert_eq!(a.file_name(), b.file_name());
        // Besides the repository, which has as many letters.
        let read = |path| crate::charts::opened::packed(&fs::read(path).unwrap());
        assert_eq!(read(a).len(), read(&b).len());
    }
}

#[test]
fn the_same_run_twice_writes_the_same_bytes() {
    let registry = DockerRegistry::open();
    let sites = [Site::new(), Site::new()];
    let written = sites.map(|site| {
        site.bundles("in", &some(), &both());
        let config = config(registry.host(), "a/b", "kind: LOCAL, path: out");
        site.sync(&config, &["--jobs", "1"]).ends(0);
        let files = site
            .local("out")
            .into_iter()
            .map(|path| fs::read(path).unwrap());
        (
            files.collect::<Vec<_>>(),
            fs::read(site.path("out/index.yaml")).unwrap(),
        )
    });
    assert_eq!(written[0].0.len(), SOME.len());
    assert!(written[0] == written[1]);
}
