//! Helm charts: read, relocated by hints, packaged, published to chart repositories.

mod archive;
mod metadata;
pub(crate) mod repository;
#[cfg(test)]
mod tests;
pub(crate) mod version;

use std::collections::BTreeMap;

use metadata::Metadata;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// The file that says which chart it is.
pub(crate) const CHART_YAML: &str = "Chart.yaml";

/// A chart, in memory: its files by their names from its root.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    files: BTreeMap<String, Vec<u8>>,
    /// Where it came from, for errors.
    place: String,
    metadata: Metadata,
}

impl Chart {
    /// The chart that `files` are; `place` names it in errors.
    pub(crate) fn from_files(files: BTreeMap<String, Vec<u8>>, place: &str) -> Result<Self> {
        let blame = |error: Error| error.member(place);
        let bytes: u64 = files.values().map(|content| content.len() as u64).sum();
        if bytes > limits::MAX_CHART || files.len() > limits::MAX_CHART_FILES {
            let message = format!(
                "the chart has {} files with {bytes} bytes; {} and {} are allowed",
                files.len(),
                limits::MAX_CHART_FILES,
                limits::MAX_CHART
            );
            return Err(blame(Error::new(ErrorKind::LimitExceeded, message)));
        }
        if let Some(name) = files.keys().find(|name| !crate::tar::safe_name(name)) {
            let message = format!("the file `{name}` leads out of the chart");
            return Err(blame(Error::new(ErrorKind::InvalidArchive, message).hint(
                "whatever wrote it is broken or means harm: fetch the chart again",
            )));
        }
        let Some(text) = files.get(CHART_YAML) else {
            let message = "a chart without `Chart.yaml`";
            return Err(blame(
                Error::new(ErrorKind::InvalidArchive, message)
                    .hint("the chart is incomplete: fetch or make it again"),
            ));
        };
        let metadata = Metadata::read(text, place)?;
        Ok(Self {
            place: place.to_owned(),
            metadata,
            files,
        })
    }

    /// The chart that the packaged chart `bytes` (`.tgz`) is; `place` names it in errors.
    pub(crate) fn from_tgz(bytes: &[u8], place: &str) -> Result<Self> {
        let files = archive::unpack(bytes).map_err(|error| error.member(place))?;
        Self::from_files(files, place)
    }

    /// The same chart with other files.
    pub(crate) fn with_files(&self, files: BTreeMap<String, Vec<u8>>) -> Result<Self> {
        Self::from_files(files, &self.place)
    }

    /// The packaged chart (`.tgz`), as Helm takes it: the same files, the same bytes.
    pub(crate) fn packed(&self) -> Result<Vec<u8>> {
        archive::pack(self.name(), &self.files)
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.metadata.name
    }

    /// Its version, as it is written.
    pub(crate) fn version(&self) -> &str {
        &self.metadata.version
    }

    /// What `Chart.yaml` says, as JSON.
    pub(crate) fn metadata_json(&self) -> Value {
        self.metadata.json.clone()
    }

    /// Its files, by their names from its root.
    pub(crate) const fn files(&self) -> &BTreeMap<String, Vec<u8>> {
        &self.files
    }

    /// Where it came from.
    pub(crate) fn place(&self) -> &str {
        &self.place
    }
}
