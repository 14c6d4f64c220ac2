//! Hints with a digest: what they pin is one architecture's manifest or an index that nobody has
//! any more; afterwards it is the index that was pushed.

use std::fs;

use fusion_fixtures::Shape;

use super::super::{children, there};
use super::{Site, both, config};
use crate::charts::helm::{Helm, text};
use crate::charts::opened::packed;
use crate::registry::docker::DockerRegistry;

fn pinned() -> Shape {
    let digest = format!("sha256:{}", "ab".repeat(32));
    let text = format!(
        "# A digest.\nimage: docker.io/acme/pinned@{digest}\n\
         -- Chart.yaml --\napiVersion: v2\nname: pinned\nversion: 1.0.0\n\
         -- values.yaml --\nimage:\n  registry: docker.io\n  repository: acme/pinned\n  \
         digest: {digest} # of all architectures\n\
         -- hints.yaml --\n\
         - \"{{{{ .image.registry }}}}/{{{{ .image.repository }}}}@{{{{ .image.digest }}}}\"\n"
    );
    Shape::parse("pinned", &text).unwrap()
}

#[test]
fn a_digest_in_values_becomes_that_of_the_pushed_index() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let host = registry.host();
    let site = Site::new();
    site.bundles("in", [&pinned()], &both());
    let ran = site
        .sync(&config(host, "a/b", "kind: LOCAL, path: out"), &[])
        .ends(0);
    let digest = ran.report["images"][0]["digest"]
        .as_str()
        .unwrap()
        .to_owned();
    let archive = site.path("out/pinned-1.0.0.tgz");
    assert_eq!(
        helm.images(&archive, &[]),
        [format!("{host}/a/b/pinned@{digest}")]
    );
    let (found, _) = there(host, "a/b/pinned", &digest).unwrap();
    assert_eq!(found, digest);
    assert_eq!(
        children(host, "a/b/pinned", &digest),
        ["linux/amd64", "linux/arm64"]
    );
    let values = helm.run(&["show", "values", text(&archive)]);
    assert!(
        values.contains(&format!("digest: {digest} # of all architectures")),
        "{values}"
    );
}

/// One architecture, then the other: the chart follows, since the index is another one then.
#[test]
fn the_chart_follows_its_index() {
    let registry = DockerRegistry::open();
    let host = registry.host();
    let site = Site::new();
    let text = config(host, "a/b", "kind: LOCAL, path: out");
    let mut values = Vec::new();
    for platform in both() {
        fs::remove_dir_all(site.path("in")).ok();
        site.bundles("in", [&pinned()], &[platform]);
        let ran = site.sync(&text, &[]).ends(0);
        let digest = ran.report["images"][0]["digest"]
            .as_str()
            .unwrap()
            .to_owned();
        let chart = packed(&fs::read(site.path("out/pinned-1.0.0.tgz")).unwrap());
        let now = String::from_utf8(chart["values.yaml"].clone()).unwrap();
        assert!(now.contains(&digest), "{now}");
        values.push((digest, now));
    }
    assert_ne!(values[0], values[1]);
    assert_eq!(children(host, "a/b/pinned", &values[1].0).len(), 2);
}
