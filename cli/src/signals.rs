//! Ctrl-C and SIGTERM: the first asks the run to stop cleanly, the second ends the process.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::JoinHandle;

use fusion_core::progress::Stop;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use signal_hook::{SigId, flag, low_level};

/// The exit status of an interrupted run.
const INTERRUPTED: i32 = 130;

/// Listens for as long as it lives. Handlers that a host had installed run as well.
#[derive(Debug)]
pub(crate) struct Watch {
    actions: Vec<SigId>,
    handle: Handle,
    thread: Option<JoinHandle<()>>,
}

impl Watch {
    /// Starts to listen; the first signal raises `stop`.
    pub(crate) fn start(stop: &Stop) -> std::io::Result<Self> {
        let stop = stop.clone();
        let mut signals = Signals::new([SIGINT, SIGTERM])?;
        let handle = signals.handle();
        let mut actions = Vec::new();
        let seen = Arc::new(AtomicBool::new(false));
        for signal in [SIGINT, SIGTERM] {
            // In this order: the signal that sets the flag does not yet end the process.
            actions.push(flag::register_conditional_shutdown(
                signal,
                INTERRUPTED,
                Arc::clone(&seen),
            )?);
            actions.push(flag::register(signal, Arc::clone(&seen))?);
        }
        let thread = std::thread::Builder::new()
            .name("fusion-signals".to_owned())
            .spawn(move || {
                for _ in signals.forever() {
                    stop.request();
                }
            })?;
        Ok(Self {
            actions,
            handle,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.handle.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        for action in self.actions.drain(..) {
            low_level::unregister(action);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[test]
    fn the_first_signal_asks_the_run_to_stop() {
        let stop = Stop::new();
        let watch = Watch::start(&stop).expect("handlers");
        low_level::raise(SIGTERM).expect("raised");
        let begun = Instant::now();
        while !stop.requested() && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(1));
        }
        drop(watch);
        assert!(stop.requested());
    }
}
