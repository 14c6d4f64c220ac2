//! The verbs: the interpreter lock is released from the first to the last byte.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use fusion_core::fuse::Failure;
use fusion_core::location::Location;
use fusion_core::progress::Stop;
use fusion_core::report::{Inspection, Verification};
use fusion_core::{Error, ErrorKind, Result};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::exception;
use crate::leaving::Running;
use crate::logging::Bridge;
use crate::options::Choices;
use crate::watch::Watch;

/// Fuses `sources` into `output`; the report as JSON.
#[pyfunction]
#[pyo3(signature = (sources, output, choices, progress, stop, /))]
pub(crate) fn fuse(
    py: Python<'_>,
    sources: Vec<PyBackedBytes>,
    output: Option<PyBackedBytes>,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let sources = locate_all(&sources)?;
        let output = output.as_ref().map(locate).transpose()?;
        let options = choices.options()?;
        let report = fusion_core::deliver::fuse(
            &sources,
            output.as_ref(),
            &options,
            Some(watch),
            &Stop::new(),
        )?;
        Ok(report.to_json())
    })
}

/// Fuses `sources`, and pushes them to `to`; the report as JSON.
#[pyfunction]
#[pyo3(signature = (sources, to, choices, progress, stop, /))]
pub(crate) fn push(
    py: Python<'_>,
    sources: Vec<PyBackedBytes>,
    to: String,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let sources = locate_all(&sources)?;
        let options = choices.options()?;
        let report =
            fusion_core::deliver::push(&sources, &to, &options, Some(watch), &Stop::new())?;
        Ok(report.to_json())
    })
}

/// Does what the charts-syncer configuration `config` asks for; the report as JSON.
#[pyfunction]
#[pyo3(signature = (config, choices, progress, stop, /))]
pub(crate) fn sync(
    py: Python<'_>,
    config: PyBackedBytes,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let options = choices.options()?;
        let config = Path::new(OsStr::from_bytes(&config));
        let report = fusion_core::deliver::sync(config, &options, Some(watch), &Stop::new())?;
        Ok(report.to_json())
    })
}

/// Imports `packages` to where the installer's configuration `config` says; the report as JSON.
#[pyfunction]
#[pyo3(signature = (config, packages, choices, progress, stop, /))]
pub(crate) fn import_addon(
    py: Python<'_>,
    config: PyBackedBytes,
    packages: Vec<PyBackedBytes>,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let packages = locate_all(&packages)?;
        let options = choices.options()?;
        let report = fusion_core::deliver::import_addon(
            Path::new(OsStr::from_bytes(&config)),
            &packages,
            &options,
            Some(watch),
            &Stop::new(),
        )?;
        Ok(report.to_json())
    })
}

/// Makes `target` an index over `sources`; the report as JSON.
#[pyfunction]
#[pyo3(signature = (target, sources, choices, progress, stop, /))]
pub(crate) fn index_create(
    py: Python<'_>,
    target: String,
    sources: Vec<String>,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
        let options = choices.options()?;
        let report = fusion_core::deliver::index_create(
            &target,
            &sources,
            &options,
            Some(watch),
            &Stop::new(),
        )?;
        Ok(report.to_json())
    })
}

/// Says what is inside `source`; the inspection as JSON.
#[pyfunction]
#[pyo3(signature = (source, reference, choices, progress, stop, /))]
pub(crate) fn inspect(
    py: Python<'_>,
    source: PyBackedBytes,
    reference: Option<String>,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let reference = reference.as_deref();
        let outcome = locate(&source).and_then(|source| {
            let connect = choices.options()?.fuse.connect;
            fusion_core::inspect::inspect(&source, reference, &connect, Some(watch), &Stop::new())
        });
        match outcome {
            Ok(inspection) => Ok(inspection.to_json()),
            Err(error) => {
                let document = Inspection::failed(&spelled(&source), &error).to_json();
                Err(Failed::with(error, document))
            }
        }
    })
}

/// Checks every digest of `sources`; the verification as JSON.
#[pyfunction]
#[pyo3(signature = (sources, choices, progress, stop, /))]
pub(crate) fn verify(
    py: Python<'_>,
    sources: Vec<PyBackedBytes>,
    choices: Choices,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
) -> PyResult<String> {
    run(py, progress, stop, |watch| {
        let outcome = locate_all(&sources).and_then(|sources| {
            let options = choices.options()?.fuse;
            let (jobs, connect) = (options.jobs, &options.connect);
            fusion_core::validate::verify(&sources, jobs, connect, Some(watch), &Stop::new())
        });
        match outcome {
            Ok(verification) => Ok(verification.to_json()),
            Err(error) => {
                let mut document = Verification::new(sources.iter().map(spelled).collect());
                document.fail(&error);
                Err(Failed::with(error, document.to_json()))
            }
        }
    })
}

/// A run that failed: why, and its document as far as it came.
struct Failed {
    error: Error,
    document: Option<String>,
}

impl Failed {
    const fn with(error: Error, document: String) -> Self {
        Self {
            error,
            document: Some(document),
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            document: None,
        }
    }
}

impl From<Failure> for Failed {
    fn from(failure: Failure) -> Self {
        Self::with(failure.error, failure.report.to_json())
    }
}

/// Does `work` without the interpreter lock. What a signal handler or the progress callable raised
/// is raised unchanged; a panic is an internal error.
fn run(
    py: Python<'_>,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
    work: impl FnOnce(&mut Watch<'_>) -> Result<String, Failed> + Send,
) -> PyResult<String> {
    let bridge = Bridge::new(py)?;
    let running = Running::begin(py)?;
    let (watch, outcome) = py.detach(|| {
        let mut watch = Watch::new(&running, progress, stop);
        let outcome = catch_unwind(AssertUnwindSafe(|| bridge.listen(|| work(&mut watch))));
        running.stay_if_over();
        (watch, outcome.unwrap_or_else(|_| Err(bug().into())))
    });
    let failed = outcome.as_ref().err();
    if let Some(raised) = watch.raised() {
        if let Some(hint) = failed.and_then(|failed| failed.error.get_hint()) {
            note(py, &raised, hint);
        }
        return Err(raised);
    }
    outcome.map_err(|failed| exception(py, &failed.error, failed.document))
}

/// Adds what the engine has to say about being stopped, where Python has notes (from 3.11 on).
fn note(py: Python<'_>, raised: &PyErr, hint: &str) {
    // An exception that takes no note is raised without.
    let _ = raised
        .value(py)
        .call_method1("add_note", (format!("hint: {hint}"),));
}

fn bug() -> Error {
    Error::new(ErrorKind::Internal, "fusion itself failed")
        .hint("this is a bug: please report it, with what was printed before")
}

fn locate(path: &PyBackedBytes) -> Result<Location> {
    Location::parse(OsStr::from_bytes(path))
}

fn spelled(path: &PyBackedBytes) -> String {
    String::from_utf8_lossy(path).into_owned()
}

fn locate_all(paths: &[PyBackedBytes]) -> Result<Vec<Location>> {
    paths.iter().map(locate).collect()
}
