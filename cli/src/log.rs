//! `--log-file` and `-v`: what the engine traces, into a file and onto standard error.

use std::fs::OpenOptions;
use std::path::Path;
use std::sync::Mutex;

use fusion_core::{Error, Result};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::SubscriberExt;

/// Sets logging up for this process, if it is asked for. Worker threads log too, so this cannot
/// be a matter of one thread; where a host has set logging up already, the host's stays.
///
/// The file is appended to, and gets at least what `-vv` shows.
pub(crate) fn install(file: Option<&Path>, verbose: u8) -> Result<()> {
    let level = level(verbose);
    let file = match file {
        None => None,
        Some(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            let opened = opened.map_err(|error| Error::io("cannot open the log", path, error))?;
            let layer = tracing_subscriber::fmt::layer()
                .with_ansi(false)
                .with_writer(Mutex::new(opened))
                .with_filter(level.max(LevelFilter::DEBUG));
            Some(layer)
        }
    };
    if file.is_none() && level == LevelFilter::OFF {
        return Ok(());
    }
    let shown = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(std::io::stderr)
        .with_filter(level);
    let subscriber = tracing_subscriber::registry().with(file).with(shown);
    let _host_has_one = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}

/// What `-v`, `-vv` and `-vvv` show.
const fn level(verbose: u8) -> LevelFilter {
    match verbose {
        0 => LevelFilter::OFF,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    }
}
