//! `--progress json`: one event a line.

use std::io::Write;
use std::time::{Duration, Instant};

use fusion_core::progress::{Flow, Sink, Snapshot};

/// An event that says nothing new is due this often.
const HEARTBEAT: Duration = Duration::from_secs(1);

/// Writes an event when something changed, and as a sign of life.
pub(super) struct Events<'a> {
    err: &'a mut dyn Write,
    last: Option<(Instant, Snapshot)>,
}

impl<'a> Events<'a> {
    /// Events on `err`.
    pub(super) fn new(err: &'a mut dyn Write) -> Self {
        Self { err, last: None }
    }
}

impl Sink for Events<'_> {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        let due = self
            .last
            .is_none_or(|(then, seen)| seen != *snapshot || then.elapsed() >= HEARTBEAT);
        if due {
            self.last = Some((Instant::now(), *snapshot));
            let event = serde_json::json!({
                "event": "progress",
                "phase": snapshot.phase.name(),
                "bytes": snapshot.bytes,
                "total_bytes": snapshot.total_bytes,
                "blobs": snapshot.blobs,
                "total_blobs": snapshot.total_blobs,
            });
            // Progress that nobody sees stops nothing.
            let _ = writeln!(self.err, "{event}");
        }
        Flow::Continue
    }
}
