//! The records of a pax extended header: `<length> <key>=<value>\n`, the length counting itself.

use super::header::text;

/// What extended headers say about the member that follows them.
#[derive(Debug, Default)]
pub(super) struct Records {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    /// Some `GNU.sparse.*` record is there.
    pub(super) sparse: bool,
    /// The name that a sparse file really has.
    pub(super) sparse_name: Option<Vec<u8>>,
}

impl Records {
    /// The records in `data`; `None` if they are malformed.
    pub(super) fn parse(mut data: &[u8]) -> Option<Self> {
        let mut records = Self::default();
        while !data.is_empty() {
            let (key, value, rest) = record(data)?;
            data = rest;
            records.take(key, value)?;
        }
        Some(records)
    }

    /// Whether something here concerns where members are and what they are called.
    pub(super) fn is_empty(&self) -> bool {
        self.path.is_none() && self.link.is_none() && self.size.is_none() && !self.sparse
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        match key {
            b"path" => self.path = name(value)?,
            b"linkpath" => self.link = name(value)?,
            b"size" => {
                self.size = if value.is_empty() {
                    None
                } else {
                    Some(size(value)?)
                }
            }
            b"GNU.sparse.name" => {
                self.sparse = true;
                self.sparse_name = name(value)?;
            }
            _ if key.starts_with(b"GNU.sparse.") => self.sparse = true,
            _ => {}
        }
        Some(())
    }
}

/// The first record of `data`, and what follows it.
fn record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|byte| *byte == b' ')?;
    let length = usize::try_from(decimal(data.get(..space)?)?).ok()?;
    let (record, rest) = data.split_at_checked(length)?;
    let record = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    let (key, value) = record.split_at(equals);
    (!key.is_empty()).then_some((key, value.get(1..)?, rest))
}

/// A name: an empty one takes the header's back, a NUL cannot be part of one.
fn name(value: &[u8]) -> Option<Option<Vec<u8>>> {
    if text(value).len() != value.len() {
        return None;
    }
    Some((!value.is_empty()).then(|| value.to_vec()))
}

fn size(value: &[u8]) -> Option<u64> {
    decimal(value).filter(|size| i64::try_from(*size).is_ok())
}

fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, digit| match digit {
        b'0'..=b'9' => value.checked_mul(10)?.checked_add(u64::from(digit - b'0')),
        _ => None,
    })
}

/// A record; its length counts its own digits.
pub(super) fn write(out: &mut Vec<u8>, key: &str, value: &[u8]) {
    // Space, equals sign, newline.
    let bare = key.len() + value.len() + 3;
    let mut length = bare;
    loop {
        let next = bare + length.to_string().len();
        if next == length {
            break;
        }
        length = next;
    }
    out.extend_from_slice(format!("{length} {key}=").as_bytes());
    out.extend_from_slice(value);
    out.push(b'\n');
}
