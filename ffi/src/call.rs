//! What every verb goes through: its options as they are now, its callbacks, its report.

use fusion_core::progress::{Flow, Sink, Snapshot, Stop};
use tracing::Dispatch;
use tracing::dispatcher::with_default;

use crate::error::{Failure, fusion_error};
use crate::handle::{self, Handle};
use crate::log::{self, Queue, Recorder};
use crate::options::fusion_options;
use crate::panic::fallible;
use crate::progress;
use crate::report::fusion_report;
use crate::status::fusion_status;

/// What a verb is given.
pub(crate) struct Tools<'a> {
    pub(crate) options: &'a fusion_options,
    pub(crate) sink: Option<&'a mut dyn Sink>,
    pub(crate) stop: &'a Stop,
}

/// Runs a verb with everything around it, and gives its report to C.
pub(crate) unsafe fn verb(
    options: *const fusion_options,
    report: *mut *mut fusion_report,
    error: *mut *mut fusion_error,
    body: impl FnOnce(Tools<'_>) -> Result<fusion_report, Failure>,
) -> fusion_status {
    let run = || {
        // SAFETY: as the header says.
        let options = unsafe { fusion_options::look(options) };
        let options = options.cloned().unwrap_or_default();
        let made = attend(&options, body)?;
        // SAFETY: as the header says.
        unsafe { handle::put(report, made) };
        Ok(())
    };
    // SAFETY: as the header says.
    unsafe { fallible(error, run) }
}

/// Runs `body` while the callbacks of `options` are served on this thread.
fn attend<T>(options: &fusion_options, body: impl FnOnce(Tools<'_>) -> T) -> T {
    let log = options.log.map(|callback| (callback, Queue::default()));
    let mut callbacks = Callbacks {
        progress: options.progress,
        log: log.clone(),
    };
    // A run that nobody watches stays on this thread.
    let watched = options.progress.is_some() || log.is_some();
    let stop = options.stop.clone().unwrap_or_default();
    let tools = Tools {
        options,
        sink: watched.then_some(&mut callbacks as &mut dyn Sink),
        stop: &stop,
    };
    let Some((callback, queue)) = log else {
        return body(tools);
    };
    let recorder = Dispatch::new(Recorder {
        queue: queue.clone(),
        level: callback.level,
    });
    let outcome = with_default(&recorder, || body(tools));
    callback.drain(&queue);
    outcome
}

/// The callbacks of a call, as the engine sees them.
struct Callbacks {
    progress: Option<progress::Callback>,
    log: Option<(log::Callback, Queue)>,
}

impl Sink for Callbacks {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        if let Some((callback, queue)) = &self.log {
            callback.drain(queue);
        }
        self.progress
            .map_or(Flow::Continue, |callback| callback.call(snapshot))
    }
}
