//! The choices of `sync` and `import-addon` that are about charts.

use std::path::PathBuf;

use glob::Pattern;

use crate::error::{Error, ErrorKind, Result};
use crate::fuse::naming::pattern;
use crate::fuse::options::words;
use crate::location::Location;

words!(
    /// What to do with a version of a chart that the repository has, if it is not the same.
    #[derive(Default)]
    OnChart, "policy for charts", {
        /// Leave it, and say so; only digests that its values pin are brought up to date.
        #[default]
        Keep = "keep",
        /// Put ours in its place.
        Replace = "replace",
        /// Fail.
        Error = "error",
    }
);

/// The choices of `sync` and `import-addon` that are about charts.
#[derive(Debug, Clone, Default)]
pub struct ChartOptions {
    /// Bundles and packages in the place of those that the configuration names.
    pub sources: Vec<Location>,
    /// Only charts whose name, or `NAME@VERSION`, matches one of these globs; all if empty.
    pub charts: Vec<String>,
    /// Leave the images alone: charts only.
    pub skip_images: bool,
    /// Of each chart only the latest version.
    pub latest_only: bool,
    /// Saved values to bring along: of which chart, if that has to be said, and the file.
    pub values: Vec<(Option<String>, PathBuf)>,
    /// What to do with a version of a chart that the repository has.
    pub on_existing: OnChart,
}

impl ChartOptions {
    /// Whether the globs choose the chart.
    pub(crate) fn chooses(&self, name: &str, version: &str) -> Result<bool> {
        let full = format!("{name}@{version}");
        let mut chosen = self.charts.is_empty();
        for glob in &self.charts {
            let glob: Pattern = pattern(glob)?;
            chosen |= glob.matches(name) || glob.matches(&full);
        }
        Ok(chosen)
    }

    /// Adds what `[CHART=]FILE` names.
    pub(crate) fn add_values(&mut self, value: &str) {
        let told = match value.split_once('=') {
            // A path may hold an equals sign; the name of a chart holds no slash.
            Some((chart, file)) if !chart.is_empty() && !chart.contains('/') => {
                (Some(chart.to_owned()), file.into())
            }
            _ => (None, value.into()),
        };
        self.values.push(told);
    }
}
