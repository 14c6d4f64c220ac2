//! Connections for the HTTP library, made here so that every wait is short: a request to stop is
//! seen in between, and one that is left alone for a minute is given up.
//!
//! The library's own connections wait in one go, show no reason when TLS fails, and panic on a
//! client certificate that does not fit its key.

mod socket;
mod tunnel;

use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};
use ureq::Error as HttpError;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, time,
};

use super::problem::{Cause, Problem, wants_certificate};
use super::proxy::Proxies;
use super::tls::Trust;
use crate::error::{Error, ErrorKind};
use crate::progress::Stop;
use socket::Socket;

/// How long a connection may stand still.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens connections: directly or by a proxy, plain or with TLS.
#[derive(Debug)]
pub(super) struct Wire {
    pub(super) proxies: Arc<Proxies>,
    pub(super) trust: Arc<Trust>,
    pub(super) stop: Stop,
}

impl Wire {
    fn open(&self, details: &ConnectionDetails<'_>) -> Result<Stream, Problem> {
        let tls = details.needs_tls();
        let (host, port) = endpoint(details.uri)
            .ok_or_else(|| Problem::lasting(Error::new(ErrorKind::Usage, "an address no host")))?;
        let proxy = self.proxies.of(tls, &host, port).transpose();
        let proxy = proxy.map_err(Problem::lasting)?;
        let socket = match &proxy {
            None => Socket::connect(&host, port, &self.stop)?,
            Some(proxy) => tunnel::through(proxy, &host, port, &self.stop)?,
        };
        if !tls {
            return Ok(Stream::Plain(socket));
        }
        match self.secure(socket, &host, port) {
            Ok(stream) => Ok(Stream::Tls(Box::new(stream))),
            // It may be the proxy that answers in the registry's place.
            Err(problem) => Err(match &proxy {
                Some(proxy) => problem.through(proxy),
                None => problem,
            }),
        }
    }

    fn secure(
        &self,
        mut socket: Socket,
        host: &str,
        port: u16,
    ) -> Result<StreamOwned<ClientConnection, Socket>, Problem> {
        let config = self.trust.of(host, port).map_err(Problem::lasting)?;
        let failed = |message: String| {
            Problem::lasting(Error::new(
                ErrorKind::Unreachable,
                format!("no secure connection to `{host}`: {message}"),
            ))
        };
        let name = ServerName::try_from(host.to_owned()).map_err(|e| failed(e.to_string()))?;
        let mut connection =
            ClientConnection::new(config, name).map_err(|e| failed(e.to_string()))?;
        while connection.is_handshaking() {
            if let Err(error) = connection.complete_io(&mut socket) {
                return Err(handshake(host, port, error));
            }
        }
        Ok(StreamOwned::new(connection, socket))
    }
}

/// What a handshake that failed means.
fn handshake(host: &str, port: u16, error: std::io::Error) -> Problem {
    let reason = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    // As the folders of certificates are named.
    let place = match port {
        443 => host.to_owned(),
        port => format!("{host}:{port}"),
    };
    let Some(reason) = reason else {
        return Problem::from_io(host, error);
    };
    let message = format!("no secure connection to `{place}`: {reason}");
    let unreachable = Error::new(ErrorKind::Unreachable, message);
    match reason {
        rustls::Error::InvalidMessage(_) => Problem {
            cause: Cause::NotTls,
            error: Error::new(
                ErrorKind::Unreachable,
                format!("`{place}` does not speak TLS"),
            )
            .hint("`--plain-http`, if that is how the registry is meant to be reached"),
        },
        rustls::Error::InvalidCertificate(_) => Problem::lasting(unreachable.hint(format!(
            "trust its authority by `--tls-ca FILE` or `/etc/docker/certs.d/{place}/ca.crt`, \
             or check nothing by `--insecure`"
        ))),
        rustls::Error::AlertReceived(_) => {
            Problem::lasting(unreachable.hint(wants_certificate(&place)))
        }
        _ => Problem::lasting(unreachable),
    }
}

/// The host, without brackets, and port that an address leads to.
pub(super) fn endpoint(uri: &Uri) -> Option<(String, u16)> {
    let host = uri.host()?.trim_start_matches('[').trim_end_matches(']');
    let usual = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    Some((host.to_ascii_lowercase(), uri.port_u16().unwrap_or(usual)))
}

impl Connector<()> for Wire {
    type Out = Line;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _chained: Option<()>,
    ) -> Result<Option<Line>, HttpError> {
        let stream = self.open(details).map_err(Problem::into_io)?;
        let config = details.config;
        Ok(Some(Line {
            stream,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
        }))
    }
}

/// Names are looked up where connections are made: with a proxy, the proxy does it.
#[derive(Debug)]
pub(super) struct Later;

impl Resolver for Later {
    fn resolve(
        &self,
        _uri: &Uri,
        _config: &ureq::config::Config,
        _timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, HttpError> {
        Ok(self.empty())
    }
}

enum Stream {
    Plain(Socket),
    Tls(Box<StreamOwned<ClientConnection, Socket>>),
}

/// One connection.
pub(super) struct Line {
    stream: Stream,
    buffers: LazyBuffers,
}

impl Line {
    fn socket(&mut self) -> &mut Socket {
        match &mut self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => &mut stream.sock,
        }
    }

    fn be_patient(&mut self, timeout: NextTimeout) {
        self.socket().patience = match timeout.after {
            time::Duration::Exact(limit) => limit,
            time::Duration::NotHappening => PATIENCE,
        };
    }
}

impl Transport for Line {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), HttpError> {
        self.be_patient(timeout);
        let output = &self.buffers.output()[..amount];
        match &mut self.stream {
            Stream::Plain(socket) => socket.write_all(output)?,
            Stream::Tls(stream) => {
                stream.write_all(output)?;
                // Otherwise the last record may lie in memory while an answer to it is awaited.
                stream.flush()?;
            }
        }
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, HttpError> {
        self.be_patient(timeout);
        let input = self.buffers.input_append_buf();
        let read = match &mut self.stream {
            Stream::Plain(socket) => socket.read(input),
            Stream::Tls(stream) => stream.read(input),
        };
        match read {
            Ok(count) => {
                self.buffers.input_appended(count);
                Ok(count > 0)
            }
            Err(error) if error.kind() == std::io::ErrorKind::TimedOut => {
                Err(HttpError::Timeout(timeout.reason))
            }
            Err(error) => Err(error.into()),
        }
    }

    fn is_open(&mut self) -> bool {
        !self.socket().has_something()
    }

    fn is_tls(&self) -> bool {
        matches!(self.stream, Stream::Tls(_))
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").finish_non_exhaustive()
    }
}
