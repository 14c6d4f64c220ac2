//! The C library of fusion. One file per noun of `include/fusion.h`, whose comments are the doc
//! comments here: they are written for readers of C.
//!
//! Three rules hold everywhere, and one place keeps each of them: every exported function runs
//! inside [`panic::boundary`] or [`panic::fallible`], what C holds are boxes behind
//! [`handle::Handle`], and what C passes is read by [`strings`], which look for NULL.

#![allow(unsafe_code, reason = "this is the boundary to C")]
#![allow(non_camel_case_types, reason = "the types are named as in C")]
#![allow(
    clippy::missing_safety_doc,
    reason = "doc comments become the header's, which says what callers owe"
)]

pub mod charts;
pub mod error;
pub mod handle;
pub mod log;
pub mod options;
pub mod panic;
pub mod progress;
pub mod report;
pub mod status;
pub mod stop;
pub mod strings;
pub mod verbs;
pub mod version;

mod call;
mod pipe;

#[cfg(test)]
mod tests;
