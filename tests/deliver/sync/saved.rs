//! `--values`: what was saved from a release does not bring the old registry back.

use std::fs;

use super::{Site, both, config, shape};
use crate::charts::helm::{Helm, text};
use crate::registry::docker::DockerRegistry;

const SAVED: &str = "\
# saved from the release
global:
  imageRegistry: release.example.io # the old one
apiserver:
  replicas: 3
  image:
    repository: kairship/global-registry-apiserver
kubectl:
  repository: mirror.example.io/own/kubectl
";

#[test]
fn saved_values_name_the_images_where_they_are_now() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let host = registry.host();
    let site = Site::new();
    let global = shape("global-registry");
    site.bundles("in", [&global], &both());
    let saved = site.path("bak.yaml");
    fs::write(&saved, SAVED).unwrap();
    let text_of = config(host, "a/b", "kind: LOCAL, path: out");
    let plan = site
        .sync(&text_of, &["--values", "bak.yaml", "--dry-run"])
        .ends(0);
    assert_eq!(plan.report["values"][0]["chart"], "global-registry");
    assert_eq!(
        fs::read_to_string(&saved).unwrap(),
        SAVED,
        "a plan writes nothing"
    );
    let ran = site.sync(&text_of, &["--values", "bak.yaml"]).ends(0);
    let carried = &ran.report["values"][0];
    assert_eq!(carried["path"], "bak.yaml");
    let now = fs::read_to_string(&saved).unwrap();
    assert!(
        now.contains(&format!("imageRegistry: {host} # the old one")),
        "{now}"
    );
    assert!(
        now.starts_with("# saved") && now.contains("replicas: 3"),
        "{now}"
    );
    // An image of the user's own stays, and is told of.
    assert!(
        now.contains("repository: mirror.example.io/own/kubectl"),
        "{now}"
    );
    assert_eq!(carried["kept"][0]["key"], "kubectl.repository", "{carried}");
    // What an upgrade with them would run.
    let archive = site.path("out/global-registry-0.21.0.tgz");
    let images = helm.images(&archive, &["-f", text(&saved)]);
    let apiserver = format!("{host}/a/b/global-registry-apiserver:v0.21.0");
    assert!(images.contains(&apiserver), "{images:?}");
    assert!(
        !images
            .iter()
            .any(|image| image.contains("release.example.io"))
    );
}

#[test]
fn values_of_no_chart_of_the_run_are_refused_before_anything_is_sent() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    let shapes = [shape("three-part"), shape("two-part")];
    site.bundles("in", &shapes, &both());
    fs::write(site.path("bak.yaml"), SAVED).unwrap();
    let text = config(registry.host(), "a/b", "kind: LOCAL, path: out");
    for (values, says) in [
        ("bak.yaml", "of which chart"),
        ("other=bak.yaml", "`other`"),
        ("none.yaml", "none.yaml"),
    ] {
        let ran = site.sync(&text, &["--values", values]);
        assert_ne!(ran.status, Some(0), "{values}");
        assert!(ran.message().contains(says), "{values}: {}", ran.message());
    }
    assert!(registry.uploads().blobs.is_empty());
    assert!(site.local("out").is_empty());
}
