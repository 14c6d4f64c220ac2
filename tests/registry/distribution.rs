//! distribution 3, the second real registry, where `distribution.sh` has built it: that takes Go.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::docker::{DockerRegistry, Options};
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
    // Cargo's folder for tests lies in its target folder.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let registry = target
        .expect("a target folder")
        .join("registry-v3/registry");
    if registry.is_file() {
        return Some(registry);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let go = std::env::split_paths(&path).any(|folder| folder.join("go").is_file());
    let missing = "distribution 3 is not built: run tests/registry/distribution.sh";
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!(go && ci), "{missing}");
    // Past what the test harness holds back of tests that pass.
    let _ = writeln!(std::io::stderr(), "NOT TESTED, {missing} (needs Go)");
    None
}
