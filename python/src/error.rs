//! The engine's errors as Python exceptions.

use fusion_core::{Error, ErrorKind};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyDict;

/// The stable name of every kind of error.
#[pyfunction]
pub(crate) fn error_kinds() -> Vec<&'static str> {
    ErrorKind::ALL.iter().map(|kind| kind.name()).collect()
}

/// The exception for `error`: `fusion.exceptions` says which class a kind has. `document` is that
/// of the run, as JSON.
pub(crate) fn exception(py: Python<'_>, error: &Error, document: Option<String>) -> PyErr {
    build(py, error, document).unwrap_or_else(|failed| failed)
}

fn build(py: Python<'_>, error: &Error, document: Option<String>) -> PyResult<PyErr> {
    static BUILD: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let facts = PyDict::new(py);
    facts.set_item("kind", error.kind().name())?;
    facts.set_item("path", error.get_path().map(|path| path.as_os_str()))?;
    facts.set_item("member", error.get_member())?;
    facts.set_item("digest", error.get_digest())?;
    facts.set_item("offset", error.get_offset())?;
    facts.set_item("hint", error.get_hint())?;
    facts.set_item("errno", error.errno())?;
    // Only the classes of registries take these.
    if (-79..=-60).contains(&error.kind().code()) {
        facts.set_item("status", error.get_status())?;
        facts.set_item("code", error.get_code())?;
    }
    let arguments = (error.to_string(), document, facts);
    let exception = BUILD
        .import(py, "fusion.exceptions", "_from_native")?
        .call1(arguments)?;
    Ok(PyErr::from_value(exception))
}
