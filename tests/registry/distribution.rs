//! distribution 3, the second real registry, where `distribution.sh` has built it: that takes Go.

use std::ffi::OsString;
use std::path::PathBuf;

use super::docker::{DockerRegistry, Options};
use crate::charts::programs;
use crate::clients::process::program;

/// Starts one, unless there is no Go on this machine to build it with. That is said aloud.
pub(crate) fn start(options: &Options) -> Option<DockerRegistry> {
    let registry = built()?;
    let words: [OsString; 3] = [
        program("env").into(),
        // By itself it looks for a collector of traces.
        "OTEL_TRACES_EXPORTER=none".into(),
        registry.into(),
    ];
    Some(DockerRegistry::launch("distribution 3", words, options))
}

/// A plain and open one.
pub(crate) fn open() -> Option<DockerRegistry> {
    start(&Options::default())
}

fn built() -> Option<PathBuf> {
    programs::built(
        "distribution 3",
        "registry-v3/registry",
        "tests/registry/distribution.sh",
    )
}
