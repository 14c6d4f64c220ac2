//! A file of settings, and which there are.

use std::path::{Path, PathBuf};

use super::{Fields, Setting};
use crate::error::{Error, ErrorKind, Result};
use crate::yaml::Document;
use crate::{fsx, limits};

/// A file of settings.
pub(in crate::deliver) struct Sheet {
    pub(super) path: PathBuf,
    document: Document,
    /// The full name of every setting that there is; `charts[].name` for each of a list.
    settings: &'static [&'static str],
}

impl Sheet {
    /// The file at `path`, which may have these `settings`.
    pub(in crate::deliver) fn read(path: &Path, settings: &'static [&'static str]) -> Result<Self> {
        let bytes = fsx::read_small(path, limits::MAX_JSON)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            Error::new(ErrorKind::Usage, "it is no text in UTF-8")
                .path(path)
                .offset(error.utf8_error().valid_up_to() as u64)
        })?;
        let document = Document::parse(&text)
            .map_err(|problem| problem.into_error(ErrorKind::Usage).path(path))?;
        Ok(Self {
            path: path.to_owned(),
            document,
            settings,
        })
    }

    /// The settings at the top.
    pub(in crate::deliver) fn root(&self) -> Result<Fields<'_>> {
        let node = self.document.root();
        if node.entries().is_none() {
            let message = match node.kind_name() {
                "nothing" => "it has no settings".to_owned(),
                other => format!("it is {other}, where settings are wanted"),
            };
            return Err(self.wrong(message));
        }
        Setting::top(self, node).fields()
    }

    /// An error about the whole.
    pub(in crate::deliver) fn wrong(&self, message: impl Into<String>) -> Error {
        Error::new(ErrorKind::Usage, message).path(&self.path)
    }

    /// The last parts of all settings directly below `section`.
    pub(super) fn below(&self, section: &str) -> Vec<&'static str> {
        let mut found: Vec<&str> = Vec::new();
        for setting in self.settings {
            let rest = match section {
                "" => Some(*setting),
                _ => setting
                    .strip_prefix(section)
                    .and_then(|rest| rest.strip_prefix('.')),
            };
            let part = rest.and_then(|rest| rest.split(['.', '[']).next());
            if let Some(part) = part.filter(|part| !found.contains(part)) {
                found.push(part);
            }
        }
        found
    }

    /// Settings and sections elsewhere that are called `key`: those that share most of their way
    /// with the one called `name`.
    pub(super) fn elsewhere(&self, name: &str, key: &str) -> Vec<&'static str> {
        let shared = |other: &str| {
            let pairs = name.split('.').zip(other.split('.'));
            pairs.take_while(|(a, b)| a == b).count()
        };
        let mut found: Vec<(usize, &str)> = Vec::new();
        for setting in self.settings {
            let ends = setting.match_indices(['.', '[']).map(|(end, _)| end);
            for end in ends.chain([setting.len()]) {
                let other = &setting[..end];
                let last = other.rsplit('.').next();
                // What items of a list have belongs to nothing else.
                if last == Some(key) && !other.contains('[') {
                    found.push((shared(other), other));
                }
            }
        }
        let most = found.iter().map(|(shared, _)| *shared).max();
        found.retain(|(shared, _)| Some(*shared) == most);
        let mut names: Vec<&str> = found.into_iter().map(|(_, name)| name).collect();
        names.dedup();
        names
    }
}
