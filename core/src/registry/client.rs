//! One run's way into registries.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::net::Net;
use super::{Access, Host, Notice, Repository, Site, Traffic};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Stop;
use crate::settings::Settings;

/// A run's way into registries: credentials, settings, and what was learned of each host. Clones
/// share all of it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    net: Arc<Net>,
    hosts: Mutex<HashMap<String, Host>>,
}

impl Client {
    /// A client that gets in by `access`, and whose calls end soon after `stop` is raised.
    pub fn new(access: Access, settings: Settings, stop: Stop) -> Result<Self> {
        if access.username.is_some() != access.password.is_some() {
            return Err(Error::new(
                ErrorKind::Usage,
                "a user name and a password are given together or not at all",
            )
            .hint("`--username NAME --password-stdin`"));
        }
        Ok(Self(Arc::new(Shared {
            net: Arc::new(Net::new(access, settings, stop)?),
            hosts: Mutex::default(),
        })))
    }

    /// The registry `name`, with its port: `harbor.local:5000`. Nothing is sent yet.
    #[must_use]
    pub fn host(&self, name: &str) -> Host {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = hosts
            .entry(name.to_owned())
            .or_insert_with(|| Host::new(name, None, Arc::clone(&self.0.net)));
        host.clone()
    }

    /// Has the registry `name` reached by `scheme` and nothing else: its user wrote it.
    pub(crate) fn reach_by(&self, name: &str, scheme: &'static str) {
        let mut hosts = self.0.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        let host = Host::new(name, Some(scheme), Arc::clone(&self.0.net));
        hosts.insert(name.to_owned(), host);
    }

    /// The service at `host` (with its port), which is no registry.
    pub(crate) fn site(&self, host: &str, scheme: &'static str) -> Site {
        Site::new(Host::service(host, scheme, Arc::clone(&self.0.net)))
    }

    /// The repository `name` of the registry `host`.
    #[must_use]
    pub fn repository(&self, host: &str, name: &str) -> Repository {
        Repository::new(self.host(host), name)
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.0.net.traffic()
    }

    /// What somebody should know about the connections, sorted.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        self.0.net.notices()
    }
}
