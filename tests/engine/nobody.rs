//! Runs without the privileges of root, who may do everything.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::support::FUSION;

/// The command in `folder`, for somebody who may not enter where Cargo put it.
pub(crate) fn command_in(folder: &Path) -> PathBuf {
    let program = folder.join("fusion");
    if !program.exists() && fs::hard_link(FUSION, &program).is_err() {
        fs::copy(FUSION, &program).unwrap();
    }
    program
}

/// Has `command` run as nobody, if it would as root.
pub(crate) fn unprivileged(command: &mut Command) -> &mut Command {
    match fs::metadata("/proc/self").unwrap().uid() {
        0 => command.uid(65_534).gid(65_534),
        _ => command,
    }
}
