//! Summing what is read: in passing as long as it is little, from then on beside the reader.

use std::io::Read;
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::Summer;
use crate::store::CHUNK;

/// Up to so many bytes a thread is more work than it takes off.
const LITTLE: u64 = 1 << 20;

/// How many pieces wait to be summed. If there are more, who reads waits.
const AHEAD: usize = 3;

/// A reader that sums what it gives. Of long content a thread of its own makes the sums, so that
/// inflating and summing take two cores where there are two.
pub(in crate::container) struct Summed<R> {
    input: R,
    summing: Summing,
    seen: u64,
}

enum Summing {
    Here(Vec<Summer>),
    Aside(Aside),
}

impl<R> Summed<R> {
    pub(in crate::container) fn new(input: R, summers: Vec<Summer>) -> Self {
        Self {
            input,
            summing: Summing::Here(summers),
            seen: 0,
        }
    }

    /// The summers, with what was read.
    pub(in crate::container) fn finish(self) -> Vec<Summer> {
        match self.summing {
            Summing::Here(summers) => summers,
            Summing::Aside(aside) => aside.finish(),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.seen += bytes.len() as u64;
        match &mut self.summing {
            Summing::Here(summers) => {
                for summer in &mut *summers {
                    summer.update(bytes);
                }
                if self.seen > LITTLE && !summers.is_empty() {
                    self.summing = Aside::begin(std::mem::take(summers));
                    // Where no thread is to be had, it goes on as it did.
                    self.seen = 0;
                }
            }
            Summing::Aside(aside) => aside.push(bytes),
        }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.update(&buffer[..count]);
        Ok(count)
    }
}

/// A thread that sums the pieces it is sent. It ends when nobody can send any more.
struct Aside {
    filling: Vec<u8>,
    full: SyncSender<Vec<u8>>,
    empty: Receiver<Vec<u8>>,
    thread: JoinHandle<Vec<Summer>>,
}

impl Aside {
    fn begin(summers: Vec<Summer>) -> Summing {
        let (full, pieces) = sync_channel::<Vec<u8>>(AHEAD);
        let (used, empty) = channel();
        // The thread takes what goes on from here; the copy is for when there is none.
        let kept = summers.clone();
        let sum = move || {
            let mut summers = summers;
            while let Ok(mut piece) = pieces.recv() {
                for summer in &mut summers {
                    summer.update(&piece);
                }
                piece.clear();
                // Whoever has no use for it any more is at the end.
                let _ = used.send(piece);
            }
            summers
        };
        match Builder::new().name("fusion-sum".to_owned()).spawn(sum) {
            Ok(thread) => Summing::Aside(Self {
                filling: Vec::with_capacity(CHUNK),
                full,
                empty,
                thread,
            }),
            Err(_) => Summing::Here(kept),
        }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = CHUNK - self.filling.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.filling.extend_from_slice(now);
            bytes = later;
            if self.filling.len() == CHUNK {
                self.send();
            }
        }
    }

    fn send(&mut self) {
        let next = self.empty.try_recv();
        let next = next.unwrap_or_else(|_| Vec::with_capacity(CHUNK));
        // Only a thread that panicked takes nothing: `finish` passes that on.
        let _ = self.full.send(std::mem::replace(&mut self.filling, next));
    }

    fn finish(mut self) -> Vec<Summer> {
        self.send();
        drop(self.full);
        match self.thread.join() {
            Ok(summers) => summers,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::checksum::Algorithm;

    #[test]
    fn sums_are_those_of_all_bytes_however_many_and_however_read() {
        let lengths = [0, 1, 1 << 20, (1 << 20) + 1, (5 << 20) + 77];
        for (length, step) in lengths
            .into_iter()
            .flat_map(|length| [1000, CHUNK - 1, CHUNK, 3 * CHUNK + 1].map(|step| (length, step)))
        {
            let bytes: Vec<u8> = (0..length).map(|at: u32| (at % 251) as u8).collect();
            let both = [Algorithm::Sha256, Algorithm::Sha512];
            let mut whole = both.map(Summer::new);
            let mut summed = Summed::new(&bytes[..], both.map(Summer::new).to_vec());
            for summer in &mut whole {
                summer.update(&bytes);
            }
            let mut buffer = vec![0; step];
            while summed.read(&mut buffer).expect("bytes") > 0 {}
            let whole = whole.map(Summer::finish);
            let summed: Vec<String> = summed.finish().into_iter().map(Summer::finish).collect();
            assert_eq!(summed, whole, "{length} bytes, {step} at a time");
        }
    }

    #[test]
    fn a_reader_that_is_given_up_leaves_no_thread_waiting() {
        let bytes = vec![1; 4 << 20];
        let mut summed = Summed::new(&bytes[..], vec![Summer::new(Algorithm::Sha512)]);
        let mut buffer = vec![0; CHUNK];
        while summed.read(&mut buffer).expect("bytes") > 0 {}
        let Summing::Aside(Aside { full, thread, .. }) = summed.summing else {
            panic!("4 MiB are not little");
        };
        drop(full);
        assert_eq!(thread.join().expect("no panic").len(), 1);
    }
}
