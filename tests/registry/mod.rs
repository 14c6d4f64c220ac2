//! Registries to test against: real ones, and what stands between them and their clients.
//!
//! Each is on a free loopback port and ends when it is dropped. `README.md` says what there is.

pub(crate) mod authority;
pub(crate) mod client;
pub(crate) mod distribution;
pub(crate) mod docker;
pub(crate) mod exchange;
pub(crate) mod faults;
pub(crate) mod harbor;
pub(crate) mod http;
pub(crate) mod proxy;
pub(crate) mod serve;
pub(crate) mod stock;
pub(crate) mod token_auth;
pub(crate) mod tokens;
pub(crate) mod uploads;
pub(crate) mod words;
pub(crate) mod zot;
pub(crate) mod zot_2;

mod harbor_api;
mod selftest;
mod transport;
