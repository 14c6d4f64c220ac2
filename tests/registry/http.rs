//! As much of HTTP/1.1 as servers and a proxy for tests need: heads, how long a body is, passing
//! one on without holding it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

/// The longest that one side may keep the other waiting: a test fails, and does not hang.
const PATIENCE: Duration = Duration::from_secs(120);

/// The most bytes of a head.
const HEAD: usize = 64 << 10;

/// How much of a body is in memory at any time.
const BUFFER: usize = 64 << 10;

/// The reading end of a connection that has other owners: closing it takes all of them.
#[derive(Debug)]
pub(crate) struct Ear(Arc<TcpStream>);

impl Read for Ear {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

/// One side of a connection.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Arc<TcpStream>,
    reader: BufReader<Ear>,
}

impl Wire {
    pub(crate) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let stream = Arc::new(stream);
        let reader = BufReader::with_capacity(BUFFER, Ear(Arc::clone(&stream)));
        Ok(Self { stream, reader })
    }

    pub(crate) fn connect(host: &str) -> io::Result<Self> {
        let address = host.to_socket_addrs()?.next();
        let address = address.ok_or_else(|| io::Error::other(format!("no address: {host}")))?;
        Self::new(TcpStream::connect_timeout(
            &address,
            Duration::from_secs(10),
        )?)
    }

    pub(crate) fn stream(&self) -> &Arc<TcpStream> {
        &self.stream
    }

    pub(crate) fn reader(&mut self) -> &mut BufReader<Ear> {
        &mut self.reader
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        (&*self.stream).write_all(bytes)
    }

    /// Whether the other side has hung up while nothing was going on.
    pub(crate) fn is_stale(&self) -> bool {
        let quiet = self.stream.set_nonblocking(true).is_ok()
            && matches!(self.stream.peek(&mut [0]), Err(e) if e.kind() == io::ErrorKind::WouldBlock);
        self.stream.set_nonblocking(false).is_err() || !quiet
    }
}

/// The first line and the headers of a request or an answer.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) first: String,
    pub(crate) headers: Vec<(String, String)>,
}

impl Head {
    /// Reads one; nothing where the other side has hung up.
    pub(crate) fn read(from: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = Self::default();
        let mut left = HEAD;
        loop {
            let mut line = String::new();
            let length = from.by_ref().take(left as u64).read_line(&mut line)?;
            left -= length;
            if length == 0 && head.first.is_empty() && left > 0 {
                return Ok(None);
            }
            if !line.ends_with('\n') {
                return Err(io::Error::other(format!("a head ends early: {line:?}")));
            }
            let line = line.trim_end();
            if head.first.is_empty() {
                line.clone_into(&mut head.first);
            } else if line.is_empty() {
                return Ok(Some(head));
            } else {
                let (name, value) = line
                    .split_once(':')
                    .ok_or_else(|| io::Error::other(format!("no header: {line:?}")))?;
                head.headers
                    .push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.headers
            .retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    pub(crate) fn push(&mut self, name: &str, value: impl Into<String>) {
        self.headers.push((name.to_owned(), value.into()));
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.first);
        for (name, value) in &self.headers {
            text += &format!("{name}: {value}\r\n");
        }
        text += "\r\n";
        text.into_bytes()
    }

    /// A word of the first line: method, target and version, or version and status.
    pub(crate) fn word(&self, at: usize) -> &str {
        self.first.split(' ').nth(at).unwrap_or_default()
    }

    pub(crate) fn status(&self) -> u16 {
        self.word(1).parse().unwrap_or_default()
    }

    /// Whether whoever wrote this head ends the connection after it.
    pub(crate) fn closes(&self) -> bool {
        let says = |word: &str| {
            self.get("connection")
                .is_some_and(|value| value.eq_ignore_ascii_case(word))
        };
        says("close") || (self.first.contains("HTTP/1.0") && !says("keep-alive"))
    }

    /// How the body of a request is framed.
    pub(crate) fn request_body(&self) -> Framing {
        match self.framing() {
            Framing::UntilClose => Framing::Length(0),
            known => known,
        }
    }

    /// How the body of the answer to a request by `method` is framed.
    pub(crate) fn answer_body(&self, method: &str) -> Framing {
        match self.status() {
            100..200 | 204 | 304 => Framing::Length(0),
            _ if method == "HEAD" => Framing::Length(0),
            _ => self.framing(),
        }
    }

    fn framing(&self) -> Framing {
        if let Some(coding) = self.get("transfer-encoding") {
            assert_eq!(coding, "chunked", "another transfer encoding");
            return Framing::Chunked;
        }
        match self.get("content-length").map(str::parse) {
            Some(length) => Framing::Length(length.expect("content-length is a number")),
            None => Framing::UntilClose,
        }
    }
}

/// How the end of a body is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(u64),
    Chunked,
    UntilClose,
}

/// Which side a body broke on.
#[derive(Debug)]
pub(crate) enum Broken {
    From(io::Error),
    To(io::Error),
}

/// A body on its way from one side to the other, as it is framed.
pub(crate) struct Passing<'a, R, W> {
    pub(crate) from: &'a mut R,
    pub(crate) to: &'a mut W,
    /// Payload bytes passed so far, without the framing of chunks.
    pub(crate) passed: &'a mut u64,
    /// Stop after so many.
    pub(crate) most: u64,
}

