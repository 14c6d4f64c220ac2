//! The transport against servers that answer as they are told.
#![allow(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod doors;
mod fetching;
mod secrets;
mod tokens;
mod uploading;
