//! When progress is shown, and how.

use std::time::Duration;

use fusion_core::progress::{Flow, Phase, Progress, Sink, Snapshot, Stop, drive};

use super::lines::Pace;
use super::{GRACE, Style};
use crate::args::{Common, ProgressMode};

/// A snapshot, which only the engine can make.
fn snapshot(phase: Phase, bytes: u64, total_bytes: u64) -> Snapshot {
    let progress = Progress::new(Stop::new());
    let mut last = None;
    let mut sink = |snapshot: &Snapshot| {
        last = Some(*snapshot);
        Flow::Continue
    };
    drive(&progress, Some(&mut sink), || {
        progress.enter(phase, total_bytes, 4).expect("not stopped");
    });
    let mut snapshot = last.expect("reported");
    snapshot.bytes = bytes;
    snapshot
}

#[test]
fn the_style_follows_options_and_terminal() {
    let common = |progress, quiet, verbose| Common {
        progress,
        quiet,
        verbose,
        ..Common::default()
    };
    for (progress, quiet, verbose, terminal, style) in [
        (ProgressMode::Auto, false, 0, true, Style::Bar(GRACE)),
        (ProgressMode::Auto, false, 0, false, Style::Lines(GRACE)),
        (ProgressMode::Auto, false, 1, true, Style::Lines(GRACE)),
        (ProgressMode::Auto, true, 0, true, Style::None),
        (
            ProgressMode::Bar,
            false,
            0,
            true,
            Style::Bar(Duration::ZERO),
        ),
        (
            ProgressMode::Bar,
            false,
            0,
            false,
            Style::Lines(Duration::ZERO),
        ),
        (
            ProgressMode::Plain,
            false,
            0,
            true,
            Style::Lines(Duration::ZERO),
        ),
        (ProgressMode::Json, true, 0, true, Style::Events),
        (ProgressMode::None, false, 0, true, Style::None),
    ] {
        assert_eq!(
            Style::choose(&common(progress, quiet, verbose), terminal),
            style
        );
    }
}

#[test]
fn lines_are_few_and_complete() {
    const MIB: u64 = 1 << 20;
    let mut pace = Pace::new(GRACE);
    let mut at = |seconds: f64, phase, done: u64, total: u64| {
        let snapshot = snapshot(phase, done * MIB, total * MIB);
        pace.line(&snapshot, Duration::from_secs_f64(seconds))
    };
    assert_eq!(at(0.0, Phase::Write, 0, 100), None, "too early");
    let first = "writing: 2.0 MiB of 100.0 MiB (2 %), 0 of 4 blobs, 2.0 MiB/s, 49.0 s left";
    assert_eq!(at(1.0, Phase::Write, 2, 100).as_deref(), Some(first));
    assert_eq!(at(5.0, Phase::Write, 30, 100), None, "less than 5 s later");
    assert_eq!(at(7.0, Phase::Write, 11, 100), None, "less than 10 % more");
    let later = "writing: 50.0 MiB of 100.0 MiB (50 %), 0 of 4 blobs, 5.0 MiB/s, 10.0 s left";
    assert_eq!(at(10.0, Phase::Write, 50, 100).as_deref(), Some(later));
    assert!(at(41.0, Phase::Write, 51, 100).is_some(), "a sign of life");
    assert_eq!(
        at(41.1, Phase::Publish, 0, 0).as_deref(),
        Some("publishing: 0 of 4 blobs")
    );
}

#[test]
fn events_are_json_lines() {
    let mut err = Vec::new();
    let mut events = super::events::Events::new(&mut err);
    let snapshot = snapshot(Phase::Write, 7, 10);
    events.report(&snapshot);
    events.report(&snapshot);
    let text = String::from_utf8(err).expect("text");
    assert_eq!(text.lines().count(), 1, "nothing new is not said: {text}");
    let event: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let expected = serde_json::json!({
        "event": "progress", "phase": "write",
        "bytes": 7, "total_bytes": 10, "blobs": 0, "total_blobs": 4,
    });
    assert_eq!(event, expected);
}
