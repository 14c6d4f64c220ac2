//! What containers and their parts look like, as far as merging asks.

use std::collections::BTreeSet;

use super::Found;
use crate::package::{Bundle, Item, Kind, Level};

/// The folders that anything lies in, whether they are listed or not. They keep their names.
pub(super) fn folders(levels: &[(Found<'_>, &str)]) -> BTreeSet<String> {
    let mut folders = BTreeSet::new();
    for (found, prefix) in levels {
        for item in &found.level.items {
            let name = item.name.strip_prefix(prefix).unwrap_or_default();
            folders.extend(name.match_indices('/').map(|(at, _)| name[..at].to_owned()));
        }
    }
    folders
}

/// Whether it is all there is in its source.
pub(super) fn is_source(item: &Item) -> bool {
    item.name.is_empty()
}

/// Whether it is one member of its container, and no folder.
pub(super) fn is_file(item: &Item) -> bool {
    matches!(
        item.kind,
        Kind::File(_) | Kind::Link(_) | Kind::Nested { .. }
    )
}

/// The bundle that a container is, and nothing else.
pub(super) fn sole_bundle(level: &Level) -> Option<(&Level, &Bundle)> {
    match &level.items[..] {
        [
            Item {
                name,
                kind: Kind::Bundle(bundle),
            },
        ] if name.is_empty() => Some((level, bundle)),
        _ => None,
    }
}

/// Whether it is an archive or a bundle, and nothing else.
pub(super) fn is_alone(level: &Level) -> bool {
    level.only_images().is_some() || sole_bundle(level).is_some()
}

/// The folder that all of a container lies in, with its slash.
pub(super) fn only_folder(level: &Level) -> Option<&str> {
    let (folder, _) = level
        .items
        .iter()
        .find_map(|item| item.name.split_once('/'))?;
    let prefix = level
        .items
        .iter()
        .find_map(|item| item.name.get(..=folder.len()))?;
    let inside = |item: &Item| {
        item.name.starts_with(prefix)
            || (item.name == folder && matches!(item.kind, Kind::Directory(_)))
    };
    // An archive that lies unpacked in that folder is all there is: it keeps its place.
    let prefix = prefix.ends_with('/').then_some(prefix)?;
    level.items.iter().all(inside).then_some(prefix)
}
