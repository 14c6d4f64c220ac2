//! A plain HTTP client that hides nothing, for asking servers what they would answer anybody.

use std::io;

use super::http::{Framing, Head, Passing, Wire};
use super::words::base64;

/// What a client of registries takes.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, \
    application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, */*";

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) head: Head,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn status(&self) -> u16 {
        self.head.status()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.head.get(name).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
}

/// One kept connection to a server, and what every request says.
#[derive(Debug)]
pub(crate) struct Client {
    host: String,
    wire: Option<Wire>,
    authorization: Option<String>,
    /// How often it had to connect.
    pub(crate) connections: usize,
}

impl Client {
    pub(crate) fn new(host: &str) -> Self {
        Self {
            host: host.to_owned(),
            wire: None,
            authorization: None,
            connections: 0,
        }
    }

    pub(crate) fn basic(mut self, user: &str, password: &str) -> Self {
        let pair = base64(format!("{user}:{password}").as_bytes());
        self.authorization = Some(format!("Basic {pair}"));
        self
    }

    pub(crate) fn bearer(mut self, token: &str) -> Self {
        self.authorization = Some(format!("Bearer {token}"));
        self
    }

    /// Asks, and panics where no whole answer comes.
    pub(crate) fn ask(&mut self, method: &str, target: &str) -> Reply {
        self.send(method, target, &[], b"")
            .unwrap_or_else(|e| panic!("{method} {target}: {e}"))
    }

    /// [`ask`](Self::ask), with a body.
    pub(crate) fn give(&mut self, method: &str, target: &str, kind: &str, body: &[u8]) -> Reply {
        self.send(method, target, &[("Content-Type", kind)], body)
            .unwrap_or_else(|e| panic!("{method} {target}: {e}"))
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Reply> {
        let mut head = Head {
            first: format!("{method} {target} HTTP/1.1"),
            headers: Vec::new(),
        };
        head.push("Host", &self.host);
        // Without, a registry says of an OCI manifest that there is none.
        head.push("Accept", ACCEPT);
        head.push("Content-Length", body.len().to_string());
        if let Some(authorization) = &self.authorization {
            head.push("Authorization", authorization);
        }
        for (name, value) in headers {
            head.push(name, *value);
        }
        let mut wire = match self.wire.take().filter(|wire| !wire.is_stale()) {
            Some(wire) => wire,
            None => {
                self.connections += 1;
                Wire::connect(&self.host)?
            }
        };
        // A server may answer, and hang up, before it has taken the body: its answer counts.
        let sent = wire.write(&head.bytes()).and_then(|()| wire.write(body));
        let answer = match Head::read(wire.reader()) {
            Ok(Some(answer)) => answer,
            Ok(None) => {
                return Err(sent
                    .err()
                    .unwrap_or(io::ErrorKind::ConnectionAborted.into()));
            }
            Err(e) => return Err(sent.err().unwrap_or(e)),
        };
        let framing = answer.answer_body(method);
        let mut bytes = Vec::new();
        let whole = Passing {
            from: wire.reader(),
            to: &mut bytes,
            passed: &mut 0,
            most: u64::MAX,
        }
        .run(match framing {
            // Chunks are for the wire, not for the reader.
            Framing::Chunked => return Self::chunked(answer, &mut wire),
            other => other,
        });
        whole.map_err(|broken| io::Error::other(format!("{broken:?}")))?;
        if !answer.closes() && framing != Framing::UntilClose && sent.is_ok() {
            self.wire = Some(wire);
        }
        Ok(Reply {
            head: answer,
            body: bytes,
        })
    }

    fn chunked(head: Head, wire: &mut Wire) -> io::Result<Reply> {
        let mut body = Vec::new();
        loop {
            let mut line = String::new();
            io::BufRead::read_line(wire.reader(), &mut line)?;
            let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
            let start = body.len();
            body.resize(start + length + 2, 0);
            io::Read::read_exact(wire.reader(), &mut body[start..])?;
            body.truncate(start + length);
            if length == 0 {
                return Ok(Reply { head, body });
            }
        }
    }
}
