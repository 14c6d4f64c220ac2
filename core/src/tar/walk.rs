//! The walk from member to member, the same for archives with random access and for streams.

use super::header::{Block, Header};
use super::input::Input;
use super::pending::{Extension, Pending, invalid, not_tar};
use super::{BLOCK, Entry, ScanEnd, padding};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;

/// What a block is.
enum Found {
    /// A header, it seems.
    Header,
    Zeros,
    /// The input ended before it, or within it after nothing but zeros.
    End,
}

/// The member that is being read.
struct Current {
    name: String,
    header_offset: u64,
    size: u64,
    /// How much of its data was not read yet.
    left: u64,
}

/// Reads an archive from front to back.
pub(super) struct Walk<I> {
    input: I,
    position: u64,
    current: Option<Current>,
    members: usize,
    lone_zero_block: bool,
    end: Option<ScanEnd>,
}

impl<I: Input> Walk<I> {
    pub(super) fn new(input: I) -> Self {
        Self {
            input,
            position: 0,
            current: None,
            members: 0,
            lone_zero_block: false,
            end: None,
        }
    }

    pub(super) fn into_input(self) -> I {
        self.input
    }

    /// How many bytes of the input were read or passed over.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The next member; what is left of the one before is passed over. `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Entry>> {
        if self.end.is_some() {
            return Ok(None);
        }
        self.pass_current()?;
        let mut pending = Pending::default();
        let mut zeros = None;
        let mut block: Block = [0; BLOCK as usize];
        loop {
            let header_offset = self.position;
            match self.block(&mut block)? {
                Found::Header => {}
                Found::Zeros if zeros.is_none() => {
                    zeros = Some(header_offset);
                    continue;
                }
                found => {
                    let marked = matches!(found, Found::Zeros);
                    return self.finish(&pending, zeros.unwrap_or(header_offset), marked);
                }
            }
            let Some(header) = Header::parse(&block) else {
                return self.not_a_header(&pending, header_offset, zeros);
            };
            self.lone_zero_block |= zeros.take().is_some();
            let Some(extension) = Extension::of(header.type_flag()) else {
                return self.member(pending, header, header_offset).map(Some);
            };
            let data = self
                .extension_data(extension, header)
                .map_err(|error| error.offset(header_offset))?;
            pending
                .take(extension, &data)
                .map_err(|error| error.offset(header_offset))?;
        }
    }

    /// Reads some of the current member's data; 0 bytes at its end.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let Some(current) = &mut self.current else {
            return Ok(0);
        };
        let most = usize::try_from(current.left)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(buffer) = buffer.get_mut(..most).filter(|part| !part.is_empty()) else {
            return Ok(0);
        };
        let count = self.input.read(buffer)?;
        if count == 0 {
            return Err(current.truncated(current.size - current.left));
        }
        current.left = current.left.saturating_sub(count as u64);
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }

    /// Reads to the end of the input.
    pub(super) fn drain(&mut self) -> Result<ScanEnd> {
        while self.next()?.is_some() {}
        let mut end = self.end.unwrap_or(ScanEnd {
            end_offset: self.position,
            trailing: false,
            end_marker: false,
            lone_zero_block: self.lone_zero_block,
        });
        let mut piece = vec![0; 64 << 10];
        loop {
            let count = self.input.read(&mut piece)?;
            if count == 0 {
                break;
            }
            self.position = self.position.saturating_add(count as u64);
            let piece = piece.get(..count).unwrap_or_default();
            end.trailing |= piece.iter().any(|byte| *byte != 0);
        }
        self.end = Some(end);
        if self.members == 0 && end.trailing {
            return Err(not_tar());
        }
        Ok(end)
    }

    fn pass_current(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else {
            return Ok(());
        };
        let passed = self.pass(current.left)?;
        if passed < current.left {
            let had = current.size - current.left + passed;
            return Err(current.truncated(had));
        }
        // The padding may be missing at the end of the file.
        self.pass(padding(current.size))?;
        Ok(())
    }

    fn pass(&mut self, count: u64) -> Result<u64> {
        let passed = if count == 0 {
            0
        } else {
            self.input.skip(count)?
        };
        self.position = self.position.saturating_add(passed);
        Ok(passed)
    }

    /// Fills `buffer` as far as the input goes.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.input.read(rest)? {
                0 => break,
                count => filled += count,
            }
        }
        self.position = self.position.saturating_add(filled as u64);
        Ok(filled)
    }

    /// Reads the next block into `block`.
    fn block(&mut self, block: &mut Block) -> Result<Found> {
        let offset = self.position;
        let filled = self.fill(block)?;
        let zeros = block.iter().take(filled).all(|byte| *byte == 0);
        match (filled == block.len(), zeros) {
            (true, true) => Ok(Found::Zeros),
            (true, false) => Ok(Found::Header),
            (false, _) if offset == 0 && filled > 0 => Err(not_tar()),
            (false, true) => Ok(Found::End),
            (false, false) => {
                let message = format!("truncated: the archive ends {filled} bytes into a header");
                Err(invalid(message).offset(offset))
            }
        }
    }

    fn extension_data(&mut self, extension: Extension, header: Header<'_>) -> Result<Vec<u8>> {
        let Some(size) = header.size() else {
            return Err(invalid("the size of an extended header is not a number"));
        };
        if size > extension.limit() {
            return Err(Error::new(
                ErrorKind::LimitExceeded,
                format!(
                    "an extended header of {size} bytes; at most {} are read",
                    extension.limit()
                ),
            )
            .hint("no archive of images needs one: whatever wrote it is broken or means harm"));
        }
        // Within the limit, hence within memory.
        let mut data = vec![0; usize::try_from(size).unwrap_or(0)];
        let filled = self.fill(&mut data)?;
        if filled < data.len() {
            return Err(invalid(truncated(size, filled as u64)));
        }
        self.pass(padding(size))?;
        Ok(data)
    }

    fn member(
        &mut self,
        pending: Pending,
        header: Header<'_>,
        header_offset: u64,
    ) -> Result<Entry> {
        let entry = pending
            .entry(header, header_offset, self.position)
            .map_err(|error| error.offset(header_offset))?;
        self.members += 1;
        if self.members > limits::MAX_MEMBERS {
            let message = format!("more than {} members", limits::MAX_MEMBERS);
            return Err(Error::new(ErrorKind::LimitExceeded, message).offset(header_offset));
        }
        let current = Current {
            name: entry.name.clone(),
            header_offset,
            size: entry.size,
            left: entry.size,
        };
        if let Some(left) = self.input.left().filter(|left| *left < entry.size) {
            return Err(current.truncated(left));
        }
        self.current = Some(current);
        Ok(entry)
    }

    /// A block that is neither a header nor zeros: an error, unless a zero block came before it.
    fn not_a_header(
        &mut self,
        pending: &Pending,
        offset: u64,
        zeros: Option<u64>,
    ) -> Result<Option<Entry>> {
        if self.members == 0 && pending.is_empty() {
            return Err(not_tar());
        }
        let Some(end_offset) = zeros else {
            return Err(invalid("a header whose checksum is wrong").offset(offset));
        };
        let end = self.finish(pending, end_offset, false)?;
        if let Some(end) = &mut self.end {
            end.trailing = true;
        }
        Ok(end)
    }

    fn finish(
        &mut self,
        pending: &Pending,
        end_offset: u64,
        end_marker: bool,
    ) -> Result<Option<Entry>> {
        if !pending.is_empty() {
            return Err(
                invalid("truncated: no member follows an extended header").offset(end_offset)
            );
        }
        self.end = Some(ScanEnd {
            end_offset,
            trailing: false,
            end_marker,
            lone_zero_block: self.lone_zero_block,
        });
        Ok(None)
    }
}

impl Current {
    fn truncated(&self, had: u64) -> Error {
        invalid(truncated(self.size, had))
            .member(self.name.clone())
            .offset(self.header_offset)
    }
}

fn truncated(size: u64, had: u64) -> String {
    format!("truncated: member says {size} bytes, the archive ends {had} bytes later")
}
