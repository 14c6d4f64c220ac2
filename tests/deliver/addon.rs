//! `fusion import-addon`: the installer's packages into the registry and the chart repository that
//! its configuration names.

mod builtin;

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use fusion_fixtures::package::{Kind, Offline, Wrap, WrittenPackage};
use serde_json::Value;

use super::{Yard, listed, there};
use crate::charts::helm::{Helm, text};
use crate::charts::museum::{ChartMuseum, Options};
use crate::engine::support::state;
use crate::registry::docker::{self, DockerRegistry};

const LOGIN: (&str, &str) = ("rootuser", "rootpass123");

/// A folder with the configuration and a package for each architecture.
struct Site {
    yard: Yard,
    amd64: WrittenPackage,
    arm64: WrittenPackage,
}

impl Site {
    fn new(offline: &Offline) -> Self {
        let yard = Yard::new();
        fs::create_dir(yard.path("packages")).unwrap();
        let (amd64, arm64) = offline.pair(&yard.path("packages")).unwrap();
        Self { yard, amd64, arm64 }
    }

    /// Writes a configuration that names the package for amd64, and `places` in its `spec`.
    fn configure(&self, places: &str) {
        let text = format!(
            "apiVersion: provision.daocloud.io/v1alpha4\nkind: ClusterConfig\nmetadata:\n\
             spec:\n  clusterName: c\n  fullPackagePath: /nowhere # not for this\n  \
             addonPackage:\n    path: \"{}\"\n{places}",
            self.amd64.path.display()
        );
        fs::write(self.yard.path("clusterConfig.yaml"), text).unwrap();
    }

    /// The report of a run that must succeed, and the processor time that it took.
    fn timed(&self, more: &[&str]) -> (Value, Duration) {
        let words = [
            &["import-addon", "-c", "clusterConfig.yaml", "--json"],
            more,
        ]
        .concat();
        let report = fs::File::create(self.yard.path("report")).unwrap();
        let mut command = self.yard.fusion(&words);
        let mut child = command
            .stdout(report)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let used = loop {
            // A process that has ended keeps its times until somebody waits for it.
            match state(child.id()) {
                Some(('Z', used)) => break used,
                _ => thread::sleep(Duration::from_millis(2)),
            }
        };
        assert!(child.wait().unwrap().success());
        let report = fs::read(self.yard.path("report")).unwrap();
        (serde_json::from_slice(&report).unwrap(), used)
    }

    /// The report of a run that must end with `status`.
    fn run(&self, more: &[&str], status: i32) -> Value {
        let words = [
            &["import-addon", "-c", "clusterConfig.yaml", "--json"],
            more,
        ]
        .concat();
        let out = self.yard.fusion(&words).output().unwrap();
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        let stdout = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(
            out.status.code(),
            Some(status),
            "{more:?}: {stderr}{stdout}"
        );
        serde_json::from_str(&stdout).unwrap_or_else(|e| panic!("{e}: {stdout}"))
    }

    /// Insists that all images of `reports` are there for the platforms that the packages have them
    /// for, and that what Helm pulls from `url` renders no others. `root` reads what is under a
    /// name in the registry.
    fn is_imported(&self, helm: &Helm, url: &str, reports: &[Value], root: &dyn Fn(&str) -> Value) {
        let images = reports
            .iter()
            .flat_map(|report| report["images"].as_array().unwrap());
        let mut targets = BTreeSet::new();
        for image in images {
            let target = image["target"].as_str().unwrap();
            let only = ["velero", "argo-cd", "wordpress"];
            match only.iter().any(|only| target.contains(only)) {
                true => {
                    let root = root(target);
                    let several = root["manifests"].as_array().map_or(1, Vec::len);
                    assert_eq!(several, 1, "{target}");
                }
                false => {
                    let platforms = listed(&root(target));
                    assert_eq!(platforms, ["linux/amd64", "linux/arm64"], "{target}");
                }
            }
            targets.insert(target.to_owned());
        }
        let name = format!("addon{}", reports.len());
        helm.add(&name, url, Some(LOGIN));
        let all = charts(&self.amd64);
        assert!(!all.is_empty());
        for (chart, version) in &all {
            let pulled = helm.pull(&format!("{name}/{chart}"), version, &[]);
            helm.lint(&pulled);
            let rendered = helm.images(&pulled, &[]);
            assert!(!rendered.is_empty());
            for image in rendered {
                assert!(
                    targets.contains(&image),
                    "{image} of {chart} is not in {targets:?}"
                );
            }
        }
    }
}

