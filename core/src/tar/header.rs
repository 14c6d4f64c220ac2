//! One header block, decoded field by field.

use std::ops::Range;

use super::BLOCK;

/// The bytes of a block.
pub(super) type Block = [u8; BLOCK as usize];

const NAME: Range<usize> = 0..100;
const MODE: Range<usize> = 100..108;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const TYPE: usize = 156;
const LINK: Range<usize> = 157..257;
const MAGIC: Range<usize> = 257..263;
const PREFIX: Range<usize> = 345..500;
/// The prefix of `star`'s archives is shorter: times follow it.
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_TRAILER: Range<usize> = 508..512;

/// Whether `head` begins with a header: whether this is a tar archive, as far as one can tell.
pub(crate) fn is_header(head: &[u8]) -> bool {
    let block = head.first_chunk::<{ BLOCK as usize }>();
    block.is_some_and(|block| block[0] != 0 && Header::parse(block).is_some())
}

/// A header block whose checksum is right.
#[derive(Clone, Copy)]
pub(super) struct Header<'a>(&'a Block);

impl<'a> Header<'a> {
    /// The header in `block`, if its checksum says that it is one.
    pub(super) fn parse(block: &'a Block) -> Option<Self> {
        let header = Self(block);
        let stated = octal(header.field(CHECKSUM))?;
        let (mut unsigned, mut signed) = (0u64, 0i64);
        for (index, &byte) in block.iter().enumerate() {
            let byte = if CHECKSUM.contains(&index) {
                b' '
            } else {
                byte
            };
            unsigned += u64::from(byte);
            // Some old writers summed the bytes as signed ones.
            signed += i64::from(byte.cast_signed());
        }
        (stated == unsigned || i64::try_from(stated) == Ok(signed)).then_some(header)
    }

    fn field(&self, range: Range<usize>) -> &'a [u8] {
        self.0.get(range).unwrap_or_default()
    }

    /// The type flag.
    pub(super) fn type_flag(&self) -> u8 {
        self.0[TYPE]
    }

    /// The name as it is spelled, with the prefix that ustar headers may have.
    pub(super) fn name(&self) -> Vec<u8> {
        let name = text(self.field(NAME));
        let prefix = text(self.prefix());
        if prefix.is_empty() {
            return name.to_vec();
        }
        [prefix, b"/", name].concat()
    }

    /// Only POSIX headers have a prefix: GNU's keep other things there, V7's nothing.
    fn prefix(&self) -> &'a [u8] {
        if self.field(MAGIC) != b"ustar\0" {
            &[]
        } else if self.field(STAR_TRAILER) == b"tar\0" {
            self.field(STAR_PREFIX)
        } else {
            self.field(PREFIX)
        }
    }

    /// The target of a link as it is spelled.
    pub(super) fn link(&self) -> &'a [u8] {
        text(self.field(LINK))
    }

    /// The size; `None` if the field holds no number from 0 to 2⁶³ - 1.
    pub(super) fn size(&self) -> Option<u64> {
        number(self.field(SIZE)).filter(|size| i64::try_from(*size).is_ok())
    }

    /// The permission bits; 0 if the field holds none.
    pub(super) fn mode(&self) -> u32 {
        let mode = number(self.field(MODE)).unwrap_or(0) & 0o7777;
        u32::try_from(mode).unwrap_or(0)
    }
}

/// What stands before the first NUL.
pub(super) fn text(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// A number: octal digits, or GNU's base-256 where the first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    let Some((&first, rest)) = field.split_first() else {
        return Some(0);
    };
    if first & 0x80 == 0 {
        return octal(field);
    }
    if first & 0x40 != 0 {
        return None; // negative
    }
    rest.iter()
        .try_fold(u64::from(first & 0x3f), |value, byte| {
            Some(value.checked_mul(256)? | u64::from(*byte))
        })
}

/// Octal digits among spaces and NULs; nothing at all is 0.
fn octal(field: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| matches!(*byte, b' ' | 0);
    let start = field.iter().position(|byte| !blank(byte));
    let digits = field
        .get(start.unwrap_or(field.len())..)
        .unwrap_or_default();
    let (digits, after) = match digits.iter().position(blank) {
        Some(end) => digits.split_at(end),
        None => (digits, &[][..]),
    };
    // What stands behind a NUL is not part of the field.
    if !text(after).iter().all(blank) {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'7' => value.checked_mul(8)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}
