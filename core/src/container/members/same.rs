//! Whether two members of one name are the same thing twice.

use super::{Backing, Content, Members, Node, Streamed};
use crate::error::Result;
use crate::fsx::Mapped;

impl Streamed {
    /// Whether the content is the same; that of a container that was taken apart is what is in it.
    fn same(&self, other: &Self) -> bool {
        match (&self.nested, &other.nested) {
            (Some(one), Some(other)) => {
                one.compression == other.compression && one.members.same_names(&other.members)
            }
            _ => self.digest.is_some() && self.digest == other.digest && self.size == other.size,
        }
    }
}

impl Members {
    /// Whether the members of two streamed containers are the same.
    fn same_names(&self, other: &Self) -> bool {
        let same = |one: &Node, other: &Node| match (one, other) {
            (Node::File(one), Node::File(other)) => {
                let streamed = (self.streamed(one), self.streamed(other));
                matches!(streamed, (Some(one), Some(other)) if one.same(other))
            }
            (Node::Link(one, _), Node::Link(other, _)) => one == other,
            (Node::Directory(_), Node::Directory(_)) => true,
            _ => false,
        };
        self.names.len() == other.names.len()
            && (self.names.iter().zip(&other.names))
                .all(|((name, one), (other_name, other))| name == other_name && same(one, other))
    }
}

impl Backing {
    /// Whether two members of one name are the same thing twice.
    pub(super) fn same(&self, one: &Node, other: &Node) -> Result<bool> {
        match (one, other) {
            (Node::Link(one, _), Node::Link(other, _)) => Ok(one == other),
            (Node::File(one), Node::File(other)) => match (&one.content, &other.content) {
                (Content::Streamed(one), Content::Streamed(other)) => Ok(one.same(other)),
                (Content::Range(a), Content::Range(b)) if one.size == other.size => {
                    let Self::Tar(mapped) = self else {
                        return Ok(false);
                    };
                    same_bytes(mapped, *a, *b, one.size)
                }
                _ => Ok(false),
            },
            _ => Ok(false),
        }
    }
}

fn same_bytes(mapped: &Mapped, a: u64, b: u64, size: u64) -> Result<bool> {
    const PIECE: u64 = 64 << 10;
    let (mut one, mut other) = (vec![0; PIECE as usize], vec![0; PIECE as usize]);
    let mut done = 0;
    while done < size {
        let count = PIECE.min(size - done) as usize;
        mapped.read_at(a + done, &mut one[..count])?;
        mapped.read_at(b + done, &mut other[..count])?;
        if one[..count] != other[..count] {
            return Ok(false);
        }
        done += count as u64;
    }
    Ok(true)
}
