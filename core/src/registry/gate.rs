//! How many may be at something at once.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::progress::Stop;

/// Lets a number of holders in at a time. Clones are the same gate.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<(Mutex<usize>, Condvar)>);

/// The right to be in, until dropped.
#[derive(Debug)]
pub(super) struct Permit(Gate);

impl Gate {
    pub(super) fn new(places: usize) -> Self {
        Self(Arc::new((Mutex::new(places), Condvar::new())))
    }

    /// Waits for a place.
    pub(super) fn enter(&self, stop: &Stop) -> Result<Permit> {
        let (free, freed) = &*self.0;
        let mut left = free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            stop.check()?;
            if *left > 0 {
                *left -= 1;
                return Ok(Permit(self.clone()));
            }
            left = freed
                .wait_timeout(left, Duration::from_millis(100))
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let (free, freed) = &*self.0.0;
        *free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_than_the_places_get_in() {
        let (gate, stop) = (Gate::new(1), Stop::new());
        let held = gate.enter(&stop).expect("free");
        let (other, stopper) = (gate.clone(), stop.clone());
        let waiting = std::thread::spawn(move || other.enter(&stopper).map(drop));
        std::thread::sleep(Duration::from_millis(20));
        assert!(!waiting.is_finished());
        drop(held);
        waiting.join().expect("no panic").expect("free again");
        let _held = gate.enter(&stop).expect("free");
        stop.request();
        assert!(gate.enter(&stop).is_err());
    }
}
