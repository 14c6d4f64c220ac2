//! Helm itself, with homes of its own in a folder that vanishes.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::clients::process::{Result, run_text};
use crate::programs::built;

#[derive(Debug)]
pub(crate) struct Helm {
    program: PathBuf,
    home: TempDir,
}

impl Helm {
    /// Helm, unless this machine cannot build it; that is said aloud.
    pub(crate) fn find() -> Option<Self> {
        Some(Self {
            program: built("helm")?,
            home: TempDir::with_prefix("helm-").expect("a folder"),
        })
    }

    /// A command of it that knows nothing of the machine's Helm, cluster and proxies.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        let variables = std::env::vars_os().map(|(name, _)| name);
        for name in variables {
            let text = name.to_string_lossy().to_uppercase();
            if ["HELM_", "KUBE"]
                .iter()
                .any(|start| text.starts_with(start))
                || text.ends_with("_PROXY")
            {
                command.env_remove(&name);
            }
        }
        let home = self.home.path();
        command
            .args(words)
            .current_dir(home)
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("HELM_CACHE_HOME", home.join("cache"))
            .env("HELM_CONFIG_HOME", home.join("config"))
            .env("HELM_DATA_HOME", home.join("data"))
            // No cluster: one that is asked for is an error.
            .env("KUBECONFIG", home.join("none"))
            .env("NO_PROXY", "*");
        command
    }

    pub(crate) fn try_run(&self, words: &[&str]) -> Result<String> {
        run_text(&mut self.command(words))
    }

    /// Runs it; it must succeed.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        self.try_run(words).unwrap_or_else(|e| panic!("{e}"))
    }

    /// What `helm lint` finds is a failure only if it is an error.
    pub(crate) fn lint(&self, chart: &Path) {
        self.run(&["lint", "--quiet", text(chart)]);
    }

    /// The manifests of a chart.
    pub(crate) fn template(&self, chart: &Path, more: &[&str]) -> String {
        let words = [&["template", "rel", text(chart), "--namespace", "n"], more].concat();
        self.run(&words)
    }

    /// The images that the manifests of a chart name, sorted, each once.
    pub(crate) fn images(&self, chart: &Path, more: &[&str]) -> Vec<String> {
        images(&self.template(chart, more))
    }

    /// Adds a repository under a name.
    pub(crate) fn add(&self, name: &str, url: &str, login: Option<(&str, &str)>) {
        let mut words = vec!["repo", "add", name, url];
        if let Some((user, password)) = login {
            words.extend(["--username", user, "--password", password]);
        }
        self.run(&words);
        self.run(&["repo", "update", name]);
    }

    /// Fetches a chart's archive, which has to have this version.
    pub(crate) fn pull(&self, chart: &str, version: &str, more: &[&str]) -> PathBuf {
        let to = TempDir::with_prefix_in("pull-", self.home.path()).expect("a folder");
        let to = to.keep();
        let words = [
            &["pull", chart, "--version", version, "-d", text(&to)],
            more,
        ];
        self.run(&words.concat());
        let mut files = std::fs::read_dir(&to).expect("a folder");
        let file = files.next().expect("a chart").expect("a file").path();
        assert!(files.next().is_none());
        file
    }
}

/// The images that manifests name, sorted, each once.
pub(crate) fn images(manifests: &str) -> Vec<String> {
    let mut images: Vec<String> = manifests
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            let (_, rest) = line.split_once("image: ")?;
            let end = |c: char| matches!(c, '\'' | '"' | '}' | ',' | ' ');
            let rest = rest.trim_start_matches(['\'', '"']);
            Some(rest.split(end).next().unwrap_or_default().to_owned())
        })
        .collect();
    images.sort();
    images.dedup();
    images
}

pub(crate) fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}
