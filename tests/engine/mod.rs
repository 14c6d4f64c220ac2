//! The engine through its library and its command: results, bad input, lives cut short.

mod bad_input;
mod choices;
mod command;
mod determinism;
mod golden;
mod kill;
pub(crate) mod memory;
pub(crate) mod nobody;
mod packages;
mod rules;
mod scene;
pub(crate) mod support;
