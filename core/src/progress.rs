//! Counters that workers bump, snapshots that the calling thread reports, the stop flag.
//!
//! Work runs on other threads; the thread that called waits, and calls the sink at most ten times
//! a second. One design then serves the command, C and Python, whose callbacks must run on the
//! caller's thread.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::{Error, Result};

/// How long the calling thread sleeps between two reports.
const PERIOD: Duration = Duration::from_millis(100);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Reading the sources: their directories, or the whole of a compressed one.
    Read,
    /// Hashing, copying and checking blobs.
    Write,
    /// Making the result visible.
    Publish,
}

impl Phase {
    /// The phase as a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Publish => "publish",
        }
    }

    const fn from_u8(value: u8) -> Self {
        match value {
            0 => Self::Read,
            1 => Self::Write,
            _ => Self::Publish,
        }
    }
}

/// How far a run is; what a [`Sink`] is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Snapshot {
    /// What the run is doing.
    pub phase: Phase,
    /// Bytes done in this phase.
    pub bytes: u64,
    /// Bytes to do in this phase; 0 while that is unknown.
    pub total_bytes: u64,
    /// Blobs done in this phase.
    pub blobs: u64,
    /// Blobs to do in this phase; 0 while that is unknown.
    pub total_blobs: u64,
}

/// What a [`Sink`] answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop: the run ends with [`ErrorKind::Cancelled`](crate::error::ErrorKind::Cancelled) and
    /// publishes nothing.
    Stop,
}

/// Receives snapshots on the thread that made the call.
pub trait Sink {
    /// Is told how far the run is, at most ten times a second, at least once before the first
    /// write and once before the publish; no more once it has said stop.
    fn report(&mut self, snapshot: &Snapshot) -> Flow;
}

impl<F: FnMut(&Snapshot) -> Flow> Sink for F {
    fn report(&mut self, snapshot: &Snapshot) -> Flow {
        self(snapshot)
    }
}

/// A flag that any thread may raise to stop a run. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    flag: Arc<AtomicBool>,
    /// Another flag that counts as this one.
    outer: Option<Box<Self>>,
}

impl Stop {
    /// A flag that is down.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Raises the flag.
    pub fn request(&self) {
        self.flag.store(true, Ordering::Relaxed);
    }

    /// Whether the flag is up.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.flag.load(Ordering::Relaxed) || self.outer.as_ref().is_some_and(|o| o.requested())
    }

    /// An error once the flag is up.
    pub fn check(&self) -> Result<()> {
        if self.requested() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }
}

/// What workers bump and the calling thread reads.
#[derive(Debug, Default)]
pub struct Progress {
    stop: Stop,
    /// The sink said stop: for this run only, whoever else shares the flag.
    halted: Arc<AtomicBool>,
    phase: AtomicU8,
    bytes: AtomicU64,
    total_bytes: AtomicU64,
    blobs: AtomicU64,
    total_blobs: AtomicU64,
    meeting: Mutex<Meeting>,
    met: Condvar,
}

/// Where worker and calling thread meet, so that a report is made at fixed points of a run.
#[derive(Debug, Default)]
struct Meeting {
    /// Somebody listens: without it a checkpoint does not wait.
    attended: bool,
    asked: u64,
    answered: u64,
    finished: bool,
}

impl Progress {
    /// Counters at zero, stopped by `stop`.
    #[must_use]
    pub fn new(stop: Stop) -> Self {
        Self {
            stop,
            ..Self::default()
        }
    }

    /// Counters for work on the side, which stops with this one and counts for nobody.
    #[must_use]
    pub fn aside(&self) -> Self {
        Self {
            stop: self.stop.clone(),
            halted: Arc::clone(&self.halted),
            ..Self::default()
        }
    }

    /// A flag that is up once this run is to stop, whether the caller or the sink said so: for
    /// waits that have no counters at hand.
    #[must_use]
    pub fn stop(&self) -> Stop {
        Stop {
            flag: Arc::clone(&self.halted),
            outer: Some(Box::new(self.stop.clone())),
        }
    }

    /// An error once the caller asked to stop.
    pub fn check(&self) -> Result<()> {
        if self.halted() {
            Err(Error::cancelled())
        } else {
            Ok(())
        }
    }

    fn halted(&self) -> bool {
        self.stop.requested() || self.halted.load(Ordering::Relaxed)
    }

    fn halt(&self) {
        self.halted.store(true, Ordering::Relaxed);
    }

    /// Counts bytes done.
    pub fn add_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Counts a blob done.
    pub fn add_blob(&self) {
        self.blobs.fetch_add(1, Ordering::Relaxed);
    }

