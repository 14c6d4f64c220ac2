//! A blob on its way out: read into the connection's own buffer, hashed there, sent from there.
//!
//! The last bytes are handed out only once the whole is known to be what it goes by, so that a
//! registry never gets the end of anything else.

use std::io::{self, Read};

use crate::error::Result;
use crate::error::{Error, ErrorKind};
use crate::progress::Progress;
use crate::store::{BlobReader, BlobSource, Check, Expected, Transfer, blamed};

/// A blob that can be read again from any offset: hashing always begins at byte 0.
pub(super) struct Feed<'a, 'p> {
    source: &'a dyn BlobSource,
    blob: &'a Expected,
    progress: &'p Progress,
    buffer: &'a mut [u8],
    open: Option<Open<'a>>,
    /// The furthest that was counted as progress.
    counted: u64,
}

struct Open<'a> {
    reader: Box<dyn BlobReader + 'a>,
    /// Gone once the whole has been judged.
    check: Option<Check>,
    at: u64,
}

impl<'a, 'p> Feed<'a, 'p> {
    pub(super) fn new(
        source: &'a dyn BlobSource,
        blob: &'a Expected,
        transfer: &'a mut Transfer<'p>,
    ) -> Self {
        let (progress, buffer) = transfer.parts();
        Self {
            source,
            blob,
            progress,
            buffer,
            open: None,
            counted: 0,
        }
    }

    /// Goes to `offset`, reading and hashing what lies before it.
    pub(super) fn seek(&mut self, offset: u64) -> Result<()> {
        self.try_seek(offset)
            .map_err(|error| blamed(self.source, self.blob, error))
    }

    fn try_seek(&mut self, offset: u64) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.at == offset) {
            return Ok(());
        }
        // The old reader goes first: its place may be the last one.
        self.open = None;
        let check = Check::begin(self.source, self.blob)?;
        self.open = Some(Open {
            reader: self.source.open(&self.blob.digest)?,
            check: Some(check),
            at: 0,
        });
        if self.blob.size == 0 {
            self.judge()?;
        }
        let buffer = std::mem::take(&mut self.buffer);
        let result = self.skip(offset, buffer);
        self.buffer = buffer;
        result
    }

    fn skip(&mut self, offset: u64, buffer: &mut [u8]) -> Result<()> {
        while let Some(open) = &self.open
            && open.at < offset
        {
            let left = usize::try_from(offset - open.at).unwrap_or(usize::MAX);
            let most = buffer.len().min(left);
            self.fill(&mut buffer[..most])?;
        }
        Ok(())
    }

    /// The next bytes of the blob, hashed; never none before its end.
    fn fill(&mut self, buffer: &mut [u8]) -> Result<usize> {
        self.progress.check()?;
        let Some(open) = &mut self.open else {
            return Err(Error::new(
                ErrorKind::Internal,
                "a blob is read before it is open",
            ));
        };
        let count = open.reader.read(buffer)?;
        if count == 0 {
            // Too short: that is what the judgement says.
            self.judge()?;
            return Err(Error::new(
                ErrorKind::Internal,
                "a blob ends before its end",
            ));
        }
        if let Some(check) = &mut open.check {
            check.push(&buffer[..count]);
        }
        open.at += count as u64;
        if open.at > self.counted {
            self.progress.add_bytes(open.at - self.counted);
            self.counted = open.at;
        }
        if open.at == self.blob.size {
            // Nothing may follow.
            let mut more = [0];
            if open.reader.read(&mut more)? > 0
                && let Some(check) = &mut open.check
            {
                check.push(&more);
            }
            self.judge()?;
        }
        Ok(count)
    }

    fn judge(&mut self) -> Result<()> {
        let check = self.open.as_mut().and_then(|open| open.check.take());
        check.map_or(Ok(()), Check::finish)
    }

    /// Counts the blob as done.
    pub(super) fn done(&mut self) {
        if self.counted < self.blob.size {
            self.progress.add_bytes(self.blob.size - self.counted);
            self.counted = self.blob.size;
        }
        self.progress.add_blob();
    }
}

/// The next part of a blob as the body of a request.
pub(super) struct Body<'b, 'a, 'p> {
    feed: &'b mut Feed<'a, 'p>,
    left: u64,
    sent: u64,
    failure: Option<Error>,
}

impl<'b, 'a, 'p> Body<'b, 'a, 'p> {
    pub(super) fn new(feed: &'b mut Feed<'a, 'p>, length: u64) -> Self {
        Self {
            feed,
            left: length,
            sent: 0,
            failure: None,
        }
    }

    /// How much was handed to the connection, and why no more, if that is the source's fault.
    pub(super) fn end(self) -> (u64, Option<Error>) {
        (self.sent, self.failure)
    }
}

impl Read for Body<'_, '_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        if most == 0 {
            return Ok(0);
        }
        match self.feed.fill(&mut buffer[..most]) {
            Ok(count) => {
                self.left -= count as u64;
                self.sent += count as u64;
                Ok(count)
            }
            Err(error) => {
                self.failure = Some(blamed(self.feed.source, self.feed.blob, error));
                Err(io::Error::other("the source cannot be read"))
            }
        }
    }
}