/// Registry and chart repository that were there before.
fn external(registry: &str, charts: &str) -> String {
    let (user, password) = LOGIN;
    format!(
        "  imagesAndCharts:\n    type: external\n    \
         externalImageRepo: http://{registry}\n    \
         externalImageRepoUsername: {user}\n    externalImageRepoPassword: {password}\n    \
         externalChartRepoType: chartmuseum\n    externalChartRepo: {charts}\n    \
         externalChartRepoUsername: {user}\n    externalChartRepoPassword: {password}\n"
    )
}

/// What is under a name in a registry that anybody may read, without TLS.
fn plain(target: &str) -> Value {
    let (host, path) = target.split_once('/').unwrap();
    let (name, tag) = path.rsplit_once(':').unwrap();
    there(host, name, tag).expect(target).1
}

fn servers() -> Option<(DockerRegistry, ChartMuseum)> {
    let login = (LOGIN.0.to_owned(), LOGIN.1.to_owned());
    let museum = ChartMuseum::start(&Options {
        auth: Some(login),
        ..Options::default()
    })?;
    let open = docker::Options::default();
    Some((DockerRegistry::start(&open), museum))
}

/// Chart names and versions of a package.
fn charts(package: &WrittenPackage) -> BTreeSet<(String, String)> {
    let bundles = package.bundles.iter();
    bundles
        .map(|bundle| (bundle.chart.clone(), bundle.version.clone()))
        .collect()
}

#[test]
fn both_packages_at_once_or_one_after_the_other_are_what_helm_pulls() {
    let Some(helm) = Helm::find() else { return };
    let offline = Offline {
        bundles: 8,
        ..Offline::new(Kind::Addon)
    };
    let site = Site::new(&offline);
    let (amd64, arm64) = (text(&site.amd64.path), text(&site.arm64.path));
    let equals = format!("--addon-path={arm64}");
    let both = vec![vec!["--addon-path", amd64, "--addon-path", arm64]];
    // The first by the configuration alone, with the installer's own options.
    let steps = vec![vec!["-m", "manifest.yaml", "-d", "-j13"], vec![&equals]];
    for runs in [both, steps] {
        let Some((registry, museum)) = servers() else {
            return;
        };
        let url = format!("http://{}", museum.host());
        site.configure(&external(registry.host(), &url));
        let reports: Vec<Value> = runs.iter().map(|run| site.run(run, 0)).collect();
        site.is_imported(&helm, &url, &reports, &plain);
        assert_eq!(charts(&site.amd64).len(), 8);
    }
}

#[test]
fn sixty_charts_of_two_packages_are_planned_and_imported() {
    let offline = Offline {
        bundles: 60,
        images: 4,
        bytes: 4 << 20,
        wrap: Some(Wrap::Tar),
        ..Offline::new(Kind::Addon)
    };
    let site = Site::new(&offline);
    let Some((registry, museum)) = servers() else {
        return;
    };
    let url = format!("http://{}", museum.host());
    site.configure(&external(registry.host(), &url));
    let (amd64, arm64) = (text(&site.amd64.path), text(&site.arm64.path));
    let paths = ["--addon-path", amd64, "--addon-path", arm64];
    let (planned, used) = site.timed(&[&paths[..], &["--dry-run"]].concat());
    assert_eq!(planned["charts"].as_array().unwrap().len(), 60);
    let images = planned["images"].as_array().unwrap().len();
    assert!(images >= 200, "{images}");
    // With the reading, of which there is little here, and in a build for tests.
    println!("planned {images} images of 60 charts with {used:?} of processor time");
    assert!(registry.uploads().blobs.is_empty());
    let done = site.run(&paths, 0);
    println!("sent them in {} s", done["elapsed_seconds"]);
    assert_eq!(
        fs::read_dir(museum.storage())
            .unwrap()
            .filter(|entry| {
                let path = entry.as_ref().unwrap().path();
                path.extension().is_some_and(|end| end == "tgz")
            })
            .count(),
        60
    );
}
