//! How a caller gets in, and what a run over the network tells besides its results.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Stop;
use crate::settings::Settings;

/// A password or token: nothing that prints shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The secret `text`.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the wire alone.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// How a caller wants to get into registries.
#[derive(Debug, Clone)]
pub struct Access {
    /// The user; without one, what docker, podman and credential helpers know.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// The registry that user and password are for, with its port; nobody else gets to see them.
    /// `None`: whichever there is.
    pub only_for: Option<String>,
    /// A file of certificates that are trusted besides the system's: of authorities, or of servers
    /// themselves.
    pub tls_ca: Option<PathBuf>,
    /// Certificates are not checked, and plain HTTP will do.
    pub insecure: bool,
    /// Plain HTTP, nothing else.
    pub plain_http: bool,
    /// How often a request is repeated that failed for a reason that may pass.
    pub retries: u32,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            username: None,
            password: None,
            only_for: None,
            tls_ca: None,
            insecure: false,
            plain_http: false,
            retries: 3,
        }
    }
}

/// How to get into registries, and what the environment says about it.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    /// What the caller says.
    pub access: Access,
    /// What the environment says.
    pub settings: Settings,
}

impl Connect {
    /// A way into `hosts`, whose calls end soon after `stop` is raised. User and password are for
    /// one of them: which, has to be clear.
    pub fn client<'a>(
        &self,
        hosts: impl IntoIterator<Item = &'a str>,
        stop: Stop,
    ) -> Result<Client> {
        let hosts: BTreeSet<&str> = hosts.into_iter().collect();
        let mut access = self.access.clone();
        if access.username.is_some() && hosts.len() > 1 {
            let hosts: Vec<&str> = hosts.into_iter().collect();
            let message = format!(
                "one user and password, and several registries: {}",
                hosts.join(", ")
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .hint("log in to each of them: `docker login HOST`"));
        }
        access.only_for = access
            .only_for
            .or_else(|| hosts.first().map(|host| (*host).to_owned()));
        Client::new(access, self.settings.clone(), stop)
    }
}

/// What went over the network in a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Traffic {
    /// Requests, repeated ones included.
    pub requests: u64,
    /// Bytes sent as the bodies of blobs, those sent in vain included.
    pub uploaded: u64,
    /// Requests that were repeated.
    pub retries: u64,
}

/// Something that somebody should know about a connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Notice {
    /// The stable name: `plain-http`.
    pub code: &'static str,
    /// The registry concerned.
    pub host: String,
    /// One line.
    pub message: String,
}
