//! Helm charts: read, relocated by hints, packaged, published to chart repositories.

mod archive;
mod hints;
mod metadata;
mod relocate;
mod render;
pub(crate) mod repository;
#[cfg(test)]
mod tests;
mod tree;
pub(crate) mod values;
pub(crate) mod version;

use std::collections::BTreeMap;

pub(crate) use hints::{Hinted, Hints};
pub(crate) use relocate::{Change, Place, Relocated};

use crate::error::{Error, ErrorKind, Result};
use crate::{limits, tar};
use metadata::Metadata;
use serde_json::Value;

/// Files by their names below the root of a chart.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// The file that says which chart it is.
pub(crate) const CHART_YAML: &str = "Chart.yaml";
const VALUES: &str = "values.yaml";
const REQUIREMENTS: &str = "requirements.yaml";
const OWN_HINTS: &str = ".relok8s-images.yaml";

/// A chart, in memory.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// Where it came from, and what goes before the names of its files in messages.
    place: String,
    within: String,
    files: Files,
    metadata: Metadata,
    json: Value,
}

impl Chart {
    /// The chart of these files; `place` is what messages call the folder that they lie in.
    pub(crate) fn from_files(files: Files, place: &str) -> Result<Self> {
        let within = match place {
            "" => String::new(),
            place => format!("{}/", place.trim_end_matches('/')),
        };
        Self::new(files, place, within)
    }

    /// The chart that is packed in `bytes`, which messages call `place`.
    pub(crate) fn from_tgz(bytes: &[u8], place: &str) -> Result<Self> {
        let packed = archive::unpack(bytes, limits::MAX_CHART);
        let packed = packed.map_err(|error| match place {
            "" => error,
            place => error.within(&format!("{place} › "), 0),
        })?;
        let within = match place {
            "" => String::new(),
            place => format!("{place} › "),
        };
        Self::new(packed.files, place, within)
    }

    /// The same chart with other files.
    pub(crate) fn with_files(&self, files: Files) -> Result<Self> {
        Self::new(files, &self.place, self.within.clone())
    }

    fn new(files: Files, place: &str, within: String) -> Result<Self> {
        let refused = |name: &str, kind, message: &str| {
            Err(Error::new(kind, message).member(format!("{within}{name}")))
        };
        let mut bytes = 0_u64;
        for (name, content) in &files {
            bytes = bytes.saturating_add(content.len() as u64);
            let plain = name.split('/').all(|part| !matches!(part, "" | "."));
            if !tar::safe_name(name) || !plain || name.contains('\0') {
                let message = "its name leads out of the chart";
                return refused(name, ErrorKind::InvalidArchive, message);
            }
        }
        if bytes > limits::MAX_CHART || files.len() > limits::MAX_CHART_FILES {
            let message = format!(
                "more than {} MiB or {} files, which no chart has",
                limits::MAX_CHART >> 20,
                limits::MAX_CHART_FILES
            );
            return refused("", ErrorKind::LimitExceeded, &message);
        }
        let metadata = Metadata::read(&files, "", &within)?;
        metadata.check(&within)?;
        let json = metadata::json(&files, &within)?;
        Ok(Self {
            place: place.to_owned(),
            json,
            within,
            files,
            metadata,
        })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Its version.
    #[cfg(test)]
    fn version(&self) -> &str {
        &self.metadata.version
    }

    /// What `Chart.yaml` says, as JSON: the configuration of a chart in an OCI registry.
    pub(crate) fn metadata_json(&self) -> Value {
        self.json.clone()
    }

    /// Where it came from.
    #[cfg(test)]
    fn place(&self) -> &str {
        &self.place
    }

    /// Its files.
    pub(crate) fn files(&self) -> &Files {
        &self.files
    }

    /// The hints that it brings along.
    pub(crate) fn own_hints(&self) -> Option<Result<Hints>> {
        let bytes = self.files.get(OWN_HINTS)?;
        let place = format!("{}{OWN_HINTS}", self.within);
        Some(text(bytes, &place).and_then(|text| Hints::parse(text, &place)))
    }

    /// The chart as the `.tgz` that chart repositories take: the same files give the same bytes.
    pub(crate) fn packed(&self) -> Result<Vec<u8>> {
        archive::pack(self.name(), &self.files)
    }
}

/// The text of a file that messages call `place`.
fn text<'a>(bytes: &'a [u8], place: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("line {line}: it is not UTF-8");
        Error::new(ErrorKind::InvalidArchive, message).member(place)
    })
}

/// The document in a file that messages call `place`, read as Helm does.
fn document(bytes: &[u8], place: &str) -> Result<crate::yaml::Document> {
    let text = text(bytes, place)?;
    crate::yaml::Document::parse_as_helm(text)
        .map_err(|problem| problem.into_error(ErrorKind::InvalidArchive).member(place))
}
