//! `fusion sync`: bundles into registries, charts into repositories, as Helm sees them afterwards.

mod bad;
mod damaged;
mod empty;
mod existing;
mod failing;
mod fixed;
mod kairship;
mod killed;
mod oracle;
mod pinned;
mod saved;
mod steps;
mod targets;
mod untouched;

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use fusion_fixtures::{Platform, Shape, shapes};
use serde_json::Value;

use super::Yard;
use crate::charts::helm::Helm;

/// A folder to run in, with bundles.
struct Site {
    yard: Yard,
}

/// How a run ended.
struct Ran {
    status: Option<i32>,
    report: Value,
    stderr: String,
}

impl Site {
    fn new() -> Self {
        Self { yard: Yard::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.yard.path(name)
    }

    /// Writes the bundles of `shapes` into `FOLDER/ARCHITECTURE` for each of the platforms.
    fn bundles<'a>(
        &self,
        folder: &str,
        shapes: impl IntoIterator<Item = &'a Shape>,
        platforms: &[Platform],
    ) -> PathBuf {
        let folder = self.path(folder);
        let within = |platform: &Platform| folder.join(&platform.architecture);
        for platform in platforms {
            fs::create_dir_all(within(platform)).unwrap();
        }
        for shape in shapes {
            for platform in platforms {
                shape.bundle(&within(platform), platform).unwrap();
            }
        }
        folder
    }

    /// Runs `sync` with this configuration.
    fn sync(&self, config: &str, more: &[&str]) -> Ran {
        fs::write(self.path("load-image.yaml"), config).unwrap();
        let words = [&["sync", "-c", "load-image.yaml", "--json"], more].concat();
        Ran::of(&self.yard.fusion(&words).output().unwrap())
    }

    /// Its archives of charts in a `LOCAL` target, by their file names.
    fn local(&self, folder: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten();
        let files = entries.map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = files
            .filter(|file| file.extension().is_some_and(|end| end == "tgz"))
            .collect();
        files.sort();
        files
    }
}

impl Ran {
    fn of(out: &Output) -> Self {
        let stderr = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        Self {
            status: out.status.code(),
            report: serde_json::from_slice(&out.stdout).unwrap_or(Value::Null),
            stderr,
        }
    }

    /// Insists on the exit status.
    fn ends(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{self}");
        self
    }

    /// What happened to a chart.
    fn chart(&self, name: &str) -> &Value {
        let charts = self.report["charts"].as_array().unwrap();
        charts
            .iter()
            .find(|chart| chart["name"] == name)
            .unwrap_or_else(|| panic!("no {name}: {self}"))
    }

    /// The error of the report, hint included.
    fn message(&self) -> String {
        let error = &self.report["error"];
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        [part("path"), part("member"), part("message"), part("hint")].join("\n")
    }

    /// The codes of the warnings.
    fn warnings(&self) -> Vec<&str> {
        let warnings = self.report["warnings"].as_array().unwrap();
        let codes = warnings.iter().map(|warning| &warning["code"]);
        codes.map(|code| code.as_str().unwrap()).collect()
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (error, charts) = (&self.report["error"], &self.report["charts"]);
        write!(f, "{:?}\n{error}\n{charts}\n{}", self.status, self.stderr)
    }
}

/// All shapes.
fn every() -> Vec<Shape> {
    let shapes = shapes().unwrap();
    assert!(shapes.len() > 40);
    shapes
}

/// The shape of that name.
fn shape(name: &str) -> Shape {
    let found = shapes()
        .unwrap()
        .into_iter()
        .find(|shape| shape.name == name);
    found.unwrap_or_else(|| panic!("no shape {name}"))
}

fn both() -> [Platform; 2] {
    [super::amd64(), super::arm64()]
}

/// A configuration from `in` to images below `REGISTRY/REPOSITORY`; `repo` in YAML's braces.
fn config(registry: &str, repository: &str, repo: &str) -> String {
    format!(
        "source:\n  intermediateBundlesPath: in\n\
         target:\n  containerRegistry: {registry}\n  containerRepository: {repository}\n  \
         repo: {{{repo}}}\n"
    )
}

/// Insists that a chart renders the relocated images of its shape, and that Helm likes it.
fn sound(helm: &Helm, packed: &Path, shape: &Shape, registry: &str, repository: &str) {
    helm.lint(packed);
    let expected = shape.rendered(registry, repository);
    assert_eq!(helm.images(packed, &[]), expected, "{}", shape.name);
}
