//! What is chosen for a run, as Python hands it over.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use fusion_core::Result;
use fusion_core::deliver::DeliverOptions;
use fusion_core::fuse::FuseOptions;
use fusion_core::location::Location;
use fusion_core::settings::Settings;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

/// The name of every option, as on the command line.
#[pyfunction]
pub(crate) fn option_names() -> Vec<&'static str> {
    [FuseOptions::NAMES, DeliverOptions::NAMES].concat()
}

/// Choices by their names on the command line, and those that text cannot hold: pairs, and paths,
/// which need not be text.
#[derive(FromPyObject)]
pub(crate) struct Choices {
    #[pyo3(item)]
    set: Vec<(String, String)>,
    #[pyo3(item)]
    add: Vec<(String, String)>,
    #[pyo3(item)]
    rename: Vec<(String, String)>,
    #[pyo3(item)]
    annotations: Vec<(String, String)>,
    #[pyo3(item)]
    source_platforms: Vec<(PyBackedBytes, String)>,
    #[pyo3(item)]
    sources: Vec<PyBackedBytes>,
    #[pyo3(item)]
    values: Vec<(Option<String>, PyBackedBytes)>,
    #[pyo3(item)]
    work_dir: Option<PyBackedBytes>,
    #[pyo3(item)]
    tls_ca: Option<PyBackedBytes>,
}

impl Choices {
    /// The choices, as the engine takes them, and what the environment says now.
    pub(crate) fn options(&self) -> Result<DeliverOptions> {
        let mut options = DeliverOptions::default();
        for (name, value) in &self.set {
            options.set(name, value)?;
        }
        for (name, value) in &self.add {
            options.add(name, value)?;
        }
        for (from, to) in &self.rename {
            if from.is_empty() {
                options.add("rename", &format!("={to}"))?;
            }
            options.fuse.rename.push((from.clone(), to.clone()));
        }
        for (key, value) in &self.annotations {
            if key.is_empty() {
                options.add("annotation", &format!("={value}"))?;
            }
            options.fuse.annotations.insert(key.clone(), value.clone());
        }
        for (source, platform) in &self.source_platforms {
            let platform = platform.parse()?;
            let told = (path(source), platform);
            options.fuse.source_platforms.push(told);
        }
        for source in &self.sources {
            let source = Location::parse(OsStr::from_bytes(source))?;
            options.charts.sources.push(source);
        }
        for (chart, file) in &self.values {
            options.charts.values.push((chart.clone(), path(file)));
        }
        options.fuse.work_dir = self.work_dir.as_ref().map(path);
        options.fuse.connect.access.tls_ca = self.tls_ca.as_ref().map(path);
        options.fuse.connect.settings = Settings::from_env();
        Ok(options)
    }
}

fn path(bytes: &PyBackedBytes) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(bytes))
}
