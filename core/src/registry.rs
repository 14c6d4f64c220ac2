//! Transport to OCI registries (distribution specification 1.1): a repository as a place that
//! blobs, manifests and tags are read from and written to.
//!
//! What to send and in which order is decided elsewhere.

mod access;
mod client;
mod host;
mod image;
mod repository;

pub use access::{Access, Connect, Notice, Secret, Traffic};
pub use client::Client;
pub use host::Host;
pub use image::Image;
pub use repository::{Document, Repository, Sessions};
