//! Runs on threads that nobody waits for, when the interpreter goes down.
//!
//! Before Python 3.14 such a thread ends as soon as it asks for the interpreter lock, by unwinding
//! through frames of ours that another unwinder made: a crash. So runs are stopped while the
//! interpreter is still whole, and their threads sleep until the process is over, as Python's own do
//! from 3.14 on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

static LEAVING: AtomicBool = AtomicBool::new(false);
static RUNS: AtomicUsize = AtomicUsize::new(0);

/// How long the interpreter waits for runs to stop. They do at once, unless a progress callable
/// does not return.
const PATIENCE: Duration = Duration::from_secs(5);

/// One run, from before the interpreter lock is released until after it is held again.
pub(crate) struct Running {
    /// On the main thread the interpreter cannot go down meanwhile; exit handlers may run things.
    main: bool,
}

impl Running {
    /// Counts a run. Does not return if its thread has no time left for one.
    pub(crate) fn begin(py: Python<'_>) -> PyResult<Self> {
        let threading = py.import(intern!(py, "threading"))?;
        let main = threading.call_method0(intern!(py, "main_thread"))?;
        let here = threading.call_method0(intern!(py, "get_ident"))?;
        let main = main.getattr(intern!(py, "ident"))?.eq(here)?;
        RUNS.fetch_add(1, SeqCst);
        let running = Self { main };
        if running.must_stop() {
            py.detach(|| running.stay_if_over());
        }
        Ok(running)
    }

    /// Whether the run has to end, since the interpreter is about to.
    pub(crate) fn must_stop(&self) -> bool {
        !self.main && LEAVING.load(SeqCst)
    }

    /// To be called without the interpreter lock, before asking for it: does not return if that is
    /// not to be had any more.
    pub(crate) fn stay_if_over(&self) {
        if self.must_stop() {
            ended();
            loop {
                thread::park();
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        ended();
    }
}

fn ended() {
    // In a child that was forked within a run the count began anew.
    let _ = RUNS.fetch_update(SeqCst, SeqCst, |runs| runs.checked_sub(1));
}

/// Has Python call us before it goes down, and after a fork.
pub(crate) fn watch(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    py.import("atexit")?
        .call_method1("register", (wrap_pyfunction!(leave, module)?,))?;
    let hooks = PyDict::new(py);
    hooks.set_item("after_in_child", wrap_pyfunction!(forked, module)?)?;
    py.import("os")?
        .call_method("register_at_fork", (), Some(&hooks))?;
    Ok(())
}

/// Stops the runs of other threads, and waits until they have.
#[pyfunction]
fn leave(py: Python<'_>) -> PyResult<()> {
    LEAVING.store(true, SeqCst);
    let begun = Instant::now();
    while RUNS.load(SeqCst) > 0 && begun.elapsed() < PATIENCE {
        py.detach(|| thread::sleep(Duration::from_millis(5)));
        py.check_signals()?;
    }
    Ok(())
}

/// Only the thread that forked lives on.
#[pyfunction]
fn forked() {
    RUNS.store(0, SeqCst);
}
