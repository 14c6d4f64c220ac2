//! A hint that writes the repository itself leaves no choice of it: the image keeps its path.

use super::{Site, both, config};
use crate::charts::helm::Helm;
use crate::registry::docker::DockerRegistry;

pub(super) const NAME: &str = "literal-repository";

#[test]
fn another_repository_is_refused_with_the_hint_and_its_line() {
    let registry = DockerRegistry::open();
    let site = Site::new();
    site.bundles("in", [&super::shape(NAME)], &both());
    let ran = site.sync(
        &config(registry.host(), "a/b", "kind: LOCAL, path: out"),
        &[],
    );
    assert_eq!(ran.status, Some(4), "{ran}");
    let message = ran.message();
    for part in [
        "hints.yaml",
        "line 1",
        "/acme/literal-repository",
        "prefix them",
    ] {
        assert!(message.contains(part), "{part}: {ran}");
    }
    assert!(site.local("out").is_empty());
}

#[test]
fn a_prefix_goes_before_its_path() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let host = registry.host();
    let site = Site::new();
    let shape = super::shape(NAME);
    site.bundles("in", [&shape], &both());
    let text = config(host, "a/b", "kind: LOCAL, path: out");
    let text = text.replace("containerRepository", "containerPrefixRepository");
    site.sync(&text, &[]).ends(0);
    let archive = site.path("out/literal-repository-1.0.0.tgz");
    let expected = format!("{host}/a/b/acme/literal-repository:v1");
    assert_eq!(helm.images(&archive, &[]), [expected]);
    let children = super::super::children(host, "a/b/acme/literal-repository", "v1");
    assert_eq!(children, ["linux/amd64", "linux/arm64"]);
}
