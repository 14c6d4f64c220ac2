//! The bar: phase, bytes, rate, time left.

use std::time::{Duration, Instant};

use fusion_core::progress::{Flow, Phase, Sink, Snapshot, Stop};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// With a total.
const KNOWN: &str = "{msg:>10} [{bar:30}] {binary_bytes} of {binary_total_bytes}, \
                     {binary_bytes_per_sec}, {eta} left";

/// Without one.
const UNKNOWN: &str = "{msg:>10} {binary_bytes}, {binary_bytes_per_sec}, {elapsed}";

/// Without bytes.
const BARE: &str = "{msg:>10} {elapsed}";

/// Draws on standard error, and leaves nothing behind.
#[derive(Debug)]
pub(super) struct Bar {
    bar: ProgressBar,
    begun: Instant,
    quiet: Duration,
    stop: Stop,
    seen: Option<(Phase, u64)>,
}

impl Bar {
    /// A bar that appears after `quiet`.
    pub(super) fn new(quiet: Duration, stop: Stop) -> Self {
        Self {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            begun: Instant::now(),
            quiet,
            stop,
            seen: None,
        }
    }

    /// Starts over with what a new phase has to do.
    fn enter(&mut self, snapshot: &Snapshot) {
        self.seen = Some((snapshot.phase, snapshot.total_bytes));
        let template = match (snapshot.total_bytes, snapshot.phase) {
            (0, Phase::Publish) => BARE,
            (0, _) => UNKNOWN,
            _ => KNOWN,
        };
        let style =
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        self.bar.reset();
        self.bar.set_style(style.progress_chars("=> "));
        match snapshot.total_bytes {
            0 => self.bar.unset_length(),
            total => self.bar.set_length(total),
        }
    }
}

impl Sink for Bar {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        if self.begun.elapsed() >= self.quiet && self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if self.seen != Some((snapshot.phase, snapshot.total_bytes)) {
            self.enter(snapshot);
        }
        let doing = if self.stop.requested() {
            "stopping"
        } else {
            super::doing(snapshot.phase)
        };
        self.bar.set_message(doing);
        self.bar.set_position(snapshot.bytes);
        Flow::Continue
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        for template in [KNOWN, UNKNOWN, BARE] {
            assert!(ProgressStyle::with_template(template).is_ok(), "{template}");
        }
    }
}
