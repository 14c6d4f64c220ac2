//! Programs that scripts of ours build from Go modules into Cargo's target folder.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The program at `place` in the target folder, unless there is no Go on this machine to build it
/// with. That is said aloud. `script` builds it.
pub(crate) fn built(name: &str, place: &str, script: &str) -> Option<PathBuf> {
    // Cargo's folder for tests lies in its target folder.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let program = target.expect("a target folder").join(place);
    if program.is_file() {
        return Some(program);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let go = std::env::split_paths(&path).any(|folder| folder.join("go").is_file());
    let missing = format!("{name} is not built: run {script}");
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!(go && ci), "{missing}");
    // Past what the test harness holds back of tests that pass.
    let _ = writeln!(std::io::stderr(), "NOT TESTED, {missing} (needs Go)");
    None
}

/// Helm, ChartMuseum or charts-syncer, by the name of its program.
pub(super) fn of_charts(name: &str) -> Option<PathBuf> {
    let place = format!("charts-programs/{name}");
    built(name, &place, "tests/charts/programs.sh")
}
