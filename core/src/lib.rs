//! The engine of fusion: opens image archives of every flavour, plans how their images combine by
//! platform, and writes the result whole or not at all.
//!
//! Modules stand in layers, listed in `tests/architecture.rs`: one uses only what stands above it.

#![cfg_attr(
    test,
    allow(clippy::disallowed_methods, reason = "tests set their own scenes")
)]

pub mod archive;
mod chart;
pub mod compress;
pub mod container;
pub mod deliver;
pub mod error;
pub mod fsx;
pub mod fuse;
pub mod graph;
pub mod inspect;
pub mod limits;
pub mod location;
pub mod oci;
pub mod package;
pub mod progress;
pub mod registry;
pub mod report;
pub mod settings;
pub mod store;
pub mod tar;
pub mod validate;
mod yaml;

pub use error::{Error, ErrorKind, Result};
