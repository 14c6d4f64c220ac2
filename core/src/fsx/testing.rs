//! What the tests of this module share: scenes that need a process of their own, small file
//! systems.

use std::path::{Path, PathBuf};
use std::process::Command;

const SCENE: &str = "FUSION_TEST_SCENE";

/// The scene that this process was started for, if any.
pub(super) fn scene() -> Option<String> {
    std::env::var(SCENE).ok()
}

/// A command that runs one test of this very binary, alone, for `scene`. `dir` takes what it may
/// leave when it is killed.
pub(super) fn stage(test: &str, scene: &str, dir: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a running test"));
    command
        .args(["--exact", test, "--test-threads=1"])
        .env(SCENE, scene)
        .env("TMPDIR", dir)
        .current_dir(dir);
    command
}

/// A file in `dir` with `len` bytes, none of which is zero.
pub(super) fn file_of(dir: &Path, name: &str, len: usize) -> (PathBuf, Vec<u8>) {
    let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8 + 1).collect();
    let path = dir.join(name);
    std::fs::write(&path, &bytes).expect("a temporary file");
    (path, bytes)
}

/// A file system in memory of one MiB, unmounted when dropped.
pub(crate) struct Tiny(tempfile::TempDir);

impl Tiny {
    pub(crate) fn mount() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir.path())
            .status();
        assert!(
            mounted.is_ok_and(|status| status.success()),
            "this test fills a small file system and must be allowed to mount one (run it as root)"
        );
        Self(dir)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
