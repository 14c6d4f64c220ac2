//! A hint that writes the repository itself leaves no choice of it: it follows behind what is chosen,
//! as charts-syncer has it.

use super::{Site, both, config};
use crate::charts::helm::Helm;
use crate::registry::docker::DockerRegistry;

#[test]
fn its_path_follows_behind_what_is_chosen_and_is_not_said_twice() {
    let Some(helm) = Helm::find() else { return };
    let registry = DockerRegistry::open();
    let host = registry.host();
    let shape = super::shape("literal-repository");
    for (setting, path) in [
        (
            "containerRepository",
            "a/b/literal-repository/acme/literal-repository",
        ),
        ("containerPrefixRepository", "c/d/acme/literal-repository"),
    ] {
        let site = Site::new();
        site.bundles("in", [&shape], &both());
        let place = path.get(..3).unwrap();
        let text = config(host, place, "kind: LOCAL, path: out");
        let text = text.replace("containerRepository", setting);
        site.sync(&text, &[]).ends(0);
        let archive = site.path("out/literal-repository-1.0.0.tgz");
        assert_eq!(helm.images(&archive, &[]), [format!("{host}/{path}:v1")]);
        let children = super::super::children(host, path, "v1");
        assert_eq!(children, ["linux/amd64", "linux/arm64"], "{setting}");
    }
}
