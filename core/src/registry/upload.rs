//! Sending a blob (distribution specification, end-4a to end-7, end-13): in one piece if it is
//! small, else as a stream, or in chunks if that is all the registry takes; going on by offset
//! where it was interrupted.

mod feed;

use std::sync::atomic::Ordering;
use std::time::Duration;

use ureq::http::{Method, Uri};

use super::auth::Scope;
use super::host::Call;
use super::net::{Answer, Ask, Payload};
use super::problem::{Cause, Problem};
use super::refusal::refused;
use super::repository::{Repository, Sessions};
use super::{host::Target, retry, url};
use crate::error::{Error, ErrorKind, Result};
use crate::store::{BlobSource, Expected, Transfer};
use feed::{Body, Feed};

/// Up to this many bytes a blob goes with the request that ends its upload.
const SMALL: u64 = 4 << 20;

/// What is tried first where a whole blob is too much at a time.
const CHUNK: u64 = 32 << 20;

/// Smaller chunks than this are not tried.
const LEAST_CHUNK: u64 = 256 << 10;

/// Uploads a blob, and says how many bytes were sent.
pub(super) fn run(
    repository: &Repository,
    source: &dyn BlobSource,
    blob: &Expected,
    transfer: &mut Transfer<'_>,
    sessions: Option<&dyn Sessions>,
) -> Result<u64> {
    let mut upload = Upload {
        repository,
        sessions,
        blob,
        session: None,
        offset: 0,
        chunk: None,
        ask_first: false,
        asks_never: false,
        scope: repository.scope("pull,push"),
        sent: 0,
    };
    let mut feed = Feed::new(source, blob, transfer);
    let result = upload.run(&mut feed);
    if let Err(error) = &result
        && matches!(
            error.kind(),
            ErrorKind::DigestMismatch | ErrorKind::InvalidArchive | ErrorKind::InputChanged
        )
    {
        upload.abandon();
    }
    result.map(|()| upload.sent)
}

/// Tells a registry that nobody will go on with the session that `answer` opened.
pub(super) fn cancel(repository: &Repository, answer: &Answer) {
    let location = answer.header("Location");
    if let Some(session) = location.and_then(|location| url::continued(&answer.uri, location)) {
        delete(repository, session);
    }
}

/// Sessions that stay behind are removed by registries after days: a failure is no harm.
fn delete(repository: &Repository, session: Uri) {
    let scope = repository.scope("pull,push");
    let call = Call::new(Method::DELETE, Target::Given(session), &scope);
    match repository.registry().call(&call) {
        Ok(answer) => answer.discard(),
        Err(error) => tracing::debug!("an upload session stays behind: {error}"),
    }
}

struct Upload<'a> {
    repository: &'a Repository,
    sessions: Option<&'a dyn Sessions>,
    blob: &'a Expected,
    /// Where the upload goes on.
    session: Option<Uri>,
    /// How much of the blob the registry has.
    offset: u64,
    /// How much is sent at a time, if not all.
    chunk: Option<u64>,
    /// Wait for the registry's consent before a body: it refused, or broke off, before.
    ask_first: bool,
    /// Whether the registry cannot be asked.
    asks_never: bool,
    /// What tokens have to be for, as the registry last said.
    scope: Scope,
    sent: u64,
}

/// Why an attempt came to nothing.
enum Trouble {
    /// It may pass.
    Again(Error, Option<Duration>),
    /// The registry takes no such amount at a time.
    TooMuch(Error),
    /// It stays.
    Never(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Never(error)
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        match problem.cause {
            Cause::Passing => Self::Again(problem.error, None),
            _ => Self::Never(problem.error),
        }
    }
}

