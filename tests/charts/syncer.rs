//! charts-syncer itself, to compare with: the last release for bundles.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::clients::process::{Result, run_text};
use crate::programs::built;

#[derive(Debug)]
pub(crate) struct Syncer {
    program: PathBuf,
}

impl Syncer {
    /// charts-syncer, unless this machine cannot build it; that is said aloud.
    pub(crate) fn find() -> Option<Self> {
        let program = built("charts-syncer")?;
        Some(Self { program })
    }

    /// `sync` with the configuration `config`, in `folder`, which also is its home; what it said.
    pub(crate) fn sync(&self, folder: &Path, config: &Path) -> Result<String> {
        let mut command = Command::new(&self.program);
        command
            .args(["sync", "--insecure", "--config"])
            .arg(config)
            .current_dir(folder)
            .env_clear()
            .env("HOME", folder)
            .env("TMPDIR", folder);
        run_text(&mut command)
    }
}
