//! Why an exchange with a server came to nothing, and whether trying again may help.

use std::fmt;
use std::io;

use super::proxy::Proxy;
use crate::error::{Error, ErrorKind};

/// What a failure below HTTP means for what comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The caller asked to stop.
    Stopped,
    /// It may pass: nobody listens, a connection broke, no answer came.
    Passing,
    /// What answers does not speak TLS.
    NotTls,
    /// It stays: a certificate that is not trusted, a setting that makes no sense.
    Lasting,
}

/// A failure below HTTP.
#[derive(Debug)]
pub(super) struct Problem {
    pub(super) cause: Cause,
    pub(super) error: Error,
}

impl Problem {
    pub(super) fn stopped() -> Self {
        Self {
            cause: Cause::Stopped,
            error: Error::cancelled(),
        }
    }

    pub(super) fn passing(message: impl Into<String>) -> Self {
        Self {
            cause: Cause::Passing,
            error: Error::new(ErrorKind::Unreachable, message),
        }
    }

    pub(super) fn lasting(error: Error) -> Self {
        Self {
            cause: Cause::Lasting,
            error,
        }
    }

    /// On the way by `proxy`, which is named. What there is to do about it stays.
    pub(super) fn through(self, proxy: &Proxy) -> Self {
        let message = format!("proxy `{proxy}`: {}", self.error.message());
        let error = Error::new(self.error.kind(), message);
        let hint = self.error.get_hint().map(str::to_owned);
        Self {
            error: error.hint(hint.unwrap_or_else(|| {
                "name hosts that are reached without it in `NO_PROXY`".to_owned()
            })),
            ..self
        }
    }

    /// Through code that knows nothing but the standard library's errors.
    pub(super) fn into_io(self) -> io::Error {
        io::Error::other(self)
    }

    /// What came back through such code while talking to `server`.
    pub(super) fn from_io(server: &str, error: io::Error) -> Self {
        if error.get_ref().is_some_and(|inner| inner.is::<Self>()) {
            let inner = error.into_inner().map(|inner| inner.downcast::<Self>());
            return match inner {
                Some(Ok(problem)) => *problem,
                _ => Self::passing(format!("the connection to `{server}` broke")),
            };
        }
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        if let Some(rustls::Error::AlertReceived(alert)) = inner {
            // Since TLS 1.3 a server says what it dislikes only after the handshake.
            let message = format!("`{server}` ends the secure connection: {alert:?}");
            let error = Error::new(ErrorKind::Unreachable, message);
            return Self::lasting(error.hint(wants_certificate(server)));
        }
        if error.kind() == io::ErrorKind::TimedOut {
            return Self::passing(format!("`{server}` gives no answer"));
        }
        Self::passing(format!("the connection to `{server}` broke: {error}"))
    }

    /// What the HTTP library makes of it while talking to `server`.
    pub(super) fn from_http(server: &str, error: ureq::Error) -> Self {
        match error {
            ureq::Error::Io(error) => Self::from_io(server, error),
            ureq::Error::Timeout(_) => Self::passing(format!("`{server}` gives no answer")),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => Self::lasting(Error::new(
                ErrorKind::Registry,
                format!("`{server}` leads to an address that is none"),
            )),
            error => Self::passing(format!("no sense in what `{server}` answers: {error}")),
        }
    }
}

/// What to do where a server refuses the client itself.
pub(super) fn wants_certificate(server: &str) -> String {
    format!(
        "if it wants a certificate of the client: `/etc/docker/certs.d/{server}/client.cert` and \
         `client.key`"
    )
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for Problem {}