impl Upload<'_> {
    fn run(&mut self, feed: &mut Feed<'_, '_>) -> Result<()> {
        let net = self.repository.registry().net();
        self.resume()?;
        let (mut failures, mut furthest) = (0, self.offset);
        loop {
            let (error, wait) = match self.attempt(feed) {
                Ok(()) => {
                    self.remember(None);
                    feed.done();
                    return Ok(());
                }
                Err(Trouble::Never(error)) => return Err(error),
                Err(Trouble::Again(error, wait)) => (error, wait),
                Err(Trouble::TooMuch(error)) => {
                    let next = self.chunk.map_or(CHUNK, |chunk| chunk / 2);
                    let next = next.min(self.blob.size / 2);
                    if next < LEAST_CHUNK {
                        return Err(error);
                    }
                    self.chunk = Some(next);
                    self.ask_first = true;
                    self.settle()?;
                    continue;
                }
            };
            net.stop.check()?;
            self.ask_first = true;
            // What got through counts: only standing still is failing.
            let before = self.offset;
            if before > furthest {
                (furthest, failures) = (before, 0);
            }
            failures += 1;
            if !net.again(failures, wait, self.repository.host())? {
                return Err(error);
            }
            self.settle()?;
            if self.session.is_none() && self.arrived()? {
                self.remember(None);
                // What is there was sent by us, and the registry checked its digest.
                feed.done();
                return Ok(());
            }
        }
    }

    fn doing(&self) -> String {
        format!(
            "cannot upload blob {} to `{}`",
            self.blob.digest,
            self.repository.full()
        )
    }

    fn remember(&self, session: Option<&Uri>) {
        if let Some(sessions) = self.sessions {
            let text = session.map(Uri::to_string);
            sessions.set(&self.repository.full(), &self.blob.digest, text.as_deref());
        }
    }

    /// Goes on with a session of an earlier run.
    fn resume(&mut self) -> Result<()> {
        let sessions = self.sessions;
        let text = sessions.and_then(|s| s.get(&self.repository.full(), &self.blob.digest));
        let Some(text) = text else { return Ok(()) };
        let own = self
            .repository
            .registry()
            .uri(&Target::Path("/v2/".to_owned()))?;
        self.session = url::continued(&own, &text);
        self.settle()
    }

    /// Asks how much the registry has.
    fn settle(&mut self) -> Result<()> {
        self.offset = 0;
        let Some(session) = self.session.take() else {
            return Ok(());
        };
        let scope = self.repository.scope("pull,push");
        let call = Call::new(Method::GET, Target::Given(session.clone()), &scope);
        let answer = self.repository.registry().call(&call)?;
        let end = answer.header("Range").and_then(range_end);
        match (answer.status, end) {
            (200..=204, Some(end)) if end < self.blob.size => {
                let next = answer
                    .header("Location")
                    .and_then(|location| url::continued(&answer.uri, location));
                let session = next.unwrap_or(session);
                // `0-0` says nothing as well as one byte.
                if end <= 1 {
                    answer.discard();
                    delete(self.repository, session);
                    self.remember(None);
                    return Ok(());
                }
                self.offset = end;
                self.remember(Some(&session));
                self.session = Some(session);
            }
            (200..=204, Some(end)) if end == self.blob.size => {
                self.offset = end;
                self.session = Some(session);
            }
            // Lost, or no sense: begin anew.
            _ => self.remember(None),
        }
        answer.discard();
        Ok(())
    }

    /// Whether the blob is there, after an end that was not confirmed.
    fn arrived(&self) -> Result<bool> {
        Ok(self.sent > 0 && self.repository.has(self.blob)?)
    }

    fn abandon(&mut self) {
        if let Some(session) = self.session.take() {
            delete(self.repository, session);
        }
        self.remember(None);
    }

    fn attempt(&mut self, feed: &mut Feed<'_, '_>) -> Result<(), Trouble> {
        // Before anything is asked of the registry: a source that is damaged at once costs it
        // nothing, and one that is a registry has its place in the queue.
        feed.seek(self.offset)?;
        let mut session = match self.session.clone() {
            Some(session) => session,
            None => self.open()?,
        };
        let size = self.blob.size;
        if size <= SMALL && self.offset == 0 && self.chunk.is_none() {
            return self.finish(&session, feed, size);
        }
        while self.offset < size {
            let end = self
                .chunk
                .map_or(size, |chunk| size.min(self.offset + chunk));
            session = self.patch(&session, feed, end)?;
            self.session = Some(session.clone());
            self.remember(Some(&session));
            feed.seek(self.offset)?;
        }
        self.finish(&session, feed, 0)
    }

    /// Opens a session.
    fn open(&mut self) -> Result<Uri, Trouble> {
        let scope = self.repository.scope("pull,push");
        let target = self.repository.path("blobs/uploads/");
        let call = Call::new(Method::POST, target, &scope);
        let answer = self.repository.registry().call(&call)?;
        if answer.status != 202 {
            return Err(Trouble::Never(
                refused(answer, &self.doing()).digest(self.blob.digest),
            ));
        }
        let session = self.next(&answer)?;
        let least = answer
            .header("OCI-Chunk-Min-Length")
            .and_then(|text| text.parse().ok());
        if let Some(least) = least {
            let chunk: u64 = self.chunk.unwrap_or(CHUNK);
            self.chunk = Some(chunk.max(least));
        }
        answer.discard();
        self.offset = 0;
        self.session = Some(session.clone());
        // One that ends with the next request is not worth remembering.
        if self.blob.size > SMALL {
            self.remember(Some(&session));
        }
        Ok(session)
    }

    fn next(&self, answer: &Answer) -> Result<Uri, Trouble> {
        let location = answer.header("Location");
        let next = location.and_then(|location| url::continued(&answer.uri, location));
        next.ok_or_else(|| {
            let message = format!(
                "{}: the registry does not say where it goes on",
                self.doing()
            );
            Trouble::Never(Error::new(ErrorKind::Registry, message).digest(self.blob.digest))
        })
    }

    /// Sends the blob up to `end`, and says where it goes on.
    fn patch(&mut self, session: &Uri, feed: &mut Feed<'_, '_>, end: u64) -> Result<Uri, Trouble> {
        let mut ask = Ask::new(Method::PATCH, session.clone());
        if self.offset > 0 || end < self.blob.size {
            ask.headers
                .push(("Content-Range", format!("{}-{}", self.offset, end - 1)));
        }
        let answer = self.send(ask, feed, end - self.offset)?;
        if !matches!(answer.status, 202 | 201 | 204) {
            return Err(self.trouble(answer));
        }
        let next = self.next(&answer)?;
        let taken = answer.header("Range").and_then(range_end);
        answer.discard();
        match taken {
            Some(taken) if taken > self.offset && taken <= end => self.offset = taken,
            _ => self.offset = end,
        }
        Ok(next)
    }

    /// Ends the upload, with the last `length` bytes of the blob.
    fn finish(
        &mut self,
        session: &Uri,
        feed: &mut Feed<'_, '_>,
        length: u64,
    ) -> Result<(), Trouble> {
        let query = format!("digest={}", self.blob.digest);
        let target = url::with_query(session, &query).ok_or_else(|| {
            let message = format!("{}: its session has no address", self.doing());
            Trouble::Never(Error::new(ErrorKind::Registry, message))
        })?;
        let mut ask = Ask::new(Method::PUT, target);
        // The registry may hash, or copy, all of it before it answers.
        ask.patience = Some(Duration::from_secs(60 + self.blob.size / (10 << 20)));
        let answer = self.send(ask, feed, length)?;
        if !matches!(answer.status, 200..=204) {
            return Err(self.trouble(answer));
        }
        answer.discard();
        Ok(())
    }

    fn send(
        &mut self,
        mut ask: Ask<'_>,
        feed: &mut Feed<'_, '_>,
        length: u64,
    ) -> Result<Answer, Trouble> {
        let registry = self.repository.registry();
        // A body that is refused after it was sent is a pity, and the refusal may be lost.
        if !self.asks_never && (length > SMALL || (self.ask_first && length > 0)) {
            ask.headers.push(("Expect", "100-continue".to_owned()));
        }
        let mut body = Body::new(feed, length);
        let ask = Ask {
            payload: Payload::Stream(&mut body, length),
            ..ask
        };
        let result = registry.stream(ask, &mut self.scope);
        let (sent, failure) = body.end();
        self.sent += sent;
        registry.net().uploaded.fetch_add(sent, Ordering::Relaxed);
        match failure {
            Some(failure) => Err(Trouble::Never(failure)),
            None => result.map_err(Trouble::from),
        }
    }

    /// What an answer that is no success means for the next attempt.
    fn trouble(&mut self, answer: Answer) -> Trouble {
        let (status, wait) = (answer.status, answer.retry_after());
        let error = refused(answer, &self.doing()).digest(self.blob.digest);
        match status {
            413 => Trouble::TooMuch(error),
            // "The client may repeat it without `Expect`" (RFC 9110, 10.1.1).
            417 if !self.asks_never => {
                self.asks_never = true;
                Trouble::Again(error, Some(Duration::ZERO))
            }
            // An expired token, a lost session, a wrong offset: asked about before the next try.
            401 | 404 | 416 => Trouble::Again(error, Some(Duration::ZERO)),
            status if retry::may_pass(status) => Trouble::Again(error, wait),
            400 => {
                // What came before may have got there damaged: all of it again.
                let lost = matches!(
                    error.get_code(),
                    Some(
                        "BLOB_UPLOAD_INVALID"
                            | "BLOB_UPLOAD_UNKNOWN"
                            | "DIGEST_INVALID"
                            | "SIZE_INVALID"
                    )
                );
                if lost {
                    self.abandon();
                    return Trouble::Again(error, wait);
                }
                Trouble::Never(error)
            }
            _ => Trouble::Never(error),
        }
    }
}

/// The number of bytes that `0-N` or `bytes=0-N` says are there.
fn range_end(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text
        .strip_prefix("bytes=")
        .or_else(|| text.strip_prefix("bytes "))
        .unwrap_or(text);
    let (start, end) = text.split_once('-')?;
    let end: u64 = end.trim().parse().ok()?;
    match (start.trim(), end) {
        ("0", 0) => Some(0),
        ("0", end) => end.checked_add(1),
        _ => None,
    }
}
