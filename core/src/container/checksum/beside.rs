//! The checksum file beside a source.

use std::path::{Path, PathBuf};

use super::list::{Line, List, MOST, last};
use super::{ENDINGS, Stated};
use crate::error::Result;
use crate::fsx;

/// What a checksum file beside the file at `path` says of it, if there is one.
pub(crate) fn beside(path: &Path) -> Result<Option<Stated>> {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
        return Ok(None);
    };
    let stem = ENDINGS
        .iter()
        .find_map(|ending| name.strip_suffix(ending))
        .unwrap_or(name);
    for kind in ["sha512", "sha256"] {
        for candidate in [
            format!("{name}.{kind}sum"),
            format!("{name}.{kind}"),
            format!("{stem}_checksum.{kind}sum"),
        ] {
            let file: PathBuf = path.with_file_name(&candidate);
            let Some(found) = fsx::metadata_if_any(&file)? else {
                continue;
            };
            if !found.is_file() || found.len() > MOST {
                continue;
            }
            let text = String::from_utf8_lossy(&fsx::read_small(&file, MOST)?).into_owned();
            let list = List::read(&candidate, &text);
            let mut sums = list.parts.iter().filter_map(|part| match part {
                Line::Text(_) => None,
                Line::Sum { hex, spelled, .. } => Some((hex, spelled.as_deref())),
            });
            let mut all = sums.clone();
            let stated = match (all.next(), all.next()) {
                (Some((hex, None)), None) => Some(hex.clone()),
                _ => sums
                    .find(|(_, listed)| listed.is_some_and(|listed| last(listed) == name))
                    .map(|(hex, _)| hex.clone()),
            };
            if let Some(hex) = stated {
                let by = file.display().to_string();
                return Ok(Some(Stated { hex, by }));
            }
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checksum_beside_a_file_is_found_by_name() {
        let dir = tempfile::tempdir().expect("a folder");
        let tar = dir.path().join("m_1_amd64.tar");
        std::fs::write(&tar, b"x").expect("written");
        assert_eq!(beside(&tar).expect("looked"), None);
        let sum = "cd".repeat(32);
        let file = dir.path().join("m_1_amd64_checksum.sha256sum");
        std::fs::write(&file, format!("{sum}  m_1_amd64.tar\n")).expect("written");
        let stated = beside(&tar).expect("looked").expect("found");
        assert_eq!(stated.hex, sum);
        assert!(stated.check(&stated.summer().finish()).is_err());
    }
}
