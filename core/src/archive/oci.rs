//! OCI layouts, in a tar archive or a directory (image specification, *image-layout.md*).

use std::collections::{BTreeMap, BTreeSet};

use super::docker;
use super::{Name, Root};
use crate::container::Members;
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::oci::{Index, annotation};

/// The roots that `index.json` below `prefix` lists, and its annotations.
pub(super) fn listing(
    members: &Members,
    prefix: &str,
) -> Result<(Vec<Root>, BTreeMap<String, String>)> {
    check_version(members, prefix)?;
    let Some(member) = members.find(&format!("{prefix}index.json"))? else {
        let message = "the layout has no `index.json`";
        return Err(Error::new(ErrorKind::InvalidArchive, message)
            .path(&members.path)
            .hint("whatever wrote it has not finished: run that again"));
    };
    let blame = |error| members.place(&member).blame(error);
    let bytes = members.document(&member, limits::MAX_LISTING)?;
    let index = Index::parse(&bytes).map_err(blame)?;
    let roots = (index.manifests)
        .into_iter()
        .map(|descriptor| {
            let stated = |key: &str| descriptor.annotations.get(key).filter(|n| !n.is_empty());
            let name = match (stated(annotation::IMAGE_NAME), stated(annotation::REF_NAME)) {
                (Some(full), _) => Name::Full(full.clone()),
                // As containerd reads it: without `/`, `:` and `@` it is a tag.
                (None, Some(name)) if name.contains(['/', ':', '@']) => Name::Full(name.clone()),
                (None, Some(tag)) => Name::Tag(tag.clone()),
                (None, None) => Name::None,
            };
            Root { name, descriptor }
        })
        .collect();
    Ok((roots, index.annotations))
}

fn check_version(members: &Members, prefix: &str) -> Result<()> {
    let Some(member) = members.find(&format!("{prefix}oci-layout"))? else {
        // Some writers leave it out, so that containerd reads `manifest.json` instead.
        return Ok(());
    };
    let blame = |error| members.place(&member).blame(error);
    let bytes = members.document(&member, limits::MAX_JSON)?;
    let layout: serde_json::Value = serde_json::from_slice(&bytes).map_err(|error| {
        blame(Error::new(
            ErrorKind::InvalidArchive,
            format!("not JSON: {error}"),
        ))
    })?;
    match layout
        .get("imageLayoutVersion")
        .and_then(serde_json::Value::as_str)
    {
        Some("1.0.0") => Ok(()),
        other => {
            let version = other.unwrap_or("none");
            let message = format!("image layout version {version}; only 1.0.0 is known");
            Err(blame(Error::new(ErrorKind::Unsupported, message))
                .hint("save the image again as layout version 1.0.0"))
        }
    }
}

/// The entries of `manifest.json` whose names `index.json` does not have: a hybrid archive must
/// not lose an image because one of its two listings is shorter.
pub(super) fn unlisted<'a>(roots: &[Root], entries: &'a [docker::Entry]) -> Vec<&'a docker::Entry> {
    let listed: BTreeSet<String> = roots
        .iter()
        .filter_map(|root| root.name.normalised())
        .collect();
    entries
        .iter()
        .filter(|entry| {
            entry.repo_tags.iter().flatten().any(|tag| {
                let name = Name::Full(tag.clone()).normalised();
                name.is_some_and(|name| !listed.contains(&name))
            })
        })
        .collect()
}