impl<R: BufRead, W: Write> Passing<'_, R, W> {
    /// Passes the body on; whether all of it.
    pub(crate) fn run(&mut self, framing: Framing) -> Result<bool, Broken> {
        match framing {
            Framing::Length(length) => {
                let whole = self.payload(length)?;
                match whole || self.left() == 0 {
                    true => Ok(whole),
                    false => Err(Broken::From(io::ErrorKind::UnexpectedEof.into())),
                }
            }
            Framing::UntilClose => self.payload(u64::MAX).map(|_| self.left() > 0),
            Framing::Chunked => self.chunks(),
        }
    }

    fn left(&self) -> u64 {
        self.most - *self.passed
    }

    /// Passes `length` bytes on; false where there were fewer, or the limit was reached before.
    fn payload(&mut self, length: u64) -> Result<bool, Broken> {
        let end = self.passed.saturating_add(length);
        while *self.passed < end.min(self.most) {
            let want = usize::try_from(end.min(self.most) - *self.passed).unwrap_or(usize::MAX);
            let bytes = self.from.fill_buf().map_err(Broken::From)?;
            if bytes.is_empty() {
                return Ok(false);
            }
            let count = bytes.len().min(want);
            self.to.write_all(&bytes[..count]).map_err(Broken::To)?;
            self.from.consume(count);
            *self.passed += count as u64;
        }
        Ok(*self.passed == end)
    }

    fn chunks(&mut self) -> Result<bool, Broken> {
        loop {
            let line = self.line()?;
            let digits = line.split(';').next().unwrap_or_default().trim();
            let length =
                u64::from_str_radix(digits, 16).map_err(|e| Broken::From(io::Error::other(e)))?;
            if length == 0 {
                // Trailers, up to an empty line.
                while !self.line()?.trim().is_empty() {}
                return Ok(true);
            }
            if !self.payload(length)? {
                return match self.left() {
                    0 => Ok(false),
                    _ => Err(Broken::From(io::ErrorKind::UnexpectedEof.into())),
                };
            }
            self.line()?;
        }
    }

    /// One line of framing, passed on as it is.
    fn line(&mut self) -> Result<String, Broken> {
        let mut line = String::new();
        let from = self.from.by_ref().take(HEAD as u64).read_line(&mut line);
        from.map_err(Broken::From)?;
        if !line.ends_with('\n') {
            return Err(Broken::From(io::ErrorKind::UnexpectedEof.into()));
        }
        self.to.write_all(line.as_bytes()).map_err(Broken::To)?;
        Ok(line)
    }
}
