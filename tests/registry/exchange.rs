//! One request that a server has read the head of: answer it, or have somebody else answer it.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::http::{Broken, Framing, Head, Passing, Wire};
use super::serve::Next;

/// The longest body that is read away before an answer that does not need it.
const POLITE: u64 = 64 << 10;

/// An answer that is made here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn text(status: u16, text: &str) -> Self {
        let answer = Self::new(status).header("Content-Type", "text/plain; charset=utf-8");
        Self {
            body: text.as_bytes().to_vec(),
            ..answer
        }
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        let answer = Self::new(status).header("Content-Type", "application/json; charset=utf-8");
        Self {
            body: value.to_string().into_bytes(),
            ..answer
        }
    }

    /// The body of errors that registries and Harbor's API share.
    pub(crate) fn error(status: u16, code: &str, message: &str) -> Self {
        Self::json(
            status,
            &json!({"errors": [{"code": code, "message": message}]}),
        )
    }

    pub(crate) fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// What goes wrong on the way to the server behind, and back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tamper {
    /// The connections break after so many bytes of the request's body.
    pub(crate) request: Option<u64>,
    /// The client's connection ends like that after so many bytes of the answer's body.
    pub(crate) answer: Option<(u64, Next)>,
    /// The server behind answers, but the client never hears of it.
    pub(crate) swallow: bool,
}

/// What went through.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Passed {
    pub(crate) status: u16,
    pub(crate) sent: u64,
    pub(crate) received: u64,
}

pub(crate) struct Exchange<'a> {
    pub(crate) request: Head,
    client: &'a mut Wire,
    /// The server behind that was asked last.
    upstream: &'a mut Option<(String, Wire)>,
    pub(crate) passed: Passed,
    body_taken: bool,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(
        request: Head,
        client: &'a mut Wire,
        upstream: &'a mut Option<(String, Wire)>,
    ) -> Self {
        Self {
            request,
            client,
            upstream,
            passed: Passed::default(),
            body_taken: false,
        }
    }

    pub(crate) fn method(&self) -> String {
        self.request.word(0).to_owned()
    }

    /// The path as it was sent, and the query without its `?`.
    pub(crate) fn target(&self) -> (String, String) {
        let target = self.request.word(1);
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        (path.to_owned(), query.to_owned())
    }

    /// The whole body, which has to be short.
    pub(crate) fn body(&mut self) -> io::Result<Vec<u8>> {
        let framing = self.request.request_body();
        let Framing::Length(length) = framing else {
            return Err(io::Error::other(
                "a body of unknown length where one is read",
            ));
        };
        if length > 4 << 20 {
            return Err(io::Error::other("too long a body where one is read"));
        }
        let mut body = Vec::new();
        self.allow()?;
        self.body_taken = true;
        self.take(framing, &mut body)?;
        Ok(body)
    }

    /// Answers. A long body that nobody has read is left in the line, as nginx does, and the
    /// connection ends.
    pub(crate) fn answer(&mut self, answer: &Answer) -> io::Result<Next> {
        let mut next = Next::Keep;
        if !self.body_taken {
            match self.request.request_body() {
                Framing::Length(0) => {}
                framing @ Framing::Length(1..=POLITE) if self.request.get("expect").is_none() => {
                    self.body_taken = true;
                    self.take(framing, &mut io::sink())?;
                }
                _ => next = Next::Close,
            }
        }
        let mut head = Head {
            first: format!("HTTP/1.1 {} {}", answer.status, reason(answer.status)),
            headers: answer.headers.clone(),
        };
        head.push("Content-Length", answer.body.len().to_string());
        if next == Next::Close {
            head.push("Connection", "close");
        }
        self.passed.status = answer.status;
        self.client.write(&head.bytes())?;
        if self.request.word(0) != "HEAD" {
            self.client.write(&answer.body)?;
            self.passed.received = answer.body.len() as u64;
        }
        Ok(next)
    }

    /// Asks `host`, on a connection that is kept as long as the client's, and passes all on as it
    /// comes. The client's own Host stays, so that places in answers lead here again.
    pub(crate) fn forward(&mut self, host: &str, tamper: Tamper) -> io::Result<Next> {
        let kept = self.upstream.take();
        let mut upstream = match kept.filter(|(known, wire)| known == host && !wire.is_stale()) {
            Some((_, wire)) => wire,
            None => Wire::connect(host)?,
        };
        self.allow()?;
        let mut request = self.request.clone();
        request.remove("expect");
        upstream.write(&request.bytes())?;
        self.body_taken = true;
        let mut to = &**upstream.stream();
        let sent = Passing {
            from: self.client.reader(),
            to: &mut to,
            passed: &mut self.passed.sent,
            most: tamper.request.unwrap_or(u64::MAX),
        }
        .run(request.request_body());
        let mut next = Next::Keep;
        match sent {
            Ok(true) => {}
            Ok(false) => return Ok(Next::Reset),
            Err(Broken::From(e)) => return Err(e),
            // It may have answered before the end, and its answer is what counts.
            Err(Broken::To(_)) => next = Next::Close,
        }
        let answer = loop {
            let head = Head::read(upstream.reader())?;
            let head = head.ok_or_else(|| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            if head.status() >= 200 {
                break head;
            }
        };
        self.passed.status = answer.status();
        let framing = answer.answer_body(request.word(0));
        if tamper.swallow {
            self.receive(&mut upstream, framing, &mut io::sink(), u64::MAX)?;
            return Ok(Next::Reset);
        }
        self.client.write(&answer.bytes())?;
        let (most, cut) = tamper.answer.unwrap_or((u64::MAX, Next::Keep));
        let stream = self.client.stream().clone();
        let whole = self.receive(&mut upstream, framing, &mut &*stream, most)?;
        // A body that ends just where it was to be cut has still been cut.
        if !whole || (tamper.answer.is_some() && self.passed.received == most) {
            return Ok(cut);
        }
        if framing == Framing::UntilClose || answer.closes() {
            next = Next::Close;
        }
        if next == Next::Keep {
            *self.upstream = Some((host.to_owned(), upstream));
        }
        Ok(next)
    }

    /// Tells a client that asks first that its body is welcome.
    fn allow(&mut self) -> io::Result<()> {
        if self.request.get("expect").is_some() && !self.body_taken {
            self.client.write(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        Ok(())
    }

    fn take(&mut self, framing: Framing, to: &mut impl Write) -> io::Result<()> {
        let taken = Passing {
            from: self.client.reader(),
            to,
            passed: &mut self.passed.sent,
            most: u64::MAX,
        }
        .run(framing);
        taken.map(drop).map_err(side)
    }

    fn receive(
        &mut self,
        upstream: &mut Wire,
        framing: Framing,
        to: &mut impl Write,
        most: u64,
    ) -> io::Result<bool> {
        let received = Passing {
            from: upstream.reader(),
            to,
            passed: &mut self.passed.received,
            most,
        }
        .run(framing);
        received.map_err(side)
    }
}

fn side(broken: Broken) -> io::Error {
    match broken {
        Broken::From(e) | Broken::To(e) => e,
    }
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        409 => "Conflict",
        412 => "Precondition Failed",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "Whatever",
    }
}
