//! What a container that is taken apart has besides the content of its members, kept so that its
//! bytes can be told again: a checksum of them may be asked for when they have gone by.

use std::cell::{Cell, RefCell};
use std::io::Read;
use std::rc::Rc;

use super::members::{Part, Streamed};

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

    /// Adds the content of a member that came by.
    pub(super) fn add(&self, streamed: &Streamed, is_spooled: bool) {
        let part = match (&streamed.nested, streamed.digest) {
            _ if !self.is_on() => return,
            (_, Some(digest)) if is_spooled => Part::Blob(digest, streamed.size),
            (Some(nested), _) if nested.has_raw() => Part::Nested(nested.clone()),
            _ => return self.give_up(),
        };
        self.flush();
        self.parts.borrow_mut().push(part);
    }

    /// All parts, unless it was given up.
    pub(super) fn finish(self) -> Option<Vec<Part>> {
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
