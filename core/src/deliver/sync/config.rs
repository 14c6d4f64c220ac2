//! The configuration of `sync`: charts-syncer's, read as strictly as charts-syncer does.

mod account;
mod charts;
mod repository;
mod rules;

use std::path::{Path, PathBuf};

use rules::Rules;

use crate::chart::repository::RepositorySpec;
use crate::deliver::charts::ChartChoice;
use crate::deliver::relocation::Relocation;
use crate::deliver::setting::{Fields, Setting, Sheet};
use crate::error::{Error, ErrorKind, Result};
use crate::registry::Secret;
use crate::report::Warning;
use crate::settings::Settings;

/// Every setting: those of charts-syncer v0.20, with DaoCloud's additions up to v0.0.23.
const SETTINGS: &[&str] = &[
    "source.repo.url",
    "source.repo.kind",
    "source.repo.auth.username",
    "source.repo.auth.password",
    "source.repo.path",
    "source.repo.chartsIndex",
    "source.repo.useChartsIndex",
    "source.repo.disableChartsIndex",
    "source.intermediateBundlesPath",
    "source.containers.auth.username",
    "source.containers.auth.password",
    "source.containers.auth.registry",
    "source.containers.kind",
    "target.repo.url",
    "target.repo.kind",
    "target.repo.auth.username",
    "target.repo.auth.password",
    "target.repo.path",
    "target.repo.chartsIndex",
    "target.repo.useChartsIndex",
    "target.repo.disableChartsIndex",
    "target.intermediateBundlesPath",
    "target.containerRegistry",
    "target.containerRepository",
    "target.containerPrefixRegistry",
    "target.containerPrefixRepository",
    "target.appendOriginRegistry",
    "target.repoName",
    "target.containers.auth.username",
    "target.containers.auth.password",
    "target.containers.auth.registry",
    "target.containers.kind",
    "charts[].name",
    "charts[].versions",
    "charts[].skipImages",
    "skipCharts",
    "relocateContainerImages",
];

/// What a `sync` is to do.
#[derive(Debug)]
pub(super) struct SyncConfig {
    /// The folder of bundles, as it is written: relative to the current folder.
    pub(super) source: PathBuf,
    /// What images are called.
    pub(super) relocation: Relocation,
    /// User and password for the registry of the images.
    pub(super) registry_login: Option<(String, Secret)>,
    /// That registry is named as `http://…`.
    pub(super) registry_plain_http: bool,
    /// Where charts go.
    pub(super) repository: RepositorySpec,
    /// Only these charts; all, if there are none.
    pub(super) charts: Vec<ChartChoice>,
    /// All but these.
    pub(super) skip_charts: Vec<String>,
    /// What somebody should know about the configuration.
    pub(super) warnings: Vec<Warning>,
}

impl SyncConfig {
    /// What the file at `path` says, and `settings` say instead.
    pub(super) fn read(path: &Path, settings: &Settings) -> Result<Self> {
        let sheet = Sheet::read(path, SETTINGS)?;
        let root = sheet.root()?.known(&[])?;
        let mut warnings = Vec::new();
        let source = source(&root)?;
        let Some(target) = root.section("target")? else {
            return Err(root
                .lacks("target")
                .hint("it says where charts and images go: `repo`, `containerRegistry`"));
        };
        let repository = repository::read(&target, settings, &mut warnings)?;
        let rules = Rules::read(&target, &mut warnings)?;
        let registry_login = account::of_images(&target, settings, &rules, &mut warnings)?;
        // It goes into the README of a chart, and nowhere else.
        target.text("repoName")?;
        root.flag("relocateContainerImages")?;
        let (charts, skip_charts) = charts::read(&root)?;
        Ok(Self {
            source,
            relocation: Relocation::Rules(rules.rules),
            registry_login,
            registry_plain_http: rules.plain_http,
            repository,
            charts,
            skip_charts,
            warnings,
        })
    }
}

/// The folder of bundles.
fn source(root: &Fields<'_>) -> Result<PathBuf> {
    let help = "write `source:` and, indented below it, `intermediateBundlesPath: FOLDER`";
    let Some(source) = root.section("source")? else {
        return Err(root.lacks("source").hint(help));
    };
    // Nothing is pulled: the images are in the bundles.
    if let Some(containers) = source.section("containers")? {
        containers.section("auth")?;
        repository::kind(&containers)?;
    }
    let bundles = source.filled("intermediateBundlesPath")?;
    match (bundles, source.get("repo")) {
        (Some((bundles, _)), Some(repo)) => Err(exclusive(bundles, repo)),
        (Some((_, path)), None) => Ok(PathBuf::from(path)),
        (None, Some(repo)) => Err(repo
            .wrong("is a chart repository: as a source, they come later")
            .with_kind(ErrorKind::Unsupported)
            .hint("save bundles with charts-syncer, and name their folder as `source.intermediateBundlesPath`")),
        (None, None) => Err(source.lacks("intermediateBundlesPath").hint(help)),
    }
}

/// The error that both are there.
fn exclusive(one: &Setting<'_>, other: &Setting<'_>) -> Error {
    let (name, line) = (other.name(), other.line());
    one.wrong(format!("and `{name}` (line {line}) exclude each other"))
        .hint("leave one of them out")
}

#[cfg(test)]
mod tests;
