//! `import-addon` into a registry that has images already: what they are called there is found out
//! by looking, and what an upgrade would lose is told.

use std::fs;
use std::path::{Path, PathBuf};

use fusion_fixtures::{Platform, Shape};
use serde_json::Value;

use super::{Yard, amd64, arm64, children, there};
use crate::registry::docker::DockerRegistry;

/// A chart `app` of this version, with an image of the same version.
fn shape(version: &str) -> Shape {
    let text = format!(
        "# An image.\nimage: quay.io/acme/app:{version}\n\
         -- Chart.yaml --\napiVersion: v2\nname: app\nversion: {version}\n\
         -- values.yaml --\nimage: {{registry: quay.io, repository: acme/app, tag: {version}}}\n\
         -- hints.yaml --\n\
         - \"{{{{ .image.registry }}}}/{{{{ .image.repository }}}}:{{{{ .image.tag }}}}\"\n"
    );
    Shape::parse("app", &text).unwrap()
}

fn bundle(yard: &Yard, version: &str, platform: &Platform) -> PathBuf {
    let folder = yard.path(&format!("{version}-{}", platform.architecture));
    fs::create_dir_all(&folder).unwrap();
    shape(version).bundle(&folder, platform).unwrap().path
}

/// Runs `import-addon`: its status and its report.
fn import(yard: &Yard, host: &str, package: &Path, more: &[&str]) -> (Option<i32>, Value) {
    let text = format!(
        "apiVersion: provision.daocloud.io/v1alpha3\nspec:\n  imagesAndCharts:\n    \
         type: external\n    externalImageRepo: http://{host}\n    \
         externalChartRepoType: oci\n    externalChartRepo: http://{host}/charts\n"
    );
    fs::write(yard.path("clusterConfig.yaml"), text).unwrap();
    let package = format!("--addon-path={}", package.display());
    let words = [
        "import-addon",
        "-c",
        "clusterConfig.yaml",
        &package,
        "--json",
    ];
    let out = yard.fusion(&[&words[..], more].concat()).output().unwrap();
    let report = serde_json::from_slice(&out.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&out.stderr)));
    (out.status.code(), report)
}

fn warning<'a>(report: &'a Value, code: &str) -> Option<&'a str> {
    let mut warnings = report["warnings"].as_array().unwrap().iter();
    let found = warnings.find(|warning| warning["code"] == code)?;
    found["message"].as_str()
}

#[test]
fn images_keep_the_names_that_the_registry_has() {
    for (names, repository) in [
        ("path", "acme/app"),
        ("last", "app"),
        ("origin", "quay.io/acme/app"),
    ] {
        let registry = DockerRegistry::open();
        let (host, yard) = (registry.host(), Yard::new());
        let first = bundle(&yard, "1.0.0", &amd64());
        let (status, report) = import(&yard, host, &first, &["--names", names]);
        assert_eq!(status, Some(0), "{report}");
        let second = bundle(&yard, "1.0.0", &arm64());
        let (status, report) = import(&yard, host, &second, &[]);
        assert_eq!(status, Some(0), "{report}");
        let told = warning(&report, "names").unwrap();
        assert!(told.contains(&format!("--names {names}")), "{told}");
        assert_eq!(
            children(host, repository, "1.0.0"),
            ["linux/amd64", "linux/arm64"]
        );
    }
}

#[test]
fn names_that_are_not_clear_are_asked_for() {
    let registry = DockerRegistry::open();
    let (host, yard) = (registry.host(), Yard::new());
    let first = bundle(&yard, "1.0.0", &amd64());
    for names in ["path", "last"] {
        let (status, report) = import(&yard, host, &first, &["--names", names]);
        assert_eq!(status, Some(0), "{report}");
    }
    let upgrade = bundle(&yard, "1.1.0", &amd64());
    let (status, report) = import(&yard, host, &upgrade, &[]);
    assert_eq!(status, Some(2), "{report}");
    let hint = report["error"]["hint"].as_str().unwrap();
    assert!(hint.contains("--names path"), "{hint}");
    for repository in ["acme/app", "app", "charts/app"] {
        assert!(there(host, repository, "1.1.0").is_none(), "{repository}");
    }
}

#[test]
fn an_upgrade_that_lacks_an_architecture_is_told() {
    let registry = DockerRegistry::open();
    let (host, yard) = (registry.host(), Yard::new());
    for platform in [amd64(), arm64()] {
        let package = bundle(&yard, "1.9.0", &platform);
        assert_eq!(import(&yard, host, &package, &[]).0, Some(0));
    }
    let upgrade = bundle(&yard, "1.10.0", &amd64());
    let (status, report) = import(&yard, host, &upgrade, &[]);
    assert_eq!(status, Some(0), "{report}");
    let told = warning(&report, "upgrade-lacks-platform").unwrap();
    assert!(
        told.contains("linux/arm64") && told.contains("1.9.0"),
        "{told}"
    );
    // The version before keeps both.
    assert_eq!(
        children(host, "acme/app", "1.9.0"),
        ["linux/amd64", "linux/arm64"]
    );
    let rest = bundle(&yard, "1.10.0", &arm64());
    let (status, report) = import(&yard, host, &rest, &[]);
    assert_eq!(status, Some(0), "{report}");
    assert_eq!(warning(&report, "upgrade-lacks-platform"), None);
}
