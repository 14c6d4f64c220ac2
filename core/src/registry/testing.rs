//! A server that answers as it is told, and what tests ask of it.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Access, Client, Repository};
use crate::oci::Digest;
use crate::progress::Stop;
use crate::settings::Settings;
use crate::store::Expected;

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let known = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers
            .iter()
            .find(known)
            .map(|(_, value)| value.as_str())
    }

    /// `GET /v2/`.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// The connection ends after so many bytes of the body.
    cut: Option<usize>,
}

impl Reply {
    pub(crate) fn new(status: u16) -> Self {
        Self {
            status,
            ..Self::default()
        }
    }

    pub(crate) fn header(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn cut(mut self, after: usize) -> Self {
        self.cut = Some(after);
        self
    }
}

/// A blob that says nothing.
pub(crate) fn empty() -> Expected {
    Expected {
        digest: Digest::of(b""),
        size: 0,
        diff_id: None,
    }
}

type Script = dyn Fn(&Request, usize) -> Reply + Send + Sync;

/// A server on a loopback port, until dropped.
pub(crate) struct Server {
    pub(crate) host: String,
    log: Arc<Mutex<Vec<Request>>>,
    ended: Arc<AtomicBool>,
}

/// How many bytes of a body a server takes before it breaks the connection.
pub(crate) type Break = Arc<Mutex<Option<usize>>>;

impl Server {
    /// Answers each request by `script`, which is told how many came before.
    pub(crate) fn start(script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::breaking(Break::default(), script)
    }

    /// Likewise; the next body ends the connection after as many bytes as `limit` says.
    pub(crate) fn breaking(
        limit: Break,
        script: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let log = Arc::new(Mutex::new(Vec::new()));
        let ended = Arc::new(AtomicBool::new(false));
        let (seen, over, script) = (Arc::clone(&log), Arc::clone(&ended), Arc::new(script));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (seen, script, limit) = (Arc::clone(&seen), script.clone(), limit.clone());
                std::thread::spawn(move || {
                    let stream = stream.unwrap();
                    // A client that goes away ends its connection.
                    let _ = serve(&stream, &seen, &*script, &limit);
                    let _ = stream.shutdown(Shutdown::Both);
                });
            }
        });
        Self { host, log, ended }
    }

    /// Everything that was asked so far.
    pub(crate) fn log(&self) -> MutexGuard<'_, Vec<Request>> {
        self.log.lock().unwrap()
    }

    /// What was asked, without what every run asks first.
    pub(crate) fn lines(&self) -> Vec<String> {
        let lines = self.log().iter().map(Request::line).collect::<Vec<_>>();
        lines
            .into_iter()
            .filter(|line| line != "GET /v2/")
            .collect()
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(Access::default(), Settings::default())
    }

    pub(crate) fn client_with(&self, access: Access, settings: Settings) -> Client {
        let access = Access {
            plain_http: true,
            ..access
        };
        Client::new(access, settings, Stop::new()).unwrap()
    }

    pub(crate) fn repository(&self) -> Repository {
        self.client().repository(&self.host, "t/app")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Wakes the listener.
        let _ = TcpStream::connect(&self.host);
    }
}

fn serve(
    stream: &TcpStream,
    log: &Mutex<Vec<Request>>,
    script: &Script,
    limit: &Break,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream);
    loop {
        let mut request = Request::default();
        let mut line = String::new();
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let mut words = line.split(' ');
        request.method = words.next().unwrap().to_owned();
        request.path = words.next().unwrap().to_owned();
        loop {
            let mut header = String::new();
            input.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(": ") else {
                break;
            };
            request.headers.push((name.to_owned(), value.to_owned()));
        }
        let length = request
            .header("Content-Length")
            .map_or(0, |text| text.parse().unwrap());
        let before = {
            let mut log = log.lock().unwrap();
            log.push(request.clone());
            log.len() - 1
        };
        if request.header("Expect").is_some() {
            let reply = script(&request, before);
            if reply.status >= 400 {
                answer(stream, &request, &reply)?;
                return Ok(());
            }
            (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let cut = if length > 0 {
            limit.lock().unwrap().take()
        } else {
            None
        };
        let taken = cut.map_or(length, |cut| length.min(cut));
        request.body = vec![0; taken];
        input.read_exact(&mut request.body)?;
        log.lock().unwrap()[before] = request.clone();
        if cut.is_some() {
            // The script learns what got through.
            script(&request, before);
            return Ok(());
        }
        let reply = script(&request, before);
        answer(stream, &request, &reply)?;
        if reply.cut.is_some() {
            return Ok(());
        }
    }
}

fn answer(mut stream: &TcpStream, request: &Request, reply: &Reply) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {} X\r\n", reply.status);
    let told = reply
        .headers
        .iter()
        .any(|(name, _)| name == "Content-Length" || name == "Transfer-Encoding");
    if !told && reply.status != 204 {
        head.push_str(&format!("Content-Length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    if request.method != "HEAD" {
        let end = reply.cut.unwrap_or(reply.body.len());
        stream.write_all(&reply.body[..end])?;
    }
    stream.flush()
}
