//! What a container that is taken apart has besides the content of its members, kept so that its
//! bytes can be told again: a checksum of them may be asked for when they have gone by.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::rc::Rc;

use super::checksum::{Algorithm, Summer};
use super::members::{self, Part, Streamed};
use crate::error::Result;
use crate::progress::Progress;
use crate::store::BlobDirectory;

/// The most that is kept of all containers of a stream: what stands around gigabytes of layers is
/// little.
const MOST: usize = 16 << 20;

/// How many bytes may still be kept, of all containers of a stream together.
#[derive(Debug, Clone)]
pub(super) struct Room(Rc<Cell<usize>>);

impl Default for Room {
    fn default() -> Self {
        Self(Rc::new(Cell::new(MOST)))
    }
}

/// The parts of a container that came by so far.
#[derive(Debug)]
pub(super) struct Frame {
    room: Room,
    /// How many bytes it keeps.
    kept: Cell<usize>,
    /// Those since the last member.
    bytes: RefCell<Vec<u8>>,
    parts: RefCell<Vec<Part>>,
    /// Whether anything is kept.
    on: Cell<bool>,
    /// Whether the content of a member goes by.
    within: Cell<bool>,
    /// The [`Live`] members that `parts` has sums up to, and where in it.
    summed: RefCell<Vec<(usize, usize)>>,
}

/// A member that comes by and can not be told again, and the containers around it that can: what came
/// before it in each, and then itself, is summed.
#[derive(Debug)]
pub(super) struct Live {
    /// Which it is of the stream.
    number: usize,
    frames: Vec<Rc<Frame>>,
}

impl Frame {
    /// Nothing yet, and nothing ever unless it is `on`.
    pub(super) fn new(room: &Room, on: bool) -> Self {
        Self {
            room: room.clone(),
            kept: Cell::new(0),
            bytes: RefCell::default(),
            parts: RefCell::default(),
            on: Cell::new(on),
            within: Cell::new(false),
            summed: RefCell::default(),
        }
    }

    /// Whether anything is kept.
    pub(super) fn is_on(&self) -> bool {
        self.on.get()
    }

    /// Says that the content of a member begins or ends.
    pub(super) fn within(&self, within: bool) {
        self.within.set(within);
    }

    /// Its bytes cannot be told again, or need not.
    pub(super) fn give_up(&self) {
        let Room(room) = &self.room;
        room.set(room.get() + self.kept.take());
        self.on.set(false);
        self.bytes.take();
        self.parts.take();
    }

    /// Adds the content of a member that came by; `is_summed` if a [`Live`] ended with it.
    pub(super) fn add(&self, streamed: &Streamed, is_spooled: bool, is_summed: bool) {
        let part = match (&streamed.made_of, streamed.digest) {
            _ if !self.is_on() => return,
            (_, Some(digest)) if is_spooled => Part::Blob(digest, streamed.size),
            (Some(parts), _) => Part::Nested(parts.clone()),
            _ if is_summed => return,
            _ => return self.give_up(),
        };
        self.flush();
        self.parts.borrow_mut().push(part);
    }

    /// Takes back the sums up to the [`Live`] member `first`, and those after it.
    pub(super) fn unsum(&self, first: usize) {
        let mut summed = self.summed.borrow_mut();
        while let Some((_, at)) = summed.pop_if(|(number, _)| *number >= first) {
            self.parts.borrow_mut().remove(at);
        }
    }

    /// All parts, unless it was given up.
    pub(super) fn finish(&self) -> Option<Vec<Part>> {
        self.flush();
        self.is_on().then(|| self.parts.take())
    }

    fn flush(&self) {
        let bytes = self.bytes.take();
        if !bytes.is_empty() {
            let bytes = Part::Bytes(bytes.into_boxed_slice());
            self.parts.borrow_mut().push(bytes);
        }
    }

    fn hear(&self, bytes: &[u8]) {
        if !self.is_on() || self.within.get() {
            return;
        }
        let Room(room) = &self.room;
        match room.get().checked_sub(bytes.len()) {
            Some(left) => {
                room.set(left);
                self.kept.set(self.kept.get() + bytes.len());
                self.bytes.borrow_mut().extend_from_slice(bytes);
            }
            None => self.give_up(),
        }
    }
}

impl Live {
    /// Sums, in all algorithms, what came by in each of `frames`, each of which is in the one before;
    /// the member that comes now is the one of that `number`.
    pub(super) fn begin(
        number: usize,
        frames: &[Rc<Frame>],
        spool: &BlobDirectory,
        progress: &Progress,
    ) -> Result<(Self, Vec<Summer>)> {
        let mut live = Self {
            number,
            frames: Vec::new(),
        };
        let mut all = Vec::new();
        for (at, frame) in frames.iter().enumerate() {
            let mut summers = match members::summed(&frame.parts.borrow()) {
                Some(summers) => summers.to_vec(),
                None => Algorithm::ALL.map(Summer::new).to_vec(),
            };
            let mut is_known = true;
            for inner in &frames[at..] {
                inner.flush();
                let told = members::tell_rest(&inner.parts.borrow(), spool, &mut |piece| {
                    progress.check()?;
                    summers.iter_mut().for_each(|summer| summer.update(piece));
                    Ok(())
                })?;
                is_known &= inner.is_on() && told;
            }
            match is_known {
                true => {
                    live.frames.push(Rc::clone(frame));
                    all.extend(summers);
                }
                false => frame.give_up(),
            }
        }
        Ok((live, all))
    }

    /// The member has gone by; `summers` are those that [`Live::begin`] gave, in that order.
    pub(super) fn end(self, summers: Vec<Summer>) {
        let mut summers = summers.into_iter();
        for frame in self.frames {
            let summers = summers.by_ref().take(Algorithm::ALL.len()).collect();
            let mut parts = frame.parts.borrow_mut();
            (frame.summed.borrow_mut()).push((self.number, parts.len()));
            parts.push(Part::Summed(summers));
        }
    }
}

/// A container's bytes on their way to who takes it apart.
pub(super) struct Overheard<'a, R> {
    pub(super) input: R,
    pub(super) frame: &'a Frame,
}

impl<R: Read> Read for Overheard<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.input.read(buffer)?;
        self.frame.hear(&buffer[..count]);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_given_up_makes_room_for_others() {
        let room = Room::default();
        let Room(left) = &room;
        let (one, two) = (Frame::new(&room, true), Frame::new(&room, true));
        one.hear(&[1; 1000]);
        two.hear(&[2; 500]);
        two.within(true);
        two.hear(&[3; 500]);
        assert_eq!(left.get(), MOST - 1500);
        // More than there is room for.
        two.within(false);
        two.hear(&vec![4; MOST]);
        assert_eq!(left.get(), MOST - 1000);
        assert!(two.finish().is_none());
        let parts = one.finish().expect("kept");
        assert!(matches!(&parts[..], [Part::Bytes(bytes)] if bytes.len() == 1000));
    }
}
