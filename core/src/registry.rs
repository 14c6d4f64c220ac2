//! Transport to OCI registries (distribution specification 1.1): a repository as a place that
//! blobs, manifests and tags are read from and written to.
//!
//! What to send and in which order is decided elsewhere.

mod access;
mod auth;
mod client;
mod gate;
mod harbor;
mod hold;
mod host;
mod image;
mod net;
mod private;
mod problem;
mod proxy;
mod read;
mod refusal;
mod repository;
mod retry;
mod site;
mod tags;
mod tls;
mod upload;
mod url;
mod wire;

pub use access::{Access, Connect, Notice, Secret, Traffic};
pub use client::Client;
pub use harbor::{Harbor, Quota, Rule};
pub use hold::Hold;
pub(crate) use hold::is_hold;
pub use host::Host;
pub use image::{Image, Shelf};
pub(crate) use private::is_private;
pub use repository::{Document, Repository, Sessions};
pub(crate) use site::{Form, Page, Site};

#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
