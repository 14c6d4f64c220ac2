//! Programs that `programs.sh` builds from Go modules into Cargo's target folder.

use std::io::Write;
use std::path::{Path, PathBuf};

/// The program of that name, unless there is no Go on this machine to build it with. That is said
/// aloud.
pub(crate) fn built(name: &str) -> Option<PathBuf> {
    // Cargo's folder for tests lies in its target folder.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    let program = (target.expect("a target folder"))
        .join("test-programs")
        .join(name);
    if program.is_file() {
        return Some(program);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let go = std::env::split_paths(&path).any(|folder| folder.join("go").is_file());
    let missing = format!("{name} is not built: run tests/programs.sh");
    let ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
    assert!(!(go && ci), "{missing}");
    // Past what the test harness holds back of tests that pass.
    let _ = writeln!(std::io::stderr(), "NOT TESTED, {missing} (needs Go)");
    None
}
