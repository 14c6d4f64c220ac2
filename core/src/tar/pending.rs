//! What extension headers said so far about the member that is still to come.

use super::header::{Header, text};
use super::pax::Records;
use super::{Entry, EntryKind, names};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// A header whose data describes another member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extension {
    /// GNU `L`: the name of the next member.
    LongName,
    /// GNU `K`: the link target of the next member.
    LongLink,
    /// pax `x`: records about the next member.
    Next,
    /// pax `g`: records about all members that follow.
    Global,
}

impl Extension {
    /// The extension that `type_flag` stands for.
    pub(super) fn of(type_flag: u8) -> Option<Self> {
        match type_flag {
            b'L' => Some(Self::LongName),
            b'K' => Some(Self::LongLink),
            b'x' => Some(Self::Next),
            b'g' => Some(Self::Global),
            _ => None,
        }
    }

    /// The most bytes it may have.
    pub(super) fn limit(self) -> u64 {
        match self {
            // A NUL ends the name.
            Self::LongName | Self::LongLink => limits::MAX_NAME + 1,
            Self::Next | Self::Global => limits::MAX_PAX,
        }
    }
}

/// What is known of the next member before its own header.
#[derive(Debug, Default)]
pub(super) struct Pending {
    long_name: Option<Vec<u8>>,
    long_link: Option<Vec<u8>>,
    records: Option<Records>,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.long_name.is_none() && self.long_link.is_none() && self.records.is_none()
    }

    /// Takes the data of an extension header.
    pub(super) fn take(&mut self, extension: Extension, data: &[u8]) -> Result<()> {
        let twice = match extension {
            Extension::LongName => self.long_name.replace(text(data).to_vec()).is_some(),
            Extension::LongLink => self.long_link.replace(text(data).to_vec()).is_some(),
            Extension::Next => self.records.replace(records(data)?).is_some(),
            Extension::Global => {
                if !records(data)?.is_empty() {
                    return Err(Error::new(
                        ErrorKind::Unsupported,
                        "a global pax header gives all members one name or size",
                    )
                    .hint("write the archive anew, with GNU tar for one"));
                }
                false
            }
        };
        if twice {
            return Err(invalid("two extended headers of one kind for one member"));
        }
        Ok(())
    }

    /// The member whose own `header` starts at `header_offset`, its data at `offset`.
    pub(super) fn entry(
        self,
        header: Header<'_>,
        header_offset: u64,
        offset: u64,
    ) -> Result<Entry> {
        let records = self.records.unwrap_or_default();
        let raw_name = self
            .long_name
            .or(records.path)
            .unwrap_or_else(|| header.name());
        let raw_name = if records.sparse {
            records.sparse_name.unwrap_or(raw_name)
        } else {
            raw_name
        };
        let spelled = name(raw_name)?;
        let at_member = |error: Error| error.member(spelled.clone());

        let type_flag = header.type_flag();
        if records.sparse || type_flag == b'S' {
            return Err(at_member(
                Error::new(
                    ErrorKind::Unsupported,
                    "sparse files in tar archives are not supported",
                )
                .hint("make the archive again without `tar --sparse`"),
            ));
        }
        let link = self.long_link.or(records.link);
        let link = || name(link.unwrap_or_else(|| header.link().to_vec())).map_err(at_member);
        let kind = match type_flag {
            // V7 marks directories by their names.
            0 if spelled.ends_with('/') => EntryKind::Directory,
            0 | b'0' | b'7' => EntryKind::File,
            b'1' => EntryKind::HardLink(names::normalise(&link()?)),
            b'2' => EntryKind::SymLink(link()?),
            b'5' => EntryKind::Directory,
            other => EntryKind::Other(other),
        };
        let size = match type_flag {
            // Whatever the field says, these have no data.
            b'1'..=b'6' => 0,
            _ => match records.size.or_else(|| header.size()) {
                Some(size) => size,
                None => return Err(at_member(invalid("its size is not a number"))),
            },
        };
        let name = names::normalise(&spelled);
        let escapes = !names::safe_name(&spelled);
        Ok(Entry {
            name,
            kind,
            offset,
            size,
            header_offset,
            mode: header.mode(),
            escapes,
        })
    }
}

fn records(data: &[u8]) -> Result<Records> {
    Records::parse(data).ok_or_else(|| invalid("malformed pax records"))
}

/// A name or link target as text, within its limit.
fn name(raw: Vec<u8>) -> Result<String> {
    if raw.len() as u64 > limits::MAX_NAME {
        return Err(Error::new(
            ErrorKind::LimitExceeded,
            format!(
                "a name of {} bytes; at most {} are read",
                raw.len(),
                limits::MAX_NAME
            ),
        ));
    }
    String::from_utf8(raw).map_err(|error| {
        let shown = String::from_utf8_lossy(error.as_bytes()).into_owned();
        invalid("a name that is not UTF-8").member(shown)
    })
}

/// The error of something that is no archive at all.
pub(super) fn not_tar() -> Error {
    invalid("not a tar archive")
        .hint("name an archive of docker save, podman, skopeo, ctr or crane, or an OCI layout")
}

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArchive, message)
}
