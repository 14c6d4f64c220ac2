//! distribution 3, the second real registry, where `tests/programs.sh` has built it: that
//! takes Go.

use std::ffi::OsString;

use super::docker::{DockerRegistry, Make, Options};
use crate::clients::process::program;
use crate::programs;

/// Starts one, unless there is no Go on this machine to build it with. That is said aloud.
pub(crate) fn start(options: &Options) -> Option<DockerRegistry> {
    let registry = programs::built("registry")?;
    let words: Vec<OsString> = vec![
        program("env").into(),
        // By itself it looks for a collector of traces.
        "OTEL_TRACES_EXPORTER=none".into(),
        registry.into(),
    ];
    let make = Make::distribution("distribution 3", words);
    Some(DockerRegistry::launch(make, options))
}

/// A plain and open one.
pub(crate) fn open() -> Option<DockerRegistry> {
    start(&Options::default())
}
