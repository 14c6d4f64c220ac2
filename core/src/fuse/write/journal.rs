//! What an unfinished publication into an existing layout may have left: the blobs that were being
//! added or removed. Whoever comes next removes those that the layout does not lead to; blobs of
//! others are never on the list.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::fsx;
use crate::limits;
use crate::oci::Digest;

/// The journal's name in the layout directory.
const NAME: &str = ".fusion-journal";

fn file(layout: &Path) -> PathBuf {
    layout.join(NAME)
}

/// Whether a publication into `layout` was not finished.
pub(in crate::fuse) fn is_there(layout: &Path) -> Result<bool> {
    fsx::exists(&file(layout))
}

/// Whether `entry` of a layout directory is a journal.
pub(in crate::fuse) fn is_journal(entry: &Path) -> bool {
    entry.ends_with(NAME)
}

/// Notes, before anything is touched, which blobs a publication will add and remove.
pub(super) fn begin<'a>(
    layout: &Path,
    staging: &Path,
    blobs: impl Iterator<Item = &'a Digest>,
    durable: bool,
) -> Result<()> {
    let mut lines = String::new();
    for digest in blobs.collect::<BTreeSet<_>>() {
        lines.push_str(&digest.to_string());
        lines.push('\n');
    }
    fsx::replace_file(staging, &file(layout), lines.as_bytes(), durable)
}

/// Removes what an unfinished publication left and nothing in `reached` is.
pub(super) fn recover(layout: &Path, reached: &BTreeSet<Digest>) -> Result<()> {
    if !is_there(layout)? {
        return Ok(());
    }
    let lines = fsx::read_small(&file(layout), limits::MAX_LISTING)?;
    let lines = String::from_utf8_lossy(&lines);
    // A line that is no digest was not finished being written: then nothing was touched yet.
    for digest in lines.lines().filter_map(|line| line.parse::<Digest>().ok()) {
        if !reached.contains(&digest) {
            fsx::remove_file_if_exists(&layout.join(digest.blob_path()))?;
        }
    }
    finish(layout)
}

/// The publication is finished.
pub(super) fn finish(layout: &Path) -> Result<()> {
    fsx::remove_file_if_exists(&file(layout)).map(drop)
}
