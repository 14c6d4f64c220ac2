//! What a run logs.

use std::ffi::{c_char, c_void};
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::strings::c_string;

/// Log nothing.
pub const FUSION_LOG_OFF: i32 = 0;
/// Log what fails.
pub const FUSION_LOG_ERROR: i32 = 1;
/// Also what somebody should look at.
pub const FUSION_LOG_WARN: i32 = 2;
/// Also the larger steps.
pub const FUSION_LOG_INFO: i32 = 3;
/// Also what helps to find a mistake.
pub const FUSION_LOG_DEBUG: i32 = 4;
/// Everything.
pub const FUSION_LOG_TRACE: i32 = 5;

/// One line of a run's log; what a fusion_log_fn is given.
///
/// Thread safety and lifetime: it is there for the one call of the callback, on its thread. Copy
/// what is to stay.
///
/// Later versions may add members at its end, and say so by `size`. Only the library makes one.
///
/// @since 0.1
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct fusion_log {
    /// The size of this structure in bytes, as the library has it.
    pub size: usize,
    /// FUSION_LOG_ERROR to FUSION_LOG_TRACE.
    pub level: i32,
    /// The part of the engine that says it. The string is always there.
    pub target: *const c_char,
    /// One line of UTF-8, without its end. The string is always there.
    pub message: *const c_char,
}

/// Is given what a run logs, line by line.
///
/// It is called on the thread that called the verb, whichever thread had something to say: within
/// a tenth of a second, and before the call returns. Runs do not see each other's lines. It may
/// call this library. It must return: no longjmp, no C++ exception.
///
/// @param log one line; gone when the callback returns
/// @param user_data as it was passed to fusion_options_set_log
/// @since 0.1
pub type fusion_log_fn =
    Option<unsafe extern "C" fn(log: *const fusion_log, user_data: *mut c_void)>;

/// A callback, what it is called with, and from which level on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Callback {
    pub(crate) function: unsafe extern "C" fn(log: *const fusion_log, user_data: *mut c_void),
    pub(crate) user_data: *mut c_void,
    pub(crate) level: LevelFilter,
}

impl Callback {
    /// Passes on what `queue` has.
    pub(crate) fn drain(&self, queue: &Queue) {
        for line in queue.take() {
            let (target, message) = (c_string(line.target), c_string(line.message));
            let log = fusion_log {
                size: size_of::<fusion_log>(),
                level: number(line.level),
                target: target.as_ptr(),
                message: message.as_ptr(),
            };
            // SAFETY: whoever set the callback promised that it can be called so.
            unsafe { (self.function)(&raw const log, self.user_data) };
        }
    }
}

/// What a level means, any number being one.
pub(crate) fn level(number: i32) -> LevelFilter {
    match number {
        ..=FUSION_LOG_OFF => LevelFilter::OFF,
        FUSION_LOG_ERROR => LevelFilter::ERROR,
        FUSION_LOG_WARN => LevelFilter::WARN,
        FUSION_LOG_INFO => LevelFilter::INFO,
        FUSION_LOG_DEBUG => LevelFilter::DEBUG,
        FUSION_LOG_TRACE.. => LevelFilter::TRACE,
    }
}

fn number(level: Level) -> i32 {
    match level {
        Level::ERROR => FUSION_LOG_ERROR,
        Level::WARN => FUSION_LOG_WARN,
        Level::INFO => FUSION_LOG_INFO,
        Level::DEBUG => FUSION_LOG_DEBUG,
        Level::TRACE => FUSION_LOG_TRACE,
    }
}

#[derive(Debug)]
struct Line {
    level: Level,
    target: String,
    message: String,
}

/// What a run has logged and nobody was told yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct Queue(Arc<Mutex<Vec<Line>>>);

impl Queue {
    fn take(&self) -> Vec<Line> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Puts what a run logs, on any of its threads, into a queue.
#[derive(Debug)]
pub(crate) struct Recorder {
    pub(crate) queue: Queue,
    pub(crate) level: LevelFilter,
}

impl Subscriber for Recorder {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let line = Line {
            level: *event.metadata().level(),
            target: event.metadata().target().to_owned(),
            message: text.line(),
        };
        let mut queue = self.queue.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(line);
    }

    // Spans say nothing by themselves.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// An event as text: the message, then `name=value` for each field.
#[derive(Default)]
struct Text {
    message: String,
    fields: String,
}

impl Text {
    fn line(self) -> String {
        let line = format!("{}{}", self.message, self.fields);
        line.trim_start().replace(['\n', '\r'], " ")
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing into a string does not fail.
        let _written = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}
