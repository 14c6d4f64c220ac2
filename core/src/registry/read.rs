//! Reading a blob, going on by offset where a connection broke.

use std::io::Read;

use ureq::http::Method;

use super::gate::Permit;
use super::host::Call;
use super::net::Answer;
use super::refusal::refused;
use super::repository::Repository;
use crate::error::{Error, ErrorKind, Result};
use crate::oci::Digest;
use crate::store::BlobReader;

/// A blob that is being read.
pub(super) struct Reading<'a> {
    repository: &'a Repository,
    digest: Digest,
    size: u64,
    at: u64,
    answer: Option<Answer>,
    /// Breaks since the last byte that came.
    failures: u32,
    _place: Permit,
}

impl<'a> Reading<'a> {
    /// Begins at once, so that a blob that is missing is noticed here.
    pub(super) fn begin(repository: &'a Repository, digest: Digest, size: u64) -> Result<Self> {
        let place = repository.registry().reading()?;
        let mut reading = Self {
            repository,
            digest,
            size,
            at: 0,
            answer: None,
            failures: 0,
            _place: place,
        };
        reading.answer = reading.ask()?;
        Ok(reading)
    }

    fn doing(&self) -> String {
        format!(
            "cannot read blob {} of `{}`",
            self.digest,
            self.repository.full()
        )
    }

    /// Asks for what is still missing; nothing if the connection broke before that came.
    fn ask(&self) -> Result<Option<Answer>> {
        let target = self.repository.path(&format!("blobs/{}", self.digest));
        let mut call = Call::new(Method::GET, target, &self.repository.scope("pull"));
        call.checked = true;
        if self.at > 0 {
            call.headers.push(("Range", format!("bytes={}-", self.at)));
        }
        let mut answer = self.repository.registry().call(&call)?;
        let wrong = |why: &str| {
            let message = format!("{}: {why}", self.doing());
            Error::new(ErrorKind::Registry, message).digest(self.digest)
        };
        match answer.status {
            200 => {
                // Ranges are not for everybody: what is known already is skipped.
                let skipped = std::io::copy(
                    &mut answer.body.as_reader().take(self.at),
                    &mut std::io::sink(),
                );
                Ok(skipped
                    .is_ok_and(|skipped| skipped == self.at)
                    .then_some(answer))
            }
            206 => {
                let start = answer
                    .header("Content-Range")
                    .and_then(|range| range.trim().strip_prefix("bytes "))
                    .and_then(|range| range.split('-').next())
                    .and_then(|start| start.trim().parse::<u64>().ok());
                if start == Some(self.at) {
                    Ok(Some(answer))
                } else {
                    Err(wrong("the registry sends another part than was asked for"))
                }
            }
            _ => Err(refused(answer, &self.doing()).digest(self.digest)),
        }
    }
}

impl BlobReader for Reading<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let net = self.repository.registry().net();
        loop {
            net.stop.check()?;
            let left = usize::try_from(self.size - self.at).unwrap_or(usize::MAX);
            let most = buffer.len().min(left);
            if most == 0 {
                return Ok(0);
            }
            if self.answer.is_none() {
                self.answer = self.ask()?;
            }
            let read = match &mut self.answer {
                Some(answer) => answer.body.as_reader().read(&mut buffer[..most]),
                None => Ok(0),
            };
            match read {
                Ok(count) if count > 0 => {
                    self.at += count as u64;
                    self.failures = 0;
                    return Ok(count);
                }
                broken => {
                    net.stop.check()?;
                    self.answer = None;
                    self.failures += 1;
                    if !net.again(self.failures, None, self.repository.host())? {
                        let why = match broken {
                            Err(error) => format!("the connection broke: {error}"),
                            Ok(_) => "the registry sends too little".to_owned(),
                        };
                        let message = format!("{}: {why} (at byte {})", self.doing(), self.at);
                        return Err(Error::new(ErrorKind::Unreachable, message).digest(self.digest));
                    }
                }
            }
        }
    }
}