    /// Enters `phase` with what it has to do, and waits until the caller has been told and has
    /// had the chance to stop the run.
    pub fn enter(&self, phase: Phase, total_bytes: u64, total_blobs: u64) -> Result<()> {
        self.phase.store(phase as u8, Ordering::Relaxed);
        self.bytes.store(0, Ordering::Relaxed);
        self.blobs.store(0, Ordering::Relaxed);
        self.total_bytes.store(total_bytes, Ordering::Relaxed);
        self.total_blobs.store(total_blobs, Ordering::Relaxed);
        let mut meeting = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        if meeting.attended {
            meeting.asked += 1;
            let ticket = meeting.asked;
            self.met.notify_all();
            while meeting.answered < ticket && !self.halted() {
                meeting = self
                    .met
                    .wait(meeting)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
        drop(meeting);
        self.check()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            phase: Phase::from_u8(self.phase.load(Ordering::Relaxed)),
            bytes: self.bytes.load(Ordering::Relaxed),
            total_bytes: self.total_bytes.load(Ordering::Relaxed),
            blobs: self.blobs.load(Ordering::Relaxed),
            total_blobs: self.total_blobs.load(Ordering::Relaxed),
        }
    }
}

/// Runs `work` on another thread while this one reports to `sink`; returns what `work` returns.
///
/// A panic of `work` goes on in the caller. A panic of `sink` stops the work first, then goes on.
/// What `work` logs goes to the subscriber of the calling thread.
pub fn drive<T: Send>(
    progress: &Progress,
    sink: Option<&mut dyn Sink>,
    work: impl FnOnce() -> T + Send,
) -> T {
    let Some(sink) = sink else { return work() };
    progress
        .meeting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .attended = true;
    let log = tracing::dispatcher::get_default(Clone::clone);
    std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                tracing::dispatcher::with_default(&log, work)
            }));
            let mut meeting = progress
                .meeting
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            meeting.finished = true;
            progress.met.notify_all();
            outcome
        });
        let watched = catch_unwind(AssertUnwindSafe(|| watch(progress, sink)));
        if watched.is_err() {
            progress.halt();
            progress.met.notify_all();
        }
        let outcome = worker.join().unwrap_or_else(Err);
        match (watched, outcome) {
            (Err(panic), _) | (Ok(()), Err(panic)) => resume_unwind(panic),
            (Ok(()), Ok(value)) => value,
        }
    })
}

/// Reports until the work is finished. A sink that has said stop is told no more: whatever it
/// was called with may be on its way out.
fn watch(progress: &Progress, sink: &mut dyn Sink) {
    let mut listens = true;
    loop {
        let meeting = progress
            .meeting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let (meeting, _) = progress
            .met
            .wait_timeout_while(meeting, PERIOD, |m| !m.finished && m.asked == m.answered)
            .unwrap_or_else(PoisonError::into_inner);
        if meeting.finished {
            return;
        }
        let asked = meeting.asked;
        drop(meeting);
        if listens && sink.report(&progress.snapshot()) == Flow::Stop {
            listens = false;
            progress.halt();
        }
        let mut meeting = progress
            .meeting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        meeting.answered = asked;
        progress.met.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_is_reported_on_the_calling_thread() {
        let caller = std::thread::current().id();
        let progress = Progress::new(Stop::new());
        let mut seen = Vec::new();
        let mut sink = |snapshot: &Snapshot| {
            assert_eq!(std::thread::current().id(), caller);
            seen.push(snapshot.phase);
            Flow::Continue
        };
        drive(&progress, Some(&mut sink), || {
            progress.enter(Phase::Write, 10, 1).expect("not stopped");
            progress.enter(Phase::Publish, 0, 0).expect("not stopped");
        });
        seen.dedup();
        assert_eq!(seen, [Phase::Write, Phase::Publish]);
    }

    #[test]
    fn a_sink_that_says_stop_stops_its_own_work_at_the_next_phase() {
        let stop = Stop::new();
        let progress = Progress::new(stop.clone());
        let mut sink = |_: &Snapshot| Flow::Stop;
        let outcome = drive(&progress, Some(&mut sink), || {
            progress.enter(Phase::Write, 0, 0)
        });
        assert!(outcome.is_err() && !stop.requested());
        assert!(progress.stop().requested(), "waits of this run end");
    }

    #[test]
    fn a_sink_that_said_stop_is_told_no_more() {
        let progress = Progress::new(Stop::new());
        let mut told = 0;
        let mut sink = |_: &Snapshot| {
            told += 1;
            Flow::Stop
        };
        drive(&progress, Some(&mut sink), || {
            let _stopped = progress.enter(Phase::Write, 0, 0);
            // Work that takes its time to end.
            std::thread::sleep(PERIOD * 3);
        });
        assert_eq!(told, 1);
    }

    #[test]
    fn a_panicking_sink_stops_the_work() {
        let progress = Progress::new(Stop::new());
        let caught = catch_unwind(AssertUnwindSafe(|| {
            let mut sink = |_: &Snapshot| -> Flow { panic!("as a caller might") };
            drive(&progress, Some(&mut sink), || {
                while progress.check().is_ok() {
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
        }));
        assert!(caught.is_err());
    }
}
