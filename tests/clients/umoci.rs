//! umoci, which has no state. It reads layout directories only.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::process::{self, Result, command, run, run_text};

/// An unpacked image; removed when dropped.
#[derive(Debug)]
pub(crate) struct Bundle {
    dir: TempDir,
}

impl Bundle {
    pub(crate) fn rootfs(&self) -> PathBuf {
        self.dir.path().join("bundle/rootfs")
    }
}

/// `umoci unpack --image LAYOUT:TAG`. TAG is the exact `ref.name`, which may hold `/` and `:`; it
/// must lead to one image, through however many indexes (else "tag is ambiguous").
pub(crate) fn unpack(layout: &Path, tag: &str) -> Result<Bundle> {
    let dir = process::state_dir();
    run(umoci()
        .args(["unpack", "--image"])
        .arg(format!("{}:{tag}", layout.display()))
        .arg(dir.path().join("bundle")))?;
    Ok(Bundle { dir })
}

/// `umoci list`: the `ref.name` of each root.
pub(crate) fn list(layout: &Path) -> Result<Vec<String>> {
    let said = run_text(umoci().args(["list", "--layout"]).arg(layout))?;
    Ok(said.lines().map(str::to_owned).collect())
}

fn umoci() -> Command {
    command("umoci")
}
