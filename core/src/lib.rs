//! The engine of fusion: opens image archives of every flavour, plans how their images combine by
//! platform, and writes the result whole or not at all.
//!
//! Modules stand in layers, listed in `tests/architecture.rs`: one uses only what stands above it.

pub mod compress;
pub mod error;
pub mod fuse;
pub mod inspect;
pub mod limits;
pub mod location;
pub mod oci;
pub mod progress;
pub mod report;
pub mod tar;
pub mod validate;

pub use error::{Error, ErrorKind, Result};
