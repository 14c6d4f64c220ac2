//! The two files of the offline upgrade of kairship, as its page prints them: only addresses differ.

use std::fs;

use super::super::{children, there};
use super::{Ran, Site, both};
use crate::charts::helm::Helm;
use crate::charts::museum::{ChartMuseum, Options};
use crate::registry::docker::{self, DockerRegistry};
use crate::registry::harbor::{Harbor, Project, Setup};

const TO_HARBOR: &str = r#"source:
  intermediateBundlesPath: kairship # 节点上执行 load-image.yaml 文件的路径。
target:
  containerRegistry: 10.16.10.111 # 镜像仓库地址
  containerRepository: release.daocloud.io/kairship # 镜像仓库路径
  repo:
    kind: HARBOR # Helm Chart 仓库类别
    url: http://10.16.10.111/chartrepo/release.daocloud.io # Helm 仓库地址
    auth:
    username: "admin" # 镜像仓库用户名
    password: "Harbor12345" # 镜像仓库密码
  containers:
    auth:
      username: "admin" # Helm 仓库用户名
      password: "Harbor12345" # Helm 仓库密码
"#;

const TO_A_FOLDER: &str = r#"source:
  intermediateBundlesPath: kairship # 节点上执行 load-image.yaml 文件的路径。
target:
  containerRegistry: 10.16.10.111 # 镜像仓库 url
  containerRepository: release.daocloud.io/kairship # 镜像仓库路径
  repo:
    kind: LOCAL
    path: ./local-repo # chart 本地路径
  containers:
    auth:
      username: "admin" # 镜像仓库用户名
      password: "Harbor12345" # 镜像仓库密码
"#;

const REPOSITORY: &str = "release.daocloud.io/kairship";

/// The bundle as the page's package has it, for both architectures.
fn site() -> Site {
    let site = Site::new();
    let shape = super::shape("global-registry");
    let folder = site.bundles("kairship", [&shape], &both());
    // Its name on the page, which charts-syncer itself breaks down at.
    for architecture in ["amd64", "arm64"] {
        let folder = folder.join(architecture);
        let old = folder.join("global-registry_0.21.0.bundle.tar");
        fs::rename(old, folder.join("kairship.bundle.tar")).unwrap();
    }
    site
}

fn images(host: &str) {
    for (name, tag) in [
        ("global-registry-apiserver", "v0.21.0"),
        ("global-registry-controller", "v0.21.0"),
        ("global-registry-kubectl", "1.28.4"),
    ] {
        let name = format!("{REPOSITORY}/{name}");
        assert_eq!(children(host, &name, tag), ["linux/amd64", "linux/arm64"]);
    }
}

fn harbor(registry: &DockerRegistry, museum: Option<&ChartMuseum>) -> Harbor {
    let setup = Setup {
        projects: vec![Project::new("release.daocloud.io")],
        chartrepo: museum.map(|museum| museum.host().to_owned()),
        ..Setup::default()
    };
    Harbor::start(registry.host(), setup)
}

#[test]
fn the_first_one_fills_harbor_and_tells_where_auth_belongs() {
    let options = Options {
        depth: 1,
        overwrites: true,
        ..Options::default()
    };
    let (Some(helm), Some(museum)) = (Helm::find(), ChartMuseum::start(&options)) else {
        return;
    };
    let registry = DockerRegistry::open();
    let harbor = harbor(&registry, Some(&museum));
    let host = harbor.host();
    let ran = site()
        .sync(&TO_HARBOR.replace("10.16.10.111", &host), &[])
        .ends(0);
    assert!(ran.warnings().contains(&"misplaced-auth"), "{ran}");
    images(registry.host());
    // As the page goes on.
    let url = format!("http://{host}/chartrepo/release.daocloud.io");
    helm.add("kairship", &url, Some(("admin", "Harbor12345")));
    let found = helm.run(&["search", "repo", "kairship/global-registry", "--versions"]);
    assert!(found.contains("0.21.0"), "{found}");
    let pulled = helm.pull("kairship/global-registry", "0.21.0", &[]);
    let expected = super::shape("global-registry").rendered(&host, REPOSITORY);
    assert_eq!(helm.images(&pulled, &[]), expected);
    let set = ["--set", "global.imageRegistry=other.example:5000"];
    let other = helm.images(&pulled, &set);
    assert!(
        other
            .iter()
            .all(|image| image.starts_with("other.example:5000/")),
        "{other:?}"
    );
}

#[test]
fn the_second_one_leaves_the_chart_in_a_folder() {
    let registry = DockerRegistry::start(&docker::Options::default().auth("admin", "Harbor12345"));
    let site = site();
    let ran = site
        .sync(&TO_A_FOLDER.replace("10.16.10.111", registry.host()), &[])
        .ends(0);
    let location = ran.chart("global-registry")["location"].as_str().unwrap();
    assert!(
        location.ends_with("local-repo/global-registry-0.21.0.tgz"),
        "{location}"
    );
    assert!(site.path("local-repo/index.yaml").is_file());
    let wrong = TO_A_FOLDER.replace("Harbor12345", "another");
    let ran = site
        .sync(&wrong.replace("10.16.10.111", registry.host()), &[])
        .ends(6);
    assert!(ran.message().contains("401"), "{ran}");
    let told = format!("{ran}{}", ran.report);
    assert!(!told.contains("another"), "a password is told");
}

/// Harbor has had no chart repositories since 2.8.
#[test]
fn a_newer_harbor_is_told_apart_before_anything_is_sent() {
    let registry = DockerRegistry::open();
    let harbor = harbor(&registry, None);
    let host = harbor.host();
    let site = site();
    let ran = site.sync(&TO_HARBOR.replace("10.16.10.111", &host), &[]);
    assert_ne!(ran.status, Some(0), "{ran}");
    let message = ran.message();
    for part in [
        "2.8",
        "kind: OCI",
        &format!("http://{host}/release.daocloud.io"),
    ] {
        assert!(message.contains(part), "{part}: {ran}");
    }
    assert_eq!(registry.uploads().blobs.len(), 0, "sent before the check");
    // And as the hint says.
    let oci = TO_HARBOR
        .replace("kind: HARBOR", "kind: OCI")
        .replace("/chartrepo/", "/")
        .replace("10.16.10.111", &host);
    site.sync(&oci, &[]).ends(0);
    images(registry.host());
    let chart = there(
        registry.host(),
        "release.daocloud.io/global-registry",
        "0.21.0",
    )
    .unwrap()
    .1;
    let kind = "application/vnd.cncf.helm.config.v1+json";
    assert_eq!(chart["config"]["mediaType"], kind, "{chart}");
}

/// Every request with a wrong password would be told from one of another kind.
#[test]
fn a_project_that_is_missing_is_created_if_that_is_asked_for() {
    let registry = DockerRegistry::open();
    let setup = Setup::default();
    let harbor = Harbor::start(registry.host(), setup);
    let host = harbor.host();
    let oci = TO_HARBOR
        .replace("kind: HARBOR", "kind: OCI")
        .replace("/chartrepo/", "/")
        .replace("10.16.10.111", &host);
    let site = site();
    let ran: Ran = site.sync(&oci, &[]).ends(6);
    assert!(ran.message().contains("--create-projects"), "{ran}");
    assert!(ran.message().contains("release.daocloud.io"), "{ran}");
    assert_eq!(registry.uploads().blobs.len(), 0);
    site.sync(&oci, &["--create-projects"]).ends(0);
    assert!(harbor.project("release.daocloud.io").is_some());
}
