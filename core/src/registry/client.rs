//! One run's way into registries.

use std::sync::Arc;

use super::{Access, Host, Notice, Repository, Traffic};
use crate::error::Result;
use crate::progress::Stop;
use crate::settings::Settings;

/// A run's way into registries: credentials, settings, and what was learned of each host. Clones
/// share all of it.
#[derive(Debug, Clone)]
pub struct Client(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    access: Access,
    settings: Settings,
    stop: Stop,
}

impl Client {
    /// A client that gets in by `access`, and whose calls end soon after `stop` is raised.
    pub fn new(access: Access, settings: Settings, stop: Stop) -> Result<Self> {
        Ok(Self(Arc::new(Shared {
            access,
            settings,
            stop,
        })))
    }

    /// The registry `name`, with its port: `harbor.local:5000`. Nothing is sent yet.
    #[must_use]
    pub fn host(&self, _name: &str) -> Host {
        unimplemented!("{:?}", self.0)
    }

    /// The repository `name` of the registry `host`.
    #[must_use]
    pub fn repository(&self, _host: &str, _name: &str) -> Repository {
        unimplemented!()
    }

    /// What went over the network so far.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        unimplemented!()
    }

    /// What somebody should know about the connections, sorted.
    #[must_use]
    pub fn notices(&self) -> Vec<Notice> {
        unimplemented!()
    }
}
