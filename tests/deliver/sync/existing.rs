//! A version that the repository has already, and that is another chart.

use std::fs;
use std::path::PathBuf;

use fusion_fixtures::Shape;

use super::super::amd64;
use super::{Site, config};
use crate::charts::helm::Helm;
use crate::charts::museum::{ChartMuseum, Options};
use crate::charts::opened::packed;
use crate::registry::docker::DockerRegistry;

/// A chart whose values say `word`; its version is the same whatever that is.
fn chart(word: &str) -> Shape {
    let text = format!(
        "# One image.\nimage: docker.io/acme/web:1\n\
         -- Chart.yaml --\napiVersion: v2\nname: web\nversion: 1.0.0\n\
         -- values.yaml --\nword: {word}\nimage: {{repository: docker.io/acme/web, tag: '1'}}\n\
         -- hints.yaml --\n- \"{{{{ .image.repository }}}}:{{{{ .image.tag }}}}\"\n"
    );
    Shape::parse("web", &text).unwrap()
}

/// The word in the values of the chart at `path`.
fn word(path: &PathBuf) -> String {
    let values = packed(&fs::read(path).unwrap())["values.yaml"].clone();
    let values = String::from_utf8(values).unwrap();
    let line = values.lines().find_map(|line| line.strip_prefix("word: "));
    line.unwrap().to_owned()
}

/// First one chart, then another of the same version, under each policy. `get` fetches what is
/// there.
fn policies(registry: &DockerRegistry, repo: &str, get: &dyn Fn(&Site) -> PathBuf) {
    let site = Site::new();
    let config = config(registry.host(), "a/b", repo);
    let sync = |word: &str, more: &[&str]| {
        site.bundles("in", [&chart(word)], &[amd64()]);
        site.sync(&config, more)
    };
    let first = sync("first", &[]).ends(0);
    assert_eq!(first.chart("web")["action"], "created", "{repo}: {first}");
    let again = sync("first", &[]).ends(0);
    assert_eq!(again.chart("web")["action"], "unchanged", "{repo}: {again}");
    assert!(!again.warnings().contains(&"chart-differs"));

    let kept = sync("second", &[]).ends(0);
    assert_eq!(kept.chart("web")["action"], "skipped", "{repo}: {kept}");
    assert!(kept.warnings().contains(&"chart-differs"), "{repo}: {kept}");
    assert_eq!(word(&get(&site)), "first");

    let refused = sync("second", &["--on-existing-chart", "error"]).ends(3);
    assert!(refused.message().contains("web"), "{repo}: {refused}");
    assert_eq!(word(&get(&site)), "first");

    let replaced = sync("second", &["--on-existing-chart", "replace"]).ends(0);
    assert_eq!(
        replaced.chart("web")["action"],
        "replaced",
        "{repo}: {replaced}"
    );
    assert_eq!(word(&get(&site)), "second");
}

#[test]
fn a_folder_keeps_it_unless_told_otherwise() {
    let registry = DockerRegistry::open();
    policies(&registry, "kind: LOCAL, path: out", &|site| {
        site.local("out")[0].clone()
    });
}

#[test]
fn a_museum_keeps_it_unless_told_otherwise() {
    let (Some(helm), Some(museum)) = (Helm::find(), ChartMuseum::start(&Options::default())) else {
        return;
    };
    let registry = DockerRegistry::open();
    let url = format!("http://{}", museum.host());
    policies(
        &registry,
        &format!("kind: CHARTMUSEUM, url: '{url}'"),
        &|_| {
            // Helm keeps an index until it is told to look again.
            helm.add("museum", &url, None);
            helm.pull("museum/web", "1.0.0", &[])
        },
    );
}

#[test]
fn an_oci_registry_keeps_it_unless_told_otherwise() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let repo = format!("kind: OCI, url: 'oci://{}/charts'", registry.host());
    policies(&registry, &repo, &|_| {
        let chart = format!("oci://{}/charts/web", registry.host());
        helm.pull(&chart, "1.0.0", &["--plain-http"])
    });
}

#[test]
fn a_museum_that_lets_nobody_replace_says_so() {
    let options = Options {
        refuses_force: true,
        ..Options::default()
    };
    let Some(museum) = ChartMuseum::start(&options) else {
        return;
    };
    let registry = DockerRegistry::open();
    let site = Site::new();
    let repo = format!("kind: CHARTMUSEUM, url: 'http://{}'", museum.host());
    let config = config(registry.host(), "a/b", &repo);
    site.bundles("in", [&chart("first")], &[amd64()]);
    site.sync(&config, &[]).ends(0);
    site.bundles("in", [&chart("second")], &[amd64()]);
    let ran = site.sync(&config, &["--on-existing-chart", "replace"]);
    assert!([Some(3), Some(6)].contains(&ran.status), "{ran}");
    assert!(ran.message().contains("web"), "{ran}");
    assert_eq!(word(&museum.storage().join("web-1.0.0.tgz")), "first");
}
