//! What the engine traces, in Python's `logging`: `fusion_core::fuse::run` is the logger
//! `fusion.fuse.run`.

use std::fmt::{self, Write};

use pyo3::intern;
use pyo3::prelude::*;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::subscriber::Interest;
use tracing::{Event, Level, Metadata, Subscriber};

/// Hands the events of one run to Python, from whatever thread they come.
pub(crate) struct Bridge {
    /// The least level that the logger `fusion` handles, as `logging` counts: 30 is a warning.
    level: u8,
}

impl Bridge {
    /// Asks the logger `fusion` what it handles, so that workers need not ask: most of what the
    /// engine traces is for nobody.
    pub(crate) fn new(py: Python<'_>) -> PyResult<Self> {
        let level = logger(py, "fusion")?.call_method0(intern!(py, "getEffectiveLevel"))?;
        let level: i64 = level.extract()?;
        Ok(Self {
            level: u8::try_from(level.max(0)).unwrap_or(u8::MAX),
        })
    }

    /// Does `work` and hears what it logs.
    pub(crate) fn listen<T>(self, work: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(self, work)
    }
}

fn logger<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let logging = py.import(intern!(py, "logging"))?;
    logging.call_method1(intern!(py, "getLogger"), (name,))
}

impl Subscriber for Bridge {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_event() && metadata.target().starts_with("fusion") {
            // Each run has its own level.
            Interest::sometimes()
        } else {
            Interest::never()
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        number(metadata.level()) >= self.level
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let metadata = event.metadata();
        let name = metadata.target().replace("::", ".");
        let name = name.replacen("fusion_core", "fusion", 1);
        // Once the interpreter is going down there is nobody to tell. A handler that fails does
        // not stop the run.
        Python::try_attach(|py| {
            let told = logger(py, &name).and_then(|logger| {
                let level = number(metadata.level());
                logger.call_method1(intern!(py, "log"), (level, "%s", text.0))
            });
            if let Err(failed) = told {
                failed.write_unraisable(py, None);
            }
        });
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// The number that `logging` has for a level; below `DEBUG` stands what it has no name for.
const fn number(level: &Level) -> u8 {
    match *level {
        Level::ERROR => 40,
        Level::WARN => 30,
        Level::INFO => 20,
        Level::DEBUG => 10,
        Level::TRACE => 5,
    }
}

/// The message of an event, then its other fields.
#[derive(Default)]
struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a string does not fail.
        let _ = if field.name() == "message" {
            let rest = std::mem::take(&mut self.0);
            write!(self.0, "{value:?}{rest}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
    }
}
