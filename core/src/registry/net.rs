//! What all hosts of a run share: one HTTP client, counters, notices.

use std::collections::BTreeSet;
use std::fmt;
use std::io::Read;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::request::Builder;
use ureq::http::{HeaderMap, Method, Request, Response, Uri};
use ureq::{Agent, AsSendBody, SendBody};

use super::problem::Problem;
use super::proxy::Proxies;
use super::tls::Trust;
use super::wire::{Later, Wire};
use super::{Access, Notice, Secret, Traffic, retry, url};
use crate::error::{Error, ErrorKind, Result};
use crate::limits;
use crate::progress::Stop;
use crate::settings::Settings;

/// How much is handed to a connection at a time.
const PIECE: usize = 256 << 10;

/// The shared part of a client.
pub(super) struct Net {
    agent: Agent,
    pub(super) access: Access,
    pub(super) settings: Settings,
    pub(super) stop: Stop,
    requests: AtomicU64,
    pub(super) uploaded: AtomicU64,
    retries: AtomicU64,
    notices: Mutex<BTreeSet<Notice>>,
}

/// A body to send.
pub(super) enum Payload<'a> {
    None,
    Bytes(&'a [u8]),
    Stream(&'a mut dyn Read, u64),
}

/// A request as it goes over the wire.
pub(super) struct Ask<'a> {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) payload: Payload<'a>,
    /// How long the answer may take once everything is sent.
    pub(super) patience: Option<Duration>,
}

impl Ask<'_> {
    pub(super) fn new(method: Method, uri: Uri) -> Self {
        Self {
            method,
            uri,
            headers: Vec::new(),
            payload: Payload::None,
            patience: None,
        }
    }
}

impl Net {
    pub(super) fn new(access: Access, settings: Settings, stop: Stop) -> Result<Self> {
        let trust = Trust::new(&settings, access.tls_ca.as_deref(), access.insecure)?;
        let wire = Wire {
            proxies: Arc::new(Proxies::new(&settings)),
            trust: Arc::new(trust),
            stop: stop.clone(),
        };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("fusion/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("identity")
            .output_buffer_size(PIECE)
            .input_buffer_size(PIECE)
            .max_idle_connections(32)
            .max_idle_connections_per_host(16)
            .build();
        Ok(Self {
            agent: Agent::with_parts(config, wire, Later),
            access,
            settings,
            stop,
            requests: AtomicU64::new(0),
            uploaded: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            notices: Mutex::default(),
        })
    }

    pub(super) fn traffic(&self) -> Traffic {
        Traffic {
            requests: self.requests.load(Ordering::Relaxed),
            uploaded: self.uploaded.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        let notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.iter().cloned().collect()
    }

    pub(super) fn notice(&self, notice: Notice) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.insert(notice);
    }

    /// One request, one answer, whatever its status; no redirect is followed.
    pub(super) fn once(
        &self,
        ask: Ask<'_>,
        authorization: Option<&Secret>,
    ) -> Result<Answer, Problem> {
        if self.stop.requested() {
            return Err(Problem::stopped());
        }
        let Ask {
            method,
            uri,
            headers,
            payload,
            patience,
        } = ask;
        let server = uri.authority().map_or("", |a| a.as_str()).to_owned();
        let mut request = Request::builder().method(method.clone()).uri(uri.clone());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        if let Some(authorization) = authorization {
            request = request.header("Authorization", authorization.expose());
        }
        let begun = Instant::now();
        let result = match payload {
            Payload::None => self.run(request, (), patience),
            Payload::Bytes(mut all) => {
                let request = request.header("Content-Length", all.len().to_string());
                self.run(request, SendBody::from_reader(&mut all), patience)
            }
            Payload::Stream(reader, length) => {
                let request = request.header("Content-Length", length.to_string());
                self.run(request, SendBody::from_reader(reader), patience)
            }
        };
        let took = begun.elapsed().as_millis();
        let shown = url::shown(&uri);
        match result {
            Ok(response) => {
                let (head, body) = response.into_parts();
                let status = head.status.as_u16();
                tracing::debug!("{method} {shown}: {status} in {took} ms");
                Ok(Answer {
                    status,
                    headers: head.headers,
                    server,
                    uri,
                    body,
                })
            }
            Err(_) if self.stop.requested() => Err(Problem::stopped()),
            Err(error) => {
                let problem = Problem::from_http(&server, error);
                tracing::debug!("{method} {shown}: {problem} after {took} ms");
                Err(problem)
            }
        }
    }

    fn run(
        &self,
        request: Builder,
        body: impl AsSendBody,
        patience: Option<Duration>,
    ) -> Result<Response<ureq::Body>, ureq::Error> {
        let request = request.body(body).map_err(ureq::Error::Http)?;
        let request = self
            .agent
            .configure_request(request)
            .timeout_recv_response(patience)
            .build();
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.agent.run(request)
    }

    /// Waits before the `failures`th repetition, if there is to be one.
    pub(super) fn again(&self, failures: u32, asked: Option<Duration>, seed: &str) -> Result<bool> {
        if failures > self.access.retries {
            return Ok(false);
        }
        let wait = retry::wait(failures, asked, seed);
        tracing::debug!("{seed}: again in {} ms", wait.as_millis());
        retry::sleep(wait, &self.stop)?;
        self.retries.fetch_add(1, Ordering::Relaxed);
        Ok(true)
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net")
            .field("access", &self.access)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) server: String,
    pub(super) uri: Uri,
    pub(super) body: ureq::Body,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header("Retry-After").and_then(retry::retry_after)
    }

    pub(super) fn is_redirect(&self) -> bool {
        matches!(self.status, 301 | 302 | 303 | 307 | 308)
    }

    /// Whether it sends whoever asked to an address with encryption.
    pub(super) fn leads_to_https(&self) -> bool {
        let location = self.header("Location").unwrap_or_default();
        let next = url::join(&self.uri, location);
        self.is_redirect() && next.is_some_and(|next| next.scheme_str() == Some("https"))
    }

    /// The whole body, of no more than `most` bytes.
    pub(super) fn bytes(&mut self, most: u64) -> Result<Vec<u8>, Problem> {
        let mut bytes = Vec::new();
        let mut reader = self.body.as_reader().take(most.saturating_add(1));
        reader
            .read_to_end(&mut bytes)
            .map_err(|error| Problem::from_io(&self.server, error))?;
        if bytes.len() as u64 > most {
            let message = format!("`{}` answers with more than {most} bytes", self.server);
            let error = Error::new(ErrorKind::LimitExceeded, message);
            return Err(Problem::lasting(error));
        }
        Ok(bytes)
    }

    /// Reads what is left, so that the connection can be used again; a long rest is not worth it.
    pub(super) fn discard(mut self) {
        // A failure only costs the connection.
        let _ = self.bytes(limits::MAX_REFUSAL);
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("uri", &url::shown(&self.uri))
            .finish_non_exhaustive()
    }
}
