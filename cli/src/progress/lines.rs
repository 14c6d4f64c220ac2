//! Lines, for logs of a build server: few, and each complete in itself.

use std::io::Write;
use std::time::{Duration, Instant};

use fusion_core::progress::{Flow, Phase, Sink, Snapshot};

use crate::output::text::{bytes, seconds};

/// The least time between two lines of a phase.
const PERIOD: Duration = Duration::from_secs(5);

/// A sign of life, if nothing else calls for a line.
const SILENCE: Duration = Duration::from_secs(30);

/// The least progress between two lines of a phase, in percent.
const STEP: u64 = 10;

/// Writes a line when the phase changes, then one for every 10 % but at most every 5 s.
pub(super) struct Lines<'a> {
    err: &'a mut dyn Write,
    begun: Instant,
    pace: Pace,
}

impl<'a> Lines<'a> {
    /// Lines on `err`, none before `quiet` has passed.
    pub(super) fn new(quiet: Duration, err: &'a mut dyn Write) -> Self {
        Self {
            err,
            begun: Instant::now(),
            pace: Pace::new(quiet),
        }
    }
}

impl Sink for Lines<'_> {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        if let Some(line) = self.pace.line(snapshot, self.begun.elapsed()) {
            // Progress that nobody sees stops nothing.
            let _ = writeln!(self.err, "{line}");
        }
        Flow::Continue
    }
}

/// Decides when a line is due. Time is counted from the beginning of the run.
#[derive(Debug)]
pub(super) struct Pace {
    quiet: Duration,
    phase: Option<Phase>,
    entered: Duration,
    last: Option<(Duration, u64)>,
}

impl Pace {
    pub(super) const fn new(quiet: Duration) -> Self {
        Self {
            quiet,
            phase: None,
            entered: Duration::ZERO,
            last: None,
        }
    }

    /// The line that is due `now`, if one is.
    pub(super) fn line(&mut self, snapshot: &Snapshot, now: Duration) -> Option<String> {
        if self.phase != Some(snapshot.phase) {
            self.phase = Some(snapshot.phase);
            self.entered = now;
            self.last = None;
        }
        if now < self.quiet {
            return None;
        }
        let percent = percent(snapshot);
        if let Some((then, shown)) = self.last {
            let waited = now.saturating_sub(then);
            let moved = snapshot.total_bytes == 0 || percent >= shown + STEP;
            if waited < PERIOD || (!moved && waited < SILENCE) {
                return None;
            }
        }
        self.last = Some((now, percent));
        Some(describe(
            snapshot,
            percent,
            now.saturating_sub(self.entered),
        ))
    }
}

/// How much is done; 0 while the total is unknown.
fn percent(snapshot: &Snapshot) -> u64 {
    let done = u128::from(snapshot.bytes.min(snapshot.total_bytes)) * 100;
    let percent = done.checked_div(u128::from(snapshot.total_bytes));
    percent
        .and_then(|percent| u64::try_from(percent).ok())
        .unwrap_or_default()
}

/// `writing: 1.2 GiB of 4.0 GiB (30 %), 12 of 131 blobs, 512.0 MiB/s, 5.6 s left`.
fn describe(snapshot: &Snapshot, percent: u64, elapsed: Duration) -> String {
    let mut parts = Vec::new();
    if snapshot.total_bytes > 0 {
        parts.push(format!(
            "{} of {} ({percent} %)",
            bytes(snapshot.bytes),
            bytes(snapshot.total_bytes)
        ));
    } else if snapshot.bytes > 0 {
        parts.push(bytes(snapshot.bytes));
    }
    if snapshot.total_blobs > 0 {
        parts.push(format!(
            "{} of {} blobs",
            snapshot.blobs, snapshot.total_blobs
        ));
    }
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate"
    )]
    if elapsed >= Duration::from_secs(1) && snapshot.bytes > 0 {
        let rate = snapshot.bytes as f64 / elapsed.as_secs_f64();
        parts.push(format!("{}/s", bytes(rate as u64)));
        if snapshot.total_bytes > snapshot.bytes {
            let left = (snapshot.total_bytes - snapshot.bytes) as f64 / rate;
            parts.push(format!("{} left", seconds(left)));
        }
    }
    let doing = super::doing(snapshot.phase);
    if parts.is_empty() {
        doing.to_owned()
    } else {
        format!("{doing}: {}", parts.join(", "))
    }
}
