//! Progress on standard error: a bar, lines or JSON events.

mod bar;
mod events;
mod lines;

use std::time::Duration;

use fusion_core::progress::{Phase, Sink, Stop};

use crate::args::{Common, ProgressMode};
use crate::console::Console;

/// How long `auto` waits before it shows anything: short runs stay quiet.
const GRACE: Duration = Duration::from_secs(1);

/// What the options ask for: a style, and how long it stays quiet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Bar(Duration),
    Lines(Duration),
    Events,
    None,
}

impl Style {
    fn choose(common: &Common, terminal: bool) -> Self {
        match common.progress {
            ProgressMode::Bar if terminal => Self::Bar(Duration::ZERO),
            ProgressMode::Bar => Self::Lines(Duration::ZERO),
            ProgressMode::Plain => Self::Lines(Duration::ZERO),
            ProgressMode::Json => Self::Events,
            ProgressMode::None => Self::None,
            ProgressMode::Auto if common.quiet => Self::None,
            // Log lines would tear a bar.
            ProgressMode::Auto if terminal && common.verbose == 0 => Self::Bar(GRACE),
            ProgressMode::Auto => Self::Lines(GRACE),
        }
    }
}

/// What shows the progress of a run; `None`: nothing does.
pub(crate) fn display<'a>(
    common: &Common,
    console: &'a mut Console<'_>,
    stop: &Stop,
) -> Option<Box<dyn Sink + 'a>> {
    match Style::choose(common, console.err_terminal) {
        Style::Bar(quiet) => Some(Box::new(bar::Bar::new(quiet, stop.clone()))),
        Style::Lines(quiet) => Some(Box::new(lines::Lines::new(quiet, &mut *console.err))),
        Style::Events => Some(Box::new(events::Events::new(&mut *console.err))),
        Style::None => None,
    }
}

/// A phase as people say it.
const fn doing(phase: Phase) -> &'static str {
    match phase {
        Phase::Read => "reading",
        Phase::Write => "writing",
        Phase::Publish => "publishing",
        _ => "working",
    }
}

#[cfg(test)]
mod tests;
