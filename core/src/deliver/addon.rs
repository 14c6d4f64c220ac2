//! `import-addon`: packages into the registry and the chart repository that an installer's
//! `clusterConfig.yaml` names.

mod config;

use std::path::Path;
use std::sync::Arc;

use config::AddonConfig;

use super::DeliverOptions;
use super::charts::{self, Errand};
use super::find::Finder;
use super::target::{Base, Naming};
use crate::chart::repository::Keys;
use crate::error::{Error, ErrorKind, Result};
use crate::location::Location;
use crate::progress::Progress;
use crate::report::Report;

/// Imports `packages`, or those that the configuration at `path` names, to where it says.
pub(super) fn run(
    path: &Path,
    packages: &[Location],
    options: &DeliverOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let config = AddonConfig::read(path)?;
    if packages.is_empty() && config.packages.is_empty() {
        return Err(Error::new(ErrorKind::Usage, "no package is named")
            .path(path)
            .hint("name one with `--addon-path`, or in `addonPackage.path`"));
    }
    let base = Base::parse(&config.registry)?;
    let naming = match options.names {
        Some(names) => Naming::below(base.clone(), names),
        None => Naming::Found(Arc::new(Finder::new(base.clone()))),
    };
    let sources = match packages.is_empty() {
        true => (config.packages.iter())
            .map(Location::parse)
            .collect::<Result<_>>()?,
        false => packages.to_vec(),
    };
    let errand = Errand {
        sources,
        base,
        naming,
        login: config.registry_login,
        login_key: "imagesAndCharts.externalImageRepoUsername",
        plain_http: config.registry_plain_http,
        repository: config.repository,
        keys: Keys::ADDON,
        charts: Vec::new(),
        skip_charts: Vec::new(),
        warnings: config.warnings,
    };
    charts::run(&errand, options, progress, report)
}
