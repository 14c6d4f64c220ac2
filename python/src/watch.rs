//! The calling thread during a run: signals, the progress callable, the stop event.

use fusion_core::progress::{Flow, Sink, Snapshot};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;

use crate::leaving::Running;

/// Is told how far a run is, on the thread that made the call, at least ten times a second. Each
/// time it takes the interpreter lock, lets Python handle signals, and calls what the caller gave.
pub(crate) struct Watch<'a> {
    running: &'a Running,
    progress: Option<Py<PyAny>>,
    stop: Option<Py<PyAny>>,
    raised: Option<PyErr>,
}

impl<'a> Watch<'a> {
    /// Calls `progress`, and asks `stop` (a `threading.Event`, …) whether to go on.
    pub(crate) const fn new(
        running: &'a Running,
        progress: Option<Py<PyAny>>,
        stop: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            running,
            progress,
            stop,
            raised: None,
        }
    }

    /// What a signal handler or the callable raised, if that is why the run stopped.
    pub(crate) fn raised(self) -> Option<PyErr> {
        self.raised
    }

    fn consult(&self, py: Python<'_>, snapshot: &Snapshot) -> PyResult<Flow> {
        static PROGRESS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
        py.check_signals()?;
        if let Some(progress) = &self.progress {
            let class = PROGRESS.import(py, "fusion._results", "Progress")?;
            let told = class.call1((
                snapshot.phase.name(),
                snapshot.bytes,
                snapshot.total_bytes,
                snapshot.blobs,
                snapshot.total_blobs,
            ))?;
            progress.bind(py).call1((told,))?;
        }
        match &self.stop {
            Some(stop) if stop.bind(py).call_method0("is_set")?.is_truthy()? => Ok(Flow::Stop),
            _ => Ok(Flow::Continue),
        }
    }
}

impl Sink for Watch<'_> {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        if self.raised.is_some() || self.running.must_stop() {
            return Flow::Stop;
        }
        // Nobody is there to be told once the interpreter is going down.
        match Python::try_attach(|py| self.consult(py, snapshot)) {
            Some(Ok(flow)) => flow,
            Some(Err(raised)) => {
                self.raised = Some(raised);
                Flow::Stop
            }
            None => Flow::Stop,
        }
    }
}
