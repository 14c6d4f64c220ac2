//! Every test that needs more than one crate: one binary, so that it links once.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::type_complexity,
    clippy::cloned_ref_to_slice_refs,
    missing_docs,
    reason = "tests say what they expect, and measure aloud"
)]

mod architecture;
mod charts;
mod clients;
mod deliver;
mod engine;
mod programs;
mod registry;
