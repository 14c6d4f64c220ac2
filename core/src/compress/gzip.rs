//! gzip with several cores: blocks of 1 MiB are deflated apart, each with the end of the one before
//! as its dictionary, and joined to one member.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

use flate2::{Compress, Crc, FlushCompress};

/// How much is deflated at once. Part of the output's identity: never change it.
const BLOCK: usize = 1 << 20;

/// How far back deflate refers.
const WINDOW: usize = 32 << 10;

/// The most threads that are of use.
const MAX_JOBS: usize = 64;

/// Deflate, no flags, no time, no hints, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];

/// The last block of a deflate stream, empty.
const LAST: [u8; 2] = [3, 0];

/// Compresses to one gzip member whose bytes depend on the input and the level only.
///
/// Threads of its own do the work, so that it can be used from within any pool; small input and one
/// job start none. Memory: about 4 MiB per job.
pub struct ParallelGzip<W: Write> {
    out: W,
    header_written: bool,
    block: Vec<u8>,
    dictionary: Vec<u8>,
    crc: Crc,
    crew: Crew,
}

impl<W: Write> ParallelGzip<W> {
    /// Compresses into `out` at `level` (0 to 9, what is more counts as 9) with `jobs` threads.
    pub fn new(out: W, level: u32, jobs: usize) -> Self {
        Self {
            out,
            header_written: false,
            block: Vec::new(),
            dictionary: Vec::new(),
            crc: Crc::new(),
            crew: Crew::new(level.min(9), jobs.clamp(1, MAX_JOBS)),
        }
    }

    /// Compresses what is left and ends the member; returns the writer.
    ///
    /// # Errors
    ///
    /// What the writer returns.
    pub fn finish(mut self) -> io::Result<W> {
        let last = self.next_task();
        if !last.block.is_empty() {
            self.crew.take(last, false)?;
        }
        while let Some(deflated) = self.crew.next()? {
            self.put(deflated)?;
        }
        self.put_header()?;
        self.out.write_all(&LAST)?;
        self.out.write_all(&self.crc.sum().to_le_bytes())?;
        // Modulo 2³², as the format has it.
        self.out.write_all(&self.crc.amount().to_le_bytes())?;
        self.out.flush()?;
        Ok(self.out)
    }

    /// The block that was gathered, with its dictionary.
    fn next_task(&mut self) -> Task {
        let block = std::mem::take(&mut self.block);
        let tail = block.len().saturating_sub(WINDOW);
        let next = block.get(tail..).unwrap_or_default().to_vec();
        let dictionary = std::mem::replace(&mut self.dictionary, next);
        Task { block, dictionary }
    }

    fn put_header(&mut self) -> io::Result<()> {
        if !self.header_written {
            self.out.write_all(&HEADER)?;
            self.header_written = true;
        }
        Ok(())
    }

    fn put(&mut self, deflated: Deflated) -> io::Result<()> {
        self.put_header()?;
        self.crc.combine(&deflated.crc);
        self.out.write_all(&deflated.bytes)
    }
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.len() == BLOCK && !bytes.is_empty() {
            let task = self.next_task();
            self.crew.take(task, true)?;
            while self.crew.is_full() {
                match self.crew.next()? {
                    Some(deflated) => self.put(deflated)?,
                    None => break,
                }
            }
        }
        let (taken, _) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
        self.block.extend_from_slice(taken);
        Ok(taken.len())
    }

    /// Flushes what was compressed so far. It does not end a block, since blocks make the output.
    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> fmt::Debug for ParallelGzip<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ParallelGzip").finish_non_exhaustive()
    }
}

/// A block and what came before it.
struct Task {
    block: Vec<u8>,
    dictionary: Vec<u8>,
}

/// A block as deflate data that ends on a whole byte, and the block's checksum.
struct Deflated {
    bytes: Vec<u8>,
    crc: Crc,
}

type Answer = io::Result<Deflated>;

/// Deflates blocks, and gives them back in their order.
struct Crew {
    level: u32,
    jobs: usize,
    desk: Option<Sender<(Task, SyncSender<Answer>)>>,
    workers: Vec<JoinHandle<()>>,
    answers: VecDeque<Receiver<Answer>>,
}

impl Crew {
    fn new(level: u32, jobs: usize) -> Self {
        Self {
            level,
            jobs,
            desk: None,
            workers: Vec::new(),
            answers: VecDeque::new(),
        }
    }

    /// Whether blocks have to be taken back before more are given.
    fn is_full(&self) -> bool {
        self.answers.len() > 2 * self.workers.len()
    }

    /// Deflates the block sooner or later; `more` come.
    fn take(&mut self, task: Task, more: bool) -> io::Result<()> {
        if more && self.jobs > 1 && self.desk.is_none() {
            self.hire();
        }
        let (reply, answer) = sync_channel(1);
        self.answers.push_back(answer);
        match &self.desk {
            Some(desk) if !self.workers.is_empty() => desk
                .send((task, reply))
                .map_err(|_| io::Error::other("the compressing threads are gone")),
            _ => {
                // The channel has room for the one answer.
                let _ = reply.send(deflate(self.level, &task));
                Ok(())
            }
        }
    }

    /// The oldest block that was not taken back yet.
    fn next(&mut self) -> io::Result<Option<Deflated>> {
        let Some(answer) = self.answers.pop_front() else {
            return Ok(None);
        };
        match answer.recv() {
            Ok(answer) => answer.map(Some),
            Err(_) => Err(io::Error::other("a compressing thread died")),
        }
    }

    /// Starts the threads. As many as can be had will do, none too.
    fn hire(&mut self) {
        let (desk, queue) = channel::<(Task, SyncSender<Answer>)>();
        let queue = Arc::new(Mutex::new(queue));
        for _ in 0..self.jobs {
            let (queue, level) = (Arc::clone(&queue), self.level);
            let work = move || {
                loop {
                    let task = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    let Ok((task, reply)) = task else { return };
                    // Nobody waits for the answer of a run that was given up.
                    let _ = reply.send(deflate(level, &task));
                }
            };
            match Builder::new().name("fusion-gzip".to_owned()).spawn(work) {
                Ok(worker) => self.workers.push(worker),
                Err(_) => break,
            }
        }
        self.desk = Some(desk);
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.desk = None;
        for worker in self.workers.drain(..) {
            // A panic was already told by the answer that did not come.
            let _ = worker.join();
        }
    }
}

/// Deflates a block up to a flush, which ends on a whole byte.
fn deflate(level: u32, task: &Task) -> Answer {
    // A new one each time: after a reset, zlib-rs 0.6.8 finds other matches than before.
    let mut compress = Compress::new(flate2::Compression::new(level), false);
    if !task.dictionary.is_empty() {
        compress
            .set_dictionary(&task.dictionary)
            .map_err(io::Error::other)?;
    }
    // Level 1 spends up to nine bits on a byte, the others add five bytes to each 16 KiB that do
    // not shrink. The output must never fill up: zlib-rs 0.6.8 panics in level 1 if it does.
    let room = task.block.len() + task.block.len() / 4 + 1024;
    let mut bytes = Vec::with_capacity(room);
    compress
        .compress_vec(&task.block, &mut bytes, FlushCompress::Sync)
        .map_err(io::Error::other)?;
    if compress.total_in() != task.block.len() as u64 || bytes.len() == bytes.capacity() {
        return Err(io::Error::other("a block did not fit where it always fits"));
    }
    bytes.shrink_to_fit();
    let mut crc = Crc::new();
    crc.update(&task.block);
    Ok(Deflated { bytes, crc })
}
