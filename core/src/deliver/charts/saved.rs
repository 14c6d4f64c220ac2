//! Values that were saved from a release (`helm get values`): brought along, so that an upgrade with
//! them does not bring the old registry back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::bundles::Found;
use crate::chart::{Chart, Hints, values, version};
use crate::error::{Error, ErrorKind, Result};
use crate::report::{CarriedValues, ChangedValue, KeptValue};
use crate::{fsx, limits};

/// A file of saved values.
#[derive(Debug)]
pub(super) struct Saved {
    path: PathBuf,
    text: String,
    /// The chart that it is of, once that is known.
    chart: Option<String>,
    /// The latest version of it in the run.
    version: Option<String>,
}

impl Saved {
    /// The files that `named` names: of which chart, if that is said, and where.
    pub(super) fn read(named: &[(Option<String>, PathBuf)]) -> Result<Vec<Self>> {
        let read = |(chart, path): &(Option<String>, PathBuf)| {
            let bytes = fsx::read_small(path, limits::MAX_JSON)?;
            let text = String::from_utf8(bytes).map_err(|_| {
                Error::new(ErrorKind::InvalidArchive, "values that are not UTF-8").path(path)
            })?;
            Ok(Self {
                path: path.clone(),
                text,
                chart: chart.clone(),
                version: None,
            })
        };
        named.iter().map(read).collect()
    }

    /// Finds out which of `charts` it is of.
    pub(super) fn belongs_to(&mut self, charts: &[Found<'_>]) -> Result<()> {
        let names: BTreeSet<&str> = charts.iter().map(|chart| chart.name.as_str()).collect();
        let known = || names.iter().copied().collect::<Vec<_>>().join(", ");
        let usage = |message: &str, hint: String| {
            Err(Error::new(ErrorKind::Usage, message)
                .path(&self.path)
                .hint(hint))
        };
        let name = match (&self.chart, names.first(), names.len()) {
            (Some(name), _, _) if names.contains(name.as_str()) => name.clone(),
            (Some(name), _, _) => {
                let message =
                    format!("these are values of a chart `{name}`, which is not in this run");
                return usage(&message, format!("there are {}", known()));
            }
            (None, Some(only), 1) => (*only).to_owned(),
            (None, _, _) => {
                let path = self.path.display();
                return usage(
                    "of which chart are these values?",
                    format!("say so: `--values CHART={path}`; there are {}", known()),
                );
            }
        };
        let versions = charts.iter().filter(|chart| chart.name == name);
        let versions = versions.map(|chart| chart.version.as_str());
        let latest = versions.max_by(|one, other| version::compare(one, other));
        self.version = latest.map(str::to_owned);
        self.chart = Some(name);
        Ok(())
    }

    /// Whether it is to be brought along with `chart`.
    pub(super) fn is_of(&self, chart: &Found<'_>) -> bool {
        self.chart.as_deref() == Some(chart.name.as_str())
            && self.version.as_deref() == Some(chart.version.as_str())
    }

    /// Writes them anew, in their place, with the images where they are in `relocated`.
    pub(super) fn carry(
        &self,
        original: &Chart,
        relocated: &Chart,
        hints: Option<&Hints>,
        dry_run: bool,
    ) -> Result<CarriedValues> {
        let mut carried = CarriedValues {
            path: self.path.display().to_string(),
            chart: original.name().to_owned(),
            changes: Vec::new(),
            kept: Vec::new(),
        };
        let Some(hints) = hints else {
            return Ok(carried);
        };
        let (text, changes, kept) = values::carried_over(&self.text, original, relocated, hints)
            .map_err(|error| error.path(&self.path))?;
        carried.changes = (changes.into_iter())
            .map(|change| ChangedValue {
                key: change.key,
                old: change.old,
                new: change.new,
            })
            .collect();
        carried.kept = (kept.into_iter())
            .map(|kept| KeptValue {
                key: kept.key,
                value: kept.value,
                why: kept.why,
            })
            .collect();
        if !dry_run && text != self.text {
            let folder = match self.path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
                _ => PathBuf::from("."),
            };
            fsx::replace_file(&folder, &self.path, text.as_bytes(), true)?;
        }
        Ok(carried)
    }
}
