//! One registry.

use crate::error::Result;

/// One registry. Clones share what was learned of it.
#[derive(Debug, Clone)]
pub struct Host {
    name: String,
}

/// An answer of a registry's own API: the status, and a bounded body.
#[derive(Debug)]
#[expect(dead_code, reason = "Harbor's API is built on it")]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Host {
    /// The name it was asked for by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reaches the registry, settles whether it speaks HTTPS, and tries the credentials.
    pub fn check(&self) -> Result<()> {
        unimplemented!()
    }

    /// Calls the registry's own API with the user's name and password: `path` begins with a slash,
    /// `body` is JSON. Statuses are the caller's to judge.
    #[expect(dead_code, reason = "Harbor's API is built on it")]
    pub(crate) fn api(&self, _method: &str, _path: &str, _body: Option<&[u8]>) -> Result<Reply> {
        unimplemented!()
    }
}
