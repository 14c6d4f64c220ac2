//! Every test that needs more than one crate: one binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "tests say what they expect"
)]

mod architecture;
mod clients;
mod engine;
