//! `sync`: what charts-syncer's configuration asks for.

mod config;

use std::path::Path;

use config::SyncConfig;

use super::DeliverOptions;
use super::charts::{self, Errand};
use super::target::Naming;
use crate::chart::repository::Keys;
use crate::error::{Error, ErrorKind, Result};
use crate::location::Location;
use crate::progress::Progress;
use crate::report::Report;

/// Does what the configuration at `path` says.
pub(super) fn run(
    path: &Path,
    options: &DeliverOptions,
    progress: &Progress,
    report: &mut Report,
) -> Result<()> {
    let config = SyncConfig::read(path, &options.fuse.connect.settings)?;
    let Some(base) = config.relocation.base().cloned() else {
        let message = "the configuration names no registry for the images";
        return Err(Error::new(ErrorKind::Usage, message)
            .path(path)
            .hint("set `target.containerRegistry: HOST[:PORT]`"));
    };
    let mut naming = Naming::Moved(config.relocation);
    if let Some(names) = options.names {
        // What the caller says comes before what the file says.
        naming = Naming::below(base.clone(), names);
    }
    let sources = match options.charts.sources.is_empty() {
        true => vec![Location::parse(&config.source)?],
        false => options.charts.sources.clone(),
    };
    let errand = Errand {
        sources,
        base,
        naming,
        login: config.registry_login,
        login_key: "target.containers.auth",
        plain_http: config.registry_plain_http,
        repository: config.repository,
        keys: Keys::SYNC,
        charts: config.charts,
        skip_charts: config.skip_charts,
        warnings: config.warnings,
    };
    charts::run(&errand, options, progress, report)
}
