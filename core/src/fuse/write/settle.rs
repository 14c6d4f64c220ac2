//! What a publication that did not come to its end left in a layout: blobs that moved in and that
//! nothing leads to, or blobs that nothing leads to any more.

use std::collections::BTreeSet;
use std::path::Path;

use super::super::input;
use super::super::plan::reach;
use super::parent;
use crate::error::Result;
use crate::fsx::{self, Staging};
use crate::limits;
use crate::location::{Location, Transport};
use crate::oci::Digest;
use crate::package::Keep;
use crate::progress::Progress;

/// Removes those of the noted files that `index.json`, as it is now, does not lead to. Blobs of
/// others are not in the note.
pub(super) fn settle(staging: &Staging, layout: &Path) -> Result<()> {
    let Some(note) = staging.noted(limits::MAX_LISTING)? else {
        return Ok(());
    };
    let Some(used) = used(layout)? else {
        // Damaged: nobody can tell what is still needed.
        return Ok(());
    };
    for name in String::from_utf8_lossy(&note).lines() {
        let ours = name == "oci-layout" || Digest::from_blob_path(name).is_some();
        if ours && !used.contains(name) {
            fsx::remove_file_if_exists(&layout.join(name))?;
            fsx::remove_dir_if_empty(parent(&layout.join(name)));
        }
    }
    fsx::remove_dir_if_empty(&layout.join("blobs"));
    staging.forget()
}

/// The files that `index.json` needs; `None` if not all of them can be told.
fn used(layout: &Path) -> Result<Option<BTreeSet<String>>> {
    let mut used = BTreeSet::new();
    if !fsx::exists(&layout.join("index.json"))? {
        return Ok(Some(used));
    }
    used.insert("oci-layout".to_owned());
    let location = Location {
        transport: Transport::OciLayout,
        path: layout.to_owned(),
        reference: None,
        spelled: layout.display().to_string(),
    };
    let progress = Progress::default();
    let Ok((_, inputs)) = input::open(
        &location,
        &Keep::Documents,
        false,
        None,
        true,
        None,
        &progress,
    ) else {
        return Ok(None);
    };
    for listed in inputs.iter().flat_map(|input| &input.listed) {
        let Ok(found) = &listed.found else {
            return Ok(None);
        };
        reach(&found.node, &mut |descriptor| {
            used.insert(descriptor.digest.blob_path());
        });
    }
    Ok(Some(used))
}
