//! The protocol of claims: how writers of one tag, none of which can lock it, lose nothing of each
//! other's.
//!
//! A registry writes a tag as a whole and says nothing of who wrote it before. So each writer first
//! puts a *claim* beside the tag for every platform it brings; then it reads all claims and the
//! tag, and writes the tag with the claims in it, until both agree. Claims are only ever added to
//! while writers run: whoever writes last, reads after that write, and sees every claim made before
//! it; whoever claims later, has still to write.
//!
//! That holds for writers that come to their end. One that dies between its write and reading it
//! back may have undone another's platform; the next writer of that tag heals it, from the claims.

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::error::Result;

/// What writers of one tag share: each call is one request.
pub(super) trait Board {
    /// What is claimed: a platform.
    type Key: Ord + Clone + Debug;
    /// What a platform leads to.
    type Value: Eq + Clone + Debug;

    /// Claims `key`, whoever else did before.
    fn claim(&mut self, key: &Self::Key, value: &Self::Value) -> Result<()>;

    /// Where claims stand.
    fn claims(&mut self) -> Result<Vec<String>>;

    /// What stands there; `None` if it went away.
    fn read_claim(&mut self, place: &str) -> Result<Option<(Self::Key, Self::Value)>>;

    /// What the tag leads to.
    fn read(&mut self) -> Result<BTreeMap<Self::Key, Self::Value>>;

    /// Has the tag lead to `all`.
    fn write(&mut self, all: &BTreeMap<Self::Key, Self::Value>) -> Result<()>;
}

/// A writer of one tag.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Writer<K: Ord, V> {
    own: Vec<(K, V)>,
    state: State<K, V>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum State<K: Ord, V> {
    /// So many claims are made.
    Claiming(usize),
    Listing,
    Reading {
        places: Vec<String>,
        claims: BTreeMap<K, V>,
    },
    Comparing(BTreeMap<K, V>),
    Writing(BTreeMap<K, V>),
    Done,
}

impl<K: Ord + Clone + Debug, V: Eq + Clone + Debug> Writer<K, V> {
    /// A writer that brings `own`.
    pub(super) fn new(own: Vec<(K, V)>) -> Self {
        Self {
            own,
            state: State::Claiming(0),
        }
    }

    /// Whether tag and claims agreed when they were last read.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Reads claims and tag once more: it was written since they agreed.
    pub(super) fn again(&mut self) {
        self.state = State::Listing;
    }

    /// Takes the next step: one request.
    pub(super) fn step(&mut self, board: &mut impl Board<Key = K, Value = V>) -> Result<()> {
        let next = match std::mem::replace(&mut self.state, State::Done) {
            State::Claiming(at) => match self.own.get(at) {
                Some((key, value)) => {
                    board.claim(key, value)?;
                    match at + 1 < self.own.len() {
                        true => State::Claiming(at + 1),
                        false => State::Listing,
                    }
                }
                None => State::Listing,
            },
            State::Listing => State::Reading {
                places: board.claims()?,
                claims: BTreeMap::new(),
            },
            State::Reading {
                mut places,
                mut claims,
            } => match places.pop() {
                Some(place) => {
                    claims.extend(board.read_claim(&place)?);
                    State::Reading { places, claims }
                }
                None => State::Comparing(claims),
            },
            State::Comparing(claims) => {
                let there = board.read()?;
                let mut wanted = there.clone();
                wanted.extend(claims);
                match wanted == there {
                    true => State::Done,
                    false => State::Writing(wanted),
                }
            }
            State::Writing(wanted) => {
                board.write(&wanted)?;
                State::Listing
            }
            State::Done => State::Done,
        };
        self.state = next;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
